//! How the process is scheduled, and what it inherits.
//!
//! What may take a right on the host is done by nsl while the child waits, once that is in its cgroups: a cgroup may change which CPUs a
//! process has, and whether it may be one of real time. What anybody may do to oneself is left to the process that becomes the
//! program, before its filter is there to refuse it.

use super::build::Builder;
use super::{Action, Attribute, Stage, limit_text};
use crate::policy::{IoClass, Strength, Traced};

/// What nsl does to the child.
pub(super) fn admit(builder: &mut Builder) {
    let (attributes, facts) = (&builder.sandbox.attributes, builder.facts);
    let mut add = |attribute, of: (&crate::policy::Origin, Strength), privilege: Option<&str>| {
        let (origin, strength) = of;
        let required = strength != Strength::Prefer;
        builder.push(
            Stage::Admit,
            Action::SetAttribute(attribute),
            origin.span,
            origin.key.to_string(),
            privilege,
            required,
        );
    };
    fn of<T>(it: &Traced<T>) -> (&crate::policy::Origin, Strength) {
        (&it.origin, it.strength)
    }
    // The policy before the nice value, which is that of a policy.
    if let Some(it) = &attributes.scheduling {
        let beyond = facts.process.is_scheduling_a_right(it.value);
        add(Attribute::Scheduling(it.value), of(it), beyond.then_some("CAP_SYS_NICE"));
    }
    if let Some(it) = &attributes.nice {
        let beyond = facts.process.is_nice_a_right(it.value);
        add(Attribute::Nice(it.value), of(it), beyond.then_some("CAP_SYS_NICE"));
    }
    if let Some(it) = &attributes.ionice {
        let privilege = (it.value.class == IoClass::Realtime).then_some("CAP_SYS_NICE");
        add(Attribute::IoPriority(it.value), of(it), privilege);
    }
    if let Some(it) = &attributes.cpu_affinity {
        add(Attribute::CpuAffinity(it.value.clone()), of(it), None);
    }
    if let Some(it) = &attributes.core_scheduling {
        add(Attribute::OwnCores, of(it), None);
    }
    if let Some(it) = &attributes.oom_score_adj {
        let below = it.value < facts.process.oom_score_adj;
        add(Attribute::OomScoreAdj(it.value), of(it), below.then_some("CAP_SYS_RESOURCE"));
    }
}

/// What the process does to itself.
pub(super) fn inherit(builder: &mut Builder) {
    let attributes = &builder.sandbox.attributes;
    if let Some(it) = &attributes.timer_slack {
        builder.step_of(Stage::Program, Action::SetAttribute(Attribute::TimerSlack(it.value)), it);
    }
    if let Some(it) = &attributes.personality {
        builder.step_of(Stage::Program, Action::SetAttribute(Attribute::Personality(it.value.clone())), it);
    }
    if let Some(it) = &attributes.umask {
        builder.step_of(Stage::Program, Action::SetAttribute(Attribute::Umask(it.value)), it);
    }
}

/// An attribute in the words of the call that sets it.
pub(super) fn describe(attribute: &Attribute) -> String {
    match attribute {
        Attribute::Nice(nice) => format!("setpriority {nice}"),
        Attribute::IoPriority(it) if it.class == IoClass::Idle => "ioprio_set idle".to_string(),
        Attribute::IoPriority(it) => format!("ioprio_set {} level {}", it.class.name(), it.level),
        Attribute::Scheduling(it) if it.policy.is_real_time() => {
            format!("sched_setscheduler {} priority {}", it.policy.name(), it.priority)
        }
        Attribute::Scheduling(it) => format!("sched_setscheduler {}", it.policy.name()),
        Attribute::CpuAffinity(cpus) => format!("sched_setaffinity {}", limit_text::number_list(cpus)),
        Attribute::OwnCores => "share no core with others".to_string(),
        Attribute::OomScoreAdj(score) => format!("write oom_score_adj {score}"),
        Attribute::TimerSlack(slack) => format!("prctl timer slack {slack} ns"),
        Attribute::Umask(mask) => format!("umask {mask:04o}"),
        Attribute::Personality(words) => format!("personality {}", words.join(" ")),
    }
}
