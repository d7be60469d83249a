//! The filter of a policy, call by call.
//!
//! For every call the rules that name it are put in order: a rule for the call before a rule for a group of it, a rule
//! with conditions before one without, and among equals the stricter action first. The first whose conditions hold
//! decides. What can never decide, or would decide as what follows it, is dropped.
//!
//! Two calls are wider than the groups that they stand in, so the allowance of a *group* for them is refined; a rule
//! of their own is taken as it is written:
//!
//! - `clone` fails with EPERM where it asks for a new namespace, unless `unshare` is allowed too. `clone3` keeps its
//!   flags in memory, where no filter can look, so it answers ENOSYS: libc falls back to `clone`.
//! - `ioctl` fails with EPERM for TIOCSTI and TIOCLINUX, which type into the terminal on behalf of somebody else.
//!
//! `clone3` answers ENOSYS too where no rule names it and `otherwise` is an errno, since EPERM would make libc give up.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{CallRules, CompareOp, Condition, FilterSpec, SyscallAction, Verdict};
use crate::policy::{Seccomp, SyscallRule};
use crate::schema::syscalls;

/// The CLONE_NEW flags that clone(2) takes: NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. The bit of NEWTIME
/// is part of the signal number there.
const NEW_NAMESPACES: u64 = 0x7e02_0000;

/// TIOCSTI and TIOCLINUX: ioctl_tty(2), ioctl_console(2).
const TERMINAL_INPUT: [u64; 2] = [0x5412, 0x541c];

const REFUSED: SyscallAction = SyscallAction::Errno(libc::EPERM as u16);
const UNKNOWN: SyscallAction = SyscallAction::Errno(libc::ENOSYS as u16);

/// The filter of a policy on an architecture (`x86_64`, `aarch64`), sorted by number. Calls that the architecture does not
/// have are skipped; calls that get nothing but `otherwise` are left out.
pub fn filter_spec(seccomp: &Seccomp, arch: &str) -> FilterSpec {
    let otherwise = seccomp.otherwise.value;
    let mut rules: BTreeMap<u32, (&str, Vec<&SyscallRule>)> = BTreeMap::new();
    for rule in &seccomp.rules {
        for name in &rule.value.calls {
            if let Some(number) = syscalls::number(arch, name) {
                rules.entry(number).or_insert((name, Vec::new())).1.push(&rule.value);
            }
        }
    }
    if let Some(number) = syscalls::number(arch, "clone3") {
        rules.entry(number).or_insert(("clone3", Vec::new()));
    }
    let may_unshare = {
        let unshare = syscalls::number(arch, "unshare").and_then(|number| rules.get(&number));
        let last =
            unshare.and_then(|(_, rules)| ordered(rules).into_iter().find(|it| it.verdict.conditions.is_empty()));
        permits(last.map_or(otherwise, |it| it.verdict.action))
    };
    let calls = rules.into_iter().filter_map(|(number, (name, rules))| {
        let verdicts = shortened(refined(name, ordered(&rules), otherwise, may_unshare), otherwise);
        (!verdicts.is_empty()).then(|| CallRules { name: name.to_string(), number, verdicts })
    });
    FilterSpec {
        arch: arch.to_string(),
        otherwise,
        calls: calls.collect(),
        last: syscalls::last(arch).unwrap_or(0),
        newer: if permits(otherwise) { otherwise } else { UNKNOWN },
    }
}

/// A verdict, and whether a group brought it.
struct Candidate {
    verdict: Verdict,
    by_group: bool,
}

/// The verdicts of rules for one call, the most specific first.
fn ordered(rules: &[&SyscallRule]) -> Vec<Candidate> {
    let mut rules = rules.to_vec();
    rules.sort_by_key(|rule| (rule.is_group, rule.conditions.is_empty(), Reverse(rule.action)));
    rules
        .into_iter()
        .map(|rule| Candidate {
            verdict: Verdict { conditions: rule.conditions.clone(), action: rule.action },
            by_group: rule.is_group,
        })
        .collect()
}

/// The verdicts with what a group's allowance does not cover taken out of it.
fn refined(name: &str, candidates: Vec<Candidate>, otherwise: SyscallAction, may_unshare: bool) -> Vec<Verdict> {
    if name == "clone3" && candidates.is_empty() && matches!(otherwise, SyscallAction::Errno(_)) {
        return vec![Verdict { conditions: Vec::new(), action: UNKNOWN }];
    }
    let mut verdicts = Vec::with_capacity(candidates.len() + 1);
    let mut pending = true;
    for candidate in candidates {
        if pending && candidate.by_group && permits(candidate.verdict.action) {
            pending = false;
            verdicts.extend(exception(name, may_unshare));
        }
        verdicts.push(candidate.verdict);
    }
    verdicts
}

/// What an allowance of a group does not cover.
fn exception(name: &str, may_unshare: bool) -> Option<Verdict> {
    let (conditions, action) = match name {
        "clone" if !may_unshare => (vec![condition("flags", 0, Some(NEW_NAMESPACES), CompareOp::Ne, vec![0])], REFUSED),
        "clone3" if !may_unshare => (Vec::new(), UNKNOWN),
        "ioctl" => (vec![condition("request", 1, None, CompareOp::In, TERMINAL_INPUT.to_vec())], REFUSED),
        _ => return None,
    };
    Some(Verdict { conditions, action })
}

fn condition(name: &str, index: u8, mask: Option<u64>, op: CompareOp, values: Vec<u64>) -> Condition {
    Condition { name: name.to_string(), index, dword: true, mask, op, values }
}

/// The verdicts without those that change nothing.
fn shortened(verdicts: Vec<Verdict>, otherwise: SyscallAction) -> Vec<Verdict> {
    let mut kept: Vec<Verdict> = Vec::with_capacity(verdicts.len());
    for verdict in verdicts {
        if kept.last().is_some_and(|last| last.conditions.is_empty()) {
            break;
        }
        if !kept.iter().any(|earlier| earlier.conditions == verdict.conditions) {
            kept.push(verdict);
        }
    }
    if kept.last().is_some_and(|last| last.conditions.is_empty() && last.action == otherwise) {
        kept.pop();
    }
    let end = match kept.last() {
        Some(last) if last.conditions.is_empty() => kept.pop(),
        _ => None,
    };
    let follows = end.as_ref().map_or(otherwise, |end| end.action);
    while kept.last().is_some_and(|last| last.action == follows) {
        kept.pop();
    }
    kept.extend(end);
    kept
}

fn permits(action: SyscallAction) -> bool {
    matches!(action, SyscallAction::Allow | SyscallAction::Log)
}
