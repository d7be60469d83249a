//! What is said of the word under the cursor.

use nsl::ide;

use super::{Fixture, MAIN};

fn hover(text: &str, modules: &[(&str, &str)]) -> String {
    let it = Fixture::new(text, modules);
    ide::hover(&it.project, MAIN, it.at).map_or(String::new(), |it| it.text)
}

/// Everything that must be said of a word.
fn says(text: &str, wanted: &[&str]) {
    let found = hover(text, &[]);
    for words in wanted {
        assert!(found.contains(words), "{text}\n--- says ---\n{found}\n--- and not `{words}`");
    }
}

#[test]
fn fields_are_explained() {
    says(
        "sandbox a { mnt new { mo<|>unt /tmp = tmpfs } }",
        &["mount PATH = …", "stands in: mnt", "tmpfs(", "mount_namespaces(7)"],
    );
    says(
        "sandbox a { cgroup new { memory.m<|>ax = 1GiB } }",
        &["memory of all processes together", "where not stated: none", "weaker: larger"],
    );
    says("sandbox a { net new { publi<|>sh 80/tcp = 80/tcp } }", &["needs: CAP_NET_BIND_SERVICE"]);
    says("sandbox a { limits { no<|>file = 64 } }", &["file descriptors", "getrlimit(2)"]);
    says("sandbox a { <|>uts new }", &["uts_namespaces(7)", "`new` a namespace of its own"]);
}

#[test]
fn words_of_the_kernel_are_explained() {
    says(
        "sandbox a { seccomp { allow open<|>at } }",
        &["**openat**(2): open or create a file", "257 on x86_64", "`flags`"],
    );
    says("sandbox a { caps { keep net_<|>raw } }", &["**CAP_NET_RAW** (13)", "raw and packet sockets"]);
    says("sandbox a { seccomp { deny ptrace = errno(EP<|>ERM) } }", &["**EPERM** (1)"]);
    says("sandbox a { stop { signal = TE<|>RM } }", &["**SIGTERM** (15)"]);
    says("sandbox a { seccomp { deny socket(fam<|>ily != AF_UNIX) } }", &["argument 1 of `socket`"]);
    says("sandbox a { seccomp { deny socket(family != AF_<|>UNIX) } }", &["`AF_UNIX` is 1"]);
    says("sandbox a { seccomp { allow @bas<|>ic } }", &["syscalls group basic {", "getpid"]);
    says("sandbox a { net ne<|>w }", &["a namespace of its own"]);
    says("sandbox a { mnt new { mount /tmp = tmpfs(si<|>ze: 1MiB) } }", &["`size` of `tmpfs(", "a size such as"]);
    says("sandbox a { cgroup new { memory.max = 1G<|>iB } }", &["1073741824 bytes"]);
}

#[test]
fn words_of_the_language_are_explained() {
    says("sandbox a { over<|>ride pid new }", &["replaces the value that a profile has set"]);
    says("sandbox a { pre<|>fer pid new }", &["where the host cannot do it"]);
    says("param p: si<|>ze", &["a size such as `64MiB`"]);
    says("pro<|>file p { }", &["statements that sandboxes take in"]);
    says("sandbox a { cwd = $caller.ho<|>me }", &["home directory of the caller"]);
}

#[test]
fn names_say_how_they_were_declared() {
    says(
        "## How much.\nparam mem: size = 1GiB\nsandbox a { cgroup new { memory.max = $m<|>em } }",
        &["param mem: size = 1GiB", "How much.", "--set mem"],
    );
    says("let x = 5\nsandbox a { cgroup new { pids.max = $<|>x } }", &["let x = 5"]);
    says("sandbox a { for d in [/a, /b] { mnt new { hide $<|>d } } }", &["element of the loop"]);
    says(
        "use std/service\nsandbox a with service.hard<|>ened { }",
        &["profile hardened(memory: size = 128MiB", "from `std/service.nsl`"],
    );
    says("use std/service\nsandbox a with serv<|>ice.hardened { }", &["`std/service.nsl`", "`hardened`"]);
    says(
        "use std/service\nsandbox a with service.hardened(mem<|>ory: 1GiB) { }",
        &["memory: size = 128MiB", "parameter of the profile `hardened`"],
    );
    says("use std/ser<|>vice", &["`std/service.nsl`"]);
}

#[test]
fn a_value_says_where_it_comes_from() {
    let common = "profile base(size: size) {\n  cgroup new {\n    memory.max = $size\n  }\n}\n";
    let main = "use ./common.nsl\nsandbox a with common.base(size: 1GiB) {\n  cgroup new {\n    override memory.<|>max = 2GiB\n  }\n}\n";
    let found = hover(main, &[("common.nsl", common)]);
    assert!(found.contains("in the sandbox `a`: `2GiB`"), "{found}");
    assert!(found.contains("override at main.nsl:4"), "{found}");
    assert!(found.contains("replaces `1GiB` of common.nsl:3"), "{found}");
}

#[test]
fn nothing_is_said_of_nothing() {
    for text in [
        "<|>",
        "  <|>  ",
        "# com<|>ment",
        "sandbox a {\n <|> \n}",
        "sandbox a { frob<|>nicate = 1 }",
        "sandbox a { pid new } <|>",
    ] {
        assert_eq!(hover(text, &[]), "", "{text}");
    }
}
