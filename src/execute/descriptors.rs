//! What the program has at its numbers: streams that the policy names, and descriptors that the caller handed over.
//!
//! Both are opened or taken before anything else of nsl is open, so no number of the caller's can be mistaken for one of
//! nsl's own. In the child they are moved above every number that the program is to have, and then copied to their places.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::fs::{Mode, OFlags};

use super::failure::{Context, Done, Failure};
use super::{mounts, sys};
use crate::plan::{FdSource, OpenStream, StdStream, Stream};

/// A descriptor that the caller handed over by name.
#[derive(Debug)]
pub struct Handed {
    /// Its name.
    pub name: String,
    fd: OwnedFd,
}

impl Handed {
    /// Takes a descriptor over by its number, which is closed; the copy is closed by execve(2).
    ///
    /// # Errors
    /// EBADF where nothing is open there; EISDIR for a directory, which leads to all of the host's files by `..` (CVE-2024-21626).
    pub fn take(name: &str, number: RawFd) -> std::io::Result<Handed> {
        let fd = sys::duplicate(number)?;
        if mounts::is_dir(fd.as_fd()).unwrap_or(true) {
            return Err(rustix::io::Errno::ISDIR.into());
        }
        let _ = sys::close_range(number, number);
        Ok(Handed { name: name.to_string(), fd })
    }
}

/// All of them.
#[derive(Default)]
pub struct Descriptors {
    streams: [Option<OwnedFd>; 3],
    handed: Vec<Handed>,
    aside: bool,
}

impl Descriptors {
    /// With those that were handed over.
    pub fn new(handed: Vec<Handed>) -> Descriptors {
        Descriptors { handed, ..Descriptors::default() }
    }

    /// Opens what a stream is. A link at the end of an output's path is not followed: where the program may write beside it, it
    /// could lead the next run anywhere.
    pub fn open(&mut self, OpenStream { stream, to }: &OpenStream) -> Done {
        let (path, append) = match to {
            Stream::Null => ("/dev/null", true),
            Stream::File { path, append } => (path.as_str(), *append),
            Stream::Inherit | Stream::Stdout => return Ok(()),
        };
        // Without a reader or writer a FIFO would hold nsl up for ever.
        let common = OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
        let flags = match (stream, append) {
            (StdStream::Stdin, _) => OFlags::RDONLY,
            (_, true) => OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND | OFlags::NOFOLLOW,
            (_, false) => OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW,
        };
        let what = || format!("opening {path} for {}", stream.name());
        let fd = rustix::fs::open(path, common | flags, Mode::from_raw_mode(0o666)).context(what)?;
        if mounts::is_dir(fd.as_fd())? {
            return Err(rustix::io::Errno::ISDIR).context(what);
        }
        let flags = rustix::fs::fcntl_getfl(&fd).context(what)?;
        rustix::fs::fcntl_setfl(&fd, flags - OFlags::NONBLOCK).context(what)?;
        self.streams[*stream as usize] = Some(fd);
        Ok(())
    }

    /// Moves these and some others out of the way, above the highest number that the program is to have.
    pub fn move_aside(&mut self, highest: u32, others: &mut [&mut OwnedFd]) -> Done {
        if std::mem::replace(&mut self.aside, true) {
            return Ok(());
        }
        let own = self.streams.iter_mut().flatten().chain(self.handed.iter_mut().map(|it| &mut it.fd));
        for fd in own.chain(others.iter_mut().map(|it| &mut **it)) {
            if fd.as_raw_fd() <= highest as RawFd {
                let moved = rustix::io::fcntl_dupfd_cloexec(&*fd, highest as RawFd + 1);
                *fd = moved.context(|| "moving a descriptor out of the way".to_string())?;
            }
        }
        Ok(())
    }

    /// Puts one in its place.
    pub fn set(&self, number: u32, from: &FdSource) -> Done {
        let what = || format!("dup2 to {number}");
        let missing = || Failure::refused("it was never opened");
        let number = number as RawFd;
        match from {
            FdSource::Opened(stream) => {
                let fd = self.streams[*stream as usize].as_ref().ok_or_else(missing)?;
                sys::dup_to(fd.as_fd(), number).context(what)
            }
            FdSource::Named(name) => {
                let handed = self.handed.iter().find(|it| it.name == *name).ok_or_else(missing)?;
                sys::dup_to(handed.fd.as_fd(), number).context(what)
            }
            FdSource::Copy(of) => {
                let copy = sys::duplicate(*of as RawFd).context(what)?;
                sys::dup_to(copy.as_fd(), number).context(what)
            }
        }
    }
}

/// A directory at 0, 1 or 2 would lead out of the sandbox, as one above would: `nsl run … </`.
pub fn refuse_directories() -> Done {
    for (number, fd) in [(0, rustix::stdio::stdin()), (1, rustix::stdio::stdout()), (2, rustix::stdio::stderr())] {
        if leads_out(fd) {
            return Err(Failure::refused(format!(
                "descriptor {number} is a directory of the host, which would lead out of the sandbox"
            )));
        }
    }
    Ok(())
}

fn leads_out(fd: BorrowedFd) -> bool {
    rustix::fs::fstat(fd).is_ok_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).is_dir())
}
