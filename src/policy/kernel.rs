//! The smaller namespaces, and the filter.

use serde::{Deserialize, Serialize};

use super::{Mode, Traced};

/// pid_namespaces(7)
#[derive(Clone, Debug, Serialize)]
pub struct Pid {
    /// Where the namespace comes from.
    pub mode: Traced<Mode>,
    /// `init`: whether a small init of ours is PID 1 (true where not stated).
    pub init: Traced<bool>,
}

/// `443/tcp`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Port {
    /// 1 to 65535.
    pub number: u16,
    /// What it carries.
    pub protocol: Protocol,
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}/{}", self.number, self.protocol.name())
    }
}

impl Protocol {
    /// Its name, as in /etc/protocols.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        }
    }
}

/// Transport protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Protocol {
    Tcp,
    Udp,
}

/// ipc_namespaces(7)
#[derive(Clone, Debug, Serialize)]
pub struct Ipc {
    /// Where the namespace comes from.
    pub mode: Traced<Mode>,
}

/// uts_namespaces(7)
#[derive(Clone, Debug, Serialize)]
pub struct Uts {
    /// Where the namespace comes from.
    pub mode: Traced<Mode>,
    /// sethostname(2)
    pub hostname: Option<Traced<String>>,
    /// setdomainname(2)
    pub domainname: Option<Traced<String>>,
}

/// time_namespaces(7)
#[derive(Clone, Debug, Serialize)]
pub struct Time {
    /// Where the namespace comes from.
    pub mode: Traced<Mode>,
    /// Offset of CLOCK_MONOTONIC, nanoseconds.
    pub monotonic: Option<Traced<i64>>,
    /// Offset of CLOCK_BOOTTIME, nanoseconds.
    pub boottime: Option<Traced<i64>>,
}

/// seccomp(2)
#[derive(Clone, Debug, Serialize)]
pub struct Seccomp {
    /// What a call gets that no rule names; `errno(EPERM)` where not stated.
    pub otherwise: Traced<Action>,
    /// The rules, in an order of no meaning.
    pub rules: Vec<Traced<SyscallRule>>,
    /// `abi i386`: foreign ABIs whose calls are judged by the rules; every other one kills the process.
    pub abis: Vec<Traced<String>>,
}

/// `allow NAME`, `deny @group = kill`, `deny socket(family != AF_UNIX) = errno(EAFNOSUPPORT)`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SyscallRule {
    /// `read`, or `@basic` for a group.
    pub name: String,
    /// Whether `name` was a group.
    pub is_group: bool,
    /// The calls: `[name]`, or the members of the group, sorted, without doubles.
    pub calls: Vec<&'static str>,
    /// All must hold for the rule to apply; empty: always.
    pub conditions: Vec<Condition>,
    /// What the call gets.
    pub action: Action,
}

/// A test of one argument of a system call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The argument's name as written, such as `family`.
    pub name: String,
    /// Its position, 0 to 5.
    pub index: u8,
    /// Whether only the low 32 bits count, because the kernel takes an int there.
    pub dword: bool,
    /// Applied to the argument before the comparison (`flags & MASK == VALUE`).
    pub mask: Option<u64>,
    /// The comparison.
    pub op: CompareOp,
    /// The values compared with: one, or several for `in`.
    pub values: Vec<u64>,
}

impl Condition {
    /// Whether it means the same where a long has 32 bits: there -1 is another number.
    pub fn fits_32_bits(&self) -> bool {
        self.dword || self.values.iter().all(|it| *it <= u64::from(u32::MAX))
    }
}

/// Comparisons of arguments, unsigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum CompareOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    /// Equal to one of the values.
    In,
}

/// What a filter answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// The call is made.
    Allow,
    /// The call is made and noted in the kernel's log.
    Log,
    /// The call fails with this errno.
    Errno(u16),
    /// SIGSYS, which the program may handle.
    Trap,
    /// SIGSYS for the thread.
    KillThread,
    /// SIGSYS for the process.
    Kill,
}

/// `sysctl "NAME" = VALUE`: a parameter in /proc/sys, as the sandbox's own namespaces have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sysctl {
    /// With dots: `net.ipv4.ip_forward`.
    pub name: String,
    /// As it is written to the file.
    pub value: String,
}
