//! Calls of i386 under the rules of a policy; programs against rules, the machine of the library against that of these tests; and
//! what `nsl why` and the listing say against both.

use nsl::execute::{Call as LibraryCall, compile, listing, run_filter};
use nsl::plan::why::{Question, Standing, why};
use nsl::plan::{CompareOp, FilterSpec, SyscallAction, filter_spec};
use nsl::policy::{Seccomp, SyscallRule};
use nsl::schema::syscalls;
use proptest::prelude::*;
use proptest::sample::select;

use super::machine::{self, Call, I386, X86_64, run};
use super::{ENOSYS, EPERM, call, group, int, long, seccomp, traced};

use SyscallAction::{Allow, Errno, Kill, Log, Trap};

fn with_i386(otherwise: SyscallAction, rules: Vec<SyscallRule>) -> Seccomp {
    Seccomp { abis: vec![traced("i386".to_string())], ..seccomp(otherwise, rules) }
}

fn program(seccomp: &Seccomp) -> Vec<libc::sock_filter> {
    let program = compile(&filter_spec(seccomp, "x86_64")).unwrap();
    machine::check(&program);
    program
}

fn i386(program: &[libc::sock_filter], name: &str, arguments: [u64; 6]) -> SyscallAction {
    let number = syscalls::number("i386", name).unwrap();
    run(program, Call { arch: I386, number, arguments }).action
}

#[test]
fn i386_is_let_in_by_name_and_nothing_else_is() {
    let rules = || vec![group("service", Allow)];
    let closed = program(&seccomp(Allow, rules()));
    let open = program(&with_i386(Allow, rules()));
    for number in 0..500 {
        let at = |program: &[libc::sock_filter], arch| run(program, Call { arch, number, arguments: [0; 6] }).action;
        assert_eq!(at(&closed, I386), Kill);
        assert_eq!(at(&closed, X86_64), at(&open, X86_64));
        for arch in [machine::ARM, machine::AARCH64, 0] {
            assert_eq!(at(&open, arch), Kill);
        }
    }
    let on_arm = filter_spec(&with_i386(Allow, rules()), "aarch64");
    assert!(on_arm.foreign.is_empty());
}

#[test]
fn calls_of_i386_take_the_rules_of_what_they_are() {
    let rules = vec![
        call("stat", Vec::new(), Allow),
        call("mmap", vec![int(2, Some(4), CompareOp::Eq, &[0])], Allow),
        call("lseek", vec![int(2, None, CompareOp::Eq, &[0])], Allow),
        call("write", vec![long(2, None, CompareOp::Lt, &[4096])], Allow),
        call("read", vec![long(2, None, CompareOp::Ne, &[u64::MAX])], Allow),
        call("stat64", Vec::new(), Trap),
    ];
    let program = program(&with_i386(EPERM, rules));
    assert_eq!(i386(&program, "stat", [0; 6]), Allow);
    assert_eq!(i386(&program, "oldstat", [0; 6]), Allow);
    assert_eq!(i386(&program, "stat64", [0; 6]), Trap, "a rule of its own");
    assert_eq!(i386(&program, "mmap2", [0; 6]), Allow);
    assert_eq!(i386(&program, "mmap2", [0, 0, 4, 0, 0, 0]), EPERM);
    assert_eq!(i386(&program, "mmap", [0; 6]), ENOSYS, "its arguments are behind a pointer");
    assert_eq!(i386(&program, "_llseek", [0; 6]), ENOSYS, "whence is elsewhere");
    assert_eq!(i386(&program, "lseek", [0; 6]), Allow);
    assert_eq!(i386(&program, "write", [0, 0, 4095, 0, 0, 0]), Allow);
    assert_eq!(i386(&program, "write", [0, 0, 4096, 0, 0, 0]), EPERM);
    assert_eq!(i386(&program, "read", [0; 6]), ENOSYS, "-1 has 32 bits there");
    assert_eq!(i386(&program, "clone3", [0; 6]), ENOSYS);
    assert_eq!(run(&program, Call { arch: I386, number: 470, arguments: [0; 6] }).action, ENOSYS);
}

#[test]
fn a_call_that_stands_for_many_gets_what_all_get() {
    let all = program(&with_i386(EPERM, vec![group("network-io", Allow), group("ipc", Allow)]));
    assert_eq!((i386(&all, "socketcall", [0; 6]), i386(&all, "ipc", [0; 6])), (Allow, Allow));
    let some = vec![group("network-io", Allow), call("socket", vec![int(0, None, CompareOp::Ne, &[1])], Errno(97))];
    assert_eq!(i386(&program(&with_i386(EPERM, some)), "socketcall", [0; 6]), ENOSYS);
    let denied = vec![call("connect", Vec::new(), Errno(13))];
    assert_eq!(i386(&program(&with_i386(Allow, denied)), "socketcall", [0; 6]), ENOSYS, "it would go around the rule");
    assert_eq!(i386(&program(&with_i386(Allow, Vec::new())), "socketcall", [0; 6]), Allow);
    let own = vec![call("connect", Vec::new(), Kill), call("socketcall", Vec::new(), Log)];
    assert_eq!(i386(&program(&with_i386(Allow, own)), "socketcall", [0; 6]), Log);
    // The refinements of groups hold there too.
    let basic = program(&with_i386(EPERM, vec![group("basic", Allow), group("process", Allow)]));
    assert_eq!(i386(&basic, "ioctl", [0, 0x5412, 0, 0, 0, 0]), EPERM);
    assert_eq!(i386(&basic, "clone", [0x1000_0011, 0, 0, 0, 0, 0]), EPERM);
}

#[test]
fn a_listing_counts_what_the_kernel_answers_itself() {
    let rules = vec![
        group("service", Allow),
        call("socket", vec![int(0, None, CompareOp::Ne, &[1])], Errno(97)),
        call("ptrace", Vec::new(), Kill),
    ];
    let spec = filter_spec(&with_i386(EPERM, rules), "x86_64");
    let program = compile(&spec).unwrap();
    let text = listing(&spec).unwrap();
    let noted = |abi: &str, arch| {
        let answers = syscalls::table(abi).iter().map(|(_, number)| {
            let answer = run(&program, Call { arch, number: *number, arguments: [0; 6] });
            !answer.saw_arguments && answer.action == Allow
        });
        answers.filter(|it| *it).count()
    };
    for (abi, arch) in [("x86_64", X86_64), ("i386", I386)] {
        let line = format!("{abi}: {} calls are allowed whatever their arguments are", noted(abi, arch));
        assert!(text.contains(&line), "{line}\n{text}");
    }
    assert!(text.contains("ptrace\n") && text.contains("argument 0, family"), "{text}");
    // Every instruction has its line, and every answer says whose it is.
    let lines: Vec<&str> = text.lines().skip_while(|it| !it.is_empty()).skip(1).collect();
    assert_eq!(lines.len(), program.len());
    for (line, instruction) in lines.iter().zip(&program) {
        let words = line.split_whitespace().count();
        assert!(instruction.code != 0x06 || words > 2, "{line}");
    }
}

fn policies() -> impl Strategy<Value = Seccomp> {
    const NAMES: &[&str] =
        &["read", "write", "socket", "connect", "ioctl", "clone", "clone3", "mmap", "stat", "lseek", "unshare"];
    let action = || select(&[Allow, Log, Errno(1), Errno(97), Trap, Kill][..]);
    let operator = select(&[CompareOp::Eq, CompareOp::Ne, CompareOp::In, CompareOp::Lt, CompareOp::Ge][..]);
    let condition = (0..3u8, any::<bool>(), operator, 0..4u64).prop_map(|(index, wide, op, value)| {
        if wide { long(index, None, op, &[value]) } else { int(index, None, op, &[value]) }
    });
    let own = (select(NAMES), proptest::collection::vec(condition, 0..3), action())
        .prop_map(|(name, conditions, action)| call(name, conditions, action));
    let whole = (select(&["basic", "file", "network-io", "process", "namespaces"][..]), action())
        .prop_map(|(name, action)| group(name, action));
    let rule = prop_oneof![3 => own, 1 => whole];
    (proptest::collection::vec(rule, 0..8), action()).prop_map(|(rules, otherwise)| with_i386(otherwise, rules))
}

/// The action that decides by the rules.
fn by_rules(seccomp: &Seccomp, abi: &str, number: u32, arguments: [u64; 6]) -> SyscallAction {
    let question = Question { abi: abi.to_string(), number, arguments: arguments.map(Some) };
    let cases = why(seccomp, &question);
    let deciding: Vec<_> = cases.iter().filter(|it| it.standing == Standing::Decides).collect();
    assert_eq!(deciding.len(), 1, "{cases:?}");
    deciding[0].action
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// The rules as `nsl why` reads them, the program in the machine of the library, and the program in the machine of these tests.
    #[test]
    fn rules_and_machines_agree(seccomp in policies(), a in 0..5u64, b in 0..5u64, c in 0..5u64) {
        let spec: FilterSpec = filter_spec(&seccomp, "x86_64");
        let program = compile(&spec).unwrap();
        let arguments = [a, b, c, 0, 0, 0];
        for (abi, arch) in [("x86_64", X86_64), ("i386", I386)] {
            for number in (0..500u32).filter(|it| abi == "i386" || *it < 470) {
                let theirs = run(&program, Call { arch, number, arguments });
                let ours = run_filter(&program, LibraryCall { arch, number, arguments }).unwrap();
                prop_assert_eq!((ours.action, ours.steps, ours.saw_arguments), (theirs.action, theirs.steps, theirs.saw_arguments));
                prop_assert_eq!(ours.action, by_rules(&seccomp, abi, number, arguments), "{} {}", abi, number);
            }
        }
    }
}
