//! What steps say of filters and Landlock.

use serde::{Deserialize, Serialize};

use crate::policy::{Action as SyscallAction, Condition, Scope};

/// What Landlock leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandlockSpec {
    /// The ABI of the kernel, which says which rights on files there are.
    pub abi: u32,
    /// Rights on files; `None`: all that there are.
    pub files: Option<Vec<LandlockPath>>,
    /// TCP ports that can be bound; `None`: all.
    pub tcp_bind: Option<Vec<u16>>,
    /// TCP ports that can be connected to; `None`: all.
    pub tcp_connect: Option<Vec<u16>>,
    /// What stays inside.
    pub scope: Vec<Scope>,
}

/// What can be done with everything at and below a path. All of it can be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandlockPath {
    /// The absolute path inside.
    pub path: String,
    /// Whether files can be made, changed and removed, and devices asked by ioctl(2).
    pub write: bool,
    /// Whether files can be executed.
    pub execute: bool,
}

/// A filter before it is compiled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterSpec {
    /// The architecture whose numbers are meant; calls of every other one kill the process.
    pub arch: String,
    /// What a known call gets that no rule names.
    pub otherwise: SyscallAction,
    /// The rules per call, most specific first: the first whose conditions all hold decides.
    pub calls: Vec<CallRules>,
    /// The highest number of a call that is known; a higher one is of a newer kernel.
    pub last: u32,
    /// What calls of newer kernels get: ENOSYS, so that libc falls back, unless `otherwise` lets everything pass.
    pub newer: SyscallAction,
    /// Other ABIs of the architecture whose calls the filter judges too; those of all that are not named kill the process.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign: Vec<ForeignAbi>,
}

/// What the calls of another ABI get. `otherwise` and `newer` are those of the filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignAbi {
    /// `i386`
    pub abi: String,
    /// The rules per call, by the numbers and names of the ABI.
    pub calls: Vec<CallRules>,
    /// The highest number of a call that is known.
    pub last: u32,
}

/// What one system call gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRules {
    /// Its name.
    pub name: String,
    /// Its number.
    pub number: u32,
    /// Verdicts with conditions, tried in order; the last has none, or `otherwise` follows.
    pub verdicts: Vec<Verdict>,
}

/// A verdict on a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// All must hold.
    pub conditions: Vec<Condition>,
    /// What the call gets then.
    pub action: SyscallAction,
}
