//! The rows about the process itself: how it is scheduled, and what it inherits over execve(2).

use super::super::names::PERSONALITIES;
use super::super::variants::{IO_CLASSES, POLICIES};
use super::cgroup::NUMBERS;
use super::*;

pub(super) const PROCESS: &[Field] = &[
    setting(
        "",
        "nice",
        Ty::Int(-20, 19),
        "the caller's",
        "the nice value, from -20 (most of a busy CPU) to 19 (least): nice(2); less than the caller's takes CAP_SYS_NICE or RLIMIT_NICE",
    ),
    setting(
        "",
        "ionice",
        Ty::Variant(IO_CLASSES),
        "follows `nice`",
        "the I/O scheduling class and its level, 0 (most) to 7 (least), for disks whose scheduler looks at it, such as bfq: ioprio_set(2)",
    ),
    setting(
        "",
        "scheduling",
        Ty::Variant(POLICIES),
        "the caller's",
        "the scheduling policy: sched(7); `fifo` and `rr` take CAP_SYS_NICE or RLIMIT_RTPRIO",
    ),
    setting(
        "",
        "cpu-affinity",
        NUMBERS,
        "the caller's",
        "the CPUs it begins on, as in `\"0-3,8\"`: sched_setaffinity(2); it can change that itself, `cpuset.cpus` it cannot",
    ),
    Field {
        since: "Linux 5.14",
        ..weaker(
            setting(
                "",
                "core-scheduling",
                Ty::Symbol(&["own"]),
                "the caller's",
                "`own`: no process of somebody else runs on another hardware thread of the same core at the same time: PR_SET_SCHED_CORE of prctl(2)",
            ),
            "removed",
        )
    },
    setting(
        "",
        "oom-score-adj",
        Ty::Int(-1000, 1000),
        "the caller's",
        "how willingly the kernel kills it for want of memory, from -1000 (never) to 1000 (first): proc_pid_oom_score_adj(5)",
    ),
    setting(
        "",
        "timer-slack",
        Ty::Duration,
        "the caller's",
        "how late its timers may be, so that the CPU wakes up less often: PR_SET_TIMERSLACK of prctl(2)",
    ),
    setting(
        "",
        "umask",
        Ty::Permissions,
        "the caller's",
        "the permission bits that files it makes do not get: umask(2)",
    ),
    setting(
        "",
        "personality",
        Ty::List(&Ty::Symbol(PERSONALITIES)),
        "the caller's",
        "what the kernel shows and does otherwise for it, in the words of personality(2)",
    ),
];
