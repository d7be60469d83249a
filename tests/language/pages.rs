//! The pages of the language: every code has one, every wrong example gives its code, every right one nothing of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use nsl::report::pages;

use super::resolved;

/// The codes that are built in a room of `src`.
fn codes(room: &str) -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room);
    for file in fs::read_dir(dir).expect("a room of the house").flatten() {
        let text = fs::read_to_string(file.path()).unwrap_or_default();
        for word in ["error", "warning", "advice"] {
            for (at, found) in text.match_indices(&format!("Diagnostic::{word}(")) {
                let rest = text[at + found.len()..].trim_start();
                codes.extend(rest.strip_prefix('"').and_then(|it| it.split('"').next()).map(str::to_string));
            }
        }
    }
    codes
}

fn findings(text: &str) -> Vec<String> {
    let (_, result) = resolved(text, "policy.nsl", Path::new("/nowhere"), &[]);
    result.findings.iter().map(|it| it.code.to_string()).collect()
}

#[test]
fn every_code_of_the_language_has_a_page() {
    for code in codes("resolve").union(&codes("syntax")) {
        assert!(pages::find(code).is_some(), "no page explains {code}");
    }
}

#[test]
fn wrong_examples_are_wrong_and_right_ones_right() {
    for code in codes("resolve").union(&codes("syntax")) {
        let Some(page) = pages::find(code) else { continue };
        if page.wrong.is_empty() {
            continue;
        }
        let wrong = findings(page.wrong);
        assert!(wrong.contains(code), "the wrong example of {code} gives {wrong:?}");
        let right = findings(page.right);
        assert!(right.is_empty(), "the right example of {code} gives {right:?}");
    }
}
