//! Overlays on a host: what its file systems and its kernel make of the layers.

use super::host_sources::Bound;
use crate::host::{HostFacts, PathFact, PathKind};
use crate::policy::{EntryKind, MountSource, NsKind, Overlay, Root, Sandbox, Upper};
use crate::report::Diagnostic;
use crate::source::Span;

/// One layer.
pub(super) fn check_host(bound: &Bound, fact: &PathFact, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    let path = &bound.path;
    if matches!(fact.kind, PathKind::Missing | PathKind::Forbidden) {
        return;
    }
    if fact.kind != PathKind::Dir {
        out.push(
            Diagnostic::error(
                "layer-no-directory",
                format!("{path} is no directory, and a layer of an overlay is one"),
            )
            .label(bound.span, "a layer of this overlay")
            .help("name a directory; a single file is brought in with `bind`"),
        );
    } else if let Some(first) = fact.submounts.first() {
        let finding = match facts.caller.has("sys_admin") {
            false => Diagnostic::error(
                "layer-with-mounts",
                format!("{first} is mounted below {path}, and the kernel does not part the two in a user namespace"),
            )
            .help("name directories without mounts below them, or run as root, who gets the layer without them"),
            true => Diagnostic::advice(
                "layer-without-mounts",
                format!("what is mounted below {path} is no part of the layer: {first}, for one"),
            )
            .help("mount it beside the overlay, if it is needed: `mount PATH = bind(ro)`"),
        };
        out.push(finding.label(bound.span, "a layer of this overlay"));
    }
}

/// What the kernel can and cannot do.
pub(super) fn check_kernel(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    if !sandbox.is_new(NsKind::Mnt) || !sandbox.is_new(NsKind::User) || facts.kernel.at_least(6, 6) {
        return;
    }
    for (span, overlay) in overlays(sandbox) {
        if matches!(overlay.upper, Upper::Ephemeral { .. }) {
            out.push(
                Diagnostic::warning(
                    "overlay-partial",
                    format!(
                        "on Linux {} a directory of a layer below cannot be emptied and removed, or made again, in this overlay",
                        facts.kernel.release
                    ),
                )
                .label(span, "its changes are kept in memory, in a user namespace")
                .help("use Linux 6.6 or later, or keep the changes on a disk with `upper` and `work`"),
            );
        }
    }
}

/// Every overlay of a sandbox.
fn overlays(sandbox: &Sandbox) -> impl Iterator<Item = (Span, &Overlay)> {
    let root = sandbox.mnt.root.as_ref().and_then(|root| match &root.value {
        Root::Overlay(overlay) => Some((root.span(), overlay)),
        _ => None,
    });
    let entries = sandbox.mnt.entries.iter().filter_map(|entry| match &entry.value.kind {
        EntryKind::Mount(MountSource::Overlay(overlay)) => Some((entry.span(), overlay)),
        _ => None,
    });
    root.into_iter().chain(entries)
}
