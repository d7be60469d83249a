//! What `nsl fmt` makes of texts: `format/NAME.nsl` becomes `format/NAME.out`.

use std::fs;
use std::path::{Path, PathBuf};

use nsl::format::format;
use nsl::source::{Files, find_policies};

fn formatted(text: &str) -> Result<String, String> {
    let mut files = Files::new();
    let file = files.add("policy.nsl", text.to_string());
    format(&files, file).map_err(|findings| findings.iter().map(|it| it.message.clone() + "\n").collect())
}

fn policies(dir: &str) -> Vec<PathBuf> {
    find_policies(&Path::new(env!("CARGO_MANIFEST_DIR")).join(dir)).expect("the folder is read")
}

#[test]
fn texts_are_laid_out() {
    let mut wrong = Vec::new();
    for path in policies("tests/language/format") {
        let text = fs::read_to_string(&path).expect("a case is text");
        let got = formatted(&text).expect("a case is a policy");
        assert_eq!(formatted(&got).as_ref(), Ok(&got), "{}: a second time", path.display());
        let expected = path.with_extension("out");
        if std::env::var_os("NSL_BLESS").is_some() {
            fs::write(&expected, &got).expect("the result can be written");
        } else if fs::read_to_string(&expected).ok().as_deref() != Some(got.as_str()) {
            wrong.push(format!("{} becomes\n{got}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}\nNSL_BLESS=1 takes these for right", wrong.join("\n"));
}

/// What we publish is laid out as we lay it out.
#[test]
fn examples_and_library_are_formatted() {
    for path in policies("examples").iter().chain(&policies("stdlib")) {
        let text = fs::read_to_string(path).expect("a policy is text");
        assert_eq!(formatted(&text), Ok(text), "{}", path.display());
    }
}

/// Every text of the tests that is a policy stays one, and is laid out once and for all.
#[test]
fn formatting_is_done_once() {
    let mut done = 0;
    for path in policies("tests") {
        let text = fs::read_to_string(&path).expect("a case is text");
        let Ok(once) = formatted(&text) else { continue };
        assert_eq!(formatted(&once).as_ref(), Ok(&once), "{}", path.display());
        done += 1;
    }
    assert!(done > 50, "only {done} policies were formatted");
}

/// However badly a policy is laid out, what comes out is the same, up to where its lines end.
#[test]
fn white_space_does_not_matter() {
    let mut done = 0;
    for path in policies("examples").iter().chain(&policies("stdlib")) {
        let text = fs::read_to_string(path).expect("a policy is text");
        // One column for all indentation: nothing is left of the author's layout but the order of the lines.
        let flat: String = text.lines().map(|it| it.trim_start().to_string() + "\n").collect();
        let aligned = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let got = formatted(&flat).expect("it is a policy still");
        assert_eq!(aligned(&got), aligned(&text), "{}", path.display());
        let indentations =
            |text: &str| -> Vec<usize> { text.lines().map(|it| it.len() - it.trim_start().len()).collect() };
        assert_eq!(indentations(&got), indentations(&text), "{}", path.display());
        done += 1;
    }
    assert!(done > 5);
}

#[test]
fn a_text_with_errors_is_refused() {
    assert!(formatted("sandbox a {\n  run = \n}\n").is_err());
}
