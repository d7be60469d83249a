//! What is to be said when a run is over, at the lines of the policy that it is about.

use std::time::Duration;

use super::{Ended, RefusedCall, RefusedName, RefusedNames, Report, WhyRefused, explain};
use crate::plan::{Action, CgroupLimit, Plan};
use crate::report::Diagnostic;
use crate::source::Span;

/// Why it failed, and which limits were hit.
pub fn aftermath(plan: &Plan, report: &Report) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if let Ended::Failed(notice) = &report.ended {
        found.push(explain(plan, notice));
    }
    if report.timed_out {
        let finding = Diagnostic::warning("time-limit-hit", "the program was ended, as its time was over");
        found.push(
            at(finding, plan.ending.after_span, "`after` is the longest it may run")
                .help("raise `after` in `stop`, or find out what the program waits for"),
        );
    }
    if report.cpu_over {
        let finding = Diagnostic::warning("cpu-limit-hit", "the program was ended, as its CPU time was used up");
        let span = limit(plan, |it| matches!(it, CgroupLimit::CpuTime(_)));
        found.push(
            at(finding, span, "`cpu` is what all of its processes may use together")
                .help("raise `cpu` in `stop`, or find out what the program computes for so long"),
        );
    }
    if report.cgroups.oom_kills > 0 {
        let count = match report.cgroups.oom_kills {
            1 => "a process".to_string(),
            count => format!("{count} processes"),
        };
        let message = format!("the kernel killed {count} of the sandbox, as `memory.max` was reached");
        let span = limit(plan, |it| matches!(it, CgroupLimit::MemoryMax(_)));
        let finding = Diagnostic::warning("memory-limit-hit", message);
        found.push(
            at(finding, span, "no more than this is there for all of it, files in its tmpfs included")
                .help("raise `memory.max` where the program is to be trusted with more"),
        );
    }
    if report.cgroups.fork_failures > 0 {
        let message = "the program was refused new processes, as `pids.max` was reached";
        let span = limit(plan, |it| matches!(it, CgroupLimit::PidsMax(_)));
        let finding = Diagnostic::warning("process-limit-hit", message);
        found.push(at(finding, span, "threads and init count too").help("raise `pids.max` where it needs more"));
    }
    if let Some((key, span)) = resource_limit(plan, report) {
        let message = format!("the kernel ended the program, as `{key}` was reached");
        let finding = Diagnostic::warning("resource-limit-hit", message).label(span, "each process may have so much");
        found.push(finding.help("raise the limit where the program is to be trusted with more"));
    }
    if report.ended == Ended::Signaled(libc::SIGSYS) {
        found.extend(filter(plan, report));
    }
    found.extend(report.refused_names.as_ref().and_then(|it| refused_names(plan, it)));
    for path in &report.left {
        found.push(
            Diagnostic::warning("cgroup-left", format!("the cgroup {} could not be removed", path.display())).help(
                "a process is still in it: `cgroup.procs` in it names the process; when that has ended, `rmdir` removes it",
            ),
        );
    }
    found
}

/// The keys of the limits that the run came up against.
pub fn limits_hit(plan: &Plan, report: &Report) -> Vec<&'static str> {
    let rlimit = resource_limit(plan, report).map(|(key, _)| key);
    let hit = [
        report.timed_out.then_some("stop.after"),
        report.cpu_over.then_some("stop.cpu"),
        (report.cgroups.oom_kills > 0).then_some("cgroup.memory.max"),
        (report.cgroups.fork_failures > 0).then_some("cgroup.pids.max"),
        rlimit,
    ];
    hit.into_iter().flatten().collect()
}

/// The limit of each process whose signal ended the program: getrlimit(2). At the hard limit of CPU time, which is the soft one too,
/// the kernel sends SIGKILL.
fn resource_limit(plan: &Plan, report: &Report) -> Option<(&'static str, Span)> {
    let set = |name: &str| {
        plan.steps.iter().find_map(|step| match &step.action {
            Action::SetRlimit { resource, value: Some(value) } if resource == name => Some((*value, step.span)),
            _ => None,
        })
    };
    match report.ended {
        Ended::Signaled(libc::SIGXFSZ) => set("fsize").map(|(_, span)| ("limits.fsize", span)),
        Ended::Signaled(libc::SIGXCPU | libc::SIGKILL) => {
            let (seconds, span) = set("cpu")?;
            let usage = report.usage?;
            // The clock of the limit is not quite that of the usage: it counts whole ticks for whoever runs at the moment, which on a busy
            // machine is many a tick more than was used.
            let limit = Duration::from_secs(seconds);
            let used = usage.user + usage.system + Duration::from_millis(500) + limit / 20;
            let other = report.timed_out || report.cgroups.oom_kills > 0;
            (!other && used >= limit).then_some(("limits.cpu", span))
        }
        _ => None,
    }
}

fn at(finding: Diagnostic, span: Option<Span>, text: &str) -> Diagnostic {
    match span {
        Some(span) => finding.label(span, text),
        None => finding,
    }
}

fn limit(plan: &Plan, is: fn(&CgroupLimit) -> bool) -> Option<Span> {
    let is = |action: &Action| matches!(action, Action::LimitCgroup { limit, .. } if is(limit));
    plan.steps.iter().find(|step| is(&step.action)).map(|step| step.span)
}

/// Names that are told in a message; the report has more of them.
const MOST_NAMES: usize = 5;

/// What the program asked for and did not get: it sees no more than a name that does not exist.
fn refused_names(plan: &Plan, refused: &RefusedNames) -> Option<Diagnostic> {
    let step = plan.steps.iter().find(|step| matches!(step.action, Action::StartResolver(_)))?;
    let first = refused.names.first();
    let word = |it: &RefusedName| match (it.why, it.questions) {
        (WhyRefused::NotPublic, _) => format!("{} (at private addresses)", it.name),
        (WhyRefused::NotNamed, 1) => it.name.clone(),
        (WhyRefused::NotNamed, count) => format!("{} ({count} times)", it.name),
    };
    let mut words: Vec<String> = refused.names.iter().take(MOST_NAMES).map(word).collect();
    let rest: u64 = refused.names.iter().skip(MOST_NAMES).map(|it| it.questions).sum::<u64>() + refused.others;
    match rest {
        0 => {}
        1 => words.push("one more question".to_string()),
        rest => words.push(format!("{rest} more questions")),
    }
    let message = format!("names were refused to the program: {}", words.join(", "));
    let help = match first {
        Some(RefusedName { why: WhyRefused::NotNamed, name, .. }) => {
            format!("`allow out \"{name}\" …` lets out to it, where the program is to be trusted with that")
        }
        Some(RefusedName { why: WhyRefused::NotPublic, .. }) => {
            "`private = […]` names the networks in which names may lie, where the program is to be trusted with them"
                .to_string()
        }
        None => "names of other bytes than letters, digits, `-` and `_` are never answered".to_string(),
    };
    let found =
        Diagnostic::warning("names-refused", message).label(step.span, "only names that a rule names are answered");
    (refused.questions > 0).then(|| found.help(format!("{help}; `--report FILE` lists up to 64 of them")))
}

fn filter(plan: &Plan, report: &Report) -> Option<Diagnostic> {
    let step = plan.steps.iter().find(|step| matches!(step.action, Action::InstallFilter(_)))?;
    let finding = |what: &str| {
        let message = format!("the program was killed for {what} that the filter does not forgive");
        Diagnostic::warning("filter-killed", message).label(step.span, "this filter has calls that kill")
    };
    Some(match &report.refused {
        Some(RefusedCall { name: Some(name), .. }) => finding(&format!("`{name}`, a system call")).help(format!(
            "`allow {name}` where the program is to be trusted with it; `deny {name}` answers it with an errno"
        )),
        Some(RefusedCall { number, arch, .. }) => finding(&format!("system call {number} of architecture {arch:#x}, one"))
            .help("the filter forgives no call of another architecture than its own: use a program of this one"),
        None => finding("a system call").help(
            "the kernel's log names the call by its number (`syscall=`), where you may read it: `dmesg` or `journalctl -k`; \
             allow it, or answer it with an errno",
        ),
    })
}
