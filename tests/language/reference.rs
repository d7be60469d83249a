//! The language reference holds what the table of the language says, and what the standard library says of itself.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use nsl::source::{FileId, Files, find_policies};
use nsl::syntax::ast::{Decl, Item};
use nsl::syntax::parse;

const TABLE: (&str, &str) = (
    "<!-- Written by the table of the language; NSL_BLESS=1 cargo test reference -->\n",
    "<!-- end of the table -->\n",
);
const LIBRARY: (&str, &str) = (
    "<!-- Written by the doc comments in stdlib/; NSL_BLESS=1 cargo test reference -->\n",
    "<!-- end of the library -->\n",
);

const CODES: (&str, &str) = (
    "<!-- Written by the pages of the diagnostics; NSL_BLESS=1 cargo test reference -->\n",
    "<!-- end of the codes -->\n",
);

/// Compares what stands between two marks of the reference with what should, or puts it there.
fn part_is_current((begin, end): (&str, &str), part: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("grammar/README.md");
    let text = fs::read_to_string(&path).expect("the language reference");
    let (before, rest) = text.split_once(begin).expect("the place where the part begins");
    let (_, after) = rest.split_once(end).expect("the place where it ends");
    let current = format!("{before}{begin}{part}{end}{after}");
    if std::env::var_os("NSL_BLESS").is_some() {
        fs::write(&path, current).expect("the reference can be written");
    } else {
        assert!(text == current, "grammar/README.md is stale: NSL_BLESS=1 cargo test reference");
    }
}

// One test, as both parts are of one file.
#[test]
fn reference_is_current() {
    part_is_current(TABLE, &nsl::schema::reference());
    part_is_current(LIBRARY, &library());
    part_is_current(CODES, &codes());
}

/// Every code, by name.
fn codes() -> String {
    let mut pages: Vec<_> = nsl::report::pages::all().collect();
    pages.sort_by_key(|page| page.code);
    let mut out = String::from("| code | | what it is about |\n|---|---|---|\n");
    for page in pages {
        let severity = format!("{:?}", page.severity).to_lowercase();
        writeln!(out, "| `{}` | {severity} | {} |", page.code, page.title.replace('|', "\\|")).expect("a string grows");
    }
    out
}

/// Every profile with its parameters and its documentation, and every group of system calls.
fn library() -> String {
    let mut out = String::new();
    for path in find_policies(&Path::new(env!("CARGO_MANIFEST_DIR")).join("stdlib")).expect("the standard library") {
        let mut files = Files::new();
        let text = fs::read_to_string(&path).expect("a module is text");
        let id = files.add("module", text.clone());
        let name = path.file_stem().expect("a module has a name").to_string_lossy();
        write!(out, "### `std/{name}`\n\n{}", introduction(&text)).expect("a string grows");
        let mut groups = String::new();
        for item in parse(&files, id).items.clone() {
            match item {
                Item::Decl(decl) => {
                    let docs = decl
                        .docs
                        .as_deref()
                        .unwrap_or_else(|| panic!("std/{name} has a profile without documentation"));
                    write!(out, "**`{}`**\n\n{docs}\n\n", signature(&files, id, &decl)).expect("a string grows");
                }
                Item::Group(group) => {
                    let docs =
                        group.docs.as_deref().unwrap_or_else(|| panic!("std/{name} has a group without documentation"));
                    writeln!(groups, "| `@{}` | {} |", group.name.node, docs.replace('\n', " "))
                        .expect("a string grows");
                }
                Item::Use(_) => {}
                item => panic!("std/{name} has {item:?}"),
            }
        }
        if !groups.is_empty() {
            write!(out, "| group | calls |\n|---|---|\n{groups}\n").expect("a string grows");
        }
    }
    out
}

/// The comment at the top of a module, which is no item's.
fn introduction(text: &str) -> String {
    let lines = text.lines().take_while(|it| it.starts_with('#') && !it.starts_with("##"));
    let text: String = lines.map(|it| it.strip_prefix("# ").unwrap_or(&it[1..]).to_string() + "\n").collect();
    if text.is_empty() { text } else { text + "\n" }
}

/// A profile's name and parameters, as they are declared.
fn signature(files: &Files, id: FileId, decl: &Decl) -> String {
    let text = files.text(id);
    let start = decl.name.span.start as usize;
    let Some(last) = decl.params.last() else { return decl.name.node.clone() };
    format!("{})", &text[start..last.span.end as usize])
}
