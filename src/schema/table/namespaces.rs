//! The rows of the small namespaces, `user`, `pid`, `uts`, `time`, and the one that every kind has.

use super::*;

pub(super) const USER: &[Field] = &[
    setting("user", "as", Ty::Id, "the first mapped uid", "the user that the program is, inside"),
    setting(
        "user",
        "group",
        Ty::Id,
        "the number of `as` where that gid is mapped, else the first mapped gid",
        "the group that the program is in, inside",
    ),
    setting("user", "groups", Ty::List(&Ty::Id), "none", "supplementary groups, inside"),
    weaker(
        setting(
            "user",
            "setgroups",
            Ty::Symbol(&["allow", "deny"]),
            "deny where an unprivileged map needs it",
            "whether setgroups(2) may be called: /proc/PID/setgroups",
        ),
        "allow",
    ),
];

pub(super) const PID: &[Field] = &[setting(
    "pid",
    "init",
    Ty::Bool,
    "true",
    "whether a small init is PID 1, which reaps and forwards signals; otherwise the program is",
)];

pub(super) const UTS: &[Field] = &[
    setting("uts", "hostname", Ty::Str, "the caller's", "sethostname(2), at most 64 bytes"),
    setting("uts", "domainname", Ty::Str, "the caller's", "setdomainname(2), at most 64 bytes"),
];

pub(super) const TIME: &[Field] = &[
    setting("time", "monotonic", Ty::Offset, "0s", "offset of CLOCK_MONOTONIC"),
    setting("time", "boottime", Ty::Offset, "0s", "offset of CLOCK_BOOTTIME"),
    setting("time", "realtime", Ty::Offset, "", "the kernel has no offset for the calendar clock"),
];

/// A file that keeps a namespace of this kind.
const fn keep(section: &'static str) -> Field {
    Field {
        privilege: "CAP_SYS_ADMIN in the caller's mount namespace",
        ..entry(
            section,
            "keep",
            &[Ty::Path],
            None,
            "keep the namespace for later, in a file of the host that is made for it: `nsl ns release` lets it go",
        )
    }
}

pub(super) const KEEP: &[Field] = &[
    keep("user"),
    entry("pid", "keep", &[Ty::Path], None, "refused: a PID namespace is over when its first process has ended"),
    keep("net"),
    keep("mnt"),
    keep("ipc"),
    keep("uts"),
    keep("cgroup"),
    keep("time"),
];
