//! The machine that runs filters, as the kernel has it: classic BPF over `struct seccomp_data` of seccomp(2).

use crate::plan::SyscallAction;

/// A system call as a filter sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// AUDIT_ARCH of its ABI.
    pub arch: u32,
    /// Its number there.
    pub number: u32,
    /// Its arguments; those of a 32-bit ABI have no upper halves.
    pub arguments: [u64; 6],
}

/// How a program answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What the call gets.
    pub action: SyscallAction,
    /// Instructions that ran.
    pub steps: usize,
    /// Whether it looked at an argument. Where it did not and allows the call, the kernel notes that in a bitmap and does not run the
    /// program for this call again (Linux 5.11).
    pub saw_arguments: bool,
}

/// Runs a program; `None` where the kernel would not have taken it.
pub fn run(program: &[libc::sock_filter], call: Call) -> Option<Answer> {
    let (mut at, mut accumulator, mut saw_arguments) = (0usize, 0u32, false);
    // Jumps lead forward only, so no program runs for more instructions than it has.
    for steps in 1..=program.len() {
        let instruction = program.get(at)?;
        let k = instruction.k;
        at += 1;
        let taken = |holds: bool| usize::from(if holds { instruction.jt } else { instruction.jf });
        match u32::from(instruction.code) {
            LOAD => {
                saw_arguments |= k >= ARGUMENTS;
                accumulator = word(call, k)?;
            }
            AND => accumulator &= k,
            SKIP => at += k as usize,
            EQUAL => at += taken(accumulator == k),
            GREATER => at += taken(accumulator > k),
            NOT_LESS => at += taken(accumulator >= k),
            RETURN => return Some(Answer { action: action(k)?, steps, saw_arguments }),
            _ => return None,
        }
    }
    None
}

/// The instructions that filters are made of: linux/bpf_common.h.
pub(super) const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
pub(super) const AND: u32 = libc::BPF_ALU | libc::BPF_AND | libc::BPF_K;
pub(super) const SKIP: u32 = libc::BPF_JMP | libc::BPF_JA;
pub(super) const EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
pub(super) const GREATER: u32 = libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K;
pub(super) const NOT_LESS: u32 = libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K;
pub(super) const RETURN: u32 = libc::BPF_RET | libc::BPF_K;

/// Where the arguments begin in `struct seccomp_data`, behind number, architecture and instruction pointer.
pub(super) const ARGUMENTS: u32 = 16;

fn word(call: Call, offset: u32) -> Option<u32> {
    match offset {
        0 => Some(call.number),
        4 => Some(call.arch),
        ARGUMENTS..64 if offset.is_multiple_of(4) => {
            let argument = call.arguments[(offset - ARGUMENTS) as usize / 8];
            Some(if offset.is_multiple_of(8) { argument as u32 } else { (argument >> 32) as u32 })
        }
        _ => None,
    }
}

/// What the number stands for that a program returns.
pub(super) fn action(value: u32) -> Option<SyscallAction> {
    let data = (value & libc::SECCOMP_RET_DATA) as u16;
    match value & libc::SECCOMP_RET_ACTION_FULL {
        libc::SECCOMP_RET_ALLOW => Some(SyscallAction::Allow),
        libc::SECCOMP_RET_LOG => Some(SyscallAction::Log),
        libc::SECCOMP_RET_ERRNO => Some(SyscallAction::Errno(data)),
        libc::SECCOMP_RET_TRAP => Some(SyscallAction::Trap),
        libc::SECCOMP_RET_KILL_THREAD => Some(SyscallAction::KillThread),
        libc::SECCOMP_RET_KILL_PROCESS => Some(SyscallAction::Kill),
        _ => None,
    }
}
