//! The tree of paths, put together by descriptors and out of sight, then entered.
//!
//! A tmpfs of our own, the stage, is mounted over some directory of the child's private mount namespace. `root/` in
//! it becomes the new root; `files/` holds what `file("…")` mounts and what `hide` covers with. pivot_root(2) into
//! `root/` and detaching the old root lets the stage vanish with it; the binds out of it live on.
//!
//! Nothing is ever created on a file system of the host. A target that is missing below a host tree appears in
//! the sandbox all the same, because the directory it is missing from is replaced by a tmpfs with the same
//! entries ("mimicked"), provided that the tree is read-only there.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};

use super::failure::{Context, Done, Failure};
use super::mounts::{self, NODEV, NOEXEC, NOSUID, PLACE, RDONLY};
use super::sources::Sources;
use super::{image, special};
use crate::plan::{Access, MountStep, RootSource};

/// What the stage may hold: a few directories and the texts of `file("…")`.
const STAGE_SIZE: u64 = 16 << 20;
const STAGE_INODES: u64 = 4096;
/// The root of `root = empty`, and mimicked directories: nothing but directories, links and mount points.
const SKELETON_SIZE: u64 = 1 << 20;
const SKELETON_INODES: u64 = 16384;

/// Where the stage can be mounted; whatever it covers there is out of the way once the sources are open.
const STAGE_PLACES: [&str; 5] = ["/tmp", "/run", "/mnt", "/var", "/proc"];

/// Attaches a mount where nothing that is needed yet stands, in a mount namespace of this process's own.
pub(super) fn attach_somewhere(mount: BorrowedFd) -> rustix::io::Result<()> {
    let mut result = Err(rustix::io::Errno::NOENT);
    for place in STAGE_PLACES {
        let flags = PLACE | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let Ok(target) = rustix::fs::open(place, flags, Mode::empty()) else { continue };
        result = mounts::attach(mount, target.as_fd());
        if result.is_ok() {
            break;
        }
    }
    result
}

/// A tree in the making.
#[derive(Default)]
pub struct Tree {
    stage: Option<OwnedFd>,
    pub(super) root: Option<OwnedFd>,
    /// Device numbers of the tmpfs that are ours: directories may be made there.
    pub(super) own: BTreeSet<u64>,
    /// Device numbers of overlays that can be written: directories may be made there too, and the program may make some.
    pub(super) layered: BTreeSet<u64>,
    /// Mounts that become read-only when the tree is finished.
    pub(super) seal: Vec<OwnedFd>,
    /// How many texts the stage holds.
    files: u32,
    /// How many layers of overlays the stage holds.
    pub(super) layers: u32,
    /// How many secrets the stage holds.
    pub(super) secrets: u32,
}

/// What a missing target is created as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A directory.
    Dir,
    /// A file.
    File,
}

impl Tree {
    /// Mounts the stage.
    pub fn stage(&mut self) -> Done {
        let stage = mounts::new_tmpfs(STAGE_SIZE, STAGE_INODES, 0o755, NOSUID | NODEV)?;
        attach_somewhere(stage.as_fd())
            .context(|| "mounting the tmpfs in which the tree is put together".to_string())?;
        for (name, mode) in [("root", 0o755), ("files", 0o700), ("empty", 0o555), ("layers", 0o700), ("secrets", 0o700)]
        {
            rustix::fs::mkdirat(&stage, name, Mode::from_raw_mode(mode))
                .context(|| format!("making the directory {name} of the stage"))?;
        }
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        rustix::fs::openat(&stage, "void", flags, Mode::from_raw_mode(0o444))
            .context(|| "making the empty file of the stage".to_string())?;
        self.stage = Some(stage);
        Ok(())
    }

    /// The stage.
    pub(super) fn stage_fd(&self) -> Done<BorrowedFd<'_>> {
        self.stage.as_ref().map(|it| it.as_fd()).ok_or_else(|| Failure::refused("the tree has no stage yet"))
    }

    /// The new root.
    pub fn root_fd(&self) -> Done<BorrowedFd<'_>> {
        self.root.as_ref().map(|it| it.as_fd()).ok_or_else(|| Failure::refused("the tree has no root yet"))
    }

    /// Mounts the new root.
    pub fn mount_root(&mut self, source: &RootSource, sources: &mut Sources) -> Done {
        let mount = match source {
            RootSource::Overlay(overlay) => {
                self.overlay(overlay, sources)?.ok_or_else(|| Failure::refused("the root is missing"))?
            }
            RootSource::Image { id, size, inodes, access, flags } => {
                self.image_root(*id, (*size, *inodes), mounts::attributes(*access, *flags), sources)?
            }
            RootSource::Tmpfs => mounts::new_tmpfs(SKELETON_SIZE, SKELETON_INODES, 0o755, NOSUID | NODEV)?,
            RootSource::Source { id, access, flags } => {
                let mount = sources.take(*id)?.ok_or_else(|| Failure::refused("the root is missing"))?;
                let attributes = mounts::attributes(*access, *flags);
                mounts::restrict(mount.as_fd(), attributes, true)?;
                mount
            }
        };
        let stage = self.stage_fd()?;
        let target = mounts::open_inside(stage, "root", PLACE | OFlags::DIRECTORY)
            .context(|| "opening the directory of the new root".to_string())?;
        mounts::attach(mount.as_fd(), target.as_fd()).context(|| "mounting the new root".to_string())?;
        let root = mounts::open_inside(stage, "root", OFlags::DIRECTORY | OFlags::RDONLY)
            .or_else(|_| mounts::open_inside(stage, "root", PLACE | OFlags::DIRECTORY))
            .context(|| "opening the new root".to_string())?;
        let unpacked = matches!(source, RootSource::Image { id, .. } if sources.layers(*id).is_some());
        if *source == RootSource::Tmpfs || unpacked {
            self.own.insert(mounts::identity(root.as_fd())?.0);
        }
        if unpacked && matches!(source, RootSource::Image { access: Access::Ro, .. }) {
            let copy = rustix::fs::openat(&root, ".", PLACE | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
            self.seal.push(copy.context(|| "opening the new root".to_string())?);
        }
        self.root = Some(root);
        Ok(())
    }

    /// The root of an image: its mount, or a tmpfs with its layers, which becomes read-only when the tree is complete.
    fn image_root(&self, id: u32, room: (u64, u64), attributes: u64, sources: &mut Sources) -> Done<OwnedFd> {
        let Some(layers) = sources.layers(id) else {
            let mount = sources.take(id)?.ok_or_else(|| Failure::refused("the image is missing"))?;
            if attributes & RDONLY == 0 {
                return Err(Failure::refused("a file system in a file is read-only, and the policy says `rw`"));
            }
            mounts::restrict(mount.as_fd(), attributes, true)?;
            return Ok(mount);
        };
        let mount = mounts::new_tmpfs(room.0, room.1, 0o755, attributes & !RDONLY)?;
        image::unpack(mount.as_fd(), layers)?;
        Ok(mount)
    }

    /// Mounts one entry of the tree. An optional source that is missing mounts nothing.
    pub fn mount(&mut self, target: &str, source: &MountStep, sources: &mut Sources) -> Done {
        match source {
            MountStep::Bind { id, access, flags, propagation } => {
                let Some(mount) = sources.take(*id)? else { return Ok(()) };
                let shape = if mounts::is_dir(mount.as_fd())? { Shape::Dir } else { Shape::File };
                mounts::restrict_all(mount.as_fd(), mounts::attributes(*access, *flags), *propagation)?;
                let place = self.place(target, shape)?;
                mounts::attach(mount.as_fd(), place.as_fd()).context(|| format!("attaching the mount at {target}"))?;
                mounts::propagates(mount.as_fd(), *propagation)
            }
            MountStep::Tmpfs { size, inodes, mode, flags } => {
                let attributes = mounts::attributes(crate::plan::Access::Rw, *flags);
                let mount = mounts::new_tmpfs(*size, *inodes, *mode, attributes)?;
                self.own.insert(mounts::identity(mount.as_fd())?.0);
                self.put(mount, target, Shape::Dir)
            }
            MountStep::Volume { id, access, flags } => {
                let Some(mount) = sources.take(*id)? else { return Ok(()) };
                mounts::restrict(mount.as_fd(), mounts::attributes(*access, *flags), true)?;
                if *access == Access::Rw {
                    // Places to mount on may be made there, and other containers may make something too.
                    self.layered.insert(mounts::identity(mount.as_fd())?.0);
                }
                self.put(mount, target, Shape::Dir)
            }
            MountStep::Overlay(overlay) => match self.overlay(overlay, sources)? {
                Some(mount) => self.put(mount, target, Shape::Dir),
                None => Ok(()),
            },
            MountStep::File { text } => {
                let mount = self.text_file(text)?;
                self.put(mount, target, Shape::File)
            }
            MountStep::Device { id } => match sources.take(*id)? {
                Some(mount) => self.put(special::device(mount)?, target, Shape::File),
                None => Ok(()),
            },
            MountStep::Secret { id } => match sources.take_secret(*id)? {
                Some(from) => {
                    let mount = self.secret(from)?;
                    self.put(mount, target, Shape::File)
                }
                None => Ok(()),
            },
            MountStep::Proc(options) => special::proc(self, target, options),
            MountStep::Dev { mqueue } => special::dev(self, target, *mqueue),
            MountStep::Sys => special::sys(self, target),
            MountStep::Mqueue => self.put(special::mqueue()?, target, Shape::Dir),
            MountStep::Devpts => self.put(special::devpts()?, target, Shape::Dir),
            MountStep::Cgroup => self.put(special::cgroup()?, target, Shape::Dir),
        }
    }

    /// Attaches a mount at a path inside, which is created if it is missing.
    pub fn put(&mut self, mount: OwnedFd, target: &str, shape: Shape) -> Done {
        let place = self.place(target, shape)?;
        mounts::attach(mount.as_fd(), place.as_fd()).context(|| format!("attaching the mount at {target}"))
    }

    /// A read-only mount of a file with this text.
    fn text_file(&mut self, text: &str) -> Done<OwnedFd> {
        let name = format!("files/{}", self.files);
        self.files += 1;
        let stage = self.stage_fd()?;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        let what = || "writing the text of the file".to_string();
        let file = rustix::fs::openat(stage, &name, flags, Mode::from_raw_mode(0o444)).context(what)?;
        std::io::Write::write_all(&mut std::fs::File::from(file), text.as_bytes()).context(what)?;
        self.stage_copy(&name)
    }

    /// A read-only mount of an entry of the stage: `void`, an empty file, or `empty`, an empty directory.
    pub fn stage_copy(&self, name: &str) -> Done<OwnedFd> {
        let mount =
            mounts::clone_tree(self.stage_fd()?, name, false).context(|| format!("binding {name} of the stage"))?;
        mounts::restrict(mount.as_fd(), RDONLY | NOSUID | NODEV | NOEXEC, false)?;
        Ok(mount)
    }

    /// Makes a symbolic link; one that is there already with the same text will do.
    pub fn link(&mut self, path: &str, text: &str) -> Done {
        let (parent, name) = split(path);
        let dir = self.place(parent, Shape::Dir)?;
        match rustix::fs::readlinkat(&dir, name, Vec::new()) {
            Ok(found) if found.as_bytes() == text.as_bytes() => return Ok(()),
            _ => {}
        }
        let dir = self.writable(dir, parent)?;
        rustix::fs::symlinkat(text, &dir, name).context(|| format!("making the link {path}"))
    }

    /// Makes a directory; one that is there already will do.
    pub fn mkdir(&mut self, path: &str, mode: u32) -> Done {
        if let Ok(found) = mounts::open_inside(self.root_fd()?, path, PLACE) {
            return match mounts::is_dir(found.as_fd())? {
                true => Ok(()),
                false => Err(Failure::refused(format!("{path} exists and is no directory"))),
            };
        }
        let (parent, name) = split(path);
        let dir = self.place(parent, Shape::Dir)?;
        let dir = self.writable(dir, parent)?;
        rustix::fs::mkdirat(&dir, name, Mode::from_raw_mode(mode)).context(|| format!("making the directory {path}"))
    }

    /// A descriptor of the place at a path inside, which is created if it is missing.
    pub(super) fn place(&mut self, target: &str, shape: Shape) -> Done<OwnedFd> {
        match mounts::open_inside(self.root_fd()?, target, PLACE) {
            Ok(found) if mounts::is_dir(found.as_fd())? == (shape == Shape::Dir) => return Ok(found),
            Ok(_) => {
                let (is, wanted) = match shape {
                    Shape::Dir => ("no directory", "a directory"),
                    Shape::File => ("a directory", "a file"),
                };
                return Err(Failure::refused(format!("{target} is {is}, and {wanted} is to be mounted on it")));
            }
            Err(rustix::io::Errno::NOENT) => {}
            Err(errno) => return Err(errno).context(|| format!("looking for {target}")),
        }
        let (mut dir, missing) = self.nearest(target)?;
        let mut path = target[..target.len() - missing.len()].trim_end_matches('/').to_string();
        let mut names = missing.split('/').filter(|it| !it.is_empty()).peekable();
        while let Some(name) = names.next() {
            dir = self.writable(dir, &path)?;
            path = format!("{path}/{name}");
            if names.peek().is_none() && shape == Shape::File {
                let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let file = rustix::fs::openat(&dir, name, flags, Mode::from_raw_mode(0o444));
                drop(file.context(|| format!("making {path}"))?);
            } else {
                rustix::fs::mkdirat(&dir, name, Mode::from_raw_mode(0o755)).context(|| format!("making {path}"))?;
            }
            dir = mounts::open_beneath(dir.as_fd(), name, PLACE).context(|| format!("opening {path}"))?;
        }
        Ok(dir)
    }

    /// The nearest directory above a path that exists, and the rest of the path.
    pub(super) fn nearest<'p>(&self, target: &'p str) -> Done<(OwnedFd, &'p str)> {
        let mut end = target.len();
        loop {
            end = target[..end].rfind('/').unwrap_or(0);
            let above = if end == 0 { "/" } else { &target[..end] };
            match mounts::open_inside(self.root_fd()?, above, PLACE | OFlags::DIRECTORY) {
                Ok(found) => return Ok((found, &target[end..])),
                Err(rustix::io::Errno::NOENT) if end > 0 => {}
                Err(errno) => return Err(errno).context(|| format!("looking for {above}")),
            }
        }
    }

    /// The same directory where entries can be made without touching the host: itself if it is ours, a copy on
    /// a tmpfs if it is the host's and read-only.
    fn writable(&mut self, dir: OwnedFd, path: &str) -> Done<OwnedFd> {
        let (device, _) = mounts::identity(dir.as_fd())?;
        if self.own.contains(&device) || self.layered.contains(&device) {
            return Ok(dir);
        }
        if !mounts::is_read_only(dir.as_fd()) {
            let path = if path.is_empty() { "/" } else { path };
            return Err(Failure::refused(format!(
                "nothing can be made in {path}: it is writable and the host's, so it would be made on the host"
            )));
        }
        self.mimic(dir, path)
    }

    /// Covers a directory with a tmpfs that has the same entries, each bound from below.
    fn mimic(&mut self, dir: OwnedFd, path: &str) -> Done<OwnedFd> {
        let what = || format!("listing {}", if path.is_empty() { "/" } else { path });
        let stat = rustix::fs::fstat(&dir).context(what)?;
        let cover = mounts::new_tmpfs(SKELETON_SIZE, SKELETON_INODES, stat.st_mode & 0o7777, NOSUID | NODEV)?;
        let reading =
            rustix::fs::openat(&dir, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        let mut entries = rustix::fs::Dir::read_from(reading.context(what)?).context(what)?;
        let mut copies = Vec::new();
        while let Some(entry) = entries.read() {
            let entry = entry.context(what)?;
            let name = entry.file_name();
            if name != c"." && name != c".." {
                copies.extend(self.copy_entry(dir.as_fd(), cover.as_fd(), name)?);
            }
        }
        let is_root = path.trim_end_matches('/').is_empty();
        mounts::attach(cover.as_fd(), dir.as_fd()).context(|| format!("covering {path} with a copy of itself"))?;
        for (name, mount) in copies {
            let place = rustix::fs::openat(&cover, &*name, PLACE | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty());
            let place = place.context(what)?;
            mounts::attach(mount.as_fd(), place.as_fd()).context(|| format!("binding {}", name.to_string_lossy()))?;
        }
        self.own.insert(mounts::identity(cover.as_fd())?.0);
        let copy = rustix::fs::openat(&cover, ".", PLACE | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        let copy = copy.context(what)?;
        if is_root {
            self.root = Some(copy.try_clone().context(what)?);
        }
        self.seal.push(cover);
        Ok(copy)
    }

    /// Makes a place for one entry in the copy; returns the mount to put there, if it takes one.
    fn copy_entry(
        &self,
        from: BorrowedFd,
        to: BorrowedFd,
        name: &std::ffi::CStr,
    ) -> Done<Option<(std::ffi::CString, OwnedFd)>> {
        let what = || format!("copying the entry {}", name.to_string_lossy());
        let kind = mounts::entry_type(from, name).context(what)?;
        if kind.is_symlink() {
            let text = rustix::fs::readlinkat(from, name, Vec::new()).context(what)?;
            rustix::fs::symlinkat(&*text, to, name).context(what)?;
            return Ok(None);
        }
        if kind.is_dir() {
            rustix::fs::mkdirat(to, name, Mode::from_raw_mode(0o755)).context(what)?;
        } else {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
            drop(rustix::fs::openat(to, name, flags, Mode::from_raw_mode(0o444)).context(what)?);
        }
        let mount = mounts::clone_entry(from, name).context(what)?;
        Ok(Some((name.to_owned(), mount)))
    }

    /// Makes the root's own file system read-only.
    pub fn seal_root(&mut self) -> Done {
        let root =
            mounts::open_inside(self.root_fd()?, "/", PLACE | OFlags::DIRECTORY).context(|| "opening /".into())?;
        mounts::restrict(root.as_fd(), RDONLY, false)
    }

    /// Enters the tree and lets go of everything that was there before.
    pub fn enter(mut self) -> Done {
        for mount in self.seal.drain(..) {
            mounts::restrict(mount.as_fd(), RDONLY, false)?;
        }
        rustix::process::fchdir(self.root_fd()?).context(|| "entering the new root".to_string())?;
        rustix::process::pivot_root(".", ".").context(|| "pivot_root".to_string())?;
        rustix::mount::unmount(".", rustix::mount::UnmountFlags::DETACH)
            .context(|| "detaching the old root".to_string())?;
        rustix::process::chdir("/").context(|| "entering the new root".to_string())
    }
}

/// The directory and the last part of an absolute path.
pub(super) fn split(path: &str) -> (&str, &str) {
    match path.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some(parts) => parts,
        None => ("/", path),
    }
}
