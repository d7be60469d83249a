//! `nsl why syscall`, `nsl plan --seccomp`: what a filter does, and who says so.

use super::*;

const BASE: &str = "profile quiet {\n  seccomp {\n    deny socket(family != AF_UNIX) = errno(EAFNOSUPPORT)\n    deny ptrace = kill\n  }\n}\n";
const SITE: &str = "use ./base.nsl as base\nsandbox site with base.quiet {\n  run = [\"/bin/true\"]\n  seccomp {\n    allow @service\n    abi i386\n  }\n}\nsandbox open {\n  run = [\"/bin/true\"]\n}\n";

fn in_folder(args: &[&str]) -> Output {
    let dir = folder(&[("base.nsl", BASE), ("site.nsl", SITE)]);
    let mut command = nsl(args);
    command.current_dir(dir.path());
    finish(command)
}

/// Asks about a call of `site`.
fn why(words: &[&str]) -> Output {
    let args: Vec<&str> = ["why", "syscall"].iter().chain(words).chain(&["site.nsl", "site"]).copied().collect();
    in_folder(&args)
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_call_is_judged_and_the_rule_named() {
    let cases: &[(&[&str], i32, &[&str])] = &[
        (&["read"], 0, &["read: allow", "allow @service   site.nsl:5", "notes that in its bitmap"]),
        (&["ptrace"], 1, &["ptrace: kill", "base.nsl:4 via base.quiet at site.nsl:2"]),
        (
            &["socket", "family=AF_INET"],
            1,
            &["socket(family = 2): errno(EAFNOSUPPORT)", "base.nsl:3", "looks at arguments"],
        ),
        (&["socket", "family=0x1"], 0, &["socket(family = 1): allow", "its conditions do not hold"]),
        (&["socket"], 3, &["depends on arguments", "where family != 1: errno(EAFNOSUPPORT)", "otherwise: allow"]),
        (&["clone", "flags=CLONE_NEWUSER|SIGCHLD"], 1, &["errno(EPERM)", "lets no namespaces be made"]),
        (&["ioctl", "arg1=TIOCSTI"], 1, &["errno(EPERM)", "type into a terminal"]),
        (&["mount"], 1, &["errno(EPERM)", "where it is not stated"]),
        (&["470"], 1, &["call 470: errno(ENOSYS)", "newer than number 469"]),
        (&["--abi", "i386", "stat64"], 0, &["stat64: allow"]),
        (&["--abi", "i386", "socketcall"], 1, &["errno(ENOSYS)", "stands for many calls"]),
        (&["--abi", "aarch64", "read"], 0, &["read: allow"]),
    ];
    for (words, status, texts) in cases {
        let output = why(words);
        assert_eq!((output.code, output.stderr.as_str()), (*status, ""), "{words:?} {output:#?}");
        assert!(texts.iter().all(|it| output.stdout.contains(it)), "{words:?}: {texts:?} {output:#?}");
        assert!(output.stdout.contains("the compiled filter agrees"), "{words:?} {output:#?}");
    }
}

#[test]
fn without_a_filter_every_call_is_made() {
    let output = in_folder(&["why", "syscall", "mount", "site.nsl", "open"]);
    assert_eq!((output.code, output.stdout.as_str()), (0, "mount: made; sandbox `open` has no `seccomp`\n"));
    let output = in_folder(&["plan", "--seccomp", "site.nsl", "open"]);
    assert_eq!((output.code, output.stdout.as_str()), (0, "sandbox open has no `seccomp`: every call is made\n"));
}

#[cfg(target_arch = "x86_64")]
#[test]
fn an_abi_that_is_not_let_in_kills() {
    let dir = folder(&[("a.nsl", "sandbox a {\n  run = [\"/bin/true\"]\n  seccomp {\n    allow @service\n  }\n}\n")]);
    let path = dir.path().join("a.nsl");
    let output = run(&["why", "syscall", "--abi", "i386", "read", text(&path)]);
    assert!(output.code == 1 && output.stdout.starts_with("read: kill\n"), "{output:#?}");
}

#[test]
fn what_is_no_question_is_refused() {
    why(&["sokcet"]).refuses(2, "did you mean `socket`?");
    why(&["socket", "famly=AF_INET"]).refuses(2, "its arguments are family, type, protocol");
    why(&["socket", "family=AF_INTE"]).refuses(2, "did you mean `AF_INET`?");
    why(&["--abi", "vax", "read"]).refuses(2, "no filter knows the ABI `vax`");
    in_folder(&["why", "syscall", "socket", "family=2"]).refuses(2, "no policy is named");
    in_folder(&["why", "syscall", "read", "site.nsl"]).refuses(2, "several sandboxes");
    in_folder(&["why", "syscall", "read", "site.nsl", "a", "b"]).refuses(2, "too many words");
}

#[test]
fn the_compiled_filter_is_printed() {
    let output = in_folder(&["plan", "--seccomp", "site.nsl", "site"]);
    assert_eq!(output.code, 0, "{output:#?}");
    assert!(output.stdout.starts_with("filter of sandbox site: "), "{output:#?}");
    for text in ["instructions of 4096", "the kernel notes them in a bitmap", "    0  load the ABI", "every other ABI"]
    {
        assert!(output.stdout.contains(text), "{text}: {output:#?}");
    }
}
