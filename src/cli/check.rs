//! `nsl check`

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use nsl::Loaded;
use nsl::host::Probe;
use nsl::report::{Diagnostic, Format, Severity, Style, render, unreadable};
use nsl::resolve::Inputs;
use nsl::source::{Disk, Files, find_policies, load_stdin};

use super::policy::{Settings, refuse};
use super::terminal;

const AFTER_HELP: &str = "\
Examples:
  nsl check web.nsl                     one file
  nsl check policies/                   all files below whose names end in .nsl
  nsl check - < web.nsl                 the standard input
  nsl check --host web.nsl              also: could it run here, as this user?
  nsl check --deny warnings policies/   for a pipeline
  nsl check --format json web.nsl       one JSON object a finding and line, on the standard output

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
    /// For whom the findings are printed: people (on the standard error), or machines (on the standard output).
    #[arg(long, value_enum, default_value_t = Output::Human)]
    format: Output,
    /// End with 1 where there are warnings.
    #[arg(long, value_enum, value_name = "WHAT")]
    deny: Option<Deny>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Human,
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Deny {
    Warnings,
}

/// What was found in all files together.
#[derive(Default)]
struct Tally {
    files: usize,
    errors: usize,
    warnings: usize,
    advice: usize,
}

pub fn main(args: &Check) -> i32 {
    let probe = Probe::new();
    let mut facts = probe.facts();
    let inputs = match args.settings.inputs(&facts) {
        // A review asks what a policy says whatever its parameters are.
        Ok(inputs) => Inputs { open: true, ..inputs },
        Err(error) => return refuse(&Files::new(), &[error]),
    };
    let mut tally = Tally::default();
    let mut written = 0;
    for loaded in args.paths.iter().flat_map(|path| load(path, &inputs)) {
        let mut findings = nsl::findings(&loaded);
        if args.host && !findings.iter().any(Diagnostic::is_error) {
            findings.extend(nsl::host_findings(&loaded, None, &probe, &mut facts));
        }
        tally.add(&findings);
        written = written.max(show(args.format, &loaded.files, &findings));
    }
    if args.format == Output::Human {
        terminal::say(&format!("nsl: {}\n", tally.summary()));
    }
    match args.deny {
        _ if tally.errors > 0 => super::REFUSED,
        Some(Deny::Warnings) if tally.warnings > 0 => 1,
        _ => written,
    }
}

/// What a path of the command line stands for: one policy, or all below a directory.
fn load(path: &Path, inputs: &Inputs) -> Vec<Loaded> {
    let failed = |finding: Diagnostic| {
        let mut loaded = Loaded::default();
        loaded.resolved.findings.push(finding);
        vec![loaded]
    };
    if path.as_os_str() == "-" {
        return match load_stdin() {
            Ok(text) => vec![nsl::load_text("<stdin>", text, inputs, &Disk)],
            Err(error) => failed(unreadable("<stdin>", &error)),
        };
    }
    if !path.is_dir() {
        return vec![nsl::load(path, inputs, &Disk)];
    }
    let name = path.to_string_lossy();
    match find_policies(path) {
        Ok(paths) if paths.is_empty() => failed(
            Diagnostic::error("no-policies", format!("there is no policy below `{name}`"))
                .help("policies are files whose names end in `.nsl`; hidden directories are not looked into"),
        ),
        Ok(paths) => paths.iter().map(|path| nsl::load(path, inputs, &Disk)).collect(),
        Err((path, error)) => failed(unreadable(&path.to_string_lossy(), &error)),
    }
}

fn show(output: Output, files: &Files, findings: &[Diagnostic]) -> i32 {
    if findings.is_empty() {
        return 0;
    }
    if output == Output::Json {
        let style = Style { format: Format::Json, ..terminal::stdout_style() };
        return terminal::print(&render(files, findings, style));
    }
    terminal::say_findings(files, findings);
    terminal::say("\n");
    0
}

impl Tally {
    fn add(&mut self, findings: &[Diagnostic]) {
        let count = |severity| findings.iter().filter(|it| it.severity == severity).count();
        self.files += 1;
        self.errors += count(Severity::Error);
        self.warnings += count(Severity::Warning);
        self.advice += count(Severity::Advice);
    }

    fn summary(&self) -> String {
        let plural = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
        let rows = [(self.errors, "error"), (self.warnings, "warning")];
        let mut parts: Vec<String> = rows.into_iter().filter(|it| it.0 > 0).map(|it| plural(it.0, it.1)).collect();
        if self.advice > 0 {
            parts.push(format!("{} advice", self.advice));
        }
        let found = if parts.is_empty() { "nothing to report".to_string() } else { parts.join(", ") };
        format!("{found} in {}", plural(self.files, "file"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_up() {
        let tally = |files, errors, warnings, advice| Tally { files, errors, warnings, advice }.summary();
        assert_eq!(tally(1, 0, 0, 0), "nothing to report in 1 file");
        assert_eq!(tally(3, 1, 2, 4), "1 error, 2 warnings, 4 advice in 3 files");
    }
}
