//! What is told when a run is over: `--report`, and findings at the lines that they are about.

use std::fs;

use serde_json::Value;

use super::*;

/// Runs a script with `--report`, and reads what was reported.
fn report(stage: Stage, script: &str) -> (Outcome, Value) {
    let path = stage.path("report.json");
    let stage = stage.option("--report").option("report.json");
    let outcome = stage.sh(script);
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{error}: {outcome:?}"));
    (outcome, serde_json::from_str(&text).expect("JSON"))
}

both! {
    fn of_a_program_that_ends(who) {
        let (_, report) = report(Stage::new(who), "exit 7");
        assert_eq!((&report["ended"], &report["status"], &report["exit_status"]), (&"exited".into(), &7.into(), &7.into()));
        assert_eq!((&report["sandbox"], &report["failure"]), (&"test".into(), &Value::Null));
    }

    fn of_a_program_that_is_killed(who) {
        let (_, report) = report(Stage::new(who), "kill -9 $$");
        assert_eq!((&report["ended"], &report["signal"], &report["exit_status"]), (&"signaled".into(), &9.into(), &137.into()));
    }

    fn of_a_program_that_is_not_there(who) {
        let stage = Stage::new(who);
        let path = stage.path("report.json");
        let stage = stage.option("--report").option("report.json");
        stage.run(&["/no/such/program"]).ends(127);
        let report: Value = serde_json::from_str(&fs::read_to_string(path).expect("it was written")).expect("JSON");
        assert_eq!((&report["ended"], &report["exit_status"]), (&"failed".into(), &127.into()));
        assert!(report["failure"]["place"].as_str().is_some_and(|it| it.contains("test.nsl:1:")), "{report:#}");
    }

    fn of_what_was_used(who) {
        let program = "import os,sys\nfor k in ['user','pid','net','mnt','ipc','uts','cgroup','time']: print(k, os.stat('/proc/self/ns/' + k).st_ino)";
        let stage = Stage::new(who).option("--report").option("report.json");
        let out = stage.python(program).out();
        let report: Value = serde_json::from_str(&fs::read_to_string(stage.path("report.json")).expect("it was written")).expect("JSON");
        assert_eq!(report["format"], 1);
        for line in out.lines() {
            let (kind, inode) = line.split_once(' ').expect("two words");
            assert_eq!(report["namespaces"][kind].as_u64(), inode.parse().ok(), "{kind}: {report:#}");
        }
        let number = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("{report:#}"));
        assert!(number(&report["usage"]["max_rss_bytes"]) > 1 << 20, "{report:#}");
        assert!(number(&report["usage"]["user_us"]) + number(&report["usage"]["system_us"]) > 0, "{report:#}");
        let times = &report["times"];
        let sum: u64 = ["prepare_us", "launch_us", "build_us", "run_us", "clean_us"].iter().map(|it| number(&times[*it])).sum();
        assert!(sum <= number(&times["total_us"]) && number(&times["run_us"]) > 0, "{report:#}");
        assert_eq!(report["limits_hit"], serde_json::json!([]));
    }

    fn of_limits_that_were_hit(who) {
        let (_, report) = report(Stage::new(who).section("stop", "", &["after = 300ms", "signal = KILL"]), "sleep 100");
        assert_eq!(report["limits_hit"], serde_json::json!(["stop.after"]));
        assert_eq!(report["findings"][0]["code"], "time-limit-hit");
    }

    fn of_limits_of_each_process(who) {
        let stage = Stage::new(who).section("limits", "", &["fsize = 64KiB", "core = 0B"]);
        let place = stage.place("fsize");
        let (outcome, written) = report(stage, "head -c 100000 /dev/zero >/tmp/x; exec head -c 100000 /dev/zero >/tmp/x");
        outcome.ends(128 + 25).says(&place);
        assert_eq!(written["limits_hit"], serde_json::json!(["limits.fsize"]));
        let (outcome, written) = report(Stage::new(who).section("limits", "", &["cpu = 1s"]), "while :; do :; done");
        outcome.ends(137);
        assert_eq!(written["limits_hit"], serde_json::json!(["limits.cpu"]));
    }

    fn of_a_policy_that_is_refused(who) {
        let stage = Stage::new(who).line("mnt", "mount /data = bind(./nothing, ro)");
        let path = stage.path("report.json");
        let stage = stage.option("--report").option("report.json");
        stage.sh("echo ran").ends(2);
        let report: Value = serde_json::from_str(&fs::read_to_string(path).expect("it was written")).expect("JSON");
        assert_eq!((&report["ended"], &report["exit_status"]), (&"refused".into(), &2.into()));
        assert!(report["findings"][0]["code"].is_string(), "{report:#}");
    }

    fn on_a_descriptor(who) {
        let stage = Stage::new(who).option("--report").option("fd:7");
        let command = stage.command_through(&["/bin/sh", "-c", "exec \"$@\" 7>report.json", "sh"], &["/bin/ls", "/proc/self/fd"]);
        let outcome = stage.finish(command);
        assert_eq!(outcome.out().lines().count(), 4, "0, 1, 2 and the directory that is read: {outcome:?}");
        let report: Value = serde_json::from_str(&fs::read_to_string(stage.path("report.json")).expect("it was written")).expect("JSON");
        assert_eq!(report["status"], 0);
        Stage::new(who).option("--report").option("fd:77").sh("echo ran").ends(2).says("nsl::report-unwritable");
    }

    fn on_the_standard_output(who) {
        let report: Value = serde_json::from_str(&Stage::new(who).option("--report").option("-").sh("exit 0").out()).expect("JSON");
        assert_eq!(report["ended"], "exited");
    }

    /// Only the kernel's log knows the call, and root alone can read it everywhere.
    fn of_the_call_that_was_refused(who) {
        let stage = Stage::new(who).line("seccomp", "otherwise = allow").line("seccomp", "deny umount2 = kill").line("mnt", "mount /proc = proc");
        let (outcome, report) = report(stage, "exec /usr/bin/python3 -I -S -c \"import ctypes; ctypes.CDLL(None).umount2(b'/tmp', 0)\"");
        outcome.ends(159).says("nsl::filter-killed");
        // Where there is no audit, or a container reads another log, nothing is known, and nothing is made up.
        let call = &report["refused_call"];
        assert!(call.is_null() || call["name"] == "umount2", "{report:#}");
        if who == Who::Root && !stage::in_vm() && std::fs::read("/proc/self/loginuid").is_ok() {
            assert_eq!(call["name"], "umount2", "{report:#}");
        }
    }

    fn steps_are_told_as_they_are_performed(who) {
        let stage = Stage::new(who).option("--verbose");
        let outcome = stage.sh("echo ran >&2");
        outcome.ends(0).says("clone3 new user").says("pivot_root").says("execve /bin/sh").says(&stage.place("root = host"));
        let at = |text: &str| outcome.stderr.find(text).unwrap_or_else(|| panic!("`{text}` is not said: {outcome:?}"));
        assert!(at("open / as source 0") < at("clone3") && at("clone3") < at("pivot_root") && at("pivot_root") < at("execve"));
        assert!(at("the program runs") < at("ran in"), "{outcome:?}");
    }

    fn of_a_file_that_cannot_be_written(who) {
        let stage = Stage::new(who).option("--report").option("/nonexistent/report.json");
        let outcome = stage.sh("echo ran");
        assert_eq!(outcome.bytes(), b"");
        outcome.ends(2).says("nsl::report-unwritable");
    }

    fn of_a_filter_that_kills(who) {
        let stage = Stage::new(who).line("seccomp", "otherwise = allow").line("seccomp", "deny @mount = kill");
        let outcome = stage.python("import ctypes; ctypes.CDLL(None).umount2(b'/tmp', 0)");
        outcome.ends(159).says("nsl::filter-killed").says(&stage.place("otherwise"));
    }
}
