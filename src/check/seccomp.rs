//! Filters that cannot start a program, that say nothing, or that have a gap.

use std::collections::BTreeSet;

use super::{seccomp_abi, seccomp_rules};
use crate::policy::{Action, NsKind, Sandbox, Seccomp, SyscallRule, Traced};
use crate::report::Diagnostic;

pub(super) fn check(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let Some(seccomp) = &sandbox.seccomp else { return };
    if !sandbox.no_new_privs.value && sandbox.is_new(NsKind::User) {
        out.push(
            Diagnostic::warning(
                "seccomp-needs-nnp",
                "a filter without `no-new-privs` protects from nothing that a set-user-id program may do",
            )
            .label(sandbox.no_new_privs.span(), "set-user-id bits count here")
            .label(seccomp.otherwise.span(), "with a filter")
            .help("delete `no-new-privs = false`"),
        );
    }
    starts(seccomp, out);
    no_effect(seccomp, out);
    gaps(seccomp, out);
    seccomp_rules::check(seccomp, out);
    seccomp_abi::check(seccomp, out);
}

/// What a call gets when no condition is met, in the order that plan::filter has.
fn verdict<'s>(seccomp: &'s Seccomp, call: &str) -> (Action, Option<&'s Traced<SyscallRule>>) {
    let rules = seccomp.rules.iter().filter(|it| it.value.conditions.is_empty() && it.value.calls.contains(&call));
    let best = rules.max_by_key(|it| (!it.value.is_group, it.value.action));
    best.map_or((seccomp.otherwise.value, None), |it| (it.value.action, Some(it)))
}

fn permits(action: Action) -> bool {
    matches!(action, Action::Allow | Action::Log)
}

fn starts(seccomp: &Seccomp, out: &mut Vec<Diagnostic>) {
    let (action, rule) = verdict(seccomp, "execve");
    if !permits(action) {
        let span = rule.map_or(seccomp.otherwise.span(), Traced::span);
        out.push(
            Diagnostic::error("seccomp-no-exec", "the filter refuses execve, so the program cannot be started")
                .label(span, "refused here")
                .help("add `allow @basic`, or `allow execve`"),
        );
        return;
    }
    let needed = ["exit_group", "mmap", "read", "write", "rt_sigreturn"];
    let missing: Vec<&str> = needed.into_iter().filter(|call| !permits(verdict(seccomp, call).0)).collect();
    if !missing.is_empty() {
        out.push(
            Diagnostic::warning("seccomp-no-exit", format!("hardly any program runs without {}", missing.join(", ")))
                .label(seccomp.otherwise.span(), "refuses them")
                .help("add `allow @basic`"),
        );
    }
}

fn no_effect(seccomp: &Seccomp, out: &mut Vec<Diagnostic>) {
    for rule in &seccomp.rules {
        let same = rule.value.action == seccomp.otherwise.value && rule.value.conditions.is_empty();
        let is_alone = |call| seccomp.rules.iter().filter(|it| it.value.calls.contains(call)).count() == 1;
        // A denial that says what `otherwise` says is a note to the reader, as long as it is a plain one.
        if same && permits(rule.value.action) && rule.value.calls.iter().all(is_alone) {
            out.push(
                Diagnostic::advice("seccomp-no-effect", format!("`{}` gets what every call gets", rule.value.name))
                    .label(rule.span(), "changes nothing")
                    .label(seccomp.otherwise.span(), "says the same of all calls")
                    .help("delete the line")
                    .delete(rule.span()),
            );
        }
    }
}

fn gaps(seccomp: &Seccomp, out: &mut Vec<Diagnostic>) {
    let refused = |call: &str| !permits(verdict(seccomp, call).0);
    let named: BTreeSet<&str> = seccomp
        .rules
        .iter()
        .filter(|it| !permits(it.value.action))
        .flat_map(|it| it.value.calls.iter().copied())
        .collect();
    if named.contains("unshare") && refused("unshare") {
        let open = ["clone", "clone3"].into_iter().find(|call| {
            let (action, rule) = verdict(seccomp, call);
            // Through a group the plan refines both calls.
            permits(action) && rule.is_none_or(|it| !it.value.is_group)
        });
        if let Some(call) = open {
            let span = verdict(seccomp, call).1.map_or(seccomp.otherwise.span(), Traced::span);
            out.push(
                Diagnostic::warning("seccomp-clone-gap", format!("namespaces can still be made with {call}"))
                    .label(span, format!("lets {call} through"))
                    .help("deny `clone3 = errno(ENOSYS)` and `clone(flags & CLONE_NEWUSER != 0)` too, or allow them through a group"),
            );
        }
    }
    let network_refused = named.contains("socket") || named.contains("connect");
    if network_refused && !refused("io_uring_setup") {
        let span = verdict(seccomp, "io_uring_setup").1.map_or(seccomp.otherwise.span(), Traced::span);
        out.push(
            Diagnostic::warning("seccomp-uring-gap", "io_uring can do what the refused calls do, without making them")
                .label(span, "lets io_uring_setup through")
                .help("add `deny @io-uring`"),
        );
    }
}
