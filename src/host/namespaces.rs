//! All namespaces that can be seen from here: those of processes, those that files keep, those that only a descriptor keeps, and
//! those that own or contain one of these.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};

use super::sys;
use crate::policy::NsKind;

/// One namespace. The names of the fields are part of the interface of `nsl ns --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenNamespace {
    /// Its kind.
    pub kind: NsKind,
    /// Its inode on nsfs: the number that `ls -l /proc/PID/ns` shows.
    pub id: u64,
    /// The user namespace that gives rights over it, of a user namespace the one that contains it; `None` where that is outside of the
    /// caller's. ioctl_nsfs(2)
    pub owner: Option<u64>,
    /// The one that contains it: `user` and `pid` only.
    pub parent: Option<u64>,
    /// Who made it, or its owner, as the caller's user namespace sees them.
    pub uid: Option<u32>,
    /// The processes in it, by id.
    pub processes: Vec<i32>,
    /// What the first of them is called.
    pub command: Option<String>,
    /// Files that keep it: mounts of nsfs.
    pub pinned: Vec<PathBuf>,
    /// Descriptors that keep it.
    pub held: Vec<Holder>,
    /// Whether the caller is in it.
    pub own: bool,
}

/// An open descriptor of a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub pid: i32,
    /// The number of its descriptor.
    pub fd: i32,
}

/// All that can be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census {
    /// By kind, then by id.
    pub namespaces: Vec<SeenNamespace>,
    /// Processes whose namespaces the caller may not see.
    pub hidden: usize,
}

/// Looks at every process, its descriptors, and the mounts of this one.
pub fn namespaces() -> Census {
    let mut look = Look::default();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        if let Some(pid) = entry.file_name().to_str().and_then(|it| it.parse::<i32>().ok()) {
            look.process(pid);
        }
    }
    look.mounts();
    look.relatives();
    let mut namespaces: Vec<SeenNamespace> = look.found.into_values().collect();
    namespaces.iter_mut().for_each(|it| it.processes.sort_unstable());
    for it in &mut namespaces {
        it.command = it.processes.first().and_then(|pid| command(*pid));
    }
    namespaces.sort_by_key(|it| (order(it.kind), it.id));
    Census { namespaces, hidden: look.hidden }
}

fn order(kind: NsKind) -> usize {
    NsKind::ALL.iter().position(|it| *it == kind).unwrap_or(0)
}

#[derive(Default)]
struct Look {
    found: BTreeMap<(usize, u64), SeenNamespace>,
    /// A way to each that is not asked yet.
    ways: BTreeMap<(usize, u64), PathBuf>,
    hidden: usize,
}

impl Look {
    fn process(&mut self, pid: i32) {
        let dir = PathBuf::from(format!("/proc/{pid}"));
        let mut seen = false;
        for kind in NsKind::ALL {
            let path = dir.join("ns").join(kind.name());
            if let Ok(file) = fs::metadata(&path) {
                seen = true;
                self.note(kind, file.ino(), &path).processes.push(pid);
            }
        }
        // A kernel thread that has just ended, or a process of somebody else.
        if !seen && dir.exists() {
            self.hidden += 1;
        }
        for entry in fs::read_dir(dir.join("fd")).into_iter().flatten().flatten() {
            let Some((kind, id)) = fs::read_link(entry.path()).ok().and_then(|link| parse(&link)) else { continue };
            let Some(fd) = entry.file_name().to_str().and_then(|it| it.parse().ok()) else { continue };
            self.note(kind, id, &entry.path()).held.push(Holder { pid, fd });
        }
    }

    /// proc_pid_mountinfo(5): the root of a mount of nsfs is the namespace.
    fn mounts(&mut self) {
        for mount in super::mounts::parse(&fs::read_to_string("/proc/self/mountinfo").unwrap_or_default())
            .into_iter()
            .filter(|it| it.fs == "nsfs")
        {
            if let Some((kind, id)) = parse(Path::new(&mount.root)) {
                let path = PathBuf::from(&mount.point);
                self.note(kind, id, &path).pinned.push(path);
            }
        }
    }

    fn note(&mut self, kind: NsKind, id: u64, way: &Path) -> &mut SeenNamespace {
        let key = (order(kind), id);
        self.found.entry(key).or_insert_with(|| {
            self.ways.insert(key, way.to_path_buf());
            let own = fs::metadata(format!("/proc/self/ns/{}", kind.name())).is_ok_and(|it| it.ino() == id);
            SeenNamespace {
                kind,
                id,
                owner: None,
                parent: None,
                uid: None,
                processes: Vec::new(),
                command: None,
                pinned: Vec::new(),
                held: Vec::new(),
                own,
            }
        })
    }

    /// Asks each for its owner and its parent, and those for theirs: a namespace lives as long as one that it contains.
    fn relatives(&mut self) {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let mut next: Vec<((usize, u64), OwnedFd)> = std::mem::take(&mut self.ways)
            .into_iter()
            .filter_map(|(key, way)| Some((key, rustix::fs::open(&way, flags, Mode::empty()).ok()?)))
            // The process may be another one by now.
            .filter(|(key, fd)| rustix::fs::fstat(fd).is_ok_and(|it| it.st_ino == key.1))
            .collect();
        while let Some((key, fd)) = next.pop() {
            let kind = NsKind::ALL[key.0];
            let parent = match kind {
                NsKind::User | NsKind::Pid => sys::parent_namespace(fd.as_fd()).ok(),
                _ => None,
            };
            let owner = match kind {
                NsKind::User => None,
                _ => sys::owning_user_namespace(fd.as_fd()).ok(),
            };
            let uid = match (&owner, kind) {
                (_, NsKind::User) => sys::owner_uid(fd.as_fd()).ok(),
                (Some(owner), _) => sys::owner_uid(owner.as_fd()).ok(),
                _ => None,
            };
            let id_of =
                |fd: &Option<OwnedFd>| fd.as_ref().and_then(|it| rustix::fs::fstat(it).ok()).map(|it| it.st_ino);
            let (parent_id, owner_id) = (id_of(&parent), id_of(&owner));
            if let Some(found) = self.found.get_mut(&key) {
                found.parent = parent_id;
                found.owner = if kind == NsKind::User { parent_id } else { owner_id };
                found.uid = uid;
            }
            for (kind, id, fd) in [(kind, parent_id, parent), (NsKind::User, owner_id, owner)] {
                let (Some(id), Some(fd)) = (id, fd) else { continue };
                if !self.found.contains_key(&(order(kind), id)) {
                    self.note(kind, id, Path::new(""));
                    next.push(((order(kind), id), fd));
                }
            }
        }
    }
}

/// `net:[4026531840]`
pub(super) fn parse(link: &Path) -> Option<(NsKind, u64)> {
    let (kind, rest) = link.to_str()?.split_once(":[")?;
    let kind = NsKind::ALL.into_iter().find(|it| it.name() == kind)?;
    Some((kind, rest.strip_suffix(']')?.parse().ok()?))
}

/// The command line of a process, or its name in brackets where it has none.
pub fn command(pid: i32) -> Option<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let line = String::from_utf8_lossy(&line).replace('\0', " ").trim_end().to_string();
    if !line.is_empty() {
        return Some(line);
    }
    fs::read_to_string(format!("/proc/{pid}/comm")).ok().map(|name| format!("[{}]", name.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_in_eight() {
        let census = namespaces();
        let own: Vec<&SeenNamespace> = census.namespaces.iter().filter(|it| it.own).collect();
        assert_eq!(own.len(), 8);
        assert!(own.iter().all(|it| it.processes.contains(&(std::process::id() as i32))));
    }

    #[test]
    fn a_descriptor_is_a_holder() {
        let file = fs::File::open("/proc/self/ns/uts").unwrap();
        let fd = std::os::fd::AsRawFd::as_raw_fd(&file);
        let holder = Holder { pid: std::process::id() as i32, fd };
        assert!(namespaces().namespaces.iter().any(|it| it.kind == NsKind::Uts && it.held.contains(&holder)));
    }
}
