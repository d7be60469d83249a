//! A run and its directory, where it has one.

use std::path::{Path, PathBuf};

use super::guard::{Guard, register};
use super::log::LogWriter;
use super::record::{End, Record, Seen};
use super::room::Unseen;
use crate::plan::Plan;
use crate::report::Diagnostic;

/// The place of a run among those that are seen; or none, and then it runs as well.
#[derive(Debug)]
pub struct Seat {
    guard: Result<Guard, Unseen>,
    policy: PathBuf,
    detached: bool,
    pod: Option<String>,
}

impl Seat {
    /// Takes a place for a sandbox, before anything of it is there. `name` is what it is to be called, where that was asked for.
    pub fn take(plan: &Plan, name: Option<&str>, policy: &Path, detached: bool) -> Result<Seat, Diagnostic> {
        let guard = register(&plan.name, name)?;
        if let (Err(unseen), true) = (&guard, detached || name.is_some()) {
            let what = if detached { "in the background" } else { "under a name" };
            let message =
                format!("a sandbox cannot run {what}, as there is no place to write down that it does: {unseen}");
            return Err(Diagnostic::error("no-state-dir", message).help(
                "set `XDG_RUNTIME_DIR` to a directory that is yours alone, or run it in the foreground without a name",
            ));
        }
        let policy = std::path::absolute(policy).unwrap_or_else(|_| policy.to_path_buf());
        Ok(Seat { guard, policy, detached, pod: None })
    }

    /// The place of a container, which is called `POD.CONTAINER`; none where its pod has none.
    pub fn of_container(plan: &Plan, pod: &str, policy: &Path) -> Option<Seat> {
        let seat = Seat::take(plan, Some(&format!("{pod}.{}", plan.name)), policy, false).ok()?;
        Some(Seat { pod: Some(pod.to_string()), ..seat })
    }

    /// What it is called; `None` where it is not seen.
    pub fn name(&self) -> Option<&str> {
        self.guard.as_ref().ok().map(Guard::name)
    }

    /// Why it is not seen.
    pub fn unseen(&self) -> Option<&Unseen> {
        self.guard.as_ref().err()
    }

    /// Its directory.
    pub fn guard(&self) -> Option<&Guard> {
        self.guard.as_ref().ok()
    }

    /// A log in its directory.
    pub fn log(&self) -> Result<LogWriter, Diagnostic> {
        let reason = match &self.guard {
            Ok(guard) => match guard.log() {
                Ok(log) => return Ok(log),
                Err(error) => error.to_string(),
            },
            Err(unseen) => unseen.to_string(),
        };
        Err(Diagnostic::error("log-failed", format!("a log cannot be kept: {reason}"))
            .help("run it in the foreground, and lead its output where it is to go"))
    }

    /// Writes down what runs. A failure makes it unseen, and is no reason to end it.
    pub fn started(&mut self, plan: &Plan, seen: &Seen) {
        let Ok(guard) = &mut self.guard else { return };
        let Some(mut record) = Record::observe(guard.name(), plan, &self.policy, seen) else { return };
        record.detached = self.detached;
        record.pod = self.pod.clone();
        let _ = guard.publish(&record, plan);
    }

    /// Leaves, with the status for those who wait.
    pub fn leave(self, end: End) {
        if let Ok(guard) = self.guard {
            guard.finish(&end);
        }
    }
}
