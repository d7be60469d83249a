//! `nsl run`

use clap::Args;
use nsl::execute::{self, Ended, Notice, Report};
use nsl::plan::{Action, CgroupLimit, Plan};
use nsl::source::{Files, Span};

use super::policy::{Choice, Ready, refuse};
use super::terminal;

const AFTER_HELP: &str = "\
Examples:
  nsl run hello.nsl                        the only sandbox of the file
  nsl run shop.nsl db                      one of several
  nsl run hello.nsl -- ls -l /             with arguments; all behind `--` goes to the program as it is
  nsl run web.nsl --set port=9000/tcp      with a parameter
  nsl run job.nsl --cgroup-parent /sys/fs/cgroup/mine    limits in a cgroup that was delegated to you

Exit status:
  that of the program, or 128 + N where signal N ended it
  2         the policy does not parse or check here; nothing was started
  125       the sandbox could not be built; nothing of it is left
  126, 127  the program could not be executed, or was not found in the sandbox

INT, TERM, HUP, QUIT, USR1, USR2 and WINCH go on to the program. Whatever ends nsl, KILL included, ends the sandbox.";

/// Run a program in a sandbox
///
/// Checks the policy against this host, builds the sandbox, starts the program, and passes on its exit status. Warnings are printed on
/// the standard error; with an error nothing is started. Where the policy says `prefer` and this host cannot, that is said, and the run goes on.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct Run {
    #[command(flatten)]
    choice: Choice,
}

pub fn main(args: &Run) -> i32 {
    let (ready, warnings) = match args.choice.plan() {
        Ok(ready) => ready,
        Err((files, findings)) => return refuse(&files, &findings),
    };
    terminal::say_findings(&ready.files, &warnings);
    let Ready { files, plan } = &ready;
    for degraded in &plan.degraded {
        not_in_force(files, plan, &degraded.key, &degraded.reason, degraded.span);
    }
    let mut started = |notices: &[Notice]| {
        for notice in notices {
            let Some(step) = plan.steps.get(notice.step) else { continue };
            let errno = notice.failure.errno_text();
            let errno = if errno.is_empty() { errno } else { format!(": {errno}") };
            not_in_force(files, plan, &step.why, &format!("{}{errno}", notice.failure.detail), step.span);
        }
    };
    let report = execute::run(plan, &mut started);
    if let Ended::Failed(notice) = &report.ended {
        terminal::say_findings(files, &[execute::explain(plan, notice)]);
    }
    for line in aftermath(files, plan, &report) {
        terminal::say(&format!("nsl: {}: {line}\n", plan.name));
    }
    report.exit_code(plan)
}

fn not_in_force(files: &Files, plan: &Plan, key: &str, reason: &str, span: Span) {
    let place = files.line_place(span);
    terminal::say(&format!("nsl: {}: {key} is not in force, because {reason} ({place})\n", plan.name));
}

/// What the program's exit status alone does not tell.
fn aftermath(files: &Files, plan: &Plan, report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    if report.oom_kills > 0 {
        let place = limit_place(files, plan, |limit| matches!(limit, CgroupLimit::MemoryMax(_)));
        let processes = processes(report.oom_kills);
        lines.push(format!("the memory limit was hit: {processes} killed (memory.max{place})"));
    }
    if report.fork_failures > 0 {
        let place = limit_place(files, plan, |limit| matches!(limit, CgroupLimit::PidsMax(_)));
        let times =
            if report.fork_failures == 1 { "once".to_string() } else { format!("{} times", report.fork_failures) };
        lines
            .push(format!("the limit of processes was hit: a process could not be started, {times} (pids.max{place})"));
    }
    if report.timed_out {
        let after = plan.ending.after.map_or(String::new(), |after| format!(" after {}", seconds(after)));
        let place = plan.ending.after_span.map_or(String::new(), |span| format!(", {}", files.line_place(span)));
        lines.push(format!("stopped{after} (stop.after{place})"));
    }
    for path in &report.left {
        let path = path.display();
        lines.push(format!(
            "the cgroup {path} could not be removed; `rmdir {path}` does it when nothing runs in it any more"
        ));
    }
    lines
}

fn processes(count: u64) -> String {
    if count == 1 { "1 process was".to_string() } else { format!("{count} processes were") }
}

/// `, web.nsl:28`: where a limit stands.
fn limit_place(files: &Files, plan: &Plan, is: fn(&CgroupLimit) -> bool) -> String {
    let of = |action: &Action| matches!(action, Action::LimitCgroup { limit, .. } if is(limit));
    let step = plan.steps.iter().find(|step| of(&step.action));
    step.map_or(String::new(), |step| format!(", {}", files.line_place(step.span)))
}

fn seconds(nanoseconds: u64) -> String {
    format!("{}s", nanoseconds as f64 / 1e9)
}
