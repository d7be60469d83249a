//! What steps say of cgroups.

use serde::{Deserialize, Serialize};

use crate::policy::{HugetlbMax, IoMax};

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

/// A limit in the terms of cgroup v2; the performer knows the files of v1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CgroupLimit {
    /// memory.max, bytes (v1: memory.limit_in_bytes).
    MemoryMax(u64),
    /// memory.high, bytes; v2 alone.
    MemoryHigh(u64),
    /// memory.low, bytes; v2 alone.
    MemoryLow(u64),
    /// memory.min, bytes; v2 alone.
    MemoryMin(u64),
    /// memory.swap.max, bytes (v1: memory.memsw.limit_in_bytes, which is memory and swap together).
    SwapMax {
        /// Bytes of swap.
        swap: u64,
        /// The memory limit, which v1 adds to it.
        memory: Option<u64>,
    },
    /// memory.oom.group; v2 alone.
    OomGroup(bool),
    /// pids.max
    PidsMax(u64),
    /// cpu.max (v1: cpu.cfs_quota_us, cpu.cfs_period_us).
    CpuMax {
        /// Thousandths of one CPU.
        thousandths: u64,
        /// Microseconds.
        period: u64,
    },
    /// cpu.weight (v1: cpu.shares, where 1024 is what everybody has).
    CpuWeight(u64),
    /// cpuset.cpus
    CpusetCpus(Vec<u32>),
    /// cpuset.mems
    CpusetMems(Vec<u32>),
    /// io.max (v1: blkio.throttle.*)
    IoMax(IoMax),
    /// io.weight, or io.bfq.weight (v1: blkio.bfq.weight, blkio.weight).
    IoWeight(u64),
    /// hugetlb.SIZE.max (v1: hugetlb.SIZE.limit_in_bytes).
    HugetlbMax(HugetlbMax),
    /// Nothing that the kernel limits: nsl ends the sandbox when usage_usec of cpu.stat (v1: cpuacct.usage) is this, nanoseconds.
    CpuTime(u64),
}
