//! What steps say of cgroups.

use serde::{Deserialize, Serialize};

/// A cgroup of the sandbox's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupDir {
    /// `2`, or `1`.
    pub version: u8,
    /// The v1 controller; empty on v2.
    pub controller: String,
    /// Where the hierarchy is mounted.
    pub mount: String,
    /// The parent, relative to the mount, with a leading `/`.
    pub parent: String,
    /// The cgroup of the pod below the parent, in which it is; `PID` in it stands for the process id of nsl.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<String>,
    /// The last part of the path; `PID` in it stands for the process id of nsl.
    pub name: String,
    /// v2: controllers to switch on in the parent for its children.
    pub enable: Vec<String>,
}

/// A limit in the terms of cgroup v2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CgroupLimit {
    /// memory.max, bytes.
    MemoryMax(u64),
    /// memory.swap.max, bytes (v1: memory.memsw.limit_in_bytes, which is memory and swap together).
    SwapMax {
        /// Bytes of swap.
        swap: u64,
        /// The memory limit, which v1 adds to it.
        memory: Option<u64>,
    },
    /// pids.max
    PidsMax(u64),
    /// cpu.max, thousandths of one CPU.
    CpuMax(u64),
}
