//! The lock of a directory: flock(2).

use std::ops::Deref;
use std::os::fd::OwnedFd;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

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
