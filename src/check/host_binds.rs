//! What a bind mount takes along from the host whether one likes it or not: flags, and what is mounted below.

use crate::host::{HostFacts, PathFact};
use crate::policy::{Entry, EntryKind, MountFlags, MountSource, NsKind, Sandbox, Strength, Traced};
use crate::report::Diagnostic;

pub(super) fn check(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    // Who has CAP_SYS_ADMIN where the mount was made may do both.
    if !sandbox.is_new(NsKind::Mnt) || facts.caller.has("sys_admin") && facts.caller.initial_userns {
        return;
    }
    for entry in sandbox.mnt.entries.iter().filter(|it| it.strength == Strength::Required) {
        let EntryKind::Mount(MountSource::Bind { source, recursive, flags, .. }) = &entry.value.kind else { continue };
        let Some(fact) = facts.paths.get(source) else { continue };
        locked_flags(entry, source, flags, fact, out);
        if let (Some(below), false) = (fact.submounts.first(), recursive) {
            out.push(
                Diagnostic::error(
                    "bind-locked-tree",
                    format!("`{}` cannot take {source} without what is mounted below it", facts.caller.user),
                )
                .label(entry.span(), format!("{below} is mounted below it"))
                .help("delete `recursive: false`, and hide below it what is not to be seen"),
            );
        }
    }
}

/// mount_namespaces(7): flags of a mount that a more privileged user namespace has made cannot be cleared in another.
fn locked_flags(entry: &Traced<Entry>, source: &str, flags: &MountFlags, fact: &PathFact, out: &mut Vec<Diagnostic>) {
    for (given, flag, word) in [(!flags.nosuid, "nosuid", "suid"), (!flags.nodev, "nodev", "dev")] {
        if given && fact.mount_flags.iter().any(|it| it == flag) {
            out.push(
                Diagnostic::warning("locked-flags", format!("{source} is `{flag}` on the host, and stays so"))
                    .label(entry.span(), format!("`{word}` changes nothing"))
                    .help(format!("delete `{word}`, or mount the host's file system without `{flag}`")),
            );
        }
    }
}
