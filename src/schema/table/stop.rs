//! The rows of `stop`.

use super::*;

pub(super) const STOP: &[Field] = &[
    weaker(setting("stop", "after", Ty::Duration, "never", "the longest it may run"), "longer, or removed"),
    weaker(
        setting(
            "stop",
            "cpu",
            Ty::Duration,
            "never",
            "the CPU time of all its processes together after which it is ended; it takes a cgroup that counts",
        ),
        "longer, or removed",
    ),
    setting(
        "stop",
        "with-parent",
        Ty::Bool,
        "false",
        "whether it is ended too when the process ends that has started nsl",
    ),
    setting("stop", "signal", Ty::Signal, "TERM", "what the program is asked to end with"),
    setting("stop", "timeout", Ty::Duration, "10s", "how long it may take to end before it is killed"),
];
