//! How a sandbox ends, and that nothing is left of it, however it ends.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::*;

/// Ends with 7 on any signal that asks for an end.
const POLITE: &str = r#"
import os, signal, time
def end(number, _):
    os.write(1, f"got {signal.Signals(number).name}\n".encode())
    os._exit(7)
for name in ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"]:
    signal.signal(getattr(signal, name), end)
print("ready", flush=True)
# Not pause(2): a signal that comes just before it would be waited for for ever.
while True:
    time.sleep(0.05)
"#;

const STUBBORN: &str = "trap '' TERM INT HUP; echo ready; while :; do sleep 1; done";

/// The host's processes, and no /proc in which they could be seen.
fn without_proc(who: Who, init: &str) -> Stage {
    // Before Linux 6.3 a new time namespace takes a fork to enter.
    let stage = Stage::new(who).section("pid", "host", &[init]).section("time", "host", &[]).section("mnt", "new", &[]);
    [
        "root = empty",
        "mount /usr = bind(ro)",
        "link /bin = \"usr/bin\"",
        "link /lib = \"usr/lib\"",
        "link /lib64 = \"usr/lib64\"",
    ]
    .iter()
    .fold(stage, |stage, line| stage.line("mnt", line))
}

both! {
    fn orphans_are_reaped(who) {
        let program = r#"
import os, time
for _ in range(20):
    if os.fork() == 0:
        if os.fork() == 0:
            os._exit(0)
        os._exit(0)
    os.wait()
def zombies():
    found = 0
    for pid in os.listdir("/proc"):
        if pid.isdigit():
            try: found += open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] == "Z"
            except OSError: pass
    return found
end = time.monotonic() + 10
while zombies() and time.monotonic() < end:
    time.sleep(0.01)
print(zombies())
"#;
        assert_eq!(Stage::new(who).python(program).out(), "0");
    }

    fn signals_are_forwarded(who) {
        use Signal::*;
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2] {
            let stage = Stage::new(who);
            let mut running = stage.start(&["/usr/bin/python3", "-I", "-S", "-c", POLITE]);
            running.line("ready");
            running.signal(signal);
            assert_eq!(running.line("got"), format!("got {signal}"));
            running.finish().ends(7);
        }
    }

    fn a_program_that_will_not_end_is_killed(who) {
        let stage = Stage::new(who).section("stop", "", &["signal = TERM", "timeout = 300ms"]);
        let mut running = stage.start(&["/bin/sh", "-c", STUBBORN]);
        running.line("ready");
        let begun = Instant::now();
        running.signal(Signal::SIGTERM);
        running.finish().ends(137);
        assert!(begun.elapsed() >= Duration::from_millis(250), "it was given no time");
    }

    fn a_program_may_run_so_long_and_no_longer(who) {
        let stage = Stage::new(who).section("stop", "", &["after = 400ms", "signal = KILL"]);
        let begun = Instant::now();
        let outcome = stage.run(&["/bin/sleep", "100"]);
        outcome.ends(137).says(&stage.place("after ="));
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(400) && took < Duration::from_secs(20), "it took {took:?}");
    }

    fn when_time_is_up_a_program_may_clean_up(who) {
        let stage = Stage::new(who).section("stop", "", &["after = 2s", "signal = TERM", "timeout = 20s"]);
        let mut running = stage.start(&["/usr/bin/python3", "-I", "-S", "-c", POLITE]);
        assert_eq!(running.line("got"), "got SIGTERM");
        running.finish();
    }

    fn what_the_program_leaves_behind_ends_with_it(who) {
        Stage::new(who).sh("sleep 1000 & setsid sleep 1001 & (trap '' TERM HUP; sleep 1002) & exit 3").ends(3);
    }

    /// SIGKILL leaves nsl no time for anything, at whatever moment of a run it comes.
    fn a_killed_nsl_leaves_nothing(who) {
        let rounds: u32 = if stage::in_vm() { 10 } else { 60 };
        // From before main to well after the program runs; in the machine everything takes longer.
        let longest = Duration::from_millis(if stage::in_vm() { 1500 } else { 25 });
        let port = network::free_port();
        for round in 0..rounds {
            let stage = Stage::new(who)
                .section("net", "new", &[&format!("publish {port}/tcp = 7000/tcp")])
                .section("cgroup", "new", &["prefer memory.max = 64MiB", "prefer pids.max = 16", "prefer cpu.max = 50%"])
                .line("mnt", "mount /etc/made = file(\"made\")")
                .line("mnt", "hide /home");
            let running = stage.start(&["/bin/sh", "-c", "sleep 1000 & exec sleep 1001"]);
            std::thread::sleep(longest * round / rounds);
            running.signal(Signal::SIGKILL);
            let outcome = running.finish();
            assert!(outcome.code() == -9, "{outcome:?}");
        }
    }

    fn a_killed_nsl_takes_a_running_program_along(who) {
        let stage = Stage::new(who);
        let mut running = stage.start(&["/bin/sh", "-c", "trap '' TERM HUP INT; sleep 1000 & echo ready; sleep 1001"]);
        running.line("ready");
        running.signal(Signal::SIGKILL);
        running.finish().ends(-9);
    }

    fn a_program_cannot_end_its_init(who) {
        // Others would be forwarded, and so end the program that sends them.
        let out = Stage::new(who).sh("kill -KILL 1 2>/dev/null; kill -STOP 1 2>/dev/null; echo here").out();
        assert_eq!(out, "here");
    }

    /// Without an init nobody holds the pipe for the program's status, and its end is nothing to wait for.
    fn waiting_costs_nothing(who) {
        // Before Linux 6.3 a new time namespace takes a fork to enter.
        let stage = Stage::new(who).section("pid", "new", &["init = false"]).section("time", "host", &[]);
        let mut running = stage.start(&["/bin/sh", "-c", "echo ready; exec sleep 0.5"]);
        running.line("ready");
        // To start costs something, and under emulation much.
        let before = stage::ticks(running.pid().as_raw());
        std::thread::sleep(Duration::from_millis(400));
        let ticks = stage::ticks(running.pid().as_raw()) - before;
        assert!(ticks < 15, "nsl took {ticks} ticks to wait");
        running.finish().ends(0);
    }

    /// Among the host's processes no kernel ends what is left; nsl does, whatever the tree and the program look like.
    fn nothing_is_left_among_the_hosts_processes(who) {
        for (init, script) in [
            ("init = false", "setsid --fork /usr/bin/sleep 1003 >&- 2>&-; exit 3"),
            ("init = true", "setsid --fork /usr/bin/sleep 1003 >&- 2>&-; exit 3"),
            // The program and init are one user of the host, so this cannot be prevented.
            ("init = true", "setsid --fork /usr/bin/sleep 1003 >&- 2>&-; sleep 0.1; kill -KILL $PPID; sleep 1004"),
        ] {
            let code = if script.contains("PPID") { 137 } else { 3 };
            without_proc(who, init).run(&["/bin/sh", "-c", script]).ends(code);
        }
    }

    fn a_killed_nsl_leaves_nothing_among_the_hosts_processes(who) {
        let stage = without_proc(who, "init = true");
        let script = "setsid --fork /usr/bin/sleep 1003 >&- 2>&-; echo ready; sleep 1004; exit 1";
        let mut running = stage.start(&["/bin/sh", "-c", script]);
        running.line("ready");
        running.signal(Signal::SIGKILL);
        running.finish().ends(-9);
    }

    /// A shell that becomes nsl by execve(2) hands its own children over.
    fn children_of_the_caller_are_spared(who) {
        let stage = without_proc(who, "init = true");
        let script = "/usr/bin/env -i /usr/bin/sleep 30 >&- 2>&- & echo $! >children; exec \"$@\"";
        let outcome = stage.finish(stage.command_through(&["/usr/bin/env", "-u", "NSL_TEST", "/bin/sh", "-c", script, "sh"], &["/bin/true"]));
        outcome.ends(0);
        let child = std::fs::read_to_string(stage.path("children")).expect("it was written");
        let state = std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.trim().parse().expect("a pid")), Signal::SIGKILL);
        assert!(state.contains("(sleep) S"), "the caller's own child is gone: {state}");
    }

    fn a_sandbox_ends_with_the_parent_of_nsl(who) {
        for with in [true, false] {
            let stage = Stage::new(who).section("stop", "", &[&format!("with-parent = {with}"), "signal = KILL"]);
            // A shell, which is killed.
            let mut running = stage.start_command(stage.command_through(&["/bin/sh", "-c", "\"$@\" & wait", "sh"], &["/bin/sh", "-c", "echo ready; exec sleep 1000"]));
            running.line("ready");
            // In the middle of execve(2) a process has no environment to know it by.
            let begun = Instant::now();
            while stage::programs(&stage.token()).is_empty() {
                assert!(begun.elapsed() < stage::patience(), "it has said that it is ready");
                std::thread::sleep(Duration::from_millis(5));
            }
            running.signal(Signal::SIGKILL);
            let begun = Instant::now();
            let patience = if with { stage::patience() } else { Duration::from_millis(300) };
            while !stage::programs(&stage.token()).is_empty() && begun.elapsed() < patience {
                std::thread::sleep(Duration::from_millis(5));
            }
            assert_eq!(stage::programs(&stage.token()).is_empty(), with, "with-parent = {with}");
            for pid in stage::programs(&stage.token()) {
                let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid.parse().expect("a number")), Signal::SIGKILL);
            }
            running.finish().ends(-9);
        }
    }

    /// The time of all processes together, those that have ended included.
    fn cpu_time_is_limited_as_a_whole(who) {
        let stage = Stage::new(who).section("stop", "", &["cpu = 400ms", "signal = KILL"]).option("--report").option("report.json");
        let script = "while :; do for i in 1 2 3; do sh -c 'i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); done' & done; wait; done";
        let outcome = stage.sh(script);
        if who == Who::User {
            outcome.ends(2).says("nsl::cgroup-not-delegated").says(&stage.place("cpu ="));
            let preferred = Stage::new(who).section("stop", "", &["prefer cpu = 400ms"]);
            preferred.sh("exit 3").ends(3).says("not in force");
            return;
        }
        outcome.ends(137).says("nsl::cpu-limit-hit").says(&stage.place("cpu ="));
        let report = std::fs::read_to_string(stage.path("report.json")).expect("it was written");
        let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
        assert_eq!(report["limits_hit"], serde_json::json!(["stop.cpu"]));
        assert!(report["cgroup"]["cpu_us"].as_u64() >= Some(400_000), "{report:#}");
    }

    fn sixteen_descriptors_are_enough(who) {
        let stage = Stage::new(who);
        let command = stage.command_through(&["/usr/bin/prlimit", "--nofile=16"], &["/bin/true"]);
        stage.finish(command).ends(0);
    }

    fn many_at_once(who) {
        let stages: Vec<Stage> = (0..20).map(|_| Stage::new(who)).collect();
        let running: Vec<_> = stages.iter().map(|it| it.start(&["/bin/sh", "-c", "echo ready; exec sleep 0.2"])).collect();
        for mut run in running {
            run.line("ready");
            run.finish().ends(0);
        }
    }
}
