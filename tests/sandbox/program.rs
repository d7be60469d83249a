//! What the program is given: arguments, environment, descriptors, limits; and what it gives back.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;

use super::*;

both! {
    fn exit_statuses(who) {
        let stage = Stage::new(who);
        for code in [0, 1, 42, 125, 255] {
            stage.sh(&format!("exit {code}")).ends(code);
        }
        for (name, number) in [("KILL", 9), ("TERM", 15), ("SEGV", 11), ("USR1", 10)] {
            stage.sh(&format!("kill -{name} $$")).ends(128 + number);
        }
    }

    fn arguments_are_bytes(who) {
        let program = "import os, sys; print([os.fsencode(it).hex() for it in sys.argv[1:]])";
        let long = "x".repeat(120_000);
        let given: Vec<&OsStr> = vec![
            OsStr::new(""),
            OsStr::new("--"),
            OsStr::new("-x"),
            OsStr::from_bytes(b"\xff\xfe"),
            OsStr::new("two\nlines"),
            OsStr::new("${HOME} $x \"'"),
            OsStr::new(&long),
            OsStr::new(""),
        ];
        let mut args: Vec<OsString> = ["/usr/bin/python3", "-I", "-S", "-c", program].iter().map(OsString::from).collect();
        args.extend(given.iter().map(|it| it.to_os_string()));
        let expected: Vec<String> = given.iter().map(|it| format!("'{}'", it.as_bytes().iter().map(|b| format!("{b:02x}")).collect::<String>())).collect();
        assert_eq!(Stage::new(who).run(&args).out(), format!("[{}]", expected.join(", ")));
    }

    fn arguments_are_appended_to_run(who) {
        let stage = Stage::new(who).top("run = [\"/bin/echo\", \"one\"]");
        assert_eq!(stage.run::<&str>(&[]).out(), "one");
        assert_eq!(stage.run(&["two", "--", "-n"]).out(), "one two -- -n");
    }

    fn a_program_is_found_in_the_path_of_the_policy(who) {
        let stage = Stage::new(who).top("env PATH = \"/usr/bin:/bin\"");
        assert_eq!(stage.run(&["echo", "found"]).out(), "found");
    }

    fn only_the_environment_that_is_named(who) {
        let stage = Stage::new(who).env("SECRET", "1").env("KEPT", "2").top("env KEPT = inherit").top("env MADE = \"3\"").top("env GONE = inherit");
        let out = stage.run(&["/usr/bin/env"]).out();
        let mut names: Vec<&str> = out.lines().filter(|line| !line.starts_with("NSL_TEST=")).collect();
        names.sort_unstable();
        assert_eq!(names, ["KEPT=2", "MADE=3"]);
        // The init of the sandbox was a copy of nsl once: its environment is not to be read either.
        let seen = stage.sh("cat /proc/1/environ 2>/dev/null | tr '\\0' '\\n' | grep -c SECRET; true").out();
        assert_eq!(seen, "0");
    }

    fn working_directory(who) {
        assert_eq!(Stage::new(who).run(&["/bin/pwd"]).out(), "/");
        assert_eq!(Stage::new(who).top("cwd = /usr/bin").run(&["/bin/pwd"]).out(), "/usr/bin");
    }

    fn limits_are_set(who) {
        let stage = Stage::new(who).section("limits", "", &["nofile = 64", "core = 0B", "fsize = 1MiB"]);
        let program = "import resource as r; print(r.getrlimit(r.RLIMIT_NOFILE), r.getrlimit(r.RLIMIT_CORE), r.getrlimit(r.RLIMIT_FSIZE))";
        assert_eq!(stage.python(program).out(), "(64, 64) (0, 0) (1048576, 1048576)");
    }

    fn descriptors_are_closed(who) {
        let stage = Stage::new(who);
        let through = ["/bin/sh", "-c", "exec 9</etc/passwd 8</; exec \"$@\"", "sh"];
        let program = "import os; print(sorted(int(it) for it in os.listdir('/proc/self/fd')))";
        let command = stage.command_through(&through, &["/usr/bin/python3", "-I", "-S", "-c", program]);
        // 3 is the directory that is being listed.
        assert_eq!(stage.finish(command).out(), "[0, 1, 2, 3]");
    }

    fn works_without_standard_descriptors(who) {
        let stage = Stage::new(who).folder("data").line("mnt", "mount /data = bind(./data, rw)");
        let through = ["/bin/sh", "-c", "exec \"$@\" <&- >&- 2>&-", "sh"];
        let program = "ls -l /proc/self/fd >/data/fds; id -u >/data/ran";
        let command = stage.command_through(&through, &["/bin/sh", "-c", program]);
        stage.finish(command).ends(0);
        assert_eq!(std::fs::read_to_string(stage.path("data/ran")).expect("it ran"), "1000\n");
    }

    fn standard_input_comes_along(who) {
        let stage = Stage::new(who);
        let mut command = stage.command(&["/bin/cat"]);
        command.stdin(Stdio::piped());
        let mut child = stage::spawn(&mut command);
        child.stdin.take().expect("piped").write_all(b"one\ntwo\n").expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"one\ntwo\n"[..]));
    }

    /// A caller may have ignored or blocked signals; the program starts with none of that.
    fn signals_are_as_in_a_fresh_process(who) {
        let stage = Stage::new(who);
        let through = ["/bin/sh", "-c", "trap '' INT TERM HUP PIPE CHLD; exec \"$@\"", "sh"];
        let out = stage.finish(stage.command_through(&through, &["/bin/grep", "-E", "SigBlk|SigIgn", "/proc/self/status"])).out();
        // 32 and 33 are the C library's own, which posix_spawn(3) leaves ignored.
        let mask = |line: &str| u64::from_str_radix(line.split_whitespace().last().unwrap_or(""), 16).expect("a mask") & !(3 << 31);
        assert_eq!(out.lines().map(mask).collect::<Vec<_>>(), [0, 0], "{out}");
    }

    fn works_in_a_folder_that_is_gone(who) {
        let stage = Stage::new(who).folder("gone");
        let gone = stage.path("gone").display().to_string();
        let script = format!("cd {gone} && rmdir {gone} && exec \"$@\"");
        let through = ["/bin/sh", "-c", &script, "sh"];
        stage.finish(stage.command_through(&through, &["/bin/true"])).ends(0);
    }

    fn works_with_few_descriptors(who) {
        let stage = Stage::new(who);
        let through = ["/bin/sh", "-c", "ulimit -n 32; exec \"$@\"", "sh"];
        stage.finish(stage.command_through(&through, &["/bin/true"])).ends(0);
    }
}
