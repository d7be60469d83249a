//! `nsl ns release`: takes away what keeps a namespace, and the file.
//!
//! Everything that can be wrong is looked at before anything is changed, and what is unmounted is the very mount that was looked at: it is
//! held by a descriptor.

use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::UnmountFlags;

use super::mounts;
use crate::host::{self, Pin};
use crate::report::Diagnostic;

/// What came of letting a namespace go.
#[derive(Clone, Debug)]
pub struct Released {
    /// What the file kept.
    pub pin: Pin,
    /// `pin-file-left`, where the namespace was let go and the file is still there.
    pub file_left: Option<Diagnostic>,
}

/// Lets a namespace go that a file keeps, and removes the file.
///
/// # Errors
/// A finding: `no-pin`, `pin-on-another`, `pin-not-empty`, `pin-forbidden`, after which nothing has changed.
pub fn release(path: &Path) -> Result<Released, Diagnostic> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let place = Place::open(&absolute)?;
    let shown = absolute.display();
    let pin = host::pin_behind(place.file.as_fd()).ok_or_else(|| place.no_pin())?;
    if pin.on_another {
        let message = format!("{shown} keeps several namespaces, one mounted on the other");
        return Err(Diagnostic::error("pin-on-another", message).help(format!(
            "`umount {shown}` takes away the last of them; when one is left, `nsl ns release {shown}` does the rest"
        )));
    }
    place.look_below()?;
    let mount = format!("/proc/self/fd/{}", place.file.as_raw_fd());
    // It is held open for this, so it is detached: it goes when the descriptor is closed.
    rustix::mount::unmount(mount, UnmountFlags::DETACH).map_err(|errno| place.forbidden(errno))?;
    Ok(Released { pin, file_left: place.unlink().err() })
}

/// A file, and the directory that it is in.
struct Place {
    path: PathBuf,
    dir: OwnedFd,
    file: OwnedFd,
}

impl Place {
    fn open(path: &Path) -> Result<Place, Diagnostic> {
        let absent = |why: &str| {
            Diagnostic::error("no-pin", format!("{} {why}", path.display()))
                .help("`nsl ns` lists the namespaces that files keep: `pinned by`")
        };
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(absent("keeps no namespace: it is a directory"));
        };
        let failed = |errno| match errno {
            Errno::NOENT | Errno::NOTDIR => absent("does not exist"),
            Errno::ACCESS => Diagnostic::error("pin-forbidden", format!("you may not reach {}", path.display()))
                .help("run as root, or as the owner of the directories above it"),
            errno => absent(&format!("cannot be opened: {errno}")),
        };
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let dir = rustix::fs::openat(CWD, parent, flags | OFlags::DIRECTORY, Mode::empty()).map_err(failed)?;
        let file = rustix::fs::openat(&dir, name, flags | OFlags::NOFOLLOW, Mode::empty()).map_err(failed)?;
        Ok(Place { path: path.to_path_buf(), dir, file })
    }

    fn name(&self) -> &OsStr {
        self.path.file_name().unwrap_or_default()
    }

    fn no_pin(&self) -> Diagnostic {
        let kind = rustix::fs::fstat(&self.file).map(|it| FileType::from_raw_mode(it.st_mode));
        let help = match kind {
            Ok(FileType::Symlink) => "it is a symbolic link: name the file that it leads to",
            _ => {
                "`nsl ns` lists the namespaces that files keep (`pinned by`); one of a process is let go by the process"
            }
        };
        Diagnostic::error("no-pin", format!("{} keeps no namespace", self.path.display())).help(help)
    }

    /// What the file is without the mount on it, seen in a copy of the mount that it is on.
    fn look_below(&self) -> Result<(), Diagnostic> {
        let below = match mounts::clone_tree(self.dir.as_fd(), "", false) {
            Ok(below) => below,
            Err(Errno::PERM) => return Err(self.forbidden(Errno::PERM)),
            // Mounts that came from a more privileged mount namespace stay together; unmounting will tell.
            Err(_) => return Ok(()),
        };
        match rustix::fs::statat(&below, self.name(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if !FileType::from_raw_mode(stat.st_mode).is_file() || stat.st_size > 0 => {
                let shown = self.path.display();
                let message = format!("{shown} is a file with something in it, below the namespace that it keeps");
                Err(Diagnostic::error("pin-not-empty", message).help(format!(
                    "nsl has not made it and does not remove it: `umount {shown}` lets the namespace go and leaves the file"
                )))
            }
            _ => Ok(()),
        }
    }

    fn forbidden(&self, errno: Errno) -> Diagnostic {
        let shown = self.path.display();
        let (message, help) = match errno {
            // mount_namespaces(7): mounts of a more privileged namespace are locked.
            Errno::INVAL => (
                format!("{shown} was mounted outside of your mount namespace, and is let go there"),
                "run it where the file was made, or as root of the host",
            ),
            Errno::PERM | Errno::ACCESS => (
                format!("you may not let go of what {shown} keeps"),
                "that takes CAP_SYS_ADMIN in the user namespace that owns your mount namespace: run as root, or where the file was made",
            ),
            errno => (format!("{shown} cannot be unmounted: {errno}"), "see umount(2)"),
        };
        Diagnostic::error("pin-forbidden", message).help(help)
    }

    /// Removes the file, which is to be empty.
    fn unlink(&self) -> Result<(), Diagnostic> {
        let shown = self.path.display();
        let left = |why: String| {
            Diagnostic::error("pin-file-left", format!("the namespace was let go, and the file {shown} is left: {why}"))
                .help(format!("`rm {shown}` removes it"))
        };
        let stat = rustix::fs::statat(&self.dir, self.name(), AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|errno| left(errno.to_string()))?;
        if !FileType::from_raw_mode(stat.st_mode).is_file() || stat.st_size > 0 {
            return Err(left("there is something in it".to_string()));
        }
        rustix::fs::unlinkat(&self.dir, self.name(), AtFlags::empty()).map_err(|errno| left(errno.to_string()))
    }
}
