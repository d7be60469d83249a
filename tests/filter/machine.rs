//! The machine that runs filters: classic BPF as the kernel runs it over `struct seccomp_data`.

use nsl::plan::SyscallAction;

pub const X86_64: u32 = 0xc000_003e;
pub const AARCH64: u32 = 0xc000_00b7;
pub const I386: u32 = 0x4000_0003;
pub const ARM: u32 = 0x4000_0028;

/// A system call as a filter sees it.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub arch: u32,
    pub number: u32,
    pub arguments: [u64; 6],
}

/// How a program answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    pub action: SyscallAction,
    /// Instructions that ran.
    pub steps: usize,
    /// Whether it looked at an argument: then the kernel cannot note the answer in its bitmap.
    pub saw_arguments: bool,
}

/// What the kernel checks before it takes a program: every jump, also one that is never taken, stays inside, and the
/// last instruction answers (bpf_check_classic in net/core/filter.c).
pub fn check(program: &[libc::sock_filter]) {
    for (at, instruction) in program.iter().enumerate() {
        let furthest = match u32::from(instruction.code) {
            0x05 => instruction.k as usize,
            0x15 | 0x25 | 0x35 => usize::from(instruction.jt.max(instruction.jf)),
            _ => 0,
        };
        assert!(at + furthest + 1 < program.len() || instruction.code == 0x06, "{at} jumps out of the program");
    }
    assert_eq!(program.last().map(|it| it.code), Some(0x06), "the program does not end with an answer");
}

/// Runs a program. Panics where the kernel would have refused to load it.
pub fn run(program: &[libc::sock_filter], call: Call) -> Answer {
    let (mut at, mut accumulator, mut steps, mut saw_arguments) = (0usize, 0u32, 0, false);
    loop {
        let instruction = program.get(at).unwrap_or_else(|| panic!("ran out of the program at {at}"));
        let k = instruction.k;
        at += 1;
        steps += 1;
        let taken = |holds: bool| usize::from(if holds { instruction.jt } else { instruction.jf });
        match u32::from(instruction.code) {
            0x20 => {
                saw_arguments |= k >= 16;
                accumulator = word(call, k);
            }
            0x54 => accumulator &= k,
            0x05 => at += k as usize,
            0x15 => at += taken(accumulator == k),
            0x25 => at += taken(accumulator > k),
            0x35 => at += taken(accumulator >= k),
            0x06 => return Answer { action: action(k), steps, saw_arguments },
            code => panic!("instruction {code:#x} at {}", at - 1),
        }
    }
}

fn word(call: Call, offset: u32) -> u32 {
    match offset {
        0 => call.number,
        4 => call.arch,
        16..64 => {
            let argument = call.arguments[(offset as usize - 16) / 8];
            match offset % 8 {
                0 => argument as u32,
                4 => (argument >> 32) as u32,
                _ => panic!("a load at {offset} is not aligned"),
            }
        }
        _ => panic!("a load at {offset}"),
    }
}

fn action(value: u32) -> SyscallAction {
    match value {
        0x7fff_0000 => SyscallAction::Allow,
        0x7ffc_0000 => SyscallAction::Log,
        0x0003_0000 => SyscallAction::Trap,
        0x0000_0000 => SyscallAction::KillThread,
        0x8000_0000 => SyscallAction::Kill,
        errno if errno >> 16 == 5 => SyscallAction::Errno(errno as u16),
        _ => panic!("answer {value:#x}"),
    }
}
