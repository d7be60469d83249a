//! Pods: what containers share and what they do not, in which order they live and end, and that nothing of them stays.

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::*;

/// The pod's part, for a caller without subordinate ids.
const SHARED: &str = "  user new {\n    map uid 0 = unprivileged\n    map gid 0 = unprivileged\n  }\n  net new\n  ipc new\n  uts new {\n    \
                      hostname = \"pod\"\n  }\n";

/// A pod of shell scripts, each with statements of its own.
fn pod(who: Who, shared: &str, containers: &[(&str, &str, &str)]) -> Stage {
    let stage = Stage::of(who, "");
    let token = stage.token();
    let mut text = format!("pod p {{\n  env NSL_TEST = \"{token}\"\n{shared}");
    for (name, statements, script) in containers {
        text.push_str(&format!(
            "  container {name} {{\n    run = [\"/bin/sh\", \"-c\", {script:?}]\n    pid new\n    mnt new {{\n      root = host(ro)\n      \
             mount /proc = proc\n      mount /dev = dev\n      mount /tmp = tmpfs(size: 1MiB)\n    }}\n    {statements}\n  }}\n"
        ));
    }
    stage.with_text(&format!("{text}}}\n"))
}

fn run(stage: &Stage) -> Outcome {
    stage.run::<&str>(&[])
}

/// A folder in the stage's that its caller may use as XDG_RUNTIME_DIR.
fn with_room(stage: Stage, who: Who) -> (Stage, String) {
    let stage = stage.folder("room");
    let room = stage.path("room");
    fs::set_permissions(&room, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("our own folder");
    nix::unistd::chown(&room, Some(who.uid().into()), None).expect("a folder can be given away");
    let runtime = room.to_string_lossy().into_owned();
    (stage, runtime)
}

/// The lines that a container has said.
fn said(outcome: &Outcome, name: &str) -> Vec<String> {
    let text = String::from_utf8_lossy(outcome.bytes()).into_owned();
    let of = |line: &str| {
        let (by, rest) = line.split_once(" | ").or_else(|| line.strip_suffix(" |").map(|by| (by, "")))?;
        (by.trim_end() == name).then(|| rest.to_string())
    };
    text.lines().filter_map(of).collect()
}

/// A server of one line for each connection.
fn server(port: u16, line: &str) -> String {
    format!(
        "exec /usr/bin/python3 -I -S -c \"import socket; s=socket.create_server(('127.0.0.1',{port}))\nwhile True: c,_=s.accept(); \
         c.sendall(b'{line}'); c.close()\""
    )
}

fn client(port: u16) -> String {
    format!(
        "/usr/bin/python3 -I -S -c \"import socket; print(socket.create_connection(('127.0.0.1',{port}),5).recv(99).decode())\""
    )
}

const LINKS: &str = "for kind in user net ipc uts pid mnt; do readlink /proc/self/ns/$kind; done";

both! {
    fn containers_share_what_the_pod_makes_and_nothing_else(who) {
        let show = format!("{LINKS}; uname -n; id -u; ls -d /proc/[0-9]* | wc -l; test -e /tmp/mine || echo none; touch /tmp/mine; sleep 0.5");
        let stage = pod(who, SHARED, &[("a", "", &show), ("b", "", &show)]);
        let outcome = run(&stage);
        outcome.ends(0);
        let (a, b) = (said(&outcome, "a"), said(&outcome, "b"));
        assert_eq!(a.len(), 10, "{outcome:?}");
        assert_eq!(a[..4], b[..4], "user, net, ipc and uts are the pod's");
        assert!(a[4] != b[4] && a[5] != b[5], "pid and mnt are their own: {outcome:?}");
        assert_eq!(a[6..8], ["pod", "0"]);
        for lines in [&a, &b] {
            assert!(lines[8].trim().parse::<u32>().is_ok_and(|count| count <= 5), "{outcome:?}");
            assert_eq!(lines[9], "none", "nobody sees another's files");
        }
    }

    fn containers_talk_over_the_pods_loopback_in_their_order(who) {
        // The client tries once: it must not be started before the server is ready.
        let stage = pod(who, SHARED, &[
            ("client", "after = [server]\n    essential = true", &client(7000)),
            ("server", "ready = tcp(127.0.0.1, port: 7000, within: 30s)", &server(7000, "hello from inside")),
        ]);
        let outcome = run(&stage);
        outcome.ends(0);
        assert_eq!(said(&outcome, "client"), ["hello from inside"]);
    }

    fn a_port_of_the_pod_answers_on_the_host(who) {
        let port = network::free_port();
        let shared = SHARED.replace("net new", &format!("net new {{\n    publish {port}/tcp = 7000/tcp\n  }}"));
        let serve = "exec /usr/bin/python3 -I -m http.server 7000 --bind 127.0.0.1";
        let stage = pod(who, &shared, &[("web", "", serve), ("other", "", "sleep 1000")]);
        let running = stage.start::<&str>(&[]);
        assert!(network::get(port, "/etc/hostname").starts_with("HTTP/1.0 200 OK"));
        running.signal(Signal::SIGTERM);
        running.finish().ends(143);
    }

    fn a_container_that_is_never_ready_ends_the_pod(who) {
        let stage = pod(who, SHARED, &[
            ("slow", "ready = file(/tmp/never, within: 300ms)", "trap 'echo asked; exit 0' TERM; while :; do sleep 0.05; done"),
            ("late", "after = [slow]", "echo started"),
        ]);
        let outcome = run(&stage);
        outcome.ends(125).says("`slow` was not ready within 0.3s").says(&stage.place("within: 300ms"));
        assert_eq!(said(&outcome, "slow"), ["asked"]);
        assert!(said(&outcome, "late").is_empty());
    }

    fn a_probe_that_cannot_be_made_says_why(who) {
        let stage = pod(who, SHARED, &[("slow", "ready = exec([\"/bin/misspelt\"], within: 600ms)", "exec sleep 1000")]);
        let outcome = run(&stage);
        outcome.ends(125).says("`slow` was not ready within 0.6s").says("is ready could not be asked: /bin/misspelt does not exist in the sandbox: ENOENT");
        let asked = outcome.stderr.lines().filter(|it| it.contains("could not be asked")).count();
        assert_eq!(asked, 1, "it is asked again, and told once");
    }

    fn a_container_that_ends_before_it_is_ready_ends_the_pod(who) {
        let stage = pod(who, SHARED, &[
            ("db", "ready = file(/tmp/up, within: 60s)", "exit 4"),
            ("app", "after = [db]", "echo started"),
        ]);
        let outcome = run(&stage);
        outcome.ends(125).says("`db` ended with status 4 before it was ready");
        assert!(said(&outcome, "app").is_empty());
    }

    fn probes_ask_from_inside(who) {
        let stage = pod(who, SHARED, &[
            ("a", "ready = file(/tmp/up, within: 30s)", "sleep 0.2; touch /tmp/up; sleep 1000"),
            ("b", "after = [a]\n    ready = exec([\"/bin/sh\", \"-c\", \"test -e /tmp/b && test $(id -u) = 0 && uname -n && test ! -e /tmp/up\"], within: 30s)",
             "touch /tmp/b; sleep 1000"),
            ("c", "after = [b]\n    essential = true", "echo all are ready"),
        ]);
        let outcome = run(&stage);
        outcome.ends(0);
        assert_eq!(said(&outcome, "c"), ["all are ready"]);
        assert_eq!(said(&outcome, "b"), ["pod"], "the probe is in the container");
    }

    fn a_container_is_started_again_as_often_as_it_may_be(who) {
        let stage = pod(who, SHARED, &[("flaky", "restart = on-failure(max: 2, backoff: 20ms)", "echo run; exit 3")]);
        let outcome = run(&stage);
        outcome.ends(3);
        assert_eq!(said(&outcome, "flaky"), ["run", "run", "run"]);
        outcome.says("is started again in 0.02s (1 of 2)").says("is started again in 0.04s (2 of 2)");
        outcome.says("flaky ended with status 3, and is not started any more");
    }

    fn success_is_no_failure(who) {
        let stage = pod(who, SHARED, &[("job", "restart = on-failure(max: 5, backoff: 20ms)", "echo run")]);
        let outcome = run(&stage);
        outcome.ends(0);
        assert_eq!(said(&outcome, "job"), ["run"]);
    }

    fn the_pod_ends_in_the_reverse_order_with_each_ones_own_signal(who) {
        let wait = |signal: &str| format!("trap 'echo ends; exit 0' {signal}; echo up; while :; do sleep 0.05; done");
        let stage = pod(who, SHARED, &[
            ("third", "after = [second]", &wait("TERM")),
            ("first", "stop {\n      signal = USR1\n    }", &wait("USR1")),
            ("second", "after = [first]", &wait("TERM")),
        ]);
        let mut running = stage.start::<&str>(&[]);
        running.line("third  | up");
        running.signal(Signal::SIGTERM);
        let outcome = running.finish();
        outcome.ends(143);
        let text = String::from_utf8_lossy(outcome.bytes()).into_owned();
        let ends: Vec<&str> = text.lines().filter(|it| it.ends_with("ends")).collect();
        assert_eq!(ends, ["third  | ends", "second | ends", "first  | ends"]);
    }

    fn volumes_are_shared_as_far_as_each_container_may(who) {
        let shared = format!("{SHARED}  volume cache = tmpfs(size: 1MiB, noexec)\n  volume etc = bind(/etc)\n");
        let mount = |what: &str| format!("mnt {{\n      mount /shared = volume({what})\n    }}");
        let write = "cd /shared; echo from a > told; mkfifo -m 600 sub 2>/dev/null; head -c 2000000 /dev/zero > big 2>/dev/null; test $(stat -c %s big) -le 1048576 && echo limited; rm big sub; \
                     cp /bin/true t; ./t 2>/dev/null; echo exec $?; rm t; touch ready; sleep 1000";
        let read = "cat /shared/told; echo x 2>/dev/null > /shared/mine; echo wrote $?; rm /shared/told 2>/dev/null; echo removed $?; \
                    test -e /etc2/passwd && echo passwd; echo x 2>/dev/null > /etc2/passwd; echo wrote $?; \
                    for i in 1 2; do stat -c '%a %u' /shared; done; grep -c ' /shared ' /proc/self/mountinfo";
        let other = format!("{}\n    after = [a, none]\n    essential = true\n    mnt {{\n      mount /etc2 = volume(etc)\n    }}", mount("cache"));
        let stage = pod(who, &shared, &[
            ("a", &format!("{}\n    ready = file(/shared/ready, within: 60s)", mount("cache, rw")), write),
            ("b", &other, read),
            ("none", "after = [a]\n    ready = file(/tmp/done, within: 60s)", "ls -d /shared 2>/dev/null; echo nothing; touch /tmp/done; sleep 1000"),
        ]);
        let outcome = run(&stage);
        outcome.ends(0);
        assert_eq!(said(&outcome, "a"), ["limited", "exec 126"], "{outcome:?}");
        assert_eq!(
            said(&outcome, "b"),
            ["from a", "wrote 2", "removed 1", "passwd", "wrote 2", "1777 0", "1777 0", "1"],
            "{outcome:?}"
        );
        assert_eq!(said(&outcome, "none"), ["nothing"], "{outcome:?}");
        // Held by no mount of the host, and by no process any more.
        let mounts = fs::read_to_string("/proc/self/mountinfo").expect("our own mounts");
        assert!(!mounts.contains(" /shared "));
    }

    fn a_volume_outlives_a_container_that_is_started_again(who) {
        let shared = format!("{SHARED}  volume state = tmpfs(size: 1MiB, mode: 0o700)\n");
        let script = "n=$(cat /state/n 2>/dev/null || echo 0); echo run $n; echo $((n + 1)) > /state/n; test $n = 2";
        let statements = "restart = on-failure(max: 5, backoff: 10ms)\n    mnt {\n      mount /state = volume(state, rw)\n    }";
        let stage = pod(who, &shared, &[("flaky", statements, script)]);
        let outcome = run(&stage);
        outcome.ends(0);
        assert_eq!(said(&outcome, "flaky"), ["run 0", "run 1", "run 2"], "{outcome:?}");
    }

    fn containers_have_the_clocks_of_the_pod(who) {
        let shared = format!("{SHARED}  time new {{\n    boottime = 1000d\n  }}\n");
        let show = "readlink /proc/self/ns/time; test $(cut -d. -f1 /proc/uptime) -gt 86400000 && echo later";
        let ready = "ready = exec([\"/bin/sh\", \"-c\", \"test -e /tmp/shown && test $(cut -d. -f1 /proc/uptime) -gt 86400000\"], within: 60s)";
        let stage = pod(who, &shared, &[
            ("a", ready, &format!("{show}; touch /tmp/shown; sleep 1000")),
            ("b", "after = [a]\n    essential = true", show),
            ("c", "override time host", &format!("{show}; sleep 1000")),
        ]);
        let outcome = run(&stage);
        outcome.ends(0);
        let (a, b, c) = (said(&outcome, "a"), said(&outcome, "b"), said(&outcome, "c"));
        assert_eq!(a, b, "{outcome:?}");
        assert_eq!(a[1], "later");
        let own = fs::read_link("/proc/self/ns/time").expect("our own namespace").to_string_lossy().into_owned();
        assert!(a[0] != own, "{outcome:?}");
        assert!(c.is_empty() || c == [own], "{outcome:?}");
    }

    fn the_report_has_the_pod_and_every_run_of_its_containers(who) {
        let stage = pod(who, SHARED, &[
            ("flaky", "after = [good]\n    essential = true\n    restart = on-failure(max: 1, backoff: 10ms)", "exit 4"),
            ("good", "", "sleep 1000"),
            ("late", "after = [never]", "true"),
            ("never", "ready = file(/tmp/never, within: 1h)", "sleep 1000"),
        ]);
        let stage = stage.option("--report").option("report.json");
        let outcome = run(&stage);
        outcome.ends(4);
        let text = fs::read_to_string(stage.path("report.json")).expect("it was written");
        let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((&report["format"], &report["pod"], &report["exit_status"]), (&1.into(), &"p".into(), &4.into()), "{report:#}");
        let runs = |name: &str| {
            let all = report["containers"].as_array().expect("a list");
            all.iter().filter(|it| it["sandbox"] == name).cloned().collect::<Vec<_>>()
        };
        assert_eq!(runs("flaky").iter().map(|it| it["status"].as_i64()).collect::<Vec<_>>(), [Some(4), Some(4)], "{report:#}");
        assert_eq!(runs("good")[0]["ended"], "signaled");
        assert_eq!(runs("good")[0]["namespaces"]["net"], report["namespaces"]["net"], "{report:#}");
        assert!(runs("good")[0]["namespaces"]["pid"] != report["namespaces"]["pid"], "{report:#}");
        assert_eq!(runs("late"), [serde_json::json!({ "sandbox": "late", "ended": "unreported" })]);
    }

    fn every_step_of_a_pod_is_told_with_verbose(who) {
        let stage = pod(who, &format!("{SHARED}  time new\n"), &[("a", "", "true")]).option("--verbose");
        let outcome = run(&stage);
        outcome.ends(0).says("clone3 new").says("the namespaces of the pod are held").says("setns time, for the containers too");
        outcome.says("a | nsl: the program runs").says("pivot_root, detach the old root");
    }

    fn one_that_dies_leaves_the_others_and_is_the_pods_status(who) {
        let stage = pod(who, SHARED, &[("dies", "", "exit 7"), ("lives", "after = [dies]", "sleep 0.5; echo still here")]);
        let outcome = run(&stage);
        outcome.ends(7).says("dies ended with status 7");
        assert_eq!(said(&outcome, "lives"), ["still here"]);
    }

    fn an_essential_one_ends_all(who) {
        let stage = pod(who, SHARED, &[
            ("main", "after = [side]\n    essential = true", "exit 5"),
            ("side", "", "trap 'echo asked; exit 0' TERM; while :; do sleep 0.05; done"),
        ]);
        // `side` is ready when it was started, which may be before its shell has set the trap.
        run(&stage).ends(5).says("main ended with status 5, and so does the pod");
    }

    fn what_does_not_end_in_time_is_killed(who) {
        let stage = pod(who, SHARED, &[("deaf", "stop {\n      timeout = 100ms\n    }", "trap '' TERM; echo up; while :; do sleep 0.05; done")]);
        let mut running = stage.start::<&str>(&[]);
        running.line("deaf | up");
        let begun = Instant::now();
        running.signal(Signal::SIGTERM);
        running.finish().ends(143);
        assert!(begun.elapsed() < stage::patience());
    }

    fn a_killed_nsl_leaves_nothing(who) {
        let port = network::free_port();
        let shared = SHARED.replace("net new", &format!("net new {{\n    publish {port}/tcp = 7000/tcp\n  }}"));
        let stage = pod(who, &shared, &[
            ("a", "ready = file(/tmp/never, within: 1h)", "setsid sleep 1000 & echo up; sleep 1000"),
            ("b", "restart = always(backoff: 10ms)", "sleep 0.01"),
        ]);
        let mut running = stage.start::<&str>(&[]);
        running.line("a | up");
        running.signal(Signal::SIGKILL);
        running.finish();
        assert!(std::net::TcpListener::bind(("127.0.0.1", port)).is_ok(), "the port is free again");
    }

    fn a_container_that_cannot_be_had_ends_the_pod(who) {
        let text = pod(who, SHARED, &[("good", "", "sleep 1000"), ("bad", "", "true")]).text();
        let text = text.replace("\"/bin/sh\", \"-c\", \"true\"", "\"/tmp/no-such-program\"");
        run(&Stage::of(who, &text)).ends(127);
    }

    fn nobody_reaches_what_holds_the_pod_or_another_container(who) {
        // One PID namespace for all: its PID 1 holds the pod and is out of reach, and so are the files of the others.
        let shared = format!("{SHARED}  pid new\n");
        let victim = "echo secret > /tmp/secret; sleep 1000";
        let attack = "ls /proc/1/root/ >/dev/null 2>&1 && echo root; cat /proc/1/environ 2>/dev/null | grep -q . && echo environ; \
                      for pid in $(ls /proc | grep '^[0-9]*$'); do cat /proc/$pid/root/tmp/secret 2>/dev/null; done; \
                      kill -9 1 2>/dev/null; sleep 0.2; cat /proc/1/comm; cat /tmp/secret 2>/dev/null; echo done";
        let text = pod(who, &shared, &[("victim", "ready = file(/tmp/secret, within: 30s)", victim), ("attack", "after = [victim]\n    essential = true", attack)]);
        let text = text.text().replace("    pid new\n", "");
        let stage = Stage::of(who, &text.replacen("  pid new\n", "  pid new\n  caps {\n    keep none\n  }\n", 1));
        let outcome = run(&stage);
        outcome.ends(0);
        let lines = said(&outcome, "attack");
        assert!(lines.iter().all(|it| it != "root" && it != "environ"), "{outcome:?}");
        assert_eq!(lines.last().map(String::as_str), Some("done"));
        assert!(lines.contains(&"nsl-pod".to_string()), "{outcome:?}");
    }

    fn a_pod_in_the_background_is_there_when_all_are_ready(who) {
        let stage = pod(who, SHARED, &[
            ("b", "after = [a]", "echo b is up; sleep 1000"),
            ("a", "ready = file(/tmp/up, within: 30s)", "sleep 0.3; touch /tmp/up; sleep 1000"),
        ]);
        let (stage, runtime) = with_room(stage, who);
        let name = format!("bg{}", std::process::id());
        let nsl = |args: &[&str]| {
            let mut command = std::process::Command::new(stage.path("nsl"));
            command.args(args);
            stage.as_caller(&mut command);
            command.env("XDG_RUNTIME_DIR", &runtime);
            let output = stage::spawn(&mut command).wait_with_output().expect("nsl ends");
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            (output.status.code(), text(&output.stdout) + &text(&output.stderr))
        };
        fs::write(stage.path("test.nsl"), stage.text()).expect("our own folder");
        let file = stage.path("test.nsl").to_string_lossy().into_owned();
        let started = nsl(&["run", "--detach", "--name", &name, &file]);
        assert_eq!((started.0, started.1.trim()), (Some(0), name.as_str()));
        let inside = nsl(&["exec", &format!("{name}.b"), "--", "/bin/sh", "-c", "uname -n; id -u; cat /proc/1/comm"]);
        assert_eq!(inside, (Some(0), "pod\n0\nnsl-init\n".to_string()));
        assert_eq!(nsl(&["exec", &format!("{name}.a"), "--", "/bin/sh", "-c", "test -e /tmp/up"]).0, Some(0));
        let listed = nsl(&["ps"]).1;
        assert!(listed.contains(&format!("{name}.a")) && listed.contains(&format!("{name}.b")), "{listed}");
        assert!(nsl(&["logs", &name]).1.contains("b | b is up"));
        nsl(&["stop", &name]);
        let begun = Instant::now();
        let mut left = leftovers::processes(&stage.token());
        while !left.is_empty() && begun.elapsed() < stage::patience() {
            std::thread::sleep(Duration::from_millis(20));
            left = leftovers::processes(&stage.token());
        }
        assert!(left.is_empty(), "{left:#?}");
        nsl(&["rm", &name]);
    }

    fn a_pod_and_a_sandbox_are_joined_by_name(who) {
        let (_room, runtime) = with_room(Stage::of(who, ""), who);
        let name = format!("p{}", std::process::id());
        let stage = pod(who, SHARED, &[("a", "", "echo up; sleep 1000")]).env("XDG_RUNTIME_DIR", &runtime).option("--name").option(&name);
        let mut running = stage.start::<&str>(&[]);
        running.line("a | up");
        let join = |what: &str, kinds: &[&str]| {
            let lines: Vec<String> = kinds.iter().map(|kind| format!("  {kind} join({what})\n")).collect();
            Stage::of(who, &format!("sandbox beside {{\n{}}}\n", lines.concat())).env("XDG_RUNTIME_DIR", &runtime)
        };
        let begun = Instant::now();
        // The record is written when the program runs; its first word may come before that.
        let joined = loop {
            let outcome = join(&format!("pod: {name}"), &["user", "net", "uts"]).sh("uname -n; readlink /proc/self/ns/net");
            if outcome.code() == 0 || begun.elapsed() > stage::patience() {
                break outcome;
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        assert!(joined.out().starts_with("pod\nnet:"), "{joined:?}");
        join(&format!("pod: {name}"), &["user", "pid"]).sh("true").ends(2).says("is no `pid` namespace");
        let one = join(&format!("sandbox: \"{name}.a\""), &["user", "pid", "mnt"]).sh("cat /proc/2/cmdline | tr '\\0' ' '");
        assert!(one.out().contains("sleep 1000"), "{one:?}");
        join("sandbox: nobody-of-that-name", &["user", "net"]).sh("true").ends(2).says("no sandbox nobody-of-that-name");
        running.signal(Signal::SIGTERM);
        running.finish();
    }
}

/// The pod of the issue, verbatim but for its port, with limits that hold.
fn shop(who: Who) {
    let shop = "use std/service\n\npod shop {\n  user new {\n    map uid 0 = subid(count: 65536)\n    map gid 0 = subid(count: 65536)\n  }\n  net new {\n    \
                publish PORT/tcp = 8443/tcp\n  }\n  ipc new\n  uts new { hostname = \"shop\" }\n  cgroup new { memory.max = 512MiB }\n\n  container app with \
                service.hardened(memory: 256MiB, writable: [./data]) {\n    run   = [\"/usr/bin/python3\", \"-m\", \"http.server\", \"8081\", \"--bind\", \
                \"127.0.0.1\"]\n    ready = tcp(127.0.0.1, port: 8081, within: 30s)\n  }\n\n  container proxy with service.hardened(memory: 128MiB) {\n    run   = \
                [\"/usr/bin/socat\", \"TCP-LISTEN:8443,fork,reuseaddr\", \"TCP:127.0.0.1:8081\"]\n    after = [app]\n    restart = on-failure(max: 3, \
                backoff: 1s)\n  }\n}\n";
    let test = "sandbox::pods::the_shop";
    if !stage::have("socat") {
        return skip(test, "needs socat");
    }
    let Some(delegation) = limits::Delegation::to(who) else { return skip(test, "only root can hand over a cgroup") };
    let port = network::free_port();
    let stage = Stage::of(who, &shop.replace("PORT", &port.to_string())).folder("data");
    let stage = stage.option("--cgroup-parent").option(&delegation.parent());
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        let running = stage.start_command(delegation.command(&stage, who, &[]));
        assert!(network::get(port, "/etc/hostname").starts_with("HTTP/1.0 200 OK"));
        let pod = format!("nsl-shop-{}", running.pid());
        let memory = delegation.folder("memory").join(&pod);
        assert_eq!(
            fs::read_to_string(memory.join("memory.limit_in_bytes"))
                .or_else(|_| fs::read_to_string(memory.join("memory.max")))
                .unwrap_or_default()
                .trim(),
            "536870912"
        );
        for container in ["app", "proxy"] {
            let inside = fs::read_to_string(memory.join(container).join("cgroup.procs")).unwrap_or_default();
            assert!(inside.lines().count() >= 2, "{container} is in {pod}: {inside:?}");
        }
        running.signal(signal);
        running.finish();
        let begun = Instant::now();
        while memory.exists() && begun.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(!memory.exists(), "{pod} is left after {signal}");
    }
}

both! {
    /// All of it, or one container.
    fn a_pod_is_frozen_with_its_containers(who) {
        let (stage, runtime) = with_room(Stage::of(who, ""), who);
        let text = pod(who, SHARED, &[("a", "", "echo a; exec sleep 1000"), ("b", "", "echo b; exec sleep 1000")]).text();
        let stage = stage.with_text(&text).env("NSL_STATE_DIR", &format!("{runtime}/nsl"));
        let mut running = stage.start::<&str>(&[]);
        running.line("");
        running.line("");
        let said = seen::nsl(&stage, &["exec", "p", "/bin/true"]);
        assert!(said.code == 2 && said.err.contains("whole-pod") && said.err.contains("`p.CONTAINER`"), "{}", said.err);
        seen::ok(&stage, &["ns", "p.a"]);
        let said = seen::nsl(&stage, &["ns", "p"]);
        assert!(said.code == 0 || who == Who::User && said.err.contains("`p.CONTAINER`"), "{}", said.err);
        let statuses = || -> Vec<String> {
            seen::ps(&stage).iter().map(|it| it["status"].as_str().expect("a status").to_string()).collect()
        };
        // What is not frozen goes on as it is.
        seen::ok(&stage, &["thaw", "p"]);
        let said = seen::nsl(&stage, &["freeze", "p"]);
        if said.code == 2 && said.err.contains("freeze-failed") {
            // Not even a part of it is.
            assert_eq!(statuses(), ["running"; 3]);
            seen::ok(&stage, &["thaw", "p"]);
            seen::ok(&stage, &["stop", "p"]);
            running.finish();
            return;
        }
        assert_eq!((said.code, statuses()), (0, vec!["frozen".to_string(); 3]));
        seen::ok(&stage, &["thaw", "p"]);
        assert_eq!(statuses(), ["running"; 3]);
        seen::ok(&stage, &["freeze", "p.a"]);
        assert_eq!(statuses(), ["running", "frozen", "running"]);
        // A container that is frozen hears of no signal, so it goes on first.
        let begun = Instant::now();
        seen::ok(&stage, &["stop", "p"]);
        assert!(begun.elapsed() < Duration::from_secs(8));
        running.finish();
    }

    /// What is above holds what is below, where the cgroups of the containers are in that of the pod.
    fn a_container_does_not_go_on_before_its_pod(who) {
        let Some(delegation) = limits::Delegation::to(who) else {
            return skip("sandbox::pods::a_container_does_not_go_on_before_its_pod", "only root can hand over a cgroup");
        };
        let (stage, runtime) = with_room(Stage::of(who, ""), who);
        let shared = format!("{SHARED}  cgroup new {{ memory.max = 512MiB }}\n");
        let text = pod(who, &shared, &[("a", "", "echo a; exec sleep 1000")]).text();
        let stage = stage.with_text(&text).env("NSL_STATE_DIR", &format!("{runtime}/nsl"));
        let stage = stage.option("--cgroup-parent").option(&delegation.parent());
        let mut running = stage.start_command(delegation.command(&stage, who, &[]));
        running.line("");
        let said = seen::nsl(&stage, &["freeze", "p"]);
        if said.code == 0 {
            let dir = delegation.folder("memory").join(format!("nsl-p-{}", running.pid()));
            let begun = Instant::now();
            let said = seen::nsl(&stage, &["thaw", "p.a"]);
            match dir.join("cgroup.freeze").exists() {
                true => assert!(said.code == 2 && said.err.contains("`nsl thaw p`"), "{}", said.err),
                false => assert_eq!(said.code, 0, "{}", said.err),
            }
            assert!(begun.elapsed() < Duration::from_secs(8));
            seen::ok(&stage, &["thaw", "p"]);
            assert!(seen::ps(&stage).iter().all(|it| it["status"] == "running"));
        }
        seen::ok(&stage, &["stop", "p"]);
        running.finish();
    }

    /// Who starts it is told, and what its containers have said stays to be read.
    fn in_the_background_it_says_why_it_did_not_start(who) {
        let (stage, runtime) = with_room(Stage::of(who, ""), who);
        let text = pod(who, SHARED, &[("db", "ready = file(/tmp/never, within: 200ms)", "echo here; exec sleep 1000")]).text();
        let stage = stage.with_text(&text).option("-d").env("NSL_STATE_DIR", &format!("{runtime}/nsl"));
        stage.run::<&str>(&[]).ends(125).says("nsl::not-ready").says("did not come true in time").says("`nsl logs p`");
        assert_eq!(seen::ok(&stage, &["logs", "p"]), "db | here");
        seen::ok(&stage, &["rm", "p"]);
        let ready = pod(who, SHARED, &[("db", "", "echo here; exec sleep 1000")]).text();
        let stage = stage.with_text(&ready);
        assert_eq!(stage.start::<&str>(&[]).finish_beside_another().out(), "p");
        let said = seen::nsl(&stage, &["logs", "p.db"]);
        assert!(said.code == 2 && said.err.contains("`nsl logs p`"), "{}", said.err);
        seen::ok(&stage, &["stop", "p"]);
        seen::ok(&stage, &["rm", "p"]);
        let ends = pod(who, SHARED, &[("db", "ready = file(/tmp/never, within: 20s)", "exit 3")]).text();
        let stage = stage.with_text(&ends);
        stage.run::<&str>(&[]).ends(125).says("`db` ended with status 3 before it was ready");
    }
}

#[test]
fn the_shop_as_root() {
    Who::Root.play("sandbox::pods::the_shop_as_root", shop);
}

#[test]
fn the_shop_as_user() {
    Who::User.play("sandbox::pods::the_shop_as_user", shop);
}
