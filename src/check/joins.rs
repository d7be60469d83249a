//! What is joined, as this host has it: whether it is there, and who has rights over it. setns(2)

use crate::host::{HostFacts, Joinable, Missing, join_key};
use crate::policy::{JoinTarget, Mode, NsKind, Policy, Sandbox};
use crate::report::Diagnostic;

/// The targets of joins whose facts the checks need.
pub fn wanted_joins(policy: &Policy) -> Vec<JoinTarget> {
    let pods = policy.pods.iter().flat_map(|pod| pod.containers.iter().chain([&pod.base]));
    let mut targets: Vec<JoinTarget> = policy.sandboxes.iter().chain(pods).flat_map(targets).cloned().collect();
    targets.sort();
    targets.dedup();
    targets
}

fn targets(sandbox: &Sandbox) -> impl Iterator<Item = &JoinTarget> {
    NsKind::ALL.into_iter().filter_map(|kind| match &sandbox.mode(kind).value {
        Mode::Join(target) => Some(target),
        _ => None,
    })
}

pub(super) fn check(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    let mut told: Vec<&JoinTarget> = Vec::new();
    let mut forbidden = Vec::new();
    let mut own = Vec::new();
    for kind in NsKind::ALL {
        let Mode::Join(target) = &sandbox.mode(kind).value else { continue };
        let Some(found) = facts.joinable(target) else { continue };
        if let Some(why) = found.missing {
            if !told.contains(&target) {
                told.push(target);
                out.push(missing(sandbox, kind, target, why, facts));
            }
            continue;
        }
        let Some(namespace) = found.namespaces.get(&kind) else {
            out.push(other_kind(sandbox, kind, target, found));
            continue;
        };
        if namespace.own {
            own.push((kind, target));
        } else if let Some(reason) = refusal(sandbox, kind, found, facts) {
            forbidden.push((kind, target, reason));
        }
    }
    refused(sandbox, &forbidden, out);
    already_there(sandbox, &own, out);
}

fn missing(sandbox: &Sandbox, kind: NsKind, target: &JoinTarget, why: Missing, facts: &HostFacts) -> Diagnostic {
    let span = sandbox.mode(kind).span();
    let what = join_key(target);
    let user = &facts.caller.user;
    match (why, target) {
        (Missing::NoNamespace, _) => Diagnostic::error("join-no-namespace", format!("{what} is no namespace"))
            .label(span, "to be joined")
            .help("name a file of nsfs: /proc/PID/ns/KIND, or one that such a file was bound to, as below /run/netns"),
        (Missing::Forbidden, _) => {
            Diagnostic::error("join-forbidden", format!("`{user}` may not look at the namespaces of {what}"))
                .label(span, "to be joined")
                .help(
                    "run as root, or as the user who started it; its first process may hide what its program does not",
                )
        }
        (Missing::Absent, JoinTarget::Pid(pid)) => {
            Diagnostic::error("join-missing", format!("there is no process {pid}"))
                .label(span, "to be joined")
                .help("name a process that runs; `ps` and `lsns` list them")
        }
        (Missing::Absent, JoinTarget::Path(path)) => {
            Diagnostic::error("join-missing", format!("{path} does not exist"))
                .label(span, "to be joined")
                .help("name a file that a namespace is pinned to, as `ip netns add` and `keep` make them")
        }
        (Missing::Absent, JoinTarget::Sandbox(_) | JoinTarget::Pod(_)) => {
            Diagnostic::error("join-missing", format!("no {what} of `{user}` runs"))
                .label(span, "to be joined")
                .help("start it first; `nsl ps` lists what runs")
        }
    }
}

fn other_kind(sandbox: &Sandbox, kind: NsKind, target: &JoinTarget, found: &Joinable) -> Diagnostic {
    let there: Vec<&str> = found.namespaces.keys().map(|it| it.name()).collect();
    let message = format!("{} is no `{}` namespace", join_key(target), kind.name());
    Diagnostic::error("join-no-namespace", message)
        .label(sandbox.mode(kind).span(), "to be joined")
        .help(format!("it has {}", there.join(", ")))
}

/// Why the kernel would answer EPERM. Everything but a user namespace asks for CAP_SYS_ADMIN twice: in the user namespace
/// that owns it, and in the one that the process is in by then.
fn refusal(sandbox: &Sandbox, kind: NsKind, found: &Joinable, facts: &HostFacts) -> Option<String> {
    let caller = &facts.caller;
    let namespace = found.namespaces.get(&kind)?;
    let Some(owner) = namespace.user else {
        return Some("it belongs to a user namespace that does not lie below the caller's".to_string());
    };
    if kind == NsKind::User {
        let message = || format!("user {} made it, and only its maker and root may enter it", owner.uid);
        return (!owner.ruled_by(caller)).then(message);
    }
    let joined = match &sandbox.user.mode.value {
        Mode::Join(target) => facts.joinable(target).and_then(|it| it.namespaces.get(&NsKind::User)),
        _ => None,
    };
    // Whether the join of the user namespace is allowed is said there.
    if joined.is_some_and(|it| it.id == owner.id && !it.own) {
        return None;
    }
    if !caller.has("sys_admin") {
        return Some(format!("that takes CAP_SYS_ADMIN, which `{}` has not on the host", caller.user));
    }
    (kind == NsKind::Mnt && !caller.has("sys_chroot")).then(|| "that takes CAP_SYS_CHROOT".to_string())
}

/// One finding for all: they have one cause.
fn refused(sandbox: &Sandbox, forbidden: &[(NsKind, &JoinTarget, String)], out: &mut Vec<Diagnostic>) {
    let Some((first, target, reason)) = forbidden.first() else { return };
    let names: Vec<String> = forbidden.iter().map(|(kind, ..)| format!("`{}`", kind.name())).collect();
    let message = format!("the {} of {} cannot be joined: {reason}", names.join(", "), join_key(target));
    let help = match first {
        NsKind::User => "run as root, or as that user".to_string(),
        _ if matches!(sandbox.user.mode.value, Mode::Host) => {
            format!(
                "join its user namespace as well, which gives the right to the others: `user join({})`",
                argument(target)
            )
        }
        _ => "run as root, or join namespaces that the joined user namespace owns".to_string(),
    };
    let mut finding = Diagnostic::error("join-forbidden", message).help(help);
    for (kind, ..) in forbidden {
        finding = finding.label(sandbox.mode(*kind).span(), "no right to it");
    }
    out.push(finding);
}

fn argument(target: &JoinTarget) -> String {
    match target {
        JoinTarget::Pid(pid) => format!("pid: {pid}"),
        JoinTarget::Path(_) => "path: …".to_string(),
        JoinTarget::Sandbox(name) => format!("sandbox: {name}"),
        JoinTarget::Pod(name) => format!("pod: {name}"),
    }
}

fn already_there(sandbox: &Sandbox, own: &[(NsKind, &JoinTarget)], out: &mut Vec<Diagnostic>) {
    let Some((_, target)) = own.first() else { return };
    let names: Vec<String> = own.iter().map(|(kind, _)| format!("`{}`", kind.name())).collect();
    let message =
        format!("the {} of {} is the caller's own: there is nothing to join", names.join(", "), join_key(target));
    let mut finding = Diagnostic::warning("join-own", message)
        .help("name a process that has namespaces of its own (`lsns`), or write `host`");
    for (kind, _) in own {
        finding = finding.label(sandbox.mode(*kind).span(), "as with `host`");
    }
    out.push(finding);
}
