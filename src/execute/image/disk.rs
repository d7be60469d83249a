//! A file system in a file, through a loop device that goes away with its mount.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};

use crate::execute::failure::{Context, Done, Failure};
use crate::execute::mounts::{self, NODEV, NOSUID, RDONLY};
use crate::execute::sys;

/// How often a free device is asked for: between the answer and its use somebody else may take it.
const TRIES: usize = 64;

/// A read-only mount of it, attached nowhere yet.
pub fn mount(file: BorrowedFd, kind: &str) -> Done<OwnedFd> {
    let (device, path) = loop_device(file)?;
    let mount = mounts::new_filesystem(kind, &[("source", path.as_str()), ("ro", "")], RDONLY | NOSUID | NODEV)?;
    // From here on the mount alone keeps the device.
    drop(device);
    mounts::restrict(mount.as_fd(), RDONLY | NOSUID | NODEV, true)?;
    Ok(mount)
}

/// A loop device of a file, read-only, which the kernel lets go when nobody uses it any more: loop(4).
fn loop_device(file: BorrowedFd) -> Done<(OwnedFd, String)> {
    let open = |path: &str| rustix::fs::open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty());
    let control =
        open("/dev/loop-control").context(|| "opening /dev/loop-control, for a file system in a file".to_string())?;
    for _ in 0..TRIES {
        let number = sys::free_loop_device(control.as_fd()).context(|| "asking for a free loop device".to_string())?;
        let path = format!("/dev/loop{number}");
        let device = rustix::fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        let device = device.context(|| format!("opening {path}"))?;
        match sys::configure_loop_device(device.as_fd(), file) {
            Err(nix::errno::Errno::EBUSY) => continue,
            result => result.context(|| format!("giving the image to {path}"))?,
        }
        return Ok((device, path));
    }
    Err(Failure::refused("every loop device that was free is somebody else's by now"))
}
