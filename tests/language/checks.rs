//! The checker: what it says of the wrong example of every page, and that it has nothing to say of the right one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use nsl::report::{Diagnostic, pages, render};
use nsl::source::Files;

use super::{STYLE, resolved};

/// Everything that is said of a text without looking at a host.
fn findings(text: &str) -> (Files, Vec<Diagnostic>) {
    let (files, resolved) = resolved(text, "policy.nsl", Path::new("/nowhere"), &[]);
    let loaded = nsl::Loaded { files, resolved };
    let findings = nsl::findings(&loaded);
    (loaded.files, findings)
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
    // Those of hosts are held against hosts.
    let judged = super::host_pages::codes();
    for page in pages::all().filter(|page| !page.wrong.is_empty() && !judged.contains(page.code)) {
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

/// What of a text is left when its comments have had their say.
#[track_caller]
fn left(text: &str, expected: &[&str]) {
    let (files, found) = findings(text);
    let codes: Vec<&str> = found.iter().map(|it| it.code).collect();
    assert_eq!(codes, expected, "{text}{}", render(&files, &found, STYLE));
}

#[test]
fn a_comment_silences_its_code_about_its_statement_and_nothing_else() {
    let body = |before: &str, behind: &str| {
        format!(
            "sandbox a {{\n  run = [\"/bin/true\"]\n{before}  mnt new {{ root = host(rw) }}{behind}\n  pid new\n}}\n"
        )
    };
    let noisy = ["root-host-rw", "pid-without-proc"];
    left(&body("", ""), &noisy);
    left(&body("  # nsl: allow root-host-rw, because it repairs the host\n", ""), &["pid-without-proc"]);
    left(&body("", "  # nsl: allow nsl::root-host-rw, because it repairs the host"), &["pid-without-proc"]);
    // Comments may stand between.
    left(&body("  # nsl: allow root-host-rw, because why not\n  # the root\n", ""), &["pid-without-proc"]);
    // The statement after it is another one.
    let elsewhere = body("", "\n  # nsl: allow root-host-rw, because of something else");
    left(&elsewhere, &["root-host-rw", "unused-allow", "pid-without-proc"]);
    // A whole sandbox.
    let whole = format!("# nsl: allow root-host-rw, because it repairs the host\n{}", body("", ""));
    left(&whole, &["pid-without-proc"]);
    // The end of a block is no statement.
    let end = "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  # nsl: allow no-run, because\n}\nsandbox b {\n  run = [\"/bin/true\"]\n  user new\n}\n";
    left(end, &["allow-wrong"]);
}

#[test]
fn a_comment_says_what_is_known_and_why() {
    let with = |comment: &str| format!("{comment}\nsandbox a {{\n  run = [\"/bin/true\"]\n  user new\n}}\n");
    for (comment, expected) in [
        ("# nsl: allow root-host-rw", "without a reason"),
        ("# nsl: allow root-host-rw, because", "without a reason"),
        ("# nsl: allow rot-host-rw, because I like it", "no code `rot-host-rw`"),
        ("# nsl: allow set-twice, because I like it", "errors cannot be allowed"),
        ("# nsl: ignore root-host-rw, because I like it", "`ignore`"),
    ] {
        let text = with(comment);
        let (_, found) = findings(&text);
        let [finding] = found.as_slice() else { panic!("{comment}: {found:?}") };
        assert!(finding.code == "allow-wrong" && finding.message.contains(expected), "{comment}: {}", finding.message);
    }
    // Prose that mentions nsl is prose.
    left(&with("# nsl runs this; see nsl:8"), &[]);
}

/// A PID namespace of somebody else's ends nothing that the program leaves there.
#[test]
fn without_an_init_nobody_ends_what_is_left_elsewhere() {
    let text =
        "sandbox a {\n  run = [\"/bin/true\"]\n  user join(pid: 7)\n  pid join(pid: 7) {\n    init = false\n  }\n}\n";
    left(text, &["pid-outlives"]);
    let member = "    run = [\"/bin/true\"]\n    pid { init = false }\n";
    let pod = format!("pod p {{\n  user new\n  pid new\n  container a {{\n{member}  }}\n}}\n");
    left(&pod, &["pid-outlives"]);
}

/// What is too long for the example of a page.
#[test]
fn a_map_has_an_end() {
    let lines = |count: u32| -> String {
        (0..count).map(|it| format!("    map uid {} = outer({})\n", it * 2, 100_000 + it * 4)).collect()
    };
    let text = |count| {
        format!(
            "sandbox a {{\n  run = [\"/bin/true\"]\n  user new {{\n{}    map gid 0 = outer(100000)\n  }}\n}}\n",
            lines(count)
        )
    };
    left(&text(340), &[]);
    left(&text(341), &["map-too-long"]);
}
