//! What the kernel, its switches and the caller's rights allow.

use super::host_net;
use super::text::duration;
use crate::host::HostFacts;
use crate::policy::{EntryKind, IdMap, Mode, MountSource, NsKind, Outside, Sandbox, Strength, Traced, Volume};
use crate::report::Diagnostic;
use crate::source::Span;

pub(super) fn check(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    kernel(sandbox, facts, out);
    user_namespaces(sandbox, facts, out);
    if sandbox.is_new(NsKind::User) {
        maps(sandbox, facts, out);
    }
    fresh_proc(sandbox, facts, out);
    cgroups(sandbox, facts, out);
    host_net::check(sandbox, facts, out);
    limits(sandbox, facts, out);
    offsets(sandbox, facts, out);
}

fn kernel(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    let mut too_old = |major: u32, minor: u32, what: &str, span: Span| {
        if !facts.kernel.at_least(major, minor) {
            out.push(
                Diagnostic::error(
                    "kernel-too-old",
                    format!("{what} needs Linux {major}.{minor}, and {} has {}", facts.name, facts.kernel.release),
                )
                .label(span, "asked for here")
                .help("use a newer kernel, or do without it"),
            );
        }
    };
    if sandbox.is_new(NsKind::Time) {
        too_old(5, 6, "a time namespace", sandbox.time.mode.span());
        if !sandbox.pid.init.value {
            too_old(6, 3, "a time namespace without `init`", sandbox.pid.init.span());
        }
    }
    if sandbox.is_new(NsKind::Mnt) {
        too_old(5, 12, "a tree of paths", sandbox.mnt.mode.span());
    }
    too_old(5, 11, "closing every descriptor before the program starts", sandbox.name.span());
    for kind in NsKind::ALL.into_iter().filter(|kind| sandbox.is_new(*kind) && !facts.namespaces.contains(kind)) {
        let since_time = kind == NsKind::Time && !facts.kernel.at_least(5, 6);
        if !since_time {
            out.push(
                Diagnostic::error(
                    "namespace-missing",
                    format!("the kernel of {} has no `{}` namespaces", facts.name, kind.name()),
                )
                .label(sandbox.mode(kind).span(), "asked for here")
                .help(format!("write `{} host`, or use a kernel that is built with them", kind.name())),
            );
        }
    }
    if let Some(seccomp) = &sandbox.seccomp
        && facts.seccomp_actions.is_empty()
    {
        out.push(
            Diagnostic::error("seccomp-missing", format!("the kernel of {} has no seccomp filters", facts.name))
                .label(seccomp.otherwise.span(), "a filter is asked for")
                .help("use a kernel with CONFIG_SECCOMP_FILTER"),
        );
    }
}

fn user_namespaces(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    let user = &sandbox.user.mode;
    let privileged = facts.caller.is_privileged();
    if user.value == Mode::Host && !privileged {
        let memory = |it: &&Traced<Volume>| matches!(it.value.source, MountSource::Tmpfs { .. });
        if let Some(volume) = sandbox.volumes.iter().find(memory) {
            out.push(
                Diagnostic::error(
                    "userns-needed",
                    "a volume in memory needs CAP_SYS_ADMIN on the host, or a user namespace",
                )
                .label(volume.span(), format!("`{}` has no right to it", facts.caller.user))
                .help("add `user new` to the pod, or run as root"),
            );
        }
        let needs = NsKind::ALL.into_iter().find(|kind| sandbox.is_new(*kind));
        if let Some(kind) = needs {
            out.push(
                Diagnostic::error(
                    "userns-needed",
                    format!("`{} new` needs CAP_SYS_ADMIN on the host, or a user namespace", kind.name()),
                )
                .label(sandbox.mode(kind).span(), format!("`{}` has no right to it", facts.caller.user))
                .label(
                    if user.is_implied() { sandbox.name.span() } else { user.span() },
                    "no user namespace of its own",
                )
                .help("add `user new`, or run as root"),
            );
        }
    }
    if user.value != Mode::New {
        return;
    }
    let switches = &facts.userns;
    let (reason, help) = if facts.caller.chroot {
        ("the caller is in a chroot, where the kernel makes none", "start nsl outside of the chroot")
    } else if switches.max == 0 {
        ("user.max_user_namespaces is 0", "as root: `sysctl user.max_user_namespaces=10000`")
    } else if switches.clone_disabled && !privileged {
        ("kernel.unprivileged_userns_clone is 0", "as root: `sysctl kernel.unprivileged_userns_clone=1`")
    } else if switches.apparmor_restricted && !privileged {
        (
            "AppArmor restricts them to programs with a profile (kernel.apparmor_restrict_unprivileged_userns is 1)",
            "as root: give nsl an AppArmor profile with `userns,`, or `sysctl kernel.apparmor_restrict_unprivileged_userns=0`",
        )
    } else if switches.filtered && !facts.caller.has("sys_admin") {
        (
            "the container's seccomp filter lets nobody without CAP_SYS_ADMIN make them",
            "start the container with a seccomp profile that allows clone(2) and unshare(2) with CLONE_NEWUSER",
        )
    } else {
        return;
    };
    out.push(
        Diagnostic::error(
            "userns-forbidden",
            format!("{} does not let `{}` create user namespaces: {reason}", facts.name, facts.caller.user),
        )
        .label(user.span(), "asked for here")
        .help(help),
    );
}

fn maps(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    let caller = &facts.caller;
    if caller.is_privileged() {
        return;
    }
    let user = &sandbox.user;
    let rows = [
        (&user.uid_map, "uid", caller.uid, &caller.subuid, "newuidmap", "/etc/subuid"),
        (&user.gid_map, "gid", caller.gid, &caller.subgid, "newgidmap", "/etc/subgid"),
    ];
    for (map, word, own, ranges, helper, file) in rows {
        let Some(first) = map.iter().find(|line| map.len() > 1 || !own_id(&line.value, own)) else { continue };
        if !facts.helpers.contains_key(helper) {
            out.push(
                Diagnostic::error(
                    "map-needs-helper",
                    format!("mapping {word}s other than your own needs `{helper}`, which {} does not have", facts.name),
                )
                .label(first.span(), "more than the caller's own id")
                .help(
                    "install the package `uidmap` (Debian, Ubuntu) or `shadow-utils` (Fedora), or map `caller` alone",
                ),
            );
            continue;
        }
        for line in map.iter() {
            if let Some(missing) = not_covered(&line.value, own, ranges) {
                out.push(
                    Diagnostic::error(
                        "map-needs-helper",
                        format!("{file} gives `{}` no range with {missing}", caller.user),
                    )
                    .label(line.span(), "mapped here")
                    .help(format!(
                        "as root, add the line `{}:100000:65536` to {file}, or map `caller` alone",
                        caller.user
                    )),
                );
            }
        }
    }
    if let Some(allowed) = user.setgroups.as_ref().filter(|it| it.value)
        && user.gid_map.len() == 1
        && own_id(&user.gid_map[0].value, caller.gid)
    {
        out.push(
            Diagnostic::error("setgroups-must-be-denied", "an unprivileged gid map needs `setgroups = deny`")
                .label(allowed.span(), "cannot be allowed")
                .label(user.gid_map[0].span(), "the map")
                .help("delete the line: deny is implied")
                .delete(allowed.span()),
        );
    }
}

fn own_id(line: &IdMap, own: u32) -> bool {
    match line.outside {
        Outside::Caller | Outside::Unprivileged => true,
        Outside::Outer { id, count } => id == own && count == 1,
        Outside::Subid { .. } => false,
    }
}

/// What newuidmap would refuse.
fn not_covered(line: &IdMap, own: u32, ranges: &[crate::host::IdRange]) -> Option<String> {
    if own_id(line, own) {
        return None;
    }
    match line.outside {
        Outside::Subid { count } if !ranges.iter().any(|it| it.count >= count) => Some(format!("{count} ids")),
        Outside::Outer { id, count } => {
            let end = u64::from(id) + u64::from(count);
            let covered = ranges.iter().any(|it| id >= it.start && end <= u64::from(it.start) + u64::from(it.count));
            (!covered).then(|| format!("the ids {id} to {}", end - 1))
        }
        _ => None,
    }
}

fn fresh_proc(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    let proc = sandbox.mnt.entries.iter().find(|it| matches!(it.value.kind, EntryKind::Mount(MountSource::Proc(_))));
    let (Some(proc), Some(masked)) = (proc, facts.proc_masked.first()) else { return };
    if sandbox.is_new(NsKind::User) {
        out.push(
            Diagnostic::error(
                "proc-masked",
                format!("{} hides parts of /proc, so the kernel refuses a fresh one", facts.name),
            )
            .label(proc.span(), format!("something covers {masked} there"))
            .help("write `mount /proc = bind(ro)`; in a container, ask for an unmasked /proc"),
        );
    }
}

/// One finding for all required limits that have one cause.
fn cgroups(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    let limits = sandbox.cgroup.limits();
    let required = limits.iter().filter(|it| it.strength != Strength::Prefer);
    let refused: Vec<_> =
        required.filter_map(|it| Some((it.name, it.origin.span, facts.cgroup_limit_place(it.name).err()?))).collect();
    for (code, by_version, help) in [
        (
            "cgroup-not-delegated",
            false,
            "run as root, name a cgroup that was delegated to you with `--cgroup-parent PATH`, or write `prefer` before the \
             limits to go on without them",
        ),
        (
            "cgroup-version",
            true,
            "boot with cgroup v2 alone (systemd.unified_cgroup_hierarchy=1), or write `prefer` before the limits to go on \
             without them",
        ),
    ] {
        let these = || refused.iter().filter(|(_, _, none)| none.by_version == by_version);
        let Some((_, _, none)) = these().next() else { continue };
        let names: Vec<String> = these().map(|(name, _, _)| format!("`{name}`")).collect();
        let message = format!("{} cannot be enforced, because {}", names.join(", "), none.reason);
        let mut finding = Diagnostic::error(code, message).help(help);
        for (_, span, _) in these() {
            finding = finding.label(*span, "required");
        }
        out.push(finding);
    }
}

fn limits(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    if facts.caller.has("sys_resource") {
        return;
    }
    for limit in &sandbox.limits {
        let Some(Some(hard)) = facts.hard_limits.get(&limit.value.resource) else { continue };
        if limit.value.value.is_none_or(|it| it > *hard) {
            out.push(
                Diagnostic::error(
                    "rlimit-above-hard",
                    format!("`{}` cannot be raised above the caller's hard limit {hard}", limit.value.resource),
                )
                .label(limit.span(), "more than that")
                .help(format!("write {hard} at the most, or raise the caller's limit (limits.conf(5))")),
            );
        }
    }
}

fn offsets(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    let up = facts.uptime.saturating_mul(1_000_000_000);
    for offset in [&sandbox.time.monotonic, &sandbox.time.boottime].into_iter().flatten() {
        let uptime = i64::try_from(up).unwrap_or(i64::MAX);
        if uptime.saturating_add(offset.value) < 0 {
            out.push(
                Diagnostic::error(
                    "offset-before-zero",
                    format!("the clock would be before zero: {} is up for {}", facts.name, duration(up)),
                )
                .label(offset.span(), "leads before the boot")
                .help("write a smaller offset"),
            );
        }
    }
}
