//! What is hidden, and what is protected: covers in a tree that is otherwise complete.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{Mode, OFlags};

use super::failure::{Context, Done, Failure};
use super::mounts::{self, PLACE, RDONLY};
use super::tree::{Shape, Tree, split};

/// How many symbolic links the kernel follows: path_resolution(7).
const MOST_LINKS: u32 = 40;

/// What becomes of a protected path that does not exist.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// It stays so.
    Leave,
    /// A directory stands in for it.
    Dir,
    /// An empty file stands in for it.
    File,
}

impl Missing {
    /// What the plan says.
    pub fn of(may_be_missing: bool, dir: bool) -> Missing {
        match (may_be_missing, dir) {
            (true, _) => Missing::Leave,
            (false, true) => Missing::Dir,
            (false, false) => Missing::File,
        }
    }

    fn shape(self) -> Shape {
        if self == Missing::Dir { Shape::Dir } else { Shape::File }
    }
}

impl Tree {
    /// Covers a path with nothing. A path that is missing where nothing can be created needs no cover.
    pub fn hide(&mut self, target: &str) -> Done {
        match mounts::open_inside(self.root_fd()?, target, PLACE) {
            Ok(place) => {
                let name = if mounts::is_dir(place.as_fd())? { "empty" } else { "void" };
                let cover = self.stage_copy(name)?;
                mounts::attach(cover.as_fd(), place.as_fd()).context(|| format!("covering {target}"))
            }
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => self.hide_missing(target, MOST_LINKS),
            Err(errno) => Err(errno).context(|| format!("looking for {target}")),
        }
    }

    /// Covers a path again if what it leads to is another thing now that the tree is complete: a symbolic link on the
    /// way may lead into a mount that came later. `holds` says whether the policy mounts something below it, for which
    /// its cover was replaced by a directory of ours.
    pub fn hide_finally(&mut self, target: &str, holds: bool) -> Done {
        if let Ok(place) = mounts::open_inside(self.root_fd()?, target, PLACE) {
            let (device, _) = mounts::identity(place.as_fd())?;
            if device == mounts::identity(self.stage_fd()?)?.0 || holds && self.own.contains(&device) {
                return Ok(());
            }
        }
        self.hide(target)
    }

    fn hide_missing(&mut self, target: &str, links: u32) -> Done {
        let (nearest, missing) = self.nearest(target)?;
        // What is missing may be where a link leads to, and that may be a place where the program can write.
        let missing = missing.trim_start_matches('/');
        let (name, rest) = missing.split_once('/').unwrap_or((missing, ""));
        if let Ok(text) = rustix::fs::readlinkat(&nearest, name, Vec::new()) {
            if links == 0 {
                return Err(Failure::refused(format!("{target} leads through too many symbolic links")));
            }
            let link = &target[..target.len() - missing.len() + name.len()];
            return self.hide_missing(&led(link, &text.to_string_lossy(), &[rest]), links - 1);
        }
        let stat = mounts::identity(nearest.as_fd())?;
        if self.layered.contains(&stat.0) {
            let place = self.place(target, Shape::Dir)?;
            let cover = self.stage_copy("empty")?;
            return mounts::attach(cover.as_fd(), place.as_fd()).context(|| format!("covering {target}"));
        }
        if mounts::is_read_only(nearest.as_fd()) || self.is_skeleton(stat.0) {
            return Ok(());
        }
        Err(Failure::refused(format!(
            "{target} does not exist, and lies where the program may write, so it could be made later and would be seen"
        )))
    }

    fn is_skeleton(&self, device: u64) -> bool {
        self.seal.iter().any(|it| mounts::identity(it.as_fd()).is_ok_and(|found| found.0 == device))
            || self.root.as_ref().is_some_and(|it| mounts::identity(it.as_fd()).is_ok_and(|found| found.0 == device))
                && self.own.contains(&device)
    }

    /// Makes a path read-only that lies where the program may write, and its parents down from the writable mount immovable: a
    /// mount point can be neither renamed nor removed, but a directory above one can.
    ///
    /// What the program makes and owns itself, on a tmpfs, and what lies in a read-only mount needs none of that. Once it is
    /// done it can be repeated: then it finds everything in place.
    pub fn protect(&mut self, target: &str, missing: Missing) -> Done {
        let mut target = target.to_string();
        for _ in 0..MOST_LINKS {
            match self.protect_path(&target, missing)? {
                Some(led) => target = led,
                None => return Ok(()),
            }
        }
        Err(Failure::refused(format!("{target} leads through too many symbolic links")))
    }

    /// The same; where a symbolic link that nobody can replace leads elsewhere, returns where to.
    fn protect_path(&mut self, target: &str, missing: Missing) -> Done<Option<String>> {
        let mut dir =
            mounts::open_inside(self.root_fd()?, "/", PLACE | OFlags::DIRECTORY).context(|| "opening /".to_string())?;
        let mut path = String::new();
        let mut names = target.split('/').filter(|it| !it.is_empty()).peekable();
        while let Some(name) = names.next() {
            let device = mounts::identity(dir.as_fd())?.0;
            let writable = !mounts::is_read_only(dir.as_fd()) && !self.own.contains(&device);
            path = format!("{path}/{name}");
            let what = || format!("protecting {target}");
            let found = rustix::fs::openat(&dir, name, PLACE | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty());
            let found = match found {
                Ok(found) => found,
                Err(rustix::io::Errno::NOENT) if !writable || missing == Missing::Leave => return Ok(None),
                Err(rustix::io::Errno::NOENT) if self.layered.contains(&device) => {
                    let shape = if names.peek().is_some() { Shape::Dir } else { missing.shape() };
                    self.place(&path, shape)?
                }
                Err(rustix::io::Errno::NOENT) => {
                    return Err(Failure::refused(format!("{path} does not exist, and the program could make it")));
                }
                Err(errno) => return Err(errno).context(what),
            };
            let kind = rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(&found).context(what)?.st_mode);
            if kind.is_symlink() && !writable {
                let text = rustix::fs::readlinkat(&found, "", Vec::new()).context(what)?;
                let rest: Vec<&str> = names.collect();
                return Ok(Some(led(&path, &text.to_string_lossy(), &rest)));
            }
            if !writable {
                dir = found;
                continue;
            }
            if kind.is_symlink() {
                let rest: Vec<&str> = names.collect();
                return self.cover_link(&path, found.as_fd(), &rest);
            }
            if names.peek().is_none() || !kind.is_dir() {
                if mounts::is_read_only(found.as_fd()) {
                    return Ok(None);
                }
                mounts::bind_on(found.as_fd(), found.as_fd(), RDONLY, what)?;
                return Ok(None);
            }
            dir = match mounts::mount_id(found.as_fd())? == mounts::mount_id(dir.as_fd())? {
                false => found,
                true => mounts::bind_on(found.as_fd(), found.as_fd(), 0, what)?,
            };
        }
        Ok(None)
    }

    /// A symbolic link where the program may write. One to a file is covered by a read-only view of that file. Any other
    /// becomes a mount of itself, which can be neither replaced nor removed, and what it leads to is protected next.
    fn cover_link(&mut self, path: &str, link: BorrowedFd, rest: &[&str]) -> Done<Option<String>> {
        let what = || format!("covering the symbolic link {path}");
        if let Ok(led) = mounts::open_inside(self.root_fd()?, path, PLACE)
            && !mounts::is_dir(led.as_fd())?
        {
            mounts::bind_on(led.as_fd(), link, RDONLY, what)?;
            return Ok(None);
        }
        let text = rustix::fs::readlinkat(link, "", Vec::new()).context(what)?;
        let (parent, name) = split(path);
        let parent = mounts::open_inside(self.root_fd()?, parent, PLACE | OFlags::DIRECTORY).context(what)?;
        if mounts::mount_id(parent.as_fd())? == mounts::mount_id(link)? {
            let name = std::ffi::CString::new(name).map_err(|_| Failure::refused("a path with a NUL byte"))?;
            let copy = mounts::clone_entry(parent.as_fd(), &name).context(what)?;
            if mounts::identity(copy.as_fd())? != mounts::identity(link)? {
                return Err(Failure::refused(format!("{path} was replaced while it was covered")));
            }
            mounts::restrict(copy.as_fd(), RDONLY, false)?;
            mounts::attach(copy.as_fd(), link).context(what)?;
        }
        Ok(Some(led(path, &text.to_string_lossy(), rest)))
    }
}

/// Where a symbolic link with this text leads, and what is below it.
fn led(link: &str, text: &str, rest: &[&str]) -> String {
    let mut path = if text.starts_with('/') { text.to_string() } else { format!("{}/{text}", split(link).0) };
    for name in rest.iter().filter(|it| !it.is_empty()) {
        path = format!("{path}/{name}");
    }
    path
}
