//! An init that does not get the CPU: the program is there, and may be gone again, before init does anything after the fork.
//!
//! A tracer, ptrace(2), holds init at the fork of the program for as long as the test needs. Without a PID namespace of the sandbox's own
//! nobody else ends what the program leaves behind.

use std::collections::BTreeSet;
use std::io::Read;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::joins::{joining, started, stop, target};
use super::stage::{patience, spawn};
use super::*;

/// What starts a command that is held: a shell that stops itself first.
const THROUGH: [&str; 4] = ["/bin/sh", "-c", "kill -STOP $$; exec \"$@\"", "sh"];

/// nsl with an init that waits.
struct Held {
    nsl: Child,
    init: Pid,
    program: Pid,
    traced: BTreeSet<Pid>,
}

/// Starts a command that begins with [`THROUGH`], and holds init where it makes the program.
#[allow(clippy::zombie_processes)]
fn hold_init(command: &mut Command) -> Held {
    let nsl = spawn(command);
    let pid = Pid::from_raw(nsl.id() as i32);
    waitpid(pid, Some(WaitPidFlag::WUNTRACED)).expect("it stops itself");
    let all = Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_EXITKILL;
    ptrace::seize(pid, all).expect("our own child");
    kill(pid, Signal::SIGCONT).expect("our own child");
    let mut traced = BTreeSet::from([pid]);
    // Only of this thread: other tests have children too.
    let flags = WaitPidFlag::__WNOTHREAD | WaitPidFlag::__WALL;
    loop {
        match waitpid(None, Some(flags)).expect("a process is traced") {
            WaitStatus::PtraceEvent(parent, _, event) if event != 128 => {
                let child = Pid::from_raw(ptrace::getevent(parent).expect("it is stopped") as i32);
                traced.insert(child);
                // nsl makes init, or a process in between that joins what is joined and makes init a child of nsl as well.
                if parent != pid && parent_of(child) == Some(parent) {
                    return Held { nsl, init: parent, program: child, traced };
                }
                ptrace::cont(parent, None).expect("it is stopped");
            }
            WaitStatus::Stopped(pid, signal) => ptrace::cont(pid, signal).expect("it is stopped"),
            WaitStatus::PtraceEvent(pid, ..) => ptrace::cont(pid, None).expect("it is stopped"),
            WaitStatus::Exited(ended, _) | WaitStatus::Signaled(ended, ..) => {
                assert_ne!(ended, pid, "nsl has ended before it made a program");
                traced.remove(&ended);
            }
            _ => {}
        }
    }
}

fn parent_of(pid: Pid) -> Option<Pid> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok().map(Pid::from_raw)
}

impl Held {
    /// Lets everybody but init go on until something holds.
    fn until(&mut self, holds: impl Fn(&mut Held) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            self.pump();
            assert!(begun.elapsed() < patience(), "it never came to that");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn pump(&mut self) {
        let flags = WaitPidFlag::__WNOTHREAD | WaitPidFlag::__WALL | WaitPidFlag::WNOHANG;
        while let Ok(status) = waitpid(None, Some(flags)) {
            // Whoever is killed meanwhile needs no more.
            match status {
                WaitStatus::StillAlive => return,
                WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..) => drop(self.traced.remove(&pid)),
                WaitStatus::Stopped(pid, signal) => self.detach(pid, Some(signal)),
                WaitStatus::PtraceEvent(pid, ..) => self.detach(pid, None),
                _ => {}
            }
        }
    }

    fn ended(&self, pid: Pid) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with('Z'))
    }

    fn let_go(&mut self) {
        self.detach(self.init, None);
        // Whoever was traced and is not waited for stays a zombie, and a PID namespace does not end before those in it are gone.
        self.until(|held| held.traced.is_empty());
    }

    /// Lets a process go on that is nobody's to wait for any more, but for nsl.
    fn detach(&mut self, pid: Pid, signal: Option<Signal>) {
        let _ = ptrace::detach(pid, signal);
        if pid != Pid::from_raw(self.nsl.id() as i32) {
            self.traced.remove(&pid);
        }
    }
}

/// Two ends of a run in which init is late, each of which leaves nothing.
fn leaves_nothing(stage: &Stage) {
    let token = stage.token();
    let start = |then: &str| {
        let script = format!("setsid env T={token} sleep 1000 >/dev/null 2>&1 & echo up; {then}");
        hold_init(&mut stage.command_through(&THROUGH, &["/bin/sh", "-c", &script]))
    };
    let mut held = start("exit 3");
    held.until(|held| held.ended(held.program));
    held.let_go();
    assert_eq!(leftovers::of(&token, held.nsl.id()), Vec::<String>::new(), "of a program that has ended");

    let mut held = start("exec sleep 1000");
    let mut said = [0; 3];
    // The tracer has to see what becomes of the program, so this waits for its line only when it runs on its own.
    held.until(|held| {
        std::fs::read_to_string(format!("/proc/{}/cmdline", held.program)).is_ok_and(|it| it.starts_with("sleep"))
    });
    held.nsl.stdout.take().expect("piped").read_exact(&mut said).expect("it says `up`");
    kill(Pid::from_raw(held.nsl.id() as i32), Signal::SIGKILL).expect("it runs");
    held.let_go();
    assert_eq!(leftovers::of(&token, held.nsl.id()), Vec::<String>::new(), "of an nsl that was killed");
}

both! {
    fn with_the_pid_namespace_of_the_host_nothing_is_left(who) {
        leaves_nothing(&Stage::new(who).section("pid", "host", &[]).drop_line("mnt", "mount /proc"));
    }

    /// With CAP_SYS_PTRACE a program may look at whatever is in the sandbox and not sealed.
    fn of_its_memory_nothing_is_seen(who) {
        let stage = Stage::new(who).section("caps", "", &["ambient sys_ptrace"]).env("OUTSIDE", "of the caller");
        let script = "cat /proc/1/environ /proc/1/cmdline; echo over";
        let mut held = hold_init(&mut stage.command_through(&THROUGH, &["/bin/sh", "-c", script]));
        held.until(|held| held.ended(held.program));
        held.let_go();
        let mut said = String::new();
        held.nsl.stdout.take().expect("piped").read_to_string(&mut said).expect("text");
        assert_eq!(said.trim_matches('\0'), "over\n");
    }

    fn in_a_joined_pid_namespace_nothing_is_left(who) {
        let target = target(who);
        let (running, pid) = started(&target);
        leaves_nothing(&joining(who, &pid, &["user", "pid"]));
        stop(running);
    }
}
