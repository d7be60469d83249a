//! Waits for the sandbox: signals to pass on, time to keep, the end to report.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use rustix::event::{PollFd, PollFlags};

use super::failure::{Context, Done, Notice};
use super::notices::Word;
use super::outcome::{Clock, Ended, RefusedCall, Usage};
use super::resolver::{self, RefusedNames};
use super::spawn::Running;
use super::{Event, Started, cgroup, init, kernel_log, sys};
use crate::plan::{Action, CgroupLimit, NsKind, Plan};

/// Blocks every signal in this process and, by inheritance, in all of its helpers, so that none is lost; those of
/// interest are read from the descriptor.
pub fn signals() -> Done<SignalFd> {
    let all = SigSet::all();
    all.thread_block().context(|| "blocking signals".to_string())?;
    SignalFd::with_flags(&all, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
        .context(|| "making a descriptor for signals".to_string())
}

/// What happened while a sandbox ran.
pub struct Watched {
    /// How it ended.
    pub ended: Ended,
    /// Whether it left a core file.
    pub core_dumped: bool,
    /// Whether `stop { after = … }` ended it.
    pub timed_out: bool,
    /// Whether `stop { cpu = … }` ended it.
    pub cpu_over: bool,
    /// Whether it was ended with the process that had started nsl.
    pub orphaned: bool,
    /// The system call for which the filter killed it.
    pub refused: Option<RefusedCall>,
    /// What its processes used.
    pub usage: Option<Usage>,
    /// The names that were refused, where there was a resolver.
    pub refused_names: Option<RefusedNames>,
    /// The program's namespaces.
    pub namespaces: Vec<(NsKind, u64)>,
    /// Steps that failed and were only preferred.
    pub skipped: Vec<Notice>,
}

/// Waits until the sandbox has ended. `early` are steps that have failed already.
pub fn watch(
    plan: &Plan,
    running: &mut Running,
    signals: &SignalFd,
    early: Vec<Notice>,
    cgroups: &[PathBuf],
    clock: &mut Clock,
    observe: &mut dyn FnMut(Event),
) -> Watched {
    let mut watch = Watch {
        plan,
        clock,
        observe,
        cgroups,
        status: None,
        status_open: true,
        failed: None,
        complete: false,
        program: None,
        heard: Some(Vec::new()),
        deaf: 0,
        namespaces: Vec::new(),
        skipped: early,
        stop_at: None,
        kill_at: None,
        timed_out: false,
        cpu: cpu_limit(plan),
        cpu_at: cpu_limit(plan).map(|_| Instant::now()),
        cpu_over: false,
        orphaned: false,
    };
    loop {
        let ready = watch.wait(running, signals);
        if ready.signal {
            watch.forward(running, signals);
        }
        if ready.notices {
            watch.listen(running);
        }
        if ready.status {
            watch.read_status(&running.status);
        }
        if ready.parent {
            running.parent = None;
            watch.orphaned = true;
            watch.stop(running);
        }
        if ready.lease {
            send(running, libc::SIGKILL);
            running.lease = None;
        }
        if ready.child {
            break;
        }
        watch.keep_time(running);
        if let Some(terminal) = &mut running.terminal {
            terminal.serve();
        }
    }
    if let Some(terminal) = &mut running.terminal {
        terminal.finish();
    }
    watch.finish(running)
}

/// How often a pipe may fail to be read, by signals or otherwise, before that is taken for its end.
const MOST_DEAF: u32 = 100;

#[derive(Default)]
struct Ready {
    signal: bool,
    notices: bool,
    status: bool,
    child: bool,
    lease: bool,
    parent: bool,
}

struct Watch<'a> {
    plan: &'a Plan,
    clock: &'a mut Clock,
    observe: &'a mut dyn FnMut(Event),
    cgroups: &'a [PathBuf],
    /// The program's wait status, from init.
    status: Option<i32>,
    /// False once nobody can write a status: without an init, execve(2) closes the other end.
    status_open: bool,
    failed: Option<Notice>,
    /// Whether the child got as far as the program.
    complete: bool,
    /// The process id of the program on the host, if it was still there when it was asked for.
    program: Option<i32>,
    /// Bytes of a frame that has not come whole; `None` once the pipe is at its end.
    heard: Option<Vec<u8>>,
    /// How often the pipe could not be read.
    deaf: u32,
    namespaces: Vec<(NsKind, u64)>,
    skipped: Vec<Notice>,
    /// Set once the program runs.
    stop_at: Option<Instant>,
    kill_at: Option<Instant>,
    timed_out: bool,
    /// The CPU time that all of it may use, and when it is looked at next.
    cpu: Option<Duration>,
    cpu_at: Option<Instant>,
    cpu_over: bool,
    orphaned: bool,
}

impl Watch<'_> {
    fn wait(&self, running: &Running, signals: &SignalFd) -> Ready {
        let next = [self.stop_at, self.kill_at, self.cpu_at].into_iter().flatten().min();
        let timeout = next.map(|at| {
            let left = at.saturating_duration_since(Instant::now());
            rustix::event::Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) }
        });
        let mut fds = vec![PollFd::new(signals, PollFlags::IN), PollFd::new(&running.pidfd, PollFlags::IN)];
        let notices = self.heard.is_some().then(|| {
            fds.push(PollFd::new(&running.notices, PollFlags::IN));
            fds.len() - 1
        });
        let status = (self.status.is_none() && self.status_open).then(|| {
            fds.push(PollFd::new(&running.status, PollFlags::IN));
            fds.len() - 1
        });
        let lease = running.lease.as_ref().map(|lease| {
            fds.push(PollFd::new(lease, PollFlags::IN));
            fds.len() - 1
        });
        let parent = running.parent.as_ref().map(|parent| {
            fds.push(PollFd::new(parent, PollFlags::IN));
            fds.len() - 1
        });
        if let Some(terminal) = &running.terminal {
            terminal.polls(&mut fds);
        }
        if rustix::event::poll(&mut fds, timeout.as_ref()).is_err() {
            return Ready::default();
        }
        let readable = |index: usize| !fds[index].revents().is_empty();
        Ready {
            signal: readable(0),
            child: readable(1),
            notices: notices.is_some_and(readable),
            status: status.is_some_and(readable),
            lease: lease.is_some_and(readable),
            parent: parent.is_some_and(readable),
        }
    }

    fn forward(&mut self, running: &mut Running, signals: &SignalFd) {
        while let Ok(Some(info)) = signals.read_signal() {
            let Ok(signal) = Signal::try_from(info.ssi_signo as i32) else { continue };
            match signal {
                Signal::SIGTERM => self.stop(running),
                Signal::SIGINT | Signal::SIGHUP | Signal::SIGQUIT | Signal::SIGUSR1 | Signal::SIGUSR2 => {
                    send(running, signal as i32);
                }
                Signal::SIGCHLD => reap_helpers(running.pid),
                Signal::SIGWINCH => match &running.terminal {
                    // The program hears of it from its own terminal.
                    Some(terminal) => terminal.resize(),
                    None => send(running, signal as i32),
                },
                Signal::SIGTSTP => pause(running),
                Signal::SIGCONT => go_on(running),
                _ => {}
            }
        }
    }

    /// Asks the program to end, and sets the time after which it is not asked any more.
    fn stop(&mut self, running: &Running) {
        let ending = &self.plan.ending;
        send(running, ending.signal.number);
        if self.kill_at.is_none() {
            self.kill_at = Some(Instant::now() + Duration::from_nanos(ending.timeout));
        }
    }

    fn keep_time(&mut self, running: &Running) {
        let now = Instant::now();
        if self.stop_at.is_some_and(|at| at <= now) {
            self.stop_at = None;
            self.timed_out = true;
            self.stop(running);
        }
        if let Some(limit) = self.cpu.filter(|_| self.cpu_at.is_some_and(|at| at <= now)) {
            let used = self.cgroups.iter().find_map(|path| cgroup::cpu_time(path)).unwrap_or_default();
            self.cpu_at = (used < limit).then(|| now + next_look(limit - used));
            if used >= limit {
                self.cpu_over = true;
                self.stop(running);
            }
        }
        if self.kill_at.is_some_and(|at| at <= now) {
            self.kill_at = None;
            send(running, libc::SIGKILL);
        }
    }

    /// Reads what the child says. False at the end of it.
    fn listen(&mut self, running: &Running) -> bool {
        let Some(heard) = &mut self.heard else { return false };
        let mut buffer = [0; 4096];
        let words = match rustix::io::read(&running.notices, &mut buffer) {
            Ok(0) => {
                self.end_of_words(running);
                return false;
            }
            Ok(count) => {
                heard.extend_from_slice(&buffer[..count]);
                Word::take(heard)
            }
            Err(_) if self.deaf < MOST_DEAF => {
                self.deaf += 1;
                return true;
            }
            // Who cannot know what is in force lets nothing run.
            Err(_) => {
                send(running, libc::SIGKILL);
                self.heard = None;
                return false;
            }
        };
        for word in words {
            match word {
                // The last word is the best informed one: an explanation follows the bare errno.
                Word::Failed(notice) if notice.fatal => self.failed = Some(notice),
                Word::Failed(notice) => self.skipped.push(notice),
                Word::Performed { step, took } => (self.observe)(Event::Performed(step, took)),
                Word::Namespace(kind, inode) => self.namespaces.push((kind, inode)),
                Word::Complete => {
                    self.complete = true;
                    self.program = program(running);
                }
            }
        }
        true
    }

    fn end_of_words(&mut self, running: &Running) {
        self.heard = None;
        if self.failed.is_none() && self.complete {
            self.clock.started();
            // The time that it may run, not the time that it takes to build.
            self.stop_at = self.plan.ending.after.map(|it| Instant::now() + Duration::from_nanos(it));
            let (notices, child, cgroups) = (self.skipped.as_slice(), running.pid.as_raw(), self.cgroups);
            (self.observe)(Event::Started(Started { notices, child, cgroups }));
        }
    }

    fn read_status(&mut self, pipe: &OwnedFd) {
        let mut bytes = [0; 4];
        match rustix::io::read(pipe, &mut bytes) {
            Ok(4) => self.status = Some(i32::from_ne_bytes(bytes)),
            Err(rustix::io::Errno::INTR) => {}
            // An end without a word is for `finish` to judge; waiting for more of it would never sleep.
            _ => self.status_open = false,
        }
    }

    fn finish(mut self, running: &mut Running) -> Watched {
        while self.listen(running) {}
        let mut polled = [PollFd::new(&running.status, PollFlags::IN)];
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        if self.status.is_none()
            && rustix::event::poll(&mut polled, Some(&now)).is_ok()
            && polled[0].revents().contains(PollFlags::IN)
        {
            self.read_status(&running.status);
        }
        let waited = reap(running.pid);
        if let Some(host) = &running.host_pids {
            init::end_descendants(&host.proc, &host.earlier, false);
        }
        for helper in [running.relay.take(), running.resolver.take()].into_iter().flatten() {
            let _ = nix::sys::signal::kill(helper, Signal::SIGKILL);
            let _ = waitpid(helper, None);
        }
        let (waited, usage) = waited.map_or((None, None), |(status, usage)| (Some(status), Some(usage)));
        // Of init nothing is told but what it says of the program.
        let status = self.status.or(waited);
        let ended = match (self.failed, status) {
            (Some(notice), _) => Ended::Failed(notice),
            (None, _) if !self.complete => Ended::Failed(incomplete(waited)),
            (None, Some(status)) if status & 0x7f == 0 => Ended::Exited(status >> 8 & 0xff),
            (None, Some(status)) => Ended::Signaled(status & 0x7f),
            (None, None) => Ended::Failed(incomplete(None)),
        };
        let by_filter = ended == Ended::Signaled(libc::SIGSYS);
        Watched {
            core_dumped: matches!(ended, Ended::Signaled(_)) && status.is_some_and(|it| it & 0x80 != 0),
            refused: self.program.filter(|_| by_filter).and_then(kernel_log::refused_call),
            ended,
            timed_out: self.timed_out,
            cpu_over: self.cpu_over,
            orphaned: self.orphaned,
            usage,
            refused_names: running.refused.take().map(|it| resolver::refused_names(&it)),
            namespaces: self.namespaces,
            skipped: self.skipped,
        }
    }
}

/// Waits for helpers of nsl's own that have ended, such as a probe, and leaves the child for later.
fn reap_helpers(child: Pid) {
    use nix::sys::wait::{Id, WaitPidFlag, waitid};
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    while let Some(pid) = waitid(Id::All, flags).ok().and_then(|status| status.pid()).filter(|pid| *pid != child) {
        let _ = waitpid(pid, None);
    }
}

/// The child, or the process that was to become the program, was killed; init says no more than that in its status.
fn incomplete(status: Option<i32>) -> Notice {
    let how = match status.map(|it| it & 0x7f) {
        Some(signal) if signal != 0 => format!("signal {signal} ended it"),
        _ => "something ended it".to_string(),
    };
    Notice::incomplete(format!("{how} while it was put together"))
}

/// The program's process id on the host: that of the child, or, where the child is init, of its only child.
fn program(running: &Running) -> Option<i32> {
    let pid = running.pid;
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    children.split_whitespace().next().map_or(Some(pid.as_raw()), |it| it.parse().ok())
}

/// The wait status of the child, and what it used. `None` if somebody else has waited for it.
fn reap(pid: Pid) -> Option<(i32, Usage)> {
    loop {
        match sys::wait4(pid) {
            Err(nix::errno::Errno::EINTR) => {}
            result => return result.ok(),
        }
    }
}

/// `stop { cpu = … }`, where the cgroup for it was asked for.
fn cpu_limit(plan: &Plan) -> Option<Duration> {
    plan.steps.iter().find_map(|step| match &step.action {
        Action::LimitCgroup { limit: CgroupLimit::CpuTime(time), .. } => Some(Duration::from_nanos(*time)),
        _ => None,
    })
}

/// With every CPU at it so much time cannot be used up any sooner.
fn next_look(left: Duration) -> Duration {
    (left / sys::cpus()).max(Duration::from_millis(5))
}

/// Ctrl-Z, or job control of a shell: stops the program and all that it has started, and then nsl. The time of
/// `stop { after = … }` goes on.
fn pause(running: &mut Running) {
    send(running, if running.init { libc::SIGTSTP } else { libc::SIGSTOP });
    if let Some(terminal) = &mut running.terminal {
        terminal.suspend();
    }
    let _ = nix::sys::signal::kill(nix::unistd::getpid(), Signal::SIGSTOP);
    go_on(running);
}

/// `fg`, `bg`.
fn go_on(running: &mut Running) {
    if let Some(terminal) = &mut running.terminal {
        terminal.resume();
    }
    send(running, libc::SIGCONT);
}

fn send(running: &Running, signal: i32) {
    let Some(signal) = rustix::process::Signal::from_named_raw(signal) else { return };
    let _ = rustix::process::pidfd_send_signal(running.pidfd.as_fd(), signal);
}
