//! The rows of `cgroup`.

use super::*;

pub(super) const CGROUP: &[Field] = &[
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
];
