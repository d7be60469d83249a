//! The checker: what it says of the wrong example of every page, and that it has nothing to say of the right one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use nsl::report::{Diagnostic, pages, render};
use nsl::source::Files;

use super::{STYLE, resolved};

/// Everything that is said of a text without looking at a host.
fn findings(text: &str) -> (Files, Vec<Diagnostic>) {
    let (files, result) = resolved(text, "policy.nsl", Path::new("/nowhere"), &[]);
    let mut findings = result.findings;
    findings.extend(nsl::check::check_policy(&result.policy));
    (files, findings)
}

/// Every code that some file of `src` builds, and every one that it mentions as a string.
fn source_files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a folder of the house").flatten() {
        let path = entry.path();
        if path.is_dir() {
            source_files(&path, out);
        } else if path.extension().is_some_and(|it| it == "rs") {
            out.push(path);
        }
    }
}

fn texts() -> Vec<(PathBuf, String)> {
    let mut paths = Vec::new();
    source_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut paths);
    let read = |path: PathBuf| fs::read_to_string(&path).ok().map(|text| (path, text));
    paths.into_iter().filter_map(read).collect()
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let known: BTreeSet<&str> = pages::all().map(|page| page.code).collect();
    let mut mentioned = BTreeSet::new();
    for (path, text) in texts().iter().filter(|(path, _)| !path.to_string_lossy().contains("/pages/")) {
        for word in ["error", "warning", "advice"] {
            for (at, found) in text.match_indices(&format!("Diagnostic::{word}(")) {
                let rest = text[at + found.len()..].trim_start();
                if let Some(code) = rest.strip_prefix('"').and_then(|it| it.split('"').next()) {
                    assert!(known.contains(code), "{}: no page explains `{code}`", path.display());
                }
            }
        }
        mentioned.extend(known.iter().filter(|code| text.contains(&format!("\"{code}\""))));
    }
    // What a run does without is told in one line, not as a finding; the page is there for whoever asks.
    mentioned.insert("not-in-force");
    let idle: Vec<_> = known.difference(&mentioned).collect();
    assert!(idle.is_empty(), "pages of codes that nothing gives: {idle:?}");
}

#[test]
fn there_are_enough_codes() {
    assert!(pages::all().count() >= 100);
}

/// One snapshot a code: the wrong example of its page with all that is said of it.
#[test]
fn every_example_gives_what_its_page_says() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/language/codes");
    let bless = std::env::var_os("NSL_BLESS").is_some();
    let mut wrong = Vec::new();
    for page in pages::all().filter(|page| !page.wrong.is_empty()) {
        let (files, found) = findings(page.wrong);
        match found.iter().find(|it| it.code == page.code) {
            None => wrong.push(format!(
                "the wrong example of {} does not give it:\n{}",
                page.code,
                render(&files, &found, STYLE)
            )),
            Some(it) => {
                if it.severity != page.severity {
                    wrong.push(format!("{} is {:?}, and its page says {:?}", page.code, it.severity, page.severity));
                }
                if it.help.is_none() || it.labels.is_empty() {
                    wrong.push(format!("{} has no label or no help", page.code));
                }
            }
        }
        let (_, right) = findings(page.right);
        if let Some(it) = right.iter().find(|it| it.code == page.code || it.is_error()) {
            wrong.push(format!("the right example of {} gives {}: {}", page.code, it.code, it.message));
        }
        let got = format!("{}\n{}", page.wrong, render(&files, &found, STYLE));
        let path = dir.join(format!("{}.out", page.code));
        if bless {
            fs::create_dir_all(&dir).and_then(|()| fs::write(&path, &got)).expect("the result can be written");
        } else if fs::read_to_string(&path).ok().as_deref() != Some(got.as_str()) {
            wrong.push(format!("{} gives\n{got}", page.code));
        }
    }
    assert!(wrong.is_empty(), "{}\nNSL_BLESS=1 takes new texts for right", wrong.join("\n"));
}
