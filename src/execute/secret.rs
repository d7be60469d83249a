//! Secrets: files of the program's own, whose content was never in an argument, a variable, a plan or a state file.
//!
//! They lie in a ramfs, whose pages are never swapped out: a tmpfs of a user namespace cannot promise that. What is read goes
//! through one small buffer, which is wiped.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags};

use super::failure::{Context, Done, Failure};
use super::mounts::{self, NODEV, NOEXEC, NOSUID, PLACE, RDONLY};
use super::sys;
use super::tree::Tree;
use crate::plan::SecretFrom;

/// The most that a secret may have, bytes. A ramfs has no limit of its own.
const LARGEST: usize = 1 << 20;
const BUFFER: usize = 4096;

/// Opens what a secret is read from. It is read in the sandbox.
pub fn open(from: &SecretFrom) -> Result<Done<OwnedFd>, rustix::io::Errno> {
    let path = match from {
        SecretFrom::File(path) => path,
        SecretFrom::Fd(fd) => return Ok(passed(*fd)),
    };
    // A FIFO would wait for somebody to write.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty())?;
    let kind = rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode);
    Ok(match kind.is_file() {
        true => Ok(file),
        false => Err(Failure::refused(format!("{path} is no regular file, and a secret is read from one"))),
    })
}

fn passed(fd: u32) -> Done<OwnedFd> {
    let found = i32::try_from(fd).ok().and_then(|it| sys::inherited(it).ok());
    found.ok_or_else(|| Failure::refused(format!("descriptor {fd} is not open: nsl was started without it")))
}

impl Tree {
    /// A read-only mount of a file with everything that can be read from a descriptor.
    pub fn secret(&mut self, from: OwnedFd) -> Done<OwnedFd> {
        if self.secrets == 0 {
            let ramfs = mounts::new_filesystem("ramfs", &[("mode", "700")], NOSUID | NODEV | NOEXEC)?;
            let place = mounts::open_inside(self.stage_fd()?, "secrets", PLACE | OFlags::DIRECTORY);
            let what = || "mounting the memory for secrets".to_string();
            mounts::attach(ramfs.as_fd(), place.context(what)?.as_fd()).context(what)?;
        }
        let name = format!("secrets/{}", self.secrets);
        self.secrets += 1;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        let file = rustix::fs::openat(self.stage_fd()?, &name, flags, Mode::from_raw_mode(0o400))
            .context(|| "making the file of a secret".to_string())?;
        copy(&from, &file)?;
        let mount =
            mounts::clone_tree(self.stage_fd()?, &name, false).context(|| "binding the file of a secret".into())?;
        mounts::restrict(mount.as_fd(), RDONLY | NOSUID | NODEV | NOEXEC, false)?;
        Ok(mount)
    }
}

fn copy(from: &OwnedFd, to: &OwnedFd) -> Done {
    let mut buffer = [0; BUFFER];
    let result = copy_through(from, to, &mut buffer);
    buffer.fill(0);
    // Nobody reads the buffer any more, and a compiler that knows that would leave the line above out.
    std::hint::black_box(&buffer);
    result
}

fn copy_through(from: &OwnedFd, to: &OwnedFd, buffer: &mut [u8]) -> Done {
    let mut total = 0;
    loop {
        let count = match rustix::io::read(from, &mut *buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(rustix::io::Errno::INTR) => continue,
            Err(errno) => return Err(errno).context(|| "reading a secret".to_string()),
        };
        total += count;
        if total > LARGEST {
            return Err(Failure::refused("a secret has 1 MiB at the most"));
        }
        let mut rest = &buffer[..count];
        while !rest.is_empty() {
            let written = rustix::io::write(to, rest).context(|| "writing a secret".to_string())?;
            rest = &rest[written..];
        }
    }
}
