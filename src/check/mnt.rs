//! The tree of paths.

use super::tree::{Place, place};
use crate::policy::{Access, Entry, EntryKind, Mode, MountSource, Root, Sandbox, Traced};
use crate::report::Diagnostic;

/// Sockets whose owner does what he is asked to do with the rights of root, or of the user.
const CONTROL_SOCKETS: [&str; 6] = [
    "/run/docker.sock",
    "/var/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/podman/podman.sock",
    "/run/dbus/system_bus_socket",
    "/run/systemd/private",
];
const KERNEL_TREES: [&str; 4] = ["/proc", "/sys", "/dev", "/boot"];

pub(super) fn check(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    without_namespace(sandbox, out);
    if sandbox.mnt.mode.value != Mode::New {
        return;
    }
    if let Some(root) = sandbox.mnt.root.as_ref().filter(|it| it.value == Root::Host(Access::Rw)) {
        out.push(
            Diagnostic::warning("root-host-rw", "the whole host is writable here")
                .label(root.span(), "for whatever the permissions of files allow")
                .help("write `host(ro)`, and mount the paths that it needs with `bind(rw)`"),
        );
    }
    for entry in &sandbox.mnt.entries {
        if let EntryKind::Mount(MountSource::Bind { source, access, recursive, flags }) = &entry.value.kind {
            control_socket(entry, source, out);
            kernel_tree(entry, source, *access, out);
            if *access == Access::Rw && !flags.noexec {
                out.push(
                    Diagnostic::advice(
                        "write-and-execute",
                        format!("what is written to {} can be executed", entry.value.path),
                    )
                    .label(entry.span(), "writable, and without `noexec`")
                    .help("add `noexec` unless programs are built there"),
                );
            }
            if *access == Access::Ro && !*recursive {
                out.push(
                    Diagnostic::advice(
                        "bind-not-recursive",
                        format!("what is mounted below {source} does not come along"),
                    )
                    .label(entry.span(), "`recursive: false`")
                    .help("delete `recursive: false` unless that is meant"),
                );
            }
        }
    }
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

fn below(path: &str, tree: &str) -> bool {
    path == tree || path.strip_prefix(tree).is_some_and(|rest| rest.starts_with('/'))
}

fn control_socket(entry: &Traced<Entry>, source: &str, out: &mut Vec<Diagnostic>) {
    let is_agent =
        source.starts_with("/tmp/ssh-") || source.ends_with("/ssh-agent.socket") || source.contains("/gnupg/S.");
    if CONTROL_SOCKETS.contains(&source) || is_agent {
        out.push(
            Diagnostic::warning(
                "bind-control-socket",
                "whoever can write to this socket acts with the rights of its owner",
            )
            .label(entry.span(), format!("binds {source}"))
            .help("delete the line, or put a proxy with fewer rights before it"),
        );
    }
}

fn kernel_tree(entry: &Traced<Entry>, source: &str, access: Access, out: &mut Vec<Diagnostic>) {
    let Some(tree) = KERNEL_TREES.into_iter().find(|tree| below(source, tree)) else { return };
    if access == Access::Rw && !source.starts_with("/dev/shm") {
        let instead = match tree {
            "/proc" => "`mount /proc = proc`",
            "/dev" => "`mount /dev = dev`",
            _ => "`bind(ro)`",
        };
        out.push(
            Diagnostic::warning("bind-kernel-rw", format!("{source} of the host is writable here"))
                .label(entry.span(), "the kernel's own files and devices")
                .help(format!("write {instead}")),
        );
    }
}

/// tmpfs pages are charged to the cgroup that touched them.
fn memory(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let Some(limit) = &sandbox.cgroup.memory_max else { return };
    for entry in &sandbox.mnt.entries {
        if let EntryKind::Mount(MountSource::Tmpfs { size: Some(size), .. }) = &entry.value.kind
            && *size > limit.value
        {
            out.push(
                Diagnostic::warning(
                    "tmpfs-over-memory",
                    format!("{} can never be filled: its pages count as memory", entry.value.path),
                )
                .label(entry.span(), format!("{size} bytes of tmpfs"))
                .label(limit.span(), format!("{} bytes of memory in all", limit.value))
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
