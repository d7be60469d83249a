//! The supervisor's side: a directory for as long as the sandbox runs.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{AtFlags, Mode, OFlags, mkdirat, openat, unlinkat};
use rustix::io::Errno;

use super::list;
use super::lock::Lock;
use super::log::{self, LOG_SIZE, LogWriter};
use super::record::{End, Record};
use super::room::{Room, Unseen, is_linked, open_dir, valid_name};
use crate::plan::Plan;
use crate::report::Diagnostic;

/// The file that says what runs: a line with the [`Record`], a line with the plan, and at the end one with the [`End`].
pub(super) const RECORD: &str = "record";

/// The output of a sandbox in the background.
pub(super) const LOG: &str = "log";

/// The older half of a log that has grown long.
pub(super) const OLD_LOG: &str = "log.1";

/// A directory that is to be removed with this one.
pub(super) const BEHIND: &str = "behind";

/// How many sandboxes of one name are counted; nobody has more.
const MOST_OF_A_NAME: u32 = 100_000;

/// How often a name is tried that somebody else is about to give up.
const TRIES: u32 = 100;

/// A name, and the directory that goes with it. When it is dropped, both are gone.
#[derive(Debug)]
pub struct Guard {
    name: String,
    /// Locked; the lock goes with the process.
    dir: Option<Lock>,
    kept: bool,
}

/// Takes a directory for a sandbox.
///
/// `exact` is a name that was asked for: it is refused where one of that name runs. Otherwise the name is that of the sandbox in its policy, and
/// a second one gets `web-2`. A room that cannot be had is no reason not to run: that is the inner `Err`.
pub fn register(sandbox: &str, exact: Option<&str>) -> Result<Result<Guard, Unseen>, Diagnostic> {
    if let Some(name) = exact
        && !valid_name(name)
    {
        let message = format!("`{name}` cannot be the name of a sandbox that runs");
        return Err(Diagnostic::error("bad-run-name", message)
            .help("letters, digits, `_`, `-` and `.`, beginning with a letter or a digit, 100 at most"));
    }
    let room = match Room::open() {
        Ok(room) => room,
        Err(unseen) => return Ok(Err(unseen)),
    };
    list::sweep_now_and_then(&room);
    in_room(&room, sandbox, exact)
}

pub(super) fn in_room(room: &Room, sandbox: &str, exact: Option<&str>) -> Result<Result<Guard, Unseen>, Diagnostic> {
    let unusable = |errno| Ok(Err(Unseen::Unusable(room.path().to_path_buf(), errno)));
    if let Some(name) = exact {
        return match take(room, name) {
            Ok(Some(guard)) => Ok(Ok(guard)),
            Ok(None) => Err(Diagnostic::error("name-runs", format!("a sandbox `{name}` is running already"))
                .help(format!("choose another `--name`, or end it: `nsl stop {name}`"))),
            Err(errno) => unusable(errno),
        };
    }
    // A policy's names are longer than directories' may be.
    let base: String = sandbox.chars().take(80).collect();
    for number in 1..MOST_OF_A_NAME {
        let name = if number == 1 { base.clone() } else { format!("{base}-{number}") };
        match take(room, &name) {
            Ok(Some(guard)) => return Ok(Ok(guard)),
            Ok(None) => {}
            Err(errno) => return unusable(errno),
        }
    }
    unusable(Errno::MLINK)
}

/// Makes the directory of a name and locks it; `None` where a sandbox has it.
fn take(room: &Room, name: &str) -> Result<Option<Guard>, Errno> {
    for _ in 0..TRIES {
        match mkdirat(room.dir(), name, Mode::RWXU) {
            Ok(()) => {}
            Err(Errno::EXIST) if list::remove_if_over(room, name, true) => continue,
            Err(Errno::EXIST) => return Ok(None),
            Err(errno) => return Err(errno),
        }
        let dir = match open_dir(room.dir(), name) {
            Err(Errno::NOENT) => continue,
            dir => dir?,
        };
        // Somebody who looks may take the directory for a stale one, and another one make it again: then the lock is kept by a sandbox
        // that runs, and to wait for it would be to wait for its end.
        let Some(dir) = Lock::soon(dir)? else { continue };
        if is_linked(room.dir(), name, dir.as_fd()) {
            return Ok(Some(Guard { name: name.to_string(), dir: Some(dir), kept: false }));
        }
    }
    Err(Errno::AGAIN)
}

impl Guard {
    /// What the sandbox is called while it runs.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn dir(&self) -> Result<BorrowedFd<'_>, Errno> {
        self.dir.as_ref().map(|it| it.as_fd()).ok_or(Errno::BADF)
    }

    /// Says what runs: once, when the program was started. Nobody sees half of it.
    pub fn publish(&mut self, record: &Record, plan: &Plan) -> std::io::Result<()> {
        let mut text = serde_json::to_vec(record)?;
        text.push(b'\n');
        serde_json::to_writer(&mut text, plan)?;
        text.push(b'\n');
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = self.dir()?;
        let file = openat(dir, "new", flags, Mode::RUSR | Mode::WUSR)?;
        File::from(file).write_all(&text)?;
        rustix::fs::renameat(dir, "new", dir, RECORD)?;
        self.kept = record.detached;
        Ok(())
    }

    /// Makes the log of a sandbox in the background.
    pub fn log(&self) -> std::io::Result<LogWriter> {
        LogWriter::create(log::reopen(&self.dir()?)?, LOG_SIZE)
    }

    /// Says how it ended, to those who hold the record open, and lets go. What ran in the background keeps its directory, so that its
    /// status and its log can be asked for.
    pub fn finish(self, end: &End) {
        let line = serde_json::to_vec(end).map(|mut line| {
            line.push(b'\n');
            line
        });
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        if let (Ok(dir), Ok(line)) = (self.dir(), line)
            && let Ok(file) = openat(dir, RECORD, flags, Mode::empty())
        {
            // Whoever waits finds out by the lock that it is over; where this fails, only the status is unknown.
            let _ = File::from(file).write_all(&line);
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(dir) = self.dir.take() else { return };
        if !self.kept
            && let Ok(room) = openat(&*dir, "..", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            && is_linked(room.as_fd(), &self.name, dir.as_fd())
        {
            clear(dir.as_fd());
            let _ = unlinkat(&room, self.name.as_str(), AtFlags::REMOVEDIR);
        }
    }
}

/// Removes what can be in a sandbox's directory, and the cgroup that was made for it beside those of its plan.
pub(super) fn clear(dir: BorrowedFd) {
    if let Some(path) = text(dir, BEHIND).map(|it| it.1) {
        // What was killed takes a moment to leave.
        for _ in 0..50 {
            match std::fs::remove_dir(&path) {
                Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {
                    std::thread::sleep(std::time::Duration::from_millis(5));
                }
                _ => break,
            }
        }
    }
    for file in [RECORD, LOG, OLD_LOG, BEHIND, "new"] {
        let _ = unlinkat(dir, file, AtFlags::empty());
    }
}

/// The record file of a directory, and its first line.
pub(super) fn head(dir: BorrowedFd) -> Option<(File, Vec<u8>)> {
    let file = openat(dir, RECORD, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut file = File::from(file);
    let mut line = Vec::new();
    // As long as one line is in nearly every case.
    let mut piece = [0; 2048];
    loop {
        let count = file.read(&mut piece).ok()?;
        match piece[..count].iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                line.extend_from_slice(&piece[..end]);
                return Some((file, line));
            }
            None if count == 0 => return Some((file, line)),
            None => line.extend_from_slice(&piece[..count]),
        }
    }
}

/// A file of a directory, and what is in it.
pub(super) fn text(dir: BorrowedFd, name: &str) -> Option<(File, String)> {
    let file = openat(dir, name, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut file = File::from(file);
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    Some((file, text))
}
