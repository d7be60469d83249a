//! The rows of `mnt`.

use super::*;

pub(super) const MNT: &[Field] = &[
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
];
