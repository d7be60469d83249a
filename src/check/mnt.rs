//! The tree of paths.

use std::collections::HashMap;

use super::binds;
use super::text::bytes;
use super::tree::{Place, place};
use crate::policy::{Access, Entry, EntryKind, Mode, MountSource, Root, Sandbox, Traced, Upper};
use crate::report::Diagnostic;

pub(super) fn check(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    without_namespace(sandbox, out);
    if sandbox.mnt.mode.value != Mode::New {
        return;
    }
    let is_host = |root: &Root| match root {
        Root::Host(access) => *access == Access::Rw,
        Root::Dir { path, access, .. } => path == "/" && *access == Access::Rw,
        // A root of overlays cannot have the whole host below: nothing of it is written there.
        Root::Empty | Root::Overlay(_) | Root::Image(_) => false,
    };
    if let Some(root) = sandbox.mnt.root.as_ref().filter(|it| is_host(&it.value)) {
        out.push(
            Diagnostic::warning("root-host-rw", "the whole host is writable here")
                .label(root.span(), "for whatever the permissions of files allow")
                .help("write `host(ro)`, and mount the paths that it needs with `bind(rw)`"),
        );
    }
    binds::check(sandbox, out);
    below_files(sandbox, out);
    hides(sandbox, out);
    protects(sandbox, out);
    memory(sandbox, out);
    shared_memory(sandbox, out);
    program(sandbox, out);
}

/// The program and the working directory, as far as the policy's own tree tells.
fn program(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let run = sandbox.run.as_ref().and_then(|run| Some((run, run.value.first().filter(|it| it.starts_with('/'))?)));
    if let Some((run, program)) = run {
        let found = place(sandbox, program);
        match found {
            Place::Nothing => out.push(
                Diagnostic::error("run-not-visible", format!("{program} is not in this sandbox"))
                    .label(run.span(), "to be run")
                    .label(sandbox.mnt.mode.span(), "nothing in this tree provides it")
                    .help(format!("mount the directory that holds it: `mount {} = bind(ro)`", top(program))),
            ),
            Place::Hidden(span) => out.push(
                Diagnostic::error("run-not-visible", format!("{program} is hidden in this sandbox"))
                    .label(run.span(), "to be run")
                    .label(span, "hidden here")
                    .help("run another program, or do not hide it"),
            ),
            Place::Host { noexec: Some(span), .. } | Place::Own { noexec: Some(span) } => out.push(
                Diagnostic::error("run-on-noexec", format!("{program} lies where nothing can be executed"))
                    .label(run.span(), "to be run")
                    .label(span, "`noexec`, or no place for programs")
                    .help("drop `noexec` from the mount, or move the program"),
            ),
            _ => {}
        }
    }
    if let Some(cwd) = &sandbox.cwd
        && let Place::Nothing | Place::Hidden(_) = place(sandbox, &cwd.value)
    {
        out.push(
            Diagnostic::error("cwd-not-visible", format!("{} is not in this sandbox", cwd.value))
                .label(cwd.span(), "to be the working directory")
                .label(sandbox.mnt.mode.span(), "nothing in this tree provides it")
                .help("mount something there, or name another directory"),
        );
    }
}

fn top(path: &str) -> &str {
    let end = path[1..].find('/').map_or(path.len(), |at| at + 1);
    &path[..end]
}

fn without_namespace(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let mode = &sandbox.mnt.mode;
    if mode.value == Mode::New {
        return;
    }
    let first = sandbox.mnt.entries.first().map(Traced::span).or(sandbox.mnt.root.as_ref().map(Traced::span));
    if let Some(span) = first {
        out.push(
            Diagnostic::error("mounts-without-mnt", "these mounts would change the files of somebody else")
                .label(span, "stated here")
                .label(mode.span(), "no mount namespace of the sandbox's own")
                .help("write `mnt new { … }`"),
        );
    }
}

pub(super) fn below(path: &str, tree: &str) -> bool {
    path == tree || path.strip_prefix(tree).is_some_and(|rest| rest.starts_with('/'))
}

/// The entries above a path, the nearest first, without a look at all of the others: entries are sorted by path.
fn above<'a>(entries: &'a [Traced<Entry>], path: &str) -> impl Iterator<Item = &'a Traced<Entry>> {
    parents(path).filter_map(|dir| {
        let found = entries.binary_search_by(|it| it.value.path.as_str().cmp(dir)).ok()?;
        entries.get(found)
    })
}

/// The directories above a path, the nearest first, without `/`.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.rmatch_indices('/').map(|(at, _)| &path[..at]).filter(|dir| !dir.is_empty())
}

/// A file has nothing below it, and what is mounted is put in the order of the paths: the file comes first.
fn below_files(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let is_file = |it: &&Traced<Entry>| {
        matches!(it.value.kind, EntryKind::Mount(MountSource::File { .. } | MountSource::Secret { .. }))
    };
    let files = sandbox.mnt.entries.iter().filter(is_file).map(|it| (it.value.path.as_str(), it));
    let files: HashMap<&str, &Traced<Entry>> = files.collect();
    for entry in &sandbox.mnt.entries {
        if let Some(file) = parents(&entry.value.path).find_map(|it| files.get(it)) {
            out.push(
                Diagnostic::error("below-a-file", format!("{} is a file, with nothing below it", file.value.path))
                    .label(entry.span(), format!("{} would be below it", entry.value.path))
                    .label(file.span(), "a file")
                    .help("name another path for one of the two"),
            );
        }
    }
}

/// What does not exist where nothing can be made needs no cover, and where the program can make it no cover would last.
fn hides(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    for entry in sandbox.mnt.entries.iter().filter(|it| it.value.kind == EntryKind::Hide) {
        let path = &entry.value.path;
        match above(&sandbox.mnt.entries, path).next().map(|it| (it, &it.value.kind)) {
            Some((tmpfs, EntryKind::Mount(MountSource::Tmpfs { .. } | MountSource::Volume { .. }))) => out.push(
                Diagnostic::error("hide-in-tmpfs", format!("{path} would be hidden before the program makes it"))
                    .label(entry.span(), "nothing is there to be hidden")
                    .label(tmpfs.span(), "empty at first, and the program may write here")
                    .help("delete the line")
                    .delete(entry.span()),
            ),
            Some((cover, EntryKind::Hide)) => out.push(
                Diagnostic::warning("hide-nothing", format!("{} hides {path} already", cover.value.path))
                    .label(entry.span(), "changes nothing")
                    .label(cover.span(), "hides all that is below")
                    .help("delete the line")
                    .delete(entry.span()),
            ),
            None if matches!(sandbox.mnt.root.as_ref().map(|it| &it.value), None | Some(Root::Empty))
                && !sandbox.mnt.entries.iter().any(|it| it.value.path != *path && below(&it.value.path, path)) =>
            {
                let root = sandbox.mnt.root.as_ref().map_or(sandbox.mnt.mode.span(), Traced::span);
                out.push(
                    Diagnostic::warning("hide-nothing", format!("there is nothing at {path}"))
                        .label(entry.span(), "hides nothing")
                        .label(root, "the tree is empty but for what is mounted")
                        .help("delete the line")
                        .delete(entry.span()),
                );
            }
            _ => {}
        }
    }
}

/// Only what the program may write needs protection, and only what is there before the program can be protected.
fn protects(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    for entry in sandbox.mnt.entries.iter().filter(|it| matches!(it.value.kind, EntryKind::Protect { .. })) {
        let path = &entry.value.path;
        let above = above(&sandbox.mnt.entries, path).next();
        let root = sandbox.mnt.root.as_ref();
        let (span, why) = match (above.map(|it| &it.value.kind), root.map(|it| &it.value)) {
            (Some(EntryKind::Mount(MountSource::Bind { access: Access::Rw, .. })), _) => continue,
            (None, Some(Root::Host(Access::Rw) | Root::Dir { access: Access::Rw, .. })) => continue,
            (Some(EntryKind::Mount(MountSource::Overlay(overlay))), _) | (None, Some(Root::Overlay(overlay)))
                if overlay.upper != Upper::None =>
            {
                continue;
            }
            (Some(EntryKind::Protect { .. }), _) => (above.map(Traced::span), "protects all that is below"),
            (Some(EntryKind::Hide), _) => (above.map(Traced::span), "hides all that is below"),
            (Some(EntryKind::Mount(MountSource::Tmpfs { .. } | MountSource::Volume { .. })), _) => {
                (above.map(Traced::span), "empty at first, and the program's own")
            }
            _ => (above.map(Traced::span).or(root.map(Traced::span)), "nothing can be written here anyway"),
        };
        out.push(
            Diagnostic::warning("protect-nothing", format!("{path} needs no protection"))
                .label(entry.span(), "changes nothing")
                .label(span.unwrap_or(sandbox.mnt.mode.span()), why)
                .help("delete the line, or protect a path below a mount that is `rw`")
                .delete(entry.span()),
        );
    }
}

/// tmpfs pages are charged to the cgroup that touched them: filling one up is using memory up.
fn memory(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let Some(limit) = &sandbox.cgroup.memory_max else { return };
    for entry in &sandbox.mnt.entries {
        let size = match &entry.value.kind {
            EntryKind::Mount(MountSource::Tmpfs { size, .. }) => size,
            EntryKind::Mount(MountSource::Overlay(overlay)) => match &overlay.upper {
                Upper::Ephemeral { size, .. } => size,
                _ => continue,
            },
            _ => continue,
        };
        if let Some(size) = size
            && *size > limit.value
        {
            out.push(
                Diagnostic::warning(
                    "tmpfs-over-memory",
                    format!("{} can never be filled: its pages count as memory", entry.value.path),
                )
                .label(entry.span(), format!("{} of tmpfs", bytes(*size)))
                .label(limit.span(), format!("{} of memory in all", bytes(limit.value)))
                .help("make the tmpfs smaller, or the limit larger"),
            );
        }
    }
}

/// An IPC namespace holds System V objects and message queues; POSIX shared memory is files in /dev/shm.
fn shared_memory(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let entries = &sandbox.mnt.entries;
    let host_root = matches!(sandbox.mnt.root.as_ref().map(|it| &it.value), Some(Root::Host(_)));
    let covered = entries.iter().any(|it| {
        let is_own = !matches!(it.value.kind, EntryKind::Mount(MountSource::Bind { .. }));
        is_own && (it.value.path == "/dev" || it.value.path == "/dev/shm")
    });
    let bound = entries.iter().find(|it| match &it.value.kind {
        EntryKind::Mount(MountSource::Bind { source, .. }) => source == "/dev" || below(source, "/dev/shm"),
        _ => false,
    });
    if sandbox.ipc.mode.value == Mode::New && (bound.is_some() || host_root && !covered) {
        let span = bound.map(Traced::span).or(sandbox.mnt.root.as_ref().map(Traced::span));
        out.push(
            Diagnostic::warning("shm-from-host", "POSIX shared memory is still that of the host")
                .label(span.unwrap_or(sandbox.ipc.mode.span()), "brings the host's /dev/shm")
                .label(sandbox.ipc.mode.span(), "holds System V IPC and message queues only: ipc_namespaces(7)")
                .help("write `mount /dev = dev`, or `mount /dev/shm = tmpfs(size: 64MiB)`"),
        );
    }
}
