//! What goes wrong on the way to the program.

use crate::schema::constants::errno_name;

/// A step that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The errno, 0 where the kernel refused nothing and we did.
    pub errno: i32,
    /// What was attempted, or what is wrong, in one clause.
    pub detail: String,
}

/// The result of one step.
pub type Done<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure of ours, not of the kernel.
    pub fn refused(detail: impl Into<String>) -> Failure {
        Failure { errno: 0, detail: detail.into() }
    }

    /// The errno by name and in words: `EPERM (Operation not permitted)`.
    pub fn errno_text(&self) -> String {
        if self.errno == 0 {
            return String::new();
        }
        let words = std::io::Error::from_raw_os_error(self.errno).to_string();
        let words = words.split(" (os error").next().unwrap_or_default().to_string();
        match errno_name(self.errno) {
            Some(name) => format!("{name} ({words})"),
            None => format!("errno {} ({words})", self.errno),
        }
    }
}

impl std::fmt::Display for Failure {
    /// `mount: EPERM (Operation not permitted)`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)?;
        if self.errno != 0 { write!(f, ": {}", self.errno_text()) } else { Ok(()) }
    }
}

/// Says what was attempted when a system call fails.
pub trait Context<T> {
    /// The error with one clause about what was attempted.
    fn context(self, detail: impl FnOnce() -> String) -> Done<T>;
}

impl<T> Context<T> for Result<T, rustix::io::Errno> {
    fn context(self, detail: impl FnOnce() -> String) -> Done<T> {
        self.map_err(|errno| Failure { errno: errno.raw_os_error(), detail: detail() })
    }
}

impl<T> Context<T> for Result<T, nix::errno::Errno> {
    fn context(self, detail: impl FnOnce() -> String) -> Done<T> {
        self.map_err(|errno| Failure { errno: errno as i32, detail: detail() })
    }
}

impl<T> Context<T> for std::io::Result<T> {
    fn context(self, detail: impl FnOnce() -> String) -> Done<T> {
        self.map_err(|error| Failure { errno: error.raw_os_error().unwrap_or(0), detail: detail() })
    }
}

/// A step that failed, as the child tells the supervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The index of the step in the plan.
    pub step: usize,
    /// What went wrong.
    pub failure: Failure,
    /// Whether the run is over; otherwise it goes on without that step.
    pub fatal: bool,
}

impl Notice {
    /// The step of a run that ended before anybody could say at which.
    pub const NO_STEP: usize = u32::MAX as usize;

    /// Something ended the child before it said that the sandbox is complete.
    pub fn incomplete(detail: String) -> Notice {
        Notice { step: Notice::NO_STEP, failure: Failure::refused(detail), fatal: true }
    }
}
