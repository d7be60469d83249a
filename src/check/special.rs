//! Secrets, devices, owners that are mapped, and sockets that a read-only host still has.

use super::binds::CONTROL_SOCKETS;
use super::host_sources::{Bound, may};
use super::tree::{Place, place};
use crate::host::{HostFacts, PathFact, PathKind};
use crate::policy::{EntryKind, MountSource, NsKind, Root, Sandbox, SecretFrom, Traced};
use crate::report::Diagnostic;
use crate::source::Span;

/// Device nodes behind which is the whole machine, or somebody else's data: as whole names, and as beginnings.
const RAW_DEVICES: [&str; 7] = ["mem", "kmem", "port", "kmsg", "uinput", "snapshot", "autofs"];
const RAW_BEGINNINGS: [&str; 12] =
    ["sd", "hd", "vd", "xvd", "nvme", "mmcblk", "loop", "dm-", "md", "mapper/", "input/", "disk/"];

/// What the names of variables with secrets end in.
const SECRET_NAMES: [&str; 8] =
    ["TOKEN", "PASSWORD", "PASSWD", "SECRET", "API_KEY", "APIKEY", "PRIVATE_KEY", "ACCESS_KEY"];

pub(super) fn check(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    for variable in &sandbox.env {
        let name = variable.value.name.to_ascii_uppercase();
        let is_secret = SECRET_NAMES.iter().any(|it| name.ends_with(it));
        if is_secret && variable.value.value.as_ref().is_some_and(|it| !it.is_empty()) {
            out.push(
                Diagnostic::warning(
                    "secret-in-text",
                    format!("`{}` looks like a secret, and stands in the policy", variable.value.name),
                )
                .label(variable.span(), "for everybody who can read the policy, its plan, or /proc/PID/environ")
                .help("write it to a file of its own, and `mount /run/secrets/NAME = secret(FILE)`"),
            );
        }
    }
    for entry in &sandbox.mnt.entries {
        if let EntryKind::Mount(MountSource::Device { source }) = &entry.value.kind
            && let Some(name) = source.strip_prefix("/dev/")
            && (RAW_DEVICES.contains(&name) || RAW_BEGINNINGS.iter().any(|it| name.starts_with(it)))
        {
            out.push(
                Diagnostic::warning(
                    "device-raw",
                    format!("whoever may open {source} is bounded by nothing else of this policy"),
                )
                .label(entry.span(), "memory, disks or input of the whole machine")
                .help("delete the line; a file system of a disk is better mounted outside, and brought in with `bind`"),
            );
        }
    }
    if !sandbox.is_new(NsKind::User)
        && let Some(span) = mapped(sandbox)
    {
        out.push(
            Diagnostic::error("idmap-without-user", "there is no user namespace whose map owners could go by")
                .label(span, "`idmap`")
                .label(sandbox.user.mode.span(), "`user` is not new")
                .help("write `user new { … }` with the map, or delete `idmap`"),
        );
    }
}

/// The first statement with `idmap`.
fn mapped(sandbox: &Sandbox) -> Option<Span> {
    let root = sandbox.mnt.root.as_ref().filter(|it| matches!(it.value, Root::Dir { idmap: true, .. }));
    let is_mapped = |kind: &EntryKind| matches!(kind, EntryKind::Mount(MountSource::Bind { idmap: true, .. }));
    root.map(Traced::span).or_else(|| sandbox.mnt.entries.iter().find(|it| is_mapped(&it.value.kind)).map(Traced::span))
}

/// Paths of the host about which these rules want to know, beside the sources.
pub(super) fn wanted(sandbox: &Sandbox) -> Vec<String> {
    match sandbox.mnt.root.as_ref().map(|it| &it.value) {
        Some(Root::Host(_)) if sandbox.is_new(NsKind::Mnt) => CONTROL_SOCKETS.map(String::from).to_vec(),
        _ => Vec::new(),
    }
}

pub(super) fn check_host(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    if !sandbox.is_new(NsKind::Mnt) {
        return;
    }
    if let Some(span) = mapped(sandbox)
        && !(facts.caller.has("sys_admin") && facts.caller.initial_userns)
    {
        out.push(
            Diagnostic::error("idmap-needs-root", format!("`{}` may not have owners mapped", facts.caller.user))
                .label(span, "needs CAP_SYS_ADMIN where the file system was mounted")
                .help("run as root, or write it without `idmap` and map the owners themselves: `map uid 0 = subid(count: 65536)`"),
        );
    }
    no_symbolic_links(sandbox, facts, out);
    sockets(sandbox, facts, out);
}

fn no_symbolic_links(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    let states = |kind: &EntryKind| match kind {
        EntryKind::Mount(
            MountSource::Bind { flags, .. } | MountSource::Tmpfs { flags, .. } | MountSource::Volume { flags, .. },
        ) => flags.nosymfollow,
        EntryKind::Mount(MountSource::Overlay(overlay)) => overlay.flags.nosymfollow,
        _ => false,
    };
    let entry = sandbox.mnt.entries.iter().find(|it| states(&it.value.kind)).map(Traced::span);
    let root = sandbox.mnt.root.as_ref().filter(|it| match &it.value {
        Root::Dir { flags, .. } => flags.nosymfollow,
        Root::Overlay(overlay) => overlay.flags.nosymfollow,
        _ => false,
    });
    let Some(span) = root.map(Traced::span).or(entry).filter(|_| !facts.kernel.at_least(5, 14)) else { return };
    out.push(
        Diagnostic::error(
            "kernel-too-old",
            format!("`nosymfollow` needs Linux 5.14, and {} has {}", facts.name, facts.kernel.release),
        )
        .label(span, "asked for here")
        .help("use a newer kernel, or do without it"),
    );
}

/// A read-only mount keeps nobody from connecting.
fn sockets(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    let Some(root) = sandbox.mnt.root.as_ref().filter(|it| matches!(it.value, Root::Host(_))) else { return };
    let seen = CONTROL_SOCKETS.into_iter().filter(|path| {
        let fact = facts.paths.get(*path).filter(|it| it.kind == PathKind::Socket);
        let is_there = matches!(place(sandbox, path), Place::Host { path: found, .. } if found == *path);
        is_there && fact.is_some_and(|it| may(sandbox, facts, it, 0o2))
    });
    let seen: Vec<&str> = seen.collect();
    if !seen.is_empty() {
        out.push(
            Diagnostic::warning(
                "host-sockets",
                format!("the program can talk to the services of {} at {}", facts.name, seen.join(", ")),
            )
            .label(root.span(), "shows them; that it is read-only keeps nobody from connecting")
            .help("add `hide /run`, and mount the paths below it that are needed"),
        );
    }
}

/// A secret or a device, where its source is.
pub(super) fn check_source(
    bound: &Bound,
    fact: &PathFact,
    sandbox: &Sandbox,
    facts: &HostFacts,
    out: &mut Vec<Diagnostic>,
) {
    if matches!(fact.kind, PathKind::Missing | PathKind::Forbidden) {
        return;
    }
    let entry = sandbox.mnt.entries.iter().find(|it| it.span() == bound.span);
    match entry.map(|it| &it.value.kind) {
        Some(EntryKind::Mount(MountSource::Device { source })) => device(bound.span, source, fact, sandbox, facts, out),
        Some(EntryKind::Mount(MountSource::Secret { from: SecretFrom::File(path) })) => {
            secret(bound.span, path, fact, facts, out)
        }
        _ => {}
    }
}

fn device(span: Span, source: &str, fact: &PathFact, sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    if fact.kind != PathKind::Device {
        out.push(
            Diagnostic::error("device-no-device", format!("{source} is no device node on {}", facts.name))
                .label(span, "to be a device")
                .help("correct the path; files and directories are brought in with `bind`"),
        );
    } else if !may(sandbox, facts, fact, 0o6) && !may(sandbox, facts, fact, 0o4) {
        out.push(
            Diagnostic::warning(
                "device-not-permitted",
                format!("the program cannot open {source}: it belongs to uid {}, gid {}", fact.uid, fact.gid),
            )
            .label(span, "mounted to be opened")
            .label(sandbox.user.mode.span(), "the program is another user outside")
            .help("add the caller to the group of the device, or map the program to its owner"),
        );
    }
}

fn secret(span: Span, path: &str, fact: &PathFact, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    if fact.kind != PathKind::File {
        out.push(
            Diagnostic::error("secret-source", format!("{path} is no regular file on {}", facts.name))
                .label(span, "to be read from there")
                .help("name a regular file, or pass a descriptor: `secret(fd: 3)`, and `3<FILE` behind `nsl run`"),
        );
    } else if fact.mode & 0o004 != 0 {
        out.push(
            Diagnostic::warning("secret-exposed", format!("everybody on {} may read {path}", facts.name))
                .label(span, "a secret in the sandbox, and none outside")
                .help(format!("take the right away: `chmod o-rwx {path}`")),
        );
    }
}
