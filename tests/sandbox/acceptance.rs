//! The examples, as they stand.

use std::fs;

use nix::sys::signal::Signal;

use super::*;

/// An example with what is beside it, in a folder of its own.
fn example(who: Who, name: &str) -> Stage {
    let examples = stage::repository().join("examples");
    let text = fs::read_to_string(examples.join(name)).expect("the example is there");
    let page = fs::read(examples.join("site/index.html")).expect("the site is there");
    let job = fs::read(examples.join("job.py")).expect("the job is there");
    Stage::of(who, &text).file("site/index.html", 0o644, page).file("job.py", 0o644, job).folder("out")
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
