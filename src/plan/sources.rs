//! What the tree is made of on the host: opened before anything changes, with the caller's own rights, and known to later
//! steps by number.

use super::build::Builder;
use super::{Action, Stage, tree};
use crate::policy::{EntryKind, MountSource, NsKind, Overlay, Propagation, Root, SecretFrom, Strength, Traced, Upper};

/// One thing to be opened. Each takes one number.
enum Needed<'p> {
    /// A file or directory, to be mounted.
    Place {
        path: &'p str,
        /// Whether mounts below it come along.
        recursive: bool,
        /// Whether owners are shown as the sandbox maps them.
        idmap: bool,
        /// Whether what is mounted there later comes along.
        propagation: Propagation,
    },
    /// The content of a secret.
    Secret(&'p SecretFrom),
    /// A volume of the pod.
    Volume(&'p str),
    /// An image.
    Image { path: &'p str, digest: Option<&'p str> },
}

fn place(path: &str, recursive: bool, idmap: bool) -> Needed<'_> {
    Needed::Place { path, recursive, idmap, propagation: Propagation::Private }
}

/// Opens all of them, and makes what is to be covered in them.
pub(super) fn open(builder: &mut Builder) {
    if !builder.sandbox.is_new(NsKind::Mnt) {
        return;
    }
    if let Some(root) = &builder.sandbox.mnt.root {
        open_all(builder, of_root(&root.value), root);
        if let Root::Overlay(overlay) = &root.value {
            hold(builder, overlay, root);
        }
    }
    for entry in &builder.sandbox.mnt.entries {
        open_all(builder, of(&entry.value.kind), entry);
        if let EntryKind::Mount(MountSource::Overlay(overlay)) = &entry.value.kind {
            hold(builder, overlay, entry);
        }
    }
    tree::placeholders(builder);
}

/// What is done to them once the sandbox's user namespace is there.
pub(super) fn admit(builder: &mut Builder) {
    if !builder.sandbox.is_new(NsKind::Mnt) || !builder.own_user() {
        return;
    }
    let mut id = 0;
    if let Some(root) = &builder.sandbox.mnt.root {
        map_all(builder, of_root(&root.value), &mut id, root);
    }
    for entry in &builder.sandbox.mnt.entries {
        map_all(builder, of(&entry.value.kind), &mut id, entry);
    }
}

fn map_all<T>(builder: &mut Builder, needed: Vec<Needed>, id: &mut u32, value: &Traced<T>) {
    for one in needed {
        if matches!(one, Needed::Place { idmap: true, .. }) {
            let (key, required) = (value.origin.key.to_string(), value.strength != Strength::Prefer);
            builder.push(
                Stage::Admit,
                Action::MapOwners { id: *id },
                value.span(),
                key,
                Some("CAP_SYS_ADMIN"),
                required,
            );
        }
        *id += 1;
    }
}

/// How many numbers the root takes.
pub(super) fn count_of_root(root: &Root) -> u32 {
    of_root(root).len() as u32
}

/// How many numbers an entry takes.
pub(super) fn count(kind: &EntryKind) -> u32 {
    of(kind).len() as u32
}

fn of_root(root: &Root) -> Vec<Needed<'_>> {
    match root {
        Root::Empty => Vec::new(),
        Root::Host(_) => vec![place("/", true, false)],
        Root::Dir { path, idmap, .. } => vec![place(path, true, *idmap)],
        Root::Overlay(overlay) => layers(overlay),
        Root::Image(image) => vec![Needed::Image { path: &image.path, digest: image.digest.as_deref() }],
    }
}

fn of(kind: &EntryKind) -> Vec<Needed<'_>> {
    match kind {
        EntryKind::Mount(MountSource::Bind { source: path, recursive, idmap, propagation, .. }) => {
            vec![Needed::Place { path, recursive: *recursive, idmap: *idmap, propagation: *propagation }]
        }
        EntryKind::Mount(MountSource::Device { source }) => vec![place(source, false, false)],
        EntryKind::Mount(MountSource::Overlay(overlay)) => layers(overlay),
        EntryKind::Mount(MountSource::Secret { from }) => vec![Needed::Secret(from)],
        EntryKind::Mount(MountSource::Volume { name, .. }) => vec![Needed::Volume(name)],
        _ => Vec::new(),
    }
}

/// A layer is one file system: what is mounted below it is none of it.
fn layers(overlay: &Overlay) -> Vec<Needed<'_>> {
    let mut found: Vec<Needed> = overlay.lower.iter().map(|it| place(it, false, false)).collect();
    if let Upper::Kept { parent, .. } = &overlay.upper {
        found.push(place(parent, false, false));
    }
    found
}

fn open_all<T>(builder: &mut Builder, needed: Vec<Needed>, value: &Traced<T>) {
    // What is optional may be missing, and is required to be the right thing where it is there.
    let required = value.strength == Strength::Required;
    for one in needed {
        let id = builder.sources;
        builder.sources += 1;
        let action = match one {
            Needed::Place { path, recursive, propagation, idmap } => {
                // Owners are mapped by the supervisor, in the copy that it has.
                let in_child = recursive && !idmap && has_pin(builder, path);
                Action::OpenSource { id, path: path.to_string(), recursive, in_child, propagation }
            }
            Needed::Image { path, digest } => {
                Action::OpenImage { id, path: path.to_string(), digest: digest.map(str::to_string) }
            }
            Needed::Secret(from) => Action::OpenSecret { id, from: from.clone() },
            Needed::Volume(name) => Action::OpenVolume { id, name: name.to_string() },
        };
        builder.push(Stage::Prepare, action, value.span(), value.origin.key.to_string(), None, required);
    }
}

/// Whether a mount namespace is pinned somewhere below a path of the host.
fn has_pin(builder: &Builder, path: &str) -> bool {
    let real = builder.facts.paths.get(path).map(|it| it.real.as_str()).filter(|it| !it.is_empty());
    let tree = real.unwrap_or(path).trim_end_matches('/');
    builder.facts.mount_pins.iter().any(|it| it.strip_prefix(tree).is_some_and(|rest| rest.starts_with('/')))
}

/// What two overlays do that change one directory at the same time is undefined.
fn hold<T>(builder: &mut Builder, overlay: &Overlay, value: &Traced<T>) {
    if let Upper::Kept { upper, .. } = &overlay.upper {
        let id = builder.sources - 1;
        builder.step_of(Stage::Prepare, Action::Hold { id, name: upper.clone() }, value);
    }
}
