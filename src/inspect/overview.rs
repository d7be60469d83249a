//! Everything about one sandbox: what was written down, what was performed, and what the kernel says now.

use std::fmt::Write;

use serde::Serialize;

use super::process::ProcessFacts;
use super::ps::{duration, rows, size};
use super::usage::Usage;
use crate::plan::{Action, Plan, describe};
use crate::state::{End, Entry, Phase, Process, Record};

/// One sandbox. The names of the fields are part of the interface of `nsl inspect --json`.
#[derive(Clone, Debug, Serialize)]
pub struct Overview {
    /// `running`, `frozen`, `starting` or `ended`.
    pub status: &'static str,
    /// Seconds since its program was started.
    pub seconds: Option<u64>,
    /// How it ended, where it has.
    pub end: Option<End>,
    /// What was written down.
    pub record: Option<Record>,
    /// What the kernel says of its program, where that can be looked at.
    pub program: Option<ProcessFacts>,
    /// What it uses.
    pub usage: Option<Usage>,
    /// Every process of it.
    pub processes: Vec<i32>,
    /// What was performed.
    pub plan: Option<Plan>,
}

/// Looks at a sandbox.
pub fn overview(entry: &Entry) -> Overview {
    let row = rows(std::slice::from_ref(entry), true).remove(0);
    let runs = entry.phase == Phase::Running;
    let record = entry.record.clone();
    let program = record.as_ref().filter(|_| runs).and_then(Record::living_program);
    Overview {
        status: row.status,
        seconds: row.seconds,
        end: match entry.phase {
            Phase::Ended(end) => end,
            _ => None,
        },
        program: program.and_then(ProcessFacts::read),
        usage: row.usage,
        processes: record.as_ref().filter(|_| runs).map(Record::processes).unwrap_or_default(),
        record,
        plan: entry.plan(),
    }
}

/// The overview for people.
pub fn overview_text(it: &Overview) -> String {
    let mut out = String::new();
    let Some(record) = &it.record else { return format!("{}\n", it.status) };
    let mut line = |name: &str, value: String| {
        let _ = writeln!(out, "{name:<12}  {value}");
    };
    line("name", record.name.clone());
    let status = match it.end {
        Some(end) => format!("ended with status {}", end.exit_status),
        None => format!("{}, started {} ago", it.status, it.seconds.map_or("-".to_string(), duration)),
    };
    line("status", status);
    line("policy", format!("{} of {}", record.sandbox, record.policy.display()));
    line("command", record.command.join(" "));
    let pid = |process: Option<Process>| process.map_or("-".to_string(), |it| it.pid.to_string());
    let (init, program) = (pid(record.init), pid(record.program));
    line(
        "processes",
        format!("nsl {}, init {init}, program {program}; {} in all", record.supervisor.pid, it.processes.len()),
    );
    if let Some(usage) = it.usage {
        let cpu = usage.cpu as f64 / 1e6;
        line("usage", format!("{cpu:.2}s of CPU, {} of memory, {} processes", size(usage.memory), usage.pids));
    }
    let own = Process::own().map(Process::namespaces).unwrap_or_default();
    out.push_str("\nnamespaces\n");
    for (kind, id) in &record.namespaces {
        let whose = if own.get(kind) == Some(id) { "the caller's" } else { "its own" };
        let _ = writeln!(out, "  {kind:<8}{id:<12}{whose}");
    }
    if let Some(program) = &it.program {
        process_text(&mut out, program);
    }
    if !record.cgroups.is_empty() {
        out.push_str("\ncgroups\n");
        for dir in &record.cgroups {
            let _ = writeln!(out, "  {}", dir.display());
        }
    }
    if let Some(plan) = &it.plan {
        plan_text(&mut out, plan);
    }
    out
}

fn process_text(out: &mut String, program: &ProcessFacts) {
    out.push_str("\nids: inside, outside, count\n");
    for (name, map) in [("uid", &program.uid_map), ("gid", &program.gid_map)] {
        for line in map {
            let _ = writeln!(out, "  {name}  {line}");
        }
    }
    out.push_str("\nrights of the program\n");
    for (set, names) in &program.capabilities {
        let names = if names.is_empty() { "none".to_string() } else { names.join(" ") };
        let _ = writeln!(out, "  capabilities {set:<13}{names}");
    }
    let _ = writeln!(out, "  no_new_privs {}", if program.no_new_privs { "yes" } else { "no" });
    let mode = match (program.seccomp, program.filters) {
        (2, Some(1)) => "a filter".to_string(),
        (2, Some(count)) => format!("{count} filters"),
        (2, None) => "filtered".to_string(),
        (0, _) => "none".to_string(),
        (mode, _) => format!("mode {mode}"),
    };
    let _ = writeln!(out, "  seccomp      {mode}");
    out.push_str("\nscheduling, and what it hands down\n");
    for (name, value) in &program.attributes {
        let _ = writeln!(out, "  {name:<14} {value}");
    }
    out.push_str("\nmounts\n");
    let widest = program.mounts.iter().map(|it| it.target.chars().count()).max().unwrap_or(0).min(40);
    for mount in &program.mounts {
        let _ = writeln!(out, "  {:<widest$}  {:<8}  {}", mount.target, mount.fs, mount.options);
    }
}

fn plan_text(out: &mut String, plan: &Plan) {
    out.push_str("\nlimits\n");
    let limits =
        plan.steps.iter().filter(|it| matches!(it.action, Action::LimitCgroup { .. } | Action::SetRlimit { .. }));
    for step in limits {
        let _ = writeln!(out, "  {}", describe(&step.action));
    }
    for degraded in &plan.degraded {
        let _ = writeln!(out, "  not in force: {}, because {}", degraded.key, degraded.reason);
    }
    out.push_str("\nwhat was performed, and which statement asked for it\n");
    for step in &plan.steps {
        let _ = writeln!(out, "  {}  ({})", describe(&step.action), step.why);
    }
}
