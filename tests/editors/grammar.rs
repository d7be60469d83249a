//! Two grammars, one language: what `grammar/nsl.pest` takes for valid, the one of `editors/tree-sitter-nsl` does, and
//! the other way round.

use std::fs;
use std::path::{Path, PathBuf};

use nsl::source::Files;
use tree_sitter::{Node, Parser, Query};

use super::{read, repository};

/// Texts that only one of the two can judge, and why.
const EXCEPTIONS: &[(&str, &str)] = &[
    (
        "tests/language/syntax/compensated.nsl",
        "the braces balance; only the indentation says that they are in the wrong place",
    ),
    ("tests/language/syntax/nested-too-deep.nsl", "tree-sitter has no limit of depth"),
];

fn parser() -> Parser {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_nsl::LANGUAGE.into()).expect("a version that tree-sitter reads");
    parser
}

/// Whether the language's own parser has nothing to say.
fn is_policy(text: &str) -> bool {
    let mut files = Files::new();
    let file = files.add("policy.nsl", text.to_string());
    nsl::syntax::parse(&files, file).errors.is_empty()
}

/// Whether the tree has no error, and nothing that is read although it is wrong.
fn is_tree(parser: &mut Parser, text: &str) -> bool {
    fn is_right(node: Node) -> bool {
        let mut cursor = node.walk();
        !matches!(node.kind(), "invalid" | "reserved_item") && node.children(&mut cursor).all(is_right)
    }
    let tree = parser.parse(text, None).expect("nothing stops it");
    !tree.root_node().has_error() && is_right(tree.root_node())
}

/// Every policy of the repository, as path relative to it and text.
fn policies() -> Vec<(String, String)> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("a folder of the repository").flatten() {
            let path = entry.path();
            let name = entry.file_name();
            let is_ours = !name.to_string_lossy().starts_with('.') && name != "target" && name != "node_modules";
            if path.is_dir() && !path.is_symlink() && is_ours {
                walk(&path, found);
            } else if path.extension().is_some_and(|it| it == "nsl") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&repository(), &mut found);
    found.sort();
    assert!(found.len() > 100, "only {} policies", found.len());
    let name = |path: &Path| path.strip_prefix(repository()).expect("below the repository").display().to_string();
    found.iter().map(|path| (name(path), read(path))).collect()
}

#[test]
fn both_grammars_agree_on_every_policy_of_the_repository() {
    let mut parser = parser();
    let mut wrong = Vec::new();
    for (name, text) in policies() {
        let (ours, theirs) = (is_policy(&text), is_tree(&mut parser, &text));
        let text = text.trim_start_matches('\u{feff}');
        for same in [text.replace('\n', "\r\n"), format!("\u{feff}{text}"), text.trim_end().to_string()] {
            assert!(!theirs || is_tree(&mut parser, &same), "{name} with other line ends, or a byte order mark");
        }
        match EXCEPTIONS.iter().find(|it| it.0 == name) {
            Some((_, why)) if ours == theirs => wrong.push(format!("{name} is no exception any more: {why}")),
            None if ours != theirs => wrong.push(format!("{name}: the language says {ours}, tree-sitter {theirs}")),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The policies that have to be valid are.
#[test]
fn what_people_start_from_has_no_error() {
    let mut parser = parser();
    for (name, text) in policies() {
        let must = ["examples/", "stdlib/", "tests/language/policies/"].iter().any(|it| name.starts_with(it));
        assert!(!must || is_tree(&mut parser, &text), "{name}");
    }
}

/// A statement or two with one slip each: what the cases above hold in one file, where one slip hides another.
#[test]
fn both_grammars_agree_on_single_slips() {
    let mut parser = parser();
    let mut wrong = Vec::new();
    let mut rejected = 0;
    let shapes = read(&repository().join("tests/language/syntax/shapes.nsl"));
    let changes =
        ["", "{", "}", ")", "]", "\"", "\n", "#", "$", "=", ",", ":", "\\", "@", "${", "/", ".", "0", " a ", "&"];
    for (at, found) in shapes.char_indices() {
        // Letters are like each other, signs are not.
        if found.is_alphanumeric() && at % 8 > 0 {
            continue;
        }
        // A declaration whose first word is misspelt is a statement to any grammar; the tree knows better.
        let line = shapes[..at].rfind('\n').map_or(0, |it| it + 1);
        if shapes[line..=at].bytes().all(|it| it.is_ascii_alphabetic()) {
            continue;
        }
        for change in ["", changes[at % changes.len()]] {
            let text = format!("{}{change}{}", &shapes[..at], &shapes[at + found.len_utf8()..]);
            let (ours, theirs) = (is_policy(&text), is_tree(&mut parser, &text));
            rejected += usize::from(!ours);
            if ours != theirs {
                let line = shapes[..at].matches('\n').count();
                let shown = text.lines().nth(line).unwrap_or("");
                wrong.push(format!("{}: `{found}` as `{change}`: the language says {ours}: {shown}", line + 1));
            }
        }
    }
    assert!(rejected > 500, "only {rejected} texts were wrong");
    assert!(wrong.is_empty(), "{} disagreements:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_query_compiles() {
    let language = tree_sitter_nsl::LANGUAGE.into();
    let shared = repository().join("editors/tree-sitter-nsl/queries");
    let helix = repository().join("editors/helix/queries/nsl");
    let mut count = 0;
    for dir in [shared, helix] {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let path = entry.path();
            Query::new(&language, &read(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            count += 1;
        }
    }
    assert!(count >= 6, "only {count} queries");
}
