//! Command lines, right and wrong.

use super::*;

#[test]
fn help_teaches() {
    for (args, words) in [
        (&["--help"][..], &["nsl check web.nsl", "doctor", "completions"][..]),
        (&["help", "run"], &["Exit status:", "125", "126", "127", "--set", "--cgroup-parent", "--report"]),
        (&["run", "--help"], &["nsl run hello.nsl -- ls -l /"]),
        (&["check", "-h"], &["--deny", "--format", "--host", "--deny"]),
        (&["plan", "--help"], &["--json", "Exit status:"]),
        (&["explain", "--help"], &["--list"]),
        (&["doctor", "--help"], &["--json"]),
        (&["completions", "--help"], &["fish"]),
    ] {
        let output = run(args);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{args:?}");
        for word in words {
            assert!(output.stdout.contains(word), "{args:?} lacks {word:?}:\n{}", output.stdout);
        }
        assert!(output.stdout.lines().all(|line| line.chars().count() <= 110), "{args:?}:\n{}", output.stdout);
    }
    assert!(run(&["--version"]).stdout.starts_with("nsl 0."));
}

#[test]
fn nothing_at_all_shows_the_help_and_fails() {
    run(&[]).refuses(2, "Usage: nsl <COMMAND>");
    run(&["explain"]).refuses(2, "usage: nsl explain");
}

#[test]
fn what_is_wrong_is_told_like_every_finding() {
    for (args, words) in [
        (&["chek", "a.nsl"][..], "unrecognized subcommand `chek`"),
        (&["check"], "<FILE|DIR|->"),
        (&["check", "--hots", "a.nsl"], "`--host`"),
        (&["check", "--format", "yaml", "a.nsl"], "human, narrated, json, sarif, github, short"),
        (&["run", "a.nsl", "--set", "port"], "write NAME=VALUE"),
        (&["explain", "--list", "syntax"], "cannot be used with"),
        (&["completions", "tcsh"], "bash"),
    ] {
        let output = run(args);
        output.refuses(2, "nsl::usage");
        assert!(output.stderr.contains(words), "{args:?} lacks {words:?}:\n{}", output.stderr);
        assert!(output.stderr.contains("--help` says more"), "{}", output.stderr);
    }
}

#[test]
fn a_usage_error_in_full() {
    insta::assert_snapshot!(run(&["run", "web.nsl", "--set", "port"]).stderr);
}

#[test]
fn colors_and_characters_follow_the_environment() {
    let with = |name: &str, value: &str| {
        let mut command = nsl(&["explain", "none-such"]);
        command.env(name, value);
        finish(command).stderr
    };
    assert!(with("FORCE_COLOR", "1").contains("\x1b["));
    assert!(!with("NO_COLOR", "1").contains('\x1b'));
    assert!(with("LC_ALL", "C").is_ascii());
    assert!(!with("LC_ALL", "C.UTF-8").is_ascii());
}

#[test]
fn standard_streams_may_be_closed() {
    for closed in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
        let line = format!("exec {} explain --list {closed}", env!("CARGO_BIN_EXE_nsl"));
        let status = Command::new("/bin/sh").args(["-c", &line]).stdout(Stdio::null()).status();
        assert!(status.expect("there is a shell").success(), "{closed}");
    }
}
