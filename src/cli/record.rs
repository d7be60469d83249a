//! `nsl run --report FILE`: how a run ended, for machines. The names of the fields are part of the interface.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use nsl::execute::{self, Ended, Report};
use nsl::plan::Plan;
use nsl::report::Diagnostic;
use nsl::source::Files;
use serde::Serialize;

use super::terminal;

/// The file, opened before anything runs, so that no run ends without the report that was asked for.
pub struct Record {
    path: PathBuf,
    file: File,
}

#[derive(Serialize)]
struct Fields<'a> {
    sandbox: &'a str,
    /// `exited`, `signaled` or `failed`.
    ended: &'static str,
    /// The program's own; absent where a signal ended it or it never ran.
    status: Option<i32>,
    signal: Option<i32>,
    /// What nsl exits with.
    exit_status: i32,
    timed_out: bool,
    oom_kills: u64,
    fork_failures: u64,
    /// Cgroups that could not be removed.
    left: Vec<String>,
    failure: Option<Failure>,
    not_in_force: Vec<NotInForce<'a>>,
}

/// The step that failed.
#[derive(Serialize)]
struct Failure {
    code: &'static str,
    message: String,
    /// Its number in `nsl plan`, from 1.
    step: usize,
    /// 0 where no system call failed.
    errno: i32,
    place: Option<String>,
}

/// What the policy prefers and this host cannot.
#[derive(Serialize)]
struct NotInForce<'a> {
    key: &'a str,
    place: String,
    reason: &'a str,
}

impl Record {
    /// Makes the file, or empties it.
    pub fn create(path: &Path) -> Result<Record, Diagnostic> {
        let file = File::create(path).map_err(|error| {
            Diagnostic::error("report-unwritable", format!("`{}` cannot be written: {error}", path.display()))
                .help("name a file in a directory that you may write to")
        })?;
        Ok(Record { path: path.to_path_buf(), file })
    }

    /// Writes the report. The run is over; a failure can only be told.
    pub fn write(&mut self, plan: &Plan, files: &Files, report: &Report) {
        let written = serde_json::to_vec_pretty(&fields(plan, files, report)).map_err(std::io::Error::from);
        let written = written.and_then(|text| self.file.write_all(&text)).and_then(|()| self.file.write_all(b"\n"));
        if let Err(error) = written {
            terminal::say(&format!("nsl: {} cannot be written: {error}\n", self.path.display()));
        }
    }
}

fn fields<'a>(plan: &'a Plan, files: &Files, report: &Report) -> Fields<'a> {
    let (ended, status, signal) = match report.ended {
        Ended::Exited(status) => ("exited", Some(status), None),
        Ended::Signaled(signal) => ("signaled", None, Some(signal)),
        Ended::Failed(_) => ("failed", None, None),
    };
    let failure = match &report.ended {
        Ended::Failed(notice) => {
            let finding = execute::explain(plan, notice);
            let place = finding.labels.first().map(|label| files.place(label.span));
            let (step, errno) = (notice.step + 1, notice.failure.errno);
            Some(Failure { code: finding.code, message: finding.message, step, errno, place })
        }
        _ => None,
    };
    let degraded = plan.degraded.iter();
    Fields {
        sandbox: &plan.name,
        ended,
        status,
        signal,
        exit_status: report.exit_code(plan),
        timed_out: report.timed_out,
        oom_kills: report.oom_kills,
        fork_failures: report.fork_failures,
        left: report.left.iter().map(|path| path.display().to_string()).collect(),
        failure,
        not_in_force: degraded
            .map(|it| NotInForce { key: &it.key, place: files.place(it.span), reason: &it.reason })
            .collect(),
    }
}
