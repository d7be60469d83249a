//! The rows of `caps`, `seccomp` and `landlock`.

use super::*;

pub(super) const CAPS: &[Field] = &[
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
];

pub(super) const SYSCTL: &[Field] = &[entry(
    "",
    "sysctl",
    &[Ty::Str],
    Some(Ty::Any(&[Ty::Int(-(1 << 62), 1 << 62), Ty::Str])),
    "a kernel parameter of the sandbox's own namespaces, such as \"net.ipv4.ip_forward\": sysctl(8)",
)];

pub(super) const SECCOMP: &[Field] = &[
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
    weaker(
        entry(
            "seccomp",
            "abi",
            &[Ty::Symbol(&[crate::schema::syscalls::i386::NAME])],
            None,
            "an ABI beside the machine's own whose calls are judged by the rules; those of every other one kill the process",
        ),
        "one more",
    ),
];

pub(super) const LANDLOCK: &[Field] = &[
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
];
