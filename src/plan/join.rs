//! Namespaces of others: in which order they are entered.
//!
//! setns(2) asks for CAP_SYS_ADMIN in the user namespace that owns what is joined, and in the one that the process is in by
//! then. Whoever enters a user namespace has all capabilities in it, and none any more outside. So what the joined
//! user namespace owns comes after it, and everything else before; a mount namespace comes last, as paths mean something else
//! afterwards. PID and time namespaces hold for the child that is made then.

use super::build::Builder;
use super::{Action, NamespaceFrom, Stage};
use crate::host::Joinable;
use crate::policy::{JoinTarget, Mode, NsKind};
use crate::report::Diagnostic;
use crate::source::Span;

/// Opens everything that is joined, before anything changes.
pub(super) fn open(builder: &mut Builder) {
    for (kind, from, id) in joined(builder) {
        let origin = builder.sandbox.mode(kind).origin.clone();
        builder.step(Stage::Prepare, Action::OpenNamespace { kind, from, id }, &origin);
    }
}

/// Enters it, in the order that works.
pub(super) fn enter(builder: &mut Builder) {
    let mut kinds: Vec<NsKind> = joined(builder).into_iter().map(|(kind, ..)| kind).collect();
    let user = kinds.contains(&NsKind::User);
    let of_others: Vec<NsKind> =
        kinds.iter().copied().filter(|kind| *kind != NsKind::User && !owned_by_joined(builder, *kind)).collect();
    // NsKind::ALL has `mnt` last; sorting keeps that order among equals.
    kinds.sort_by_key(|kind| match kind {
        NsKind::User => 1,
        kind if user && of_others.contains(kind) => 0,
        _ => 2,
    });
    for kind in kinds {
        let origin = builder.sandbox.mode(kind).origin.clone();
        let privilege = (!user || of_others.contains(&kind)).then_some("CAP_SYS_ADMIN");
        let why = origin.key.to_string();
        builder.push(Stage::Join, Action::JoinNamespace(kind), origin.span, why, privilege, true);
    }
}

/// What is joined, in the order of [`NsKind::ALL`]; without what the caller is in already.
fn joined(builder: &Builder) -> Vec<(NsKind, NamespaceFrom, Option<u64>)> {
    let row = |kind: NsKind| match &builder.sandbox.mode(kind).value {
        Mode::Pod => Some((kind, NamespaceFrom::Pod, None)),
        Mode::Join(target) => {
            let found = builder.facts.joinable(target);
            let namespace = found.and_then(|it| it.namespaces.get(&kind));
            if namespace.is_some_and(|it| it.own) {
                return None;
            }
            Some((kind, from(target, found)?, namespace.map(|it| it.id)))
        }
        Mode::New | Mode::Host => None,
    };
    NsKind::ALL.into_iter().filter_map(row).collect()
}

fn from(target: &JoinTarget, found: Option<&Joinable>) -> Option<NamespaceFrom> {
    let process = found.and_then(|it| it.process);
    match (target, process) {
        (JoinTarget::Path(path), _) => Some(NamespaceFrom::File(path.clone())),
        (_, Some(process)) => Some(NamespaceFrom::Process { pid: process.pid, start: Some(process.start) }),
        (JoinTarget::Pid(pid), None) => Some(NamespaceFrom::Process { pid: *pid, start: None }),
        (JoinTarget::Sandbox(_) | JoinTarget::Pod(_), None) => None,
    }
}

/// Whether the user namespace that is joined gives the right to a namespace. That of a pod owns all that the pod made; of a
/// target that nobody has looked at it is likely.
fn owned_by_joined(builder: &Builder, kind: NsKind) -> bool {
    let namespace = |kind: NsKind| match &builder.sandbox.mode(kind).value {
        Mode::Join(target) => builder.facts.joinable(target)?.namespaces.get(&kind).copied(),
        _ => None,
    };
    match (namespace(NsKind::User), namespace(kind).and_then(|it| it.user)) {
        (Some(user), Some(owner)) => user.id == owner.id,
        _ => true,
    }
}

/// A sandbox or pod of which nothing is known cannot be joined.
pub(super) fn refuse_unknown(builder: &mut Builder) {
    let mut told: Vec<(String, Span)> = Vec::new();
    for kind in NsKind::ALL {
        let mode = builder.sandbox.mode(kind);
        if let Mode::Join(target @ (JoinTarget::Sandbox(_) | JoinTarget::Pod(_))) = &mode.value {
            let found = builder.facts.joinable(target);
            let what = crate::host::join_key(target);
            if from(target, found).is_none() && !told.iter().any(|(it, _)| *it == what) {
                told.push((what, mode.span()));
            }
        }
    }
    for (what, span) in told {
        builder.errors.push(
            Diagnostic::error("join-missing", format!("no {what} runs"))
                .label(span, "to be joined")
                .help("start it first; `nsl ps` lists what runs"),
        );
    }
}

/// The ids and the state of setgroups(2) in the user namespace that is joined.
pub(super) fn user_of<'b>(builder: &'b Builder) -> Option<Option<&'b Joinable>> {
    match &builder.sandbox.user.mode.value {
        Mode::Join(target) => {
            let found = builder.facts.joinable(target);
            let own = found.and_then(|it| it.namespaces.get(&NsKind::User)).is_some_and(|it| it.own);
            (!own).then_some(found)
        }
        _ => None,
    }
}
