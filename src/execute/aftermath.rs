//! What is to be said when a run is over, at the lines of the policy that it is about.

use super::{Ended, Report, explain};
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
    if report.oom_kills > 0 {
        let count = match report.oom_kills {
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
    if report.fork_failures > 0 {
        let message = "the program was refused new processes, as `pids.max` was reached";
        let span = limit(plan, |it| matches!(it, CgroupLimit::PidsMax(_)));
        let finding = Diagnostic::warning("process-limit-hit", message);
        found.push(at(finding, span, "threads and init count too").help("raise `pids.max` where it needs more"));
    }
    if report.ended == Ended::Signaled(libc::SIGSYS) {
        found.extend(filter(plan));
    }
    for path in &report.left {
        found.push(
            Diagnostic::warning("cgroup-left", format!("the cgroup {} could not be removed", path.display())).help(
                "a process is still in it: `cgroup.procs` in it names the process; when that has ended, `rmdir` removes it",
            ),
        );
    }
    found
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

fn filter(plan: &Plan) -> Option<Diagnostic> {
    let step = plan.steps.iter().find(|step| matches!(step.action, Action::InstallFilter(_)))?;
    Some(
        Diagnostic::warning("filter-killed", "the program was killed for a system call that the filter does not forgive")
            .label(step.span, "this filter has calls that kill")
            .help("`dmesg` or `journalctl -k` names the call by its number (`syscall=`); allow it, or answer it with an errno"),
    )
}
