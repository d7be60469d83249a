//! What steps say of the tree of paths.

use serde::{Deserialize, Serialize};

use crate::policy::{Access, MountFlags};

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
    /// proc(5) with the dangerous entries masked.
    Proc,
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
