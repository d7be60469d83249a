//! Namespaces as such: listed, compared, entered; and what runs against what its file says.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use super::seen::{WAITER, nsl, ok, ps, stage};
use super::*;

fn program(stage: &Stage) -> String {
    ps(stage)[0]["record"]["program"]["pid"].to_string()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Kind, id, and how many processes.
fn census(stage: &Stage) -> BTreeSet<(String, u64)> {
    let census = json(&ok(stage, &["ns", "--json"]));
    let list = census["namespaces"].as_array().cloned().expect("a list");
    list.iter().map(|it| (it["kind"].as_str().unwrap().to_lowercase(), it["id"].as_u64().unwrap())).collect()
}

both! {
    /// Whatever lsns(8) shows is shown. Namespaces of other tests come and go, so those count that are there before and after.
    fn all_that_lsns_shows_is_shown(who) {
        if !stage::have("lsns") {
            return skip("sandbox::ns::all_that_lsns_shows_is_shown", "there is no lsns");
        }
        let stage = stage(who);
        let mut running = stage.start(&WAITER);
        running.line("ready");
        let lsns = || -> BTreeSet<(String, u64)> {
            let mut command = Command::new("lsns");
            command.args(["--noheadings", "--raw", "--output", "TYPE,NS"]);
            stage.as_caller(&mut command);
            // It gives up where a process ends under its eyes.
            let mut looks = std::iter::repeat_with(|| command.output().expect("lsns")).take(50);
            let output = looks.find(|it| it.status.success()).expect("lsns looks once");
            let output = String::from_utf8(output.stdout).expect("text");
            let pair = |line: &str| Some((line.split(' ').next()?.to_string(), line.split(' ').nth(1)?.parse().ok()?));
            output.lines().filter_map(pair).collect()
        };
        let before = lsns();
        let shown = census(&stage);
        let stays: BTreeSet<_> = before.intersection(&lsns()).cloned().collect();
        let missing: Vec<_> = stays.difference(&shown).collect();
        assert!(missing.is_empty() && stays.len() >= 16, "{missing:?} of {stays:?}");
        ok(&stage, &["kill", "test"]);
        running.finish();
    }

    fn a_sandboxs_namespaces_have_an_owner_and_processes(who) {
        let stage = stage(who);
        let mut running = stage.start(&WAITER);
        running.line("ready");
        let pid: i64 = program(&stage).parse().unwrap();
        let census = json(&ok(&stage, &["ns", "test", "--json"]));
        let list = census["namespaces"].as_array().cloned().expect("a list");
        assert_eq!(list.len(), 8, "{list:?}");
        let user = list.iter().find(|it| it["kind"] == "user").expect("one")["id"].clone();
        for it in &list {
            assert!(it["processes"].as_array().unwrap().iter().any(|it| *it == pid), "{it}");
            assert!(it["kind"] == "user" || it["owner"] == user, "{it}");
        }
        let tree = ok(&stage, &["ns", "--tree", "owner"]);
        let line = tree.lines().position(|it| it.contains(&format!("user {user}"))).expect("a line");
        assert!(tree.lines().nth(line + 1).expect("more").starts_with("    "), "{tree}");
        let parents = ok(&stage, &["ns", "--tree", "parent"]);
        assert!(!parents.contains("net ") && parents.contains("pid "), "{parents}");
        assert_eq!(ok(&stage, &["ns", "--kind", "net", &pid.to_string()]).lines().count(), 2);
        ok(&stage, &["kill", "test"]);
        running.finish();
    }

    fn two_are_compared_and_the_difference_explained(who) {
        let stage = stage(who)
            .section("limits", "", &["nofile = 77"])
            .line("mnt", "mount /srv = tmpfs(size: 1MiB)")
            .top(&format!("run = {WAITER:?}"));
        let mut running = stage.start::<&str>(&[]);
        running.line("ready");
        let own = std::process::id().to_string();
        // A user may not look at a process of root.
        if who == Who::User && nix::unistd::geteuid().is_root() {
            let said = nsl(&stage, &["ns", "diff", &own, "test"]);
            assert!(said.code == 2 && said.err.contains("process-hidden"), "{}", said.err);
        } else {
            let found = json(&ok(&stage, &["ns", "diff", "--json", &own, "test"]));
            let of = |what: &str| {
                let one = found.as_array().unwrap().iter().find(|it| it["what"] == what).cloned();
                one.unwrap_or_else(|| panic!("no {what}: {found}"))
            };
            assert!(of("net")["same"] == false && of("net")["meaning"].as_str().unwrap().contains("127.0.0.1"));
            assert_eq!(of("limit open files")["second"], "77");
            assert_eq!(of("mount /srv")["first"], "-");
        }
        let same = json(&ok(&stage, &["ns", "diff", "--json", "test", &program(&stage)]));
        assert!(same.as_array().unwrap().iter().all(|it| it["same"] == true), "{same}");
        let policy = json(&ok(&stage, &["ns", "diff", "--json", &stage.path("test.nsl").display().to_string(), "test"]));
        let other: Vec<&str> = policy
            .as_array()
            .unwrap()
            .iter()
            .filter(|it| it["same"] == false && it["first"] != "new")
            .map(|it| it["what"].as_str().unwrap())
            .collect();
        assert_eq!(other, [""; 0], "{policy}");
        ok(&stage, &["kill", "test"]);
        running.finish();
    }

    fn namespaces_are_entered_without_the_walls(who) {
        let stage = stage(who)
            .line("uts", "hostname = \"inside\"")
            .section("seccomp", "", &["otherwise = allow", "deny mkdir = errno(EDOM)"]);
        let mut running = stage.start(&WAITER);
        running.line("ready");
        let pid = program(&stage);
        let out = ok(&stage, &["ns", "enter", &pid, "--", "/bin/sh", "-c", "hostname; echo $$; mkdir /tmp/x && echo made"]);
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!((lines[0], lines[2]), ("inside", "made"), "{out}");
        // A number of the sandbox's own counting.
        assert!(lines[1].parse::<u32>().unwrap() < 100_000, "{out}");
        let kinds = ok(&stage, &["ns", "enter", "test", "--kind", "user", "--net", "--", "/bin/sh", "-c", "readlink /proc/self/ns/net /proc/self/ns/uts"]);
        let link = |pid: &str, kind: &str| std::fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap().display().to_string();
        assert_eq!(kinds, format!("{}\n{}", link(&pid, "net"), link("self", "uts")));
        assert_eq!(nsl(&stage, &["ns", "enter", "test", "--", "/bin/sh", "-c", "exit 9"]).code, 9);
        let said = nsl(&stage, &["ns", "enter", "test", "--", "/nowhere"]);
        assert!(said.code == 127 && said.err.contains("the mount namespace that was entered"), "{}", said.err);
        assert_eq!(nsl(&stage, &["ns", "enter", "4194304", "--", "/bin/true"]).code, 2);
        ok(&stage, &["kill", "test"]);
        running.finish();
    }

    /// A monitor's question: 0 for yes, 1 for no, 2 for no answer.
    fn drift_is_found(who) {
        let stage = stage(who)
            .section("limits", "", &["nofile = 77"])
            .section("seccomp", "", &["otherwise = allow", "deny mkdir = errno(EDOM)"])
            .top(&format!("run = {WAITER:?}"));
        let mut running = stage.start::<&str>(&[]);
        running.line("ready");
        let file = stage.path("test.nsl");
        let drift = |text: &str| {
            std::fs::write(&file, text).expect("our own folder");
            nsl(&stage, &["drift", "--json", &file.display().to_string()])
        };
        let text = stage.text();
        let same = drift(&text);
        assert_eq!((same.code, same.out.as_str()), (0, "[]"), "{}", same.err);
        for (old, new, what) in [
            ("nofile = 77", "nofile = 78", "limits.nofile"),
            ("size: 16MiB", "size: 8MiB", "mnt.mount[/tmp]"),
            ("EDOM", "EPERM", "seccomp.otherwise"),
            ("  ipc new\n", "  ipc host\n", ""),
        ] {
            let said = drift(&text.replace(old, new));
            assert!(said.code == 1 && said.out.contains(what), "{new}: {} {}", said.out, said.err);
        }
        assert_eq!(drift("sandbox {").code, 2);
        ok(&stage, &["kill", "test"]);
        running.finish();
        assert_eq!(drift(&text).code, 2);
    }

    /// The kernel has the last word: a limit that somebody has changed since is found.
    fn drift_of_the_kernels_side_is_found(who) {
        let stage = stage(who).section("limits", "", &["nofile = 77"]).top(&format!("run = {WAITER:?}"));
        let mut running = stage.start::<&str>(&[]);
        running.line("ready");
        let pid = program(&stage);
        let mut change = Command::new("prlimit");
        change.args(["--nofile=50:50", "--pid", &pid]);
        stage.as_caller(&mut change);
        assert!(change.status().expect("prlimit").success());
        let said = nsl(&stage, &["drift", "--json", &stage.path("test.nsl").display().to_string()]);
        assert_eq!(said.code, 1, "{}", said.err);
        let found = json(&said.out);
        assert_eq!((&found[0]["should"], &found[0]["is"]), (&Value::from("77"), &Value::from("50")));
        ok(&stage, &["kill", "test"]);
        running.finish();
    }

    fn a_sandbox_is_shown_in_full(who) {
        let stage = stage(who).section("limits", "", &["nofile = 77"]).line("uts", "hostname = \"inside\"");
        let mut running = stage.start(&WAITER);
        running.line("ready");
        let text = ok(&stage, &["inspect", "test"]);
        for told in ["running, started", "its own", "sethostname inside", "setrlimit nofile 77", "no_new_privs", "/tmp"] {
            assert!(text.contains(told), "{told}: {text}");
        }
        let data = json(&ok(&stage, &["inspect", "--json", "test"]));
        let pid: Value = json(&program(&stage));
        assert_eq!(data["program"]["pid"], pid);
        assert_eq!(data["program"]["limits"]["open files"][0], "77");
        assert!(data["processes"].as_array().unwrap().contains(&pid), "{data}");
        ok(&stage, &["kill", "test"]);
        running.finish();
    }

    fn top_repeats_itself_in_a_pipe(who) {
        let stage = stage(who);
        let mut running = stage.start(&WAITER);
        running.line("ready");
        let mut top = Command::new(stage.path("nsl"));
        top.arg("top");
        stage.as_caller(&mut top);
        let mut top = stage.start_command(top);
        for _ in 0..2 {
            assert!(top.line("test").contains("running"));
        }
        drop(top);
        ok(&stage, &["kill", "test"]);
        running.finish();
    }
}
