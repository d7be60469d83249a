//! The rows of `cgroup`.

use super::*;

const fn limit(head: &'static str, ty: Ty, doc: &'static str) -> Field {
    weaker(setting("cgroup", head, ty, "none", doc), "larger, or removed")
}

/// A number of its own, for lists of CPUs and memory nodes.
pub(super) const NUMBERS: Ty = Ty::Any(&[Ty::Str, Ty::List(&Ty::Int(0, 8191))]);

pub(super) const CGROUP: &[Field] = &[
    limit("memory.max", Ty::Size, "memory of all processes together"),
    limit("memory.high", Ty::Size, "memory above which they are slowed down and have to give some back; cgroup v2"),
    weaker(
        setting(
            "cgroup",
            "memory.low",
            Ty::Size,
            "0B",
            "memory that others take from them only where they must; cgroup v2",
        ),
        "larger",
    ),
    weaker(
        setting("cgroup", "memory.min", Ty::Size, "0B", "memory that others never take from them; cgroup v2"),
        "larger",
    ),
    limit("memory.swap.max", Ty::Size, "swap of all processes together"),
    setting(
        "cgroup",
        "memory.oom.group",
        Ty::Bool,
        "false",
        "whether all of them die together where one has to for want of memory; cgroup v2",
    ),
    limit("pids.max", Ty::Int(1, 4_194_304), "processes and threads together, init included"),
    limit(
        "cpu.max",
        Ty::Any(&[Ty::Percent, Ty::Variant(QUOTA)]),
        "CPU time of all processes together; 100% is one CPU, measured over 100 ms where no period is named",
    ),
    weaker(
        setting("cgroup", "cpu.weight", Ty::Int(1, 10_000), "100", "their part of a busy CPU beside others' 100"),
        "larger",
    ),
    weaker(
        setting("cgroup", "cpuset.cpus", NUMBERS, "all", "the CPUs they run on, as in `\"0-3,8\"`: cpuset(7)"),
        "more",
    ),
    weaker(
        setting("cgroup", "cpuset.mems", NUMBERS, "all", "the memory nodes they have memory from: cpuset(7)"),
        "more",
    ),
    weaker(
        entry(
            "cgroup",
            "io.max",
            &[Ty::Path],
            Some(Ty::Variant(RATES)),
            "what they read from and write to a disk in a second; the path is that of the block device",
        ),
        "larger, or removed",
    ),
    weaker(
        setting("cgroup", "io.weight", Ty::Int(1, 10_000), "100", "their part of a busy disk beside others' 100"),
        "larger",
    ),
    weaker(
        entry(
            "cgroup",
            "hugetlb.max",
            &[Ty::Size],
            Some(Ty::Size),
            "memory in huge pages of a size, as in `hugetlb.max 2MiB = 64MiB`: the file hugetlb.2MB.max",
        ),
        "larger, or removed",
    ),
];
