//! A tree that was mended after a change of its text is that of the new text.

use nsl::source::{Disk, FileId, Files, Loader};
use nsl::syntax::ast::File;
use nsl::syntax::{keep, parse, parse_range};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// How many texts begin a series of changes, and how many changes follow.
const ROUNDS: u32 = 16;
const CHANGES: usize = 60;
const SEED: u64 = 0x5eed_5eed;

/// What is put into texts: what the grammar means something by, and what joins or parts lines.
const PIECES: &[&str] = &[
    "\n",
    "\n\n",
    "\r\n",
    " ",
    "  ",
    "\t",
    "x",
    "a",
    "1",
    "-",
    ".",
    "/",
    "=",
    "==",
    ",",
    ";",
    ":",
    "{",
    "}",
    "{\n",
    "}\n",
    "{ }",
    "(",
    ")",
    "()",
    "[",
    "]",
    "[]",
    "\"",
    "\"\"",
    "\\\"",
    "\"${a\\\"b}\"",
    "${x}",
    "$",
    "@",
    "*",
    "#",
    "# c\n",
    "##",
    "## doc\n",
    "### c\n",
    "'",
    "'{'",
    "'}'",
    "`",
    "“",
    "”",
    "é",
    "\u{feff}",
    "else",
    "else {\n}\n",
    " else if a {\n}\n",
    "if a {\n  b = 1\n}\n",
    "if ",
    "and",
    " or\n",
    " in ",
    "not ",
    "a = 1\n",
    "a = [\n  1,\n  2\n]\n",
    "a {\n  b = 1\n}\n",
    "a = 1 b = 2\n",
    "a b c { d = 1 } e\n",
    "nsl 1\n",
    "nsl 1 x\n",
    "nsl ",
    "use std/service\n",
    "let x = 1\n",
    "param p: int = 3\n",
    "require a,\n",
    "require a, \"b\"\n",
    "with ",
    "sandbox s {\n",
    "sandbox s with a,\n b {\n}\n",
    "profile p(a: int) {\n}\n",
    "syscalls group g {\n  read write\n}\n",
    "rule ",
    "test x {\n}\n",
    "sandbxo s {\n}\n",
    "default ",
    "override ",
    "for i in [1, 2] {\n}\n",
    "x = 1 {\n",
    "\n{\n}\n",
    "\nelse {\n}\n",
    "x ! y\n",
    "// c\n",
];

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }

    fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

fn texts() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dirs = ["examples", "stdlib", "tests/language/syntax", "tests/language/merge"];
    let mut paths: Vec<PathBuf> = dirs
        .iter()
        .flat_map(|it| root.join(it).read_dir().expect("a directory"))
        .flatten()
        .map(|it| it.path())
        .collect();
    paths.sort();
    let policies = paths.iter().filter(|it| it.extension().is_some_and(|it| it == "nsl"));
    policies.filter_map(|it| Disk.load(it).ok()).filter(|it| it.len() < 20_000).collect()
}

/// The text with one change.
fn changed(text: &str, random: &mut Random) -> String {
    let boundary = |at: usize| (0..=at).rev().find(|it| text.is_char_boundary(*it)).unwrap_or(0);
    let start = boundary(random.below(text.len() + 1));
    let lengths = [0, 0, 0, 0, 1, 1, 1, 2, 5, 20, 80];
    let length = lengths[random.below(lengths.len())];
    let end = boundary((start + length).min(text.len())).max(start);
    // Whole lines as well: they are moved, doubled and deleted.
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let line_start = text[..start].rfind('\n').map_or(0, |it| it + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |it| start + it + 1);
    match random.below(12) {
        0 => format!("{}{}", &text[..line_start], &text[line_end..]),
        1 => format!("{}{}{}", &text[..line_start], random.of(PIECES), &text[line_start..]),
        2 if !lines.is_empty() => format!("{}{}{}", &text[..line_start], random.of(&lines), &text[line_start..]),
        3 => format!("{}{}{}", &text[..line_end], random.of(PIECES), &text[line_end..]),
        _ if length > 0 && random.below(2) == 0 => format!("{}{}", &text[..start], &text[end..]),
        _ => format!("{}{}{}", &text[..start], random.of(PIECES), &text[end..]),
    }
}

/// Reads a text as the only file of a policy: the tree as it is kept, and as it is read from its start.
fn trees(text: &str) -> (Rc<File>, Rc<File>) {
    let mut files = Files::new();
    let file: FileId = files.add("a.nsl", text.to_string());
    let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    (parse(&files, file), Rc::new(parse_range(&files, file, start..text.len())))
}

/// Reads a text after another one; its tree.
fn follows(before: &str, text: &str, what: &str) -> Rc<File> {
    let (mended, read) = trees(text);
    if format!("{mended:?}") != format!("{read:?}") {
        let (mended, read) = (format!("{mended:#?}"), format!("{read:#?}"));
        let at = mended.lines().zip(read.lines()).position(|(a, b)| a != b).unwrap_or(0);
        let near = |tree: &str| tree.lines().skip(at.saturating_sub(12)).take(24).collect::<Vec<_>>().join("\n");
        let (mended, read) = (near(&mended), near(&read));
        panic!("{what}\n--- before\n{before}\n--- after\n{text}\n--- mended\n{mended}\n--- read\n{read}");
    }
    read
}

#[test]
fn a_mended_tree_is_that_of_the_text() {
    let texts = texts();
    let mut random = Random(SEED);
    keep(2);
    for round in 0..ROUNDS {
        let mut text = texts[random.below(texts.len())].clone();
        trees(&text);
        for _ in 0..CHANGES {
            let next = changed(&text, &mut random);
            let read = follows(&text, &next, &format!("round {round}"));
            // A text in which nothing is left in order has nothing to mend: most go on from one that is.
            if read.errors.len() < 4 || random.below(8) == 0 {
                text = next;
            } else {
                trees(&text);
            }
        }
    }
    keep(0);
}

#[test]
fn what_is_not_in_the_tree_is_read_again() {
    let chain = |last: &str| format!("if a {{\n}}{} else {{\n  {last} = 1\n}}\n", " else if b {\n}".repeat(70));
    keep(2);
    for (before, after) in [
        (chain("x"), chain("xy")),
        ("# a\nx = 1\n# b\nnsl 1\n".into(), "# a\n# b\nnsl 1\n".into()),
        ("## a\n## b\nparam x: int\n".into(), "## a\n# b\nparam x: int\n".into()),
        ("a = 1\n\nb = 2\n".into(), "a = 1\n{\n}\nb = 2\n".into()),
        ("if a {\n}\n\nb = 2\n".into(), "if a {\n}\nelse {\n}\nb = 2\n".into()),
        ("a = 1 # b\n".into(), "\u{feff}a = 1 # b\n".into()),
    ] {
        follows("", &before, "the first");
        follows(&before, &after, "the second");
    }
    keep(0);
}
