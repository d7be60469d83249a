//! What steps say of the tree of paths.

use serde::{Deserialize, Serialize};

use crate::policy::{Access, MountFlags, ProcOptions, Propagation};

/// What `/` is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RootSource {
    /// A tmpfs.
    Tmpfs,
    /// A source that was opened.
    Source {
        /// Which.
        id: u32,
        /// Whether it may be written.
        access: Access,
        /// What it refuses.
        flags: MountFlags,
    },
    /// An image that was opened.
    Image {
        /// Which.
        id: u32,
        /// The most that its layers may take, bytes.
        size: u64,
        /// How many files they may be.
        inodes: u64,
        /// Whether it may be written; changes go away.
        access: Access,
        /// What it refuses.
        flags: MountFlags,
    },
    /// Sources that were opened, one over the other.
    Overlay(OverlayStep),
}

/// overlayfs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverlayStep {
    /// `lowerdir=`: sources that were opened, the first on top.
    pub lower: Vec<u32>,
    /// `upperdir=` and `workdir=`
    pub upper: UpperStep,
    /// What it refuses.
    pub flags: MountFlags,
    /// `userxattr`: its own marks are extended attributes of the user, as a user namespace needs it. Linux 5.11.
    pub userxattr: bool,
}

/// Where the changes of an overlay go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpperStep {
    /// Nowhere: it is read-only.
    None,
    /// A tmpfs of its own.
    Tmpfs {
        /// `size=`, bytes.
        size: u64,
        /// `nr_inodes=`
        inodes: u64,
    },
    /// Two directories of a source that was opened.
    Dir {
        /// Which.
        id: u32,
        /// The name of the one that keeps the changes.
        upper: String,
        /// The name of the one that the kernel works in.
        work: String,
    },
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MountStep {
    /// A source that was opened.
    Bind {
        /// Which.
        id: u32,
        /// Whether it may be written.
        access: Access,
        /// What it refuses.
        flags: MountFlags,
        /// Whether what is mounted there later comes along.
        #[serde(default, skip_serializing_if = "Propagation::is_private")]
        propagation: Propagation,
    },
    /// tmpfs(5)
    Tmpfs {
        /// `size=`, bytes.
        size: u64,
        /// `nr_inodes=`
        inodes: u64,
        /// Permission bits.
        mode: u32,
        /// What it refuses.
        flags: MountFlags,
    },
    /// A volume of the pod that was opened.
    Volume {
        /// Which.
        id: u32,
        /// Whether it may be written.
        access: Access,
        /// What it refuses.
        flags: MountFlags,
    },
    /// overlayfs
    Overlay(OverlayStep),
    /// A source that was opened, if it is a device node.
    Device {
        /// Which.
        id: u32,
    },
    /// A file with the content of a source that was opened.
    Secret {
        /// Which.
        id: u32,
    },
    /// proc(5) with the dangerous entries masked.
    Proc(ProcOptions),
    /// A small /dev.
    Dev {
        /// Whether it has a message queue file system, which needs an IPC namespace of the sandbox's own.
        mqueue: bool,
    },
    /// sysfs(5), read-only.
    Sys,
    /// mq_overview(7)
    Mqueue,
    /// A devpts of its own.
    Devpts,
    /// The cgroup file system, read-only.
    Cgroup,
    /// A read-only file.
    File {
        /// What is in it.
        text: String,
    },
}
