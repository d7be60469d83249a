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

use super::{CallRules, CompareOp, Condition, FilterSpec, ForeignAbi, SyscallAction, Verdict};
use crate::policy::{Seccomp, SyscallRule};
use crate::schema::syscalls::{self, i386};

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
    FilterSpec {
        arch: arch.to_string(),
        otherwise,
        calls: calls(seccomp, arch),
        last: syscalls::last(arch).unwrap_or(0),
        newer: newer(otherwise),
        foreign: abis(seccomp, arch)
            .skip(1)
            .map(|abi| ForeignAbi {
                abi: abi.to_string(),
                calls: calls(seccomp, abi),
                last: syscalls::last(abi).unwrap_or(0),
            })
            .collect(),
    }
}

/// The ABIs whose calls a filter judges on an architecture: its own first. An ABI of another architecture is none here.
pub fn abis<'a>(seccomp: &Seccomp, arch: &'a str) -> impl Iterator<Item = &'a str> {
    let i386 = arch == i386::HOST && seccomp.abis.iter().any(|it| it.value == i386::NAME);
    std::iter::once(arch).chain(i386.then_some(i386::NAME))
}

/// What a call of a kernel newer than the tables gets.
pub(super) fn newer(otherwise: SyscallAction) -> SyscallAction {
    if permits(otherwise) { otherwise } else { UNKNOWN }
}

/// What the calls of an ABI get.
fn calls(seccomp: &Seccomp, abi: &str) -> Vec<CallRules> {
    let rules = Rules::new(seccomp, abi);
    let of_call = |(name, number): &(&str, u32)| {
        let verdicts = rules.decisions(name).into_iter().map(|it| it.verdict).collect();
        let verdicts = shortened(verdicts, seccomp.otherwise.value);
        (!verdicts.is_empty()).then(|| CallRules { name: name.to_string(), number: *number, verdicts })
    };
    let mut calls: Vec<CallRules> = syscalls::table(abi).iter().filter_map(of_call).collect();
    calls.sort_unstable_by_key(|it| it.number);
    calls
}

/// A verdict on a call, and who gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Under which conditions, and what.
    pub verdict: Verdict,
    /// Who.
    pub by: By,
}

/// Who gives a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The rule of the policy with this index.
    Rule(usize),
    /// A group does not let namespaces be made, unless `unshare` is allowed too.
    NoNamespaces,
    /// A group does not let anybody type into a terminal.
    NoTerminalInput,
    /// `clone3` sends libc back to `clone`, which no rule could look into otherwise.
    BackToClone,
    /// socketcall(2) and ipc(2) of i386 get what all the calls get that they stand for, or do not exist.
    Multiplexed,
    /// A condition asks for an argument that is not where a filter can see it in this ABI, so the call does not exist.
    HiddenArgument,
}

/// What every call of an ABI gets by the rules of a policy, the most specific first: the first whose conditions hold decides, or
/// `otherwise`.
pub fn decisions(seccomp: &Seccomp, abi: &str, name: &str) -> Vec<Decision> {
    Rules::new(seccomp, abi).decisions(name)
}

/// The rules of a policy by call.
struct Rules<'a> {
    seccomp: &'a Seccomp,
    foreign: bool,
    by_call: BTreeMap<&'a str, Vec<usize>>,
    may_unshare: bool,
}

impl<'a> Rules<'a> {
    fn new(seccomp: &'a Seccomp, abi: &str) -> Rules<'a> {
        let mut by_call: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, rule) in seccomp.rules.iter().enumerate() {
            for name in &rule.value.calls {
                by_call.entry(name).or_default().push(index);
            }
        }
        let mut rules = Rules { seccomp, foreign: abi == i386::NAME, by_call, may_unshare: false };
        rules.may_unshare = permits(rules.plain("unshare"));
        rules
    }

    fn rule(&self, index: usize) -> &'a SyscallRule {
        &self.seccomp.rules[index].value
    }

    /// The rules for a call, the most specific first.
    fn ordered(&self, name: &str) -> Vec<usize> {
        let mut rules = self.by_call.get(name).cloned().unwrap_or_default();
        rules.sort_by_key(|index| {
            let rule = self.rule(*index);
            (rule.is_group, rule.conditions.is_empty(), Reverse(rule.action))
        });
        rules
    }

    /// What a call gets where no condition holds.
    fn plain(&self, name: &str) -> SyscallAction {
        let plain = self.ordered(name).into_iter().find(|it| self.rule(*it).conditions.is_empty());
        plain.map_or(self.seccomp.otherwise.value, |it| self.rule(it).action)
    }

    fn decisions(&self, name: &str) -> Vec<Decision> {
        if !self.foreign {
            return self.refined(name, self.ordered(name));
        }
        let own = self.ordered(name);
        let Some(same) = i386::same(name) else {
            let members = i386::MULTIPLEXERS.iter().find(|(it, _)| *it == name);
            return match members {
                Some((_, members)) if own.is_empty() => self.multiplexed(members),
                _ => self.refined(name, own),
            };
        };
        // A name of i386 alone may have rules of its own.
        let rules = if own.is_empty() { self.ordered(same) } else { own };
        let conditions = rules.iter().flat_map(|it| &self.rule(*it).conditions);
        if conditions.into_iter().any(|it| is_hidden(name, it)) {
            return vec![plainly(UNKNOWN, By::HiddenArgument)];
        }
        self.refined(same, rules)
    }

    /// What all calls get for which one stands: the action of all, or none.
    fn multiplexed(&self, members: &[&str]) -> Vec<Decision> {
        let action = self.plain(members[0]);
        let alike = members.iter().all(|it| {
            let conditional = self.ordered(it).into_iter().any(|it| !self.rule(it).conditions.is_empty());
            !conditional && self.plain(it) == action
        });
        vec![plainly(if alike { action } else { UNKNOWN }, By::Multiplexed)]
    }

    /// The verdicts with what a group's allowance does not cover taken out of it.
    fn refined(&self, name: &str, rules: Vec<usize>) -> Vec<Decision> {
        if name == "clone3" && rules.is_empty() && matches!(self.seccomp.otherwise.value, SyscallAction::Errno(_)) {
            return vec![plainly(UNKNOWN, By::BackToClone)];
        }
        let mut decisions = Vec::with_capacity(rules.len() + 1);
        let mut pending = true;
        for index in rules {
            let rule = self.rule(index);
            if pending && rule.is_group && permits(rule.action) {
                pending = false;
                decisions.extend(exception(name, self.may_unshare));
            }
            let verdict = Verdict { conditions: rule.conditions.clone(), action: rule.action };
            decisions.push(Decision { verdict, by: By::Rule(index) });
        }
        decisions
    }
}

/// Whether a condition asks for what a filter cannot see, or sees elsewhere, in a call of i386.
fn is_hidden(name: &str, condition: &Condition) -> bool {
    !i386::keeps_arguments(name) || !condition.fits_32_bits()
}

fn plainly(action: SyscallAction, by: By) -> Decision {
    Decision { verdict: Verdict { conditions: Vec::new(), action }, by }
}

/// What an allowance of a group does not cover.
fn exception(name: &str, may_unshare: bool) -> Option<Decision> {
    let (conditions, action, by) = match name {
        "clone" if !may_unshare => {
            let flags = condition("flags", 0, Some(NEW_NAMESPACES), CompareOp::Ne, vec![0]);
            (vec![flags], REFUSED, By::NoNamespaces)
        }
        "clone3" if !may_unshare => (Vec::new(), UNKNOWN, By::NoNamespaces),
        "ioctl" => {
            let request = condition("request", 1, None, CompareOp::In, TERMINAL_INPUT.to_vec());
            (vec![request], REFUSED, By::NoTerminalInput)
        }
        _ => return None,
    };
    Some(Decision { verdict: Verdict { conditions, action }, by })
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
