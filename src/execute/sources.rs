//! What is bound from the host: opened once, with the caller's rights, and held by descriptor ever after.
//!
//! A caller with CAP_SYS_ADMIN copies the mount tree before the child exists. Any other may copy it only in the
//! child's own mount namespace; then the supervisor notes which device and inode it has opened, and the child
//! makes sure that it got the same. So it is where a mount namespace is pinned below: the kernel moves no tree with one that is older than the
//! mover's (fs/namespace.c, `check_for_nsfs_mounts`), and the child's mount namespace was made without.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};

use super::failure::{Context, Done, Failure};
use super::image::{self, Image, Layer};
use super::{mounts, secret, sys};
use crate::plan::{Propagation, SecretFrom};

/// One source.
struct Source {
    step: usize,
    path: String,
    recursive: bool,
    propagation: Propagation,
    state: State,
}

enum State {
    /// Optional, and missing.
    Absent,
    /// Seen by the supervisor; to be copied by the child.
    Seen { place: OwnedFd },
    /// Copied: a mount that is attached nowhere yet.
    Copied(Option<OwnedFd>),
    /// What a secret is read from.
    Secret(Option<OwnedFd>),
    /// The layers of an image.
    Layers(Vec<Layer>),
}

/// All sources of a plan, by id.
#[derive(Default)]
pub struct Sources {
    sources: Vec<Source>,
}

impl Sources {
    /// Opens the next source, with what is mounted below it or not, now and later; `in_child`: for the child to copy. One that is missing is
    /// fatal unless it is optional.
    pub fn open(
        &mut self,
        step: usize,
        path: &str,
        (recursive, in_child, propagation): (bool, bool, Propagation),
        required: bool,
    ) -> Done {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let state = match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(place) if in_child => State::Seen { place },
            Ok(place) => match mounts::clone_tree(place.as_fd(), "", recursive) {
                Ok(mount) => {
                    // At once, before anything is mounted on it: the copy still belongs to the peer group of the
                    // original, and a mount made on it would appear on the host.
                    mounts::restrict_all(mount.as_fd(), 0, propagation)?;
                    State::Copied(Some(mount))
                }
                Err(rustix::io::Errno::PERM) => State::Seen { place },
                Err(errno) => return Err(errno).context(|| format!("copying the mount of {path}")),
            },
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) if !required => State::Absent,
            Err(errno) => return Err(errno).context(|| format!("opening {path}")),
        };
        self.sources.push(Source { step, path: path.to_string(), recursive, propagation, state });
        Ok(())
    }

    /// What a source refers to; `None` if it is optional and missing, or was taken.
    pub fn place(&self, id: u32) -> Option<BorrowedFd<'_>> {
        match self.sources.get(id as usize).map(|it| &it.state)? {
            State::Seen { place } => Some(place.as_fd()),
            State::Copied(mount) => mount.as_ref().map(|it| it.as_fd()),
            State::Absent | State::Secret(_) | State::Layers(_) => None,
        }
    }

    /// Opens what a secret is read from, as the next source.
    pub fn open_secret(&mut self, step: usize, from: &SecretFrom, required: bool) -> Done {
        let path = match from {
            SecretFrom::File(path) => path.clone(),
            SecretFrom::Fd(fd) => format!("descriptor {fd}"),
        };
        let state = match secret::open(from) {
            Ok(file) => State::Secret(Some(file?)),
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) if !required => State::Absent,
            Err(errno) => return Err(errno).context(|| format!("opening {path}")),
        };
        self.sources.push(Source { step, path, recursive: false, propagation: Propagation::Private, state });
        Ok(())
    }

    /// Takes the copy of a volume of the pod, as the next source.
    pub fn put_volume(&mut self, step: usize, name: &str, mount: OwnedFd) {
        let state = State::Copied(Some(mount));
        self.sources.push(Source {
            step,
            path: format!("the volume {name}"),
            recursive: false,
            propagation: Propagation::Private,
            state,
        });
    }

    /// Opens an image, as the next source.
    pub fn open_image(&mut self, step: usize, path: &str, digest: Option<&str>) -> Done {
        let state = match image::open(path, digest)? {
            Image::Disk(mount) => State::Copied(Some(mount)),
            Image::Layers(layers) => State::Layers(layers),
        };
        self.sources.push(Source {
            step,
            path: path.to_string(),
            recursive: false,
            propagation: Propagation::Private,
            state,
        });
        Ok(())
    }

    /// The layers of an image; `None` for a source that is a mount.
    pub fn layers(&self, id: u32) -> Option<&[Layer]> {
        match self.sources.get(id as usize).map(|it| &it.state) {
            Some(State::Layers(layers)) => Some(layers),
            _ => None,
        }
    }

    /// What a secret is read from, which can be taken once; `None` if it is optional and missing.
    pub fn take_secret(&mut self, id: u32) -> Done<Option<OwnedFd>> {
        match self.sources.get_mut(id as usize).map(|it| &mut it.state) {
            Some(State::Secret(file)) => {
                file.take().map(Some).ok_or_else(|| Failure::refused(format!("secret {id} is used twice")))
            }
            Some(State::Absent) => Ok(None),
            _ => Err(Failure::refused(format!("source {id} is no secret"))),
        }
    }

    /// In the supervisor, while the child waits: lets a source show owners as the user namespace of a process maps them. The
    /// child holds the same mount.
    pub fn map_owners(&self, id: u32, user: BorrowedFd) -> Done {
        let Some(source) = self.sources.get(id as usize) else {
            return Err(Failure::refused("there is no such source"));
        };
        match &source.state {
            State::Copied(Some(mount)) => sys::mount_idmap(mount.as_fd(), user, source.recursive)
                .context(|| format!("mapping the owners of {}", source.path)),
            State::Absent => Ok(()),
            _ => {
                Err(Failure::refused(format!("mapping the owners of {} takes CAP_SYS_ADMIN on the host", source.path)))
            }
        }
    }

    /// In the child, before it changes anything: copies what the supervisor could only look at. Fails with the step of the
    /// source.
    pub fn copy_in_child(&mut self) -> Result<(), (usize, Failure)> {
        for source in &mut self.sources {
            if let State::Seen { place } = &source.state {
                let mount = copy(source, place).map_err(|failure| (source.step, failure))?;
                source.state = State::Copied(Some(mount));
            }
        }
        Ok(())
    }

    /// The mount of a source, which can be taken once; `None` if it is optional and missing.
    pub fn take(&mut self, id: u32) -> Done<Option<OwnedFd>> {
        match self.sources.get_mut(id as usize).map(|it| &mut it.state) {
            Some(State::Copied(mount)) => {
                mount.take().map(Some).ok_or_else(|| Failure::refused(format!("source {id} is used twice")))
            }
            Some(State::Absent) => Ok(None),
            Some(State::Seen { .. } | State::Secret(_) | State::Layers(_)) | None => {
                Err(Failure::refused(format!("source {id} was never copied")))
            }
        }
    }
}

fn copy(source: &Source, seen: &OwnedFd) -> Done<OwnedFd> {
    let path = &source.path;
    let mount = mounts::clone_host_path(path, source.recursive).context(|| format!("copying the mount of {path}"))?;
    if mounts::identity(mount.as_fd())? != mounts::identity(seen.as_fd())? {
        return Err(Failure::refused(format!("{path} was replaced by something else while the sandbox was built")));
    }
    mounts::restrict_all(mount.as_fd(), 0, source.propagation)?;
    Ok(mount)
}

/// Locks a directory, flock(2), for as long as this run lasts.
pub fn hold(source: BorrowedFd, name: &str) -> Done<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = rustix::fs::openat(source, name, flags, Mode::empty()).context(|| format!("opening {name}"))?;
    rustix::fs::flock(&dir, rustix::fs::FlockOperation::NonBlockingLockExclusive)
        .context(|| format!("locking {name}"))?;
    Ok(dir)
}
