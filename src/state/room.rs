//! The directory of all of a user's sandboxes, and whether it can be trusted.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, mkdirat, openat};
use rustix::io::Errno;

use crate::report::Diagnostic;

/// The longest name of a sandbox that has a directory, bytes.
const LONGEST_NAME: usize = 100;

/// Why sandboxes of this caller are not seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unseen {
    /// No directory is given, and there is none in the usual place.
    NoRuntimeDir,
    /// The directory that was named is not there, or cannot be used.
    Unusable(PathBuf, Errno),
    /// It is there, and somebody else could have a hand in it.
    Unsafe(PathBuf, String),
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unseen::NoRuntimeDir => {
                write!(f, "`XDG_RUNTIME_DIR` is not set, and there is no directory for this user in /run/user")
            }
            Unseen::Unusable(path, errno) => {
                let words = std::io::Error::from(*errno).to_string();
                let words = words.split(" (os error").next().unwrap_or_default();
                write!(f, "{} cannot be used: {words}", path.display())
            }
            Unseen::Unsafe(path, reason) => write!(f, "{} is not safe: {reason}", path.display()),
        }
    }
}

impl Unseen {
    /// The same for commands that are about what runs.
    pub fn finding(&self) -> Diagnostic {
        Diagnostic::error("no-state-dir", format!("what runs cannot be found: {self}")).help(
            "set `XDG_RUNTIME_DIR` to a directory that is yours alone; sandboxes that run without one are not seen",
        )
    }
}

/// Whether a name can be that of a directory in the room: letters, digits, `_`, `-` and `.`, beginning with a letter or a digit.
pub fn valid_name(name: &str) -> bool {
    let begins = name.starts_with(|it: char| it.is_ascii_alphanumeric());
    let holds = |it: char| it.is_ascii_alphanumeric() || "_-.".contains(it);
    begins && name.len() <= LONGEST_NAME && name.chars().all(holds)
}

/// The directory of all sandboxes of one user.
#[derive(Debug)]
pub struct Room {
    dir: OwnedFd,
    path: PathBuf,
}

impl Room {
    /// The caller's room; it is made where it is missing.
    ///
    /// `NSL_STATE_DIR` names the room itself, for those who keep several. Else it is `/run/nsl` for root, whatever root's environment has
    /// been inherited from, and `nsl` in `XDG_RUNTIME_DIR`, or in `/run/user/UID`, for everybody else.
    pub fn open() -> Result<Room, Unseen> {
        let (base, name) = place()?;
        Room::at(&base, &name)
    }

    /// The room with this name in a directory.
    pub(super) fn at(base: &Path, name: &str) -> Result<Room, Unseen> {
        let path = base.join(name);
        let unusable = |errno| Unseen::Unusable(path.clone(), errno);
        let outside = rustix::fs::open(base, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| Unseen::Unusable(base.to_path_buf(), errno))?;
        let dir = match open_dir(outside.as_fd(), name) {
            Err(Errno::NOENT) => {
                match mkdirat(&outside, name, Mode::RWXU) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(errno) => return Err(unusable(errno)),
                }
                open_dir(outside.as_fd(), name).map_err(unusable)?
            }
            // O_NOFOLLOW and O_DIRECTORY on a symbolic link: open(2).
            Err(Errno::LOOP | Errno::NOTDIR) => {
                return Err(Unseen::Unsafe(path, "it is no directory".to_string()));
            }
            opened => opened.map_err(unusable)?,
        };
        own(dir.as_fd(), &path)?;
        Ok(Room { dir, path })
    }

    /// Its path, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn dir(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}

/// The caller's own, and nobody else may so much as look.
fn own(dir: BorrowedFd, path: &Path) -> Result<(), Unseen> {
    let stat = rustix::fs::fstat(dir).map_err(|errno| Unseen::Unusable(path.to_path_buf(), errno))?;
    let caller = rustix::process::geteuid().as_raw();
    let wrong = |reason: String| Err(Unseen::Unsafe(path.to_path_buf(), reason));
    if stat.st_uid != caller {
        return wrong(format!("it belongs to uid {}, not to {caller}", stat.st_uid));
    }
    match stat.st_mode & 0o777 {
        mode if mode & 0o077 == 0 => Ok(()),
        mode => wrong(format!("its mode is {mode:o}, so that others may look or write; it has to be 700")),
    }
}

/// A directory in a directory; a symbolic link is not followed.
pub(super) fn open_dir(parent: BorrowedFd, name: &str) -> Result<OwnedFd, Errno> {
    openat(parent, name, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
}

/// Whether a name still leads to the directory that was opened by it.
pub(super) fn is_linked(parent: BorrowedFd, name: &str, dir: BorrowedFd) -> bool {
    let (Ok(named), Ok(held)) = (rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW), rustix::fs::fstat(dir))
    else {
        return false;
    };
    (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)
}

/// The directory that the room is in, and its name there.
fn place() -> Result<(PathBuf, String), Unseen> {
    let given = |name: &str| std::env::var_os(name).filter(|it| !it.is_empty()).map(PathBuf::from);
    if let Some(room) = given("NSL_STATE_DIR") {
        let name = room.file_name().and_then(|it| it.to_str()).map(str::to_string);
        return match (room.parent(), name) {
            (Some(base), Some(name)) if room.is_absolute() => Ok((base.to_path_buf(), name)),
            _ => Err(Unseen::Unsafe(room, "`NSL_STATE_DIR` has to be an absolute path".to_string())),
        };
    }
    if rustix::process::geteuid().is_root() {
        return Ok((PathBuf::from("/run"), "nsl".to_string()));
    }
    let base = given("XDG_RUNTIME_DIR").filter(|it| it.is_absolute()).or_else(|| {
        let usual = PathBuf::from(format!("/run/user/{}", rustix::process::geteuid().as_raw()));
        usual.is_dir().then_some(usual)
    });
    base.map(|base| (base, "nsl".to_string())).ok_or(Unseen::NoRuntimeDir)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn base() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn it_is_made_for_its_owner_alone() {
        let base = base();
        let room = Room::at(base.path(), "nsl").unwrap();
        assert_eq!(std::fs::metadata(room.path()).unwrap().permissions().mode() & 0o777, 0o700);
        Room::at(base.path(), "nsl").unwrap();
    }

    #[test]
    fn what_others_may_write_to_is_refused() {
        let base = base();
        std::fs::create_dir(base.path().join("nsl")).unwrap();
        std::fs::set_permissions(base.path().join("nsl"), std::fs::Permissions::from_mode(0o770)).unwrap();
        let reason = Room::at(base.path(), "nsl").unwrap_err().to_string();
        assert!(reason.contains("its mode is 770"), "{reason}");
    }

    #[test]
    fn links_are_not_followed() {
        let base = base();
        std::fs::create_dir(base.path().join("elsewhere")).unwrap();
        std::os::unix::fs::symlink("elsewhere", base.path().join("nsl")).unwrap();
        let reason = Room::at(base.path(), "nsl").unwrap_err().to_string();
        assert!(reason.contains("it is no directory"), "{reason}");
    }

    #[test]
    fn names_are_names() {
        assert!(valid_name("web") && valid_name("web-2") && valid_name("shop.app_1"));
        for name in ["", ".", "..", "a/b", "-x", "a b", "ü", &"x".repeat(101)] {
            assert!(!valid_name(name), "{name}");
        }
    }
}
