//! The tree of paths.

use super::Lower;
use super::overlay::overlay;
use super::read::{argument, boolean, count, size, text};
use crate::policy::{
    Access, Entry, EntryKind, Image, Mnt, Mode, MountFlags, MountSource, ProcOptions, Propagation, Root, SecretFrom,
    Traced,
};
use crate::report::Diagnostic;
use crate::resolve::merge::Candidate;
use crate::resolve::value::{ArgVal, Val, Value};
use crate::source::Span;

/// The section `mnt`.
pub fn mnt(lower: &mut Lower) -> Mnt {
    let mut entries = Vec::new();
    // `mount`, `hide`, `protect`, `link`, `mkdir`: a path is one thing, and all of them are compared as paths.
    for found in lower.below("mnt.path[".into()).cloned().collect::<Vec<_>>() {
        let Some(path) = found.payload.labels.first().and_then(text) else { continue };
        let head = found.payload.field.map_or("", |it| it.head);
        if let Some(kind) = kind(lower, head, &path, &found) {
            entries.push(Traced {
                value: Entry { path, kind },
                origin: found.origin,
                strength: found.payload.strength,
            });
        }
    }
    if lower.mode("mnt").value == Mode::New {
        let net = lower.net();
        let of_names = super::net::name_files(&net);
        entries.extend(
            of_names
                .into_iter()
                .filter(|it| !entries.iter().any(|own| own.value.path == it.value.path))
                .collect::<Vec<_>>(),
        );
    }
    let mut entries = by_path(entries);
    below_root(lower, &mut entries);
    Mnt { mode: lower.mode("mnt"), root: stated_root(lower), entries }
}

/// In the order of their paths. Their places are sorted and not they, which are large.
fn by_path(entries: Vec<Traced<Entry>>) -> Vec<Traced<Entry>> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by(|a, b| entries[*a].value.path.cmp(&entries[*b].value.path));
    let mut entries: Vec<Option<Traced<Entry>>> = entries.into_iter().map(Some).collect();
    order.into_iter().filter_map(|it| entries[it].take()).collect()
}

/// What `/` is, `root` says.
fn below_root(lower: &mut Lower, entries: &mut Vec<Traced<Entry>>) {
    entries.retain(|entry| {
        let is_root = entry.value.path == "/";
        if is_root {
            lower.cx.report(
                Diagnostic::error("duplicate-target", "what `/` is, `root` says")
                    .label(entry.span(), "about `/`")
                    .help("write `root = …`, or name a path below `/`"),
            );
        }
        !is_root
    });
}

fn stated_root(lower: &mut Lower) -> Option<Traced<Root>> {
    let found = lower.settled.get("mnt.root")?.clone();
    let value = root(lower, found.payload.value.as_deref()?)?;
    Some(Traced { value, origin: found.origin, strength: found.payload.strength })
}

fn root(lower: &mut Lower, val: &Val) -> Option<Root> {
    let Value::Variant(name, args) = &val.value else { return None };
    Some(match name.as_str() {
        "empty" => Root::Empty,
        "host" => Root::Host(access(args)),
        "image" => Root::Image(image(lower, args)?),
        "overlay" => Root::Overlay(overlay(lower, args, val.span, None)?),
        _ => Root::Dir {
            path: text(argument(args, "path")?)?,
            access: access(args),
            flags: flags(args),
            idmap: argument(args, "idmap").is_some(),
        },
    })
}

fn kind(lower: &mut Lower, head: &str, path: &str, found: &Candidate) -> Option<EntryKind> {
    let value = found.payload.value.as_deref();
    Some(match head {
        "hide" => EntryKind::Hide,
        "protect" => EntryKind::Protect { dir: value.and_then(text).is_some_and(|it| it == "dir") },
        "link" => EntryKind::Link { target: text(value?)? },
        "mkdir" => EntryKind::Mkdir { mode: value.and_then(count).unwrap_or(0o755) as u32 },
        _ => EntryKind::Mount(source(lower, value?, path)?),
    })
}

pub(super) fn source(lower: &mut Lower, val: &Val, path: &str) -> Option<MountSource> {
    let Value::Variant(name, args) = &val.value else { return None };
    Some(match name.as_str() {
        "bind" => MountSource::Bind {
            source: argument(args, "source").and_then(text).unwrap_or_else(|| path.to_string()),
            access: access(args),
            recursive: argument(args, "recursive").and_then(boolean).unwrap_or(true),
            flags: flags(args),
            idmap: argument(args, "idmap").is_some(),
            propagation: match argument(args, "propagation").and_then(text).as_deref() {
                Some("slave") => Propagation::Slave,
                Some("shared") => Propagation::Shared,
                _ => Propagation::Private,
            },
        },
        "tmpfs" => MountSource::Tmpfs {
            size: argument(args, "size").and_then(size),
            inodes: argument(args, "inodes").and_then(count),
            mode: argument(args, "mode").and_then(count).map(|it| it as u32),
            flags: flags(args),
        },
        "volume" => {
            MountSource::Volume { name: text(argument(args, "name")?)?, access: access(args), flags: flags(args) }
        }
        "overlay" => MountSource::Overlay(overlay(lower, args, val.span, Some(path))?),
        "device" => {
            MountSource::Device { source: argument(args, "source").and_then(text).unwrap_or_else(|| path.to_string()) }
        }
        "secret" => MountSource::Secret { from: secret(lower, args, val.span)? },
        "proc" => MountSource::Proc(ProcOptions {
            only_pids: argument(args, "subset").is_some(),
            hidepid: argument(args, "hidepid").and_then(text),
        }),
        "dev" => MountSource::Dev,
        "sys" => MountSource::Sys,
        "mqueue" => MountSource::Mqueue,
        "devpts" => MountSource::Devpts,
        "cgroup" => MountSource::Cgroup,
        _ => MountSource::File { text: text(argument(args, "text")?)?, host_search: false },
    })
}

fn image(lower: &mut Lower, args: &[ArgVal]) -> Option<Image> {
    let digest = argument(args, "digest");
    let text_of_digest = digest.and_then(text);
    if let (Some(stated), Some(value)) = (digest, &text_of_digest) {
        let digits = value.strip_prefix("sha256:").unwrap_or_default();
        if digits.len() != 64 || !digits.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f')) {
            lower.cx.report(
                Diagnostic::error("image-digest", format!("{value:?} is no digest of an image"))
                    .label(stated.span, "not `sha256:` and 64 digits")
                    .help("write the digest of the manifest as `skopeo inspect` prints it, or, of what older `docker save` wrote, the id of the image"),
            );
            return None;
        }
    }
    Some(Image {
        path: text(argument(args, "path")?)?,
        digest: text_of_digest,
        access: access(args),
        size: argument(args, "size").and_then(size),
        inodes: argument(args, "inodes").and_then(count),
        flags: flags(args),
    })
}

fn secret(lower: &mut Lower, args: &[ArgVal], span: Span) -> Option<SecretFrom> {
    let (file, fd) = (argument(args, "file"), argument(args, "fd"));
    match (file.and_then(text), fd.and_then(count)) {
        (Some(file), None) => return Some(SecretFrom::File(file)),
        (None, Some(fd)) => return u32::try_from(fd).ok().map(SecretFrom::Fd),
        _ => {}
    }
    let (message, label) = match file {
        Some(_) => ("a secret has one source", "a file and a descriptor"),
        None => ("a secret has a source", "neither a file nor a descriptor"),
    };
    lower.cx.report(
        Diagnostic::error("secret-source", message).label(span, label).help(
            "write `secret(./token)` for a file beside the policy, or `secret(fd: 3)` and start nsl with `3<token`",
        ),
    );
    None
}

/// Read-only unless the policy says `rw`.
fn access(args: &[ArgVal]) -> Access {
    if argument(args, "rw").is_some() { Access::Rw } else { Access::Ro }
}

/// Set-user-id bits and devices mean nothing unless the policy says so.
pub(super) fn flags(args: &[ArgVal]) -> MountFlags {
    MountFlags {
        nosuid: argument(args, "suid").is_none(),
        nodev: argument(args, "dev").is_none(),
        noexec: argument(args, "noexec").is_some(),
        nosymfollow: argument(args, "nosymfollow").is_some(),
    }
}
