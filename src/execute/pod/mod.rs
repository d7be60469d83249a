//! A pod: one process that holds its namespaces, and a supervisor for each container.
//!
//! The supervisor of the **pod** performs the plan of the holder, which waits and does nothing. For each container it forks a
//! **member**: a supervisor as of any sandbox, whose plan joins what the holder holds. A member says by a pipe when its
//! program runs, when it is ready and how it ended; its output goes through two more. So limits, signals, reports and janitors of a
//! container are those of a sandbox, and there is one road.
//!
//! Whatever ends the supervisor ends the holder and the members (PR_SET_PDEATHSIG), and each member's end ends its container.

mod member;
mod output;
mod probe;
mod watch;

use std::io::Read;
use std::os::fd::AsFd;
use std::time::Duration;

use super::failure::{Context, Done, Notice};
use super::join::Opened;
use super::notices::Word;
use super::outcome::Clock;
use super::resolver::{self, RefusedNames};
use super::spawn::{Prepared, Running};
use super::volumes::Volume;
use super::{Ended, Report, Started, passing, spawn, supervise, sys};
use crate::plan::{Action, NsKind, PodPlan};

/// Where a line of output comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Something that happens to a container, by its index in the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PodEvent {
    /// Every container has been ready.
    Ready,
    /// It ended, and will be started again.
    Restarts {
        /// Which.
        container: usize,
        /// What it ended with.
        status: i32,
        /// How often it will have been by then.
        count: u32,
        /// After how long, nanoseconds.
        pause: u64,
    },
    /// It ended for good, though nobody had asked it to.
    Ended {
        /// Which.
        container: usize,
        /// What it ended with.
        status: i32,
        /// Whether it was started again before as often as its policy allows.
        given_up: bool,
    },
    /// It was not ready in time; the pod ends.
    NotReady {
        /// Which.
        container: usize,
        /// What it ended with, where it did.
        ended: Option<i32>,
    },
    /// The process that holds the namespaces has ended; so does the pod.
    HolderGone,
}

/// What a caller is told.
pub trait PodHooks {
    /// The namespaces are there. Called in the supervisor.
    fn held(&mut self, started: Started);
    /// A member was forked. Called in it, before anything else: what belongs to the supervisor alone is to be let go.
    fn forked(&mut self);
    /// A step was performed, where that was asked for: of what holds the pod (`None`), in the supervisor, or of a container, in its member.
    fn performed(&mut self, container: Option<usize>, step: usize, took: Duration);
    /// A program runs. Called in the member.
    fn started(&mut self, container: usize, started: Started);
    /// A container has ended. Called in the member, which ends then.
    fn ended(&mut self, container: usize, report: &Report);
    /// Something happened. Called in the supervisor.
    fn event(&mut self, event: &PodEvent);
    /// A line of output, without its end. Called in the supervisor.
    fn line(&mut self, container: usize, stream: Stream, line: &[u8]);
}

/// Performs the plan of a pod and waits for its end. The result is the report of what holds it, and the status to end with.
///
/// `watched`: every step is told of, and the reports of containers have their namespaces. The process must have one thread. All
/// signals stay blocked afterwards: the process is expected to exit.
pub fn run_pod(plan: &PodPlan, watched: bool, hooks: &mut dyn PodHooks) -> (Report, i32) {
    sys::default_sigchld();
    let mut prepared = Prepared::default();
    let mut clock = Clock::start();
    let mut seen = Seen::default();
    let ended = attempt(plan, watched, &mut prepared, (&mut clock, &mut seen), hooks);
    clock.ended();
    let (ended, status) = match ended {
        Ok(status) => (Ended::Exited(status), status),
        Err(notice) => (Ended::Failed(notice), 125),
    };
    let cgroups = super::cgroup::used(prepared.cgroups.iter());
    let kept = std::mem::take(&mut prepared.pins).finish(prepared.janitor.as_mut());
    if let Some(keeper) = prepared.keeper.take() {
        keeper.finish();
    }
    std::mem::take(&mut prepared.links).into_iter().for_each(super::links::MadeLink::remove);
    let left = prepared.janitor.take().map_or(Vec::new(), super::janitor::Janitor::finish);
    let report = Report {
        ended,
        cgroups,
        kept,
        left,
        refused_names: seen.refused_names,
        namespaces: seen.namespaces,
        skipped: prepared.notices,
        times: clock.finish(),
        ..Report::default()
    };
    (report, status)
}

fn attempt(
    plan: &PodPlan,
    watched: bool,
    prepared: &mut Prepared,
    (clock, seen): (&mut Clock, &mut Seen),
    hooks: &mut dyn PodHooks,
) -> Result<i32, Notice> {
    let signals = supervise::signals().map_err(|failure| Notice { step: 0, failure, fatal: true })?;
    prepared.open_inside = held_kinds(plan);
    let mut performed = |step: usize, took: Duration| {
        if watched {
            hooks.performed(None, step, took);
        }
    };
    spawn::prepare(&plan.holder, prepared, &mut performed)?;
    clock.prepared();
    let socket = passing::pair().context(|| "making a socket".to_string());
    let (socket, theirs) = socket.map_err(|failure| Notice { step: 0, failure, fatal: true })?;
    prepared.hand_over = Some(theirs);
    let mut holder = spawn::launch(&plan.holder, prepared, watched, &mut performed)?;
    clock.launched();
    let mut shared =
        Shared { namespaces: std::mem::take(&mut holder.inside), volumes: std::mem::take(&mut prepared.volumes) };
    let told = held(&mut holder, prepared, hooks);
    // What it has made later than it could be looked at.
    if let Ok(handed) = passing::receive(socket.as_fd()) {
        shared.namespaces.extend(handed.into_iter().map(|fd| Opened { kind: NsKind::Time, fd }));
    }
    for it in &shared.namespaces {
        seen.namespaces.extend(rustix::fs::fstat(&it.fd).map(|stat| (it.kind, stat.st_ino)));
    }
    clock.started();
    if told.is_ok() {
        prepared.pins.settle(prepared.janitor.as_mut());
    }
    let status = told.map(|()| watch::watch(plan, (prepared.owner(), watched), shared, &holder, &signals, hooks));
    end(&mut holder);
    seen.refused_names = holder.refused.take().map(|it| resolver::refused_names(&it));
    status
}

/// What is seen of what holds a pod, for its report.
#[derive(Default)]
struct Seen {
    namespaces: Vec<(NsKind, u64)>,
    refused_names: Option<RefusedNames>,
}

/// The kinds that the holder has: what is new, and what it has joined itself.
fn held_kinds(plan: &PodPlan) -> Vec<NsKind> {
    let mut kinds = Vec::new();
    for step in &plan.holder.steps {
        match &step.action {
            Action::Clone { namespaces, .. } => kinds.extend(namespaces),
            Action::JoinNamespace(kind) => kinds.push(*kind),
            _ => {}
        }
    }
    kinds
}

/// Waits until the holder is complete.
fn held(holder: &mut Running, prepared: &mut Prepared, hooks: &mut dyn PodHooks) -> Result<(), Notice> {
    let mut bytes = Vec::new();
    let read = |bytes: &mut Vec<u8>| -> Done {
        let pipe = holder.notices.try_clone().context(|| "copying a descriptor".to_string())?;
        std::fs::File::from(pipe).read_to_end(bytes).map(drop).context(|| "waiting for the pod".to_string())
    };
    read(&mut bytes).map_err(|failure| Notice { step: 0, failure, fatal: true })?;
    let (mut notices, mut is_complete) = (Vec::new(), false);
    for word in Word::take(&mut bytes) {
        match word {
            Word::Failed(notice) => notices.push(notice),
            Word::Complete => is_complete = true,
            Word::Performed { step, took } => hooks.performed(None, step, took),
            _ => {}
        }
    }
    match notices.iter().rev().find(|it| it.fatal) {
        Some(fatal) => Err(fatal.clone()),
        None if !is_complete => Err(Notice::incomplete("something ended it while it was put together".to_string())),
        None => {
            let mut all = std::mem::take(&mut prepared.notices);
            all.append(&mut notices);
            prepared.notices.clone_from(&all);
            let cgroups: Vec<_> = prepared.cgroups.iter().map(|made| made.path.clone()).collect();
            hooks.held(Started { notices: &all, child: holder.pid.as_raw(), cgroups: &cgroups });
            Ok(())
        }
    }
}

fn end(holder: &mut Running) {
    for pid in [Some(holder.pid), holder.relay.take(), holder.resolver.take()].into_iter().flatten() {
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::SIGKILL);
        let _ = nix::sys::wait::waitpid(pid, None);
    }
}

/// What every container of a pod can have of it.
struct Shared {
    namespaces: Vec<Opened>,
    volumes: Vec<Volume>,
}

impl Shared {
    /// Copies of the descriptors, for a process that is forked.
    fn copy(&self) -> Done<Shared> {
        let copy = |it: &Opened| {
            let fd = it.fd.try_clone().context(|| "copying a descriptor".to_string())?;
            Ok(Opened { kind: it.kind, fd })
        };
        let namespaces = self.namespaces.iter().map(copy).collect::<Done<_>>()?;
        Ok(Shared { namespaces, volumes: self.volumes.iter().map(Volume::copy).collect::<Done<_>>()? })
    }
}
