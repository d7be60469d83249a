//! `nsl run`

use std::ffi::OsString;

use clap::{Args, ValueHint};
use nsl::execute::{self, Ended, Event, Handed, Notice};
use nsl::plan::Plan;
use nsl::report::Diagnostic;
use nsl::source::{Files, Span};
use nsl::state::{End, Seat, Seen};

use super::listen;
use super::pod;
use super::policy::{Choice, Planned, Ready, refuse};
use super::record::Record;
use super::terminal;
use super::trace::Trace;
use super::voice::Voice;

const AFTER_HELP: &str = "\
Examples:
  nsl run hello.nsl                        the only sandbox of the file
  nsl run shop.nsl db                      one of several
  nsl run hello.nsl -- ls -l /             with arguments for the program
  nsl run web.nsl --set port=9000/tcp      with a parameter
  nsl run -d web.nsl                       in the background; `nsl logs`, `nsl stop`, `nsl wait` take its name
  nsl run job.nsl --cgroup-parent /mine    limits in a cgroup that was delegated to you

Exit status:
  that of the program, or 128 + N where signal N ended it
  2         the policy does not parse or check here; nothing was started
  125       the sandbox could not be built; nothing of it is left
  126, 127  the program could not be executed, or was not found in the sandbox

INT, TERM, HUP, QUIT, USR1, USR2 and WINCH go on to the program. Whatever ends nsl, KILL included, ends the sandbox.
With -d the exit status is 0 once the program runs; `nsl wait NAME` has that of the program.";

/// Run a program in a sandbox
///
/// Checks the policy against this host, builds the sandbox, starts the program, and passes on its exit status. Warnings are printed on
/// the standard error; with an error nothing is started. Where the policy says `prefer` and this host cannot, that is said, and the run goes on.
#[derive(Args, Debug)]
#[command(after_long_help = AFTER_HELP)]
pub struct Run {
    #[command(flatten)]
    choice: Choice,
    /// Write how the run ended to this file, as JSON: status, limits that were hit, what was used, what was not in force. `-` is the
    /// standard output, `fd:N` a descriptor that is open when nsl starts. The reference describes the fields.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    report: Option<OsString>,
    /// What the sandbox is called while it runs: for `nsl ps`, `nsl exec`, `nsl stop`. Otherwise the name in the policy, or `web-2` where a
    /// `web` runs already.
    #[arg(long = "name", value_name = "NAME", id = "run-name")]
    run_name: Option<String>,
    /// Run it in the background, once it has started; its output goes into a log (`nsl logs`). Prints the name that it has while it runs.
    #[arg(long, short, conflicts_with = "verbose")]
    detach: bool,
    /// Hand over the descriptors that the service manager passed, by the names that it gave them: sd_listen_fds(3). As with --fd, the
    /// sandbox has to say `fd NAME = …` for each.
    #[arg(long)]
    listen_fds: bool,
    /// Tell every step on the standard error as it is performed, with the time that it took.
    #[arg(short, long)]
    verbose: bool,
}

pub fn main(args: &Run) -> i32 {
    // Before anything of nsl's own is open, so that no number can be mistaken.
    let mut fds = args.choice.fds.clone();
    if args.listen_fds {
        match listen::passed(&fds) {
            Ok(passed) => fds.extend(passed),
            Err(finding) => return refuse(&Files::new(), &[finding]),
        }
    }
    if let Some(finding) = fds.iter().find_map(|(name, number)| not_open(name, *number)) {
        return refuse(&Files::new(), &[finding]);
    }
    let mut record = match args.report.as_ref().map(|name| Record::create(name)).transpose() {
        Ok(record) => record,
        Err(finding) => return refuse(&Files::new(), &[finding]),
    };
    let taken =
        fds.iter().map(|(name, number)| Handed::take(name, *number).map_err(|error| not_taken(name, *number, &error)));
    let handed: Vec<Handed> = match taken.collect() {
        Ok(handed) => handed,
        Err(finding) => return give_up(record.as_mut(), &Files::new(), &[finding]),
    };
    let (ready, warnings) = match args.choice.plan_with(fds.into_iter().map(|it| it.0).collect()) {
        Ok(ready) => ready,
        Err((files, findings)) => return give_up(record.as_mut(), &files, &findings),
    };
    let Ready { files, plan } = &ready;
    let plan = match plan {
        Planned::Sandbox(plan) => plan,
        Planned::Pod(plan) => {
            terminal::say_findings(files, &warnings);
            let ways = pod::Ways { name: args.run_name.as_deref(), detach: args.detach, verbose: args.verbose, record };
            return pod::run(plan, files, &args.choice.file, ways);
        }
    };
    terminal::say_findings(files, &warnings);
    let missing = plan.degraded.iter().map(|it| not_in_force(files, plan, &it.key, &it.reason, it.span));
    say_missing(&missing.collect::<String>());
    // What a path is relative to is lost in the background.
    let policy = std::path::absolute(&args.choice.file).unwrap_or_else(|_| args.choice.file.clone());
    let mut voice = match Voice::of(args.detach) {
        Ok(voice) => voice,
        Err(status) => return status,
    };
    let taken = Seat::take(plan, args.run_name.as_deref(), &policy, args.detach).and_then(|seat| {
        voice.log(&seat)?;
        Ok(seat)
    });
    let mut seat = match taken {
        Ok(seat) => seat,
        Err(finding) => {
            if let Some(record) = &mut record {
                record.refused(&Files::new(), std::slice::from_ref(&finding));
            }
            voice.findings(&Files::new(), &[finding]);
            return voice.ends(super::REFUSED);
        }
    };
    let mut trace = Trace::new(plan, files);
    let options = execute::Options { handed, watched: args.verbose || record.is_some() };
    let report = execute::run(plan, options, &mut |event| match event {
        Event::Performed(step, took) if args.verbose => trace.step(step, took),
        Event::Performed(..) => {}
        Event::Started(started) => {
            if args.verbose {
                trace.started("the program runs");
            }
            let missing = started.notices.iter().filter_map(|notice| preferred(files, plan, notice));
            voice.missing(&missing.collect::<String>());
            seat.started(plan, &Seen { child: started.child, cgroups: started.cgroups.to_vec() });
            voice.runs(seat.name());
        }
    });
    let findings = execute::aftermath(plan, &report);
    voice.findings(files, &findings);
    if args.verbose {
        trace.ended(&report);
    }
    if let Some(record) = &mut record {
        record.write(plan, files, &report, &findings);
    }
    let signal = match report.ended {
        Ended::Signaled(signal) => Some(signal),
        _ => None,
    };
    let status = voice.ends(report.exit_code(plan));
    seat.leave(End::now(status, signal));
    status
}

fn not_open(name: &str, number: i32) -> Option<Diagnostic> {
    execute::duplicate(number).err().map(|error| not_taken(name, number, &error))
}

fn not_taken(name: &str, number: i32, error: &std::io::Error) -> Diagnostic {
    let message = format!("descriptor {number} cannot be handed over as `{name}`: {error}");
    Diagnostic::error("fd-not-open", message).help(match error.raw_os_error() {
        Some(libc::EISDIR) => "it is a directory, which would lead out of the sandbox: `mount` it instead",
        _ => "name a descriptor that is open when nsl starts, as in `nsl run --fd log=3 FILE 3>>log`; each once",
    })
}

/// Nothing was done, and the report says so too.
fn give_up(record: Option<&mut Record>, files: &Files, findings: &[Diagnostic]) -> i32 {
    if let Some(record) = record {
        record.refused(files, findings);
    }
    refuse(files, findings)
}

/// A step that failed and that the run can do without.
pub(super) fn preferred(files: &Files, plan: &Plan, notice: &Notice) -> Option<String> {
    let step = plan.steps.get(notice.step)?;
    Some(not_in_force(files, plan, &step.why, &notice.failure.to_string(), step.span))
}

/// One line, unlike other findings: who runs a policy every day knows its preferences, and wants to see the program's output.
pub(super) fn not_in_force(files: &Files, plan: &Plan, key: &str, reason: &str, span: Span) -> String {
    let key = key.rsplit_once("cgroup.").map_or(key, |it| it.1);
    format!("nsl: {}: {key} is not in force, because {reason} ({})\n", plan.name, files.line_place(span))
}

pub(super) fn say_missing(lines: &str) {
    terminal::say(&super::voice::with_advice(lines));
}
