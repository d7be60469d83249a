//! The facts themselves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Joinable, Later, NameSearch, ProcessFacts, SecurityModules, ServiceManager};
use crate::policy::{JoinTarget, NsKind};

/// What a host offers to one caller. What not every policy is about is read when it is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostFacts {
    /// What it is called in messages: `this host`, or the name of the target.
    pub name: String,
    /// The kernel.
    pub kernel: Kernel,
    /// Who asks.
    pub caller: Caller,
    /// Whether and how user namespaces are restricted.
    pub userns: UserNamespaces,
    /// The kinds of namespaces that the kernel has (files of /proc/self/ns).
    pub namespaces: Vec<NsKind>,
    /// The cgroup hierarchies.
    pub cgroups: Later<Cgroups>,
    /// Landlock's ABI; 0 where there is none.
    pub landlock_abi: Later<u32>,
    /// /proc/sys/kernel/seccomp/actions_avail; empty where the kernel has no filters.
    pub seccomp_actions: Later<Vec<String>>,
    /// Paths that something is mounted over below /proc, which makes the kernel refuse a fresh proc in a user namespace.
    pub proc_masked: Vec<String>,
    /// net.ipv4.ip_unprivileged_port_start
    pub unprivileged_port_start: Later<u16>,
    /// Whether the caller may make interfaces in its own network namespace: CAP_NET_ADMIN in the user namespace that owns it.
    #[serde(default)]
    pub net_admin: Later<bool>,
    /// Whether the caller may mount in the mount namespace that it is in: CAP_SYS_ADMIN in the user namespace that owns it; `None` where
    /// nobody looked.
    #[serde(default)]
    pub mount_admin: Option<bool>,
    /// Whether the caller may open /dev/net/tun, which pasta does.
    #[serde(default = "usually")]
    pub tun: Later<bool>,
    /// Whether that network passes packets on: net.ipv4.ip_forward and net.ipv6.conf.all.forwarding; `None` where nobody knows.
    #[serde(default)]
    pub forwards: Later<Option<Forwards>>,
    /// The interfaces of that network namespace; empty where they are not known.
    #[serde(default)]
    pub interfaces: Later<Vec<String>>,
    /// Hard limits of the caller by name (`nofile`), `None` for infinity.
    pub hard_limits: Later<BTreeMap<String, Option<u64>>>,
    /// What a process of the caller starts with.
    #[serde(default)]
    pub process: Later<ProcessFacts>,
    /// What labels processes.
    #[serde(default)]
    pub security: Later<SecurityModules>,
    /// CLOCK_BOOTTIME and CLOCK_MONOTONIC now, in whole seconds (time offsets must not make them negative).
    pub uptime: Later<u64>,
    /// Programs that nsl may call, by name (`newuidmap`), with their absolute path.
    pub helpers: Later<BTreeMap<String, String>>,
    /// What those of them say of themselves that were asked, by name; only `nsl doctor` asks.
    #[serde(default)]
    pub versions: BTreeMap<String, String>,
    /// Whether the kernel has nf_tables, built in or as a module; `None` where nobody looked, which takes half a second.
    #[serde(default)]
    pub nftables: Option<bool>,
    /// The service manager of the caller, where that can give it a cgroup.
    #[serde(default)]
    pub service_manager: Later<Option<ServiceManager>>,
    /// `--cgroup-parent`: the cgroup (as in /proc/PID/cgroup) in which sandboxes get theirs.
    #[serde(default)]
    pub cgroup_parent: Option<String>,
    /// Where mount namespaces are pinned: a mount tree with one of these in it cannot be moved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mount_pins: Vec<String>,
    /// How programs of the host complete names; empty where nobody looked.
    #[serde(default)]
    pub name_search: NameSearch,
    /// The paths that the policy names, by absolute path on the host.
    #[serde(default)]
    pub paths: BTreeMap<String, PathFact>,
    /// What the policy joins, by target (`pid 4711`, `path /run/netns/blue`).
    #[serde(default)]
    pub joinable: BTreeMap<String, Joinable>,
}

impl HostFacts {
    /// What is known of the target of a join; nothing on a host that one is not on.
    pub fn joinable(&self, target: &JoinTarget) -> Option<&Joinable> {
        self.joinable.get(&super::join_key(target))
    }
}

/// The facts of a host as a file: what `nsl doctor --json` prints, and `nsl check --target FILE` reads.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recorded {
    /// 1. Fields that are added do not change it; fields that mean something else do.
    pub format: u32,
    /// The facts.
    #[serde(flatten)]
    pub facts: HostFacts,
}

impl Recorded {
    /// The format that this version writes, and the only one that it reads.
    pub const FORMAT: u32 = 1;

    /// The facts of a text, or what is wrong with it.
    pub fn read(text: &str) -> Result<HostFacts, String> {
        #[derive(Deserialize)]
        struct Head {
            format: Option<u32>,
        }
        // Before the rest, which another format may not have.
        let head: Head = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match head.format {
            Some(Recorded::FORMAT) => {
                serde_json::from_str::<Recorded>(text).map(|it| it.facts).map_err(|error| error.to_string())
            }
            Some(other) => Err(format!("its format is {other}, and this version of nsl reads {}", Recorded::FORMAT)),
            None => Err("it names no `format`".to_string()),
        }
    }
}

/// What a network passes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forwards {
    /// net.ipv4.ip_forward
    pub ipv4: bool,
    /// net.ipv6.conf.all.forwarding
    pub ipv6: bool,
}

/// The kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kernel {
    /// As uname(2) says.
    pub release: String,
    /// Major and minor number.
    pub version: (u32, u32),
    /// As uname(2) says: `x86_64`, `aarch64`.
    pub arch: String,
}

impl Kernel {
    /// Whether it is at least this version.
    pub fn at_least(&self, major: u32, minor: u32) -> bool {
        self.version >= (major, minor)
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// Effective user id.
    pub uid: u32,
    /// Effective group id.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// The name of the user; the number where the user database has none.
    pub user: String,
    /// The home directory of the user database.
    pub home: String,
    /// Effective capabilities in the caller's user namespace, lower case without `CAP_`.
    pub capabilities: Vec<String>,
    /// Whether the caller is in the initial user namespace.
    pub initial_userns: bool,
    /// Whether the caller is in a chroot, which forbids user namespaces.
    pub chroot: bool,
    /// Whether setgroups(2) is denied in the caller's user namespace (/proc/self/setgroups), and so in all below it.
    #[serde(default)]
    pub setgroups_denied: Later<bool>,
    /// Ranges of subordinate user ids.
    pub subuid: Later<Vec<IdRange>>,
    /// Ranges of subordinate group ids.
    pub subgid: Later<Vec<IdRange>>,
}

impl Caller {
    /// Whether the caller has a capability in its user namespace.
    pub fn has(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|it| it == capability)
    }

    /// Whether the caller may create namespaces, mount and write any id map: CAP_SYS_ADMIN, CAP_SETUID and CAP_SETGID.
    pub fn is_privileged(&self) -> bool {
        ["sys_admin", "setuid", "setgid"].iter().all(|it| self.has(it))
    }
}

/// A range of ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdRange {
    /// The first.
    pub start: u32,
    /// How many.
    pub count: u32,
}

/// Whether user namespaces can be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserNamespaces {
    /// /proc/sys/user/max_user_namespaces
    pub max: u64,
    /// kernel.unprivileged_userns_clone (Debian, Ubuntu) is 0.
    pub clone_disabled: bool,
    /// kernel.apparmor_restrict_unprivileged_userns (Ubuntu 23.10 and later) is 1.
    pub apparmor_restricted: bool,
    /// A seccomp filter around the caller refuses them, as Docker's does to those without CAP_SYS_ADMIN. Known of targets
    /// only: a filter cannot be asked without trying.
    #[serde(default)]
    pub filtered: bool,
}

/// The cgroup hierarchies of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cgroups {
    /// cgroup v2, wherever it is mounted.
    pub v2: Option<CgroupTree>,
    /// cgroup v1 hierarchies by controller, of those that limits are made of, by their names in v2: `memory`, `pids`,
    /// `cpu`, `cpuset`, `io` (v1: blkio), `hugetlb`.
    pub v1: BTreeMap<String, CgroupTree>,
}

/// One hierarchy as the caller sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupTree {
    /// Where it is mounted.
    pub mount: String,
    /// The caller's own cgroup, relative to the mount, with a leading `/`.
    pub own: String,
    /// Controllers that `own` may hand to its children (v2: cgroup.controllers, for root that of the hierarchy's root; v1:
    /// the controller itself).
    pub controllers: Vec<String>,
    /// Controllers already on for the children of the same cgroup (v2: cgroup.subtree_control).
    #[serde(default)]
    pub enabled: Vec<String>,
    /// Whether the caller may create cgroups in `own` and move processes there.
    pub writable: bool,
}

/// What is at a path of the host, symbolic links followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathFact {
    /// What is there.
    pub kind: PathKind,
    /// The path with all symbolic links resolved (as `realpath`), where it exists.
    #[serde(default)]
    pub real: String,
    /// Permission bits.
    #[serde(default)]
    pub mode: u32,
    /// Owner.
    #[serde(default)]
    pub uid: u32,
    /// Group.
    #[serde(default)]
    pub gid: u32,
    /// Mounts below it.
    #[serde(default)]
    pub submounts: Vec<String>,
    /// Mount options of the mount it is on (`ro`, `nosuid`, `nodev`, `noexec`).
    #[serde(default)]
    pub mount_flags: Vec<String>,
    /// The kind of namespace that is pinned there, where one is.
    #[serde(default)]
    pub namespace: Option<NsKind>,
    /// Of the mount it is on: `shared`, `slave`, `private`; empty where that is not known.
    #[serde(default)]
    pub propagation: String,
    /// For a program about whose libraries a rule wants to know: their paths on the host.
    #[serde(default)]
    pub libraries: Vec<String>,
    /// For the same programs: where the symbolic links lead that their interpreter is.
    #[serde(default)]
    pub interpreter_links: Vec<String>,
    /// For a program: the interpreter it names (ELF's PT_INTERP, or what follows `#!`).
    #[serde(default)]
    pub interpreter: Option<String>,
}

/// Kinds of paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PathKind {
    /// Nothing is there.
    Missing,
    /// The caller may not look.
    Forbidden,
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A socket.
    Socket,
    /// A device node.
    Device,
    /// Something else, such as a FIFO.
    Other,
}

/// udev lets everybody open it.
fn usually() -> Later<bool> {
    true.into()
}
