//! The life of a pod: who starts when, who starts again, and in which order all of it ends.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::sys::signalfd::SignalFd;
use nix::sys::wait::waitpid;
use rustix::event::{PollFd, PollFlags};

use super::member::{self, ENDED, Member, READY, STARTED};
use super::output::Lines;
use super::{PodEvent, PodHooks, Shared, Stream};
use crate::execute::spawn::Running;
use crate::plan::{ContainerPlan, PodPlan};

/// The longest pause before a container is started again.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// A container that has run as long as this begins anew with the first pause.
const GOOD_RUN: Duration = Duration::from_secs(600);

/// Where a container is in its life.
enum State {
    /// It waits for others.
    Waiting,
    /// Its supervisor runs.
    Running(Life),
    /// It is started again then.
    Pausing(Instant),
    /// It has ended for good.
    Over,
}

/// One run of a container.
struct Life {
    member: Member,
    begun: Instant,
    output: [Lines; 2],
    /// When it must be ready, from the start of its program on.
    ready_by: Option<Instant>,
    /// Whether its program was started.
    started: bool,
    /// What it ended with, as far as its supervisor could say.
    status: Option<i32>,
    /// Whether it was asked to end.
    asked: bool,
}

struct Container<'a> {
    plan: &'a ContainerPlan,
    state: State,
    /// Whether it was ready at least once.
    ready: bool,
    /// How often it was started again since it last ran well.
    restarts: u32,
}

struct Watch<'a, 'h> {
    owner: u32,
    watched: bool,
    shared: Shared,
    hooks: &'h mut dyn PodHooks,
    /// In the order in which they are started.
    containers: Vec<Container<'a>>,
    /// Whether it was told that all are ready.
    told_ready: bool,
    /// The pod ends: one container after the other, the last first.
    stopping: bool,
    /// What the pod ends with, once something has decided it.
    status: Option<i32>,
}

/// Keeps a pod until it has ended; the status to end with.
pub fn watch(
    plan: &PodPlan,
    (owner, watched): (u32, bool),
    shared: Shared,
    holder: &Running,
    signals: &SignalFd,
    hooks: &mut dyn PodHooks,
) -> i32 {
    let container = |plan| Container { plan, state: State::Waiting, ready: false, restarts: 0 };
    let containers = plan.containers.iter().map(container).collect();
    let mut watch =
        Watch { owner, watched, shared, hooks, containers, told_ready: false, stopping: false, status: None };
    loop {
        watch.start_what_can();
        if watch.stopping {
            watch.stop_next();
        }
        if watch.containers.iter().all(|it| matches!(it.state, State::Over)) {
            return watch.status.unwrap_or(0);
        }
        let ready = watch.wait(holder, signals);
        if ready.signal {
            watch.obey(signals);
        }
        if ready.holder && !watch.stopping {
            watch.hooks.event(&PodEvent::HolderGone);
            watch.give_up(125);
        }
        for index in ready.containers {
            watch.listen(index);
        }
        if !watch.told_ready && !watch.stopping && watch.containers.iter().all(|it| it.ready) {
            watch.told_ready = true;
            watch.hooks.event(&PodEvent::Ready);
        }
        watch.keep_time();
    }
}

struct Ready {
    signal: bool,
    holder: bool,
    /// Those of which something can be heard.
    containers: Vec<usize>,
}

impl Watch<'_, '_> {
    /// Starts every container whose time has come. Not several at once where one has to wait for another.
    fn start_what_can(&mut self) {
        for index in 0..self.containers.len() {
            let container = &self.containers[index];
            let now = match container.state {
                State::Waiting => !self.stopping && container.plan.after.iter().all(|name| self.is_ready(name)),
                State::Pausing(at) => !self.stopping && at <= Instant::now(),
                _ => false,
            };
            if now {
                self.start(index);
            }
        }
    }

    fn is_ready(&self, name: &str) -> bool {
        self.containers.iter().any(|it| it.plan.plan.name == name && it.ready)
    }

    fn start(&mut self, index: usize) {
        let started =
            member::start(self.containers[index].plan, index, (self.owner, self.watched), &self.shared, self.hooks);
        let Ok(member) = started else {
            // No process, no descriptor.
            self.over(index, 125);
            return self.give_up(125);
        };
        let output = [Lines::new(Stream::Out), Lines::new(Stream::Err)];
        let begun = Instant::now();
        self.containers[index].state =
            State::Running(Life { member, begun, output, ready_by: None, started: false, status: None, asked: false });
    }

    fn wait(&self, holder: &Running, signals: &SignalFd) -> Ready {
        let mut fds = vec![PollFd::new(signals, PollFlags::IN), PollFd::new(&holder.pidfd, PollFlags::IN)];
        let mut of: Vec<usize> = Vec::new();
        let mut next: Option<Instant> = None;
        let mut at = |time: Instant| next = Some(next.map_or(time, |next| next.min(time)));
        for (index, container) in self.containers.iter().enumerate() {
            match &container.state {
                State::Running(life) => {
                    for fd in life.heard() {
                        fds.push(PollFd::new(fd, PollFlags::IN));
                        of.push(index);
                    }
                    life.ready_by.iter().for_each(|it| at(*it));
                }
                State::Pausing(time) if !self.stopping => at(*time),
                _ => {}
            }
        }
        let timeout = next.map(|at| {
            let left = at.saturating_duration_since(Instant::now());
            rustix::event::Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) }
        });
        if rustix::event::poll(&mut fds, timeout.as_ref()).is_err() {
            return Ready { signal: false, holder: false, containers: Vec::new() };
        }
        let readable = |index: usize| !fds[index].revents().is_empty();
        let mut containers: Vec<usize> =
            of.iter().enumerate().filter(|(slot, _)| readable(slot + 2)).map(|(_, index)| *index).collect();
        containers.dedup();
        Ready { signal: readable(0), holder: readable(1), containers }
    }

    /// Signals for nsl.
    fn obey(&mut self, signals: &SignalFd) {
        while let Ok(Some(info)) = signals.read_signal() {
            let Ok(signal) = Signal::try_from(info.ssi_signo as i32) else { continue };
            match signal {
                Signal::SIGTERM | Signal::SIGINT | Signal::SIGHUP | Signal::SIGQUIT => {
                    if self.stopping {
                        // Whoever asks twice does not want to wait any longer.
                        self.lives().for_each(|life| life.member.send(Signal::SIGKILL));
                    } else {
                        self.give_up(128 + signal as i32);
                    }
                }
                Signal::SIGUSR1 | Signal::SIGUSR2 => self.lives().for_each(|life| life.member.send(signal)),
                Signal::SIGTSTP => drop(nix::sys::signal::kill(nix::unistd::getpid(), Signal::SIGSTOP)),
                _ => {}
            }
        }
    }

    fn lives(&self) -> impl Iterator<Item = &Life> {
        self.containers.iter().filter_map(|it| match &it.state {
            State::Running(life) => Some(life),
            _ => None,
        })
    }

    /// From now on the pod ends, with this status unless another was decided before.
    fn give_up(&mut self, status: i32) {
        self.stopping = true;
        self.status.get_or_insert(status);
        for container in &mut self.containers {
            if !matches!(container.state, State::Running(_)) {
                container.state = State::Over;
            }
        }
    }

    /// Asks the last container that runs to end; the one before it is asked when it has.
    fn stop_next(&mut self) {
        let running = self.containers.iter_mut().rev().find_map(|it| match &mut it.state {
            State::Running(life) => Some(life),
            _ => None,
        });
        if let Some(life) = running.filter(|it| !it.asked) {
            life.asked = true;
            // The member sends what the policy says, and kills after the time that the policy says.
            life.member.send(Signal::SIGTERM);
        }
    }

    fn keep_time(&mut self) {
        let now = Instant::now();
        for index in 0..self.containers.len() {
            let State::Running(life) = &mut self.containers[index].state else { continue };
            if life.ready_by.is_some_and(|it| it <= now) {
                life.ready_by = None;
                self.not_ready(index, None);
            }
        }
    }

    fn not_ready(&mut self, container: usize, ended: Option<i32>) {
        if !self.stopping {
            self.hooks.event(&PodEvent::NotReady { container, ended });
            self.give_up(125);
        }
    }

    /// What a container and its supervisor say.
    fn listen(&mut self, index: usize) {
        let container = &mut self.containers[index];
        let State::Running(life) = &mut container.state else { return };
        for (lines, pipe) in life.output.iter_mut().zip(&life.member.output) {
            if !lines.ended {
                lines.read(pipe, index, self.hooks);
            }
        }
        let mut said = [0; 16];
        let mut closed = false;
        match rustix::io::read(&life.member.control, &mut said) {
            Ok(0) => closed = true,
            Ok(count) => {
                let mut rest = &said[..count];
                while let Some((byte, tail)) = rest.split_first() {
                    rest = tail;
                    match *byte {
                        STARTED => {
                            life.started = true;
                            let within = container.plan.ready.as_ref().filter(|_| !container.ready);
                            life.ready_by = within.map(|it| Instant::now() + Duration::from_nanos(it.within));
                        }
                        READY => {
                            life.ready_by = None;
                            container.ready = true;
                        }
                        ENDED => {
                            let number = tail.first_chunk::<4>();
                            life.status = number.map(|it| i32::from_ne_bytes(*it));
                            rest = &[];
                        }
                        _ => {}
                    }
                }
            }
            Err(_) => {}
        }
        if closed || life.member.has_ended() {
            self.ended(index);
        }
    }

    /// A container's supervisor is gone.
    fn ended(&mut self, index: usize) {
        let container = &mut self.containers[index];
        let State::Running(mut life) = std::mem::replace(&mut container.state, State::Over) else { return };
        let _ = waitpid(life.member.pid, None);
        for (lines, pipe) in life.output.iter_mut().zip(&life.member.output) {
            lines.drain(pipe, index, self.hooks);
        }
        // Its last word may have come after the last look.
        let mut said = [0; 16];
        if life.status.is_none()
            && let Ok(count) = rustix::io::read(&life.member.control, &mut said)
            && let Some(at) = said[..count].iter().position(|it| *it == ENDED)
        {
            life.status = said[at + 1..count].first_chunk::<4>().map(|it| i32::from_ne_bytes(*it));
        }
        // A supervisor that was killed says nothing.
        let status = life.status.unwrap_or(128 + libc::SIGKILL);
        if self.stopping {
            return;
        }
        if !life.started {
            // It cannot be had as it is written; its own supervisor has said why.
            self.over(index, status);
            return self.give_up(status);
        }
        let waiting = !container.ready;
        match self.pause(index, status, life.begun.elapsed()) {
            Some((count, pause)) => {
                let nanoseconds = pause.as_nanos() as u64;
                self.hooks.event(&PodEvent::Restarts { container: index, status, count, pause: nanoseconds });
                self.containers[index].state = State::Pausing(Instant::now() + pause);
            }
            None if waiting => self.not_ready(index, Some(status)),
            None => self.over(index, status),
        }
    }

    /// Whether a container is started again: how often it will have been by then, and after how long.
    fn pause(&mut self, index: usize, status: i32, ran: Duration) -> Option<(u32, Duration)> {
        let container = &mut self.containers[index];
        let restart = container.plan.restart.as_ref()?;
        if ran >= GOOD_RUN {
            container.restarts = 0;
        }
        let due = restart.always || status != 0;
        if !due || restart.max.is_some_and(|max| container.restarts >= max) {
            return None;
        }
        let doubled = 1_u64.checked_shl(container.restarts.min(32)).unwrap_or(u64::MAX);
        let pause = Duration::from_nanos(restart.backoff.saturating_mul(doubled)).min(LONGEST_PAUSE);
        container.restarts += 1;
        Some((container.restarts, pause))
    }

    /// A container has ended for good. The first that failed says what the pod ends with.
    fn over(&mut self, index: usize, status: i32) {
        let container = &mut self.containers[index];
        container.state = State::Over;
        let plan = container.plan;
        let given_up = plan.restart.as_ref().is_some_and(|it| status != 0 || it.always);
        self.hooks.event(&PodEvent::Ended { container: index, status, given_up });
        if status != 0 {
            self.status.get_or_insert(status);
        }
        if plan.essential {
            self.give_up(status);
        }
    }
}

impl Life {
    /// Where something can be heard of it.
    fn heard(&self) -> impl Iterator<Item = &OwnedFd> {
        let streams = self.output.iter().zip(&self.member.output).filter(|(lines, _)| !lines.ended).map(|(_, fd)| fd);
        [&self.member.control, &self.member.pidfd].into_iter().chain(streams)
    }
}

impl Member {
    fn send(&self, signal: Signal) {
        if let Some(signal) = rustix::process::Signal::from_named_raw(signal as i32) {
            let _ = rustix::process::pidfd_send_signal(&self.pidfd, signal);
        }
    }

    fn has_ended(&self) -> bool {
        crate::execute::join::has_ended(&self.pidfd)
    }
}
