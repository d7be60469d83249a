//! The variants of values.

use super::types::{ArgKind, ArgSpec, Ty, Variant};

const fn flag(name: &'static str) -> ArgSpec {
    ArgSpec { name, kind: ArgKind::Flag, required: false }
}

const fn named(name: &'static str, ty: Ty) -> ArgSpec {
    ArgSpec { name, kind: ArgKind::Named(ty), required: false }
}

const fn required(name: &'static str, ty: Ty) -> ArgSpec {
    ArgSpec { name, kind: ArgKind::Named(ty), required: true }
}

const fn positional(name: &'static str, ty: Ty, required: bool) -> ArgSpec {
    ArgSpec { name, kind: ArgKind::Positional(ty), required }
}

const fn variant(name: &'static str, doc: &'static str, args: &'static [ArgSpec]) -> Variant {
    Variant { name, doc, args }
}

/// What runs is called as in its policy, or by a name such as "web-2" or "shop.app".
const NAME: Ty = Ty::Any(&[Ty::Word, Ty::Str]);

/// Where a namespace comes from.
pub(super) const MODES: &[Variant] = &[
    variant("new", "a namespace of its own", &[]),
    variant("host", "the one of the caller", &[]),
    variant(
        "join",
        "that of somebody else",
        &[named("pid", Ty::Int(1, 4_194_304)), named("path", Ty::Path), named("sandbox", NAME), named("pod", NAME)],
    ),
    variant("pod", "the one that the pod has made", &[]),
];

pub(super) const OUTSIDE: &[Variant] = &[
    variant("caller", "the caller's own id", &[]),
    variant(
        "unprivileged",
        "the caller's own id, or, when the caller is root, one allotted from a subordinate range",
        &[],
    ),
    variant(
        "subid",
        "the caller's subordinate ids, subuid(5) and subgid(5)",
        &[required("count", Ty::Int(1, 4_294_967_295))],
    ),
    variant(
        "outer",
        "ids of the host by number",
        &[positional("id", Ty::Id, true), named("count", Ty::Int(1, 4_294_967_295))],
    ),
];

pub(super) const ROOTS: &[Variant] = &[
    variant("empty", "nothing, read-only once the tree is built", &[]),
    variant("host", "the host's own tree, read-only unless `rw`", &[flag("ro"), flag("rw")]),
    variant(
        "dir",
        "a directory of the host, read-only unless `rw`",
        &[
            positional("path", Ty::Path, true),
            flag("ro"),
            flag("rw"),
            flag("noexec"),
            flag("suid"),
            flag("dev"),
            flag("nosymfollow"),
            flag("idmap"),
        ],
    ),
    variant(
        "overlay",
        "directories of the host, the first of `lower` on top; changes go to memory with `ephemeral`, or stay in `upper`, with `work` beside it for the kernel; without either it is read-only",
        OVERLAY,
    ),
    variant(
        "image",
        "an image: an OCI image layout (a directory or an archive), what `docker save` writes, or, for root, a squashfs or erofs file; layers are unpacked into memory, 1GiB where no size is named, and with `rw` changes go away with the run",
        &[
            positional("path", Ty::Path, true),
            flag("ro"),
            flag("rw"),
            named("digest", Ty::Str),
            named("size", Ty::Size),
            named("inodes", Ty::Int(1, 1 << 40)),
            flag("noexec"),
            flag("suid"),
            flag("dev"),
            flag("nosymfollow"),
        ],
    ),
];

const OVERLAY: &[ArgSpec] = &[
    named("lower", Ty::Any(&[Ty::Path, Ty::List(&Ty::Path)])),
    flag("ephemeral"),
    named("upper", Ty::Path),
    named("work", Ty::Path),
    named("size", Ty::Size),
    named("inodes", Ty::Int(1, 1 << 40)),
    flag("noexec"),
    flag("suid"),
    flag("dev"),
    flag("nosymfollow"),
];

const BIND: &[ArgSpec] = &[
    positional("source", Ty::Path, false),
    flag("ro"),
    flag("rw"),
    flag("noexec"),
    flag("suid"),
    flag("dev"),
    flag("nosymfollow"),
    flag("idmap"),
    named("recursive", Ty::Bool),
    named("propagation", Ty::Symbol(&["private", "slave", "shared"])),
];

/// What of a pod its containers share.
pub(super) const VOLUMES: &[Variant] = &[
    variant(
        "tmpfs",
        "memory; 64MiB where no size is named, mode 0o1777 where none is; it is there as long as the pod is, and gone with it",
        &[
            named("size", Ty::Size),
            named("inodes", Ty::Int(1, 1 << 40)),
            named("mode", Ty::Permissions),
            flag("noexec"),
        ],
    ),
    variant(
        "bind",
        "a file or directory of the host, read-only unless `rw`: what of it a container may write, its `mount` says",
        &[
            positional("source", Ty::Path, true),
            flag("ro"),
            flag("rw"),
            flag("noexec"),
            flag("nosymfollow"),
            flag("idmap"),
            named("recursive", Ty::Bool),
        ],
    ),
];

const TMPFS: &[ArgSpec] = &[
    named("size", Ty::Size),
    named("inodes", Ty::Int(1, 1 << 40)),
    named("mode", Ty::Permissions),
    flag("noexec"),
    flag("suid"),
    flag("dev"),
    flag("nosymfollow"),
];

pub(super) const MOUNTS: &[Variant] = &[
    variant(
        "bind",
        "a file or directory of the host: the same path where no SOURCE is named, read-only unless `rw`; with `idmap` (root only) owners are shown as the ids inside that have their numbers; with `propagation: slave` what the host mounts there later is seen, with `shared` (root without `user new` only) each side sees the other's",
        BIND,
    ),
    variant("tmpfs", "memory; 64MiB where no size is named", TMPFS),
    variant(
        "volume",
        "a volume of the pod, by its NAME; read-only unless `rw`",
        &[positional("name", Ty::Word, true), flag("ro"), flag("rw"), flag("noexec"), flag("nosymfollow")],
    ),
    variant(
        "proc",
        "proc(5) of its own PID namespace, its dangerous parts masked; with `subset: pid` nothing but processes, with `hidepid` not those of other users",
        &[
            named("subset", Ty::Symbol(&["pid"])),
            named("hidepid", Ty::Symbol(&["noaccess", "invisible", "ptraceable"])),
        ],
    ),
    variant("dev", "null zero full random urandom tty, pts, shm, mqueue, and the usual links", &[]),
    variant("sys", "sysfs(5) of its own network namespace, read-only", &[flag("ro")]),
    variant("mqueue", "mq_overview(7) of its own IPC namespace", &[]),
    variant("devpts", "terminals of its own", &[]),
    variant("cgroup", "the cgroup file system as its own cgroup namespace shows it, read-only", &[flag("ro")]),
    variant(
        "device",
        "a device node of the host: the same path where no SOURCE is named",
        &[positional("source", Ty::Path, false)],
    ),
    variant(
        "secret",
        "a file that the program alone can read (mode 0400), in memory that is never swapped out; its content comes from a FILE of the host, or from a descriptor that nsl was started with",
        &[positional("file", Ty::Path, false), named("fd", Ty::Int(3, 1 << 20))],
    ),
    variant("file", "a read-only file with this text", &[positional("text", Ty::Str, true)]),
    variant(
        "overlay",
        "directories of the host, one over the other, as for `root`; the same path where no `lower` is named",
        OVERLAY,
    ),
];

/// Where an interface comes from.
pub(super) const LINKS: &[Variant] = &[
    variant(
        "veth",
        "one end of a pair, veth(4); the other end is on the host, or in the namespace of the file `netns`, and may be a port \
         of a bridge there; with `nat` what comes from inside goes on with an address of the host's (the host has to forward)",
        &[
            named("address", Ty::Network),
            named("peer", Ty::Word),
            named("peer-address", Ty::Network),
            named("bridge", Ty::Word),
            named("netns", Ty::Path),
            named("mtu", Ty::Int(68, 65_535)),
            flag("nat"),
        ],
    ),
    variant(
        "macvlan",
        "another address of hardware on an interface of the host; `private` cannot talk to its siblings",
        &[
            required("parent", Ty::Word),
            named("mode", Ty::Symbol(&["bridge", "private", "vepa", "passthru"])),
            named("address", Ty::Network),
            named("mtu", Ty::Int(68, 65_535)),
        ],
    ),
    variant(
        "move",
        "an interface of the host, which is the sandbox's while it runs and comes back when it ends, down and without addresses",
        &[positional("from", Ty::Word, true), named("address", Ty::Network)],
    ),
    variant(
        "bridge",
        "a bridge of the sandbox's own, which leads nowhere outside; without any privilege",
        &[named("address", Ty::Network), named("mtu", Ty::Int(68, 65_535))],
    ),
];

pub(super) const ACTIONS: &[Variant] = &[
    variant("allow", "the call is made", &[]),
    variant("log", "the call is made, and noted in the kernel's log", &[]),
    variant(
        "errno",
        "the call fails with this errno",
        &[positional("errno", Ty::Any(&[Ty::Word, Ty::Int(0, 4095)]), true)],
    ),
    variant("trap", "SIGSYS, which the program may handle", &[]),
    variant("kill-thread", "SIGSYS ends the thread", &[]),
    variant("kill", "SIGSYS ends the process", &[]),
];

const LEVEL: &[ArgSpec] = &[named("level", Ty::Int(0, 7))];

pub(super) const IO_CLASSES: &[Variant] = &[
    variant("realtime", "first of all, which can starve everybody else; level 4 where none is named", LEVEL),
    variant("best-effort", "as usual; level 4 where none is named", LEVEL),
    variant("idle", "when nobody else uses the disk", &[]),
];

const PRIORITY: &[ArgSpec] = &[required("priority", Ty::Int(1, 99))];

pub(super) const POLICIES: &[Variant] = &[
    variant("other", "SCHED_OTHER: by turns, weighed by `nice`", &[]),
    variant("batch", "SCHED_BATCH: as `other`, taken to be busy all the time", &[]),
    variant("idle", "SCHED_IDLE: when the CPU has next to nothing else to do", &[]),
    variant("fifo", "SCHED_FIFO: real time, before all others until it waits", PRIORITY),
    variant("rr", "SCHED_RR: real time, by turns with those of its priority", PRIORITY),
];

pub(super) const READY: &[Variant] = &[
    variant(
        "tcp",
        "a TCP connection succeeds",
        &[positional("address", Ty::Host, true), required("port", Ty::Int(1, 65535)), named("within", Ty::Duration)],
    ),
    variant("file", "a file exists", &[positional("path", Ty::Path, true), named("within", Ty::Duration)]),
    variant(
        "exec",
        "a program ends with 0",
        &[positional("command", Ty::List(&Ty::Str), true), named("within", Ty::Duration)],
    ),
];

const RESTARTS: &[ArgSpec] = &[named("max", Ty::Int(1, 1_000_000)), named("backoff", Ty::Duration)];

pub(super) const RESTART: &[Variant] = &[
    variant("never", "it is not", &[]),
    variant("always", "whenever it ends", RESTARTS),
    variant("on-failure", "when it ends with anything but 0", RESTARTS),
];

const INHERIT: Variant = variant("inherit", "that of the caller", &[]);
const NULL: Variant = variant("null", "nothing: null(4)", &[]);
const TO_FILE: Variant = variant(
    "file",
    "a file of the host, opened with the caller's rights; made or emptied, or written at its end",
    &[positional("path", Ty::Path, true), flag("append")],
);

pub(super) const STDIN: &[Variant] = &[
    INHERIT,
    NULL,
    variant("file", "a file of the host, opened with the caller's rights", &[positional("path", Ty::Path, true)]),
];

pub(super) const STDOUT: &[Variant] = &[INHERIT, NULL, TO_FILE];

pub(super) const STDERR: &[Variant] =
    &[INHERIT, NULL, TO_FILE, variant("stdout", "wherever the standard output goes", &[])];

pub(super) const QUOTA: &[Variant] = &[variant(
    "quota",
    "a share, over a period of 1ms to 1s: a shorter one is fairer and costs more",
    &[positional("share", Ty::Percent, true), required("period", Ty::Duration)],
)];

pub(super) const RATES: &[Variant] = &[variant(
    "rates",
    "bytes and operations in a second, read and written",
    &[
        named("rbps", Ty::Size),
        named("wbps", Ty::Size),
        named("riops", Ty::Int(1, 4_294_967_295)),
        named("wiops", Ty::Int(1, 4_294_967_295)),
    ],
)];
