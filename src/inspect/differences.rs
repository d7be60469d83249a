//! Two processes, or what a policy would make and a process, side by side.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::kinds::KINDS;
use super::process::ProcessFacts;
use crate::plan::{Action, MountStep, NsKind, Plan};

/// What is known of one side; what is `None` is not compared.
#[derive(Clone, Debug, Default)]
pub struct Side {
    /// What it is called.
    pub name: String,
    /// `new`, or the inode number.
    namespaces: BTreeMap<String, String>,
    uid_map: Option<Vec<String>>,
    gid_map: Option<Vec<String>>,
    mounts: Option<BTreeMap<String, String>>,
    /// Whether a mount that is not in `mounts` is not there; what a policy would mount is not all that there would be.
    all_mounts: bool,
    capabilities: Option<BTreeMap<String, Vec<String>>>,
    no_new_privs: Option<bool>,
    seccomp: Option<u8>,
    limits: BTreeMap<String, String>,
}

/// One line of a comparison. The names of the fields are part of the interface of `nsl ns diff --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What is compared: `net`, `uid_map`, `mount /tmp`.
    pub what: String,
    /// Whether both have the same.
    pub same: bool,
    /// What the first one has.
    pub first: String,
    /// What the second one has.
    pub second: String,
    /// What that means.
    pub meaning: String,
}

impl Side {
    /// A process.
    pub fn of_process(name: &str, facts: &ProcessFacts) -> Side {
        Side {
            name: name.to_string(),
            namespaces: facts.namespaces.iter().map(|(kind, id)| (kind.clone(), id.to_string())).collect(),
            uid_map: Some(facts.uid_map.clone()),
            gid_map: Some(facts.gid_map.clone()),
            mounts: Some(facts.mounts.iter().map(|it| (it.target.clone(), access(&it.options))).collect()),
            all_mounts: true,
            capabilities: Some(facts.capabilities.clone()),
            no_new_privs: Some(facts.no_new_privs),
            seccomp: Some(facts.seccomp),
            limits: facts.limits.iter().map(|(name, (soft, _))| (name.clone(), soft.clone())).collect(),
        }
    }

    /// What a plan would make, for the caller whose facts these are.
    pub fn of_plan(name: &str, plan: &Plan, caller: &ProcessFacts) -> Side {
        let mut side = Side { name: name.to_string(), ..Side::default() };
        side.namespaces = caller.namespaces.iter().map(|(kind, id)| (kind.clone(), id.to_string())).collect();
        let maps = |lines: &[crate::plan::MapLine]| {
            Some(lines.iter().map(|it| format!("{} {} {}", it.inside, it.outside, it.count)).collect())
        };
        let mut mounts = BTreeMap::new();
        let mut own_tree = false;
        side.no_new_privs = Some(false);
        side.seccomp = Some(0);
        for step in &plan.steps {
            match &step.action {
                Action::Clone { namespaces, .. } => {
                    for kind in namespaces {
                        side.namespaces.insert(kind.name().to_string(), "new".to_string());
                        own_tree |= *kind == NsKind::Mnt;
                    }
                }
                Action::UnshareCgroup => drop(side.namespaces.insert("cgroup".into(), "new".into())),
                Action::UnshareTime => drop(side.namespaces.insert("time".into(), "new".into())),
                Action::JoinNamespace(kind) => drop(side.namespaces.insert(kind.name().into(), "joined".into())),
                Action::MapUids(mapping) => side.uid_map = maps(&mapping.lines),
                Action::MapGids(mapping) => side.gid_map = maps(&mapping.lines),
                Action::Mount { target, source } => drop(mounts.insert(target.clone(), mount_access(source))),
                Action::SetCapabilities { keep, ambient } => {
                    let named = |list: &[String]| list.iter().map(|it| plain(it)).collect::<Vec<_>>();
                    let sets =
                        ["effective", "permitted", "inheritable", "bounding"].map(|set| (set.into(), named(keep)));
                    let mut sets: BTreeMap<String, Vec<String>> = sets.into_iter().collect();
                    sets.insert("ambient".to_string(), named(ambient));
                    side.capabilities = Some(sets);
                }
                Action::NoNewPrivs => side.no_new_privs = Some(true),
                Action::InstallFilter(_) => side.seccomp = Some(2),
                Action::SetRlimit { resource, value } => {
                    if let Some(name) = limit_name(resource) {
                        let value = value.map_or("unlimited".to_string(), |it| it.to_string());
                        side.limits.insert(name.to_string(), value);
                    }
                }
                _ => {}
            }
        }
        side.mounts = own_tree.then_some(mounts);
        side
    }
}

/// The name in proc_pid_limits(5) of a resource of the language.
pub fn limit_name(resource: &str) -> Option<&'static str> {
    Some(match resource {
        "as" => "address space",
        "core" => "core file size",
        "cpu" => "cpu time",
        "data" => "data size",
        "fsize" => "file size",
        "locks" => "file locks",
        "memlock" => "locked memory",
        "msgqueue" => "msgqueue size",
        "nice" => "nice priority",
        "nofile" => "open files",
        "nproc" => "processes",
        "rss" => "resident set",
        "rtprio" => "realtime priority",
        "rttime" => "realtime timeout",
        "sigpending" => "pending signals",
        "stack" => "stack size",
        _ => return None,
    })
}

fn access(options: &str) -> String {
    if options.split(',').any(|it| it == "ro") { "ro".to_string() } else { "rw".to_string() }
}

fn mount_access(source: &MountStep) -> String {
    // What the executor mounts read-only says so by its kind.
    match source {
        MountStep::Bind { access, .. } => format!("{access:?}").to_lowercase(),
        _ => String::new(),
    }
}

/// `CAP_SYS_ADMIN` and `sys_admin` are one.
pub fn plain(capability: &str) -> String {
    capability.to_lowercase().trim_start_matches("cap_").to_string()
}

/// What two sides have in common, and what not.
pub fn differences(first: &Side, second: &Side) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut tell = |what: String, first: String, second: String, meaning: (&str, &str)| {
        let same = first == second && first != "new";
        let meaning = if same { meaning.0 } else { meaning.1 }.to_string();
        found.push(Difference { what, same, first, second, meaning });
    };
    for kind in &KINDS {
        let of = |side: &Side| side.namespaces.get(kind.name).cloned();
        if let (Some(first), Some(second)) = (of(first), of(second)) {
            tell(kind.name.to_string(), first, second, (kind.shared, kind.apart));
        }
    }
    for (what, first, second) in
        [("uid_map", &first.uid_map, &second.uid_map), ("gid_map", &first.gid_map, &second.gid_map)]
    {
        if let (Some(first), Some(second)) = (first, second) {
            let meaning = ("an id inside is the same id outside", "the same id inside is another id outside");
            tell(what.to_string(), first.join(", "), second.join(", "), meaning);
        }
    }
    if let (Some(first), Some(second)) = (&first.capabilities, &second.capabilities) {
        for (set, meaning) in [
            ("effective", "what the kernel lets it do now"),
            ("permitted", "what it can raise again"),
            ("inheritable", "what a program with file capabilities can take over"),
            ("bounding", "what it can ever gain by executing a program"),
            ("ambient", "what every program that it executes keeps"),
        ] {
            let of = |side: &BTreeMap<String, Vec<String>>| side.get(set).map(|it| listed(it)).unwrap_or_default();
            tell(format!("capabilities {set}"), of(first), of(second), (meaning, meaning));
        }
    }
    if let (Some(first), Some(second)) = (first.no_new_privs, second.no_new_privs) {
        let meaning = (
            "both gain, or do not gain, privileges from set-user-id programs",
            "only the one without it gains privileges from set-user-id programs and file capabilities",
        );
        tell("no_new_privs".to_string(), first.to_string(), second.to_string(), meaning);
    }
    if let (Some(first), Some(second)) = (first.seccomp, second.seccomp) {
        let word = |mode: u8| ["none", "strict", "filter"].get(usize::from(mode)).unwrap_or(&"?").to_string();
        let meaning = (
            "the mode is the same; which calls a filter refuses the kernel does not show",
            "only one of them has its system calls filtered",
        );
        tell("seccomp".to_string(), word(first), word(second), meaning);
    }
    for (name, value) in &first.limits {
        if let Some(other) = second.limits.get(name).filter(|other| *other != value) {
            tell(
                format!("limit {name}"),
                value.clone(),
                other.clone(),
                ("", "the kernel stops the one earlier than the other"),
            );
        }
    }
    let all = (first.all_mounts, second.all_mounts);
    if let (Some(first), Some(second)) = (&first.mounts, &second.mounts) {
        let targets: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
        let told = |it: &&String| (all.0 || first.contains_key(*it)) && (all.1 || second.contains_key(*it));
        for target in targets.into_iter().filter(told) {
            let of = |side: &BTreeMap<String, String>| side.get(target).cloned().unwrap_or_else(|| "-".to_string());
            let (one, other) = (of(first), of(second));
            let known = !one.is_empty() && !other.is_empty();
            if one != other && known {
                let meaning = match (one.as_str(), other.as_str()) {
                    ("-", _) | (_, "-") => {
                        "only one of them has a mount there; the other sees what is below, or nothing"
                    }
                    _ => "only one of them may write there",
                };
                tell(format!("mount {target}"), one, other, ("", meaning));
            }
        }
    }
    found
}

fn listed(names: &[String]) -> String {
    match names.len() {
        0 => "none".to_string(),
        length if length > 37 => "all".to_string(),
        _ => names.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_is_never_shared() {
        let side = |id: &str| Side { namespaces: [("net".to_string(), id.to_string())].into(), ..Side::default() };
        assert!(differences(&side("7"), &side("7"))[0].same);
        assert!(!differences(&side("7"), &side("8"))[0].same);
        assert!(!differences(&side("new"), &side("new"))[0].same);
    }
}
