//! Performs a plan: the only floor that changes anything.
//!
//! A run is a few processes. The **supervisor** is nsl itself: one thread, no runtime. It opens what can be
//! opened, makes the cgroups, clones the **child** into its namespaces, writes its id maps, and waits. The child builds
//! the tree and stays as **init**, PID 1; its own child becomes the **program**. Where ports are published a **relay** copies
//! bytes; where names are let out a **resolver** answers for them; where cgroups or placeholders were made a **janitor** removes them if the supervisor is killed.
//!
//! If the supervisor dies in any way, the kernel kills init (PR_SET_PDEATHSIG), the relay and the resolver, and with init its whole PID
//! namespace; mounts and namespaces go with their last process.

mod aftermath;
mod attributes;
mod background;
mod cgroup;
mod child;
mod covers;
mod datagrams;
mod descriptors;
mod enter;
mod explain;
mod explain_net;
mod explain_process;
mod failure;
mod filter;
mod identity;
mod image;
mod init;
mod janitor;
mod join;
mod keeper;
mod kernel_log;
mod labels;
mod landlock;
mod lent;
mod limits;
mod links;
mod mounts;
mod netlink;
mod nftables;
mod notices;
mod outcome;
mod overlay;
mod passing;
mod pins;
mod placeholders;
mod pod;
mod program;
mod relay;
mod release;
mod resolver;
mod scope;
mod secret;
mod sources;
mod spawn;
mod special;
mod supervise;
mod sys;
mod sysctl;
mod terminal;
mod tree;
mod tree_causes;
mod volumes;

use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::time::Duration;

pub use aftermath::{aftermath, limits_hit};
pub use background::{Background, Side, Start, detach};
pub use descriptors::Handed;
pub use enter::{Guest, Visit, enter, visit};
pub use explain::explain;
pub use failure::{Failure, Notice};
pub use filter::{Answer, Call, FilterError, audit_arch, compile, listing, run as run_filter};
pub use outcome::{CgroupUse, Ended, RefusedCall, Report, Times, Usage};
pub use pins::Kept;
pub use pod::{PodEvent, PodHooks, Stream, run_pod};
pub use release::{Released, release};
pub use resolver::{RefusedName, RefusedNames, WhyRefused};
pub use sys::duplicate;

use crate::plan::Plan;
use outcome::Clock;

/// What a run tells while it goes on.
#[derive(Debug)]
pub enum Event<'a> {
    /// A step was performed, and took this long. Only where [`Options::watched`] asks for it.
    Performed(usize, Duration),
    /// The program runs.
    Started(Started<'a>),
}

/// How a plan is performed.
#[derive(Debug, Default)]
pub struct Options {
    /// Descriptors that the caller hands over by name.
    pub handed: Vec<Handed>,
    /// Whether every step is told of, and the namespaces are looked at, which costs some microseconds each.
    pub watched: bool,
}

/// What is known when the program runs.
#[derive(Clone, Copy, Debug)]
pub struct Started<'a> {
    /// The steps that failed and were only preferred.
    pub notices: &'a [Notice],
    /// The process that was cloned: init, or the program where there is no init.
    pub child: i32,
    /// The directories of the sandbox's cgroups.
    pub cgroups: &'a [PathBuf],
}

/// Performs a plan and waits for its end.
///
/// The process must have one thread. All signals stay blocked afterwards: the process is expected to exit.
pub fn run(plan: &Plan, options: Options, observe: &mut dyn FnMut(Event)) -> Report {
    let prepared = spawn::Prepared::new(options.handed);
    run_prepared(plan, options.watched, prepared, &mut |event, _| observe(event))
}

/// The same of a container: what the pod gives is prepared already. Beside each event comes what is needed to enter it.
fn run_prepared(
    plan: &Plan,
    watched: bool,
    mut prepared: spawn::Prepared,
    observe: &mut dyn FnMut(Event, &[join::Opened]),
) -> Report {
    sys::default_sigchld();
    let mut clock = Clock::start();
    let result = attempt(plan, watched, &mut prepared, &mut clock, observe);
    clock.ended();
    let cgroups = cgroup::used(prepared.cgroups.iter());
    let kept = std::mem::take(&mut prepared.pins).finish(prepared.janitor.as_mut());
    if let Some(keeper) = prepared.keeper.take() {
        keeper.finish();
    }
    std::mem::take(&mut prepared.links).into_iter().for_each(links::MadeLink::remove);
    let left = prepared.janitor.take().map_or(Vec::new(), janitor::Janitor::finish);
    let report = Report { cgroups, kept, left, times: clock.finish(), ..Report::default() };
    match result {
        Ok(watched) => Report {
            ended: watched.ended,
            core_dumped: watched.core_dumped,
            timed_out: watched.timed_out,
            cpu_over: watched.cpu_over,
            orphaned: watched.orphaned,
            refused: watched.refused,
            usage: watched.usage,
            refused_names: watched.refused_names,
            namespaces: watched.namespaces,
            skipped: watched.skipped,
            ..report
        },
        Err(notice) => Report { ended: Ended::Failed(notice), skipped: prepared.notices, ..report },
    }
}

fn attempt(
    plan: &Plan,
    watched: bool,
    prepared: &mut spawn::Prepared,
    clock: &mut Clock,
    observe: &mut dyn FnMut(Event, &[join::Opened]),
) -> Result<supervise::Watched, Notice> {
    let signals = supervise::signals().map_err(|failure| Notice { step: 0, failure, fatal: true })?;
    prepared.signals = Some(signals.as_raw_fd());
    let mut performed = |step: usize, took: Duration| {
        if watched {
            observe(Event::Performed(step, took), &[]);
        }
    };
    spawn::prepare(plan, prepared, &mut performed)?;
    clock.prepared();
    let mut running = spawn::launch(plan, prepared, watched, &mut performed)?;
    clock.launched();
    let early = std::mem::take(&mut prepared.notices);
    let cgroups: Vec<PathBuf> = prepared.cgroups.iter().map(|made| made.path.clone()).collect();
    let inside = std::mem::take(&mut running.inside);
    let mut observe = |event: Event| {
        if matches!(event, Event::Started(_)) {
            prepared.pins.settle(prepared.janitor.as_mut());
        }
        observe(event, &inside)
    };
    Ok(supervise::watch(plan, &mut running, &signals, early, &cgroups, clock, &mut observe))
}
