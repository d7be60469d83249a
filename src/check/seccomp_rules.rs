//! Rules of a filter that contradict each other, or that say something else than they seem to.

use crate::policy::{Action, CompareOp, Condition, Seccomp, SyscallRule, Traced};
use crate::report::Diagnostic;
use crate::schema::syscalls;

/// The architectures that a policy may run on.
const ARCHITECTURES: [&str; 2] = ["x86_64", "aarch64"];

/// Calls that only older architectures have, and what a C library for newer ones calls instead.
const SUCCESSORS: [(&str, &str); 20] = [
    ("access", "faccessat"),
    ("chmod", "fchmodat"),
    ("chown", "fchownat"),
    ("creat", "openat"),
    ("dup2", "dup3"),
    ("epoll_create", "epoll_create1"),
    ("epoll_wait", "epoll_pwait"),
    ("fork", "clone"),
    ("getdents", "getdents64"),
    ("link", "linkat"),
    ("lstat", "newfstatat"),
    ("mkdir", "mkdirat"),
    ("open", "openat"),
    ("pipe", "pipe2"),
    ("poll", "ppoll"),
    ("readlink", "readlinkat"),
    ("rename", "renameat"),
    ("select", "pselect6"),
    ("stat", "newfstatat"),
    ("unlink", "unlinkat"),
];

pub(super) fn check(seccomp: &Seccomp, out: &mut Vec<Diagnostic>) {
    for (index, rule) in seccomp.rules.iter().enumerate() {
        conflict(rule, &seccomp.rules[..index], out);
        conditions(rule, out);
        one_architecture(rule, seccomp, out);
    }
}

fn permits(action: Action) -> bool {
    matches!(action, Action::Allow | Action::Log)
}

/// Between groups the stricter answer wins, so that a policy may take a part out of a group. Two rules for one call and
/// the same case leave no such reading.
fn conflict(rule: &Traced<SyscallRule>, before: &[Traced<SyscallRule>], out: &mut Vec<Diagnostic>) {
    if rule.value.is_group {
        return;
    }
    let same_case = |it: &&Traced<SyscallRule>| {
        !it.value.is_group
            && it.value.calls == rule.value.calls
            && it.value.action != rule.value.action
            && sorted(&it.value.conditions) == sorted(&rule.value.conditions)
    };
    let Some(other) = before.iter().find(same_case) else { return };
    let name = &rule.value.name;
    let says = |it: &Traced<SyscallRule>| if permits(it.value.action) { "allows it" } else { "refuses it" };
    let message = match permits(rule.value.action) == permits(other.value.action) {
        true => format!("two rules refuse `{name}`, and each in another way"),
        false => format!("`{name}` is both allowed and refused"),
    };
    out.push(
        Diagnostic::error("seccomp-conflict", message)
            .label(rule.span(), says(rule))
            .label(other.span(), says(other))
            .help("delete one of the two, or give one of them a condition"),
    );
}

fn sorted(conditions: &[Condition]) -> Vec<(u8, u8, Option<u64>, Vec<u64>)> {
    let mut all: Vec<_> = conditions
        .iter()
        .map(|it| {
            let mut values = it.values.clone();
            values.sort_unstable();
            (it.index, it.op as u8, it.mask, values)
        })
        .collect();
    all.sort();
    all
}

/// What a condition comes to whatever the argument is; `None` where that depends on it.
fn decided(condition: &Condition) -> Option<bool> {
    let most = if condition.dword { u64::from(u32::MAX) } else { u64::MAX };
    let mask = condition.mask.unwrap_or(most) & most;
    // Bits that the mask takes away are never there to be equal.
    let possible = |value: u64| value & most & !mask == 0;
    let first = condition.values.first().map(|value| value & most);
    match (condition.op, first?) {
        (CompareOp::Eq, value) => (!possible(value)).then_some(false),
        (CompareOp::Ne, value) => (!possible(value)).then_some(true),
        (CompareOp::In, _) => (!condition.values.iter().any(|it| possible(*it))).then_some(false),
        (CompareOp::Lt, 0) => Some(false),
        (CompareOp::Ge, 0) => Some(true),
        (CompareOp::Gt, value) if value == most => Some(false),
        (CompareOp::Le, value) if value == most => Some(true),
        _ => None,
    }
}

/// Whether no value meets both.
fn exclude(a: &Condition, b: &Condition) -> bool {
    let is_exact = |it: &Condition| matches!(it.op, CompareOp::Eq | CompareOp::In);
    let most = if a.dword { u64::from(u32::MAX) } else { u64::MAX };
    is_exact(a)
        && is_exact(b)
        && (a.index, a.mask) == (b.index, b.mask)
        && !a.values.iter().any(|x| b.values.iter().any(|y| x & most == y & most))
}

fn conditions(rule: &Traced<SyscallRule>, out: &mut Vec<Diagnostic>) {
    let conditions = &rule.value.conditions;
    let alone = conditions.iter().find_map(|it| Some((it, decided(it)?)));
    let together =
        conditions.iter().enumerate().find(|(at, it)| conditions[..*at].iter().any(|other| exclude(other, it)));
    let (message, label, help) = match (alone, together) {
        (Some((condition, true)), _) => (
            format!("whatever `{}` is, the condition holds", condition.name),
            "decides nothing",
            "delete the condition, or correct the mask or the value",
        ),
        (Some((condition, false)), _) => (
            format!("no value of `{}` meets the condition", condition.name),
            "never applies",
            "correct the mask or the value: a bit that the mask leaves out is never there",
        ),
        (None, Some((_, condition))) => (
            format!("`{}` cannot have both values at once", condition.name),
            "never applies: all conditions of a rule must hold",
            "write `in [A, B]`, or two rules",
        ),
        (None, None) => return,
    };
    out.push(Diagnostic::warning("seccomp-condition", message).label(rule.span(), label).help(help));
}

/// A policy that names a call which one of the architectures lacks allows less there than it seems to.
fn one_architecture(rule: &Traced<SyscallRule>, seccomp: &Seccomp, out: &mut Vec<Diagnostic>) {
    if rule.value.is_group || !permits(rule.value.action) {
        return;
    }
    let name = &rule.value.name;
    let Some((_, instead)) = SUCCESSORS.iter().find(|(it, _)| it == name) else { return };
    let Some(lacking) = ARCHITECTURES.into_iter().find(|arch| syscalls::number(arch, name).is_none()) else { return };
    let allowed =
        seccomp.rules.iter().any(|it| permits(it.value.action) && it.value.calls.iter().any(|call| call == instead));
    if !allowed && !permits(seccomp.otherwise.value) {
        out.push(
            Diagnostic::advice(
                "seccomp-one-arch",
                format!("there is no `{name}` on {lacking}, and programs call `{instead}`"),
            )
            .label(rule.span(), "allows nothing there")
            .help(format!("add `allow {instead}`")),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(op: CompareOp, mask: Option<u64>, values: &[u64], dword: bool) -> Condition {
        Condition { name: "x".into(), index: 0, dword, mask, op, values: values.to_vec() }
    }

    #[test]
    fn knows_what_a_condition_comes_to() {
        use CompareOp::*;
        let decided = |op, mask, values: &[u64], dword| decided(&condition(op, mask, values, dword));
        assert_eq!(decided(Eq, Some(0x0f), &[0x10], true), Some(false));
        assert_eq!(decided(Ne, Some(0x0f), &[0x10], true), Some(true));
        assert_eq!(decided(Eq, Some(0x0f), &[0x08], true), None);
        assert_eq!(decided(In, Some(0x0f), &[0x10, 0x08], true), None);
        assert_eq!(decided(In, Some(0x0f), &[0x10, 0x20], true), Some(false));
        assert_eq!(decided(Lt, None, &[0], false), Some(false));
        assert_eq!(decided(Le, None, &[u64::from(u32::MAX)], true), Some(true));
        assert_eq!(decided(Le, None, &[u64::from(u32::MAX)], false), None);
        assert_eq!(decided(Eq, None, &[-1_i64 as u64], true), None);
        assert_eq!(decided(In, None, &[], true), None);
    }

    #[test]
    fn knows_what_excludes_what() {
        let of = |op, values: &[u64]| condition(op, None, values, true);
        assert!(exclude(&of(CompareOp::Eq, &[1]), &of(CompareOp::Eq, &[2])));
        assert!(!exclude(&of(CompareOp::In, &[1, 2]), &of(CompareOp::Eq, &[2])));
        assert!(!exclude(&of(CompareOp::Ne, &[1]), &of(CompareOp::Eq, &[2])));
    }
}
