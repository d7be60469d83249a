//! What runs is seen, entered, stopped, frozen and waited for from outside.

use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::Value;

use super::*;

/// A stage whose sandboxes are written down in its own folder.
pub fn stage(who: Who) -> Stage {
    let stage = Stage::new(who);
    let room = stage.path("room").display().to_string();
    stage.env("NSL_STATE_DIR", &room)
}

/// What another `nsl` of the same caller says: status, output, and what it complains of.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

pub fn nsl(stage: &Stage, args: &[&str]) -> Said {
    let mut command = Command::new(stage.path("nsl"));
    command.args(args);
    stage.as_caller(&mut command);
    let output = command.output().expect("nsl can be started");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim_end().to_string();
    Said { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

#[track_caller]
pub fn ok(stage: &Stage, args: &[&str]) -> String {
    let said = nsl(stage, args);
    assert_eq!(said.code, 0, "{args:?}: {}{}", said.out, said.err);
    said.out
}

/// All rows, once none is of a sandbox whose program runs and whose nsl has not yet written that down.
pub fn ps(stage: &Stage) -> Vec<Value> {
    loop {
        let rows: Vec<Value> = serde_json::from_str(&ok(stage, &["ps", "--json"])).expect("JSON");
        if rows.iter().all(|row| row["status"] != "starting") {
            return rows;
        }
    }
}

fn names(stage: &Stage) -> Vec<String> {
    ps(stage).iter().map(|row| row["name"].as_str().expect("a name").to_string()).collect()
}

/// Tells that it runs, and waits.
pub const WAITER: [&str; 3] = ["/bin/sh", "-c", "trap 'exit 7' USR1; echo ready; while :; do sleep 0.1; done"];

fn files_of_room(stage: &Stage) -> Vec<String> {
    let entries = std::fs::read_dir(stage.path("room")).into_iter().flatten().flatten();
    let names = entries.map(|it| it.file_name().to_string_lossy().into_owned());
    names.filter(|it| !it.starts_with('.')).collect()
}

both! {
    /// The facts of `nsl ps` are those that /proc tells from outside.
    fn what_runs_is_listed_with_its_processes_and_namespaces(who) {
        let stage = stage(who);
        let mut first = stage.start(&WAITER);
        first.line("ready");
        let mut second = stage.start(&WAITER);
        second.line("ready");
        let rows = ps(&stage);
        assert_eq!(names(&stage), ["test", "test-2"]);
        let record = &rows[0]["record"];
        assert_eq!(record["supervisor"]["pid"], first.pid().as_raw());
        let program = record["program"]["pid"].as_i64().expect("a pid");
        let comm = std::fs::read_to_string(format!("/proc/{program}/comm")).expect("it runs");
        assert_eq!(comm.trim(), "sh");
        for kind in ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"] {
            let link = std::fs::read_link(format!("/proc/{program}/ns/{kind}")).expect("it runs");
            let inode = record["namespaces"][kind].as_u64().expect("a number");
            assert_eq!(link.display().to_string(), format!("{kind}:[{inode}]"));
        }
        assert!(rows[0]["usage"]["pids"].as_u64().expect("a number") >= 2, "{rows:?}");
        let table = ok(&stage, &["ps"]);
        assert!(table.starts_with("NAME") && table.contains("test-2") && table.contains("/bin/sh -c"), "{table}");
        ok(&stage, &["kill", "test"]);
        first.finish_beside_another().ends(137);
        assert_eq!(names(&stage), ["test-2"]);
        ok(&stage, &["kill", "test-2", "USR1"]);
        second.finish().ends(7);
        assert_eq!(files_of_room(&stage), [""; 0]);
    }

    fn a_name_that_was_asked_for_is_taken_or_refused(who) {
        let stage = stage(who).option("--name").option("mine");
        let mut first = stage.start(&WAITER);
        first.line("ready");
        assert_eq!(names(&stage), ["mine"]);
        let second = stage.start(&["/bin/true"]).finish_beside_another();
        second.ends(2).says("a sandbox `mine` is running already");
        ok(&stage, &["kill", "mine"]);
        first.finish().ends(137);
    }

    fn a_killed_nsl_is_swept(who) {
        let stage = stage(who);
        let mut running = stage.start(&WAITER);
        running.line("ready");
        running.signal(Signal::SIGKILL);
        running.finish().ends(-9);
        assert_eq!(files_of_room(&stage), ["test"]);
        assert_eq!(names(&stage), [""; 0]);
        assert_eq!(files_of_room(&stage), [""; 0]);
    }

    fn without_a_place_it_runs_and_is_not_seen(who) {
        let stage = Stage::new(who).env("NSL_STATE_DIR", "/proc/nowhere");
        assert_eq!(stage.run(&["/bin/echo", "hi"]).out(), "hi");
        let said = nsl(&stage, &["ps"]);
        assert_eq!(said.code, 2);
        assert!(said.err.contains("no-state-dir"), "{}", said.err);
        let stage = stage.option("--name").option("mine");
        stage.run(&["/bin/true"]).ends(2).says("no-state-dir");
    }

    fn a_room_of_others_is_not_used(who) {
        let stage = stage(who).folder("room");
        assert_eq!(stage.run(&["/bin/echo", "hi"]).out(), "hi");
        assert_eq!(files_of_room(&stage), [""; 0]);
        let said = nsl(&stage, &["ps"]);
        let reason = if who == Who::Root { "its mode is 777" } else { "it belongs to uid 0" };
        assert!(said.code == 2 && said.err.contains(reason), "{}", said.err);
    }

    /// Every wall that the program has, the command has too.
    fn a_command_is_behind_the_same_walls(who) {
        let stage = stage(who)
            .section("caps", "", &["keep none"])
            .section("seccomp", "", &["otherwise = allow", "deny mkdir = errno(EDOM)", "deny mkdirat = errno(EDOM)"])
            .section("limits", "", &["nofile = 77"])
            .section("landlock", "", &["files = tree", "prefer scope = [signal]"])
            .top("no-new-privs = true")
            .top("env SECRET = \"policy\"")
            .line("uts", "hostname = \"inside\"");
        let mut running = stage.start(&WAITER);
        running.line("ready");
        let program = ps(&stage)[0]["record"]["program"]["pid"].as_i64().expect("a pid");
        let own = std::fs::read_to_string(format!("/proc/{program}/status")).expect("it runs");
        let guests = ok(&stage, &["exec", "test", "/bin/cat", "/proc/self/status"]);
        for line in ["Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"] {
            let of = |text: &str| text.lines().find(|it| it.starts_with(&format!("{line}:"))).map(str::to_string);
            let (own, guests) = (of(&own).expect("a line"), of(&guests).expect("a line"));
            // Seen from inside, ids are others.
            assert!(own == guests || ["Uid", "Gid", "Groups"].contains(&line), "{own} is not {guests}");
        }
        let script = "id -u; hostname; ulimit -Hn; echo $SECRET; echo $NSL_STATE_DIR; mkdir /tmp/x 2>&1; kill -0 1 2>&1; \
                      echo fds $(ls /proc/self/fd | wc -l); readlink /proc/self/ns/*";
        let out = ok(&stage, &["exec", "test", "/bin/sh", "-c", script]);
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines[..5], ["1000", "inside", "77", "policy", ""], "{out}");
        assert!(lines[5].contains("Numerical argument out of domain"), "{out}");
        // Another domain of Landlock may not signal the program's init, where the kernel has scopes.
        if landlock::abi() >= 6 {
            assert!(lines[6].contains("not permitted"), "{out}");
        }
        // 0, 1, 2, and the one that ls reads the directory by.
        assert!(lines.contains(&"fds 4"), "{out}");
        for kind in ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"] {
            let link = std::fs::read_link(format!("/proc/{program}/ns/{kind}")).expect("it runs");
            assert!(out.contains(&link.display().to_string()), "{kind}: {out}");
        }
        ok(&stage, &["stop", "test"]);
        running.finish();
    }

    fn a_command_counts_for_the_limits(who) {
        let stage = stage(who).line("cgroup", "prefer pids.max = 20");
        let mut running = stage.start(&WAITER);
        running.line("ready");
        let dirs = ps(&stage)[0]["record"]["cgroups"].as_array().cloned().expect("a list");
        if who == Who::Root {
            let mut guest = Command::new(stage.path("nsl"));
            guest.args(["exec", "test", "/bin/sh", "-c", "echo up; exec sleep 60"]);
            stage.as_caller(&mut guest);
            let mut guest = stage.start_command(guest);
            guest.line("up");
            let pids = |dir: &Value| {
                let path = std::path::Path::new(dir.as_str().expect("a path")).join("cgroup.procs");
                std::fs::read_to_string(path).expect("a cgroup").lines().count()
            };
            assert!(!dirs.is_empty() && dirs.iter().all(|dir| pids(dir) >= 3), "{dirs:?}");
            ok(&stage, &["stop", "test"]);
            guest.finish_beside_another().ends(137);
        } else {
            assert!(dirs.is_empty(), "{dirs:?}");
            ok(&stage, &["stop", "test"]);
        }
        running.finish();
    }

    fn a_commands_status_is_passed_on(who) {
        let stage = stage(who);
        let mut running = stage.start(&WAITER);
        running.line("ready");
        let code = |args: &[&str]| nsl(&stage, &[&["exec", "test"], args].concat()).code;
        assert_eq!(code(&["/bin/sh", "-c", "exit 42"]), 42);
        assert_eq!(code(&["/bin/sh", "-c", "kill -TERM $$"]), 143);
        assert_eq!(code(&["nowhere-to-be-found"]), 127);
        let said = nsl(&stage, &["exec", "test", "/nowhere"]);
        assert!(said.code == 127 && said.err.contains("by its path in the sandbox") && !said.err.contains("`mount`"), "{}", said.err);
        let said = nsl(&stage, &["exec", "--cwd", "/nowhere", "test", "pwd"]);
        assert!(said.code == 125 && said.err.contains("entering /nowhere") && said.err.contains("`--cwd PATH`"), "{}", said.err);
        assert_eq!(code(&["/etc/passwd"]), 126);
        let env = ok(&stage, &["exec", "--env", "A=b", "--cwd", "/usr", "test", "/bin/sh", "-c", "echo $A; pwd"]);
        assert_eq!(env, "b\n/usr");
        ok(&stage, &["stop", "test"]);
        running.finish();
    }

    /// Without a PID namespace the kernel does not end the command: nsl does.
    fn a_command_ends_with_the_sandbox(who) {
        for pid in ["new", "host"] {
            let mut stage = stage(who);
            if pid == "host" {
                stage = stage.section("pid", "host", &[]).drop_line("mnt", "mount /proc");
            }
            let mut running = stage.start(&WAITER);
            running.line("ready");
            let mut guest = Command::new(stage.path("nsl"));
            guest.args(["exec", "test", "/bin/sh", "-c", "echo up; sleep 60"]);
            stage.as_caller(&mut guest);
            let mut guest = stage.start_command(guest);
            guest.line("up");
            ok(&stage, &["kill", "test"]);
            guest.finish_beside_another().ends(137);
            running.finish();
        }
    }

    fn a_stopped_sandbox_says_so(who) {
        let stage = stage(who);
        assert_eq!(stage.run(&["/bin/true"]).code(), 0);
        for args in [&["exec", "test", "/bin/true"][..], &["stop", "test"], &["kill", "test"], &["wait", "test"], &["freeze", "test"]] {
            let said = nsl(&stage, args);
            assert_eq!(said.code, 2, "{args:?}: {}", said.err);
            assert!(said.err.contains("no sandbox `test` is running"), "{args:?}: {}", said.err);
        }
    }

    fn stop_asks_as_the_policy_says(who) {
        let stage = stage(who).section("stop", "", &["signal = USR1", "timeout = 20s"]);
        let mut running = stage.start(&WAITER);
        running.line("ready");
        let mut waiter = Command::new(stage.path("nsl"));
        waiter.args(["wait", "test"]);
        stage.as_caller(&mut waiter);
        let waiter = stage.start_command(waiter);
        ok(&stage, &["stop", "test"]);
        running.finish_beside_another().ends(7);
        // Started before the end or after it: who comes too late is told so.
        let waited = waiter.finish();
        assert!([7, 2].contains(&waited.code()), "{waited:?}");
    }

    fn stop_does_not_wait_for_ever(who) {
        let stage = stage(who).section("stop", "", &["timeout = 1s"]);
        let mut running = stage.start(&["/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"]);
        running.line("ready");
        ok(&stage, &["stop", "test"]);
        running.finish().ends(137);
    }

    fn a_frozen_sandbox_stands_still(who) {
        let stage = stage(who);
        let mut running = stage.start(&WAITER);
        running.line("ready");
        if who == Who::User {
            let said = nsl(&stage, &["freeze", "test"]);
            assert!(said.code == 2 && said.err.contains("freeze-failed"), "{}", said.err);
            ok(&stage, &["stop", "test"]);
            running.finish();
            return;
        }
        ok(&stage, &["freeze", "test"]);
        assert_eq!(ps(&stage)[0]["status"], "frozen");
        let said = nsl(&stage, &["exec", "test", "/bin/true"]);
        assert!(said.err.contains("sandbox-frozen"), "{}", said.err);
        ok(&stage, &["kill", "test", "USR1"]);
        assert_eq!(ps(&stage)[0]["status"], "frozen");
        ok(&stage, &["thaw", "test"]);
        running.finish().ends(7);
        assert_eq!(files_of_room(&stage), [""; 0]);
    }

    fn a_frozen_sandbox_dies_with_its_nsl(who) {
        if who == Who::User {
            return;
        }
        let stage = stage(who);
        let mut running = stage.start(&WAITER);
        running.line("ready");
        ok(&stage, &["freeze", "test"]);
        let freezer = || std::process::Command::new("find").args(["/sys/fs/cgroup", "-name"])
            .arg(format!("nsl-freezer-{}-*", running.pid())).output().expect("find").stdout;
        assert!(!freezer().is_empty());
        running.signal(Signal::SIGKILL);
        let dir = String::from_utf8(freezer()).expect("a path");
        running.finish().ends(-9);
        assert_eq!(names(&stage), [""; 0]);
        assert!(!std::path::Path::new(dir.trim()).exists(), "{dir}");
    }

    fn in_the_background_it_has_a_log_and_a_status(who) {
        let stage = stage(who).option("-d");
        let script = "echo said; echo complained >&2; trap 'echo bye; exit 5' TERM; while :; do sleep 0.1; done";
        let started = stage.start(&["/bin/sh", "-c", script]).finish_beside_another();
        assert_eq!(started.out(), "test");
        assert_eq!(ps(&stage)[0]["record"]["detached"], true);
        while !ok(&stage, &["logs", "test"]).contains("complained") {}
        let said = nsl(&stage, &["rm", "test"]);
        assert!(said.code == 2 && said.err.contains("still-runs"), "{}", said.err);
        // What a shell offers behind these commands.
        let offered = |command| ok(&stage, &["__tab", "--", command, "te"]);
        assert!(offered("stop").starts_with("test\t") && offered("logs").starts_with("test\t"));
        assert_eq!(offered("rm"), "");
        let mut follower = Command::new(stage.path("nsl"));
        follower.args(["logs", "-f", "test"]);
        stage.as_caller(&mut follower);
        let mut follower = stage.start_command(follower);
        follower.line("said");
        ok(&stage, &["stop", "test"]);
        let followed = follower.finish_beside_another().out();
        assert!(followed.ends_with("bye"), "{followed}");
        assert_eq!(ok(&stage, &["logs", "test"]), "said\ncomplained\nbye");
        assert_eq!(nsl(&stage, &["wait", "test"]).code, 5);
        let said = nsl(&stage, &["exec", "test", "/bin/true"]);
        assert!(said.code == 2 && said.err.contains("sandbox-stopped"), "{}", said.err);
        assert_eq!(names(&stage), [""; 0]);
        assert!(ok(&stage, &["ps", "--all"]).contains("ended (5)"));
        let offered = |command| ok(&stage, &["__tab", "--", command, "te"]);
        assert!(offered("rm").starts_with("test\t") && offered("stop").is_empty());
        ok(&stage, &["rm", "test"]);
        assert_eq!(files_of_room(&stage), [""; 0]);
    }

    fn in_the_background_it_says_why_it_does_not_start(who) {
        let stage = stage(who).option("-d");
        stage.run(&["/nowhere"]).ends(127).says("/nowhere does not exist in the sandbox");
        assert_eq!(files_of_room(&stage), [""; 0]);
        let stage = Stage::new(who).env("NSL_STATE_DIR", "/proc/nowhere").option("-d");
        stage.run(&["/bin/true"]).ends(2).says("no-state-dir");
    }

    fn in_the_background_nothing_is_left_of_a_killed_nsl(who) {
        let stage = stage(who).option("-d");
        let started = stage.start(&WAITER).finish_beside_another();
        assert_eq!(started.out(), "test");
        let record = &ps(&stage)[0]["record"];
        let pid = record["supervisor"]["pid"].as_i64().expect("a pid") as i32;
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL).expect("it runs");
        let said = nsl(&stage, &["wait", "test"]);
        assert!(said.code == 125 && said.err.contains("status-unknown"), "{}", said.err);
        let left = leftovers::of(&stage.token(), pid as u32);
        assert!(left.is_empty(), "{left:?}");
        ok(&stage, &["rm", "test"]);
    }

    fn in_the_foreground_there_is_no_log(who) {
        let stage = stage(who);
        let mut running = stage.start(&WAITER);
        running.line("ready");
        let said = nsl(&stage, &["logs", "test"]);
        assert!(said.code == 2 && said.err.contains("no-log"), "{}", said.err);
        ok(&stage, &["kill", "test"]);
        running.finish();
    }

    /// Every field of what is printed as data is in the reference, and every field of the reference is printed.
    fn the_reference_names_every_field_of_the_data(who) {
        let stage = stage(who);
        let mut running = stage.start(&WAITER);
        running.line("ready");
        ps(&stage);
        let changed = stage.text().replacen("{", "{\n  env MORE = \"1\"\n  limits {\n    nofile = 99\n  }", 1);
        std::fs::write(stage.path("changed.nsl"), changed).expect("our own folder");
        let of = |args: &[&str], status: i32| -> Value {
            let said = nsl(&stage, args);
            assert_eq!(said.code, status, "{args:?}: {}{}", said.out, said.err);
            serde_json::from_str(&said.out).expect("JSON")
        };
        let drift = of(&["drift", "changed.nsl", "--json", "--run", "test", "--", "/bin/true"], 1);
        for (command, data) in [
            ("nsl ps --json", of(&["ps", "--json"], 0)),
            ("nsl inspect --json", of(&["inspect", "test", "--json"], 0)),
            ("nsl ns --json", of(&["ns", "--json"], 0)),
            ("nsl ns diff --json", of(&["ns", "diff", "test", "test", "--json"], 0)),
            ("nsl drift --json", drift),
        ] {
            let mut printed = std::collections::BTreeSet::new();
            fields("", &data, &mut printed);
            let told = documented(command);
            let extra: Vec<_> = printed.difference(&told).collect();
            assert!(extra.is_empty(), "{command}: not in the reference: {extra:?}");
            // What needs something that is not there now: a kept namespace, an end, a mount of its own.
            let absent = |it: &&String| !["namespaces.held.pid", "namespaces.held.fd", "end", "exit_status", "signal", "at"].contains(&it.as_str());
            let missing: Vec<_> = told.difference(&printed).filter(absent).collect();
            assert!(missing.is_empty(), "{command}: nothing has {missing:?}");
        }
        ok(&stage, &["kill", "test"]);
        running.finish().ends(137);
    }
}

/// The paths of all fields, through lists. What has names of other things as keys, and the plan, is one field.
fn fields(path: &str, value: &Value, found: &mut std::collections::BTreeSet<String>) {
    let leaf = [
        "record.namespaces",
        "program.namespaces",
        "program.capabilities",
        "program.limits",
        "program.attributes",
        "plan",
    ];
    match value {
        Value::Array(items) => items.iter().for_each(|it| fields(path, it, found)),
        Value::Object(map) if !leaf.contains(&path) => {
            for (key, value) in map {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                found.insert(path.clone());
                // Told of once, at `nsl ps`.
                if !(map.contains_key("processes")
                    && map.contains_key("plan")
                    && ["usage", "record"].contains(&path.as_str()))
                {
                    fields(&path, value, found);
                }
            }
        }
        _ => {}
    }
}

/// The fields that the reference has of what a command prints: those of the table behind the line that begins with the command. Words in the second
/// column count where they are paths.
fn documented(command: &str) -> std::collections::BTreeSet<String> {
    let text = include_str!("../../grammar/README.md");
    let behind = text
        .split_once(&format!("\n`{command}` prints"))
        .unwrap_or_else(|| panic!("no `{command}` in the reference"))
        .1;
    let rows = behind.lines().skip_while(|it| !it.starts_with('|')).skip(2).take_while(|it| it.starts_with('|'));
    let mut found = std::collections::BTreeSet::new();
    for row in rows {
        let mut cells = row.trim_matches('|').splitn(2, " | ");
        let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_string).collect::<Vec<_>>();
        found.extend(quoted(cells.next().unwrap_or_default()));
        let is_path = |it: &String| it.contains('.') && !it.contains([' ', '/']);
        found.extend(quoted(cells.next().unwrap_or_default()).into_iter().filter(is_path));
    }
    found
}
