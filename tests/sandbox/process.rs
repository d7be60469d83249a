//! How a program is scheduled and what it inherits, as the kernel tells it.

use super::*;

/// Everything that a process can read of itself, a line each.
const ALL: &str = r#"
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
print('nice', os.getpriority(os.PRIO_PROCESS, 0))
print('policy', os.sched_getscheduler(0), os.sched_getparam(0).sched_priority)
print('ioprio', libc.syscall(252, 1, 0) >> 13, libc.syscall(252, 1, 0) & 7)
print('cpus', sorted(os.sched_getaffinity(0)))
print('oom', open('/proc/self/oom_score_adj').read().strip())
print('slack', libc.prctl(30, 0, 0, 0, 0))
print('personality', hex(libc.personality(0xffffffff) & 0xffffffff))
mask = os.umask(0)
print('umask', oct(mask))
"#;

/// 252 is ioprio_get(2) there.
fn knows_the_numbers() -> bool {
    cfg!(target_arch = "x86_64")
}

/// Whether a process of this host may be one of real time as far as its cgroup goes: CONFIG_RT_GROUP_SCHED.
fn real_time_is_shared_out() -> bool {
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let line = own.lines().find_map(|it| {
        let mut fields = it.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        controllers.split(',').any(|it| it == "cpu").then(|| path.to_string())
    });
    let file = |path: String| format!("/sys/fs/cgroup/cpu{}/cpu.rt_runtime_us", path.trim_end_matches('/'));
    line.and_then(|path| std::fs::read_to_string(file(path)).ok()).is_none_or(|it| it.trim() != "0")
}

/// Whether these tests have a capability, by its number: capabilities(7).
fn has_on_host(number: u32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|it| u64::from_str_radix(it.strip_prefix("CapEff:")?.trim(), 16).ok());
    effective.is_some_and(|it| it >> number & 1 == 1)
}

fn says(outcome: &Outcome, line: &str) {
    let out = outcome.out();
    assert!(out.lines().any(|it| it == line), "no `{line}` in\n{out}\n{outcome:?}");
}

both! {
    /// Everything that anybody may have, under a filter that lets nobody change it.
    fn what_everybody_may_have(who) {
        if !knows_the_numbers() {
            return skip("sandbox::process", "the numbers of the calls are those of x86_64");
        }
        let outcome = Stage::new(who)
            .top("nice = 7")
            .top("ionice = best-effort(level: 6)")
            .top("scheduling = batch")
            .top("cpu-affinity = \"0\"")
            .top("oom-score-adj = 555")
            .top("timer-slack = 3ms")
            .top("umask = 0o137")
            .top("personality = [addr-no-randomize, uname26]")
            .section("seccomp", "", &[
                "otherwise = allow",
                "deny setpriority = kill",
                "deny ioprio_set = kill",
                "deny sched_setscheduler = kill",
                "deny sched_setaffinity = kill",
                "deny personality(persona != 0xffffffff) = kill",
            ])
            .python(ALL);
        for line in [
            "nice 7", "policy 3 0", "ioprio 2 6", "cpus [0]", "oom 555", "slack 3000000", "personality 0x60000", "umask 0o137",
        ] {
            says(&outcome, line);
        }
    }

    /// What nobody names is the caller's.
    fn what_is_not_named_is_inherited(who) {
        let stage = Stage::new(who);
        let script = "umask 0027; exec nice -n 3 \"$@\"";
        let command = stage.command_through(&["/bin/sh", "-c", script, "sh"], &["/usr/bin/python3", "-I", "-S", "-c", ALL]);
        let outcome = stage.finish(command);
        for line in ["nice 3", "policy 0 0", "umask 0o27", "personality 0x0"] {
            says(&outcome, line);
        }
    }

    /// What takes a right on the host is there for root, and for a user it is refused before anything happens.
    fn what_takes_a_right(who) {
        for (statement, line, code) in [
            ("nice = -7", "nice -7", "nice-not-permitted"),
            ("ionice = realtime(level: 2)", "ioprio 1 2", "ionice-not-permitted"),
            ("oom-score-adj = -300", "oom -300", "oom-score-not-permitted"),
            ("scheduling = rr(priority: 3)", "policy 2 3", "scheduling-not-permitted"),
        ] {
            if statement.contains("rr") && !real_time_is_shared_out() {
                continue;
            }
            // A container's root has it not, nor the right to it.
            if who == Who::Root && statement.starts_with("oom") && !has_on_host(24) {
                Stage::new(who).top(statement).python(ALL).ends(2).says("nsl::oom-score-not-permitted");
                continue;
            }
            let stage = Stage::new(who).top(statement);
            let outcome = stage.python(ALL);
            match who {
                Who::Root => says(&outcome, line),
                Who::User => {
                    outcome.ends(2).says(&format!("nsl::{code}")).says(&stage.place(statement));
                }
            }
        }
    }

    /// It goes on without what it only prefers, and says so at the line.
    fn what_is_preferred(who) {
        if who == Who::Root {
            return;
        }
        let stage = Stage::new(who).top("prefer nice = -7");
        let outcome = stage.python(ALL);
        says(&outcome, "nice 0");
        outcome.says("nice is not in force").says(&stage.place("nice"));
    }

    /// A CPU that is not there is refused, and so is one that the sandbox's own set leaves out.
    fn cpus_that_are_not_there(who) {
        let stage = Stage::new(who).top("cpu-affinity = [8000]");
        stage.python(ALL).ends(2).says("nsl::cpu-missing").says(&stage.place("cpu-affinity"));
    }

    /// Cores of its own, where the host has cores that can be shared; else it is told why not.
    fn cores_of_its_own(who) {
        let stage = Stage::new(who).top("core-scheduling = own");
        let cookie = "
import ctypes
cookie = ctypes.c_ulonglong()
assert ctypes.CDLL(None).prctl(62, 0, 0, 0, ctypes.byref(cookie)) == 0
print('own' if cookie.value else 'none')
";
        let outcome = stage.python(cookie);
        match outcome.code() {
            0 => assert_eq!(outcome.out(), "own"),
            _ => {
                outcome.ends(2).says("nsl::core-scheduling-missing").says(&stage.place("core-scheduling"));
                let stage = Stage::new(who).top("prefer core-scheduling = own");
                stage.sh("echo went on").says("core-scheduling is not in force").ends(0);
            }
        }
    }

    /// The words of personality(2) that can be seen do what they say.
    fn another_personality(who) {
        let addresses = "import ctypes; print(hex(id(ctypes)), open('/proc/self/maps').readline().split('-')[0])";
        let stage = Stage::new(who).top("personality = [addr-no-randomize]").top("env PYTHONHASHSEED = \"0\"");
        let first = stage.run(&["/usr/bin/python3", "-I", "-S", "-c", addresses]).out();
        let second = stage.run(&["/usr/bin/python3", "-I", "-S", "-c", addresses]).out();
        assert_eq!(first, second);
        let old = Stage::new(who).top("personality = [uname26]").run(&["/bin/uname", "-r"]).out();
        assert!(old.starts_with("2.6."), "{old}");
        if knows_the_numbers() {
            let machine = Stage::new(who).top("personality = [linux32]").run(&["/bin/uname", "-m"]).out();
            assert_eq!(machine, "i686");
        }
    }

    /// A file that is made gets what the umask leaves of its bits.
    fn files_are_made_with_the_umask(who) {
        let out = Stage::new(who).top("umask = 0o077").sh("touch /tmp/a; stat -c %a /tmp/a").out();
        assert_eq!(out, "600");
    }
}

both! {
    /// A command that is put into the sandbox is scheduled as that is, and `nsl inspect` and `nsl drift` see it.
    fn a_guest_is_scheduled_alike(who) {
        use super::seen::{WAITER, nsl, ok, ps, stage};
        let nice = if who == Who::Root { -7 } else { 7 };
        let stage = stage(who)
            .top(&format!("nice = {nice}"))
            .top("oom-score-adj = 555")
            .top("cpu-affinity = \"0\"")
            .top("umask = 0o137")
            .top(&format!("run = {WAITER:?}"));
        let mut running = stage.start::<&str>(&[]);
        running.line("ready");
        let script = "nice; cat /proc/self/oom_score_adj; umask; grep Cpus_allowed_list /proc/self/status";
        let guest = ok(&stage, &["exec", "test", "/bin/sh", "-c", script]);
        assert_eq!(guest, format!("{nice}\n555\n0137\nCpus_allowed_list:\t0"));
        let program = ps(&stage)[0]["record"]["program"]["pid"].as_i64().expect("a pid");
        let facts: serde_json::Value = serde_json::from_str(&ok(&stage, &["inspect", "test", "--json"])).expect("JSON");
        let of = |name: &str| facts["program"]["attributes"][name].as_str().map(str::to_string);
        assert_eq!(of("nice"), Some(nice.to_string()), "{facts}");
        assert_eq!((of("oom_score_adj"), of("cpus")), (Some("555".into()), Some("0".into())), "{facts}");
        assert_eq!(nsl(&stage, &["drift", &stage.path("test.nsl").display().to_string()]).code, 0);
        // From outside, as the host's root may do with everybody's.
        std::fs::write(format!("/proc/{program}/oom_score_adj"), "777").expect("root may");
        let drift = nsl(&stage, &["drift", &stage.path("test.nsl").display().to_string()]);
        assert!(drift.code == 1 && drift.out.contains("777") && drift.out.contains("oom-score-adj"), "{}{}", drift.out, drift.err);
        running.signal(nix::sys::signal::Signal::SIGTERM);
        running.finish();
    }
}
