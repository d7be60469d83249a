//! `tty = new`, and what a program without one can do to the caller's.

use nix::sys::signal::Signal;

use super::*;

/// Starts nsl on a terminal of 33 lines and 77 columns, and follows a script: pairs of a text to wait for and what to do then.
/// At the end it says how nsl ended and whether the terminal is set as it was.
const DRIVER: &str = r#"
import fcntl, os, pty, select, signal, struct, sys, termios, time
steps = []
args = sys.argv[1:]
while args[0] != "--":
    steps.append((args[0].encode(), args[1]))
    args = args[2:]
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
    os.write(1, b"go")
    os.read(0, 100)
    os.execv(args[1], args[1:])
os.read(fd, 100)
before = termios.tcgetattr(fd)
os.write(fd, b"\n")
def settled(same):
    end = time.monotonic() + 20
    while (termios.tcgetattr(fd) == before) != same and time.monotonic() < end:
        time.sleep(0.01)
    return termios.tcgetattr(fd) == before
def do(action):
    kind, _, rest = action.partition(":")
    if kind == "send":
        os.write(fd, rest.encode().decode("unicode_escape").encode())
    elif kind == "resize":
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 44, 88, 0, 0))
    elif kind == "kill":
        os.kill(pid, getattr(signal, rest))
    elif kind == "suspend":
        os.kill(pid, signal.SIGTSTP)
        _, status = os.waitpid(pid, os.WUNTRACED)
        say(f"stopped {os.WIFSTOPPED(status)} restored {settled(True)}")
        os.kill(pid, signal.SIGCONT)
        say(f"raw again {not settled(False)}")
        os.write(fd, rest.encode().decode("unicode_escape").encode())
def say(text):
    print(f"driver: {text}", flush=True)
seen = b""
done = 0
end = time.monotonic() + 60
while time.monotonic() < end:
    ready, _, _ = select.select([fd], [], [], 0.1)
    if ready:
        try:
            data = os.read(fd, 4096)
        except OSError:
            break
        if not data:
            break
        seen += data
        os.write(1, data)
    while steps and steps[0][0] in seen:
        wanted, action = steps.pop(0)
        seen = seen[seen.index(wanted) + len(wanted):]
        do(action)
    # What was written before the end may still be on its way: one more look after it.
    if done and not ready:
        break
    if not done:
        done, status = os.waitpid(pid, os.WNOHANG)
else:
    os.kill(pid, signal.SIGKILL)
    say("hung")
if not done:
    _, status = os.waitpid(pid, 0)
print()
say(f"status {os.waitstatus_to_exitcode(status)} restored {settled(True)}")
"#;

/// Runs a shell script in the sandbox on a terminal.
fn on_terminal(stage: &Stage, steps: &[(&str, &str)], script: &str) -> String {
    let mut through = vec!["/usr/bin/python3", "-I", "-S", "-c", DRIVER];
    steps.iter().for_each(|(wait, action)| through.extend([*wait, *action]));
    through.push("--");
    let outcome = stage.finish(stage.command_through(&through, &["/bin/sh", "-c", script]));
    outcome.out().replace('\r', "")
}

/// Runs another `nsl` of the same caller on a terminal.
fn nsl_on_terminal(stage: &Stage, steps: &[(&str, &str)], args: &[&str]) -> String {
    let nsl = stage.path("nsl").to_string_lossy().into_owned();
    let mut command = std::process::Command::new("/usr/bin/python3");
    command.args(["-I", "-S", "-c", DRIVER]);
    for (wait, action) in steps {
        command.args([*wait, *action]);
    }
    command.arg("--").arg(nsl).args(args);
    stage.as_caller(&mut command);
    command.env("TERM", "xterm");
    let output = command.output().expect("the driver can be started");
    (String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)).replace('\r', "")
}

fn with_terminal(who: Who) -> Stage {
    Stage::new(who).top("tty = new")
}

both! {
    fn it_is_a_terminal_of_the_sandbox(who) {
        let out = on_terminal(&with_terminal(who), &[], "tty; stty size; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && : </dev/tty && echo all; ls /dev/pts; exit 3");
        assert!(out.contains("/dev/pts/0\n33 77\nall\n0  ptmx\n"), "{out}");
        assert!(out.ends_with("driver: status 3 restored True"), "{out}");
    }

    fn keys_are_the_programs(who) {
        let script = "trap 'echo got INT; exit 5' INT; read line; echo line=$line; echo ready; while :; do sleep 0.1; done; stty -a";
        let out = on_terminal(&with_terminal(who), &[("", "send:words\\n"), ("ready", "send:\\x03")], script);
        assert!(out.contains("line=words") && out.contains("got INT") && out.contains("status 5 restored True"), "{out}");
    }

    fn a_shell_has_job_control(who) {
        // In the background, as a shell that waits for vfork(2) cannot be stopped before its child has called execve(2).
        let out = on_terminal(&with_terminal(who), &[("go", "send:\\x1a")], "set -m; sh -c 'sleep 60 & echo go; wait'; echo stopped; kill -KILL %1; echo on");
        assert!(out.contains("stopped") && out.contains("on") && out.contains("restored True"), "{out}");
    }

    fn it_grows_with_the_window(who) {
        let script = "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.1; done";
        let out = on_terminal(&with_terminal(who), &[("ready", "resize")], script);
        assert!(out.contains("44 88"), "{out}");
    }

    fn long_output_comes_whole(who) {
        let out = on_terminal(&with_terminal(who), &[], "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i + 1)); done");
        assert_eq!(out.lines().filter(|it| it.starts_with("line ")).count(), 20000, "{}", &out[out.len().saturating_sub(300)..]);
    }

    fn a_killed_nsl_leaves_the_callers_as_it_was(who) {
        let out = on_terminal(&with_terminal(who), &[("ready", "kill:SIGKILL")], "echo ready; sleep 1000");
        assert!(out.contains("status -9 restored True"), "{out}");
    }

    fn a_stopped_nsl_too(who) {
        let out = on_terminal(&with_terminal(who), &[("ready", "suspend:words\\n")], "echo ready; read line; echo line=$line");
        assert!(out.contains("stopped True restored True") && out.contains("raw again True") && out.contains("line=words"), "{out}");
        assert!(out.contains("status 0 restored True"), "{out}");
    }

    fn a_sandbox_that_is_not_built_leaves_it_as_it_was(who) {
        let stage = with_terminal(who).top("cwd = /etc/passwd");
        let out = on_terminal(&stage, &[], "echo ran");
        assert!(out.contains("ENOTDIR") && out.contains("status 125 restored True"), "{out}");
    }

    fn streams_can_be_elsewhere(who) {
        let stage = with_terminal(who).folder("out").top("stdout = file(./out/log)");
        let out = on_terminal(&stage, &[], "tty <&2; echo on the terminal >&2; echo in the file");
        assert!(out.contains("on the terminal") && !out.contains("in the file"), "{out}");
        assert_eq!(std::fs::read_to_string(stage.path("out/log")).expect("it was made"), "/dev/pts/0\nin the file\n");
    }

    fn without_a_terminal_there_is_none_to_connect_to(who) {
        let stage = with_terminal(who);
        stage.sh("echo ran").ends(125).says("nsl::tty-failed").says("ENOTTY").says(&stage.place("tty ="));
        let outcome = Stage::new(who).top("prefer tty = new").sh("tty; echo ran");
        outcome.ends(0).says("is not in force");
        assert_eq!(outcome.bytes(), b"not a tty\nran\n");
    }

    /// CVE-2017-5226: what a program types into the caller's terminal, the caller's shell executes.
    fn the_callers_own_cannot_be_typed_into(who) {
        let program = "import fcntl, os, termios\\n\
try: os.open('/dev/tty', os.O_RDWR); print('has a controlling terminal')\\n\
except OSError as error: print('no controlling terminal')\\n\
try: fcntl.ioctl(0, termios.TIOCSTI, b'x'); print('typed')\\n\
except OSError as error: print('refused')\\n\
try: fcntl.ioctl(0, termios.TIOCSCTTY, 1); print('stolen')\\n\
except OSError as error: print('not stolen')\\n";
        let script = format!("[ -t 0 ] && printf '{}' >/tmp/x && exec python3 -I -S /tmp/x", program.replace('\'', "'\\''"));
        let out = on_terminal(&Stage::new(who), &[], &script);
        assert!(out.contains("no controlling terminal") && out.contains("refused") && out.contains("not stolen"), "{out}");
    }

    /// Ctrl-Z in a shell stops nsl, and with it all that the sandbox does.
    fn job_control_stops_the_whole_sandbox(who) {
        for init in ["init = true", "init = false"] {
            // Before Linux 6.3 a new time namespace takes a fork to enter.
            let stage = Stage::new(who).section("pid", "new", &[init]).section("time", "host", &[]);
            let command = match init {
                "init = true" => vec!["/bin/sh", "-c", "sleep 1000 & echo ready; read line; echo $line"],
                _ => vec!["/bin/cat"],
            };
            let mut start = stage.command(&command);
            start.stdin(std::process::Stdio::piped());
            let mut running = stage.start_command(start);
            if init == "init = true" {
                running.line("ready");
            } else {
                running.write("ready\n");
                running.line("ready");
            }
            let state = |pid: &str| {
                let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
                stat.rsplit_once(')').and_then(|it| it.1.trim().chars().next()).unwrap_or('?')
            };
            let mut programs = stage::programs(&stage.token());
            assert!(!programs.is_empty());
            programs.push(running.pid().to_string());
            let all = |wanted: char| {
                let begun = std::time::Instant::now();
                while programs.iter().any(|it| (state(it) == 'T') != (wanted == 'T')) && begun.elapsed() < stage::patience() {
                    std::thread::sleep(std::time::Duration::from_millis(5));
                }
                programs.iter().map(|it| state(it)).collect::<String>()
            };
            running.signal(Signal::SIGTSTP);
            assert!(all('T').chars().all(|it| it == 'T'), "{init}: {:?} {}", programs, all('T'));
            running.signal(Signal::SIGCONT);
            assert!(all('S').chars().all(|it| it != 'T'), "{init}: {:?} {}", programs, all('S'));
            running.write("words\n");
            running.line("words");
            running.close_input();
            running.finish().ends(0);
        }
    }

    fn a_guest_gets_a_terminal_of_the_sandbox(who) {
        let stage = seen::stage(who).option("--name").option("guested");
        let mut running = stage.start(&seen::WAITER);
        running.line("ready");
        seen::ps(&stage);
        let shell = ["exec", "-t", "guested", "--", "/bin/sh", "-c", "tty; stty size; : </dev/tty && echo controlled; read line; echo got $line; exit 4"];
        let out = nsl_on_terminal(&stage, &[("controlled", "send:word\\n")], &shell);
        assert!(out.contains("/dev/pts/0\n33 77\n") && out.contains("got word"), "{out}");
        assert!(out.ends_with("driver: status 4 restored True\n"), "{out}");
        let said = seen::nsl(&stage, &["exec", "--tty", "guested", "--", "/bin/true"]);
        assert!(said.code == 2 && said.err.contains("here is none"), "{} {}", said.code, said.err);
        seen::ok(&stage, &["kill", "guested"]);
        running.finish().ends(137);
    }

    fn the_live_list_follows_the_window_and_gives_it_back(who) {
        let stage = seen::stage(who).option("--name").option("listed");
        let nothing = nsl_on_terminal(&stage, &[("0 running", "send:q")], &["top", "--every", "3600"]);
        assert!(nothing.contains("NAME") && nothing.ends_with("driver: status 0 restored True\n"), "{nothing}");
        let mut running = stage.start(&seen::WAITER);
        running.line("ready");
        seen::ps(&stage);
        // 77 columns, and 88 once the window has grown; the hour between two looks is not waited for.
        let steps = [("q quit", "resize:"), ("q quit", "send:m"), ("q quit", "send:q")];
        let out = nsl_on_terminal(&stage, &steps, &["top", "--every", "3600"]);
        assert!(out.contains("1 running") && out.contains("listed") && out.contains("\x1b[?1049h"), "{out:?}");
        let bar = |width: usize| format!("{:width$}", "c cpu  m memory  p processes  n name  q quit");
        assert!(out.contains(&bar(77)) && out.contains(&bar(88)), "{out:?}");
        assert!(out.contains("\x1b[?1049l") && out.ends_with("driver: status 0 restored True\n"), "{out:?}");
        let ended = nsl_on_terminal(&stage, &[("q quit", "kill:SIGTERM")], &["top"]);
        assert!(ended.contains("\x1b[?1049l") && ended.ends_with("driver: status 143 restored True\n"), "{ended:?}");
        seen::ok(&stage, &["kill", "listed"]);
        running.finish().ends(137);
    }
}
