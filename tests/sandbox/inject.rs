//! Makes one system call of a run fail: a tracer, ptrace(2), that counts the calls of nsl and of its children up to execve(2).

use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::stage::spawn;

/// One call of one process, both counted from 0 in the order in which they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// The process: nsl itself, and then its children.
    pub process: usize,
    /// The call of it.
    pub call: usize,
    /// The number of the system call.
    pub number: u64,
}

/// What came of a run.
pub struct Traced {
    /// How nsl ended; `None` where it had to be killed.
    pub status: Option<ExitStatus>,
    /// What was written, by the program and by nsl.
    pub stdout: String,
    pub stderr: String,
    /// Every call that could have been made to fail.
    pub spots: Vec<Spot>,
    /// Its process id.
    pub pid: u32,
    /// Whether the call came that was to fail.
    pub failed: bool,
}

/// close(2), which closes even where it fails; memory, the end, and what the runtime of Rust does before `main`, which aborts where these fail: mmap, mprotect, munmap, brk,
/// rt_sigaction, rt_sigprocmask, rt_sigreturn, mremap, madvise, exit, sigaltstack, arch_prctl, futex, set_tid_address, exit_group,
/// set_robust_list, getrandom, rseq; and what cannot fail: getpid, uname, umask, getuid, getgid, geteuid, getegid, getppid, gettid.
const SPARED: [u64; 28] = [
    3, 9, 10, 11, 12, 13, 14, 15, 25, 28, 39, 60, 63, 95, 102, 104, 107, 108, 110, 131, 158, 186, 202, 218, 231, 273,
    318, 334,
];
/// sigaltstack(2): the last that the runtime does before `main`.
const BEFORE_MAIN: u64 = 131;

/// What is done to a process at its stops.
#[derive(Default)]
struct Tracee {
    process: usize,
    calls: usize,
    /// Whether its calls count yet.
    counts: bool,
    failing: bool,
}

/// Runs a command that begins with `sh -c 'kill -STOP $$; exec "$@"' sh`, and lets the call at a spot fail with an errno.
// Its end is collected by the tracer, which waits for every process.
#[allow(clippy::zombie_processes)]
pub fn run(command: &mut Command, fault: Option<(Spot, i32)>, patience: Duration) -> Traced {
    let mut child = spawn(command);
    let pid = Pid::from_raw(child.id() as i32);
    let collect = |stream: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            stream.map(|mut it| it.read_to_end(&mut bytes));
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let stdout = collect(child.stdout.take().map(|it| Box::new(it) as _));
    let stderr = collect(child.stderr.take().map(|it| Box::new(it) as _));
    waitpid(pid, Some(WaitPidFlag::WUNTRACED)).expect("it stops itself");
    let all = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_EXITKILL;
    ptrace::seize(pid, all).expect("our own child");
    kill(pid, Signal::SIGCONT).expect("our own child");
    let mut tracer =
        Tracer { fault, tracees: BTreeMap::from([(pid, Tracee::default())]), spots: vec![], next: 1, failed: false };
    let status = tracer.follow(pid, Instant::now() + patience);
    let text = |it: std::thread::JoinHandle<String>| it.join().unwrap_or_default();
    Traced {
        status,
        stdout: text(stdout),
        stderr: text(stderr),
        spots: tracer.spots,
        pid: pid.as_raw() as u32,
        failed: tracer.failed,
    }
}

struct Tracer {
    fault: Option<(Spot, i32)>,
    tracees: BTreeMap<Pid, Tracee>,
    spots: Vec<Spot>,
    next: usize,
    failed: bool,
}

impl Tracer {
    /// Until nsl has ended; what it has left by then goes on untraced, from its next stop on.
    fn follow(&mut self, nsl: Pid, deadline: Instant) -> Option<ExitStatus> {
        // Only of this thread: other tests have children too.
        let flags = WaitPidFlag::__WNOTHREAD | WaitPidFlag::__WALL | WaitPidFlag::WNOHANG;
        loop {
            match waitpid(None, Some(flags)) {
                Ok(WaitStatus::Exited(pid, code)) if pid == nsl => {
                    self.release(nsl);
                    return Some(ExitStatus::from_raw(code << 8));
                }
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == nsl => {
                    self.release(nsl);
                    return Some(ExitStatus::from_raw(signal as i32));
                }
                Ok(WaitStatus::StillAlive) if Instant::now() > deadline => {
                    self.tracees.keys().for_each(|pid| kill(*pid, Signal::SIGKILL).unwrap_or_default());
                    return None;
                }
                Ok(WaitStatus::StillAlive) => std::thread::sleep(Duration::from_micros(100)),
                Ok(status) => self.step(status),
                Err(_) => return None,
            }
        }
    }

    /// Lets go of all others: a process that is stopped for its tracer could clean nothing up.
    fn release(&mut self, nsl: Pid) {
        self.tracees.remove(&nsl);
        for pid in self.tracees.keys() {
            // Interrupted, it stops wherever it is; and whoever is gone needs no more.
            let _ = ptrace::interrupt(*pid);
        }
        let flags = WaitPidFlag::__WNOTHREAD | WaitPidFlag::__WALL;
        while !self.tracees.is_empty() {
            let Ok(status) = waitpid(None, Some(flags)) else { return };
            let Some(pid) = status.pid() else { return };
            match status {
                WaitStatus::Exited(..) | WaitStatus::Signaled(..) => {}
                WaitStatus::Stopped(pid, signal) => drop(ptrace::detach(pid, signal)),
                _ => drop(ptrace::detach(pid, None)),
            }
            self.tracees.remove(&pid);
        }
    }

    fn step(&mut self, status: WaitStatus) {
        let Some(pid) = status.pid() else { return };
        // Whoever is gone meanwhile needs no more.
        let _ = match status {
            WaitStatus::PtraceSyscall(pid) => self.syscall(pid).and_then(|()| ptrace::syscall(pid, None)),
            WaitStatus::PtraceEvent(pid, _, event) => self.event(pid, event),
            WaitStatus::Stopped(pid, signal) => ptrace::syscall(pid, signal),
            WaitStatus::Exited(..) | WaitStatus::Signaled(..) => {
                self.tracees.remove(&pid);
                Ok(())
            }
            _ => Ok(()),
        };
    }

    fn event(&mut self, pid: Pid, event: i32) -> nix::Result<()> {
        const EXEC: i32 = nix::libc::PTRACE_EVENT_EXEC;
        const STOP: i32 = 128;
        match event {
            EXEC => {
                let first = self.tracees.get(&pid).is_some_and(|it| it.process == 0);
                // The shell has become nsl; anybody else becomes the program.
                if !first {
                    self.tracees.remove(&pid);
                    return ptrace::detach(pid, None);
                }
            }
            STOP => {}
            _ => {
                if let Ok(child) = ptrace::getevent(pid) {
                    let process = self.next;
                    self.next += 1;
                    let tracee = self.tracees.entry(Pid::from_raw(child as i32)).or_default();
                    (tracee.process, tracee.counts) = (process, true);
                }
            }
        }
        ptrace::syscall(pid, None)
    }

    fn syscall(&mut self, pid: Pid) -> nix::Result<()> {
        const ENTRY: u8 = 1;
        let is_entry = ptrace::syscall_info(pid)?.op == ENTRY;
        let mut registers = ptrace::getregs(pid)?;
        let tracee = self.tracees.entry(pid).or_default();
        if !is_entry {
            if std::mem::take(&mut tracee.failing) {
                let errno = self.fault.map_or(0, |(_, errno)| errno);
                registers.rax = (-i64::from(errno)) as u64;
                ptrace::setregs(pid, registers)?;
            }
            return Ok(());
        }
        let number = registers.orig_rax;
        if !tracee.counts {
            tracee.counts = number == BEFORE_MAIN;
            return Ok(());
        }
        // What nsl says of a failure is no part of it.
        let is_word = number == 1 && registers.rdi <= 2;
        if SPARED.contains(&number) || is_word {
            return Ok(());
        }
        let spot = Spot { process: tracee.process, call: tracee.calls, number };
        tracee.calls += 1;
        self.spots.push(spot);
        // Not every run makes the same calls: the state of others is swept now and then.
        if self.fault.is_some_and(|(fault, _)| fault == spot) {
            tracee.failing = true;
            self.failed = true;
            registers.orig_rax = u64::MAX;
            ptrace::setregs(pid, registers)?;
        }
        Ok(())
    }
}
