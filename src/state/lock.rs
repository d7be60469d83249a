//! The lock of a directory: flock(2).

use std::ops::Deref;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// How long somebody may look, and how often that is waited for.
const LOOK: Duration = Duration::from_millis(2);
const LOOKS: u32 = 50;

/// A directory that is locked until this is dropped. Copies of its descriptor that a child has kept hold no lock then: it is given back, and
/// not left to the last close(2). Should that fail, the end of the processes does it.
#[derive(Debug)]
pub(super) struct Lock(OwnedFd);

impl Lock {
    /// Locks it; with an operation that does not wait, EWOULDBLOCK says that somebody else has it.
    pub(super) fn take(dir: OwnedFd, operation: FlockOperation) -> Result<Lock, Errno> {
        loop {
            match flock(&dir, operation) {
                Ok(()) => return Ok(Lock(dir)),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }
}

impl Lock {
    /// Locks a directory that should be nobody's. Who only looks holds the lock for a moment; `None` where somebody keeps it.
    pub(super) fn soon(dir: OwnedFd) -> Result<Option<Lock>, Errno> {
        for _ in 0..LOOKS {
            match flock(&dir, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Some(Lock(dir))),
                Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) => std::thread::sleep(LOOK),
                Err(errno) => return Err(errno),
            }
        }
        Ok(None)
    }
}

impl Deref for Lock {
    type Target = OwnedFd;

    fn deref(&self) -> &OwnedFd {
        &self.0
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}
