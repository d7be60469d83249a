//! The examples, as they stand.

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;

use super::*;

/// An example with what is beside it, in a folder of its own.
pub fn example(who: Who, name: &str) -> Stage {
    let examples = stage::repository().join("examples");
    let text = fs::read_to_string(examples.join(name)).expect("the example is there");
    let mut stage = Stage::of(who, &text).folder("out");
    for path in files_below(&examples) {
        let name = path.strip_prefix(&examples).expect("it is below").to_string_lossy().into_owned();
        stage = stage.file(&name, 0o644, fs::read(&path).expect("the example is there"));
    }
    stage
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("the examples are there").flatten().map(|it| it.path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// Those that a test below runs.
const RUN: [&str; 16] = [
    "agent",
    "backup",
    "build",
    "container",
    "desktop",
    "filter",
    "hello",
    "keep",
    "lab",
    "namespaces",
    "pod",
    "team",
    "unit",
    "untrusted",
    "uplink",
    "web",
];

#[test]
fn every_example_is_run() {
    let dir = fs::read_dir(stage::repository().join("examples")).expect("the examples are there");
    let names = dir.flatten().map(|it| it.file_name().to_string_lossy().into_owned());
    let mut names: Vec<_> = names.filter_map(|it| it.strip_suffix(".nsl").map(String::from)).collect();
    names.sort();
    assert_eq!(names, RUN);
}

fn untrusted(who: Who, job: &str) -> Stage {
    let stage = example(who, "untrusted.nsl");
    let stage = if job.is_empty() { stage } else { stage.file("job.py", 0o644, job) };
    stage.option("--set").option("input=./job.py").option("--set").option("output=./out")
}

both! {
    fn web_serves_its_site(who) {
        let port = network::free_port();
        let stage = example(who, "web.nsl").option("--set").option(&format!("port={port}/tcp"));
        let running = stage.start::<&str>(&[]);
        let page = network::get(port, "/");
        assert!(page.starts_with("HTTP/1.0 200 OK") && page.contains("Served from a sandbox"), "{page}");
        assert!(network::get(port, "/../../etc/passwd").contains("404"));
        running.signal(Signal::SIGTERM);
        running.finish().ends(143);
    }

    fn hello_sees_no_home(who) {
        let out = example(who, "hello.nsl").run(&["/bin/ls", "-A", "/home"]).out();
        assert_eq!(out, "");
    }

    fn the_pod_shares_what_kubernetes_says(who) {
        let outcome = example(who, "pod.nsl").run::<&str>(&[]);
        let out = outcome.out();
        let lines: Vec<&str> = out.lines().filter(|it| it.starts_with("who | ")).collect();
        assert_eq!(lines.len(), 7, "{outcome:?}");
        assert!(lines[..4].iter().all(|it| it.ends_with("is that of web too")), "{out}");
        assert!(lines[4..6].iter().all(|it| it.contains("is mine alone")), "{out}");
        assert!(lines[6].ends_with("1 file in my /tmp"), "{out}");
    }

    fn namespaces_differ(who) {
        let out = example(who, "namespaces.nsl").run::<&str>(&[]).out();
        for line in [
            "user:   uid 1234;", "uts:    the host is inside", "pid:    I am 2,", "net:    1 interface(s)", "mnt:    0 homes", "ipc:    0 segments",
            "cgroup: I am in /\n",
        ] {
            assert!(out.contains(line), "no `{line}` in {out}");
        }
        let up = out.rsplit_once("up for ").and_then(|it| it.1.split(' ').next()?.parse::<u64>().ok());
        assert!(up.is_some_and(|it| it >= 10 * 24 * 60 * 60), "{out}");
    }

    fn filter_parses(who) {
        let stage = example(who, "filter.nsl");
        let mut command = stage.command::<&str>(&[]);
        let input = stage.path("input.json");
        fs::write(&input, "{\"b\": 1, \"a\": [2]}").expect("our own folder");
        command.stdin(fs::File::open(&input).expect("our own file"));
        assert_eq!(stage.finish(command).out(), "{\n    \"a\": [\n        2\n    ],\n    \"b\": 1\n}");
    }

    fn build_builds(who) {
        if !stage::have("cc") {
            // The virtual machine has few programs, and is known to have none.
            if !stage::in_vm() {
                skip("sandbox::acceptance::build_builds", "there is no C compiler");
            }
            return;
        }
        assert_eq!(example(who, "build.nsl").folder("project").run::<&str>(&[]).out(), "built and run in a sandbox");
    }

    fn agent_lays_no_hook(who) {
        let stage = example(who, "agent.nsl").folder("project/.git").folder("project/.git/hooks").folder("project").env("AGENT_API_KEY", "a key").env("SECRET", "no");
        let script = "(echo bad >.git/hooks/post-commit) 2>/dev/null || echo refused; echo $AGENT_API_KEY$SECRET; echo x >new";
        assert_eq!(stage.run(&["/bin/sh", "-c", script]).out(), "refused\na key");
        assert!(stage.path("project/new").exists());
    }

    fn container_runs_an_image(who) {
        let stage = library::image(example(who, "container.nsl")).option("--set").option("image=./image");
        let script = "while read -r line; do echo $line; done </proc/sys/kernel/hostname; echo /*";
        assert_eq!(stage.run(&["/bin/sh", "-c", script]).out(), "example\n/bin /dev /hello /proc /sys /tmp");
    }

    fn desktop_sees_papers_and_a_display(who) {
        let stage = example(who, "desktop.nsl").folder("run").file("papers/one.pdf", 0o644, "one");
        let stage = ["papers=./papers", "runtime=./run"].iter().fold(stage, |it, set| it.option("--set").option(set));
        let _display = std::os::unix::net::UnixListener::bind(stage.path("run/wayland-0")).expect("a socket can be made");
        let script = "ls; ls /home; [ -S $XDG_RUNTIME_DIR/$WAYLAND_DISPLAY ] && echo display; touch x 2>/dev/null || echo read-only";
        assert_eq!(stage.run(&["/bin/sh", "-c", script]).out(), "one.pdf\ndisplay\nread-only");
    }

    fn backup_writes_an_archive(who) {
        let stage = example(who, "backup.nsl").option("--set").option("to=./out");
        stage.run::<&str>(&[]).ends(0);
        let archive = fs::read(stage.path("out/backup.tar")).expect("it was written");
        assert!(archive.windows(12).any(|it| it == b"./index.html"));
        if who == Who::Root {
            // What another user keeps to itself is read all the same.
            let stage = example(who, "backup.nsl").option("--set").option("to=./out").file("site/private", 0o600, "x");
            nix::unistd::chown(&stage.path("site/private"), Some(4242.into()), Some(4242.into())).expect("we are root");
            stage.run::<&str>(&[]).ends(0);
        }
    }

    fn lab_has_a_network_of_its_own(who) {
        assert_eq!(example(who, "lab.nsl").run::<&str>(&[]).out(), "('10.1.2.3', 80) hello from port 80");
    }

    fn team_counts(who) {
        let stage = example(who, "team.nsl").folder("state").option("--set").option("state=./state");
        assert_eq!(stage.run::<&str>(&[]).out(), "1");
        assert_eq!(stage.run::<&str>(&[]).out(), "2");
    }

    fn unit_keeps_its_state(who) {
        let stage = example(who, "unit.nsl").folder("state").option("--set").option("state=./state");
        assert_eq!(stage.run::<&str>(&[]).out(), "4 bytes written");
        assert_eq!(fs::read_to_string(stage.path("state/time")).expect("it was written"), "now\n");
    }

    fn untrusted_does_its_job(who) {
        if who == Who::User {
            return untrusted_needs_a_cgroup(who);
        }
        let stage = untrusted(who, "");
        let out = stage.run(&["--verbose"]).out();
        assert!(out.contains("arguments: ['--verbose']") && out.contains("no internet"), "{out}");
        assert!(out.contains("user and group: 65534 65534") && out.contains("host name: job"), "{out}");
        assert_eq!(fs::read_to_string(stage.path("out/result.txt")).expect("it was written"), "done\n");
    }

    fn untrusted_in_a_delegated_cgroup(who) {
        let Some(delegation) = limits::Delegation::to(who) else {
            return skip("sandbox::acceptance::untrusted_in_a_delegated_cgroup", "only root can hand over a cgroup");
        };
        let run = |job: &str| {
            let stage = untrusted(who, job).option("--cgroup-parent").option(&delegation.parent());
            delegation.run(&stage, who, &["--verbose"])
        };
        assert!(run("").out().contains("arguments: ['--verbose']"));
        run("x = bytearray(b'x' * (400 << 20))").ends(137).says("memory.max").says("test.nsl:23");
        let bomb = run("import os, time\nn = 0\ntry:\n  while n < 100:\n    if os.fork() == 0: time.sleep(60)\n    n += 1\nexcept OSError as e: print(n, e.errno, flush=True)\nos._exit(0)");
        let out = bomb.out();
        let (count, errno) = out.split_once(' ').expect("two numbers");
        assert!((20..32).contains(&count.parse().unwrap_or(0)) && errno == "11", "{out}");
    }

    fn untrusted_ends_in_time(who) {
        if who == Who::User {
            return;
        }
        let stage = untrusted(who, "import time\ntime.sleep(100)").option("--set").option("wall=1s");
        stage.run::<&str>(&[]).ends(137).says("after");
    }

    fn untrusted_is_confined(who) {
        if who == Who::User {
            return;
        }
        let job = r#"
import os, socket, ctypes
def attempt(name, action):
    try: print(name, action() or "done")
    except OSError as e: print(name, e.errno)
libc = ctypes.CDLL(None, use_errno=True)
attempt("write /usr", lambda: open("/usr/x", "w") and None)
attempt("write /job", lambda: open("/job/main.py", "w") and None)
attempt("fsize", lambda: open("/job/out/big", "wb").write(b"x" * (17 << 20)) and None)
attempt("inet", lambda: socket.socket(socket.AF_INET) and None)
attempt("ssh", lambda: open("/usr/bin/ssh", "rb").read(4))
attempt("nofile", lambda: [os.open("/dev/null", 0) for _ in range(100)] and None)
"#;
        let out = untrusted(who, &format!("import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n{job}")).run::<&str>(&[]).out();
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines[0..4], ["write /usr 30", "write /job 30", "fsize 27", "inet 97"], "{out}");
        assert!(lines[4].starts_with("ssh 13") || lines[4].starts_with("ssh done") || lines[4].starts_with("ssh b''"), "{out}");
        assert_eq!(lines[5], "nofile 24", "{out}");
        untrusted(who, "import ctypes\nctypes.CDLL(None).mount(b'none', b'/tmp', b'tmpfs', 0, None)").run::<&str>(&[]).ends(159);
    }
}

/// A limit that is required and cannot be had stops the run before it begins.
fn untrusted_needs_a_cgroup(who: Who) {
    let stage = untrusted(who, "");
    stage.run(&["--verbose"]).ends(2).says("memory.max").says("test.nsl:23").says("--cgroup-parent");
    assert!(!stage.path("out/result.txt").exists());
}
