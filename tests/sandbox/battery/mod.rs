//! The attack battery: one program that tries everything, in a sandbox of every profile of the standard library; and for every
//! attempt a policy that lacks the rule which holds it, so that it is known to fail there.

mod profiles;
mod weak;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::{Child, Command, Stdio};

use syscalls::Sysno;

use super::*;

const PROBE: &str = include_str!("probe.py");
const OUTSIDE: &str = include_str!("outside.py");
const PYTHON: [&str; 4] = ["/usr/bin/python3", "-I", "-S", "-c"];

/// What came of each attempt: `held` or `BROKEN`, and the detail.
type Answers = BTreeMap<String, (String, String)>;

/// The names of all attempts.
fn all() -> BTreeSet<String> {
    let out = Command::new(PYTHON[0])
        .args(&PYTHON[1..])
        .args([PROBE, r#"{"nr": {}}"#, "list"])
        .output()
        .expect("python3 is there");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).lines().map(str::to_string).collect()
}

/// The numbers of the calls that the probe makes, where this architecture has them.
fn numbers() -> serde_json::Value {
    let names = PROBE.split(|it: char| !(it.is_ascii_alphanumeric() || it == '_'));
    names
        .filter_map(|name| Some((name.to_string(), name.parse::<Sysno>().ok()?.id().into())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// What is outside, to be found or not: a process of the caller's with all kinds of things, and files.
struct Outside {
    child: Child,
    facts: serde_json::Value,
    _dirs: Vec<tempfile::TempDir>,
}

impl Outside {
    fn new(who: Who) -> Outside {
        let (uid, gid) = who.ids().expect("a test that plays");
        let homes =
            if nix::unistd::geteuid().is_root() { "/home".into() } else { std::env::var_os("HOME").expect("a home") };
        let dir = |parent: &std::path::Path| {
            let dir = tempfile::Builder::new().prefix("nsl-test-").tempdir_in(parent).expect("it can be written");
            fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).expect("our own folder");
            chown(dir.path(), Some(uid.as_raw()), Some(gid.as_raw())).expect("our own folder");
            dir
        };
        let (open, home) = (dir("/var/tmp".as_ref()), dir(homes.as_ref()));
        let hidden = home.path().join("hidden");
        fs::write(&hidden, "of the host\n").expect("our own folder");
        let token = open.path().file_name().expect("it has a name").to_string_lossy().into_owned();
        // For its command line and environment, which have the secret of every caller here.
        let mut command = Command::new(PYTHON[0]);
        let keyctl = Sysno::keyctl.id().to_string();
        command
            .args(&PYTHON[1..])
            .arg(OUTSIDE)
            .arg(&token)
            .args([open.path(), hidden.as_path()])
            .args([&keyctl, "correct-horse"]);
        command.env_clear().env("NSL_SECRET", "correct-horse").stdin(Stdio::piped()).stdout(Stdio::piped());
        if who == Who::User && nix::unistd::geteuid().is_root() {
            std::os::unix::process::CommandExt::uid(&mut command, uid.as_raw());
            std::os::unix::process::CommandExt::gid(&mut command, gid.as_raw());
        }
        let mut child = command.spawn().expect("python3 is there");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut line).expect("it speaks");
        let mut facts: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|it| panic!("{it}: `{line}`"));
        facts["nr"] = numbers();
        facts["writable"] = serde_json::json!([]);
        facts["work"] = "/nowhere".into();
        facts["tasks"] = 64.into();
        Outside { child, facts, _dirs: vec![open, home] }
    }

    /// Tries some of it, or everything, in the sandbox of a stage. The caller has a secret and a descriptor that nobody named.
    fn attack(&self, stage: Stage, names: &[&str]) -> Answers {
        let stage = stage.env("NSL_SECRET", "correct-horse");
        let facts = self.facts.to_string();
        let args: Vec<&str> = PYTHON.iter().copied().chain([PROBE, &facts]).chain(names.iter().copied()).collect();
        let outcome =
            stage.finish(stage.command_through(&["/bin/sh", "-c", "exec 9</ 8</etc/passwd; exec \"$@\"", "sh"], &args));
        answers(&outcome.out(), &outcome.stderr)
    }

    /// Tries some of it in no sandbox at all.
    fn attack_here(&self, who: Who, names: &[&str]) -> Answers {
        let mut command = Command::new(PYTHON[0]);
        command.args(&PYTHON[1..]).arg(PROBE).arg(self.facts.to_string()).args(names);
        let stage = Stage::new(who);
        stage.as_caller(&mut command);
        let out = command.output().expect("python3 is there");
        answers(&String::from_utf8_lossy(&out.stdout), &String::from_utf8_lossy(&out.stderr))
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn answers(out: &str, stderr: &str) -> Answers {
    let mut answers = Answers::new();
    for line in out.lines() {
        let mut fields = line.splitn(3, '\t').map(str::to_string);
        let (Some(name), Some(word), detail) = (fields.next(), fields.next(), fields.next().unwrap_or_default()) else {
            panic!("`{line}`\n{out}\n{stderr}");
        };
        answers.insert(name, (word, detail));
    }
    assert!(!answers.is_empty(), "{out}\n{stderr}");
    answers
}

/// The names with another answer than `held`, and the details of all that have none of the two.
fn broken(answers: &Answers) -> BTreeSet<&str> {
    let strange: Vec<_> = answers.iter().filter(|(_, (word, _))| word != "held" && word != "BROKEN").collect();
    assert!(strange.is_empty(), "{strange:#?}");
    answers.iter().filter(|(_, (word, _))| word == "BROKEN").map(|it| it.0.as_str()).collect()
}

#[test]
fn there_is_enough_of_it() {
    assert!(all().len() >= 60, "{}", all().len());
}
