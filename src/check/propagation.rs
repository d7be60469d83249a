//! What the host mounts later, and how it comes into the sandbox: mount_namespaces(7), "Shared subtrees".

use super::mnt::below;
use crate::host::HostFacts;
use crate::policy::{Entry, EntryKind, Mode, MountSource, NsKind, Propagation, Sandbox, Strength, Traced};
use crate::report::Diagnostic;

/// The binds that are not private, each with its source.
fn propagating(sandbox: &Sandbox) -> impl Iterator<Item = (&Traced<Entry>, &str, Propagation)> {
    let entries = sandbox.mnt.entries.iter().filter(|_| sandbox.is_new(NsKind::Mnt));
    entries.filter_map(|entry| match &entry.value.kind {
        EntryKind::Mount(MountSource::Bind { source, propagation, .. }) if *propagation != Propagation::Private => {
            Some((entry, source.as_str(), *propagation))
        }
        _ => None,
    })
}

pub(super) fn check(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    for (entry, source, propagation) in propagating(sandbox) {
        let user = &sandbox.user.mode;
        if propagation == Propagation::Shared && user.value != Mode::Host {
            out.push(
                Diagnostic::error("propagation-shared", "no mount of a user namespace of its own reaches the host")
                    .label(entry.span(), "is to lead out")
                    .label(user.span(), "less privileged than the host's")
                    .help("write `propagation: slave`: what the host mounts is seen, and nothing leads out"),
            );
            continue;
        }
        if let Some(other) = sandbox
            .mnt
            .entries
            .iter()
            .find(|it| it.value.path != entry.value.path && below(&it.value.path, &entry.value.path))
        {
            out.push(
                Diagnostic::error(
                    "propagation-below",
                    format!("the host may mount something over {}", other.value.path),
                )
                .label(other.span(), "would be covered by it")
                .label(entry.span(), "what the host mounts comes along")
                .help("move one of the two, or delete `propagation`"),
            );
        }
        out.push(
            Diagnostic::advice(
                "propagation-as-mounted",
                format!("what the host mounts below {source} later comes along as the host has mounted it"),
            )
            .label(entry.span(), "`ro`, `nosuid`, `nodev` and `noexec` are about what is mounted there at the start")
            .help(
                "let the host mount it with the flags that it needs; `landlock { files = tree }` holds for it as well",
            ),
        );
    }
}

pub(super) fn check_host(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    for (entry, source, propagation) in propagating(sandbox).filter(|it| it.0.strength == Strength::Required) {
        let Some(fact) = facts.paths.get(source) else { continue };
        let word = fact.propagation.as_str();
        if word == "shared" || word.is_empty() || propagation == Propagation::Slave && word == "slave" {
            continue;
        }
        out.push(
            Diagnostic::error("propagation-private", format!("{source} is on a mount that is {word} on {}", facts.name))
                .label(entry.span(), "nothing would come along")
                .help(format!("as root: `mount --make-shared` on the mount that has {source} (findmnt -o TARGET,PROPAGATION shows it), or delete `propagation`")),
        );
    }
}
