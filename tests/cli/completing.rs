//! What a shell is told when it completes a command line; `tests/editors/run` asks the shells themselves.

use super::*;

const POLICY: &str = "## What is served.\nparam site: path = ./site\nparam quick: bool = false\nparam n: int\n\
    ## The web server.\nsandbox web {\n  run = [\"/bin/true\"]\n  fd listener = 3\n  cgroup new { memory.max = 64MiB }\n}\n\
    pod shop {\n  container db { run = [\"/bin/true\"] }\n}\n";

/// The answer to a command line behind `nsl`, whose last word is where the cursor stands.
fn offered(line: &[&str]) -> Vec<String> {
    let args: Vec<&str> = ["__tab", "--"].iter().chain(line).copied().collect();
    let output = run(&args);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{line:?}");
    output.stdout.lines().map(str::to_string).collect()
}

/// Only the words.
fn words(line: &[&str]) -> Vec<String> {
    offered(line).iter().map(|it| it.split('\t').next().unwrap_or_default().to_string()).collect()
}

#[test]
fn the_file_at_hand_has_a_say() {
    let dir = folder(&[("shop.nsl", POLICY)]);
    let path = dir.path().join("shop.nsl");
    let file = text(&path);
    assert_eq!(offered(&["run", file, ""]), ["web\tsandbox: The web server.", "shop\tpod"]);
    assert_eq!(words(&["run", file, "s"]), ["shop"]);
    assert_eq!(words(&["expand", file, ""]), ["web", "shop", "shop.db"]);
    assert_eq!(words(&["why", "syscall", "read", file, ""]), ["web", "shop", "shop.db"]);
    let params = ["site=\tpath = ./site: What is served.", "quick=\tbool = false", "n=\tint"];
    assert_eq!(offered(&["run", file, "--set", ""]), params);
    assert_eq!(offered(&["check", "--set", ""]), [""; 0]);
    assert_eq!(words(&["check", file, "--set", "q"]), ["quick="]);
    assert_eq!(words(&["run", "--set", "n=1", file, "--set", ""]), ["site=", "quick="]);
    assert_eq!(words(&["plan", file, "--set=quick="]), ["--set=quick=true", "--set=quick=false"]);
    assert_eq!(offered(&["plan", file, "--set", "site="]), ["site=./site\tthe default", ":files\tsite="]);
    assert_eq!(words(&["run", file, "--fd", ""]), ["listener="]);
    assert_eq!(words(&["expand", file, "web", "--why", "memory"]), ["memory.max"]);
    assert_eq!(words(&["expand", file, "web", "--why", "cgroup.memory"]), ["cgroup.memory.max"]);
}

#[test]
fn a_file_that_is_broken_or_not_there_is_passed_over_in_silence() {
    let cut = &POLICY[..POLICY.find("fd listener").expect("it is there")];
    let dir = folder(&[("half.nsl", cut), ("none.nsl", "\0}{ \u{1}"), ("latin.nsl", "")]);
    std::fs::write(dir.path().join("latin.nsl"), b"sandbox \xff {").expect("our own folder");
    nix::unistd::mkfifo(&dir.path().join("fifo.nsl"), nix::sys::stat::Mode::S_IRWXU).expect("our own folder");
    let of = |name: &str, rest: &[&str]| {
        let path = dir.path().join(name);
        words(&[&["run", text(&path)], rest].concat())
    };
    assert_eq!(of("half.nsl", &[""]), ["web"]);
    assert_eq!(of("half.nsl", &["--set", ""]), ["site=", "quick=", "n="]);
    for name in ["none.nsl", "latin.nsl", "fifo.nsl", "missing.nsl", ""] {
        assert_eq!(of(name, &[""]), [""; 0], "{name}");
        assert_eq!(of(name, &["--set", ""]), [""; 0], "{name}");
    }
}

#[test]
fn commands_options_and_words_of_the_language() {
    assert_eq!(words(&["fr"]), ["freeze"]);
    assert_eq!(words(&["ns", "di"]), ["diff"]);
    assert_eq!(words(&["why", ""]), ["syscall", "help"]);
    assert_eq!(words(&["run", "--cg"]), ["--cgroup-parent"]);
    // What was given is not offered again, unless it may be given twice.
    assert_eq!(words(&["run", "--detach", "--"]).iter().filter(|it| *it == "--detach" || *it == "--set").count(), 1);
    assert_eq!(words(&["run", "x.nsl", "--", "--cg"]), [""; 0]);
    assert_eq!(words(&["exec", "web", "ls", "--cw"]), [""; 0]);
    assert_eq!(words(&["check", "--target", "rhel"]), ["rhel-9", "rhel-9:root", ":files"]);
    assert_eq!(words(&["explain", "hostname-wi"]), ["hostname-without-uts"]);
    assert_eq!(words(&["why", "syscall", "ptra"]), ["ptrace"]);
    assert_eq!(words(&["why", "syscall", "socket", "fam"]), ["family=", ":policies"]);
    assert_eq!(words(&["kill", "web", "WIN"]), ["WINCH"]);
    assert_eq!(words(&["ns", "--kind", "t"]), ["time"]);
    assert_eq!(words(&["completions", "f"]), ["fish"]);
    assert_eq!(words(&["check", ""]), [":policies"]);
    assert_eq!(words(&["run", "--report", ""]), [":files"]);
    assert_eq!(words(&["nonsense", ""]).first().map(String::as_str), Some("run"));
    // Of the shell's quotes nothing is left, and nothing is performed.
    let output = run(&["__tab", "--quoted", "--", "ex'plain'", "\"hostname-wi"]);
    assert!(output.stdout.starts_with("hostname-without-uts\t"), "{output:#?}");
}

#[test]
fn nobody_sees_the_command_that_shells_ask() {
    for args in [["--help"], ["help"], ["-h"]] {
        assert!(!run(&args).stdout.contains("__tab"));
    }
    let dir = folder(&[]);
    assert_eq!(run(&["man", text(dir.path())]).code, 0);
    assert!(!dir.path().join("nsl-__tab.1").exists());
}
