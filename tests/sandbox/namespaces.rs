//! The eight namespaces: which are new, and what is in them.

use std::fs;

use super::*;

const KINDS: [&str; 8] = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"];
const LIST: &str = "for kind in user mnt pid net ipc uts cgroup time; do readlink /proc/self/ns/$kind; done";

fn of_host() -> Vec<String> {
    let link = |kind: &&str| fs::read_link(format!("/proc/self/ns/{kind}")).expect("a kernel with eight namespaces");
    KINDS.iter().map(|kind| link(kind).display().to_string()).collect()
}

/// The host's uptime, seconds.
fn uptime() -> f64 {
    let text = fs::read_to_string("/proc/uptime").expect("proc is mounted");
    text.split(' ').next().and_then(|it| it.parse().ok()).expect("a number")
}

both! {
    fn all_eight_differ(who) {
        let inside = Stage::new(who).sh(LIST).out();
        let inside: Vec<&str> = inside.lines().collect();
        assert_eq!(inside.len(), 8);
        for (inside, outside) in inside.iter().zip(of_host()) {
            assert_ne!(*inside, outside);
        }
    }

    fn host_is_the_host(who) {
        let mut stage = Stage::new(who).drop_line("mnt", "mount /proc");
        for kind in ["pid", "net", "ipc", "uts", "cgroup", "time"] {
            stage = stage.section(kind, "host", &[]);
        }
        let inside = stage.sh(LIST).out();
        let host = of_host();
        for (at, (inside, outside)) in inside.lines().zip(&host).enumerate() {
            assert_eq!(inside == outside, at >= 2, "{}: {inside}, {outside}", KINDS[at]);
        }
    }

    fn names(who) {
        let stage = Stage::new(who).section("uts", "new", &["hostname = \"box\"", "domainname = \"example\""]);
        let own = fs::read_to_string("/proc/sys/kernel/hostname").expect("proc is mounted");
        let out = stage.python("import os; print(os.uname().nodename); print(open('/proc/sys/kernel/domainname').read().strip())");
        assert_eq!(out.out(), "box\nexample");
        assert_eq!(fs::read_to_string("/proc/sys/kernel/hostname").expect("proc is mounted"), own);
    }

    fn clocks(who) {
        let stage = Stage::new(who).section("time", "new", &["boottime = 1d", "monotonic = 2h"]);
        let begun = uptime();
        let out = stage.python("import time; print(time.clock_gettime(time.CLOCK_BOOTTIME), time.clock_gettime(time.CLOCK_MONOTONIC))").out();
        let clocks: Vec<f64> = out.split(' ').map(|it| it.parse().expect("a number")).collect();
        let near = |clock: f64, offset: f64| (begun + offset - 1.0..uptime() + offset + 1.0).contains(&clock);
        assert!(near(clocks[0], 86400.0), "boottime is {}", clocks[0]);
        // CLOCK_MONOTONIC stands still while a machine sleeps, so on a laptop it is behind.
        assert!(clocks[1] > 7200.0 && clocks[1] < uptime() + 7201.0, "monotonic is {}", clocks[1]);
    }

    fn processes_of_the_host_are_invisible(who) {
        let out = Stage::new(who).sh("ls -d /proc/[0-9]* | wc -l; cat /proc/1/comm; echo $$; kill -0 4000000 || echo none").out();
        let lines: Vec<&str> = out.lines().collect();
        let count: u32 = lines[0].parse().expect("a number");
        assert!(count <= 6, "{count} processes are visible");
        assert_ne!(lines[2], "1", "the program is not its own init");
        assert_eq!(lines[3], "none");
    }

    fn without_init_the_program_is_pid_1(who) {
        // Before Linux 6.3 a new time namespace takes a fork to enter.
        let out = Stage::new(who).section("pid", "new", &["init = false"]).section("time", "host", &[]).sh("echo $$").out();
        assert_eq!(out, "1");
    }

    /// Message queues and shared memory of the host are not there, and what is made inside goes away.
    fn ipc_is_empty(who) {
        let out = Stage::new(who).python(r#"
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print(libc.shmget(0x6e736c, 4096, 0o600), ctypes.get_errno())
print(libc.shmget(0x6e736c, 4096, 0o1600) >= 0)
"#).out();
        assert_eq!(out, "-1 2\nTrue");
        let table = fs::read_to_string("/proc/sysvipc/shm").expect("proc is mounted");
        assert!(!table.contains(&0x6e736c.to_string()), "{table}");
    }

    /// What /proc/self/cgroup shows is the sandbox's own root.
    fn cgroup_paths_are_hidden(who) {
        let out = Stage::new(who).sh("cat /proc/self/cgroup").out();
        assert!(out.lines().all(|line| line.ends_with(":/")), "{out}");
    }

    fn a_session_of_its_own(who) {
        let out = Stage::new(who).python("import os; print(os.getsid(0) == os.getpid() or os.getsid(0) != 0)\ntry: os.open('/dev/tty', os.O_RDWR); print('tty')\nexcept OSError as e: print(e.errno)").out();
        // ENXIO: no controlling terminal.
        assert_eq!(out, "True\n6");
    }

    /// A plan is what is performed: every namespace that differs is in it.
    fn a_namespace_alone(who) {
        for kind in ["net", "ipc", "uts", "cgroup", "time"] {
            let mut stage = Stage::new(who);
            for other in ["net", "ipc", "uts", "cgroup", "time"] {
                if other != kind {
                    stage = stage.section(other, "host", &[]);
                }
            }
            let inside = stage.sh(LIST).out();
            let differing: Vec<&str> = inside.lines().zip(of_host()).zip(KINDS).filter(|((a, b), _)| a != b).map(|it| it.1).collect();
            assert_eq!(differing.iter().filter(|it| !["user", "mnt", "pid"].contains(it)).collect::<Vec<_>>(), [&kind]);
        }
    }
}
