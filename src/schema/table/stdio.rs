//! The rows of descriptors and the terminal, which stand in the body of a sandbox.

use super::*;

pub(super) const STDIO: &[Field] = &[
    setting("", "stdin", Ty::Variant(STDIN), "inherit", "what the program reads as its standard input"),
    setting("", "stdout", Ty::Variant(STDOUT), "inherit", "where its standard output goes"),
    setting("", "stderr", Ty::Variant(STDERR), "inherit", "where its standard error goes"),
    setting(
        "",
        "tty",
        Ty::Symbol(&["new", "none"]),
        "none",
        "`new`: a pseudo-terminal of its own, which nsl connects to the caller's: pty(7)",
    ),
    weaker(
        entry(
            "",
            "fd",
            &[Ty::Word],
            Some(Ty::Int(3, 65535)),
            "a descriptor that the caller hands over with `--fd NAME=N`, and its number inside; all others are closed",
        ),
        "one more",
    ),
    setting(
        "",
        "listen-fds",
        Ty::Bool,
        "false",
        "the program is told of its descriptors as by a service manager, in LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID: sd_listen_fds(3)",
    ),
];
