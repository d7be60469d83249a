//! What this machine, its kernel and the caller can do, as plain data.
//!
//! [`HostFacts`] comes from [`probe`], or from a file: `check` and `plan` cannot tell the two apart, so a
//! policy can be checked for a machine one is not on, and no test of theirs depends on where it runs.
//!
//! The user database is read from /etc/passwd, /etc/group, /etc/subuid and /etc/subgid themselves, not
//! through NSS: a static binary has none, and a run shall not wait for a directory server. Users that are known
//! to NSS alone are known by number, and have the home directory that `HOME` says.

mod caller;
mod cgroups;
mod elf;
mod facts;
mod hierarchies;
mod joinable;
mod labels;
mod landlock;
mod later;
mod libraries;
mod mounts;
mod namespaces;
mod offers;
mod paths;
mod pins;
mod probe;
mod process;
mod search;
mod sys;
mod systemd;
mod targets;
mod text;
mod thorough;

/// What to do where the namespaces of a process may not be looked at: ptrace(2), the access mode checks.
pub const HIDDEN_HELP: &str = "it is another user's, or not dumpable, or has capabilities that you lack: ask as root of the host, with CAP_SYS_PTRACE";

pub use caller::capability_numbers;
pub use caller::{gid_of, uid_of};
pub use cgroups::{CgroupPlace, NoPlace};
pub use facts::*;
pub use hierarchies::NoSuchCgroup;
pub use joinable::{Joinable, Missing, Namespace, Process, Running, UserNamespace, join_key, start_time};
pub use labels::SecurityModules;
pub use later::Later;
pub use namespaces::{Census, Holder, SeenNamespace, command, namespaces};
pub use offers::{Offer, offers};
pub use pins::{Pin, pin_behind};
pub use probe::{Probe, probe, probe_paths};
pub use process::{CoreScheduling, ProcessFacts, listed};
pub use search::NameSearch;
pub use systemd::{SCOPE, ServiceManager};
pub use targets::{target, target_names};
