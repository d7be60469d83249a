//! What steps say of namespaces that exist.

use serde::{Deserialize, Serialize};

/// Where a namespace is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NamespaceFrom {
    /// A process, which must be the one that was seen: /proc/PID/ns.
    Process {
        /// Its number in the caller's PID namespace.
        pid: u32,
        /// When it started, clock ticks after the boot: field 22 of proc_pid_stat(5).
        start: Option<u64>,
    },
    /// A file of nsfs.
    File(String),
    /// The process that holds the pod's namespaces.
    Pod,
}
