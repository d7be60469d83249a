//! The argument that names a sandbox that runs.

use clap::Args;
use nsl::report::Diagnostic;
use nsl::source::Files;
use nsl::state::{self, Entry, Room};

/// A sandbox that runs, or ran in the background.
#[derive(Args)]
pub struct Name {
    /// The sandbox, as `nsl ps` names it.
    #[arg(value_name = "NAME")]
    name: String,
}

impl Name {
    /// What there is of it.
    pub fn find(&self) -> Result<Entry, Diagnostic> {
        state::find(&room()?, &self.name)
    }

    /// The same, and the containers of it that run, where it is a pod.
    pub fn find_all(&self) -> Result<(Entry, Vec<Entry>), Diagnostic> {
        let room = room()?;
        let entry = state::find(&room, &self.name)?;
        let members = state::members(&room, &entry);
        Ok((entry, members))
    }
}

/// The caller's room.
pub fn room() -> Result<Room, Diagnostic> {
    Room::open().map_err(|unseen| unseen.finding())
}

/// Says what is wrong; the result is the exit status.
pub fn refuse(finding: Diagnostic) -> i32 {
    super::policy::refuse(&Files::new(), &[finding])
}
