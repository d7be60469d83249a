//! Volumes of pods: what a container mounts by name is looked up in its pod.

use super::Cx;
use crate::policy::{Access, EntryKind, MountFlags, MountSource, Sandbox, Traced, Volume};
use crate::report::Diagnostic;
use crate::schema::suggest;
use crate::source::Span;

/// Gives every mount of a volume what the pod says of it. One of the host becomes the bind that it is; one in memory stays a volume, as
/// there is one for all.
pub fn settle(cx: &mut Cx, pod: &Sandbox, containers: &mut [Sandbox]) {
    let mut used: Vec<&str> = Vec::new();
    for container in containers {
        container.mnt.entries.retain_mut(|entry| {
            let span = entry.span();
            let EntryKind::Mount(mount) = &mut entry.value.kind else { return true };
            let MountSource::Volume { name, access, flags } = mount else { return true };
            let Some(volume) = pod.volumes.iter().find(|it| it.value.name == *name) else {
                unknown(cx, name, pod, span);
                return false;
            };
            used.push(&volume.value.name);
            if *access == Access::Rw {
                writable(cx, volume, span);
            }
            match &volume.value.source {
                MountSource::Bind { source, recursive, flags: of_volume, idmap, propagation, .. } => {
                    *mount = MountSource::Bind {
                        source: source.clone(),
                        access: *access,
                        recursive: *recursive,
                        flags: both(*of_volume, *flags),
                        idmap: *idmap,
                        propagation: *propagation,
                    };
                }
                MountSource::Tmpfs { flags: of_volume, .. } => *flags = both(*of_volume, *flags),
                _ => {}
            }
            true
        });
    }
    for volume in pod.volumes.iter().filter(|it| !used.contains(&it.value.name.as_str())) {
        cx.report(
            Diagnostic::warning("volume-unused", format!("no container mounts the volume `{}`", volume.value.name))
                .label(volume.span(), "made for nobody")
                .help(format!(
                    "write `mount PATH = volume({})` in the `mnt new` of a container, or delete the line",
                    volume.value.name
                )),
        );
    }
}

fn unknown(cx: &mut Cx, name: &str, pod: &Sandbox, span: Span) {
    let names: Vec<&str> = pod.volumes.iter().map(|it| it.value.name.as_str()).collect();
    let finding = Diagnostic::error("unknown-reference", format!("this pod has no volume `{name}`"))
        .label(span, "mounts nothing");
    cx.report(match suggest::hint(name, names.iter().copied()) {
        Some(hint) => finding.help(hint),
        None => finding.help(format!("declare it in the pod: `volume {name} = tmpfs(size: 64MiB)`")),
    });
}

/// Whoever declares a volume of the host says whether anybody may write it.
fn writable(cx: &mut Cx, volume: &Traced<Volume>, span: Span) {
    if matches!(volume.value.source, MountSource::Bind { access: Access::Ro, .. }) {
        cx.report(
            Diagnostic::error("volume-read-only", format!("the volume `{}` is read-only", volume.value.name))
                .label(span, "to be written here")
                .label(volume.span(), "bound without `rw`")
                .help("write `bind(…, rw)` in the pod, or mount it without `rw`"),
        );
    }
}

/// What either of two refuses.
fn both(a: MountFlags, b: MountFlags) -> MountFlags {
    MountFlags {
        nosuid: a.nosuid || b.nosuid,
        nodev: a.nodev || b.nodev,
        noexec: a.noexec || b.noexec,
        nosymfollow: a.nosymfollow || b.nosymfollow,
    }
}
