//! Texts that can be read, texts that cannot, and texts that try to break whoever reads them.

use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use nsl::report::{Diagnostic, pages, render};
use nsl::source::{FileId, Files, Span};
use nsl::syntax::ast::{Block, File, Item};
use nsl::syntax::{parse, parse_range, parse_value};

use super::{STYLE, cases};

#[test]
fn syntax() {
    cases("syntax");
}

fn folder(name: &str) -> Vec<(String, String)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let mut texts: Vec<(String, String)> = fs::read_dir(&dir)
        .expect("a folder of policies")
        .flatten()
        .map(|it| it.path())
        .filter(|it| it.extension().is_some_and(|it| it == "nsl"))
        .map(|it| (it.display().to_string(), fs::read_to_string(&it).expect("a policy is text")))
        .collect();
    texts.sort();
    assert!(!texts.is_empty(), "no policies in {name}");
    texts
}

fn read(text: &str) -> (Files, Rc<File>) {
    let mut files = Files::new();
    let file = files.add("policy.nsl", text.to_string());
    let tree = parse(&files, file);
    (files, tree)
}

/// Whatever a text is: reading it ends, soon, and what is said of it can be shown.
fn survives(text: &str) -> Rc<File> {
    let start = Instant::now();
    let (files, tree) = read(text);
    let took = start.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?} for {} bytes: {:.60}", text.len(), text);
    for error in &tree.errors {
        for label in &error.labels {
            let Span { start, end, .. } = label.span;
            assert!(start <= end && end as usize <= text.len(), "{error:?} of {text:?}");
            assert!(
                text.is_char_boundary(start as usize) && text.is_char_boundary(end as usize),
                "{error:?} of {text:?}"
            );
        }
        assert!(!error.labels.is_empty() && error.help.is_some(), "{error:?} of {text:?}");
        assert!(pages::find(error.code).is_some(), "{error:?}");
    }
    assert!(tree.errors.len() <= 51, "{} errors", tree.errors.len());
    if text.len() < 10_000 {
        render(&files, &tree.errors, STYLE);
    }
    tree
}

#[test]
fn policies_are_read_without_a_finding() {
    for dir in ["tests/language/policies", "examples", "stdlib"] {
        for (name, text) in folder(dir) {
            for text in
                [text.clone(), text.replace('\n', "\r\n"), format!("\u{feff}{text}"), text.trim_end().to_string()]
            {
                let (files, tree) = read(&text);
                assert!(tree.errors.is_empty(), "{name}\n{}", render(&files, &tree.errors, STYLE));
            }
        }
    }
}

/// The text that a fix makes of another.
fn fixed(text: &str, finding: &Diagnostic) -> Option<String> {
    let fix = finding.fix.as_ref()?;
    let (before, after) = (&text[..fix.span.start as usize], &text[fix.span.end as usize..]);
    Some(format!("{before}{}{after}", fix.text))
}

#[test]
fn every_fix_mends_its_finding() {
    for (name, text) in folder("tests/language/syntax") {
        let (_, tree) = read(&text);
        for finding in &tree.errors {
            let Some(mended) = fixed(&text, finding) else { continue };
            let (files, after) = read(&mended);
            let count = |errors: &[Diagnostic]| errors.iter().filter(|it| it.code != "too-many-errors").count();
            assert!(
                count(&after.errors) < count(&tree.errors),
                "{name}: {finding:?} is not mended:\n{mended}\n{}",
                render(&files, &after.errors, STYLE)
            );
        }
    }
}

#[test]
fn every_prefix_of_a_policy_is_read() {
    for (_, text) in folder("tests/language/policies") {
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            survives(&text[..end]);
        }
    }
}

#[test]
fn every_single_change_of_a_policy_is_read() {
    let changes = ["", "{", "}", "(", "]", "\"", "\n", "#", "$", "=", ",", "\\", "\u{0}", "é", "“", "0", "@", "${"];
    for (_, text) in folder("tests/language/policies") {
        for (at, found) in text.char_indices() {
            // Letters are like each other, signs are not: of those every one goes, and is replaced by one of the others in turn.
            if found.is_alphanumeric() && at % 8 > 0 {
                continue;
            }
            for change in ["", changes[at / 2 % changes.len()]] {
                survives(&format!("{}{change}{}", &text[..at], &text[at + found.len_utf8()..]));
            }
        }
    }
}

/// Of one slip there is one finding: a bracket, quote or comma less gives no second one somewhere else.
#[test]
fn a_missing_bracket_or_quote_gives_one_finding() {
    let mut wrong = Vec::new();
    for (name, text) in folder("tests/language/policies") {
        let mut in_comment = false;
        for (at, found) in text.char_indices() {
            in_comment = found != '\n' && (in_comment || found == '#');
            if in_comment || !"{}[]()\",".contains(found) {
                continue;
            }
            let broken = format!("{}{}", &text[..at], &text[at + 1..]);
            let (files, tree) = read(&broken);
            // A comma in a string, or at the end of a list, is not missed.
            if tree.errors.len() > 1 || tree.errors.is_empty() && found != ',' {
                let line = text[..at].matches('\n').count() + 1;
                wrong.push(format!("{name}:{line} without `{found}`:\n{}", render(&files, &tree.errors, STYLE)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{} of them", wrong.join("\n"), wrong.len());
}

#[test]
fn deep_nesting_is_refused() {
    for open in ["[", "{", "(", "a {\n", "a(", "x = [", "if (", "if a {\n", "a = b(c: [", "\"${", "[{("] {
        let deep = open.repeat(100_000);
        for text in [deep.clone(), format!("profile p {{\n  x = {deep}\n}}\n")] {
            assert!(!survives(&text).errors.is_empty(), "{open}");
        }
    }
    let closed = format!("x = {}{}\n", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(survives(&closed).errors[0].code, "nested-too-deep");
}

#[test]
fn as_deep_as_allowed_is_read() {
    let text = format!("{}x = 1\n{}", "a {\n".repeat(64), "}\n".repeat(64));
    assert!(survives(&text).errors.is_empty());
    let text = format!("x = {}1{}\n", "[".repeat(64), "]".repeat(64));
    assert!(survives(&text).errors.is_empty());
    let text = format!("x = {}1{}\n", "a(b: ".repeat(64), ")".repeat(64));
    assert!(survives(&text).errors.is_empty());
    let text = format!("require {}a{}, \"b\"\n", "(not ".repeat(64), ")".repeat(64));
    assert!(survives(&text).errors.is_empty());
}

/// A reader that tries a block or an argument twice at every level would not end before the sun does.
#[test]
fn broken_nesting_takes_no_longer() {
    for (open, core, close) in [
        ("a {\n", "= =", "}\n"),
        ("a {\n", "x", "} b\n"),
        ("a {\n", "x = ", "} = 1\n"),
        ("= {\n", "x", "}\n"),
        ("if a {\n", "x", "} else\n"),
        ("if {\n", "x", "}\n"),
        ("test a {\n", "x", "}\n"),
        ("syscalls group a {\n", "read", "}\n"),
        ("profile a {\n", "x", "} }\n"),
    ] {
        survives(&format!("{}{core}\n{}", open.repeat(60), close.repeat(60)));
    }
    for (open, core, close) in [
        ("a(", "%", ")"),
        ("[", "%", "]"),
        ("a(b: ", "= =", ")"),
        ("(", "", ")"),
        ("a b(", "", ")"),
        ("a([", "x y z", "])"),
        ("not (", "a b", ")"),
        ("a(b = ", "1", ") 2"),
        ("a(x in [", "!", "])"),
    ] {
        let deep = format!("{}{core}{}", open.repeat(30), close.repeat(30));
        for start in ["x = ", "x ", "if ", "require ", "profile p(a: size = ", "sandbox a with b(", "for x in "] {
            survives(&format!("{start}{deep}\n"));
        }
    }
}

#[test]
fn long_flat_texts_are_bounded() {
    for (start, piece) in [
        ("if a ", "and a "),
        ("if ", "not "),
        ("if a ", "== b "),
        ("require a", "\n and b"),
        ("allow x(a ", "& b "),
        ("if a {\n}", " else if b {\n}"),
        ("x ", "a "),
        ("x", ".a"),
        ("x = [", "1, "),
        ("x = [", "1 "),
        ("x = [", ", "),
        ("x = \"", "${a}"),
        ("x = \"", "\\q"),
        ("", "default "),
        ("", "x;"),
        ("", "\n\n\n"),
        ("", "}"),
        ("", "\"\n"),
        ("", "{\n"),
        ("", "(\n"),
        ("", "## docs\n"),
        ("", "= 1\n"),
        ("", "x = \"\n"),
        ("", "sandbox a {\n"),
        ("", "“"),
    ] {
        survives(&format!("{start}{}", piece.repeat(20_000)));
    }
}

#[test]
fn a_megabyte_of_junk_is_read() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let noise: String = (0..1 << 20).map(|_| char::from((random() % 127) as u8 + 1)).collect();
    survives(&noise);
    let words = [
        "a", " ", "\n", "{", "}", "(", ")", "[", "]", "\"", "=", "1MiB", "$x", "/a", ",", "if ", "else", "@g", "#", ";",
    ];
    let soup: String = (0..1 << 18).map(|_| words[random() as usize % words.len()]).collect();
    survives(&soup);
    for _ in 0..300 {
        let soup: String = (0..60).map(|_| words[random() as usize % words.len()]).collect();
        survives(&soup);
    }
    survives(&"x".repeat(1 << 20));
    survives(&"1:".repeat(1 << 19));
}

#[test]
fn values_that_stand_alone() {
    let value = |text: &str| {
        let mut files = Files::new();
        let file = files.add("--set x", text.to_string());
        parse_value(&files, file).map_err(|it| format!("{}: {}", it.code, it.message))
    };
    for text in
        ["8080/tcp", "./job.py", "[a, \"b\", 1s]", "\"a b\"", " 64MiB ", "tmpfs(size: 1MiB)", "true", "-2", "fd00::1"]
    {
        assert!(value(text).is_ok(), "{text}: {:?}", value(text));
    }
    for text in ["", "a b", "site/a", "64 MiB", "\"a", "[a", "a)", "= 5", "a = 5", "é", "{", "'a'"] {
        assert!(value(text).is_err(), "{text}");
    }
    assert_eq!(
        value(&"[".repeat(100_000)).err().as_deref(),
        Some("nested-too-deep: brackets are nested more than 64 deep")
    );
}

#[test]
fn a_range_has_the_spans_of_its_file() {
    let text = "# first\nprofile a {\n  user new\n}\n\n## doc\nprofile b {\n  = 1\n}\n";
    let mut files = Files::new();
    let file = files.add("std/x.nsl", text);
    let start = text.find("## doc").expect("it stands there");
    let tree = parse_range(&files, file, start..text.len());
    let [Item::Decl(decl)] = &tree.items[..] else { panic!("{tree:?}") };
    assert_eq!((files.slice(decl.name.span), decl.docs.as_deref()), ("b", Some("doc")));
    assert_eq!(files.place(tree.errors[0].labels[0].span), "std/x.nsl:8:3");
    // A range that is none gives nothing.
    assert!(parse_range(&files, file, 5..1_000_000).items.is_empty());
}

/// Spans of items lie in those of their blocks, in order, and end where their text does.
#[test]
fn spans_are_in_order_and_tight() {
    fn check(text: &str, items: &[Item], outer: Span) {
        let mut last = outer.start;
        for item in items {
            let span = item.span();
            assert!(last <= span.start && span.end <= outer.end, "{item:?}");
            last = span.end;
            let slice = &text[span.start as usize..span.end as usize];
            assert_eq!(slice, slice.trim(), "{item:?}");
            assert!(!slice.is_empty() && !slice.lines().last().is_some_and(|it| it.contains("  #")), "{slice}");
            let blocks: Vec<&Block> = match item {
                Item::Decl(it) => vec![&it.body],
                Item::Statement(it) => it.block.iter().collect(),
                Item::For(it) => vec![&it.body],
                Item::If(it) => std::iter::once(&it.then).chain(&it.otherwise).collect(),
                _ => Vec::new(),
            };
            for block in blocks {
                check(text, &block.items, block.span);
            }
        }
    }
    for dir in ["tests/language/policies", "examples", "stdlib"] {
        for (_, text) in folder(dir) {
            check(&text, &read(&text).1.items, Span::new(FileId(0), 0, text.len()));
        }
    }
}
