//! A filter for people: a summary, then what is neither plainly allowed nor plainly refused.

use super::{CompareOp, Condition, FilterSpec, SyscallAction};
use crate::schema::constants;

/// One line: how many calls are allowed, and what the others get.
pub(super) fn summary(spec: &FilterSpec) -> String {
    let plain = spec.calls.iter().filter(|call| match call.verdicts.as_slice() {
        [only] => only.action == SyscallAction::Allow && only.conditions.is_empty(),
        _ => false,
    });
    let otherwise = action(spec.otherwise);
    match plain.count() {
        0 => format!("seccomp {}: {otherwise}, but for rules of their own", spec.arch),
        1 => format!("seccomp {}: 1 call allowed, others {otherwise}", spec.arch),
        count => format!("seccomp {}: {count} calls allowed, others {otherwise}", spec.arch),
    }
}

/// A line for each verdict on a call that depends on arguments, in the order in which they are tried; then a line for each
/// other answer with the calls that get it.
pub(super) fn details(spec: &FilterSpec) -> Vec<String> {
    let mut lines = Vec::new();
    let mut others: Vec<(SyscallAction, Vec<&str>)> = Vec::new();
    for call in &spec.calls {
        match call.verdicts.as_slice() {
            [only] if only.conditions.is_empty() => {
                match others.iter_mut().find(|(action, _)| *action == only.action) {
                    Some((_, names)) => names.push(&call.name),
                    None => others.push((only.action, vec![&call.name])),
                }
            }
            verdicts => {
                for verdict in verdicts {
                    lines.push(format!(
                        "{} = {}",
                        condition_list(&call.name, &verdict.conditions),
                        action(verdict.action)
                    ));
                }
                if verdicts.last().is_some_and(|last| !last.conditions.is_empty()) {
                    lines.push(format!("{} = {}", call.name, action(spec.otherwise)));
                }
            }
        }
    }
    others.sort_by_key(|(action, _)| *action);
    for (answer, names) in others.into_iter().filter(|(answer, _)| *answer != SyscallAction::Allow) {
        lines.push(format!("{} = {}", names.join(", "), action(answer)));
    }
    for foreign in &spec.foreign {
        lines.push(format!(
            "{}: the same rules by the names and numbers of {0}, {} calls with an answer of their own",
            foreign.abi,
            foreign.calls.len()
        ));
    }
    if spec.newer != spec.otherwise {
        lines.push(format!("calls newer than number {} = {}", spec.last, action(spec.newer)));
    }
    lines
}

/// A call under conditions as a policy has it: `socket(family != 1)`.
pub fn condition_list(name: &str, conditions: &[Condition]) -> String {
    match conditions {
        [] => name.to_string(),
        _ => format!("{name}({})", conditions.iter().map(condition).collect::<Vec<_>>().join(", ")),
    }
}

fn condition(condition: &Condition) -> String {
    let op = match condition.op {
        CompareOp::Eq => "==",
        CompareOp::Ne => "!=",
        CompareOp::Lt => "<",
        CompareOp::Le => "<=",
        CompareOp::Gt => ">",
        CompareOp::Ge => ">=",
        CompareOp::In => "in",
    };
    let values: Vec<String> = condition.values.iter().map(|value| number(*value)).collect();
    let values = match condition.op {
        CompareOp::In => format!("[{}]", values.join(", ")),
        _ => values.join(", "),
    };
    let mask = condition.mask.map_or(String::new(), |mask| format!(" & {mask:#x}"));
    format!("{}{mask} {op} {values}", condition.name)
}

fn number(value: u64) -> String {
    if value < 1024 { value.to_string() } else { format!("{value:#x}") }
}

/// What an action is called in a policy: `errno(EPERM)`.
pub fn action(action: SyscallAction) -> String {
    match action {
        SyscallAction::Allow => "allow".to_string(),
        SyscallAction::Log => "log".to_string(),
        SyscallAction::Errno(number) => match constants::errno_name(i32::from(number)) {
            Some(name) => format!("errno({name})"),
            None => format!("errno({number})"),
        },
        SyscallAction::Trap => "trap".to_string(),
        SyscallAction::KillThread => "kill-thread".to_string(),
        SyscallAction::Kill => "kill".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{CallRules, Verdict};

    fn call(name: &str, verdicts: Vec<(Vec<Condition>, SyscallAction)>) -> CallRules {
        let verdicts = verdicts.into_iter().map(|(conditions, action)| Verdict { conditions, action }).collect();
        CallRules { name: name.to_string(), number: 0, verdicts }
    }

    #[test]
    fn says_what_is_not_plain() {
        let flags = Condition {
            name: "flags".to_string(),
            index: 0,
            dword: true,
            mask: Some(0x7e02_0000),
            op: CompareOp::Ne,
            values: vec![0],
        };
        let family = Condition {
            name: "family".to_string(),
            mask: None,
            op: CompareOp::In,
            values: vec![1, 2],
            ..flags.clone()
        };
        let spec = FilterSpec {
            arch: "x86_64".to_string(),
            otherwise: SyscallAction::Errno(1),
            calls: vec![
                call("read", vec![(Vec::new(), SyscallAction::Allow)]),
                call("write", vec![(Vec::new(), SyscallAction::Allow)]),
                call("clone", vec![(vec![flags], SyscallAction::Errno(1)), (Vec::new(), SyscallAction::Allow)]),
                call("socket", vec![(vec![family], SyscallAction::Allow)]),
                call("mount", vec![(Vec::new(), SyscallAction::Kill)]),
                call("clone3", vec![(Vec::new(), SyscallAction::Errno(38))]),
                call("ptrace", vec![(Vec::new(), SyscallAction::Kill)]),
            ],
            last: 469,
            newer: SyscallAction::Errno(38),
            foreign: Vec::new(),
        };
        assert_eq!(summary(&spec), "seccomp x86_64: 2 calls allowed, others errno(EPERM)");
        assert_eq!(
            details(&spec),
            [
                "clone(flags & 0x7e020000 != 0) = errno(EPERM)",
                "clone = allow",
                "socket(family in [1, 2]) = allow",
                "socket = errno(EPERM)",
                "clone3 = errno(ENOSYS)",
                "mount, ptrace = kill",
                "calls newer than number 469 = errno(ENOSYS)",
            ]
        );
    }
}
