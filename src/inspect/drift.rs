//! Whether what runs is still what the file says, and whether the kernel still has it so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Serialize;

use super::differences::{limit_name, plain};
use super::process::ProcessFacts;
use crate::plan::{Action, Attribute, CgroupLimit, FilterSpec, Plan, describe, number_list};
use crate::state::Record;

/// One thing that is not as it should be. The names of the fields are part of the interface of `nsl drift --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// The key of the statement, or what was looked at.
    pub what: String,
    /// What should be; absent where nothing should.
    pub should: Option<String>,
    /// What is; absent where nothing is.
    pub is: Option<String>,
}

/// What the plan that was performed has and the file's has not, and the other way round.
pub fn from_file(performed: &Plan, file: &Plan) -> Vec<Drift> {
    let (was, should) = (said(performed), said(file));
    let mut found: Vec<Drift> = Vec::new();
    for (text, what) in &should {
        if !was.contains_key(text) {
            found.push(Drift { what: what.clone(), should: Some(text.clone()), is: None });
        }
    }
    for (text, what) in &was {
        if should.contains_key(text) {
            continue;
        }
        // A value that was changed is one difference, not two.
        match found.iter_mut().find(|it| it.what == *what && it.is.is_none()) {
            Some(changed) => changed.is = Some(text.clone()),
            None => found.push(Drift { what: what.clone(), should: None, is: Some(text.clone()) }),
        }
    }
    found
}

/// Every step in words that do not depend on numbers of this run, with its key.
fn said(plan: &Plan) -> BTreeMap<String, String> {
    let sources: Vec<(u32, &str)> = plan
        .steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::OpenSource { id, path, .. } => Some((*id, path.as_str())),
            _ => None,
        })
        .collect();
    let mut said = BTreeMap::new();
    for step in &plan.steps {
        let mut text = match &step.action {
            // Where cgroups are made depends on who runs nsl.
            Action::RequestScope { .. } | Action::CreateCgroup(_) | Action::EnterCgroup(_) => continue,
            Action::LimitCgroup { limit, .. } => format!("{limit:?}"),
            Action::Clone { namespaces, .. } => {
                let names: BTreeSet<&str> = namespaces.iter().map(|it| it.name()).collect();
                format!("new namespaces: {}", names.into_iter().collect::<Vec<_>>().join(" "))
            }
            Action::InstallFilter(spec) => filter_text(spec),
            Action::RestrictLandlock(spec) => format!("{spec:?}"),
            Action::Exec { argv, env } => {
                let text = |bytes: &crate::plan::Bytes| String::from_utf8_lossy(bytes.as_bytes()).into_owned();
                // Values that are inherited differ between callers.
                let names = env.iter().map(|it| text(it).split('=').next().unwrap_or_default().to_string());
                let names: BTreeSet<String> = names.collect();
                let argv: Vec<String> = argv.iter().map(text).collect();
                format!("run {argv:?} with the variables {names:?}")
            }
            action => describe(action),
        };
        for (id, path) in sources.iter().rev() {
            text = text.replace(&format!("source {id}"), &format!("source `{path}`"));
        }
        said.insert(text, step.why.clone());
    }
    let ending = &plan.ending;
    let text = format!(
        "stop by {}, kill after {}ns, at the latest after {:?}ns",
        ending.signal.name, ending.timeout, ending.after
    );
    said.insert(text, "stop".to_string());
    said
}

fn filter_text(spec: &FilterSpec) -> String {
    let mut text = format!("filter: otherwise {:?}", spec.otherwise);
    for call in &spec.calls {
        let verdicts: Vec<String> =
            call.verdicts.iter().map(|it| format!("{:?} if {:?}", it.action, it.conditions)).collect();
        text.push_str(&format!("; {} {}", call.name, verdicts.join(", ")));
    }
    text
}

/// What the kernel has otherwise than the plan that was performed.
pub fn from_kernel(record: &Record, performed: &Plan, program: &ProcessFacts) -> Vec<Drift> {
    let mut found = Vec::new();
    let mut tell = |what: &str, should: String, is: String| {
        if should != is {
            found.push(Drift { what: what.to_string(), should: Some(should), is: Some(is) });
        }
    };
    for (kind, id) in &record.namespaces {
        if let Some(is) = program.namespaces.get(kind) {
            tell(&format!("{kind} namespace"), id.to_string(), is.to_string());
        }
    }
    let mounts: BTreeSet<&str> = program.mounts.iter().map(|it| it.target.as_str()).collect();
    for step in &performed.steps {
        match &step.action {
            Action::NoNewPrivs => tell("no_new_privs", "true".into(), program.no_new_privs.to_string()),
            Action::InstallFilter(_) => tell("seccomp mode", "2".into(), program.seccomp.to_string()),
            Action::SetCapabilities { keep, .. } => {
                let kept: BTreeSet<String> = keep.iter().map(|it| plain(it)).collect();
                for set in ["effective", "permitted", "bounding"] {
                    let more: Vec<&str> = program
                        .capabilities
                        .get(set)
                        .into_iter()
                        .flatten()
                        .filter(|it| !kept.contains(*it))
                        .map(String::as_str)
                        .collect();
                    tell(&format!("{set} capabilities beyond those kept"), String::new(), more.join(" "));
                }
            }
            Action::SetRlimit { resource, value } => {
                let is = limit_name(resource).and_then(|name| program.limits.get(name));
                let should = value.map_or("unlimited".to_string(), |it| it.to_string());
                if let Some((_, hard)) = is {
                    tell(&step.why, should, hard.clone());
                }
            }
            Action::SetLabel { label, .. } => {
                // AppArmor shows the mode behind the name, and a label that nobody may read is not shown.
                if let Some(is) = program.attributes.get("label") {
                    let is = is.rsplit_once(" (").map_or(is.as_str(), |it| it.0);
                    tell(&step.why, label.clone(), is.to_string());
                }
            }
            Action::SetAttribute(attribute) => {
                if let Some((name, should)) = attribute_fact(attribute)
                    && let Some(is) = program.attributes.get(name)
                {
                    tell(&step.why, should, is.clone());
                }
            }
            Action::Mount { target, .. }
                if step.required && !mounts.is_empty() && !mounts.contains(target.as_str()) =>
            {
                tell(&step.why, "mounted".into(), "not mounted".into());
            }
            Action::LimitCgroup { limit, .. } => {
                for (files, should) in limit_files(limit) {
                    let read = |dir: &PathBuf| files.iter().find_map(|it| std::fs::read_to_string(dir.join(it)).ok());
                    if let Some(is) = record.cgroups.iter().find_map(read) {
                        tell(&step.why, should, is.trim().to_string());
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// What [`ProcessFacts`] calls an attribute, and how it shows it. Nobody can read the others of another process; and its umask a program
/// changes as it likes.
fn attribute_fact(attribute: &Attribute) -> Option<(&'static str, String)> {
    Some(match attribute {
        Attribute::Nice(nice) => ("nice", nice.to_string()),
        Attribute::Scheduling(it) if it.policy.is_real_time() => {
            ("scheduling", format!("{} {}", it.policy.name(), it.priority))
        }
        Attribute::Scheduling(it) => ("scheduling", it.policy.name().to_string()),
        Attribute::CpuAffinity(cpus) => ("cpus", number_list(cpus)),
        Attribute::OomScoreAdj(score) => ("oom_score_adj", score.to_string()),
        _ => return None,
    })
}

/// The files of cgroups v2 and v1 in which a limit can be read as it was written.
fn limit_files(limit: &CgroupLimit) -> Vec<([&'static str; 2], String)> {
    const PAGE: u64 = 4096;
    match limit {
        // The kernel counts in pages, and rounds down.
        CgroupLimit::MemoryMax(bytes) => {
            vec![(["memory.max", "memory.limit_in_bytes"], (bytes / PAGE * PAGE).to_string())]
        }
        CgroupLimit::PidsMax(count) => vec![(["pids.max", "pids.max"], count.to_string())],
        _ => Vec::new(),
    }
}
