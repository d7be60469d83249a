//! Every path of the host that a sandbox brings in.

use crate::policy::{Access, EntryKind, MountSource, Overlay, Root, Sandbox, Strength, Upper};
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
    if let Some(root) = &sandbox.mnt.root
        && let Root::Overlay(overlay) = &root.value
    {
        layers(overlay, root.span(), root.strength, &mut found);
    }
    for entry in &sandbox.mnt.entries {
        let (span, strength) = (entry.span(), entry.strength);
        match &entry.value.kind {
            EntryKind::Mount(MountSource::Bind { source, access, .. }) => {
                found.push(Bound { span, strength, path: source.clone(), access: *access, layer: false });
            }
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
