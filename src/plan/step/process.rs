//! What steps say of how a process is scheduled, and what it inherits.

use serde::{Deserialize, Serialize};

use crate::policy::{IoPriority, Scheduling};

/// One attribute of a process that its children inherit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attribute {
    /// setpriority(2)
    Nice(i32),
    /// ioprio_set(2)
    IoPriority(IoPriority),
    /// sched_setscheduler(2)
    Scheduling(Scheduling),
    /// sched_setaffinity(2)
    CpuAffinity(Vec<u32>),
    /// prctl(2) PR_SCHED_CORE_CREATE: shares its cores with nobody else.
    OwnCores,
    /// /proc/PID/oom_score_adj
    OomScoreAdj(i32),
    /// prctl(2) PR_SET_TIMERSLACK, nanoseconds.
    TimerSlack(u64),
    /// umask(2)
    Umask(u32),
    /// personality(2), in its words.
    Personality(Vec<String>),
}
