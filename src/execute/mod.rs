//! Performs a plan: the only floor that changes anything.
//!
//! A run is up to five processes. The **supervisor** is nsl itself: one thread, no runtime. It opens what can be
//! opened, makes the cgroups, clones the **child** into its namespaces, writes its id maps, and waits. The child builds
//! the tree and stays as **init**, PID 1; its own child becomes the **program**. Where ports are published a **relay** copies
//! bytes; where cgroups or placeholders were made a **janitor** removes them if the supervisor is killed.
//!
//! If the supervisor dies in any way, the kernel kills init (PR_SET_PDEATHSIG) and the relay, and with init its whole PID
//! namespace; mounts and namespaces go with their last process.

mod aftermath;
mod cgroup;
mod child;
mod datagrams;
mod explain;
mod failure;
mod filter;
mod identity;
mod init;
mod janitor;
mod join;
mod landlock;
mod mounts;
mod placeholders;
mod program;
mod relay;
mod sources;
mod spawn;
mod special;
mod supervise;
mod sys;
mod tree;

use std::path::PathBuf;

pub use aftermath::aftermath;
pub use explain::explain;
pub use failure::{Failure, Notice};
pub use filter::{FilterError, compile};

use crate::plan::Plan;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The program ended with this status.
    Exited(i32),
    /// The program was ended by this signal.
    Signaled(i32),
    /// The sandbox could not be built, or the program could not be started.
    Failed(Notice),
}

/// All that is known of a run when it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How it ended.
    pub ended: Ended,
    /// Whether `stop { after = … }` ended it.
    pub timed_out: bool,
    /// Processes that the kernel killed because of the memory limit.
    pub oom_kills: u64,
    /// Forks that failed because of the limit of processes.
    pub fork_failures: u64,
    /// Cgroups that could not be removed.
    pub left: Vec<PathBuf>,
}

impl Report {
    /// The status that nsl ends with: the program's, 128 + signal, or 125, 126, 127 where there was no program.
    pub fn exit_code(&self, plan: &Plan) -> i32 {
        match &self.ended {
            Ended::Exited(code) => *code,
            Ended::Signaled(signal) => 128 + signal,
            Ended::Failed(notice) => explain::exit_code(plan, notice),
        }
    }
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

/// Performs a plan and waits for its end. `started` is called once the program runs.
///
/// The process must have one thread. All signals stay blocked afterwards: the process is expected to exit.
pub fn run(plan: &Plan, started: &mut dyn FnMut(Started)) -> Report {
    sys::default_sigchld();
    let mut prepared = spawn::Prepared::default();
    let (ended, timed_out) = match attempt(plan, &mut prepared, started) {
        Ok(watched) => (watched.ended, watched.timed_out),
        Err(notice) => (Ended::Failed(notice), false),
    };
    let count = |of: fn(&std::path::Path) -> u64| prepared.cgroups.iter().map(|made| of(&made.path)).sum();
    let (oom_kills, fork_failures) = (count(cgroup::oom_kills), count(cgroup::fork_failures));
    let left = prepared.janitor.take().map_or(Vec::new(), janitor::Janitor::finish);
    Report { ended, timed_out, oom_kills, fork_failures, left }
}

fn attempt(
    plan: &Plan,
    prepared: &mut spawn::Prepared,
    started: &mut dyn FnMut(Started),
) -> Result<supervise::Watched, Notice> {
    let signals = supervise::signals().map_err(|failure| Notice { step: 0, failure, fatal: true })?;
    spawn::prepare(plan, prepared)?;
    let mut running = spawn::launch(plan, prepared)?;
    let early = std::mem::take(&mut prepared.notices);
    let cgroups: Vec<PathBuf> = prepared.cgroups.iter().map(|made| made.path.clone()).collect();
    let child = running.pid.as_raw();
    let mut started = |notices: &[Notice]| {
        started(Started { notices: &[early.as_slice(), notices].concat(), child, cgroups: &cgroups })
    };
    Ok(supervise::watch(plan, &mut running, &signals, &mut started))
}
