//! All namespaces as a table or a tree.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::ps::table;
use crate::host::{Census, SeenNamespace};
use crate::plan::NsKind;

/// What a tree is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branches {
    /// Below each user namespace those that it owns.
    Owner,
    /// Below each user or PID namespace those that it contains.
    Parent,
}

/// A row a namespace.
pub fn namespaces_table(census: &Census, width: usize) -> String {
    let number = |it: Option<u64>| it.map_or("-".to_string(), |it| it.to_string());
    let rows: Vec<Vec<String>> = census
        .namespaces
        .iter()
        .map(|it| {
            vec![
                it.kind.name().to_string(),
                it.id.to_string(),
                it.processes.len().to_string(),
                it.processes.first().map_or("-".to_string(), |it| it.to_string()),
                number(it.owner),
                it.uid.map_or("-".to_string(), |it| it.to_string()),
                told(it),
            ]
        })
        .collect();
    table(&["KIND", "ID", "PROCS", "PID", "OWNER", "UID", "WHAT"], &rows, width) + &hidden(census)
}

/// What of a namespace is worth telling: its first process, and what keeps it.
fn told(it: &SeenNamespace) -> String {
    let mut told: Vec<String> = it.command.iter().cloned().collect();
    told.extend(it.pinned.iter().map(|path| format!("pinned by {}", path.display())));
    if it.processes.is_empty() {
        told.extend(it.held.iter().map(|it| format!("held by descriptor {} of process {}", it.fd, it.pid)));
        if it.pinned.is_empty() && it.held.is_empty() {
            told.push("kept by those below it".to_string());
        }
    }
    told.join(", ")
}

fn hidden(census: &Census) -> String {
    match census.hidden {
        0 => String::new(),
        1 => "1 process may not be looked at by this user\n".to_string(),
        count => format!("{count} processes may not be looked at by this user\n"),
    }
}

/// A tree.
pub fn namespaces_tree(census: &Census, branches: Branches) -> String {
    let mut out = String::new();
    let shown: Vec<&SeenNamespace> = census
        .namespaces
        .iter()
        .filter(|it| branches == Branches::Owner || matches!(it.kind, NsKind::User | NsKind::Pid))
        .collect();
    let above = |it: &SeenNamespace| match branches {
        Branches::Owner => it.owner.map(|id| (NsKind::User, id)),
        Branches::Parent => it.parent.map(|id| (it.kind, id)),
    };
    let known = |key: (NsKind, u64)| shown.iter().any(|it| (it.kind, it.id) == key);
    let mut seen = BTreeSet::new();
    // A root has nothing above it that is seen.
    for root in shown.iter().filter(|it| above(it).is_none_or(|key| !known(key))) {
        branch(&mut out, &shown, &above, root, 0, &mut seen);
    }
    out + &hidden(census)
}

fn branch(
    out: &mut String,
    shown: &[&SeenNamespace],
    above: &dyn Fn(&SeenNamespace) -> Option<(NsKind, u64)>,
    it: &SeenNamespace,
    depth: usize,
    seen: &mut BTreeSet<(NsKind, u64)>,
) {
    if !seen.insert((it.kind, it.id)) {
        return;
    }
    let clean: String = told(it).chars().map(|it| if it.is_control() { '?' } else { it }).take(60).collect();
    let mark = if it.own { " (the caller's)" } else { "" };
    let _ = writeln!(
        out,
        "{}{} {}{mark}  {} processes  {clean}",
        "  ".repeat(depth),
        it.kind.name(),
        it.id,
        it.processes.len()
    );
    for below in shown.iter().filter(|below| above(below) == Some((it.kind, it.id))) {
        branch(out, shown, above, below, depth + 1, seen);
    }
}
