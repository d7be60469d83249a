//! The one tree of paths.

use serde::{Deserialize, Serialize};

use super::{Mode, Traced};

/// mount_namespaces(7)
#[derive(Clone, Debug, Serialize)]
pub struct Mnt {
    /// Where the namespace comes from.
    pub mode: Traced<Mode>,
    /// `root = …`
    pub root: Option<Traced<Root>>,
    /// Everything below it. Paths are absolute, normalised (no `.`, `..`, double or final `/`) and distinct;
    /// sorted by path, so that a parent comes before what is below it.
    pub entries: Vec<Traced<Entry>>,
}

/// What `/` is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Root {
    /// A tmpfs with nothing in it, read-only when it is built.
    Empty,
    /// The host's own tree.
    Host(Access),
    /// A directory of the host.
    Dir {
        /// Its absolute path on the host.
        path: String,
        /// Whether it may be written.
        access: Access,
        /// What is refused on it.
        flags: MountFlags,
        /// `idmap`: files belong to the ids inside that have the numbers of their owners on the disk.
        idmap: bool,
    },
    /// Directories of the host, one over the other.
    Overlay(Overlay),
    /// An image.
    Image(Image),
}

/// `image(…)`: a file system in a file, or layers of archives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Image {
    /// Its absolute path on the host.
    pub path: String,
    /// The digest that it has to have: `sha256:` and 64 digits.
    pub digest: Option<String>,
    /// Whether it may be written; changes go away with the run.
    pub access: Access,
    /// The most that its layers may take in memory, bytes.
    pub size: Option<u64>,
    /// How many files they may be.
    pub inodes: Option<u64>,
    /// What is refused on it.
    pub flags: MountFlags,
}

/// `overlay(…)`: overlayfs, "Overlay Filesystem" in the kernel's documentation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overlay {
    /// `lower:`, absolute paths of directories of the host, which stay as they are. The first lies on top.
    pub lower: Vec<String>,
    /// Where changes go.
    pub upper: Upper,
    /// What is refused on it.
    pub flags: MountFlags,
}

/// Where the changes of an overlay go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Upper {
    /// Nothing can be changed.
    None,
    /// `ephemeral`: to memory; they are gone when the run ends.
    Ephemeral {
        /// The most that they may take, bytes.
        size: Option<u64>,
        /// How many files they may be.
        inodes: Option<u64>,
    },
    /// `upper:` and `work:`: to a directory of the host, where they stay.
    Kept {
        /// The directory in which both stand.
        parent: String,
        /// The name of `upper` in it.
        upper: String,
        /// The name of `work`, a directory for the kernel's own use.
        work: String,
    },
}

/// Whether a mount may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Read-only, recursively.
    Ro,
    /// Writable.
    Rw,
}

/// One path of the tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The absolute path inside.
    pub path: String,
    /// What is there.
    pub kind: EntryKind,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// `mount PATH = …`
    Mount(MountSource),
    /// `hide PATH`: nothing can be seen at it or below it.
    Hide,
    /// `protect PATH`: below a writable mount, read-only where it exists; where it does not, it cannot be made.
    Protect {
        /// Whether a directory stands in for it where it does not exist; otherwise an empty file.
        dir: bool,
    },
    /// `link PATH = "target"`: a symbolic link.
    Link {
        /// Its text.
        target: String,
    },
    /// `mkdir PATH`: an empty directory on the tree's own file system.
    Mkdir {
        /// Permission bits.
        mode: u32,
    },
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MountSource {
    /// `bind([SOURCE,] ro|rw, …)`: a file or directory of the host.
    Bind {
        /// Its absolute path on the host (the path inside, where none is written).
        source: String,
        /// Whether it may be written.
        access: Access,
        /// Whether mounts below it come along (true where not stated).
        recursive: bool,
        /// What is refused on it.
        flags: MountFlags,
        /// `idmap`: files belong to the ids inside that have the numbers of their owners on the disk.
        idmap: bool,
        /// `propagation`: whether what is mounted there later comes along.
        propagation: Propagation,
    },
    /// `tmpfs(size:, inodes:, mode:, noexec)`: tmpfs(5)
    Tmpfs {
        /// `size=`, bytes.
        size: Option<u64>,
        /// `nr_inodes=`
        inodes: Option<u64>,
        /// Permission bits (0755, and 01777 for /tmp, where not stated).
        mode: Option<u32>,
        /// What is refused on it.
        flags: MountFlags,
    },
    /// `volume(NAME, rw)`: a volume in memory of the pod. One of the host is a [`MountSource::Bind`] of each container.
    Volume {
        /// Its name.
        name: String,
        /// Whether this container may write it.
        access: Access,
        /// What is refused on it.
        flags: MountFlags,
    },
    /// `overlay(…)`
    Overlay(Overlay),
    /// `proc`: proc(5), of the sandbox's own PID namespace.
    Proc(ProcOptions),
    /// `dev`: a small /dev of the harmless devices, with pts, shm and the usual links.
    Dev,
    /// `sys(ro)`: sysfs(5), of the sandbox's own network namespace, read-only.
    Sys,
    /// `mqueue`: mq_overview(7), of the sandbox's own IPC namespace.
    Mqueue,
    /// `devpts`: a devpts of its own.
    Devpts,
    /// `cgroup`: the cgroup file system as its own cgroup namespace shows it, read-only.
    Cgroup,
    /// `device([SOURCE])`: a device node of the host.
    Device {
        /// Its absolute path on the host (the path inside, where none is written).
        source: String,
    },
    /// `secret(…)`: a file that nobody but the program can read, in memory that is never swapped out.
    Secret {
        /// Where its content comes from.
        from: SecretFrom,
    },
    /// `file("text")`: a read-only file with this text.
    File {
        /// The text.
        text: String,
        /// Whether it is a resolv.conf(5) that goes on with what the host's says of `search` and `options`.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        host_search: bool,
    },
}

/// `volume NAME = …`: files that containers of a pod share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// What it is: a `Tmpfs`, which lives as long as the pod, or a `Bind`.
    pub source: MountSource,
}

/// What proc(5) leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcOptions {
    /// `subset=pid`: nothing but processes. Linux 5.8.
    pub only_pids: bool,
    /// `hidepid=`, by its name of Linux 5.8: `noaccess`, `invisible`, `ptraceable`.
    pub hidepid: Option<String>,
}

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretFrom {
    /// A regular file of the host, by its absolute path.
    File(String),
    /// A descriptor that the caller has passed, read to its end.
    Fd(u32),
}

/// mount_namespaces(7), "Shared subtrees".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Propagation {
    /// What is mounted on either side later stays there.
    #[default]
    Private,
    /// What the host mounts there later is seen inside.
    Slave,
    /// That, and what is mounted inside is seen on the host.
    Shared,
}

impl Propagation {
    /// Its word in mount(8).
    pub fn name(self) -> &'static str {
        match self {
            Propagation::Private => "private",
            Propagation::Slave => "slave",
            Propagation::Shared => "shared",
        }
    }

    /// Whether it is what every mount is that says nothing else.
    pub fn is_private(&self) -> bool {
        *self == Propagation::Private
    }
}

/// What a mount refuses; see mount(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountFlags {
    /// Set-user-id bits and file capabilities mean nothing.
    pub nosuid: bool,
    /// Device nodes cannot be opened.
    pub nodev: bool,
    /// Nothing can be executed.
    pub noexec: bool,
    /// Symbolic links are not followed. Linux 5.14.
    #[serde(default)]
    pub nosymfollow: bool,
}

impl Default for MountFlags {
    fn default() -> MountFlags {
        MountFlags { nosuid: true, nodev: true, noexec: false, nosymfollow: false }
    }
}
