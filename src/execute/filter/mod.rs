//! A filter as a program of the kernel's: classic BPF over `struct seccomp_data`.
//!
//! The program looks at the architecture first: a call of another one (i386 by `int 0x80`, 32-bit Arm) kills the process, unless the
//! filter has a part of its own for it.
//! Then a balanced tree over ranges of numbers with the same answer finds the verdict in some nine steps, and no
//! argument is loaded on the way: so the kernel can note the calls that are always allowed in a bitmap and skip the
//! program for them. Calls with conditions have a body of their own behind the tree; the conditions are compiled by
//! seccompiler.
//!
//! Calls of x32 have the x86_64 architecture and a bit in their number. They answer ENOSYS, as on a kernel without x32,
//! and so do the numbers 512 to 547, which kernels before 5.4 took for x32 calls even without the bit: `otherwise = allow`
//! does not reach either.

mod listing;
mod machine;

use std::fmt;

use seccompiler::{BpfProgram, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompRule};

use crate::plan::{CallRules, CompareOp, Condition, FilterSpec, SyscallAction, Verdict};
use crate::schema::syscalls::i386;

pub use listing::listing;
pub use machine::{Answer, Call, run};

/// BPF_MAXINSNS of linux/bpf_common.h.
const MOST_INSTRUCTIONS: usize = 4096;
/// seccompiler joins conditions by jumps over at most 255 instructions, six a condition.
const CONDITIONS_IN_A_RULE: usize = 8;
/// __X32_SYSCALL_BIT of asm/unistd.h.
const X32_BIT: u32 = 0x4000_0000;
/// The calls of x32 that differ from those of x86_64.
const X32_CALLS: std::ops::Range<u32> = 512..548;

const OFFSET_NUMBER: u32 = 0;
const OFFSET_ARCH: u32 = 4;

/// Why a filter cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterError {
    /// Filters are known for x86_64 and aarch64 only.
    Arch(String),
    /// Two sets of rules for one call, or a number behind the last known one.
    Number(String),
    /// A condition that no filter can test, with the reason.
    Condition(String, &'static str),
    /// An errno above 4095 is none.
    Errno(u16),
    /// The program would be longer than the 4096 instructions that the kernel takes.
    TooLong(usize),
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FilterError::Arch(arch) => write!(f, "there are no filters for `{arch}`, only for x86_64 and aarch64"),
            FilterError::Number(name) => write!(f, "the rules for `{name}` have no number of their own"),
            FilterError::Condition(name, reason) => write!(f, "no filter can test `{name}` so: {reason}"),
            FilterError::Errno(number) => write!(f, "{number} is no errno: the highest is 4095"),
            FilterError::TooLong(length) => {
                write!(
                    f,
                    "the filter has {length} instructions, the kernel takes {MOST_INSTRUCTIONS}: use fewer conditions"
                )
            }
        }
    }
}

impl std::error::Error for FilterError {}

/// Compiles a filter for seccomp(2), SECCOMP_SET_MODE_FILTER.
pub fn compile(spec: &FilterSpec) -> Result<Vec<libc::sock_filter>, FilterError> {
    let native = part(spec, &spec.arch, &spec.calls, spec.last)?;
    // A part answers whatever the number is, so none runs into the next.
    let mut parts = Vec::with_capacity(spec.foreign.len());
    for foreign in &spec.foreign {
        parts.push((audit_arch(&foreign.abi)?, part(spec, &foreign.abi, &foreign.calls, foreign.last)?));
    }
    let others = u8::try_from(2 * parts.len() + 1).map_err(|_| FilterError::TooLong(native.len()))?;
    let mut program = vec![load(OFFSET_ARCH), jump(libc::BPF_JEQ, audit_arch(&spec.arch)?, others, 0)];
    let mut ways = Vec::with_capacity(parts.len());
    for (arch, _) in &parts {
        program.push(jump(libc::BPF_JEQ, *arch, 0, 1));
        ways.push(program.len());
        program.push(skip(0));
    }
    program.push(answer(SyscallAction::Kill)?);
    program.extend(native);
    for (at, (_, part)) in ways.into_iter().zip(parts) {
        program[at] = skip(program.len() - at - 1);
        program.extend(part);
    }
    match program.len() {
        length if length > MOST_INSTRUCTIONS => Err(FilterError::TooLong(length)),
        _ => Ok(program),
    }
}

/// The program for the calls of one ABI.
fn part(spec: &FilterSpec, abi: &str, calls: &[CallRules], last: u32) -> Result<Vec<libc::sock_filter>, FilterError> {
    audit_arch(abi)?;
    let mut bodies = Vec::new();
    let ranges = ranges(spec, abi, calls, last, &mut bodies)?;
    let mut program = vec![load(OFFSET_NUMBER)];
    let mut calls = Vec::new();
    tree(&ranges, &mut program, &mut calls)?;
    let mut starts = Vec::with_capacity(bodies.len());
    for verdicts in bodies {
        starts.push(program.len());
        body(verdicts, spec.otherwise, &mut program)?;
    }
    for (at, body) in calls {
        program[at] = skip(starts[body] - at - 1);
    }
    Ok(program)
}

/// AUDIT_ARCH of linux/audit.h: the ELF machine, 64 bits, little endian.
pub fn audit_arch(arch: &str) -> Result<u32, FilterError> {
    match arch {
        "x86_64" => Ok(0xc000_003e),
        "aarch64" => Ok(0xc000_00b7),
        i386::NAME => Ok(0x4000_0003),
        _ => Err(FilterError::Arch(arch.to_string())),
    }
}

/// What a range of numbers leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    /// The same answer whatever the arguments.
    Answer(SyscallAction),
    /// The body with this index.
    Body(usize),
}

/// All numbers, as ranges that begin at a number and end before the next range; neighbours differ.
fn ranges<'a>(
    spec: &FilterSpec,
    abi: &str,
    rules: &'a [CallRules],
    last: u32,
    bodies: &mut Vec<&'a [Verdict]>,
) -> Result<Vec<(u32, Target)>, FilterError> {
    let mut calls = Vec::with_capacity(rules.len());
    for call in rules {
        let target = match call.verdicts.as_slice() {
            [] => Target::Answer(spec.otherwise),
            [only] if only.conditions.is_empty() => Target::Answer(only.action),
            verdicts => Target::Body(bodies.iter().position(|known| *known == verdicts).unwrap_or_else(|| {
                bodies.push(verdicts);
                bodies.len() - 1
            })),
        };
        calls.push((call.number, target));
    }
    calls.sort_unstable_by_key(|(number, _)| *number);
    let named = |number: u32| rules.iter().find(|it| it.number == number).map_or(String::new(), |it| it.name.clone());
    if let Some(twice) = calls.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(FilterError::Number(named(twice[0].0)));
    }
    if let Some((number, _)) = calls.last().filter(|(number, _)| *number > last || *number >= X32_CALLS.start) {
        return Err(FilterError::Number(named(*number)));
    }

    let x32 = abi == "x86_64";
    let unknown = SyscallAction::Errno(libc::ENOSYS as u16);
    let target = |number: u32| match calls.binary_search_by_key(&number, |(number, _)| *number) {
        Ok(at) => calls[at].1,
        Err(_) if x32 && (X32_CALLS.contains(&number) || number >= X32_BIT) => Target::Answer(unknown),
        Err(_) if number > last => Target::Answer(spec.newer),
        Err(_) => Target::Answer(spec.otherwise),
    };
    let mut bounds: Vec<u32> = calls.iter().flat_map(|(number, _)| [*number, number + 1]).collect();
    bounds.extend([0, last.saturating_add(1), X32_CALLS.start, X32_CALLS.end, X32_BIT]);
    bounds.sort_unstable();
    bounds.dedup();
    let mut ranges: Vec<(u32, Target)> = bounds.into_iter().map(|start| (start, target(start))).collect();
    ranges.dedup_by(|next, before| next.1 == before.1);
    Ok(ranges)
}

/// A balanced tree over ranges, the number being loaded. Leaves answer, or are to jump to a body: `calls` gets their
/// places.
fn tree(
    ranges: &[(u32, Target)],
    program: &mut Vec<libc::sock_filter>,
    calls: &mut Vec<(usize, usize)>,
) -> Result<(), FilterError> {
    if let [(_, target)] = ranges {
        match target {
            Target::Answer(action) => program.push(answer(*action)?),
            Target::Body(body) => {
                calls.push((program.len(), *body));
                program.push(skip(0));
            }
        }
        return Ok(());
    }
    let (low, high) = ranges.split_at(ranges.len() / 2);
    let Some((bound, _)) = high.first() else { return Ok(()) };
    match u8::try_from(size(low)) {
        Ok(length) => program.push(jump(libc::BPF_JGE, *bound, length, 0)),
        // A conditional jump reaches 255 instructions, an unconditional one all.
        Err(_) => program.extend([jump(libc::BPF_JGE, *bound, 0, 1), skip(size(low))]),
    }
    tree(low, program, calls)?;
    tree(high, program, calls)
}

/// The number of instructions of a tree.
fn size(ranges: &[(u32, Target)]) -> usize {
    if ranges.len() < 2 {
        return ranges.len();
    }
    let (low, high) = ranges.split_at(ranges.len() / 2);
    let low = size(low);
    1 + usize::from(low > usize::from(u8::MAX)) + low + size(high)
}

/// The verdicts on one call: the first whose conditions hold answers.
fn body(
    verdicts: &[Verdict],
    otherwise: SyscallAction,
    program: &mut Vec<libc::sock_filter>,
) -> Result<(), FilterError> {
    for verdict in verdicts {
        if verdict.conditions.is_empty() {
            program.push(answer(verdict.action)?);
            return Ok(());
        }
        append_verdict(verdict, program)?;
    }
    program.push(answer(otherwise)?);
    Ok(())
}

/// What a condition asks, in terms of what seccompiler has.
enum Test {
    /// Holds where this does.
    Simple(SeccompCondition),
    /// Holds where one of these does.
    Any(Vec<SeccompCondition>),
    /// Holds where this does not.
    Not(SeccompCondition),
}

/// One verdict: answers where all conditions hold, else goes on behind itself.
///
/// A rule of seccompiler goes on behind itself where it holds, and one instruction further where it does not.
fn append_verdict(verdict: &Verdict, program: &mut Vec<libc::sock_filter>) -> Result<(), FilterError> {
    let (mut simple, mut failures) = (Vec::new(), Vec::new());
    for condition in &verdict.conditions {
        match test(condition)? {
            Test::Simple(test) => simple.push(test),
            Test::Any(tests) => {
                let mut successes = Vec::with_capacity(tests.len());
                for test in tests {
                    append_rule(vec![test], program)?;
                    successes.push(program.len());
                    program.push(skip(0));
                }
                failures.push(program.len());
                program.push(skip(0));
                land(&successes, program);
            }
            Test::Not(test) => {
                append_rule(vec![test], program)?;
                failures.push(program.len());
                program.push(skip(0));
            }
        }
    }
    let mut chunks = simple.chunks(CONDITIONS_IN_A_RULE).peekable();
    while let Some(chunk) = chunks.next() {
        append_rule(chunk.to_vec(), program)?;
        if chunks.peek().is_some() {
            program.push(skip(1));
            failures.push(program.len());
            program.push(skip(0));
        }
    }
    program.push(answer(verdict.action)?);
    land(&failures, program);
    Ok(())
}

/// Makes jumps lead to the end of the program as it is now.
fn land(jumps: &[usize], program: &mut [libc::sock_filter]) {
    for at in jumps {
        program[*at] = skip(program.len() - at - 1);
    }
}

fn append_rule(conditions: Vec<SeccompCondition>, program: &mut Vec<libc::sock_filter>) -> Result<(), FilterError> {
    let rule = SeccompRule::new(conditions).map_err(|_| FilterError::Condition(String::new(), "it is empty"))?;
    let rule: BpfProgram = rule.into();
    // It begins with a jump over a jump to the rule behind it, which is never taken; where no rule is, it leads out of
    // the program, and the kernel refuses that (bpf_check_classic in net/core/filter.c).
    program.extend(rule.into_iter().skip(2).map(|it| libc::sock_filter {
        code: it.code,
        jt: it.jt,
        jf: it.jf,
        k: it.k,
    }));
    Ok(())
}

fn test(condition: &Condition) -> Result<Test, FilterError> {
    let refuse = |reason| FilterError::Condition(condition.name.clone(), reason);
    let (length, whole) = match condition.dword {
        true => (SeccompCmpArgLen::Dword, u64::from(u32::MAX)),
        false => (SeccompCmpArgLen::Qword, u64::MAX),
    };
    let compare = |op: SeccompCmpOp, value: u64| {
        SeccompCondition::new(condition.index, length.clone(), op, value)
            .map_err(|_| refuse("a call has six arguments"))
    };
    let mut values = Vec::with_capacity(condition.values.len());
    for value in &condition.values {
        values.push(if condition.dword {
            low_word(*value).ok_or_else(|| refuse("an int has 32 bits"))?
        } else {
            *value
        });
    }
    let single = || match values.as_slice() {
        [value] => Ok(*value),
        _ => Err(refuse("a comparison has one value")),
    };
    let mask = condition.mask.map(|mask| mask & whole);
    let equal = |value: u64| compare(mask.map_or(SeccompCmpOp::Eq, SeccompCmpOp::MaskedEq), value);
    // What the mask takes away no argument has; seccompiler would take it from the value instead.
    let possible = |value: u64| mask.is_none_or(|mask| value & !mask == 0);

    let order = match condition.op {
        CompareOp::In | CompareOp::Eq => {
            if condition.op == CompareOp::Eq {
                single()?;
            }
            let mut tests = Vec::with_capacity(values.len());
            for value in values.iter().filter(|value| possible(**value)) {
                tests.push(equal(*value)?);
            }
            return Ok(match tests.pop() {
                Some(only) if tests.is_empty() => Test::Simple(only),
                last => Test::Any(tests.into_iter().chain(last).collect()),
            });
        }
        CompareOp::Ne => {
            let value = single()?;
            return match mask {
                None => compare(SeccompCmpOp::Ne, value).map(Test::Simple),
                Some(_) if possible(value) => equal(value).map(Test::Not),
                // Always true: not any of nothing.
                Some(_) => compare(SeccompCmpOp::Ge, 0).map(Test::Simple),
            };
        }
        CompareOp::Lt => SeccompCmpOp::Lt,
        CompareOp::Le => SeccompCmpOp::Le,
        CompareOp::Gt => SeccompCmpOp::Gt,
        CompareOp::Ge => SeccompCmpOp::Ge,
    };
    match mask {
        Some(_) => Err(refuse("a mask goes with `==`, `!=` and `in` only")),
        None => compare(order, single()?).map(Test::Simple),
    }
}

/// The value as an int: 32 bits, or a negative number that was sign-extended.
fn low_word(value: u64) -> Option<u64> {
    let fits = value <= u64::from(u32::MAX) || value >= i32::MIN as i64 as u64;
    fits.then_some(value & u64::from(u32::MAX))
}

/// The return values of seccomp(2).
fn answer(action: SyscallAction) -> Result<libc::sock_filter, FilterError> {
    let k = match action {
        SyscallAction::Allow => libc::SECCOMP_RET_ALLOW,
        SyscallAction::Log => libc::SECCOMP_RET_LOG,
        SyscallAction::Errno(number @ 0..=4095) => libc::SECCOMP_RET_ERRNO | u32::from(number),
        SyscallAction::Errno(number) => return Err(FilterError::Errno(number)),
        SyscallAction::Trap => libc::SECCOMP_RET_TRAP,
        SyscallAction::KillThread => libc::SECCOMP_RET_KILL_THREAD,
        SyscallAction::Kill => libc::SECCOMP_RET_KILL_PROCESS,
    };
    Ok(statement(libc::BPF_RET | libc::BPF_K, k))
}

fn load(offset: u32) -> libc::sock_filter {
    statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset)
}

/// Skips instructions; a program is shorter than 4 GiB.
fn skip(count: usize) -> libc::sock_filter {
    statement(libc::BPF_JMP | libc::BPF_JA, u32::try_from(count).unwrap_or(u32::MAX))
}

fn jump(test: u32, k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    libc::sock_filter { jt, jf, ..statement(libc::BPF_JMP | test | libc::BPF_K, k) }
}

fn statement(code: u32, k: u32) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt: 0, jf: 0, k }
}
