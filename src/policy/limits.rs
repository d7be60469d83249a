//! What the program may use, and how long.

use serde::{Deserialize, Serialize};

use super::{Mode, Origin, Strength, Traced};

/// cgroup_namespaces(7), and the limits of cgroups(7) in the names of cgroup v2.
#[derive(Clone, Debug, Serialize)]
pub struct Cgroup {
    /// Where the namespace comes from.
    pub mode: Traced<Mode>,
    /// `memory.max`, bytes.
    pub memory_max: Option<Traced<u64>>,
    /// `memory.high`, bytes.
    pub memory_high: Option<Traced<u64>>,
    /// `memory.low`, bytes.
    pub memory_low: Option<Traced<u64>>,
    /// `memory.min`, bytes.
    pub memory_min: Option<Traced<u64>>,
    /// `memory.swap.max`, bytes.
    pub memory_swap_max: Option<Traced<u64>>,
    /// `memory.oom.group`
    pub memory_oom_group: Option<Traced<bool>>,
    /// `pids.max`
    pub pids_max: Option<Traced<u64>>,
    /// `cpu.max`, thousandths of one CPU (`100%` is 1000).
    pub cpu_max: Option<Traced<u64>>,
    /// The period of `cpu.max`, microseconds; the kernel's own is 100000.
    pub cpu_period: Option<Traced<u64>>,
    /// `cpu.weight`, 1 to 10000; 100 is what everybody has.
    pub cpu_weight: Option<Traced<u64>>,
    /// `cpuset.cpus`, sorted, without doubles.
    pub cpuset_cpus: Option<Traced<Vec<u32>>>,
    /// `cpuset.mems`, sorted, without doubles.
    pub cpuset_mems: Option<Traced<Vec<u32>>>,
    /// `io.max DEVICE`
    pub io_max: Vec<Traced<IoMax>>,
    /// `io.weight`, 1 to 10000; 100 is what everybody has.
    pub io_weight: Option<Traced<u64>>,
    /// `hugetlb.max PAGE`
    pub hugetlb_max: Vec<Traced<HugetlbMax>>,
}

/// What a sandbox may read from and write to a disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IoMax {
    /// The absolute path of the block device on the host.
    pub device: String,
    /// Bytes read in a second.
    pub rbps: Option<u64>,
    /// Bytes written in a second.
    pub wbps: Option<u64>,
    /// Reads in a second.
    pub riops: Option<u64>,
    /// Writes in a second.
    pub wiops: Option<u64>,
}

/// How much memory may be in huge pages of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HugetlbMax {
    /// The size of a page, bytes.
    pub page: u64,
    /// Bytes in all.
    pub max: u64,
}

/// A limit that a policy states, for whoever looks at all of them.
#[derive(Clone, Debug)]
pub struct StatedLimit<'a> {
    /// The file of cgroup v2 that has it: `memory.max`.
    pub name: &'static str,
    /// Where it is stated.
    pub origin: &'a Origin,
    /// Whether a run may go on without it.
    pub strength: Strength,
}

impl Cgroup {
    /// Every limit that is stated, in the order in which they are put in force.
    pub fn limits(&self) -> Vec<StatedLimit<'_>> {
        fn row<'a, T>(name: &'static str, stated: &'a Traced<T>) -> StatedLimit<'a> {
            StatedLimit { name, origin: &stated.origin, strength: stated.strength }
        }
        let numbers = [
            ("memory.max", &self.memory_max),
            ("memory.swap.max", &self.memory_swap_max),
            ("memory.high", &self.memory_high),
            ("memory.low", &self.memory_low),
            ("memory.min", &self.memory_min),
            ("pids.max", &self.pids_max),
            ("cpu.max", &self.cpu_max),
            ("cpu.weight", &self.cpu_weight),
            ("io.weight", &self.io_weight),
        ];
        let sets = [("cpuset.cpus", &self.cpuset_cpus), ("cpuset.mems", &self.cpuset_mems)];
        let mut all: Vec<StatedLimit> = Vec::new();
        all.extend(numbers.into_iter().filter_map(|(name, it)| it.as_ref().map(|it| row(name, it))));
        all.extend(self.memory_oom_group.iter().map(|it| row("memory.oom.group", it)));
        all.extend(sets.into_iter().filter_map(|(name, it)| it.as_ref().map(|it| row(name, it))));
        all.extend(self.io_max.iter().map(|it| row("io.max", it)));
        all.extend(self.hugetlb_max.iter().map(|it| row("hugetlb.max", it)));
        all
    }
}

/// One resource limit of getrlimit(2); soft and hard are set alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rlimit {
    /// The kernel's name without `RLIMIT_`, lower case: `nofile`.
    pub resource: String,
    /// The value in the kernel's unit; `None` is RLIM_INFINITY.
    pub value: Option<u64>,
}

/// How a sandbox ends.
#[derive(Clone, Debug, Serialize)]
pub struct Stop {
    /// `after`: the longest it may run, nanoseconds.
    pub after: Option<Traced<u64>>,
    /// `cpu`: CPU time of all its processes together, nanoseconds.
    pub cpu: Option<Traced<u64>>,
    /// `with-parent`: whether it ends with the process that has started nsl; false where not stated.
    pub with_parent: Option<Traced<bool>>,
    /// `signal`: what the program is asked to end with; TERM where not stated.
    pub signal: Traced<Signal>,
    /// `timeout`: how long it may take to end before it is killed, nanoseconds; 10 s where not stated.
    pub timeout: Traced<u64>,
}

/// A signal by name and number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// Without `SIG`: `TERM`.
    pub name: String,
    /// Its number on this architecture.
    pub number: i32,
}

/// `ready = tcp(ADDRESS, port:, within:)`, `file(PATH, within:)`, `exec([…], within:)`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ready {
    /// What is tried.
    pub probe: Probe,
    /// How long it may take, nanoseconds.
    pub within: u64,
}

/// What tells that a container is ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Probe {
    /// A TCP connection succeeds.
    Tcp {
        /// The address inside.
        address: std::net::IpAddr,
        /// The port inside.
        port: u16,
    },
    /// A file exists.
    File(String),
    /// A program ends with 0.
    Exec(Vec<String>),
}

/// `restart = never | always(…) | on-failure(max:, backoff:)`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restart {
    /// Whether success is a reason too.
    pub always: bool,
    /// Whether it is restarted at all.
    pub never: bool,
    /// How often at the most.
    pub max: Option<u32>,
    /// The first pause, nanoseconds; it doubles each time.
    pub backoff: u64,
}
