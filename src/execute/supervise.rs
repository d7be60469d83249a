//! Waits for the sandbox: signals to pass on, time to keep, the end to report.

use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use rustix::event::{PollFd, PollFlags};

use super::failure::{Context, Done, Notice};
use super::spawn::Running;
use super::{Ended, init};
use crate::plan::Plan;

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
    /// Whether `stop { after = … }` ended it.
    pub timed_out: bool,
}

/// Waits until the sandbox has ended. `started` is called once the program runs.
pub fn watch(plan: &Plan, running: &mut Running, signals: &SignalFd, started: &mut dyn FnMut(&[Notice])) -> Watched {
    let mut watch = Watch {
        plan,
        status: None,
        status_open: true,
        failed: None,
        complete: false,
        notices: Some(Vec::new()),
        stop_at: plan.ending.after.map(|it| Instant::now() + Duration::from_nanos(it)),
        kill_at: None,
        timed_out: false,
    };
    loop {
        let ready = watch.wait(running, signals);
        if ready.signal {
            watch.forward(running, signals);
        }
        if ready.notices {
            watch.read_notices(&running.notices, started);
        }
        if ready.status {
            watch.read_status(&running.status);
        }
        if ready.child {
            break;
        }
        watch.keep_time(running);
    }
    watch.finish(running, started)
}

#[derive(Default)]
struct Ready {
    signal: bool,
    notices: bool,
    status: bool,
    child: bool,
}

struct Watch<'a> {
    plan: &'a Plan,
    /// The program's wait status, from init.
    status: Option<i32>,
    /// False once nobody can write a status: without an init, execve(2) closes the other end.
    status_open: bool,
    failed: Option<Notice>,
    /// Whether the child got as far as the program.
    complete: bool,
    /// Bytes of notices so far; `None` once the pipe is at its end.
    notices: Option<Vec<u8>>,
    stop_at: Option<Instant>,
    kill_at: Option<Instant>,
    timed_out: bool,
}

impl Watch<'_> {
    fn wait(&self, running: &Running, signals: &SignalFd) -> Ready {
        let next = [self.stop_at, self.kill_at].into_iter().flatten().min();
        let timeout = next.map(|at| {
            let left = at.saturating_duration_since(Instant::now());
            rustix::event::Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) }
        });
        let mut fds = vec![PollFd::new(signals, PollFlags::IN), PollFd::new(&running.pidfd, PollFlags::IN)];
        let notices = self.notices.is_some().then(|| {
            fds.push(PollFd::new(&running.notices, PollFlags::IN));
            fds.len() - 1
        });
        let status = (self.status.is_none() && self.status_open).then(|| {
            fds.push(PollFd::new(&running.status, PollFlags::IN));
            fds.len() - 1
        });
        if rustix::event::poll(&mut fds, timeout.as_ref()).is_err() {
            return Ready::default();
        }
        let readable = |index: usize| !fds[index].revents().is_empty();
        Ready {
            signal: readable(0),
            child: readable(1),
            notices: notices.is_some_and(readable),
            status: status.is_some_and(readable),
        }
    }

    fn forward(&mut self, running: &Running, signals: &SignalFd) {
        while let Ok(Some(info)) = signals.read_signal() {
            let Ok(signal) = Signal::try_from(info.ssi_signo as i32) else { continue };
            match signal {
                Signal::SIGTERM => self.stop(running),
                Signal::SIGINT | Signal::SIGHUP | Signal::SIGQUIT | Signal::SIGUSR1 | Signal::SIGUSR2 => {
                    send(running, signal as i32);
                }
                // Job control of the caller's shell is about nsl; the program has no terminal to wait for.
                Signal::SIGTSTP => drop(nix::sys::signal::kill(nix::unistd::getpid(), Signal::SIGSTOP)),
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
        if self.kill_at.is_some_and(|at| at <= now) {
            self.kill_at = None;
            send(running, libc::SIGKILL);
        }
    }

    fn read_notices(&mut self, pipe: &OwnedFd, started: &mut dyn FnMut(&[Notice])) {
        let mut buffer = [0; 4096];
        match rustix::io::read(pipe, &mut buffer) {
            Ok(0) => self.end_of_notices(started),
            Ok(count) => {
                if let Some(bytes) = &mut self.notices {
                    bytes.extend_from_slice(&buffer[..count]);
                }
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => self.notices = None,
        }
    }

    fn end_of_notices(&mut self, started: &mut dyn FnMut(&[Notice])) {
        let Some(bytes) = self.notices.take() else { return };
        let mut notices = Notice::parse(&bytes);
        let ready = Notice::complete();
        self.complete = notices.contains(&ready);
        notices.retain(|notice| *notice != ready);
        // The last word is the best informed one: an explanation follows the bare errno.
        self.failed = notices.iter().rev().find(|notice| notice.fatal).cloned();
        if self.failed.is_none() && self.complete {
            started(&notices);
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

    fn finish(mut self, running: &mut Running, started: &mut dyn FnMut(&[Notice])) -> Watched {
        if self.notices.is_some() {
            let mut rest = Vec::new();
            if let Ok(copy) = running.notices.try_clone() {
                let _ = std::fs::File::from(copy).read_to_end(&mut rest);
            }
            if let Some(bytes) = &mut self.notices {
                bytes.extend(rest);
            }
            self.end_of_notices(started);
        }
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
        if let Some(relay) = running.relay.take() {
            let _ = nix::sys::signal::kill(relay, Signal::SIGKILL);
            let _ = waitpid(relay, None);
        }
        let ended = match (self.failed, self.status) {
            (Some(notice), _) => Ended::Failed(notice),
            (None, _) if !self.complete => Ended::Failed(incomplete(&waited)),
            (None, Some(status)) if status & 0x7f == 0 => Ended::Exited(status >> 8 & 0xff),
            (None, Some(status)) => Ended::Signaled(status & 0x7f),
            (None, None) => waited,
        };
        Watched { ended, timed_out: self.timed_out }
    }
}

/// The child, or the process that was to become the program, was killed; init says no more than that in its status.
fn incomplete(waited: &Ended) -> Notice {
    let how = match waited {
        Ended::Signaled(signal) => format!("signal {signal} ended it"),
        _ => "something ended it".to_string(),
    };
    Notice::incomplete(format!("{how} while it was put together"))
}

fn reap(pid: Pid) -> Ended {
    loop {
        match waitpid(pid, None) {
            Ok(WaitStatus::Exited(_, code)) => return Ended::Exited(code),
            Ok(WaitStatus::Signaled(_, signal, _)) => return Ended::Signaled(signal as i32),
            Err(nix::errno::Errno::EINTR) | Ok(_) => {}
            Err(_) => return Ended::Exited(125),
        }
    }
}

fn send(running: &Running, signal: i32) {
    let Some(signal) = rustix::process::Signal::from_named_raw(signal) else { return };
    let _ = rustix::process::pidfd_send_signal(running.pidfd.as_fd(), signal);
}
