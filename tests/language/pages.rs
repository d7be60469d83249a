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

/// Texts in memory.
struct Memory(String);

impl nsl::source::Loader for Memory {
    fn load(&self, path: &std::path::Path) -> Result<String, nsl::source::LoadError> {
        match path.ends_with("policy.nsl") {
            true => Ok(self.0.clone()),
            false => Err(nsl::source::LoadError::Missing),
        }
    }
}

/// Every edit that a finding of a page proposes mends it, and breaks nothing.
#[test]
fn fixes_mend() {
    let inputs = nsl::resolve::Inputs { cwd: super::HERE.into(), open: true, ..Default::default() };
    let path = std::path::Path::new("policy.nsl");
    let of = |text: &str| nsl::findings(&nsl::load(path, &inputs, &Memory(text.to_string())));
    let mut mended = 0;
    let mut wrong = Vec::new();
    for page in nsl::report::pages::all().filter(|it| !it.wrong.is_empty()) {
        let before = of(page.wrong);
        let about = |all: &[nsl::report::Diagnostic]| all.iter().filter(|it| it.code == page.code).count();
        if !before.iter().any(|it| it.code == page.code && it.fix.is_some()) {
            continue;
        }
        let fixed = nsl::fix::fix(path, &inputs, &Memory(page.wrong.to_string()));
        let Some((_, text)) = fixed.texts.values().next() else {
            wrong.push(format!("{}: the edit was not made", page.code));
            continue;
        };
        let after = of(text);
        let errors = |all: &[nsl::report::Diagnostic]| all.iter().filter(|it| it.is_error()).count();
        if about(&after) >= about(&before) || errors(&after) > errors(&before) {
            wrong.push(format!("{}: still there\n{text}\n{after:?}", page.code));
        }
        mended += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(mended > 20, "only {mended} pages have a fix");
}
