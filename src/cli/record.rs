//! `nsl run --report FILE`: how a run ended, for machines. The names of the fields are part of the interface, described in
//! grammar/README.md; a change of their meaning changes [`FORMAT`].

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write;
use std::time::Duration;

use nsl::execute::{self, Ended, Notice, Report, WhyRefused};
use nsl::plan::{Plan, PodPlan};
use nsl::report::{Diagnostic, Format, Style, render};
use nsl::schema::constants;
use nsl::source::Files;
use serde::Serialize;
use serde_json::Value;

use super::terminal;

/// The version of the fields.
const FORMAT: u32 = 1;

/// The file, opened before anything else, so that no run ends without the report that was asked for.
pub struct Record {
    name: OsString,
    file: File,
}

#[derive(Serialize)]
struct Fields<'a> {
    format: u32,
    sandbox: &'a str,
    /// `exited`, `signaled` or `failed`.
    ended: &'static str,
    /// The program's own; null where a signal ended it or it never ran.
    status: Option<i32>,
    signal: Option<i32>,
    signal_name: Option<String>,
    core_dumped: bool,
    /// What nsl exits with.
    exit_status: i32,
    /// The keys of the limits that were hit.
    limits_hit: Vec<&'static str>,
    timed_out: bool,
    oom_kills: u64,
    fork_failures: u64,
    refused_call: Option<RefusedCall>,
    refused_names: Option<RefusedNames>,
    failure: Option<Failure>,
    not_in_force: Vec<NotInForce>,
    usage: Option<Usage>,
    cgroup: Cgroup,
    /// Inode numbers by kind.
    namespaces: BTreeMap<&'static str, u64>,
    /// Namespaces that files keep.
    kept: Vec<Kept>,
    times: Times,
    /// Cgroups that could not be removed.
    left: Vec<String>,
    /// What was said at the end, as `nsl check --format json` says it.
    findings: Vec<Value>,
}

/// What is known of a pod at its end, beside its report.
pub struct Ending<'a> {
    /// What nsl exits with.
    pub status: i32,
    /// What was said.
    pub said: &'a [Diagnostic],
    /// The reports of its containers, a line each.
    pub members: &'a str,
}

#[derive(Serialize)]
struct PodFields<'a> {
    format: u32,
    pod: &'a str,
    /// `exited` or `failed`.
    ended: &'static str,
    exit_status: i32,
    refused_names: Option<RefusedNames>,
    failure: Option<Failure>,
    not_in_force: Vec<NotInForce>,
    cgroup: Cgroup,
    namespaces: BTreeMap<&'static str, u64>,
    kept: Vec<Kept>,
    times: Times,
    left: Vec<String>,
    findings: Vec<Value>,
    containers: Vec<Value>,
}

/// A run that was refused before anything was done.
#[derive(Serialize)]
struct Refused {
    format: u32,
    /// `refused`
    ended: &'static str,
    exit_status: i32,
    findings: Vec<Value>,
}

/// The system call for which the filter killed the program.
#[derive(Serialize)]
struct RefusedCall {
    number: u32,
    name: Option<&'static str>,
}

/// The names that the resolver has refused.
#[derive(Serialize)]
struct RefusedNames {
    /// In all.
    questions: u64,
    names: Vec<RefusedName>,
    /// Questions for names that are not listed.
    others: u64,
}

#[derive(Serialize)]
struct RefusedName {
    name: String,
    questions: u64,
    /// `not-named` or `not-public`.
    why: &'static str,
}

/// The step that failed.
#[derive(Serialize)]
struct Failure {
    code: &'static str,
    message: String,
    /// Its number in `nsl plan`, from 1; null where the sandbox was killed while it was put together.
    step: Option<usize>,
    /// 0 where no system call failed.
    errno: i32,
    errno_name: Option<&'static str>,
    place: Option<String>,
}

/// What the policy prefers and this host cannot.
#[derive(Serialize)]
struct NotInForce {
    key: String,
    place: String,
    reason: String,
}

/// A namespace that a file keeps.
#[derive(Serialize)]
struct Kept {
    kind: &'static str,
    /// Its inode number.
    id: u64,
    path: String,
}

/// What the processes used together.
#[derive(Serialize)]
struct Usage {
    user_us: u128,
    system_us: u128,
    max_rss_bytes: u64,
    minor_faults: u64,
    major_faults: u64,
    voluntary_switches: u64,
    involuntary_switches: u64,
}

/// What the cgroups counted.
#[derive(Serialize)]
struct Cgroup {
    memory_peak_bytes: Option<u64>,
    pids_peak: Option<u64>,
    cpu_us: Option<u128>,
    throttled: Option<u64>,
}

/// How long the stages took.
#[derive(Serialize)]
struct Times {
    prepare_us: Option<u128>,
    launch_us: Option<u128>,
    build_us: Option<u128>,
    run_us: Option<u128>,
    clean_us: u128,
    total_us: u128,
}

impl Record {
    /// Makes the file, or empties it. `-` is the standard output, `fd:N` a descriptor that was handed over.
    pub fn create(name: &OsStr) -> Result<Record, Diagnostic> {
        let number = match name.to_str() {
            Some("-") => Some(1),
            Some(text) => text.strip_prefix("fd:").and_then(|it| it.parse().ok()),
            None => None,
        };
        let file = match number {
            Some(number) => execute::duplicate(number).map(File::from),
            None => File::create(name),
        };
        let file = file.map_err(|error| {
            Diagnostic::error("report-unwritable", format!("`{}` cannot be written: {error}", name.display())).help(
                match number {
                    Some(_) => "name a descriptor that is open when nsl starts, as in `--report fd:3 3>report.json`",
                    None => "name a file in a directory that you may write to",
                },
            )
        })?;
        Ok(Record { name: name.to_os_string(), file })
    }

    /// Writes the report. The run is over; a failure can only be told.
    pub fn write(&mut self, plan: &Plan, files: &Files, report: &Report, said: &[Diagnostic]) {
        self.put(&fields(plan, files, report, said));
    }

    /// Writes the report of a pod: of itself, and of each run of a container, in the order in which they ended.
    pub fn write_pod(&mut self, plan: &PodPlan, files: &Files, report: &Report, ended: Ending) {
        let of_pod = fields(&plan.holder, files, report, ended.said);
        let mut containers: Vec<Value> = ended.members.lines().filter_map(|it| serde_json::from_str(it).ok()).collect();
        for container in &plan.containers {
            let name = container.plan.name.as_str();
            if !containers.iter().any(|it| it["sandbox"] == name) {
                containers.push(serde_json::json!({ "sandbox": name, "ended": "unreported" }));
            }
        }
        self.put(&PodFields {
            format: FORMAT,
            pod: &plan.name,
            ended: of_pod.ended,
            exit_status: ended.status,
            refused_names: of_pod.refused_names,
            failure: of_pod.failure,
            not_in_force: of_pod.not_in_force,
            cgroup: of_pod.cgroup,
            namespaces: of_pod.namespaces,
            kept: of_pod.kept,
            times: of_pod.times,
            left: of_pod.left,
            findings: of_pod.findings,
            containers,
        });
    }

    /// The report of one container, as a line.
    pub fn line(plan: &Plan, files: &Files, report: &Report, said: &[Diagnostic]) -> String {
        serde_json::to_string(&fields(plan, files, report, said)).unwrap_or_default() + "\n"
    }

    /// Writes that nothing was done.
    pub fn refused(&mut self, files: &Files, said: &[Diagnostic]) {
        let (format, exit_status, findings) = (FORMAT, super::REFUSED, findings(files, said));
        self.put(&Refused { format, ended: "refused", exit_status, findings });
    }

    fn put(&mut self, data: &impl Serialize) {
        let written = serde_json::to_vec_pretty(data).map_err(std::io::Error::from);
        let written = written.and_then(|mut text| {
            text.push(b'\n');
            self.file.write_all(&text)
        });
        if let Err(error) = written {
            terminal::say(&format!("nsl: {} cannot be written: {error}\n", self.name.display()));
        }
    }
}

/// Findings in the form of `nsl check --format json`.
pub fn findings(files: &Files, said: &[Diagnostic]) -> Vec<Value> {
    let style = Style { format: Format::Json, color: false, unicode: true, width: 80 };
    render(files, said, style).lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn fields<'a>(plan: &'a Plan, files: &Files, report: &Report, said: &[Diagnostic]) -> Fields<'a> {
    let (ended, status, signal) = match report.ended {
        Ended::Exited(status) => ("exited", Some(status), None),
        Ended::Signaled(signal) => ("signaled", None, Some(signal)),
        Ended::Failed(_) => ("failed", None, None),
    };
    let micros = |it: Option<Duration>| it.map(|it| it.as_micros());
    let (used, times) = (&report.cgroups, &report.times);
    Fields {
        format: FORMAT,
        sandbox: &plan.name,
        ended,
        status,
        signal,
        signal_name: signal.and_then(constants::signal_name).map(|name| format!("SIG{name}")),
        core_dumped: report.core_dumped,
        exit_status: report.exit_code(plan),
        limits_hit: execute::limits_hit(plan, report),
        timed_out: report.timed_out,
        oom_kills: used.oom_kills,
        fork_failures: used.fork_failures,
        refused_call: report.refused.as_ref().map(|it| RefusedCall { number: it.number, name: it.name }),
        refused_names: report.refused_names.as_ref().map(refused_names),
        failure: match &report.ended {
            Ended::Failed(notice) => Some(failure(plan, files, notice)),
            _ => None,
        },
        not_in_force: not_in_force(plan, files, report),
        usage: report.usage.as_ref().map(|it| Usage {
            user_us: it.user.as_micros(),
            system_us: it.system.as_micros(),
            max_rss_bytes: it.max_rss,
            minor_faults: it.minor_faults,
            major_faults: it.major_faults,
            voluntary_switches: it.voluntary_switches,
            involuntary_switches: it.involuntary_switches,
        }),
        cgroup: Cgroup {
            memory_peak_bytes: used.memory_peak,
            pids_peak: used.pids_peak,
            cpu_us: micros(used.cpu),
            throttled: used.throttled,
        },
        namespaces: report.namespaces.iter().map(|(kind, inode)| (kind.name(), *inode)).collect(),
        kept: report.kept.iter().map(|it| Kept { kind: it.kind.name(), id: it.id, path: it.path.clone() }).collect(),
        times: Times {
            prepare_us: micros(times.prepare),
            launch_us: micros(times.launch),
            build_us: micros(times.build),
            run_us: micros(times.run),
            clean_us: times.clean.as_micros(),
            total_us: times.total.as_micros(),
        },
        left: report.left.iter().map(|path| path.display().to_string()).collect(),
        findings: findings(files, said),
    }
}

fn refused_names(refused: &execute::RefusedNames) -> RefusedNames {
    let name = |it: &execute::RefusedName| RefusedName {
        name: it.name.clone(),
        questions: it.questions,
        why: match it.why {
            WhyRefused::NotNamed => "not-named",
            WhyRefused::NotPublic => "not-public",
        },
    };
    let execute::RefusedNames { questions, names, others } = refused;
    RefusedNames { questions: *questions, names: names.iter().map(name).collect(), others: *others }
}

fn failure(plan: &Plan, files: &Files, notice: &Notice) -> Failure {
    let finding = execute::explain(plan, notice);
    Failure {
        code: finding.code,
        step: plan.steps.get(notice.step).map(|_| notice.step + 1),
        errno: notice.failure.errno,
        errno_name: constants::errno_name(notice.failure.errno),
        place: finding.labels.first().map(|label| files.place(label.span)),
        message: finding.message,
    }
}

/// What was known before the run, and what came out in it.
fn not_in_force(plan: &Plan, files: &Files, report: &Report) -> Vec<NotInForce> {
    let known = plan.degraded.iter().map(|it| NotInForce {
        key: it.key.clone(),
        place: files.place(it.span),
        reason: it.reason.clone(),
    });
    let found = report.skipped.iter().filter_map(|notice| {
        let step = plan.steps.get(notice.step)?;
        Some(NotInForce { key: step.why.clone(), place: files.place(step.span), reason: notice.failure.to_string() })
    });
    known.chain(found).collect()
}
