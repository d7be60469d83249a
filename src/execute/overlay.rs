//! Overlays: directories of the host, one over the other, and changes that go elsewhere.
//!
//! The layers are put on the stage, below `layers/`, and named from there by their numbers: the kernel takes no layer that is not
//! mounted somewhere, its options are short, and the stage is a place where nobody else can swap one. The two directories of
//! changes that are kept are named by descriptor, since others may write beside them.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::fs::{Mode, OFlags};

use super::failure::{Context, Done, Failure};
use super::mounts::{self, NODEV, NOSUID, PLACE, RDONLY};
use super::sources::Sources;
use super::tree::Tree;
use crate::plan::{Access, OverlayStep, UpperStep};

/// The paths of a layer that is written to, as options, and what keeps them valid.
struct Writable {
    upper: String,
    work: String,
    _held: Vec<OwnedFd>,
}

impl Tree {
    /// A new overlay, attached nowhere yet; `None` where one of its layers is optional and missing.
    pub fn overlay(&mut self, step: &OverlayStep, sources: &mut Sources) -> Done<Option<OwnedFd>> {
        let mut names = Vec::new();
        let mut top = None;
        for id in &step.lower {
            let Some(mount) = sources.take(*id)? else { return Ok(None) };
            let layer = self.layer(mount, RDONLY | NOSUID | NODEV)?;
            names.push(layer.0);
            top.get_or_insert(layer.1);
        }
        let top = top.ok_or_else(|| Failure::refused("an overlay has no layers"))?;
        let writable = match &step.upper {
            UpperStep::None => None,
            UpperStep::Tmpfs { size, inodes } => Some(self.ephemeral(*size, *inodes, &top)?),
            UpperStep::Dir { id, upper, work } => match sources.take(*id)? {
                Some(mount) => Some(self.kept(mount, upper, work)?),
                None => return Ok(None),
            },
        };
        let layers = mounts::open_inside(self.stage_fd()?, "layers", PLACE | OFlags::DIRECTORY);
        rustix::process::fchdir(layers.context(|| "opening the layers".to_string())?)
            .context(|| "entering the layers".to_string())?;
        let lower = names.join(":");
        let mut options = vec![("lowerdir", lower.as_str())];
        if let Some(writable) = &writable {
            options.extend([("upperdir", writable.upper.as_str()), ("workdir", writable.work.as_str())]);
        }
        if step.userxattr {
            options.push(("userxattr", ""));
        }
        let access = if writable.is_some() { Access::Rw } else { Access::Ro };
        let mount = mounts::new_filesystem("overlay", &options, mounts::attributes(access, step.flags))?;
        // The kernel says no more than this where it cannot write to the directories of the changes.
        if writable.is_some() && mounts::is_read_only(mount.as_fd()) {
            return Err(Failure::refused(
                "the sandbox cannot write to `upper` and `work`, so that nothing could be changed",
            ));
        }
        if writable.is_some() {
            self.layered.insert(mounts::identity(mount.as_fd())?.0);
        }
        Ok(Some(mount))
    }

    /// Puts a layer on the stage: its name there, and a descriptor of it.
    fn layer(&mut self, mount: OwnedFd, attributes: u64) -> Done<(String, OwnedFd)> {
        if !mounts::is_dir(mount.as_fd())? {
            return Err(Failure::refused("a layer of an overlay has to be a directory"));
        }
        mounts::restrict(mount.as_fd(), attributes, true)?;
        let name = self.layers.to_string();
        self.layers += 1;
        let what = || format!("putting layer {name} on the stage");
        let path = format!("layers/{name}");
        rustix::fs::mkdirat(self.stage_fd()?, &path, Mode::from_raw_mode(0o700)).context(what)?;
        let place = mounts::open_inside(self.stage_fd()?, &path, PLACE | OFlags::DIRECTORY).context(what)?;
        mounts::attach(mount.as_fd(), place.as_fd()).context(what)?;
        let top = mounts::open_inside(self.stage_fd()?, &path, PLACE | OFlags::DIRECTORY).context(what)?;
        Ok((name, top))
    }

    /// Changes in memory. The directory of what is changed is also what the root of the overlay looks like: as that of the
    /// topmost layer does.
    fn ephemeral(&mut self, size: u64, inodes: u64, top: &OwnedFd) -> Done<Writable> {
        let tmpfs = mounts::new_tmpfs(size, inodes, 0o700, NOSUID | NODEV)?;
        let (name, place) = self.layer(tmpfs, 0)?;
        let what = || "making the directories for changes".to_string();
        let like = rustix::fs::fstat(top).context(what)?;
        for dir in ["upper", "work"] {
            rustix::fs::mkdirat(&place, dir, Mode::from_raw_mode(0o700)).context(what)?;
        }
        let upper =
            rustix::fs::openat(&place, "upper", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
                .context(what)?;
        // An owner that has no number in here cannot be given anything; then it stays the program's.
        let (uid, gid) = (rustix::process::Uid::from_raw(like.st_uid), rustix::process::Gid::from_raw(like.st_gid));
        let _ = rustix::fs::fchown(&upper, Some(uid), Some(gid));
        rustix::fs::fchmod(&upper, Mode::from_raw_mode(like.st_mode & 0o7777)).context(what)?;
        Ok(Writable { upper: format!("{name}/upper"), work: format!("{name}/work"), _held: Vec::new() })
    }

    /// Changes in a directory of the host.
    fn kept(&mut self, parent: OwnedFd, upper: &str, work: &str) -> Done<Writable> {
        let (_, place) = self.layer(parent, NOSUID | NODEV)?;
        let mut held = Vec::new();
        let mut path_of = |name: &str| {
            let dir = mounts::open_beneath(place.as_fd(), name, PLACE | OFlags::DIRECTORY)
                .context(|| format!("opening {name}, a directory for the changes of an overlay"))?;
            let path = format!("/proc/self/fd/{}", dir.as_raw_fd());
            held.push(dir);
            Ok(path)
        };
        let (upper, work) = (path_of(upper)?, path_of(work)?);
        Ok(Writable { upper, work, _held: held })
    }
}
