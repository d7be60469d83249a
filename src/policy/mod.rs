//! The resolved policy: plain data, every leaf traced to the place that made it.
//!
//! `resolve` builds it, `check` and `plan` read it. Nothing here does IO or knows the syntax.

mod files;
mod identity;
mod kernel;
mod labels;
mod landlock;
mod limits;
mod net;
mod process;
mod stdio;
mod trace;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

pub use files::*;
pub use identity::*;
pub use kernel::*;
pub use labels::*;
pub use landlock::*;
pub use limits::*;
pub use net::*;
pub use process::*;
pub use stdio::*;
pub use trace::*;

use crate::source::Span;

/// Everything that a file declares to be run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Policy {
    /// The sandboxes, in the order of the file.
    pub sandboxes: Vec<Sandbox>,
    /// The pods, in the order of the file.
    pub pods: Vec<Pod>,
}

/// A pod: sandboxes that share namespaces.
#[derive(Clone, Debug, Serialize)]
pub struct Pod {
    /// What the pod itself states: its namespaces and its budget.
    pub base: Sandbox,
    /// Its containers, in the order of the file.
    pub containers: Vec<Sandbox>,
}

/// One sandbox, or one container of a pod, with nothing left to decide but what depends on the host.
#[derive(Clone, Debug, Serialize)]
pub struct Sandbox {
    /// Its name.
    pub name: Traced<String>,
    /// The program and its arguments; empty values are as written. `None`: all comes from behind `--`.
    pub run: Option<Traced<Vec<String>>>,
    /// Working directory inside; `/` where not stated.
    pub cwd: Option<Traced<String>>,
    /// The descriptors that it starts with.
    pub stdio: Stdio,
    /// The environment, by name.
    pub env: Vec<Traced<EnvVar>>,
    /// user_namespaces(7)
    pub user: User,
    /// pid_namespaces(7)
    pub pid: Pid,
    /// network_namespaces(7)
    pub net: Net,
    /// mount_namespaces(7)
    pub mnt: Mnt,
    /// ipc_namespaces(7)
    pub ipc: Ipc,
    /// uts_namespaces(7)
    pub uts: Uts,
    /// cgroup_namespaces(7) and cgroups(7)
    pub cgroup: Cgroup,
    /// time_namespaces(7)
    pub time: Time,
    /// Files that keep its namespaces for later.
    pub keep: Vec<Traced<Keep>>,
    /// capabilities(7)
    pub caps: Caps,
    /// seccomp(2); `None`: no filter.
    pub seccomp: Option<Seccomp>,
    /// landlock(7)
    pub landlock: Landlock,
    /// PR_SET_NO_NEW_PRIVS; true where not stated.
    pub no_new_privs: Traced<bool>,
    /// setrlimit(2)
    pub limits: Vec<Traced<Rlimit>>,
    /// How it is scheduled, and what it inherits.
    pub attributes: Attributes,
    /// The label that a security module gives it.
    pub labels: Labels,
    /// Kernel parameters of its own namespaces.
    pub sysctls: Vec<Traced<Sysctl>>,
    /// How it ends.
    pub stop: Stop,
    /// What its containers can share (pods themselves only).
    pub volumes: Vec<Traced<Volume>>,
    /// Containers that must be ready before this one (pods only).
    pub after: Option<Traced<Vec<String>>>,
    /// How one knows that it is ready (pods only).
    pub ready: Option<Traced<Ready>>,
    /// When it is started again (pods only).
    pub restart: Option<Traced<Restart>>,
    /// Whether its end is the end of the pod (pods only).
    pub essential: Option<Traced<bool>>,
    /// The profiles through which statements arrived, by place, of those that are not the sandbox's own: for whoever knows no
    /// more of a statement than that. Outermost first.
    #[serde(skip)]
    pub through: BTreeMap<Span, Arc<[Via]>>,
}

/// `env NAME = "value"` or `env NAME = inherit`
#[derive(Clone, Debug, Serialize)]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// Its value; `None` is `inherit`: the caller's value, or unset where the caller has none.
    pub value: Option<String>,
}

/// Where a namespace comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A namespace of its own.
    New,
    /// The one of the caller.
    Host,
    /// That of somebody else.
    Join(JoinTarget),
    /// The one that the pod has made.
    Pod,
}

/// `keep PATH`: a file of the host that a namespace is pinned to, so that it outlives its processes: namespaces(7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Keep {
    /// The kind.
    pub kind: NsKind,
    /// The absolute path on the host.
    pub path: String,
}

/// Whose namespace is joined.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum JoinTarget {
    /// A process, by its number in the caller's PID namespace.
    Pid(u32),
    /// A file of nsfs, such as /run/netns/blue.
    Path(String),
    /// A sandbox of this user that runs.
    Sandbox(String),
    /// A pod of this user that runs.
    Pod(String),
}

/// The eight kinds of namespaces, in the words of /proc/PID/ns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum NsKind {
    User,
    Mnt,
    Pid,
    Net,
    Ipc,
    Uts,
    Cgroup,
    Time,
}

impl NsKind {
    /// All eight, in the order in which a process enters them.
    pub const ALL: [NsKind; 8] =
        [NsKind::User, NsKind::Pid, NsKind::Net, NsKind::Ipc, NsKind::Uts, NsKind::Cgroup, NsKind::Time, NsKind::Mnt];

    /// The name of the file in /proc/PID/ns, which is its word in the language too.
    pub fn name(self) -> &'static str {
        match self {
            NsKind::User => "user",
            NsKind::Mnt => "mnt",
            NsKind::Pid => "pid",
            NsKind::Net => "net",
            NsKind::Ipc => "ipc",
            NsKind::Uts => "uts",
            NsKind::Cgroup => "cgroup",
            NsKind::Time => "time",
        }
    }
}

impl Sandbox {
    /// The mode of one of its namespaces.
    pub fn mode(&self, kind: NsKind) -> &Traced<Mode> {
        match kind {
            NsKind::User => &self.user.mode,
            NsKind::Mnt => &self.mnt.mode,
            NsKind::Pid => &self.pid.mode,
            NsKind::Net => &self.net.mode,
            NsKind::Ipc => &self.ipc.mode,
            NsKind::Uts => &self.uts.mode,
            NsKind::Cgroup => &self.cgroup.mode,
            NsKind::Time => &self.time.mode,
        }
    }

    /// Through which profiles the statement at a place arrived, the outermost first; none where it is the sandbox's own.
    pub fn via(&self, span: Span) -> &[Via] {
        self.through.get(&span).map_or(&[], |it| it)
    }

    /// Whether a namespace of this kind is its own, or that of the pod that it is in.
    pub fn is_new_or_pods(&self, kind: NsKind) -> bool {
        matches!(self.mode(kind).value, Mode::New | Mode::Pod)
    }

    /// Whether a namespace of this kind is its own.
    pub fn is_new(&self, kind: NsKind) -> bool {
        self.mode(kind).value == Mode::New
    }
}
