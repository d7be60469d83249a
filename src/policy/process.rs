//! What a process is given beside its limits: how it is scheduled, and what it inherits over execve(2).

use serde::{Deserialize, Serialize};

use super::Traced;

/// What is `None` is the caller's.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Attributes {
    /// `nice`: -20 to 19; nice(2).
    pub nice: Option<Traced<i32>>,
    /// `ionice`: ioprio_set(2).
    pub ionice: Option<Traced<IoPriority>>,
    /// `scheduling`: sched(7).
    pub scheduling: Option<Traced<Scheduling>>,
    /// `cpu-affinity`, sorted, without doubles: sched_setaffinity(2).
    pub cpu_affinity: Option<Traced<Vec<u32>>>,
    /// `core-scheduling = own`: PR_SCHED_CORE of prctl(2).
    pub core_scheduling: Option<Traced<()>>,
    /// `oom-score-adj`: -1000 to 1000.
    pub oom_score_adj: Option<Traced<i32>>,
    /// `timer-slack`, nanoseconds: PR_SET_TIMERSLACK of prctl(2).
    pub timer_slack: Option<Traced<u64>>,
    /// `umask`: permission bits.
    pub umask: Option<Traced<u32>>,
    /// `personality`: words of personality(2).
    pub personality: Option<Traced<Vec<String>>>,
}

/// ioprio_set(2)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IoPriority {
    /// The class.
    pub class: IoClass,
    /// 0 (most) to 7 (least); 0 for `idle`, which has none.
    pub level: u8,
}

/// IOPRIO_CLASS_* of ioprio_set(2); the values are the kernel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum IoClass {
    Realtime = 1,
    BestEffort = 2,
    Idle = 3,
}

impl IoClass {
    /// Its word in the language.
    pub fn name(self) -> &'static str {
        match self {
            IoClass::Realtime => "realtime",
            IoClass::BestEffort => "best-effort",
            IoClass::Idle => "idle",
        }
    }
}

/// sched(7)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduling {
    /// The policy.
    pub policy: SchedPolicy,
    /// 1 (least) to 99 for `fifo` and `rr`; 0 for the others, which have none.
    pub priority: u8,
}

/// SCHED_* of sched(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum SchedPolicy {
    Other,
    Batch,
    Idle,
    Fifo,
    Rr,
}

impl SchedPolicy {
    /// Its word in the language.
    pub fn name(self) -> &'static str {
        match self {
            SchedPolicy::Other => "other",
            SchedPolicy::Batch => "batch",
            SchedPolicy::Idle => "idle",
            SchedPolicy::Fifo => "fifo",
            SchedPolicy::Rr => "rr",
        }
    }

    /// Whether it is one of real time.
    pub fn is_real_time(self) -> bool {
        matches!(self, SchedPolicy::Fifo | SchedPolicy::Rr)
    }
}
