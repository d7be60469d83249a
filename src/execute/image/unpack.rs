//! Layers into a tree: by descriptors, so that nothing in an archive leads out of it, with whiteouts, and with the digests
//! checked on the way.
//!
//! What does not become part of the tree: device nodes, extended attributes (file capabilities among them), and owners that have no
//! number in the sandbox; such files belong to the program.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use super::describe::hex;
use super::{Layer, zstd};
use crate::execute::failure::{Context, Done, Failure};
use crate::execute::mounts::{self, PLACE};

/// The beginning of the name of a whiteout: "Image Layer Filesystem Changeset".
const WHITEOUT: &[u8] = b".wh.";
/// A whiteout of everything that lower layers have in a directory.
const OPAQUE: &[u8] = b".wh..wh..opq";
/// The most that the layers may have without their compression, bytes: an archive can say anything.
const MOST_BYTES: u64 = 1 << 38;

/// A stream whose SHA-256 is taken as it goes by.
struct Hashed<R> {
    inner: R,
    hasher: Rc<RefCell<Sha256>>,
}

impl<R: Read> Hashed<R> {
    fn new(inner: R) -> (Hashed<R>, Rc<RefCell<Sha256>>) {
        let hasher = Rc::new(RefCell::new(Sha256::new()));
        (Hashed { inner, hasher: Rc::clone(&hasher) }, hasher)
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.borrow_mut().update(&buffer[..count]);
        Ok(count)
    }
}

/// Unpacks all layers into an empty directory.
pub fn unpack(root: BorrowedFd, layers: &[Layer]) -> Done {
    for (number, layer) in layers.iter().enumerate() {
        let mut tree = Tree { root, made: BTreeSet::new() };
        tree.layer(layer)
            .map_err(|it| Failure { detail: format!("layer {} of the image: {}", number + 1, it.detail), ..it })?;
    }
    Ok(())
}

/// The tree, while one layer is laid over it.
struct Tree<'a> {
    root: BorrowedFd<'a>,
    /// Paths that this layer has made: whiteouts are about those of lower layers.
    made: BTreeSet<Vec<u8>>,
}

impl Tree<'_> {
    fn layer(&mut self, layer: &Layer) -> Done {
        let what = || "reading it".to_string();
        let (archive, whole) = Hashed::new(layer.archive.clone());
        let mut archive = BufReader::with_capacity(1 << 16, archive);
        let start = archive.fill_buf().context(what)?;
        let plain: Box<dyn Read> = match start {
            [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(archive)),
            start if start.starts_with(&zstd::MAGIC) => Box::new(zstd::Frames::new(archive)),
            _ => Box::new(archive),
        };
        let (plain, content) = Hashed::new(plain.take(MOST_BYTES));
        let mut reader = tar::Archive::new(plain);
        for entry in reader.entries().context(what)? {
            self.entry(entry.context(what)?)?;
        }
        // What follows the last entry counts too.
        std::io::copy(&mut reader.into_inner(), &mut std::io::sink()).context(what)?;
        let told = |expected: &str, hasher: &Rc<RefCell<Sha256>>| {
            let found = hex(&hasher.borrow().clone().finalize());
            match found == expected {
                true => Ok(()),
                false => Err(Failure::refused(format!(
                    "it was changed: sha256:{expected} is expected, and sha256:{found} is there"
                ))),
            }
        };
        if let Some(digest) = &layer.digest {
            told(digest, &whole)?;
        }
        told(&layer.content, &content)
    }

    fn entry<R: Read>(&mut self, mut entry: tar::Entry<R>) -> Done {
        use tar::EntryType;
        let kind = entry.header().entry_type();
        if matches!(kind, EntryType::XGlobalHeader | EntryType::Char | EntryType::Block) {
            return Ok(());
        }
        let path = clean(&entry.path_bytes())?;
        let shown = || String::from_utf8_lossy(&path).into_owned();
        let number = |found: std::io::Result<u64>| found.ok().and_then(|it| u32::try_from(it).ok()).unwrap_or(u32::MAX);
        let owner = (number(entry.header().uid()), number(entry.header().gid()));
        let mode = entry.header().mode().unwrap_or(0o644) & 0o7777;
        let Some((parent_path, name)) = split(&path) else {
            return self.attributes(self.root, b".", owner, Some(mode));
        };
        let parent = self.parent(parent_path)?;
        let parent = parent.as_fd();
        if name == OPAQUE {
            return self.clear(parent, parent_path);
        }
        if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            return self.whiteout(parent, parent_path, hidden);
        }
        match kind {
            EntryType::Directory => {
                if !is_dir(parent, name) {
                    remove(parent, name)?;
                    rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o700))
                        .context(|| format!("making {}", shown()))?;
                }
            }
            EntryType::Symlink => {
                remove(parent, name)?;
                let text = entry.link_name_bytes().unwrap_or_default();
                rustix::fs::symlinkat(&*text, parent, name).context(|| format!("making the link {}", shown()))?;
            }
            EntryType::Link => {
                let target = clean(&entry.link_name_bytes().unwrap_or_default())?;
                self.hard_link(&target, parent, name)
                    .map_err(|it| Failure { detail: format!("{}: {}", shown(), it.detail), ..it })?;
                self.made.insert(path);
                return Ok(());
            }
            EntryType::Fifo => {
                remove(parent, name)?;
                rustix::fs::mknodat(parent, name, FileType::Fifo, Mode::from_raw_mode(0o600), 0)
                    .context(|| format!("making {}", shown()))?;
            }
            _ => {
                remove(parent, name)?;
                let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let file = rustix::fs::openat(parent, name, flags, Mode::from_raw_mode(0o600));
                let mut file = std::fs::File::from(file.context(|| format!("making {}", shown()))?);
                std::io::copy(&mut entry, &mut file).context(|| format!("writing {}", shown()))?;
                self.attributes(parent, name, owner, None)?;
                rustix::fs::fchmod(&file, Mode::from_raw_mode(mode)).context(|| format!("the mode of {}", shown()))?;
                let time = Timespec { tv_sec: entry.header().mtime().unwrap_or(0).try_into().unwrap_or(0), tv_nsec: 0 };
                let _ = rustix::fs::futimens(&file, &Timestamps { last_access: time, last_modification: time });
                self.made.insert(path);
                return Ok(());
            }
        }
        let mode = (kind != EntryType::Symlink).then_some(mode);
        self.attributes(parent, name, owner, mode)?;
        self.made.insert(path);
        Ok(())
    }

    /// Owner and mode of what was made. An owner without a number in here stays the program.
    fn attributes(&self, parent: BorrowedFd, name: &[u8], owner: (u32, u32), mode: Option<u32>) -> Done {
        let what = || format!("the attributes of {}", String::from_utf8_lossy(name));
        let (uid, gid) = (
            (owner.0 != u32::MAX).then(|| Uid::from_raw(owner.0)),
            (owner.1 != u32::MAX).then(|| Gid::from_raw(owner.1)),
        );
        for (uid, gid) in [(uid, None), (None, gid)] {
            match rustix::fs::chownat(parent, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(()) | Err(Errno::INVAL | Errno::PERM) => {}
                Err(errno) => return Err(errno).context(what),
            }
        }
        match mode {
            // Never through a link: what is here was made by us just now, in a tree that nobody else can reach.
            Some(mode) => rustix::fs::chmodat(parent, name, Mode::from_raw_mode(mode), AtFlags::empty()).context(what),
            None => Ok(()),
        }
    }

    /// The directory at a path, which is made where it is missing. Links on the way lead to where they lead in the tree.
    fn parent(&mut self, path: &[u8]) -> Done<OwnedFd> {
        let flags = PLACE | OFlags::DIRECTORY;
        let what = || format!("opening {}", String::from_utf8_lossy(path));
        if path.is_empty() {
            return mounts::open_inside(self.root, ".", flags).context(what);
        }
        match mounts::open_inside(self.root, path, flags) {
            Err(Errno::NOENT) => {}
            found => return found.context(what),
        }
        let (above, name) = split(path).ok_or_else(|| Failure::refused("a path without a name"))?;
        let above = self.parent(above)?;
        rustix::fs::mkdirat(&above, name, Mode::from_raw_mode(0o755)).context(what)?;
        self.made.insert(path.to_vec());
        mounts::open_inside(self.root, path, flags).context(what)
    }

    /// A second name for a file of the tree; never of a link or of a directory.
    fn hard_link(&mut self, target: &[u8], parent: BorrowedFd, name: &[u8]) -> Done {
        let (dir, file) = split(target).ok_or_else(|| Failure::refused("a hard link to the root"))?;
        let dir = self.parent(dir)?;
        if is_dir(dir.as_fd(), file) {
            return Err(Failure::refused("a hard link to a directory"));
        }
        remove(parent, name)?;
        rustix::fs::linkat(&dir, file, parent, name, AtFlags::empty())
            .context(|| format!("linking to {}", String::from_utf8_lossy(target)))
    }

    /// Takes away what lower layers have at a name.
    fn whiteout(&mut self, parent: BorrowedFd, parent_path: &[u8], name: &[u8]) -> Done {
        if name.is_empty() || name == b"." || name == b".." || name.starts_with(WHITEOUT) {
            return Err(Failure::refused("a whiteout of nothing"));
        }
        if self.made.contains(&joined(parent_path, name)) {
            return Ok(());
        }
        remove(parent, name)
    }

    /// Takes away everything that lower layers have in a directory.
    fn clear(&mut self, dir: BorrowedFd, path: &[u8]) -> Done {
        for name in names(dir)? {
            let inner = joined(path, &name);
            if !self.made.contains(&inner) {
                remove(dir, &name)?;
            } else if is_dir(dir, &name) {
                let flags = PLACE | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let below = rustix::fs::openat(dir, &*name, flags, Mode::empty());
                self.clear(below.context(|| "opening a directory".to_string())?.as_fd(), &inner)?;
            }
        }
        Ok(())
    }
}

/// A path of an archive, relative and without `.`; one with `..` is not meant well.
fn clean(path: &[u8]) -> Done<Vec<u8>> {
    let parts: Vec<&[u8]> = path.split(|it| *it == b'/').filter(|it| !it.is_empty() && *it != b".").collect();
    if parts.contains(&b"..".as_slice()) || path.contains(&0) {
        return Err(Failure::refused(format!("{:?} leads out of the image", String::from_utf8_lossy(path))));
    }
    Ok(parts.join(&b'/'))
}

/// The directory and the name; `None` for the root itself.
fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    match path.iter().rposition(|it| *it == b'/') {
        Some(at) => Some((&path[..at], &path[at + 1..])),
        None if path.is_empty() => None,
        None => Some((&[], path)),
    }
}

fn joined(path: &[u8], name: &[u8]) -> Vec<u8> {
    if path.is_empty() { name.to_vec() } else { [path, b"/", name].concat() }
}

fn is_dir(parent: BorrowedFd, name: &[u8]) -> bool {
    rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|it| FileType::from_raw_mode(it.st_mode).is_dir())
}

fn names(dir: BorrowedFd) -> Done<Vec<Vec<u8>>> {
    let what = || "listing a directory".to_string();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let reading = rustix::fs::openat(dir, ".", flags, Mode::empty()).context(what)?;
    let mut found = Vec::new();
    for entry in rustix::fs::Dir::read_from(&reading).context(what)? {
        let name = entry.context(what)?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            found.push(name);
        }
    }
    Ok(found)
}

/// Removes whatever stands at a name, with all that is below it.
fn remove(parent: BorrowedFd, name: &[u8]) -> Done {
    let what = || format!("removing {}", String::from_utf8_lossy(name));
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR) => {}
        Err(errno) => return Err(errno).context(what),
    }
    let flags = PLACE | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = rustix::fs::openat(parent, name, flags, Mode::empty()).context(what)?;
    for inner in names(dir.as_fd())? {
        remove(dir.as_fd(), &inner)?;
    }
    rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR).context(what)
}
