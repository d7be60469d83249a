//! Filters: from the rules of a policy to the program of the kernel's, without a kernel.

mod abis;
mod compile;
mod groups;
mod machine;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use nsl::plan::{CompareOp, Condition, FilterSpec, SyscallAction};
use nsl::policy::{Seccomp, SyscallRule, Traced};
use nsl::source::{Files, Span};
use nsl::syntax::ast::{GroupMember, Item};
use nsl::syntax::parse;

const EPERM: SyscallAction = SyscallAction::Errno(1);
const ENOSYS: SyscallAction = SyscallAction::Errno(38);

/// A value of a policy that nobody wrote.
fn traced<T>(value: T) -> Traced<T> {
    Traced::implied(value, Span::default(), "seccomp", "a test")
}

fn seccomp(otherwise: SyscallAction, rules: Vec<SyscallRule>) -> Seccomp {
    Seccomp { otherwise: traced(otherwise), rules: rules.into_iter().map(traced).collect(), abis: Vec::new() }
}

/// The name of a call as the tables have it.
fn known(name: &str) -> &'static str {
    nsl::schema::syscalls::known(name).unwrap_or_else(|| panic!("there is no call {name}"))
}

/// A rule for one call.
fn call(name: &str, conditions: Vec<Condition>, action: SyscallAction) -> SyscallRule {
    SyscallRule { name: name.to_string(), is_group: false, calls: vec![known(name)], conditions, action }
}

/// A rule for a group of the standard library.
fn group(name: &str, action: SyscallAction) -> SyscallRule {
    let calls = groups()[name].iter().map(|it| known(it)).collect();
    SyscallRule { name: format!("@{name}"), is_group: true, calls, conditions: Vec::new(), action }
}

/// A condition on an int.
fn int(index: u8, mask: Option<u64>, op: CompareOp, values: &[u64]) -> Condition {
    Condition { name: format!("arg{index}"), index, dword: true, mask, op, values: values.to_vec() }
}

/// A condition on 64 bits.
fn long(index: u8, mask: Option<u64>, op: CompareOp, values: &[u64]) -> Condition {
    Condition { dword: false, ..int(index, mask, op, values) }
}

/// What a filter means, by its documentation rather than by its program.
fn meaning(spec: &FilterSpec, number: u32, arguments: [u64; 6]) -> SyscallAction {
    let x32 = spec.arch == "x86_64" && (number >= 0x4000_0000 || (512..548).contains(&number));
    match spec.calls.iter().find(|call| call.number == number) {
        Some(call) => {
            let holds = |conditions: &[Condition]| conditions.iter().all(|it| holds(it, arguments));
            call.verdicts.iter().find(|it| holds(&it.conditions)).map_or(spec.otherwise, |it| it.action)
        }
        None if x32 => ENOSYS,
        None if number > spec.last => spec.newer,
        None => spec.otherwise,
    }
}

fn holds(condition: &Condition, arguments: [u64; 6]) -> bool {
    let width = if condition.dword { u64::from(u32::MAX) } else { u64::MAX };
    let argument = arguments[usize::from(condition.index)] & condition.mask.unwrap_or(u64::MAX) & width;
    let value = condition.values.first().map_or(0, |value| value & width);
    match condition.op {
        CompareOp::Eq => argument == value,
        CompareOp::Ne => argument != value,
        CompareOp::Lt => argument < value,
        CompareOp::Le => argument <= value,
        CompareOp::Gt => argument > value,
        CompareOp::Ge => argument >= value,
        CompareOp::In => condition.values.iter().any(|value| argument == value & width),
    }
}

/// The groups of the standard library with all their members, groups in groups included.
fn groups() -> BTreeMap<String, BTreeSet<String>> {
    let mut files = Files::new();
    let id = files.add("std/syscalls.nsl", include_str!("../../stdlib/syscalls.nsl"));
    let file = parse(&files, id);
    assert!(file.errors.is_empty(), "{:?}", file.errors);
    let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for item in &file.items {
        let Item::Group(group) = item else { panic!("{item:?} is no group") };
        let members = group.members.iter().map(|member| match member {
            GroupMember::Call(name) => name.node.clone(),
            GroupMember::Group(name) => format!("@{}", name.node),
        });
        let before = groups.insert(group.name.node.clone(), members.collect());
        assert!(before.is_none(), "@{} is there twice", group.name.node);
    }
    while let Some((name, inner)) = groups
        .iter()
        .find_map(|(name, members)| Some((name.clone(), members.iter().find(|it| it.starts_with('@'))?.clone())))
    {
        let more =
            groups.get(&inner[1..]).cloned().unwrap_or_else(|| panic!("@{name} names {inner}, which is not there"));
        assert!(!more.contains(&format!("@{name}")), "@{name} and {inner} name each other");
        let members = groups.get_mut(&name).unwrap();
        members.remove(&inner);
        members.extend(more);
    }
    groups
}
