//! The rows. Whoever adds a field adds one here.

use super::types::{Field, Shape, Ty};
use super::variants::{ACTIONS, MODES, MOUNTS, OUTSIDE, READY, RESTART, ROOTS};

/// A block of a sandbox.
#[derive(Debug)]
pub struct Section {
    /// Its head.
    pub name: &'static str,
    /// Whether it begins with a mode: `new`, `host`, `join(…)`, `pod`.
    pub has_mode: bool,
    /// What it means, in one line, with the man page.
    pub doc: &'static str,
}

const fn namespace(name: &'static str, doc: &'static str) -> Section {
    Section { name, has_mode: true, doc }
}

const fn block(name: &'static str, doc: &'static str) -> Section {
    Section { name, has_mode: false, doc }
}

/// Every section, in the order in which they are documented.
pub const SECTIONS: &[Section] = &[
    namespace("user", "who the program is inside, and who that is outside: user_namespaces(7)"),
    namespace("pid", "which processes it sees: pid_namespaces(7)"),
    namespace("net", "which network it has: network_namespaces(7)"),
    namespace("mnt", "which files it sees, one tree of paths: mount_namespaces(7)"),
    namespace("ipc", "System V IPC and POSIX message queues: ipc_namespaces(7)"),
    namespace("uts", "its host name: uts_namespaces(7)"),
    namespace(
        "cgroup",
        "its resource limits as a whole, and what it sees of cgroups: cgroups(7), cgroup_namespaces(7)",
    ),
    namespace("time", "its clocks: time_namespaces(7), Linux 5.6"),
    block("caps", "the capabilities that it keeps; none that is not named: capabilities(7)"),
    block("seccomp", "the system calls that it may make: seccomp(2)"),
    block("landlock", "a second wall, which no privilege takes down again: landlock(7), Linux 5.13"),
    block("limits", "resource limits of each process: getrlimit(2)"),
    block("stop", "how it ends"),
];

const BASE: Field = Field {
    section: "",
    head: "",
    shape: Shape::Setting,
    lead: None,
    labels: &[],
    value: None,
    value_optional: false,
    doc: "",
    default: "",
    since: "",
    privilege: "",
    weaker: "",
    pod_only: false,
};

const fn setting(section: &'static str, head: &'static str, ty: Ty, default: &'static str, doc: &'static str) -> Field {
    Field { section, head, value: Some(ty), doc, default, ..BASE }
}

const fn entry(
    section: &'static str,
    head: &'static str,
    labels: &'static [Ty],
    value: Option<Ty>,
    doc: &'static str,
) -> Field {
    Field { section, head, shape: Shape::Entry, labels, value, doc, ..BASE }
}

const fn weaker(field: Field, weaker: &'static str) -> Field {
    Field { weaker, ..field }
}

const fn rlimit(head: &'static str, ty: Ty, doc: &'static str) -> Field {
    weaker(setting("limits", head, ty, "the caller's", doc), "larger, or removed")
}

const SIZE_LIMIT: Ty = Ty::Any(&[Ty::Size, Ty::Symbol(&["unlimited"])]);
const COUNT_LIMIT: Ty = Ty::Any(&[Ty::Int(0, i64::MAX as i128), Ty::Symbol(&["unlimited"])]);
const TIME_LIMIT: Ty = Ty::Any(&[Ty::Duration, Ty::Symbol(&["unlimited"])]);

/// Every field.
pub const FIELDS: &[Field] = &[
    setting(
        "",
        "run",
        Ty::List(&Ty::Any(&[Ty::Str, Ty::Path])),
        "what follows `--`",
        "the program and its arguments; what follows `--` is appended",
    ),
    setting("", "cwd", Ty::Path, "/", "the working directory, inside"),
    entry(
        "",
        "env",
        &[Ty::Word],
        Some(Ty::Any(&[Ty::Str, Ty::Symbol(&["inherit"])])),
        "a variable of the environment, which is empty otherwise; `inherit` takes the caller's value",
    ),
    weaker(
        setting(
            "",
            "no-new-privs",
            Ty::Bool,
            "true",
            "set-user-id bits and file capabilities give nothing: PR_SET_NO_NEW_PRIVS",
        ),
        "false",
    ),
    Field {
        pod_only: true,
        ..setting("", "after", Ty::List(&Ty::Word), "none", "containers that must be ready before this one starts")
    },
    Field { pod_only: true, ..setting("", "ready", Ty::Variant(READY), "at once", "how one knows that it is ready") },
    Field { pod_only: true, ..setting("", "restart", Ty::Variant(RESTART), "never", "when it is started again") },
    weaker(
        entry(
            "user",
            "map",
            &[Ty::Symbol(&["uid", "gid"]), Ty::Id],
            Some(Ty::Variant(OUTSIDE)),
            "an id inside, and what it is outside; without any map, uid and gid 1000 are `unprivileged`",
        ),
        "the caller's own id when the caller is root",
    ),
    setting("user", "as", Ty::Id, "the first mapped uid", "the user that the program is, inside"),
    setting(
        "user",
        "group",
        Ty::Id,
        "the number of `as` where that gid is mapped, else the first mapped gid",
        "the group that the program is in, inside",
    ),
    setting("user", "groups", Ty::List(&Ty::Id), "none", "supplementary groups, inside"),
    setting(
        "user",
        "setgroups",
        Ty::Symbol(&["allow", "deny"]),
        "deny where an unprivileged map needs it",
        "whether setgroups(2) may be called: /proc/PID/setgroups",
    ),
    setting(
        "pid",
        "init",
        Ty::Bool,
        "true",
        "whether a small init is PID 1, which reaps and forwards signals; otherwise the program is",
    ),
    setting("net", "loopback", Ty::Symbol(&["up", "down"]), "up", "whether `lo` is up"),
    weaker(
        Field {
            lead: Some(Ty::Address),
            privilege: "CAP_NET_BIND_SERVICE for outer ports below 1024",
            ..entry(
                "net",
                "publish",
                &[Ty::Port],
                Some(Ty::Port),
                "a port of the host that leads to a port inside; on 127.0.0.1 where no address of the host is named; \
                 without root, and without a helper program",
            )
        },
        "one more, or another address",
    ),
    weaker(setting("mnt", "root", Ty::Variant(ROOTS), "empty", "what `/` is"), "host, or rw"),
    weaker(
        entry(
            "mnt",
            "mount",
            &[Ty::Path],
            Some(Ty::Variant(MOUNTS)),
            "what is at a path; a longer path beats a shorter one, whatever the order of the lines",
        ),
        "rw, a new source, or without noexec",
    ),
    weaker(
        entry("mnt", "hide", &[Ty::Path], None, "nothing can be seen at this path or below it; it need not exist"),
        "removed",
    ),
    weaker(
        Field {
            value_optional: true,
            ..entry(
                "mnt",
                "protect",
                &[Ty::Path],
                Some(Ty::Symbol(&["file", "dir"])),
                "below a writable mount: read-only where it exists, and where it does not it cannot be made; the value says what stands in for it then (`file`)",
            )
        },
        "removed",
    ),
    entry("mnt", "link", &[Ty::Path], Some(Ty::Any(&[Ty::Str, Ty::Path])), "a symbolic link, with its text"),
    Field {
        value_optional: true,
        ..entry(
            "mnt",
            "mkdir",
            &[Ty::Path],
            Some(Ty::Permissions),
            "an empty directory, with its permission bits (0o755)",
        )
    },
    setting("uts", "hostname", Ty::Str, "the caller's", "sethostname(2), at most 64 bytes"),
    setting("uts", "domainname", Ty::Str, "the caller's", "setdomainname(2), at most 64 bytes"),
    weaker(setting("cgroup", "memory.max", Ty::Size, "none", "memory of all processes together"), "larger, or removed"),
    weaker(
        setting("cgroup", "memory.swap.max", Ty::Size, "none", "swap of all processes together"),
        "larger, or removed",
    ),
    weaker(
        setting("cgroup", "pids.max", Ty::Int(1, 4_194_304), "none", "processes and threads together, init included"),
        "larger, or removed",
    ),
    weaker(
        setting("cgroup", "cpu.max", Ty::Percent, "none", "CPU time of all processes together; 100% is one CPU"),
        "larger, or removed",
    ),
    setting("time", "monotonic", Ty::Offset, "0s", "offset of CLOCK_MONOTONIC"),
    setting("time", "boottime", Ty::Offset, "0s", "offset of CLOCK_BOOTTIME"),
    setting("time", "realtime", Ty::Offset, "", "the kernel has no offset for the calendar clock"),
    weaker(entry("caps", "keep", &[Ty::Word], None, "a capability that is kept, or `none`"), "one more"),
    weaker(
        entry(
            "caps",
            "ambient",
            &[Ty::Word],
            None,
            "a capability that is kept over execve(2) by a program that is not uid 0",
        ),
        "one more",
    ),
    weaker(
        setting("seccomp", "otherwise", Ty::Variant(ACTIONS), "errno(EPERM)", "what a call gets that no rule names"),
        "kill, errno, log, allow: each weaker than the one before",
    ),
    weaker(
        entry(
            "seccomp",
            "allow",
            &[Ty::Word],
            None,
            "a call or a @group that may be made; conditions on arguments in parentheses",
        ),
        "one more",
    ),
    Field {
        value_optional: true,
        ..entry(
            "seccomp",
            "deny",
            &[Ty::Word],
            Some(Ty::Variant(ACTIONS)),
            "a call or a @group that is refused, with errno(EPERM) where no action is named",
        )
    },
    Field {
        since: "Linux 5.19",
        ..weaker(
            setting(
                "landlock",
                "files",
                Ty::Symbol(&["tree"]),
                "not restricted",
                "what the tree of `mnt` grants, once more: writing where it is writable, executing where it is executable; \
                 and no file system can be mounted or unmounted any more",
            ),
            "removed",
        )
    },
    Field {
        since: "Linux 6.7",
        ..weaker(
            setting(
                "landlock",
                "tcp.bind",
                Ty::List(&Ty::Port),
                "every port",
                "the TCP ports that can be bound, and no others",
            ),
            "one more, or removed",
        )
    },
    Field {
        since: "Linux 6.7",
        ..weaker(
            setting(
                "landlock",
                "tcp.connect",
                Ty::List(&Ty::Port),
                "every port",
                "the TCP ports that can be connected to, of whatever address, and no others",
            ),
            "one more, or removed",
        )
    },
    Field {
        since: "Linux 6.12",
        ..weaker(
            setting(
                "landlock",
                "scope",
                Ty::List(&Ty::Symbol(&["signal", "abstract-unix-socket"])),
                "none",
                "what does not leave the sandbox: signals, connections to abstract UNIX sockets",
            ),
            "one less, or removed",
        )
    },
    rlimit("as", SIZE_LIMIT, "address space"),
    rlimit("core", SIZE_LIMIT, "size of a core file"),
    rlimit("cpu", TIME_LIMIT, "CPU time"),
    rlimit("data", SIZE_LIMIT, "data segment"),
    rlimit("fsize", SIZE_LIMIT, "size of a file that is written"),
    rlimit("locks", COUNT_LIMIT, "file locks (no effect since Linux 2.4)"),
    rlimit("memlock", SIZE_LIMIT, "locked memory"),
    rlimit("msgqueue", SIZE_LIMIT, "POSIX message queues"),
    rlimit("nice", COUNT_LIMIT, "ceiling of the nice value, 20 minus it"),
    rlimit("nofile", COUNT_LIMIT, "file descriptors"),
    rlimit("nproc", COUNT_LIMIT, "processes of the user"),
    rlimit("rss", SIZE_LIMIT, "resident set (no effect since Linux 2.4)"),
    rlimit("rtprio", COUNT_LIMIT, "real-time priority"),
    rlimit("rttime", TIME_LIMIT, "real-time CPU time without a blocking call"),
    rlimit("sigpending", COUNT_LIMIT, "queued signals"),
    rlimit("stack", SIZE_LIMIT, "stack"),
    weaker(setting("stop", "after", Ty::Duration, "never", "the longest it may run"), "longer, or removed"),
    setting("stop", "signal", Ty::Signal, "TERM", "what the program is asked to end with"),
    setting("stop", "timeout", Ty::Duration, "10s", "how long it may take to end before it is killed"),
];

/// The modes of a section, as a type.
pub(super) const MODE: Ty = Ty::Variant(MODES);

impl Section {
    /// The type of its mode.
    pub fn mode(&self) -> Ty {
        MODE
    }
}

/// A section by name.
pub fn section(name: &str) -> Option<&'static Section> {
    SECTIONS.iter().find(|it| it.name == name)
}

/// A field by its section (empty for the body of a sandbox) and its head.
pub fn find(section: &str, head: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|it| it.section == section && it.head == head)
}

/// The fields of a section.
pub fn fields_of(section: &str) -> impl Iterator<Item = &'static Field> + Clone + use<'_> {
    FIELDS.iter().filter(move |it| it.section == section)
}
