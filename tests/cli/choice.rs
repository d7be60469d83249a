//! Which sandbox is meant, and that nothing is started where a policy is wrong.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use super::*;

#[test]
fn nothing_is_started_by_a_policy_that_is_wrong() {
    for wrong in ["hostnam = \"x\"", "run = = 3", "uts new { hostname = 5 }", "limits { nofile = 64 KiB }", "}"] {
        let dir = folder(&[("out/there", "")]);
        let out = dir.path().join("out");
        let policy = dir.path().join("a.nsl");
        let policy_text = format!(
            "sandbox a {{\n  run = [\"/usr/bin/touch\", \"/tmp/ran\"]\n  user new\n  mnt new {{\n    root = host(ro)\n    \
             mount /tmp = bind({}, rw)\n  }}\n  {wrong}\n}}\n",
            out.display()
        );
        fs::write(&policy, policy_text).expect("our own folder");
        run(&["run", text(&policy)]).refuses(2, "nsl::");
        assert!(!out.join("ran").exists());
    }
}

#[test]
fn the_sandbox_has_to_be_named() {
    let sandbox = |name: &str| format!("sandbox {name} {{\n  user new\n  mnt new {{\n    root = host(ro)\n  }}\n}}\n");
    let two = sandbox("web") + &sandbox("db");
    let dir = folder(&[("two.nsl", &two), ("none.nsl", "profile p {\n  user new\n}\n")]);
    let path = |name: &str| dir.path().join(name).to_str().expect("our own names are UTF-8").to_string();
    for command in ["run", "plan"] {
        let output = run(&[command, &path("two.nsl")]);
        output.refuses(2, "nsl::which-sandbox");
        assert!(output.stderr.contains("`web`, `db`"), "{output:#?}");
        let output = run(&[command, &path("two.nsl"), "wbe"]);
        output.refuses(2, "nsl::unknown-sandbox");
        assert!(output.stderr.contains("did you mean `web`?"), "{output:#?}");
        run(&[command, &path("none.nsl")]).refuses(2, "nsl::no-sandbox");
    }
}

#[test]
fn names_that_are_not_text() {
    let dir = folder(&[]);
    let name = dir.path().join(OsStr::from_bytes(b"caf\xe9.nsl"));
    let call = |command: &str| {
        let mut call = nsl(&[command]);
        call.arg(&name);
        finish(call)
    };
    call("run").refuses(2, "nsl::file-missing");
    fs::write(&name, "sandbox a {\n  run = = 1\n}\n").expect("our own folder");
    call("check").refuses(2, ".nsl:2:");
    let escape = run(&["run", "\u{1b}[2J\n.nsl"]);
    escape.refuses(2, "nsl::file-missing");
    assert!(!escape.stderr.contains('\u{1b}'), "{escape:#?}");
}

#[test]
fn a_parameter_has_one_value() {
    let dir = folder(&[("a.nsl", "param n: int = 1\nsandbox a {\n  user new\n}\n")]);
    let path = dir.path().join("a.nsl");
    run(&["run", text(&path), "--set", "n=1", "--set", "n=2"]).refuses(2, "is given twice");
    run(&["run", text(&path), "--set", "m=1"]).refuses(2, "nsl::unknown-param");
}
