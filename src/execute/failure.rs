//! What goes wrong on the way to the program, and how it travels from the child to the supervisor.

use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};

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

/// What the child tells the supervisor on the way to the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The index of the step in the plan.
    pub step: usize,
    /// What went wrong.
    pub failure: Failure,
    /// Whether the run is over; otherwise it goes on without that step.
    pub fatal: bool,
}

/// The step of the notice that the sandbox is complete, and of the failure of one that never was.
const NO_STEP: u32 = u32::MAX;

/// The longest detail that is sent; a frame stays below PIPE_BUF, so it arrives whole or not at all.
const MAX_DETAIL: usize = 3000;

impl Notice {
    /// Nothing is left to do but to install the filter, which may refuse a last word, and to execute the program.
    pub fn complete() -> Notice {
        Notice { step: NO_STEP as usize, failure: Failure::refused(""), fatal: false }
    }

    /// Something ended the child before it said that the sandbox is complete.
    pub fn incomplete(detail: String) -> Notice {
        Notice { step: NO_STEP as usize, failure: Failure::refused(detail), fatal: true }
    }

    /// Writes one frame.
    pub fn send(&self, pipe: &OwnedFd) {
        let mut detail = self.failure.detail.as_bytes();
        detail = &detail[..detail.len().min(MAX_DETAIL)];
        let mut frame = Vec::with_capacity(16 + detail.len());
        frame.extend((self.step as u32).to_ne_bytes());
        frame.extend(self.failure.errno.to_ne_bytes());
        frame.extend(u32::from(self.fatal).to_ne_bytes());
        frame.extend((detail.len() as u32).to_ne_bytes());
        frame.extend(detail);
        let Ok(copy) = pipe.as_fd().try_clone_to_owned() else {
            // No descriptor is left for the copy: one write on the original does as well.
            let _ = rustix::io::write(pipe, &frame);
            return;
        };
        let _ = std::fs::File::from(copy).write_all(&frame);
    }

    /// The frames in what was read from the pipe.
    pub fn parse(bytes: &[u8]) -> Vec<Notice> {
        let mut rest = bytes;
        let mut notices = Vec::new();
        while let Some((head, tail)) = rest.split_first_chunk::<16>() {
            let word = |at: usize| u32::from_ne_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
            let length = (word(12) as usize).min(tail.len());
            let detail = String::from_utf8_lossy(&tail[..length]).into_owned();
            let failure = Failure { errno: word(4) as i32, detail };
            notices.push(Notice { step: word(0) as usize, failure, fatal: word(8) != 0 });
            rest = &tail[length..];
        }
        notices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_travel_whole() {
        let (read, write) = rustix::pipe::pipe().unwrap();
        let first = Notice { step: 3, failure: Failure { errno: 1, detail: "mount".into() }, fatal: false };
        let second = Notice { step: 9, failure: Failure { errno: 0, detail: "x".repeat(4000) }, fatal: true };
        first.send(&write);
        second.send(&write);
        drop(write);
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::fs::File::from(read), &mut bytes).unwrap();
        let received = Notice::parse(&bytes);
        assert_eq!(received[0], first);
        assert_eq!(received[1].failure.detail.len(), MAX_DETAIL);
        assert!(received[1].fatal);
    }
}
