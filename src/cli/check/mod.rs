//! `nsl check`

mod fixing;
mod tally;
mod targets;

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::{Args, ValueEnum};
use nsl::Loaded;
use nsl::host::{HostFacts, Probe};
use nsl::report::{Diagnostic, Format, Sarif, Style, render};
use nsl::resolve::Inputs;
use nsl::source::{Disk, Files};

use self::tally::Tally;
use super::inputs::{Input, gather};
use super::policy::{Settings, refuse};
use super::terminal;

const AFTER_HELP: &str = "\
Examples:
  nsl check web.nsl                     one file
  nsl check policies/                   all files below whose names end in .nsl
  nsl check - < web.nsl                 the standard input
  nsl check --host web.nsl              also: could it run here, as this user?
  nsl check --target debian-12 --target ubuntu-24.04:root web.nsl      could it run there?
  nsl check --fix web.nsl               make the edits that findings propose, and report the rest
  nsl check --diff web.nsl              show these edits, and change nothing
  nsl check --deny warnings policies/   for a pipeline
  nsl check --format json web.nsl       one JSON object a finding and line, on the standard output
  nsl check --format sarif policies/    a log for code scanning; `github` annotates a pull request
  nsl check --format short web.nsl      PATH:LINE:COLUMN: SEVERITY[CODE]: TEXT, for editors

Exit status:
  0  no errors        1  warnings, with `--deny warnings`        2  errors

`nsl explain CODE` prints the page behind a finding.";

/// Find out what is wrong with policies, before anything runs
///
/// Reads the files and everything that they use, and looks for what cannot work or will not mean what is written. Without `--host` the answer is
/// the same on every machine.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct Check {
    /// Policies, directories with policies, or `-` for the standard input.
    #[arg(required = true, value_name = "FILE|DIR|-")]
    paths: Vec<PathBuf>,
    /// Check too whether they could run on this machine, as this user.
    #[arg(long)]
    host: bool,
    /// Check too whether they could run on this host: a built-in name, or a file that `nsl doctor --json` has written there. May be
    /// given several times. Nothing is said about paths, which nobody knows of another host.
    #[arg(long, value_name = "NAME|FILE", conflicts_with = "host")]
    target: Vec<String>,
    /// Make the edits that findings propose, in the files and in the modules that they use; then check.
    #[arg(long, conflicts_with = "diff")]
    fix: bool,
    /// Print the edits that `--fix` would make, as a unified diff on the standard output, and change nothing.
    #[arg(long)]
    diff: bool,
    /// For whom the findings are printed: people (on the standard error), or machines (on the standard output).
    #[arg(long, value_enum, default_value_t = Output::Human, conflicts_with = "diff")]
    format: Output,
    /// End with 1 where there are warnings.
    #[arg(long, value_enum, value_name = "WHAT")]
    deny: Option<Deny>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people, with the lines in question.
    Human,
    /// For people who have it read aloud: sentences, no drawings.
    Narrated,
    /// One JSON object a finding and line.
    Json,
    /// SARIF 2.1.0, one log for all files: for code scanning.
    Sarif,
    /// Workflow commands of GitHub Actions, shown beside the lines of a pull request.
    Github,
    /// One line a finding, `PATH:LINE:COLUMN: SEVERITY[CODE]: TEXT`: for editors and problem matchers.
    Short,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Deny {
    Warnings,
}

pub fn main(args: &Check) -> i32 {
    let probe = Probe::new();
    let facts = probe.facts();
    let inputs = match args.settings.inputs(&facts) {
        // A review asks what a policy says whatever its parameters are.
        Ok(inputs) => Inputs { open: true, ..inputs },
        Err(error) => return refuse(&Files::new(), &[error]),
    };
    let given = gather(&args.paths);
    if args.diff {
        return fixing::show(&given, &inputs);
    }
    if args.fix
        && let Err(error) = fixing::mend(&given, &inputs)
    {
        return refuse(&Files::new(), &[error]);
    }
    let targets = match args.target.iter().map(|it| targets::find(it)).collect::<Result<Vec<HostFacts>, _>>() {
        Ok(targets) => targets,
        Err(error) => return refuse(&Files::new(), &[error]),
    };
    let hosts = Hosts { here: args.host.then_some((&probe, &facts)), targets: &targets };
    report(args, check_all(&given, &inputs, hosts))
}

/// The hosts that policies are checked for.
#[derive(Clone, Copy)]
struct Hosts<'a> {
    here: Option<(&'a Probe, &'a HostFacts)>,
    targets: &'a [HostFacts],
}

/// One policy with what was found.
type Checked = (Files, Vec<Diagnostic>);

/// Prints what was found; the result is the exit status.
fn report(args: &Check, all: Vec<Checked>) -> i32 {
    let mut tally = Tally::default();
    let mut log = Sarif::new();
    let mut written = 0;
    for (files, findings) in &all {
        tally.add(findings);
        match args.format {
            Output::Sarif => log.add(files, findings),
            _ => written = written.max(show(args.format, files, findings)),
        }
    }
    match args.format {
        Output::Sarif => written = terminal::print(&log.finish()),
        Output::Human | Output::Narrated => terminal::say(&format!("nsl: {}\n", tally.summary())),
        Output::Json | Output::Github | Output::Short => {}
    }
    match args.deny {
        _ if tally.errors > 0 => super::REFUSED,
        Some(Deny::Warnings) if tally.warnings > 0 => 1,
        _ => written,
    }
}

/// The stack of a thread that checks, bytes: what the main thread has, which the bounds on nesting are made for.
const STACK: usize = 8 << 20;

/// Checks all at once, as many as there are CPUs; the results are in the order of the inputs, however long each takes.
fn check_all(given: &[Input], inputs: &Inputs, hosts: Hosts) -> Vec<Checked> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(given.len());
    if threads <= 1 {
        return given.iter().map(|it| check(it, inputs, hosts)).collect();
    }
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<Checked>>> = given.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        while let Some((input, result)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            given.get(index).zip(results.get(index))
        } {
            let checked = check(input, inputs, hosts);
            if let Ok(mut slot) = result.lock() {
                *slot = Some(checked);
            }
        }
    };
    std::thread::scope(|scope| {
        // A thread that cannot be started leaves its work to the others, and this one works too.
        for _ in 1..threads {
            let _ = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        }
        work();
    });
    results.into_iter().filter_map(|it| it.into_inner().ok().flatten()).collect()
}

fn check(input: &Input, inputs: &Inputs, hosts: Hosts) -> Checked {
    let loaded = match input {
        Input::File(path) => nsl::load(path, inputs, &Disk),
        Input::Stdin(text) => nsl::load_text("<stdin>", text.clone(), inputs, &Disk),
        Input::Failed(finding) => {
            let mut loaded = Loaded::default();
            loaded.resolved.findings.push((**finding).clone());
            loaded
        }
    };
    let mut findings = nsl::findings(&loaded);
    // What the host says about half a policy would be about something that nobody wrote.
    if !findings.iter().any(Diagnostic::is_error) {
        if let Some((probe, facts)) = hosts.here {
            findings.extend(nsl::host_findings(&loaded, None, probe, &mut facts.clone()));
        }
        findings.extend(nsl::findings_of_targets(&loaded, hosts.targets));
    }
    (loaded.files, findings)
}

fn show(output: Output, files: &Files, findings: &[Diagnostic]) -> i32 {
    if findings.is_empty() {
        return 0;
    }
    let machines = match output {
        Output::Json => Some(Format::Json),
        Output::Github => Some(Format::Github),
        Output::Short => Some(Format::Short),
        Output::Human | Output::Narrated | Output::Sarif => None,
    };
    if let Some(format) = machines {
        return terminal::print(&render(files, findings, Style { format, ..terminal::stdout_style() }));
    }
    let mut style = terminal::stderr_style();
    if output == Output::Narrated {
        style.format = Format::Narrated;
    }
    terminal::say(&render(files, findings, style));
    terminal::say("\n");
    0
}
