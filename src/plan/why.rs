//! What a filter does with a call, and which rule says so: by the rules of the policy, not by the program.

use super::filter::{By, decisions, newer};
use super::{CompareOp, Condition, SyscallAction};
use crate::policy::Seccomp;
use crate::schema::syscalls::{self, i386};

/// A call whose arguments may be known in part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The architecture or ABI that it is made in: `x86_64`, `aarch64`, `i386`.
    pub abi: String,
    /// Its number there.
    pub number: u32,
    /// Its arguments; `None` where anything may stand.
    pub arguments: [Option<u64>; 6],
}

/// One rule that speaks about a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What has to hold beside what is known of the arguments.
    pub open: Vec<Condition>,
    /// What the call gets then.
    pub action: SyscallAction,
    /// Who says so; `None` where nobody does and `otherwise` decides.
    pub by: Option<By>,
    /// What the case comes to.
    pub standing: Standing,
}

/// What a rule has to say in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It decides.
    Decides,
    /// It decides where what is open holds.
    Depends,
    /// Its conditions do not hold.
    DoesNotHold,
    /// One before it decides, which is more specific or stricter.
    Beaten,
}

/// Every rule that speaks about a call, the most specific first, up to the one that decides whatever is open, and what it beats.
pub fn why(seccomp: &Seccomp, question: &Question) -> Vec<Case> {
    let otherwise = seccomp.otherwise.value;
    let plain = |action| vec![Case { open: Vec::new(), action, by: None, standing: Standing::Decides }];
    let Some(name) = syscalls::name(&question.abi, question.number) else {
        let last = syscalls::last(&question.abi).unwrap_or(0);
        return plain(if question.number > last { newer(otherwise) } else { otherwise });
    };
    let mut cases = Vec::new();
    let mut decided = false;
    for decision in decisions(seccomp, &question.abi, name) {
        let mut open = decision.verdict.conditions;
        let mut fails = false;
        open.retain(|it| match holds(it, &question.arguments) {
            Some(true) => false,
            Some(false) => {
                fails = true;
                false
            }
            None => true,
        });
        let standing = match (decided, fails, open.is_empty()) {
            (true, ..) => Standing::Beaten,
            (false, true, _) => Standing::DoesNotHold,
            (false, false, true) => Standing::Decides,
            (false, false, false) => Standing::Depends,
        };
        decided |= standing == Standing::Decides;
        cases.push(Case { open, action: decision.verdict.action, by: Some(decision.by), standing });
    }
    let standing = if decided { Standing::Beaten } else { Standing::Decides };
    cases.push(Case { open: Vec::new(), action: otherwise, by: None, standing });
    cases
}

/// Whether a condition holds, as the kernel has it; `None` where that depends on an argument that is not known.
fn holds(condition: &Condition, arguments: &[Option<u64>; 6]) -> Option<bool> {
    let width = if condition.dword { u64::from(u32::MAX) } else { u64::MAX };
    let argument = (*arguments.get(usize::from(condition.index))?)? & condition.mask.unwrap_or(u64::MAX) & width;
    let value = condition.values.first().map_or(0, |value| value & width);
    Some(match condition.op {
        CompareOp::Eq => argument == value,
        CompareOp::Ne => argument != value,
        CompareOp::Lt => argument < value,
        CompareOp::Le => argument <= value,
        CompareOp::Gt => argument > value,
        CompareOp::Ge => argument >= value,
        CompareOp::In => condition.values.iter().any(|value| argument == value & width),
    })
}

/// The position of an argument by the name that conditions have for it, or as `arg0` to `arg5`.
pub fn argument(abi: &str, call: &str, name: &str) -> Option<usize> {
    if let Some(index) = name.strip_prefix("arg").and_then(|it| it.parse::<usize>().ok()) {
        return (index < 6).then_some(index);
    }
    arguments(abi, call).iter().find(|it| it.name == name).map(|it| usize::from(it.index))
}

/// The arguments of a call that have names in an ABI.
pub fn arguments(abi: &str, call: &str) -> &'static [syscalls::Argument] {
    match abi {
        i386::NAME if !i386::keeps_arguments(call) => &[],
        i386::NAME => syscalls::arguments(i386::same(call).unwrap_or(call)),
        _ => syscalls::arguments(call),
    }
}
