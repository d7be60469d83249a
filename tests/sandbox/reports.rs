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
