//! What a program has at its descriptors, and what it has not.

use std::fs;
use std::os::unix::fs::symlink;

use super::*;

/// A script before nsl, which has `"$@"`.
fn after(script: &'static str) -> [&'static str; 4] {
    ["/bin/sh", "-c", script, "sh"]
}

const LIST: &str = "for fd in /proc/self/fd/*; do [ -e $fd ] && echo ${fd##*/} $(readlink $fd); done; true";

both! {
    fn streams_go_where_the_policy_says(who) {
        let stage = Stage::new(who).folder("out").file("in", 0o644, "words\n").top("stdin = file(./in)").top("stdout = file(./out/log)").top("stderr = stdout");
        let outcome = stage.sh("cat; echo wrong >&2; echo more");
        outcome.ends(0);
        assert_eq!(outcome.bytes(), b"");
        assert_eq!(fs::read_to_string(stage.path("out/log")).expect("it was made"), "words\nwrong\nmore\n");
        stage.sh("echo less").ends(0);
        assert_eq!(fs::read_to_string(stage.path("out/log")).expect("it is there"), "less\n", "it is emptied");
    }

    fn files_are_appended_to(who) {
        let stage = Stage::new(who).folder("out").top("stdout = file(./out/log, append)").top("stdin = null").top("stderr = null");
        for _ in 0..2 {
            assert_eq!(stage.sh("cat; echo line; echo nothing >&2").ends(0).stderr, "");
        }
        assert_eq!(fs::read_to_string(stage.path("out/log")).expect("it was made"), "line\nline\n");
    }

    fn a_link_at_the_end_is_not_followed(who) {
        let stage = Stage::new(who).folder("out").file("precious", 0o666, "precious").top("stdout = file(./out/log)");
        symlink(stage.path("precious"), stage.path("out/log")).expect("our own folder");
        stage.sh("echo ran").ends(125).says("nsl::stdio-failed").says("ELOOP").says(&stage.place("stdout ="));
        assert_eq!(fs::read_to_string(stage.path("precious")).expect("it is there"), "precious");
    }

    fn what_cannot_be_opened_is_told(who) {
        for (line, what) in [("stdout = file(./no/log)", "ENOENT"), ("stdin = file(./none)", "ENOENT"), ("stdin = file(./out)", "EISDIR"), ("stderr = file(./out)", "EISDIR")] {
            let stage = Stage::new(who).folder("out").top(line);
            stage.sh("echo ran").ends(125).says("nsl::stdio-failed").says(what).says(&stage.place(line));
        }
        let stage = Stage::new(who).top("stdout = file(./fifo)");
        nix::unistd::mkfifo(&stage.path("fifo"), nix::sys::stat::Mode::from_bits_truncate(0o666)).expect("our own folder");
        let _ = fs::set_permissions(stage.path("fifo"), std::os::unix::fs::PermissionsExt::from_mode(0o666));
        stage.sh("echo ran").ends(125).says("nsl::stdio-failed").says("ENXIO");
    }

    fn descriptors_are_handed_over_by_name(who) {
        let stage = Stage::new(who).top("fd first = 3").top("fd second = 4").option("--fd").option("first=4").option("--fd").option("second=9");
        // First at the number of second, and one that nobody named.
        let through = after("exec \"$@\" 4>one 9>two 7>three 3</");
        let outcome = stage.finish(stage.command_through(&through, &["/bin/sh", "-c", &format!("echo eins >&3; echo zwei >&4; {LIST}")]));
        let out = outcome.out();
        let numbers: Vec<&str> = out.lines().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(numbers, ["0", "1", "2", "3", "4"], "{outcome:?}");
        assert_eq!(fs::read_to_string(stage.path("one")).expect("it was made"), "eins\n");
        assert_eq!(fs::read_to_string(stage.path("two")).expect("it was made"), "zwei\n");
    }

    fn a_program_is_told_of_its_descriptors(who) {
        let program = "import os; print(os.environ['LISTEN_FDS'], os.environ['LISTEN_FDNAMES'], int(os.environ['LISTEN_PID']) - os.getpid()); os.write(4, b'2')";
        for init in ["true", "false"] {
            // Without an init a time namespace of its own needs Linux 6.3.
            let stage = Stage::new(who).drop_section("time").section("pid", "new", &[&format!("init = {init}")]);
            let stage = stage.top("fd second = 4").top("fd first = 3").top("listen-fds = true");
            let stage = ["--fd", "first=3", "--fd", "second=4"].iter().fold(stage, |stage, it| stage.option(it));
            let through = after("exec \"$@\" 4>two 3>one");
            let outcome = stage.finish(stage.command_through(&through, &["/usr/bin/python3", "-I", "-S", "-c", program]));
            assert_eq!(outcome.out(), "2 first:second 0");
            assert_eq!(fs::read_to_string(stage.path("two")).expect("it was made"), "2");
        }
    }

    fn descriptors_are_counted_from_3_on(who) {
        let stage = || Stage::new(who).top("prefer fd a = 3").top("prefer fd b = 4").top("listen-fds = true").option("--fd");
        let run = |stage: Stage| stage.finish(stage.command_through(&after("exec \"$@\" 7>out"), &["/bin/sh", "-c", "echo $LISTEN_FDS $LISTEN_FDNAMES"]));
        assert_eq!(run(stage().option("a=7")).says("nobody handed it over").out(), "1 a");
        run(stage().option("b=7")).ends(2).says("nsl::fd-missing").says("without a gap");
        // With none at all it is told of none.
        let none = Stage::new(who).top("prefer fd a = 3").top("listen-fds = true");
        assert_eq!(none.sh("echo ${LISTEN_FDS-none}").out(), "none");
    }

    /// As a service manager starts nsl: sd_listen_fds(3).
    fn descriptors_of_a_service_manager_are_taken_by_name(who) {
        let manager = |pid: &str, names: &str| {
            let script = format!("import os, sys, socket\nservers = [socket.create_server(('127.0.0.1', 0)) for _ in (0, 1)]\nfor at, server in enumerate(servers): os.set_inheritable(os.dup2(server.fileno(), 3 + at), True)\nos.environ.update(LISTEN_PID={pid}, LISTEN_FDS='2', LISTEN_FDNAMES={names:?})\nos.execv(sys.argv[1], sys.argv[1:])");
            ["/usr/bin/python3".to_string(), "-c".into(), script]
        };
        let stage = || Stage::new(who).top("fd admin = 4").top("fd http = 3").top("listen-fds = true").option("--listen-fds");
        let program = "import os, socket; print(os.environ['LISTEN_FDNAMES'], os.environ['LISTEN_PID'] == str(os.getpid())); print(*[socket.socket(fileno=it).getsockopt(1, 30) for it in (3, 4)])";
        let run = |stage: Stage, pid: &str, names: &str| {
            let through = manager(pid, names);
            let through: Vec<&str> = through.iter().map(String::as_str).collect();
            stage.finish(stage.command_through(&through, &["/usr/bin/python3", "-I", "-S", "-c", program]))
        };
        let own = "str(os.getpid())";
        // SO_ACCEPTCONN: both are sockets that listen.
        assert_eq!(run(stage(), own, "http:admin").out(), "http:admin True\n1 1");
        assert_eq!(run(stage(), own, "admin:http").out(), "http:admin True\n1 1");
        run(stage(), "'1'", "http:admin").ends(2).says("nsl::listen-fds-not-passed").says("exec nsl run");
        run(stage(), own, "http:web.socket").ends(2).says("nsl::listen-fds-not-passed").says("FileDescriptorName=");
        run(stage(), own, "http:other").ends(2).says("nsl::fd-missing").says("nsl::fd-unknown");
        stage().sh("echo ran").ends(2).says("nsl::listen-fds-not-passed").says("not set");
    }

    fn descriptors_change_places(who) {
        let stage = Stage::new(who).top("fd first = 3").top("fd second = 4").top("fd high = 100");
        let options = ["--fd", "first=4", "--fd", "second=3", "--fd", "high=5"];
        let stage = options.iter().fold(stage, |stage, it| stage.option(it));
        let through = after("exec \"$@\" 4>one 3>two 5>three");
        stage.finish(stage.command_through(&through, &["/usr/bin/python3", "-I", "-S", "-c", "import os; os.write(3, b'1'); os.write(4, b'2'); os.write(100, b'3')"])).ends(0);
        for (name, text) in [("one", "1"), ("two", "2"), ("three", "3")] {
            assert_eq!(fs::read_to_string(stage.path(name)).expect("it was made"), text, "{name}");
        }
    }

    fn descriptors_that_are_not_there(who) {
        let stage = Stage::new(who).top("fd log = 3");
        stage.sh("echo ran").ends(2).says("nsl::fd-missing").says(&stage.place("fd log"));
        Stage::new(who).top("prefer fd log = 3").sh("echo ran").ends(0).says("nobody handed it over");
        Stage::new(who).option("--fd").option("log=3").sh("echo ran").ends(2).says("nsl::fd-not-open");
        let stage = Stage::new(who).option("--fd").option("log=3");
        stage.finish(stage.command_through(&after("exec \"$@\" 3>log"), &["/bin/true"])).ends(2).says("nsl::fd-unknown");
        Stage::new(who).option("--fd").option("log=1").sh("echo ran").ends(2).says("3 or more");
        // The report's own is no descriptor of the caller's.
        let stage = Stage::new(who).top("fd log = 3").option("--report").option("report.json").option("--fd").option("log=3");
        stage.sh("echo ran >&3").ends(2).says("nsl::fd-not-open");
    }

    /// CVE-2024-21626: from an open directory of the host `..` leads everywhere.
    fn directories_are_refused(who) {
        let stage = Stage::new(who).top("fd dir = 3").option("--fd").option("dir=3");
        stage.finish(stage.command_through(&after("exec \"$@\" 3</"), &["/bin/ls", "/proc/self/fd/3/"])).ends(2).says("is a directory");
        let stage = Stage::new(who);
        for redirection in ["</", "2</"] {
            let through = ["/bin/sh", "-c", &format!("exec \"$@\" {redirection}"), "sh"];
            let outcome = stage.finish(stage.command_through(&through, &["/bin/ls", "/proc/self/fd/0/"]));
            assert_eq!((outcome.code(), outcome.bytes()), (125, &b""[..]), "{outcome:?}");
        }
    }

    fn closed_streams_at_the_start_are_nothing(who) {
        let stage = Stage::new(who).folder("out").line("mnt", "mount /out = bind(./out, rw)").file("out/log", 0o666, "");
        for closed in ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"] {
            let through = ["/bin/sh", "-c", &format!("exec \"$@\" {closed}"), "sh"];
            let script = format!("{{ {LIST}; }} >/out/log");
            stage.finish(stage.command_through(&through, &["/bin/sh", "-c", &script])).ends(0);
            let seen = fs::read_to_string(stage.path("out/log")).expect("it is there");
            // Neither nothing, nor anything of nsl's own.
            // (A shell keeps what it redirects at 10 and above, and closes it when it executes.)
            let number = |line: &str| line.split(' ').next().and_then(|it| it.parse::<u32>().ok());
            let seen: Vec<&str> = seen.lines().filter(|it| !it.contains("/log") && !it.contains("/proc/") && number(it) < Some(10)).collect();
            assert!(seen.len() <= 3 && seen.iter().all(|it| it.contains("/dev/null") || it.contains("pipe:")), "{closed}: {seen:?}");
        }
    }
}
