//! The steps.

use std::ffi::OsString;

use serde::{Deserialize, Serialize};

use crate::policy::{Access, Action as SyscallAction, Condition, MountFlags, NsKind, Port, Scope, Signal};
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
    /// unshare(2) of a cgroup namespace, after the cgroup was entered.
    UnshareCgroup,
    /// unshare(2) of a time namespace; children are born into it.
    UnshareTime,
    /// Write /proc/self/timens_offsets.
    TimeOffset {
        /// `monotonic` or `boottime`.
        clock: String,
        /// Nanoseconds.
        offset: i64,
    },
    /// sethostname(2)
    SetHostname(String),
    /// setdomainname(2)
    SetDomainname(String),
    /// Bring `lo` up.
    LoopbackUp,
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
    /// close_range(2) of everything but 0, 1 and 2.
    CloseFds,
    /// seccomp(2)
    InstallFilter(FilterSpec),
    /// execve(2)
    Exec {
        /// The program and its arguments.
        argv: Vec<Bytes>,
        /// The environment, `NAME=value`.
        env: Vec<Bytes>,
    },
}

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
    /// The last part of the path; `PID` in it stands for the process id of nsl.
    pub name: String,
    /// v2: controllers to switch on in the parent for its children.
    pub enable: Vec<String>,
}

/// A limit in the terms of cgroup v2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CgroupLimit {
    /// memory.max, bytes.
    MemoryMax(u64),
    /// memory.swap.max, bytes (v1: memory.memsw.limit_in_bytes, which is memory and swap together).
    SwapMax {
        /// Bytes of swap.
        swap: u64,
        /// The memory limit, which v1 adds to it.
        memory: Option<u64>,
    },
    /// pids.max
    PidsMax(u64),
    /// cpu.max, thousandths of one CPU.
    CpuMax(u64),
}

/// A whole id map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdMapping {
    /// The lines of the map.
    pub lines: Vec<MapLine>,
    /// The absolute path of newuidmap or newgidmap, where it must write the map.
    pub helper: Option<String>,
}

/// One line of /proc/PID/uid_map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapLine {
    /// The first id inside.
    pub inside: u32,
    /// The first id outside.
    pub outside: u32,
    /// How many.
    pub count: u32,
}

/// What `/` is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RootSource {
    /// A tmpfs.
    Tmpfs,
    /// A source that was opened.
    Source {
        /// Which.
        id: u32,
        /// Whether it may be written.
        access: Access,
    },
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MountStep {
    /// A source that was opened.
    Bind {
        /// Which.
        id: u32,
        /// Whether it may be written.
        access: Access,
        /// What it refuses.
        flags: MountFlags,
    },
    /// tmpfs(5)
    Tmpfs {
        /// `size=`, bytes.
        size: u64,
        /// `nr_inodes=`
        inodes: u64,
        /// Permission bits.
        mode: u32,
        /// What it refuses.
        flags: MountFlags,
    },
    /// proc(5) with the dangerous entries masked.
    Proc,
    /// A small /dev.
    Dev {
        /// Whether it has a message queue file system, which needs an IPC namespace of the sandbox's own.
        mqueue: bool,
    },
    /// sysfs(5), read-only.
    Sys,
    /// mq_overview(7)
    Mqueue,
    /// A devpts of its own.
    Devpts,
    /// The cgroup file system, read-only.
    Cgroup,
    /// A read-only file.
    File {
        /// What is in it.
        text: String,
    },
}

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

/// A string of bytes that the kernel takes as it is; JSON shows text where it is text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Bytes {
    /// UTF-8.
    Text(String),
    /// Anything else.
    Raw(Vec<u8>),
}

impl Bytes {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Bytes::Text(text) => text.as_bytes(),
            Bytes::Raw(bytes) => bytes,
        }
    }
}

impl From<OsString> for Bytes {
    fn from(value: OsString) -> Bytes {
        use std::os::unix::ffi::OsStringExt;
        match String::from_utf8(value.into_vec()) {
            Ok(text) => Bytes::Text(text),
            Err(error) => Bytes::Raw(error.into_bytes()),
        }
    }
}

impl From<&str> for Bytes {
    fn from(value: &str) -> Bytes {
        Bytes::Text(value.to_string())
    }
}
