//! How the process is scheduled, and what it inherits: what the policy alone says, and what the caller of a host may give.

use super::required;
use crate::host::{CoreScheduling, HostFacts};
use crate::policy::{IoClass, Sandbox, SchedPolicy, Traced};
use crate::report::Diagnostic;

pub(super) fn check(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    umask(sandbox, out);
    without_effect(sandbox, out);
    affinity(sandbox, out);
    let attributes = &sandbox.attributes;
    if let Some(slack) = attributes.timer_slack.as_ref().filter(|it| it.value == 0) {
        out.push(
            Diagnostic::error("timer-slack-zero", "a timer slack of zero means the caller's")
                .label(slack.span(), "no slack at all")
                .help("write `timer-slack = 1ns` for timers that are as exact as they can be, or delete the line"),
        );
    }
    if let Some(empty) = attributes.personality.as_ref().filter(|it| it.value.is_empty()) {
        out.push(
            Diagnostic::error("personality-empty", "this names no word of personality(2)")
                .label(empty.span(), "an empty list")
                .help("name one, as in `[addr-no-randomize]`, or delete the line"),
        );
    }
}

fn umask(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let Some(umask) = &sandbox.attributes.umask else { return };
    if umask.value > 0o777 {
        out.push(
            Diagnostic::error("umask-bits", "umask(2) looks at the nine permission bits and no others")
                .label(umask.span(), "above 0o777")
                .help(format!("write `umask = 0o{:03o}`", umask.value & 0o777)),
        );
    } else if umask.value & 0o002 == 0 {
        out.push(
            Diagnostic::warning("umask-open", "files that the program makes can be written to by everybody")
                .label(umask.span(), "does not take the permission to write from others")
                .help(format!("write `umask = 0o{:03o}`", umask.value | 0o022)),
        );
    }
}

/// What the scheduler of the policy that is asked for does not look at: sched(7).
fn without_effect(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let attributes = &sandbox.attributes;
    let Some(scheduling) = &attributes.scheduling else { return };
    let policy = scheduling.value.policy;
    let mut tell = |what: &str, span| {
        out.push(
            Diagnostic::warning(
                "scheduling-ignores",
                format!("`{what}` means nothing to a process of `scheduling = {}`", policy.name()),
            )
            .label(span, "has no effect")
            .label(scheduling.span(), "because of this")
            .help(format!("delete `{what}`, or choose another policy")),
        );
    };
    if let Some(nice) = attributes.nice.as_ref().filter(|_| policy.is_real_time() || policy == SchedPolicy::Idle) {
        tell("nice", nice.span());
    }
    if let Some(slack) = attributes.timer_slack.as_ref().filter(|_| policy.is_real_time()) {
        tell("timer-slack", slack.span());
    }
}

/// sched_setaffinity(2) takes of the CPUs only those of the cpuset, and none is an error.
fn affinity(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let (Some(affinity), Some(set)) = (&sandbox.attributes.cpu_affinity, &sandbox.cgroup.cpuset_cpus) else { return };
    if let Some(outside) = affinity.value.iter().find(|cpu| !set.value.contains(cpu)) {
        out.push(
            Diagnostic::error("affinity-outside", format!("CPU {outside} is not one of the sandbox's"))
                .label(affinity.span(), "begins there")
                .label(set.span(), "may run on these only")
                .help("name CPUs of `cpuset.cpus`, which it cannot leave; without `cpu-affinity` it begins on all of them"),
        );
    }
}

pub(super) fn check_host(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    priorities(sandbox, facts, out);
    real_time_group(sandbox, facts, out);
    cpus(sandbox, facts, out);
    core_scheduling(sandbox, facts, out);
    let adjusted = required(&sandbox.attributes.oom_score_adj);
    if let Some(adjusted) = adjusted.filter(|it| facts.is_oom_score_refused(it.value)) {
        out.push(
            Diagnostic::error(
                "oom-score-not-permitted",
                format!("`oom-score-adj = {}` takes CAP_SYS_RESOURCE on the host", adjusted.value),
            )
            .label(adjusted.span(), format!("less than {}, the caller's own", facts.process.oom_score_adj))
            .help("write the caller's own value or more, or run as root; `prefer` before it goes on without it"),
        );
    }
}

/// What the caller may not ask of the scheduler.
fn priorities(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    let attributes = &sandbox.attributes;
    let process = &facts.process;
    if let Some(nice) = required(&attributes.nice).filter(|it| facts.is_nice_refused(it.value)) {
        let allowed = process.nice_limit.map_or(String::new(), |it| format!(", and RLIMIT_NICE allows {}", 20 - it));
        out.push(
            Diagnostic::error("nice-not-permitted", format!("`nice = {}` takes CAP_SYS_NICE on the host", nice.value))
                .label(nice.span(), format!("the caller's is {}{allowed}", process.nice))
                .help("write the caller's or more, raise RLIMIT_NICE (limits.conf(5): nice), or run as root"),
        );
    }
    if let Some(scheduling) = required(&attributes.scheduling).filter(|it| facts.is_scheduling_refused(it.value)) {
        let (policy, limit) = (scheduling.value.policy.name(), process.rtprio_limit.unwrap_or(0));
        out.push(
            Diagnostic::error(
                "scheduling-not-permitted",
                format!("`scheduling = {policy}` with this priority takes CAP_SYS_NICE on the host"),
            )
            .label(scheduling.span(), format!("RLIMIT_RTPRIO of the caller is {limit}"))
            .help("raise RLIMIT_RTPRIO (limits.conf(5): rtprio), run as root, or write `scheduling = other`"),
        );
    }
    let may_realtime = facts.caller.initial_userns && (facts.caller.has("sys_nice") || facts.caller.has("sys_admin"));
    let ionice = required(&attributes.ionice).filter(|it| it.value.class == IoClass::Realtime);
    if let Some(ionice) = ionice.filter(|_| !may_realtime) {
        out.push(
            Diagnostic::error("ionice-not-permitted", "`ionice = realtime` takes CAP_SYS_NICE on the host")
                .label(ionice.span(), format!("`{}` has no right to it", facts.caller.user))
                .help("write `best-effort(level: 0)`, or run as root"),
        );
    }
}

/// CONFIG_RT_GROUP_SCHED: a cgroup without a share of real time has no processes of real time.
fn real_time_group(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    let scheduling = required(&sandbox.attributes.scheduling).filter(|it| it.value.policy.is_real_time());
    let Some(scheduling) = scheduling else { return };
    let Some(runtime) = facts.process.rt_runtime else { return };
    let finding =
        |text: String| Diagnostic::error("scheduling-without-runtime", text).label(scheduling.span(), "real time");
    let cgroup = &sandbox.cgroup;
    let limit = [cgroup.cpu_max.as_ref().map(Traced::span), cgroup.cpu_weight.as_ref().map(Traced::span)];
    if let Some(limit) = limit.into_iter().flatten().next() {
        out.push(
            finding(format!("the kernel of {} gives a new cgroup no real time", facts.name))
                .label(limit, "makes a cgroup of the sandbox's own for the CPU")
                .help("leave one of the two out: a limit on CPU time, or a policy of real time"),
        );
    } else if runtime == 0 {
        out.push(
            finding("the caller's cgroup has no real time".to_string())
                .help("as root: write microseconds to cpu.rt_runtime_us of the caller's cgroup, and of those above it"),
        );
    }
}

fn cpus(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    let Some(affinity) = required(&sandbox.attributes.cpu_affinity) else { return };
    let has = &facts.process.cpus;
    if has.is_empty() {
        return;
    }
    if let Some(missing) = affinity.value.iter().find(|cpu| !has.contains(cpu)) {
        let list = has.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
        out.push(
            Diagnostic::error("cpu-missing", format!("{} has no CPU {missing} for the caller", facts.name))
                .label(affinity.span(), "begins there")
                .help(format!("there are {list}: those that are online, and in the caller's cpuset")),
        );
    }
}

fn core_scheduling(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    let Some(stated) = required(&sandbox.attributes.core_scheduling) else { return };
    let (why, help) = match facts.process.core_scheduling {
        CoreScheduling::Yes | CoreScheduling::Unknown => return,
        CoreScheduling::NoSmt => (
            "its cores have one hardware thread each, so that nobody shares them",
            "write `prefer core-scheduling = own`: what it is for holds there without it",
        ),
        CoreScheduling::NotBuilt => (
            "its kernel is older than Linux 5.14 or built without CONFIG_SCHED_CORE",
            "use a kernel that has it, or switch off SMT (/sys/devices/system/cpu/smt/control); `prefer` goes on without it",
        ),
    };
    out.push(
        Diagnostic::error("core-scheduling-missing", format!("{} has no core scheduling: {why}", facts.name))
            .label(stated.span(), "asked for here")
            .help(help),
    );
}
