//! What the program may use, and how long.

use serde::{Deserialize, Serialize};

use super::{Mode, Traced};

/// cgroup_namespaces(7), and the limits of cgroups(7) in the names of cgroup v2.
#[derive(Clone, Debug, Serialize)]
pub struct Cgroup {
    /// Where the namespace comes from.
    pub mode: Traced<Mode>,
    /// `memory.max`, bytes.
    pub memory_max: Option<Traced<u64>>,
    /// `memory.swap.max`, bytes.
    pub memory_swap_max: Option<Traced<u64>>,
    /// `pids.max`
    pub pids_max: Option<Traced<u64>>,
    /// `cpu.max`, thousandths of one CPU (`100%` is 1000).
    pub cpu_max: Option<Traced<u64>>,
}

impl Cgroup {
    /// Whether any limit is stated.
    pub fn has_limits(&self) -> bool {
        self.memory_max.is_some() || self.memory_swap_max.is_some() || self.pids_max.is_some() || self.cpu_max.is_some()
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
