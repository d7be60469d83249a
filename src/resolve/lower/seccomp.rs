//! The rules of the filter.

use super::Lower;
use super::read::{argument, text};
use crate::policy::{Action, CompareOp, Condition, Seccomp, SyscallRule, Traced};
use crate::report::Diagnostic;
use crate::resolve::groups;
use crate::resolve::merge::Candidate;
use crate::resolve::value::{ArgVal, Comparison, Val, Value, operator};
use crate::schema::{constants, suggest, syscalls};
use crate::source::Span;
use crate::syntax::ast::BinaryOp;

/// EPERM: what a refused call answers where the policy does not say.
const EPERM: u16 = libc::EPERM as u16;

/// The section `seccomp`, if anybody states it.
pub fn seccomp(lower: &mut Lower) -> Option<Seccomp> {
    let stated = lower.settled.get("seccomp")?.origin.span;
    let mut rules = Vec::new();
    for head in ["allow", "deny"] {
        for found in lower.entries(&format!("seccomp.{head}")) {
            rules.extend(rule(lower, head, &found));
        }
    }
    let otherwise = match lower.setting("seccomp.otherwise", |it| Some(it.clone())) {
        Some(found) => {
            let value = action(lower, &found.value).unwrap_or(Action::Errno(EPERM));
            found.map(|_| value)
        }
        None => {
            Traced::implied(Action::Errno(EPERM), stated, "seccomp.otherwise", "a call that no rule names is refused")
        }
    };
    let abis = lower.entries("seccomp.abi").into_iter().filter_map(|found| {
        let value = text(found.payload.labels.first()?)?;
        Some(Traced { value, origin: found.origin, strength: found.payload.strength })
    });
    Some(Seccomp { otherwise, rules, abis: abis.collect() })
}

fn rule(lower: &mut Lower, head: &str, found: &Candidate) -> Option<Traced<SyscallRule>> {
    let action = match (head, &found.payload.value) {
        ("allow", _) => Action::Allow,
        (_, Some(value)) => refusal(lower, value)?,
        _ => Action::Errno(EPERM),
    };
    let label = found.payload.labels.first()?;
    let module = found.payload.module.clone()?;
    let (name, is_group, calls, conditions) = match &label.value {
        Value::Set(name) => (format!("@{name}"), true, groups::calls(lower.cx, &module, name, label.span)?, Vec::new()),
        Value::Symbol(name) => (name.clone(), false, known_call(lower, name, label.span)?, Vec::new()),
        Value::Variant(name, args) => {
            let calls = known_call(lower, name, label.span)?;
            let conditions: Vec<Option<Condition>> = args.iter().map(|it| condition(lower, name, it)).collect();
            (name.clone(), false, calls, conditions.into_iter().collect::<Option<_>>()?)
        }
        _ => return None,
    };
    let value = SyscallRule { name, is_group, calls, conditions, action };
    Some(Traced { value, origin: found.origin.clone(), strength: found.payload.strength })
}

fn known_call(lower: &mut Lower, name: &str, span: Span) -> Option<Vec<&'static str>> {
    if let Some(known) = syscalls::known(name) {
        return Some(vec![known]);
    }
    groups::unknown_call(lower.cx, name, span);
    None
}

/// What `deny` answers.
fn refusal(lower: &mut Lower, val: &Val) -> Option<Action> {
    let found = action(lower, val)?;
    if found == Action::Allow {
        lower.cx.report(
            Diagnostic::error("unknown-variant", "`deny … = allow` contradicts itself")
                .label(val.span, "allows what the line denies")
                .help("write `allow …` instead"),
        );
        return None;
    }
    Some(found)
}

fn action(lower: &mut Lower, val: &Val) -> Option<Action> {
    let Value::Variant(name, args) = &val.value else { return None };
    Some(match name.as_str() {
        "allow" => Action::Allow,
        "log" => Action::Log,
        "trap" => Action::Trap,
        "kill" => Action::Kill,
        "kill-thread" => Action::KillThread,
        _ => {
            let errno = argument(args, "errno")?;
            match &errno.value {
                Value::Int(number) => Action::Errno(u16::try_from(*number).ok()?),
                Value::Symbol(name) => match constants::errno(name) {
                    Some(number) => Action::Errno(number),
                    None => {
                        let known = constants::errno_names();
                        let hint = suggest::nearest(name, known.iter().copied());
                        unknown(
                            lower,
                            "unknown-errno",
                            format!("there is no errno `{name}`"),
                            errno.span,
                            hint,
                            "errno(3) lists them",
                        );
                        return None;
                    }
                },
                _ => return None,
            }
        }
    })
}

fn unknown(lower: &mut Lower, code: &'static str, message: String, span: Span, hint: Option<&str>, otherwise: &str) {
    let finding = Diagnostic::error(code, message).label(span, "unknown");
    lower.cx.report(match hint {
        Some(found) => finding.help(format!("did you mean `{found}`?")).fix(format!("write `{found}`"), span, found),
        None => finding.help(otherwise),
    });
}

fn condition(lower: &mut Lower, call: &str, arg: &ArgVal) -> Option<Condition> {
    let Value::Compare(comparison) = &arg.value.value else {
        lower.cx.report(
            Diagnostic::error("wrong-type", "what stands in the parentheses of a system call is a condition")
                .label(arg.value.span, "no comparison")
                .help("compare an argument: `socket(family == AF_UNIX)`, `ioctl(request in [TCGETS, TIOCGWINSZ])`"),
        );
        return None;
    };
    let Comparison { name: (name, span), mask, op, right } = &**comparison;
    let known = syscalls::arguments(call);
    let Some(argument) = known.iter().find(|it| it.name == name) else {
        let names: Vec<&str> = known.iter().map(|it| it.name).collect();
        let hint = suggest::nearest(name, names.iter().copied());
        let otherwise = match names.as_slice() {
            [] => {
                "no argument of this call can be tested: a filter sees numbers, not what pointers lead to".to_string()
            }
            names => format!("its arguments are {}", names.join(", ")),
        };
        unknown(
            lower,
            "unknown-syscall-argument",
            format!("`{call}` has no argument `{name}`"),
            *span,
            hint,
            &otherwise,
        );
        return None;
    };
    let op = compare_op(lower, *op, mask.is_some(), arg.value.span)?;
    let values = match (&right.value, op) {
        (Value::List(items), CompareOp::In) => {
            let values: Vec<Option<u64>> = items.iter().map(|it| number(lower, it, argument.dword)).collect();
            values.into_iter().collect::<Option<Vec<u64>>>()?
        }
        _ => vec![number(lower, right, argument.dword)?],
    };
    let mask = match mask {
        Some(mask) => Some(number(lower, mask, argument.dword)?),
        None => None,
    };
    Some(Condition { name: name.clone(), index: argument.index, dword: argument.dword, mask, op, values })
}

fn compare_op(lower: &mut Lower, op: BinaryOp, masked: bool, span: Span) -> Option<CompareOp> {
    let found = match op {
        BinaryOp::Eq => CompareOp::Eq,
        BinaryOp::Ne => CompareOp::Ne,
        BinaryOp::In => CompareOp::In,
        BinaryOp::Lt if !masked => CompareOp::Lt,
        BinaryOp::Le if !masked => CompareOp::Le,
        BinaryOp::Gt if !masked => CompareOp::Gt,
        BinaryOp::Ge if !masked => CompareOp::Ge,
        other => {
            lower.cx.report(
                Diagnostic::error("wrong-type", format!("`{}` cannot test this", operator(other)))
                    .label(span, "in this condition")
                    .help("write `==`, `!=` or `in`; without a mask also `<`, `<=`, `>`, `>=`"),
            );
            return None;
        }
    };
    Some(found)
}

/// A number, or a constant of the kernel by name. An int argument takes 32 bits, signed or not.
fn number(lower: &mut Lower, val: &Val, dword: bool) -> Option<u64> {
    let value = match &val.value {
        Value::Int(it) => *it,
        Value::Size(it) => i128::from(*it),
        Value::Symbol(name) => match constants::constant(name).or(constants::errno(name).map(u64::from)) {
            Some(found) => i128::from(found),
            None => {
                let known = constants::constant_names();
                let hint = suggest::nearest(name, known.iter().copied());
                let otherwise = "write its number, or a constant of the kernel such as AF_UNIX, CLONE_NEWUSER, TCGETS";
                unknown(lower, "unknown-constant", format!("there is no constant `{name}`"), val.span, hint, otherwise);
                return None;
            }
        },
        _ => {
            lower.cx.report(
                Diagnostic::error(
                    "wrong-type",
                    format!("an argument is compared with a number, not with {}", val.value.kind()),
                )
                .label(val.span, "no number")
                .help("write a number, or a constant such as AF_UNIX"),
            );
            return None;
        }
    };
    let (least, most) =
        if dword { (i128::from(i32::MIN), i128::from(u32::MAX)) } else { (i128::from(i64::MIN), i128::from(u64::MAX)) };
    if value < least || value > most {
        lower.cx.report(
            Diagnostic::error("out-of-range", format!("{value} does not fit into this argument"))
                .label(val.span, if dword { "the kernel takes 32 bits here" } else { "the kernel takes 64 bits" })
                .help("write a smaller number"),
        );
        return None;
    }
    Some(value as u64)
}
