//! The tree of paths as the program will see it: what is at a path, as far as the policy itself tells.

use crate::policy::{EntryKind, MountSource, Overlay, Root, Sandbox, Traced};
use crate::source::Span;

/// What a path of the sandbox leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A path of the host.
    Host {
        /// The absolute path there.
        path: String,
        /// The statement that brings it in, if it refuses to execute.
        noexec: Option<Span>,
    },
    /// Something of the sandbox's own, such as a tmpfs.
    Own {
        /// The statement that refuses to execute what is there.
        noexec: Option<Span>,
    },
    /// A hidden path.
    Hidden(Span),
    /// Nothing: the tree is empty there.
    Nothing,
}

/// Links of links, this many: path_resolution(7) has 40, and no policy needs half of that.
const MAX_LINKS: usize = 20;

fn rest_below<'p>(path: &'p str, above: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(above)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// What is at an absolute path of the sandbox.
pub(super) fn place(sandbox: &Sandbox, path: &str) -> Place {
    let path = follow_links(sandbox, path.to_string());
    // Entries are sorted by path, so the last that fits is the longest.
    let entry =
        sandbox.mnt.entries.iter().rfind(|it| {
            !matches!(it.value.kind, EntryKind::Protect { .. }) && rest_below(&path, &it.value.path).is_some()
        });
    if let Some(entry) = entry {
        let rest = rest_below(&path, &entry.value.path).unwrap_or_default();
        return match &entry.value.kind {
            EntryKind::Hide => Place::Hidden(entry.span()),
            EntryKind::Mount(MountSource::Bind { source, flags, .. }) => {
                let source = source.trim_end_matches('/');
                Place::Host { path: format!("{source}{rest}"), noexec: flags.noexec.then(|| entry.span()) }
            }
            // What of its layers is on top at a path, nobody can tell from here.
            EntryKind::Mount(
                MountSource::Tmpfs { flags, .. }
                | MountSource::Volume { flags, .. }
                | MountSource::Overlay(Overlay { flags, .. }),
            ) => Place::Own { noexec: flags.noexec.then(|| entry.span()) },
            EntryKind::Mount(MountSource::File { .. } | MountSource::Secret { .. }) if !rest.is_empty() => {
                Place::Nothing
            }
            EntryKind::Mount(_) => Place::Own { noexec: Some(entry.span()) },
            EntryKind::Mkdir { .. } if rest.is_empty() => Place::Own { noexec: None },
            EntryKind::Mkdir { .. } | EntryKind::Link { .. } | EntryKind::Protect { .. } => Place::Nothing,
        };
    }
    match sandbox.mnt.root.as_ref().map(|it| &it.value) {
        Some(Root::Host(_)) => Place::Host { path, noexec: None },
        Some(Root::Image(image)) => {
            let root = sandbox.mnt.root.as_ref().filter(|_| image.flags.noexec);
            Place::Own { noexec: root.map(Traced::span) }
        }
        Some(Root::Overlay(overlay)) => {
            let root = sandbox.mnt.root.as_ref().filter(|_| overlay.flags.noexec);
            Place::Own { noexec: root.map(Traced::span) }
        }
        Some(Root::Dir { path: dir, .. }) => {
            Place::Host { path: format!("{}{path}", dir.trim_end_matches('/')), noexec: None }
        }
        // A directory on the way to a mount exists in an empty tree.
        _ if sandbox.mnt.entries.iter().any(|it| rest_below(&it.value.path, &path).is_some()) || path == "/" => {
            Place::Own { noexec: None }
        }
        _ => Place::Nothing,
    }
}

fn follow_links(sandbox: &Sandbox, mut path: String) -> String {
    for _ in 0..MAX_LINKS {
        let link = sandbox.mnt.entries.iter().find_map(|entry| match &entry.value.kind {
            EntryKind::Link { target } => Some((entry, target, rest_below(&path, &entry.value.path)?)),
            _ => None,
        });
        let Some((entry, target, rest)) = link else { break };
        let parent = entry.value.path.rsplit_once('/').map_or("", |it| it.0);
        let whole =
            if target.starts_with('/') { format!("{target}{rest}") } else { format!("{parent}/{target}{rest}") };
        path = normal(&whole);
    }
    path
}

fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}
