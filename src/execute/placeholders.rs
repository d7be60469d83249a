//! What `hide` and `protect` cover below a writable source, and is not there: made for the time of the run.
//!
//! A mount needs something to be mounted on, and what does not exist below a host directory that the program may write
//! to could be made by it. So an empty file or directory is made on the host, with the caller's rights and by descriptor: no
//! symbolic link is followed, since whoever could write there before may have laid one. When the run ends it is removed
//! again, if it is still what was made and still empty; the janitor does so if nsl is killed.
//!
//! Two sandboxes may share one: each holds a shared flock(2) on it, and it goes with the last.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::failure::{Context, Done, Failure};
use super::mounts::{self, PLACE};

/// One that was made, or that somebody else made and this run relies on.
pub struct Placeholder {
    parent: OwnedFd,
    name: String,
    /// Open, with a shared lock where the file system knows locks.
    held: OwnedFd,
    dir: bool,
    /// Whether this run made it.
    made: bool,
}

/// Makes what is missing at a relative path below a directory: the directories on the way, and at the end a directory or a
/// file. `before` is told the depth of each, before it is made. What is there and is no directory ends the way.
pub fn make(root: BorrowedFd, path: &str, dir: bool, before: &mut dyn FnMut(u8) -> Done) -> Done<Vec<Placeholder>> {
    let mut found = Vec::new();
    let mut parent = reopen(root)?;
    let names: Vec<&str> = path.split('/').collect();
    for (depth, name) in names.iter().enumerate() {
        let is_last = depth + 1 == names.len();
        let what = || format!("making {path}, which is missing and is to be covered");
        let mut made = false;
        let place = loop {
            let place =
                match rustix::fs::openat(&parent, *name, PLACE | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty()) {
                    Ok(place) => place,
                    Err(Errno::NOENT) => {
                        before(u8::try_from(depth).map_err(|_| Failure::refused(format!("{path} is too deep")))?)?;
                        match create(parent.as_fd(), name, dir || !is_last) {
                            Ok(()) => made = true,
                            Err(Errno::EXIST) => {}
                            Err(errno) => return Err(errno).context(what),
                        }
                        continue;
                    }
                    Err(errno) => return Err(errno).context(what),
                };
            if !made && !is_last && mounts::is_dir(place.as_fd())? {
                break place;
            }
            let Some(held) = hold(parent.as_fd(), name, place.as_fd())? else { break place };
            // Whoever made it may have removed it before it was locked.
            if rustix::fs::fstat(&held).context(what)?.st_nlink == 0 {
                made = false;
                continue;
            }
            let dir = mounts::is_dir(held.as_fd())?;
            if made {
                resemble(parent.as_fd(), held.as_fd(), dir);
            }
            found.push(Placeholder { parent: reopen(parent.as_fd())?, name: name.to_string(), held, dir, made });
            break place;
        };
        if !mounts::is_dir(place.as_fd())? {
            break;
        }
        parent = place;
    }
    Ok(found)
}

fn create(parent: BorrowedFd, name: &str, dir: bool) -> Result<(), Errno> {
    if dir {
        return rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o755));
    }
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::from_raw_mode(0o644)).map(drop)
}

/// Whoever may write to the directory above may put something beside a placeholder in a directory, as if it had been made
/// by them. What cannot be given away stays the caller's.
fn resemble(parent: BorrowedFd, made: BorrowedFd, dir: bool) {
    let Ok(above) = rustix::fs::fstat(parent) else { return };
    if !is_fresh(made, dir) {
        return;
    }
    let (uid, gid) = (rustix::process::Uid::from_raw(above.st_uid), rustix::process::Gid::from_raw(above.st_gid));
    let _ = rustix::fs::fchown(made, Some(uid), Some(gid));
    if dir {
        let _ = rustix::fs::fchmod(made, Mode::from_raw_mode(above.st_mode & 0o777));
    }
}

/// Whether this can be what was just made. Whoever may write to the directory above may have put another thing in its place by
/// then, a file of somebody else's under a second name at that, which is not to be given away: ours, empty, known by one name.
fn is_fresh(made: BorrowedFd, dir: bool) -> bool {
    let Ok(stat) = rustix::fs::fstat(made) else { return false };
    let empty = match dir {
        true => rustix::fs::Dir::read_from(made)
            .is_ok_and(|entries| entries.flatten().all(|it| it.file_name() == c"." || it.file_name() == c"..")),
        false => stat.st_size == 0 && stat.st_nlink == 1,
    };
    empty && stat.st_uid == rustix::process::geteuid().as_raw()
}

/// Opens what may be a placeholder and locks it; `None` for what is none: anything with something in it.
fn hold(parent: BorrowedFd, name: &str, place: BorrowedFd) -> Done<Option<OwnedFd>> {
    let stat = rustix::fs::fstat(place).context(|| format!("looking at {name}"))?;
    let kind = rustix::fs::FileType::from_raw_mode(stat.st_mode);
    let is_empty_file = kind.is_file() && stat.st_size == 0;
    if !kind.is_dir() && !is_empty_file {
        return Ok(None);
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    // Whoever may not open it did not make it.
    let Ok(held) = rustix::fs::openat(parent, name, flags, Mode::empty()) else { return Ok(None) };
    // A file system without locks has nobody else's placeholders to share either.
    let _ = rustix::fs::flock(&held, FlockOperation::NonBlockingLockShared);
    Ok(Some(held))
}

fn reopen(dir: BorrowedFd) -> Done<OwnedFd> {
    let flags = PLACE | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(dir, ".", flags, Mode::empty()).context(|| "opening the directory of a placeholder".to_string())
}

/// Removes those that this run made, last first; false where another sandbox still relies on one.
pub fn remove(placeholders: Vec<Placeholder>) -> bool {
    let mut gone = true;
    for one in placeholders.into_iter().rev().filter(|it| it.made) {
        match rustix::fs::flock(&one.held, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => gone = false,
            _ => unlink(one.parent.as_fd(), &one.name, one.held.as_fd(), one.dir),
        }
    }
    gone
}

/// Removes one by its path, when nobody relies on it any more: for the janitor, which has no descriptor of what was made
/// after it.
pub fn remove_at(root: BorrowedFd, path: &str, depth: u8) {
    let mut names: Vec<&str> = path.split('/').take(usize::from(depth) + 1).collect();
    let Some(name) = names.pop() else { return };
    let Ok(mut parent) = reopen(root) else { return };
    for name in names {
        let flags = PLACE | OFlags::NOFOLLOW | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(next) = rustix::fs::openat(&parent, name, flags, Mode::empty()) else { return };
        parent = next;
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(held) = rustix::fs::openat(&parent, name, flags, Mode::empty()) else { return };
    let _ = rustix::fs::flock(&held, FlockOperation::LockExclusive);
    let dir = mounts::is_dir(held.as_fd()).unwrap_or(false);
    unlink(parent.as_fd(), name, held.as_fd(), dir);
}

/// Only what is still there, the same, and empty: what somebody put there meanwhile is theirs.
fn unlink(parent: BorrowedFd, name: &str, held: BorrowedFd, dir: bool) {
    let (Ok(ours), Ok(there)) = (rustix::fs::fstat(held), rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW))
    else {
        return;
    };
    if (ours.st_dev, ours.st_ino) != (there.st_dev, there.st_ino) || !dir && there.st_size != 0 {
        return;
    }
    let flags = if dir { AtFlags::REMOVEDIR } else { AtFlags::empty() };
    let _ = rustix::fs::unlinkat(parent, OsStr::new(name), flags);
}
