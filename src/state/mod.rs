//! What runs: one locked directory a sandbox, no daemon.
//!
//! The directories are in the **room**: `/run/nsl` for root, `$XDG_RUNTIME_DIR/nsl` for everybody else, of mode 0700 and the caller's own.
//! The supervisor holds a lock (flock(2)) on its directory for as long as it lives, so one look tells a sandbox that runs from
//! one whose supervisor was killed; what is left of those is swept by the next command that looks.
//!
//! A sandbox is not less a sandbox without a directory: where there is no room, it runs and is not seen.

mod guard;
mod list;
mod lock;
mod log;
mod process;
mod record;
mod room;
mod seat;

pub use guard::{Guard, register};
pub use list::{Entry, Phase, find, list, members, remove, sweep};
pub use log::{LOG_SIZE, LogWriter, copy_log};
pub use process::Process;
pub use record::{End, FORMAT, Record, Seen};
pub use room::{Room, Unseen, valid_name};
pub use seat::Seat;
