//! `explain`, `doctor`, `completions`.

use nsl::report::pages;

use super::*;

#[test]
fn every_listed_code_has_a_page() {
    let output = run(&["explain", "--list"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    let codes: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(codes.len(), pages::all().count());
    assert!(codes.is_sorted(), "{codes:?}");
    for code in codes {
        let output = run(&["explain", code]);
        assert!(output.code == 0 && output.stdout.starts_with(&format!("nsl::{code} (")), "{output:#?}");
    }
}

#[test]
fn pages_are_whole_and_each_code_has_one() {
    let mut codes: Vec<&str> = pages::all().map(|page| page.code).collect();
    codes.sort_unstable();
    let twice = codes.windows(2).find(|pair| pair[0] == pair[1]);
    assert_eq!(twice, None);
    for page in pages::all() {
        let code = page.code;
        assert!(code.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-'), "{code}");
        assert!(!page.title.is_empty() && !page.text.is_empty(), "{code}");
        assert!(!page.title.ends_with('.') && !page.text.contains("  "), "{code}");
        assert_eq!(page.wrong.is_empty(), page.right.is_empty(), "{code}");
    }
}

#[test]
fn a_code_is_known_with_its_prefix_and_a_slip_is_understood() {
    assert_eq!(run(&["explain", "nsl::file-missing"]).stdout, run(&["explain", "file-missing"]).stdout);
    run(&["explain", "file-mising"]).refuses(2, "did you mean `file-missing`?");
    run(&["explain", "nonsense-of-mine"]).refuses(2, "nsl::unknown-code");
}

#[test]
fn what_is_not_read_to_its_end_is_no_failure() {
    for args in [&["explain", "--list"][..], &["completions", "bash"], &["--help"], &["doctor"]] {
        let mut child = nsl(args).spawn().expect("nsl can be started");
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut stderr).expect("a pipe can be read");
        let status = child.wait().expect("our own child");
        assert!(status.success() && stderr.is_empty(), "{args:?}: {status}: {stderr}");
    }
}

#[test]
fn what_cannot_be_written_is_a_failure() {
    let mut command = nsl(&["explain", "--list"]);
    command.stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").expect("every host has it"));
    let mut child = command.spawn().expect("nsl can be started");
    let mut stderr = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut stderr).expect("a pipe can be read");
    assert_eq!(child.wait().expect("our own child").code(), Some(125));
    assert!(stderr.contains("cannot be written"), "{stderr}");
}

#[test]
fn the_doctor_has_an_answer_to_everything() {
    let output = run(&["doctor"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    for topic in ["kernel", "namespaces", "user new", "newuidmap", "keep PATH", "memory.max", "seccomp", "Landlock"] {
        assert!(output.stdout.contains(topic), "no {topic}: {output:#?}");
    }
    let facts = nsl::host::probe();
    for remedy in nsl::host::offers(&facts).iter().filter_map(|offer| offer.remedy.as_ref()) {
        assert!(output.stdout.contains(&format!("to change it: {remedy}\n")), "no {remedy:?}: {output:#?}");
    }
    let output = run(&["doctor", "--json"]);
    let facts = nsl::host::Recorded::read(&output.stdout).expect("facts are data");
    assert_eq!(facts.caller.uid, nix::unistd::geteuid().as_raw());
}

#[test]
fn shells_accept_their_completions() {
    let asks = "nsl __tab ";
    for (shell, word, check) in [
        ("bash", asks, Some(["bash", "-n"])),
        ("zsh", asks, None),
        ("fish", asks, None),
        ("elvish", "explain", None),
        ("powershell", "explain", None),
    ] {
        let output = run(&["completions", shell]);
        assert!(output.code == 0 && output.stdout.contains(word), "{shell}: {output:#?}");
        let Some([program, option]) = check else { continue };
        let dir = folder(&[("script", &output.stdout)]);
        let script = dir.path().join("script");
        assert!(Command::new(program).args([option, text(&script)]).status().expect("it is installed").success());
    }
}
