//! The tree of paths, as mounts in an order that works whatever the order of the lines was.

use super::build::Builder;
use super::{Action, MountStep, OverlayStep, RootSource, Stage, UpperStep, sources};
use crate::policy::{Access, EntryKind, MountSource, NsKind, Origin, Overlay, Root, Sandbox, Strength, Upper};

/// What a tmpfs may hold where the policy does not say: half of the memory, the kernel's default, is no limit
/// that a reviewer would expect.
const TMPFS_SIZE: u64 = 64 << 20;
/// What the layers of an image may take where the policy does not say.
const IMAGE_SIZE: u64 = 1 << 30;
/// One inode for every 4 KiB, as the kernel's own default has it.
const BYTES_PER_INODE: u64 = 4096;

/// What is to be covered below a writable source must be there to be covered.
pub(super) fn placeholders(builder: &mut Builder) {
    let sandbox = builder.sandbox;
    for entry in &sandbox.mnt.entries {
        let dir = match entry.value.kind {
            // Where a host's program looks into the path meanwhile, a directory is what it can put something into.
            EntryKind::Hide => true,
            EntryKind::Protect { dir } if entry.strength != Strength::Optional => dir,
            _ => continue,
        };
        if let Some((id, path)) = writable_source(sandbox, &entry.value.path) {
            builder.step_of(Stage::Prepare, Action::Placeholder { id, path, dir }, entry);
        }
    }
}

/// The source that a path is writable through, and the rest of the path.
fn writable_source(sandbox: &Sandbox, path: &str) -> Option<(u32, String)> {
    let (mut id, mut found) = (0, None);
    if let Some(root) = sandbox.mnt.root.as_ref().map(|it| &it.value) {
        if let Root::Host(access) | Root::Dir { access, .. } = root {
            found = (*access == Access::Rw).then(|| (id, path.trim_start_matches('/').to_string()));
        }
        id = sources::count_of_root(root);
    }
    // Sorted by path: the last that fits is the longest.
    for entry in &sandbox.mnt.entries {
        let below = path.strip_prefix(entry.value.path.as_str()).and_then(|rest| rest.strip_prefix('/'));
        match &entry.value.kind {
            EntryKind::Mount(MountSource::Bind { access, .. }) => {
                if let Some(rest) = below {
                    found = (*access == Access::Rw).then(|| (id, rest.to_string()));
                }
            }
            EntryKind::Mount(_) | EntryKind::Hide if below.is_some() => found = None,
            _ => {}
        }
        id += sources::count(&entry.value.kind);
    }
    found
}

pub(super) fn build(builder: &mut Builder) {
    let sandbox = builder.sandbox;
    if !sandbox.is_new(NsKind::Mnt) {
        return;
    }
    let mode = sandbox.mnt.mode.origin.clone();
    let privilege = (!builder.own_user()).then_some("CAP_SYS_ADMIN");
    let span = mode.span;
    builder.push(Stage::Child, Action::PrivateMounts, span, mode.key.to_string(), privilege, true);
    builder.rule(Stage::Child, Action::StageTree, span, "the tree is put together out of sight");
    let mut id = root(builder, &mode);
    for entry in &sandbox.mnt.entries {
        let target = entry.value.path.clone();
        let action = match &entry.value.kind {
            EntryKind::Mount(source) => {
                let source = mount(builder, source, &target, id);
                id += sources::count(&entry.value.kind);
                Action::Mount { target, source }
            }
            EntryKind::Hide => Action::Hide { target },
            EntryKind::Protect { dir } => {
                Action::Protect { target, may_be_missing: entry.strength == Strength::Optional, dir: *dir }
            }
            EntryKind::Link { target: text } => Action::Link { path: target, target: text.clone() },
            EntryKind::Mkdir { mode } => Action::Mkdir { path: target, mode: *mode },
        };
        // `optional` forgives a missing source, which the opening step has found out, and nothing else.
        let required = entry.strength != Strength::Prefer;
        builder.push(Stage::Child, action, entry.span(), entry.origin.key.to_string(), privilege, required);
    }
    if matches!(sandbox.mnt.root.as_ref().map(|it| &it.value), None | Some(Root::Empty)) {
        builder.rule(Stage::Child, Action::SealRoot, span, "an empty root is read-only once it is built");
    }
    builder.push(Stage::Child, Action::PivotRoot, span, mode.key.to_string(), privilege, true);
}

/// The step for `/`; returns the id of the next source.
fn root(builder: &mut Builder, mode: &Origin) -> u32 {
    let Some(root) = &builder.sandbox.mnt.root else {
        builder.rule(Stage::Child, Action::MountRoot(RootSource::Tmpfs), mode.span, "a tree without a root is empty");
        return 0;
    };
    let source = match &root.value {
        Root::Empty => RootSource::Tmpfs,
        Root::Host(access) => RootSource::Source { id: 0, access: *access, flags: Default::default() },
        Root::Dir { access, flags, .. } => RootSource::Source { id: 0, access: *access, flags: *flags },
        Root::Image(image) => {
            let (size, inodes) = room(Some(image.size.unwrap_or(IMAGE_SIZE)), image.inodes);
            RootSource::Image { id: 0, size, inodes, access: image.access, flags: image.flags }
        }
        Root::Overlay(found) => RootSource::Overlay(overlay(builder, found, 0)),
    };
    builder.step(Stage::Child, Action::MountRoot(source), &root.origin);
    sources::count_of_root(&root.value)
}

/// The size and the inodes of a tmpfs.
pub(super) fn room(size: Option<u64>, inodes: Option<u64>) -> (u64, u64) {
    let size = size.unwrap_or(TMPFS_SIZE);
    (size, inodes.unwrap_or((size / BYTES_PER_INODE).max(64)))
}

/// The step for an overlay whose first source has this id.
fn overlay(builder: &Builder, overlay: &Overlay, id: u32) -> OverlayStep {
    let next = id + overlay.lower.len() as u32;
    OverlayStep {
        lower: (id..next).collect(),
        upper: match &overlay.upper {
            Upper::None => UpperStep::None,
            Upper::Ephemeral { size, inodes } => {
                let (size, inodes) = room(*size, *inodes);
                UpperStep::Tmpfs { size, inodes }
            }
            Upper::Kept { upper, work, .. } => UpperStep::Dir { id: next, upper: upper.clone(), work: work.clone() },
        },
        flags: overlay.flags,
        userxattr: builder.own_user() || !builder.facts.caller.initial_userns,
    }
}

fn mount(builder: &Builder, source: &MountSource, target: &str, id: u32) -> MountStep {
    match source {
        MountSource::Bind { access, flags, propagation, .. } => {
            MountStep::Bind { id, access: *access, flags: *flags, propagation: *propagation }
        }
        MountSource::Tmpfs { size, inodes, mode, flags } => {
            let (size, inodes) = room(*size, *inodes);
            let usual = if matches!(target, "/tmp" | "/var/tmp" | "/dev/shm") { 0o1777 } else { 0o755 };
            MountStep::Tmpfs { size, inodes, mode: mode.unwrap_or(usual), flags: *flags }
        }
        MountSource::Volume { access, flags, .. } => MountStep::Volume { id, access: *access, flags: *flags },
        MountSource::Proc(options) => MountStep::Proc(options.clone()),
        MountSource::Device { .. } => MountStep::Device { id },
        MountSource::Secret { .. } => MountStep::Secret { id },
        MountSource::Overlay(found) => MountStep::Overlay(overlay(builder, found, id)),
        MountSource::Dev => MountStep::Dev { mqueue: builder.sandbox.is_new_or_pods(NsKind::Ipc) },
        MountSource::Sys => MountStep::Sys,
        MountSource::Mqueue => MountStep::Mqueue,
        MountSource::Devpts => MountStep::Devpts,
        MountSource::Cgroup => MountStep::Cgroup,
        MountSource::File { text, host_search } => {
            let search = host_search.then(|| builder.facts.name_search.lines()).unwrap_or_default();
            MountStep::File { text: format!("{text}{search}") }
        }
    }
}
