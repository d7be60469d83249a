//! A compiled filter answers what the filter means: for every call of both architectures, and for random ones.

use nsl::execute::{FilterError, compile};
use nsl::plan::{CallRules, CompareOp, Condition, FilterSpec, SyscallAction, Verdict, filter_spec};
use nsl::schema::syscalls;
use proptest::prelude::*;
use proptest::sample::select;

use super::machine::{self, Call, run};
use super::{ENOSYS, EPERM, call, group, int, long, meaning, seccomp};

/// Values on which comparisons turn.
const EDGES: &[u64] = &[
    0,
    1,
    2,
    5,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0x1_0000_0001,
    0x5_0000_0005,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX,
];

fn arch_of(name: &str) -> u32 {
    if name == "x86_64" { machine::X86_64 } else { machine::AARCH64 }
}

/// A program that the kernel takes.
fn compiled(spec: &FilterSpec) -> Vec<libc::sock_filter> {
    let program = compile(spec).unwrap();
    machine::check(&program);
    program
}

fn agree(spec: &FilterSpec, program: &[libc::sock_filter], number: u32, arguments: [u64; 6]) {
    let answer = run(program, Call { arch: arch_of(&spec.arch), number, arguments });
    assert_eq!(answer.action, meaning(spec, number, arguments), "{number} {arguments:x?} of {spec:#?}");
}

fn numbers() -> impl Iterator<Item = u32> {
    (0..600).chain([1 << 20, 0x3fff_ffff, 0x4000_0000, 0x4000_0001, 0x4000_0209, 0x7fff_ffff, 0x8000_0000, u32::MAX])
}

#[test]
fn groups_answer_every_number() {
    for arch in syscalls::ARCHES {
        for otherwise in [EPERM, SyscallAction::Allow, SyscallAction::Kill] {
            let rules = vec![
                group("service", SyscallAction::Allow),
                group("mount", SyscallAction::Kill),
                call("ptrace", Vec::new(), SyscallAction::Kill),
                call("socket", vec![int(0, None, CompareOp::Ne, &[1])], SyscallAction::Errno(97)),
            ];
            let spec = filter_spec(&seccomp(otherwise, rules), arch);
            let program = compiled(&spec);
            assert!(program.len() < 450, "{} instructions", program.len());
            for number in numbers() {
                for flags in [0, 1, 17, 0x5412, 0x1000_0011, 0x1_0000_0001] {
                    agree(&spec, &program, number, [flags, flags, 0, 0, 0, 0]);
                }
            }
        }
    }
}

#[test]
fn calls_without_conditions_load_no_argument() {
    let rules = vec![
        group("known", SyscallAction::Allow),
        call("socket", vec![int(0, None, CompareOp::Ne, &[1])], SyscallAction::Errno(97)),
    ];
    let spec = filter_spec(&seccomp(EPERM, rules), "x86_64");
    let program = compiled(&spec);
    for number in numbers() {
        let conditional = spec
            .calls
            .iter()
            .any(|call| call.number == number && call.verdicts.iter().any(|it| !it.conditions.is_empty()));
        let answer = run(&program, Call { arch: machine::X86_64, number, arguments: [0; 6] });
        assert_eq!(answer.saw_arguments, conditional, "{number}");
        assert!(conditional || answer.steps < 16, "{number} takes {} steps", answer.steps);
    }
}

#[test]
fn foreign_calls_never_pass() {
    let spec = filter_spec(&seccomp(SyscallAction::Allow, Vec::new()), "x86_64");
    let program = compiled(&spec);
    let answer = |arch, number| run(&program, Call { arch, number, arguments: [0; 6] }).action;
    for arch in [machine::I386, machine::ARM, machine::AARCH64, 0] {
        for number in numbers() {
            assert_eq!(answer(arch, number), SyscallAction::Kill);
        }
    }
    for number in numbers().filter(|number| *number >= 0x4000_0000 || (512..548).contains(number)) {
        assert_eq!(answer(machine::X86_64, number), ENOSYS);
    }
    assert_eq!(answer(machine::X86_64, 600), SyscallAction::Allow);
    assert_eq!(answer(machine::X86_64, 0), SyscallAction::Allow);
}

#[test]
fn large_trees_jump_far() {
    let actions = [SyscallAction::Allow, SyscallAction::Trap];
    let calls = (0..500u32).map(|number| CallRules {
        name: number.to_string(),
        number,
        verdicts: vec![Verdict { conditions: Vec::new(), action: actions[number as usize % 2] }],
    });
    let spec = FilterSpec {
        arch: "aarch64".to_string(),
        otherwise: EPERM,
        calls: calls.collect(),
        last: 600,
        newer: ENOSYS,
        foreign: Vec::new(),
    };
    let program = compiled(&spec);
    for number in numbers() {
        agree(&spec, &program, number, [0; 6]);
    }
}

fn rule_of(conditions: Vec<Condition>) -> FilterSpec {
    let verdicts = vec![Verdict { conditions, action: SyscallAction::Allow }];
    let calls = vec![CallRules { name: "socket".to_string(), number: 41, verdicts }];
    FilterSpec { arch: "x86_64".to_string(), otherwise: EPERM, calls, last: 469, newer: ENOSYS, foreign: Vec::new() }
}

#[test]
fn what_cannot_be_compiled_is_refused() {
    let error = |spec: &FilterSpec| compile(spec).map(|program| program.len()).unwrap_err();
    let refused = |condition| matches!(error(&rule_of(vec![condition])), FilterError::Condition(..));
    assert!(refused(int(6, None, CompareOp::Eq, &[1])));
    assert!(refused(int(0, None, CompareOp::Eq, &[0x1_0000_0000])));
    assert!(refused(int(0, None, CompareOp::Lt, &[1, 2])));
    assert!(refused(int(0, None, CompareOp::Ne, &[])));
    assert!(refused(int(0, Some(3), CompareOp::Lt, &[1])));

    let arch = FilterSpec { arch: "sparc".to_string(), ..rule_of(Vec::new()) };
    assert_eq!(error(&arch), FilterError::Arch("sparc".to_string()));
    let mut twice = rule_of(Vec::new());
    twice.calls.push(twice.calls[0].clone());
    assert_eq!(error(&twice), FilterError::Number("socket".to_string()));
    let late = FilterSpec { last: 40, ..rule_of(Vec::new()) };
    assert_eq!(error(&late), FilterError::Number("socket".to_string()));
    let errno = FilterSpec { otherwise: SyscallAction::Errno(4096), ..rule_of(Vec::new()) };
    assert_eq!(error(&errno), FilterError::Errno(4096));
    let values: Vec<u64> = (0..2000).collect();
    assert!(matches!(error(&rule_of(vec![int(0, None, CompareOp::In, &values)])), FilterError::TooLong(5000..)));
}

#[test]
fn many_conditions_hold_together() {
    let conditions: Vec<_> = (0..60).map(|bit| long(bit % 6, Some(1 << bit), CompareOp::Eq, &[0])).collect();
    let spec = rule_of(conditions);
    let program = compiled(&spec);
    for bit in 0..64 {
        for at in 0..6 {
            let mut arguments = [0; 6];
            arguments[at] = 1 << bit;
            agree(&spec, &program, 41, arguments);
        }
    }
}

fn actions() -> impl Strategy<Value = SyscallAction> {
    prop_oneof![
        Just(SyscallAction::Allow),
        Just(SyscallAction::Log),
        (0..=4095u16).prop_map(SyscallAction::Errno),
        Just(SyscallAction::Trap),
        Just(SyscallAction::KillThread),
        Just(SyscallAction::Kill),
    ]
}

fn values() -> impl Strategy<Value = u64> {
    prop_oneof![4 => select(EDGES), 2 => 0..8u64, 1 => any::<u64>()]
}

fn conditions() -> impl Strategy<Value = Condition> {
    use CompareOp::*;
    let op = select(&[Eq, Ne, Lt, Le, Gt, Ge, In][..]);
    let mask = proptest::option::of(values());
    let list = proptest::collection::vec(values(), 0..5);
    (0..6u8, any::<bool>(), mask, op, values(), list).prop_map(|(index, dword, mask, op, value, list)| {
        let width = if dword { u64::from(u32::MAX) } else { u64::MAX };
        let values: Vec<u64> = if op == In { list } else { vec![value] };
        let values: Vec<u64> = values.into_iter().map(|value| value & width).collect();
        let mask = mask.filter(|_| matches!(op, Eq | Ne | In));
        Condition { name: "it".to_string(), index, dword, mask, op, values }
    })
}

fn specs() -> impl Strategy<Value = FilterSpec> {
    let verdict = (proptest::collection::vec(conditions(), 0..4), actions())
        .prop_map(|(conditions, action)| Verdict { conditions, action });
    let calls = proptest::collection::btree_map(0..470u32, proptest::collection::vec(verdict, 0..4), 0..40);
    let arch = select(&["x86_64", "aarch64"][..]);
    (arch, actions(), actions(), calls).prop_map(|(arch, otherwise, newer, calls)| FilterSpec {
        arch: arch.to_string(),
        otherwise,
        calls: calls
            .into_iter()
            .map(|(number, verdicts)| CallRules { name: number.to_string(), number, verdicts })
            .collect(),
        last: 469,
        newer,
        foreign: Vec::new(),
    })
}

/// Arguments that are likely to meet the conditions of a filter: their values, and neighbours of those.
fn near(spec: &FilterSpec, number: u32, seed: u64) -> [u64; 6] {
    let mut state = seed | 1;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let of_call = spec.calls.iter().filter(|call| call.number == number).flat_map(|call| &call.verdicts);
    let known: Vec<u64> = of_call.flat_map(|it| &it.conditions).flat_map(|it| &it.values).copied().collect();
    [(); 6].map(|()| {
        let value = match known.len() {
            0 => EDGES[random() as usize % EDGES.len()],
            count => known[random() as usize % count],
        };
        match random() % 8 {
            0 => value.wrapping_add(1),
            1 => value.wrapping_sub(1),
            2 => value | 1 << 32,
            3 => EDGES[random() as usize % EDGES.len()],
            4 => random(),
            _ => value,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn programs_answer_what_filters_mean(spec in specs(), seed in any::<u64>()) {
        let program = compiled(&spec);
        for number in numbers() {
            let rounds = if spec.calls.iter().any(|call| call.number == number) { 24 } else { 1 };
            for round in 0..rounds {
                agree(&spec, &program, number, near(&spec, number, seed.wrapping_add(round << 32)));
            }
        }
    }
}
