//! Joining what runs: all eight kinds, with the rights that setns(2) asks for, and never a process that was not meant.

use std::collections::BTreeMap;
use std::process::Command;

use nix::sys::signal::Signal;

use super::stage::Running;
use super::*;

const KINDS: [&str; 8] = ["user", "pid", "net", "mnt", "ipc", "uts", "cgroup", "time"];

/// The program of a run, by its number on the host: the last in the line of first children.
fn program_of(running: &Running) -> i32 {
    let parents: Vec<(i32, i32)> = std::fs::read_dir("/proc")
        .expect("proc is mounted")
        .flatten()
        .filter_map(|it| it.file_name().to_str()?.parse::<i32>().ok())
        .filter_map(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let (name, rest) = stat.rsplit_once(')')?;
            let parent = rest.split_whitespace().nth(1)?.parse().ok()?;
            (!name.ends_with("(nsl-janitor") && !name.ends_with("(nsl-relay")).then_some((pid, parent))
        })
        .collect();
    let mut pid = running.pid().as_raw();
    while let Some((child, _)) = parents.iter().find(|(_, parent)| *parent == pid) {
        pid = *child;
    }
    pid
}

/// What `ls -l /proc/PID/ns` shows.
fn namespaces(pid: &str) -> BTreeMap<&'static str, String> {
    KINDS.into_iter().map(|kind| (kind, link(&format!("/proc/{pid}/ns/{kind}")))).collect()
}

fn link(path: &str) -> String {
    std::fs::read_link(path).map(|it| it.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A sandbox that runs until it is told to end.
pub fn target(who: Who) -> Stage {
    Stage::new(who).line("uts", "hostname = \"blue\"")
}

pub fn started(stage: &Stage) -> (Running<'_>, String) {
    let mut running = stage.start(&["/bin/sh", "-c", "echo up; exec sleep 1000"]);
    running.line("up");
    // The shell becomes `sleep` without another process in between.
    let pid = program_of(&running).to_string();
    (running, pid)
}

pub fn stop(running: Running) {
    running.signal(Signal::SIGTERM);
    running.finish_beside_another();
}

const SHOW: &str = "for kind in user pid net mnt ipc uts cgroup time; do readlink /proc/self/ns/$kind; done; uname -n; id -u; id -G; \
                    grep -c . /proc/net/dev";

pub fn joining(who: Who, pid: &str, kinds: &[&str]) -> Stage {
    let mut text = "sandbox beside {\n".to_string();
    for kind in kinds {
        text.push_str(&format!("  {kind} join(pid: {pid})\n"));
    }
    Stage::of(who, &format!("{text}}}\n"))
}

both! {
    fn all_eight_kinds_of_a_process_are_joined(who) {
        let target = target(who);
        let (running, pid) = started(&target);
        let there = namespaces(&pid);
        let stage = joining(who, &pid, &KINDS);
        let out = stage.sh(SHOW).out();
        let lines: Vec<&str> = out.lines().collect();
        let here: BTreeMap<&str, String> = KINDS.into_iter().zip(lines.iter().map(|it| it.to_string())).collect();
        assert_eq!(here, there);
        assert_eq!(lines[8..10], ["blue", "1000"], "{out}");
        stop(running);
    }

    fn each_kind_is_joined_beside_the_user_namespace_and_the_rest_is_the_callers(who) {
        let target = target(who);
        let (running, pid) = started(&target);
        let there = namespaces(&pid);
        let own = namespaces("self");
        for kind in KINDS {
            let kinds = if kind == "user" { vec!["user"] } else { vec!["user", kind] };
            // A shell that is in the target's tree finds its own /proc there; with the caller's, the PID namespace does not matter.
            let stage = joining(who, &pid, &kinds);
            let out = stage.sh("for kind in user net mnt ipc uts cgroup time; do readlink /proc/self/ns/$kind; done");
            if kind == "pid" {
                let inside = stage.sh("test $$ -lt 100 && echo few");
                assert_eq!(inside.out(), "few");
            }
            if matches!(kind, "pid" | "mnt") {
                continue;
            }
            let out = out.out();
            for (line, name) in out.lines().zip(["user", "net", "mnt", "ipc", "uts", "cgroup", "time"]) {
                let expected = if kinds.contains(&name) { &there[name] } else { &own[name] };
                assert_eq!(line, expected, "{name} of a sandbox that joins {kinds:?}");
            }
        }
        stop(running);
    }

    fn a_network_is_joined_beside_namespaces_of_ones_own(who) {
        let target = target(who);
        let (running, pid) = started(&target);
        let text = format!(
            "sandbox beside {{\n  user join(pid: {pid})\n  net join(pid: {pid})\n  pid new\n  uts new {{\n    hostname = \"red\"\n  }}\n  \
             mnt new {{\n    root = host(ro)\n    mount /proc = proc\n    mount /sys = sys\n    mount /tmp = tmpfs(size: 1MiB)\n  }}\n}}\n"
        );
        let stage = Stage::of(who, &text);
        let out = stage.sh("readlink /proc/self/ns/net; uname -n; ls /proc | grep -c '^[0-9]'; touch /tmp/x && echo wrote; ls /sys/class/net").out();
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines[0], namespaces(&pid)["net"]);
        assert_eq!(lines[1], "red");
        assert!(lines[2].parse::<u32>().is_ok_and(|count| count < 8), "{out}");
        assert_eq!(lines[3..], ["wrote", "lo"]);
        stop(running);
    }

    fn what_joins_a_pid_namespace_leaves_nothing_in_it(who) {
        let target = target(who);
        let (running, pid) = started(&target);
        let stage = joining(who, &pid, &["user", "pid"]);
        let token = stage.token();
        // `finish` looks for processes with the token.
        stage.sh(&format!("(exec -a {token} sleep 1000) & setsid sleep 999 {token} 2>/dev/null & exit 3")).ends(3);
        let mut killed = stage.start(&["/bin/sh", "-c", &format!("echo up; setsid env T={token} sleep 1000 & sleep 1000")]);
        killed.line("up");
        killed.signal(Signal::SIGKILL);
        killed.finish();
        stop(running);
    }

    fn a_file_of_nsfs_is_joined(who) {
        let target = target(who);
        let (running, pid) = started(&target);
        let mut text = "sandbox beside {\n".to_string();
        for kind in ["user", "net", "uts"] {
            text.push_str(&format!("  {kind} join(path: /proc/{pid}/ns/{kind})\n"));
        }
        let stage = Stage::of(who, &format!("{text}}}\n"));
        assert_eq!(stage.sh("uname -n; id -u").out(), "blue\n1000");
        stop(running);
    }

    fn a_process_that_is_gone_is_refused(who) {
        let mut child = Command::new("/bin/true").spawn().expect("true");
        child.wait().expect("our child");
        joining(who, &child.id().to_string(), &["user", "net"]).sh("true").ends(2).says("there is no process");
    }

    fn a_file_that_is_no_namespace_is_refused(who) {
        Stage::of(who, "sandbox a {\n  net join(path: /etc/passwd)\n}\n").sh("true").ends(2).says("is no namespace");
    }
}

/// An ordinary user cannot join a sandbox of root's, nor a part of its own without the user namespace.
#[test]
fn nobody_joins_what_is_not_theirs() {
    if let Err(reason) = Who::Root.ids().and(Who::User.ids()) {
        return skip(concat!(module_path!(), "::nobody_joins_what_is_not_theirs"), reason);
    }
    let target_of_root = target(Who::Root);
    let (running, pid) = started(&target_of_root);
    joining(Who::User, &pid, &["user", "net"]).sh("true").ends(2).says("may not look at the namespaces");
    stop(running);
    let target_of_user = target(Who::User);
    let (running, pid) = started(&target_of_user);
    joining(Who::User, &pid, &["net", "uts"]).sh("true").ends(2).says("join its user namespace as well");
    // Root needs no user namespace for it.
    assert_eq!(joining(Who::Root, &pid, &["net", "uts"]).sh("uname -n").out(), "blue");
    stop(running);
}

/// `join.nsl` as it stands: the caller's files, somebody's network and processes.
#[test]
fn a_debug_shell_beside_a_sandbox() {
    for who in [Who::Root, Who::User] {
        if let Err(reason) = who.ids() {
            skip(concat!(module_path!(), "::a_debug_shell_beside_a_sandbox"), reason);
            continue;
        }
        let target = target(who);
        let (running, pid) = started(&target);
        let text = "param target: pid\n\nsandbox debug {\n  run = [\"/bin/sh\"]\n  user join(pid: $target)\n  net  join(pid: $target)\n  \
                    pid  join(pid: $target)\n  mnt  host\n}\n";
        let stage = Stage::of(who, text).option("--set").option(&format!("target={pid}"));
        let out = stage.run(&["-c", "cut -d: -f1 /proc/net/dev | tail -n +3; kill -0 1 2>/dev/null; echo $$"]).out();
        let lines: Vec<&str> = out.lines().map(str::trim).collect();
        assert_eq!(lines[0], "lo");
        assert!(lines[1].parse::<u32>().is_ok_and(|pid| pid < 100), "{out}");
        stop(running);
    }
}
