//! The steps.

mod bytes;
mod cgroup;
mod identity;
mod join;
mod kernel;
mod net;
mod process;
mod stdio;
mod tree;

pub use bytes::*;
pub use cgroup::*;
pub use identity::*;
pub use join::*;
pub use kernel::*;
pub use net::*;
pub use process::*;
pub use stdio::*;
pub use tree::*;

use serde::{Deserialize, Serialize};

use crate::policy::{Cidr, NsKind, Port, Propagation, SecretFrom, SecurityModule, Signal, Via};
use crate::source::Span;

/// Everything that a run does, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The sandbox.
    pub name: String,
    /// The steps, in the order in which they are performed.
    pub steps: Vec<Step>,
    /// What the policy prefers and this host cannot.
    pub degraded: Vec<Degraded>,
    /// What happens when it ends.
    pub ending: Ending,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Who performs it, and when.
    pub stage: Stage,
    /// What is done.
    pub action: Action,
    /// The statement that asked for it.
    pub span: Span,
    /// The profiles through which that statement arrived, the outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<Via>,
    /// The key of that statement (`mnt.mount[/tmp]`), or the rule that implies it.
    pub why: String,
    /// What it needs on the host, as in `CAP_SYS_ADMIN`; `None` where anybody may.
    pub privilege: Option<String>,
    /// Whether the run ends when it fails.
    pub required: bool,
}

/// Who performs a step, in the order of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// The supervisor, before the child exists.
    Prepare,
    /// A process in between: it enters the namespaces of others, makes the child, and is gone.
    Join,
    /// The one clone3(2).
    Clone,
    /// The supervisor, while the child waits.
    Admit,
    /// The child, inside its namespaces.
    Child,
    /// The process that becomes the program.
    Program,
}

/// A preference that this host cannot meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Degraded {
    /// The statement.
    pub span: Span,
    /// Its key.
    pub key: String,
    /// Why it cannot be met.
    pub reason: String,
}

/// What happens when a run ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// What the program is asked to end with.
    pub signal: Signal,
    /// How long it may take before it is killed, nanoseconds.
    pub timeout: u64,
    /// The longest it may run, nanoseconds.
    pub after: Option<u64>,
    /// The statement of `after`.
    pub after_span: Option<Span>,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", content = "with", rename_all = "kebab-case")]
pub enum Action {
    /// Open a source on the host with the caller's rights; later steps know it by `id`.
    OpenSource {
        /// How steps refer to it.
        id: u32,
        /// The absolute path on the host.
        path: String,
        /// Whether mounts below it come along.
        recursive: bool,
        /// Whether the child copies it, in whose mount namespace no other is pinned: a tree with a pinned one cannot be moved.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        in_child: bool,
        /// Whether what is mounted there later does.
        #[serde(default, skip_serializing_if = "Propagation::is_private")]
        propagation: Propagation,
    },
    /// Make what is missing at a path below a writable source, so that it can be covered; removed again when the run
    /// ends. A path that exists is left as it is.
    Placeholder {
        /// The source.
        id: u32,
        /// The path below it, relative.
        path: String,
        /// Whether it is a directory; otherwise an empty file.
        dir: bool,
    },
    /// Open an image, read what it says of itself, and check that against its digests.
    OpenImage {
        /// How steps refer to it: one of the numbers of sources.
        id: u32,
        /// The absolute path on the host.
        path: String,
        /// The digest that it has to have.
        digest: Option<String>,
    },
    /// Open what a secret is read from; its content is never looked at before it is in the sandbox.
    OpenSecret {
        /// How steps refer to it: one of the numbers of sources.
        id: u32,
        /// What it is.
        from: SecretFrom,
    },
    /// Make a volume of a pod: a tmpfs in a mount namespace of its own, which the pod's user namespace owns and in which nothing else is.
    MakeVolume {
        /// Its name.
        name: String,
        /// `size=`, bytes.
        size: u64,
        /// `nr_inodes=`
        inodes: u64,
        /// Permission bits.
        mode: u32,
        /// Whom it belongs to: uid and gid inside.
        owner: (u32, u32),
        /// Whether nothing of it can be executed.
        noexec: bool,
    },
    /// Copy the mount of a volume of the pod.
    OpenVolume {
        /// How steps refer to it: one of the numbers of sources.
        id: u32,
        /// Its name.
        name: String,
    },
    /// Let a source show the owners of its files as the sandbox's user namespace maps them: mount_setattr(2) MOUNT_ATTR_IDMAP.
    MapOwners {
        /// The source.
        id: u32,
    },
    /// Lock a directory of a source for as long as the run lasts, and fail if another run has it.
    Hold {
        /// The source.
        id: u32,
        /// The name of the directory in it.
        name: String,
    },
    /// Open what a standard stream of the program is, with the caller's rights.
    OpenStream(OpenStream),
    /// Look whether the standard input is a terminal, and remember how it is set: termios(3).
    CallerTerminal,
    /// Open the process that has started nsl, to end with it: pidfd_open(2).
    WatchParent,
    /// Ask the caller's service manager for a scope with this process in it, whose cgroup is the parent `SCOPE` of others:
    /// systemd.scope(5).
    RequestScope {
        /// The manager's socket.
        socket: String,
        /// The name of the unit; `PID` in it stands for the process id of nsl.
        name: String,
        /// Where cgroup v2 is mounted.
        mount: String,
    },
    /// Create a cgroup, removed again when the run ends.
    CreateCgroup(CgroupDir),
    /// Write a limit of a cgroup, and read it back.
    LimitCgroup {
        /// The cgroup.
        dir: CgroupDir,
        /// The limit.
        limit: CgroupLimit,
    },
    /// Listen on a port of the host, to be relayed to a port inside.
    Publish {
        /// The address of the host.
        address: std::net::IpAddr,
        /// The port of the host.
        outer: Port,
        /// The port inside, on 127.0.0.1.
        inner: Port,
    },
    /// Open a namespace that exists, and make sure that it is the one that is meant.
    OpenNamespace {
        /// Its kind.
        kind: NsKind,
        /// Where it is found.
        from: NamespaceFrom,
        /// Its inode on nsfs, where it was looked at before.
        id: Option<u64>,
    },
    /// Make an empty file that a namespace is to be pinned to; removed again if the program never starts.
    MakePin {
        /// The absolute path on the host.
        path: String,
    },
    /// Ask the supervisor to pin a namespace of this process to the file that was made for it, and wait: a bind mount of /proc/PID/ns/KIND,
    /// namespaces(7).
    PinNamespace {
        /// Its kind.
        kind: NsKind,
        /// The absolute path on the host.
        path: String,
    },
    /// setns(2) into a namespace that was opened.
    JoinNamespace(NsKind),
    /// clone3(2) with these new namespaces.
    Clone {
        /// All but `cgroup` and `time`, which the child makes later.
        namespaces: Vec<NsKind>,
        /// CLONE_INTO_CGROUP: the cgroup v2 that the child is born in.
        into: Option<CgroupDir>,
    },
    /// Write `deny` to /proc/PID/setgroups.
    DenySetgroups,
    /// Write uid_map.
    MapUids(IdMapping),
    /// Write gid_map.
    MapGids(IdMapping),
    /// Move the child into a cgroup.
    EnterCgroup(CgroupDir),
    /// Set how the child, or this process, is scheduled, or what its children inherit.
    SetAttribute(Attribute),
    /// Write to /proc/self/attr the label that execve(2) gives.
    SetLabel {
        /// Whose label it is.
        module: SecurityModule,
        /// A profile, or a context.
        label: String,
    },
    /// unshare(2) of a cgroup namespace, after the cgroup was entered.
    UnshareCgroup,
    /// unshare(2) of a time namespace; children are born into it.
    UnshareTime,
    /// setns(2) into the time namespace that was made for children, whose offsets are fixed then, and hand it to the supervisor.
    EnterTime,
    /// Write /proc/self/timens_offsets.
    TimeOffset {
        /// `monotonic` or `boottime`.
        clock: String,
        /// Nanoseconds.
        offset: i64,
    },
    /// Write a file of /proc/sys from inside the namespaces, and read it back: sysctl(8).
    Sysctl {
        /// `net.ipv4.ip_forward`
        name: String,
        /// As it is written.
        value: String,
    },
    /// sethostname(2)
    SetHostname(String),
    /// setdomainname(2)
    SetDomainname(String),
    /// Bring `lo` up.
    LoopbackUp,
    /// Start the program that leads out, and wait until it is ready.
    StartUplink {
        /// Its absolute path.
        program: String,
        /// Its arguments; `CHILD` in them stands for the process id of the child.
        arguments: Vec<String>,
    },
    /// Start a resolver that listens on the sandbox's loopback, and wait until it is ready.
    StartResolver(ResolverStep),
    /// Make an interface on the host, or take one, and put one end into the child's network namespace.
    MakeLink(LinkStep),
    /// Make a bridge of the sandbox's own.
    MakeBridge {
        /// Its name.
        name: String,
        /// The largest packet, bytes.
        mtu: Option<u32>,
    },
    /// Give an interface an address.
    AddAddress {
        /// The interface.
        link: String,
        /// The address.
        address: Cidr,
    },
    /// Bring an interface up.
    LinkUp {
        /// The interface.
        link: String,
    },
    /// Add a route.
    AddRoute(RouteStep),
    /// Load the rules of a firewall into the kernel.
    InstallFirewall(Firewall),
    /// setgroups(2), setresgid(2), setresuid(2), inside.
    SetIds {
        /// User id inside.
        uid: u32,
        /// Group id inside.
        gid: u32,
        /// Supplementary groups inside; `None` where they cannot be changed.
        groups: Option<Vec<u32>>,
    },
    /// Make every mount private, so that nothing done here is seen outside.
    PrivateMounts,
    /// Mount a tmpfs of our own in which the new tree is put together.
    StageTree,
    /// What `/` is.
    MountRoot(RootSource),
    /// Mount something in the new tree.
    Mount {
        /// The absolute path inside.
        target: String,
        /// What.
        source: MountStep,
    },
    /// Cover a path so that nothing of it can be seen.
    Hide {
        /// The absolute path inside.
        target: String,
    },
    /// Make a path below a writable mount read-only, and its parents up to that mount such that they cannot be renamed.
    Protect {
        /// The absolute path inside.
        target: String,
        /// Whether it may be missing, and stay so.
        may_be_missing: bool,
        /// Whether a directory stands in for it where it is missing; otherwise an empty file.
        dir: bool,
    },
    /// symlink(2)
    Link {
        /// Where.
        path: String,
        /// Its text.
        target: String,
    },
    /// mkdir(2)
    Mkdir {
        /// Where.
        path: String,
        /// Permission bits.
        mode: u32,
    },
    /// Make the tree's own file system read-only.
    SealRoot,
    /// pivot_root(2), and detach the old root.
    PivotRoot,
    /// fork(2): this process stays as PID 1 and reaps, the child becomes the program.
    ForkInit,
    /// setsid(2): no controlling terminal.
    NewSession,
    /// Make a pseudo-terminal in the sandbox's devpts, the controlling terminal of the session, and its 0, 1 and 2; the other end goes
    /// to the supervisor.
    NewTerminal,
    /// dup2(2): what the program has at this number.
    SetFd {
        /// The number.
        number: u32,
        /// What it is.
        from: FdSource,
    },
    /// A session keyring of its own: keyrings(7).
    NewKeyring,
    /// chdir(2)
    ChangeDir(String),
    /// setrlimit(2)
    SetRlimit {
        /// `nofile`
        resource: String,
        /// `None` is RLIM_INFINITY.
        value: Option<u64>,
    },
    /// All five capability sets, and securebits.
    SetCapabilities {
        /// Kept in the bounding, permitted, effective and inheritable sets.
        keep: Vec<String>,
        /// Raised in the ambient set.
        ambient: Vec<String>,
    },
    /// prctl(PR_SET_NO_NEW_PRIVS)
    NoNewPrivs,
    /// landlock_restrict_self(2)
    RestrictLandlock(LandlockSpec),
    /// Put LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID, the program's own process id as it sees it, into its environment: sd_listen_fds(3).
    ListenFds {
        /// The names of the descriptors from 3 on.
        names: Vec<String>,
    },
    /// close_range(2) of everything but 0, 1, 2 and these.
    CloseFds {
        /// Numbers from 3 on, sorted.
        keep: Vec<u32>,
    },
    /// seccomp(2)
    InstallFilter(FilterSpec),
    /// Hold the namespaces of a pod: wait, reap, and end with the supervisor.
    HoldPod,
    /// execve(2)
    Exec {
        /// The program and its arguments.
        argv: Vec<Bytes>,
        /// The environment, `NAME=value`.
        env: Vec<Bytes>,
    },
}
