//! What the caller's processes are given: how they are scheduled, and what that lets the caller ask for.

use serde::{Deserialize, Serialize};

use rustix::process::{Resource, getpriority_process, getrlimit};

use super::text::{number, text};
use super::{Cgroups, HostFacts, sys};
use crate::policy::Scheduling;

/// What a process of the caller starts with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessFacts {
    /// Its nice value.
    pub nice: i32,
    /// The soft RLIMIT_NICE, to which the kernel looks: nice values down to 20 minus it. `None`: any.
    pub nice_limit: Option<u64>,
    /// The soft RLIMIT_RTPRIO. `None`: any.
    pub rtprio_limit: Option<u64>,
    /// /proc/self/oom_score_adj
    pub oom_score_adj: i32,
    /// The CPUs that are online and in its cpuset; empty where they are not known.
    #[serde(default)]
    pub cpus: Vec<u32>,
    /// cpu.rt_runtime_us of its cgroup v1; `None` where the kernel keeps no account of real time by cgroup.
    #[serde(default)]
    pub rt_runtime: Option<i64>,
    /// Whether prctl(2) has PR_SCHED_CORE.
    #[serde(default)]
    pub core_scheduling: CoreScheduling,
}

/// Core scheduling, and why there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CoreScheduling {
    /// Nobody has asked.
    #[default]
    Unknown,
    /// It is there.
    Yes,
    /// No core has more than one hardware thread in use.
    NoSmt,
    /// The kernel has none.
    NotBuilt,
}

pub(super) fn find(cgroups: &Cgroups) -> ProcessFacts {
    let v1 = |controller: &str, file: &str| {
        let tree = cgroups.v1.get(controller)?;
        Some(format!("{}{}/{file}", tree.mount, tree.own.trim_end_matches('/')))
    };
    ProcessFacts {
        nice: getpriority_process(None).unwrap_or(0),
        nice_limit: getrlimit(Resource::Nice).current,
        rtprio_limit: getrlimit(Resource::Rtprio).current,
        oom_score_adj: number("/proc/self/oom_score_adj").unwrap_or(0),
        cpus: cpus(cgroups, v1("cpuset", "cpuset.effective_cpus")),
        rt_runtime: v1("cpu", "cpu.rt_runtime_us").and_then(|it| number(&it)),
        core_scheduling: sys::core_scheduling(),
    }
}

/// The CPUs of the caller's cpuset; without one, all that are online.
fn cpus(cgroups: &Cgroups, v1: Option<String>) -> Vec<u32> {
    let v2 = || {
        let tree = cgroups.v2.as_ref()?;
        Some(format!("{}{}/cpuset.cpus.effective", tree.mount, tree.own.trim_end_matches('/')))
    };
    let set = v1.or_else(v2).map(|it| listed(&text(&it))).unwrap_or_default();
    if set.is_empty() { listed(&text("/sys/devices/system/cpu/online")) } else { set }
}

/// The numbers of `0-3,8`: cpuset(7), "List format".
pub fn listed(text: &str) -> Vec<u32> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse().ok()?..=last.parse().ok()?)
    };
    text.trim().split(',').filter_map(range).flatten().collect()
}

impl ProcessFacts {
    /// Whether this nice value takes CAP_SYS_NICE: it is below the caller's own, and the limit does not allow it.
    pub fn is_nice_a_right(&self, nice: i32) -> bool {
        let beyond = |limit: u64| i64::try_from(limit).is_ok_and(|limit| i64::from(20 - nice) > limit);
        nice < self.nice && self.nice_limit.is_some_and(beyond)
    }

    /// Whether this policy takes CAP_SYS_NICE: one of real time with a priority that the limit does not allow.
    pub fn is_scheduling_a_right(&self, scheduling: Scheduling) -> bool {
        let beyond = |limit: u64| u64::from(scheduling.priority) > limit;
        scheduling.policy.is_real_time() && self.rtprio_limit.is_some_and(beyond)
    }
}

impl HostFacts {
    /// A capability that counts for the whole host, as those of nice values and OOM scores do.
    fn has_on_host(&self, capability: &str) -> bool {
        self.caller.initial_userns && self.caller.has(capability)
    }

    /// Whether the kernel refuses this nice value to the caller: setpriority(2).
    pub fn is_nice_refused(&self, nice: i32) -> bool {
        self.process.is_nice_a_right(nice) && !self.has_on_host("sys_nice")
    }

    /// Whether the kernel refuses this policy to the caller: sched_setscheduler(2).
    pub fn is_scheduling_refused(&self, scheduling: Scheduling) -> bool {
        self.process.is_scheduling_a_right(scheduling) && !self.has_on_host("sys_nice")
    }

    /// Whether the kernel surely refuses this value to the caller. It may refuse one above as well: how far down goes is what
    /// somebody with CAP_SYS_RESOURCE has set last, which nobody can read (proc_pid_oom_score_adj(5)).
    pub fn is_oom_score_refused(&self, value: i32) -> bool {
        value < self.process.oom_score_adj.min(0) && !self.has_on_host("sys_resource")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_those_of_the_kernel() {
        assert_eq!(listed("0-2,5,8-9\n"), [0, 1, 2, 5, 8, 9]);
        assert_eq!(listed("0-2,5\n"), [0, 1, 2, 5]);
        assert!(listed("\n").is_empty());
    }

    #[test]
    fn what_a_user_may_ask_for() {
        let mut facts = super::super::target("debian-12").expect("it is listed");
        assert!(facts.is_nice_refused(-1) && !facts.is_nice_refused(0) && !facts.is_nice_refused(10));
        facts.process.nice_limit = Some(25);
        assert!(!facts.is_nice_refused(-5) && facts.is_nice_refused(-6));
        assert!(facts.is_oom_score_refused(-1) && !facts.is_oom_score_refused(0));
        let root = super::super::target("debian-12:root").expect("it is listed");
        assert!(!root.is_nice_refused(-20) && !root.is_oom_score_refused(-1000));
    }
}
