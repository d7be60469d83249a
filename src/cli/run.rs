//! `nsl run`

use std::path::PathBuf;

use clap::{Args, ValueHint};
use nsl::execute::{self, Ended, Notice, Started};
use nsl::plan::Plan;
use nsl::source::{Files, Span};
use nsl::state::{End, Seat, Seen};

use super::policy::{Choice, Ready, refuse};
use super::record::Record;
use super::terminal;

const AFTER_HELP: &str = "\
Examples:
  nsl run hello.nsl                        the only sandbox of the file
  nsl run shop.nsl db                      one of several
  nsl run hello.nsl -- ls -l /             with arguments for the program
  nsl run web.nsl --set port=9000/tcp      with a parameter
  nsl run job.nsl --cgroup-parent /mine    limits in a cgroup that was delegated to you

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
    /// Write how the run ended to this file, as JSON: status, limits that were hit, what was not in force.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    report: Option<PathBuf>,
    /// What the sandbox is called while it runs: for `nsl ps`, `nsl exec`, `nsl stop`. Otherwise the name in the policy, or `web-2` where a
    /// `web` runs already.
    #[arg(long = "name", value_name = "NAME", id = "run-name")]
    run_name: Option<String>,
}

pub fn main(args: &Run) -> i32 {
    let (ready, warnings) = match args.choice.plan() {
        Ok(ready) => ready,
        Err((files, findings)) => return refuse(&files, &findings),
    };
    let mut record = match args.report.as_ref().map(|path| Record::create(path)).transpose() {
        Ok(record) => record,
        Err(finding) => return refuse(&Files::new(), &[finding]),
    };
    let Ready { files, plan } = &ready;
    let mut seat = match Seat::take(plan, args.run_name.as_deref(), &args.choice.file, false) {
        Ok(seat) => seat,
        Err(finding) => return refuse(&Files::new(), &[finding]),
    };
    terminal::say_findings(files, &warnings);
    let missing = plan.degraded.iter().map(|it| not_in_force(files, plan, &it.key, &it.reason, it.span));
    say_missing(&missing.collect::<String>());
    let report = execute::run(plan, &mut |started: Started| {
        let missing = started.notices.iter().filter_map(|notice| preferred(files, plan, notice));
        say_missing(&missing.collect::<String>());
        seat.started(plan, &Seen { child: started.child, cgroups: started.cgroups.to_vec() });
    });
    let signal = match report.ended {
        Ended::Signaled(signal) => Some(signal),
        _ => None,
    };
    seat.leave(End::now(report.exit_code(plan), signal));
    terminal::say_findings(files, &execute::aftermath(plan, &report));
    if let Some(record) = &mut record {
        record.write(plan, files, &report);
    }
    report.exit_code(plan)
}

/// A step that failed and that the run can do without.
fn preferred(files: &Files, plan: &Plan, notice: &Notice) -> Option<String> {
    let step = plan.steps.get(notice.step)?;
    let errno = notice.failure.errno_text();
    let errno = if errno.is_empty() { errno } else { format!(": {errno}") };
    Some(not_in_force(files, plan, &step.why, &format!("{}{errno}", notice.failure.detail), step.span))
}

/// One line, unlike other findings: who runs a policy every day knows its preferences, and wants to see the program's output.
fn not_in_force(files: &Files, plan: &Plan, key: &str, reason: &str, span: Span) -> String {
    let key = key.rsplit_once("cgroup.").map_or(key, |it| it.1);
    format!("nsl: {}: {key} is not in force, because {reason} ({})\n", plan.name, files.line_place(span))
}

fn say_missing(lines: &str) {
    if !lines.is_empty() {
        terminal::say(&format!("{lines}nsl: `nsl explain not-in-force` says what to do about that\n"));
    }
}
