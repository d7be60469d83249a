//! Namespaces that do not go together, and what needs one of the sandbox's own: pid, uts, time, ipc.

use crate::policy::{EntryKind, JoinTarget, Mode, MountSource, NsKind, Root, Sandbox, Traced};
use crate::report::Diagnostic;
use crate::source::Span;

/// Half of what the kernel's clocks can count to (KTIME_SEC_MAX / 2), in nanoseconds: kernel/time/namespace.c.
const FARTHEST: u64 = 4_611_686_018_000_000_000;

pub(super) fn check(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    pid(sandbox, out);
    uts(sandbox, out);
    time(sandbox, out);
    kernel_mounts(sandbox, out);
    joins(sandbox, out);
    no_boundary(sandbox, out);
}

/// The same of a pod, which runs no program itself.
pub(super) fn check_shared(base: &Sandbox, out: &mut Vec<Diagnostic>) {
    uts(base, out);
    time(base, out);
    joins(base, out);
}

/// Where a mount of this kind of file system stands, and at which path.
fn mount_of(sandbox: &Sandbox, is: impl Fn(&MountSource) -> bool) -> Option<(Span, &str)> {
    sandbox.mnt.entries.iter().find_map(|entry| match &entry.value.kind {
        EntryKind::Mount(source) if is(source) => Some((entry.span(), entry.value.path.as_str())),
        _ => None,
    })
}

fn word(mode: &Traced<Mode>) -> &'static str {
    match mode.value {
        Mode::New => "new",
        Mode::Host => "the host's",
        Mode::Join(_) => "joined",
        Mode::Pod => "the pod's",
    }
}

fn pid(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let proc = mount_of(sandbox, |it| matches!(it, MountSource::Proc(_)));
    let mode = &sandbox.pid.mode;
    if let Some((span, path)) = proc
        && mode.value == Mode::Host
        && sandbox.mnt.mode.value == Mode::New
    {
        out.push(
            Diagnostic::error("proc-without-pid", format!("{path} cannot be mounted while `pid` is the host's"))
                .label(span, "needs a PID namespace of this sandbox's own")
                .label(mode.span(), "the host's PID namespace is kept")
                .help(format!("write `pid new`, or bind the host's with `mount {path} = bind(ro)`")),
        );
    }
    if mode.value == Mode::New && sandbox.mnt.mode.value == Mode::New && proc.is_none() {
        // An empty tree without /proc shows nobody's processes.
        if let Some(root) = sandbox.mnt.root.as_ref().filter(|it| matches!(it.value, Root::Host(_))) {
            let hidden = sandbox.mnt.entries.iter().any(|it| it.value.path == "/proc");
            if !hidden {
                out.push(
                    Diagnostic::warning("pid-without-proc", "/proc still shows the host's processes")
                        .label(mode.span(), "a PID namespace of its own")
                        .label(root.span(), "with the host's /proc")
                        .help("add `mount /proc = proc` to `mnt`, or `hide /proc`"),
                );
            }
        }
    }
    if mode.value == Mode::New && sandbox.mnt.mode.value == Mode::Host {
        out.push(
            Diagnostic::warning("pid-without-mnt", "/proc of the host stays visible, and shows the host's processes")
                .label(mode.span(), "a PID namespace of its own")
                .label(sandbox.mnt.mode.span(), "without a mount namespace of its own")
                .help("write `mnt new { … }` with `mount /proc = proc`"),
        );
    }
    if mode.value != Mode::New && !sandbox.pid.init.value {
        outlives(sandbox, out);
    }
    if mode.value == Mode::New && !sandbox.pid.init.value {
        let init = &sandbox.pid.init;
        out.push(
            Diagnostic::warning(
                "pid-no-init",
                "the program becomes PID 1: signals that it does not handle are ignored, and orphans stay",
            )
            .label(init.span(), "without an init")
            .help("write `init = true`, or delete the line"),
        );
        if sandbox.stop.signal.value.name != "KILL" && !sandbox.stop.signal.is_implied() {
            out.push(
                Diagnostic::warning(
                    "pid-stop-signal",
                    format!("{} may never reach PID 1", sandbox.stop.signal.value.name),
                )
                .label(sandbox.stop.signal.span(), "asked to end with this")
                .label(init.span(), "PID 1 gets only signals that it handles: pid_namespaces(7)")
                .help("write `init = true`, or `signal = KILL`"),
            );
        }
    }
}

/// Where the PID namespace is somebody else's, init alone ends what the program leaves behind. Orphans go to nsl where that is in the same
/// namespace, and else to PID 1 of the other one.
fn outlives(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let mode = &sandbox.pid.mode;
    let when = if mode.value == Mode::Host { "after nsl was killed" } else { "when it has ended" };
    out.push(
        Diagnostic::warning("pid-outlives", format!("what the program starts may go on {when}"))
            .label(sandbox.pid.init.span(), "nobody inside ends it then")
            .label(mode.span(), "the kernel ends it with a PID namespace of its own only")
            .help("write `pid new`, or leave `init` on"),
    );
}

fn uts(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    for (name, key) in [(&sandbox.uts.hostname, "hostname"), (&sandbox.uts.domainname, "domainname")] {
        let Some(name) = name else { continue };
        let mode = &sandbox.uts.mode;
        if mode.value != Mode::New {
            out.push(
                Diagnostic::error(
                    "hostname-without-uts",
                    format!("`{key}` would rename somebody else: `uts` is {}", word(mode)),
                )
                .label(name.span(), "set here")
                .label(mode.span(), "no UTS namespace of its own")
                .help("write `uts new { … }`, or delete the line"),
            );
        }
        let length = name.value.len();
        if length > 64 {
            out.push(
                Diagnostic::error(
                    "hostname-too-long",
                    format!("this name has {length} bytes, and the kernel takes 64"),
                )
                .label(name.span(), "too long")
                .help("write a shorter name"),
            );
        } else if name.value.is_empty()
            || !name.value.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-' || it == b'.')
        {
            out.push(
                Diagnostic::warning(
                    "hostname-invalid",
                    format!("{:?} is no host name that programs expect", name.value),
                )
                .label(name.span(), "set here")
                .help("use letters, digits, `-` and `.`: hostname(7)"),
            );
        }
    }
}

fn time(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let mode = &sandbox.time.mode;
    for (offset, clock) in [(&sandbox.time.monotonic, "monotonic"), (&sandbox.time.boottime, "boottime")] {
        let Some(offset) = offset else { continue };
        if offset.value.unsigned_abs() > FARTHEST {
            out.push(
                Diagnostic::error("offset-too-far", "the kernel takes offsets of up to 146 years")
                    .label(offset.span(), format!("an offset of `{clock}`"))
                    .help("write a smaller offset"),
            );
        }
        match mode.value {
            Mode::New => {}
            Mode::Join(_) => out.push(
                Diagnostic::error(
                    "offset-on-join",
                    "the offsets of a time namespace are fixed once a process is in it",
                )
                .label(offset.span(), format!("an offset of `{clock}`"))
                .label(mode.span(), "somebody else's time namespace")
                .help("delete the offset, or write `time new`"),
            ),
            _ => out.push(
                Diagnostic::error("offset-without-time", "clock offsets need a time namespace of the sandbox's own")
                    .label(offset.span(), format!("an offset of `{clock}`"))
                    .label(mode.span(), format!("`time` is {}", word(mode)))
                    .help("write `time new { … }`"),
            ),
        }
    }
}

/// File systems that show a namespace can be mounted by its owner only.
fn kernel_mounts(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let rows: [(MountSource, NsKind, &'static str, &str); 3] = [
        (MountSource::Sys, NsKind::Net, "sysfs-without-net", "bind(ro)"),
        (MountSource::Mqueue, NsKind::Ipc, "mqueue-without-ipc", "tmpfs(size: 1MiB)"),
        (MountSource::Cgroup, NsKind::Cgroup, "cgroupfs-without-cgroup", "bind(ro)"),
    ];
    for (source, kind, code, instead) in rows {
        let Some((span, path)) = mount_of(sandbox, |it| *it == source) else { continue };
        let mode = sandbox.mode(kind);
        // Rights over what is joined come with the user namespace that owns it; whoever joins without may be root.
        let joined = matches!(mode.value, Mode::Join(_)) && !sandbox.is_new(NsKind::User);
        if sandbox.is_new_or_pods(kind) || joined {
            continue;
        }
        let name = kind.name();
        out.push(
            Diagnostic::error(code, format!("{path} cannot be mounted while `{name}` is {}", word(mode)))
                .label(span, format!("needs a {name} namespace of the sandbox's own"))
                .label(mode.span(), format!("`{name}` is {}", word(mode)))
                .help(format!("write `{name} new`, or `mount {path} = {instead}`")),
        );
    }
}

fn joins(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    for kind in NsKind::ALL {
        let mode = sandbox.mode(kind);
        match &mode.value {
            Mode::Join(JoinTarget::Sandbox(name)) if *name == sandbox.name.value => out.push(
                Diagnostic::error("join-self", format!("`{name}` cannot join itself"))
                    .label(mode.span(), "joins the sandbox that it stands in")
                    .help("name another sandbox, or write `new`"),
            ),
            _ => {}
        }
    }
    one_target(sandbox, out);
    let user = &sandbox.user.mode;
    let joined = |kind: NsKind| matches!(sandbox.mode(kind).value, Mode::Join(_));
    if user.value == Mode::New {
        for kind in NsKind::ALL.into_iter().filter(|kind| *kind != NsKind::User && joined(*kind)) {
            out.push(
                Diagnostic::error(
                    "join-needs-user",
                    format!("a new user namespace has no rights over the `{}` that it joins", kind.name()),
                )
                .label(sandbox.mode(kind).span(), "somebody else's namespace")
                .label(user.span(), "a user namespace that does not own it")
                .help("join the same target's `user` as well"),
            );
        }
    }
}

/// Who has joined one target's user namespace has rights over the namespaces of that target, and of no other.
fn one_target(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let Mode::Join(owner) = &sandbox.user.mode.value else { return };
    for kind in NsKind::ALL.into_iter().filter(|kind| *kind != NsKind::User) {
        let mode = sandbox.mode(kind);
        let Mode::Join(target) = &mode.value else { continue };
        // Two files of nsfs may well belong together; nobody can tell by their names.
        let by_path = matches!(target, JoinTarget::Path(_)) || matches!(owner, JoinTarget::Path(_));
        if target != owner && !by_path {
            out.push(
                Diagnostic::warning(
                    "join-two-targets",
                    format!("the user namespace of one target has no rights over the `{}` of another", kind.name()),
                )
                .label(mode.span(), "joins this one")
                .label(sandbox.user.mode.span(), "with the user namespace of that one")
                .help("join both of the same target"),
            );
            return;
        }
    }
}

/// A sandbox that keeps everything of the host's is none.
fn no_boundary(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let nothing_new = NsKind::ALL.into_iter().all(|kind| sandbox.mode(kind).value == Mode::Host);
    if nothing_new && sandbox.seccomp.is_none() && sandbox.limits.is_empty() {
        out.push(
            Diagnostic::warning("no-boundary", format!("`{}` isolates next to nothing", sandbox.name.value))
                .label(sandbox.name.span(), "no namespace of its own, no filter, no limit")
                .help("start from a profile: `use std/service` and `with service.hardened`"),
        );
    }
}
