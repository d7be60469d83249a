//! Every path of the host that a sandbox brings in.

use crate::host::{HostFacts, PathFact};
use crate::policy::{Access, EntryKind, MountSource, Outside, Overlay, Root, Sandbox, SecretFrom, Strength, Upper};
use crate::source::Span;

/// A path of the host that is brought in, but for a root that is one directory.
pub(super) struct Bound {
    /// The statement.
    pub(super) span: Span,
    pub(super) strength: Strength,
    /// The absolute path on the host.
    pub(super) path: String,
    pub(super) access: Access,
    /// Whether it is a layer of an overlay: a directory, without what is mounted below it.
    pub(super) layer: bool,
}

/// All of them, in the order of the tree.
pub(super) fn sources(sandbox: &Sandbox) -> Vec<Bound> {
    let mut found = Vec::new();
    if let Some(root) = &sandbox.mnt.root {
        let (span, strength) = (root.span(), root.strength);
        match &root.value {
            Root::Overlay(overlay) => layers(overlay, span, strength, &mut found),
            Root::Image(image) => {
                found.push(Bound { span, strength, path: image.path.clone(), access: Access::Ro, layer: false });
            }
            _ => {}
        }
    }
    for entry in &sandbox.mnt.entries {
        let (span, strength) = (entry.span(), entry.strength);
        match &entry.value.kind {
            EntryKind::Mount(MountSource::Bind { source, access, .. }) => {
                found.push(Bound { span, strength, path: source.clone(), access: *access, layer: false });
            }
            EntryKind::Mount(
                MountSource::Device { source: path } | MountSource::Secret { from: SecretFrom::File(path) },
            ) => found.push(Bound { span, strength, path: path.clone(), access: Access::Ro, layer: false }),
            EntryKind::Mount(MountSource::Overlay(overlay)) => layers(overlay, span, strength, &mut found),
            _ => {}
        }
    }
    found
}

fn layers(overlay: &Overlay, span: Span, strength: Strength, found: &mut Vec<Bound>) {
    let mut add = |path: String, access: Access| found.push(Bound { span, strength, path, access, layer: true });
    overlay.lower.iter().for_each(|it| add(it.clone(), Access::Ro));
    if let Upper::Kept { parent, upper, work } = &overlay.upper {
        let parent = parent.trim_end_matches('/');
        add(format!("{parent}/{upper}"), Access::Rw);
        add(format!("{parent}/{work}"), Access::Rw);
    }
}

/// Who the program is outside: the host's number of its user.
fn outer_uid(sandbox: &Sandbox, facts: &HostFacts) -> u32 {
    let by_root = facts.caller.uid == 0 && facts.caller.initial_userns;
    match sandbox.user.uid_map.first().map(|it| &it.value.outside) {
        Some(Outside::Caller) | None => facts.caller.uid,
        Some(Outside::Unprivileged) if !by_root => facts.caller.uid,
        Some(Outside::Outer { id, .. }) => *id,
        // A caller who is root gets an id of its own for the program, which owns nothing on the host.
        Some(Outside::Unprivileged | Outside::Subid { .. }) => u32::MAX,
    }
}

/// Whether the permissions of a path let the program do this (4 read, 2 write, 1 execute, as in chmod(1)).
pub(super) fn may(sandbox: &Sandbox, facts: &HostFacts, fact: &PathFact, what: u32) -> bool {
    let outer = outer_uid(sandbox, facts);
    let caller = &facts.caller;
    let in_group = outer == caller.uid && (caller.gid == fact.gid || caller.groups.contains(&fact.gid));
    outer == 0
        || fact.mode & what == what
        || fact.uid == outer && fact.mode >> 6 & what == what
        || in_group && fact.mode >> 3 & what == what
}
