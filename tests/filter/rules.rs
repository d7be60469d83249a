//! Which rule decides.

use nsl::plan::{CompareOp, FilterSpec, SyscallAction, Verdict, filter_spec};
use nsl::policy::SyscallRule;

use super::{ENOSYS, EPERM, call, group, int, meaning, seccomp};

use SyscallAction::{Allow, Errno, Kill, Log, Trap};

fn spec(otherwise: SyscallAction, rules: Vec<SyscallRule>) -> FilterSpec {
    let mut reversed = rules.clone();
    reversed.reverse();
    let spec = filter_spec(&seccomp(otherwise, rules), "x86_64");
    assert_eq!(spec, filter_spec(&seccomp(otherwise, reversed), "x86_64"), "the order of rules has a meaning");
    spec
}

fn answer(spec: &FilterSpec, name: &str, arguments: [u64; 6]) -> SyscallAction {
    meaning(spec, nsl::schema::syscalls::number("x86_64", name).unwrap(), arguments)
}

fn verdicts<'a>(spec: &'a FilterSpec, name: &str) -> &'a [Verdict] {
    spec.calls.iter().find(|call| call.name == name).map_or(&[], |call| &call.verdicts)
}

#[test]
fn a_call_beats_a_group_and_a_condition_beats_none() {
    let unix = || vec![int(0, None, CompareOp::Eq, &[1])];
    let spec = spec(
        EPERM,
        vec![
            group("network-io", Kill),
            call("socket", Vec::new(), Errno(97)),
            call("socket", unix(), Allow),
            call("bind", Vec::new(), Allow),
        ],
    );
    assert_eq!(answer(&spec, "socket", [1, 0, 0, 0, 0, 0]), Allow);
    assert_eq!(answer(&spec, "socket", [2, 0, 0, 0, 0, 0]), Errno(97));
    assert_eq!(answer(&spec, "bind", [0; 6]), Allow);
    assert_eq!(answer(&spec, "connect", [0; 6]), Kill);
    assert_eq!(answer(&spec, "read", [0; 6]), EPERM);
    assert_eq!(verdicts(&spec, "socket").len(), 2, "the group's rule can never decide");
}

#[test]
fn among_equals_the_stricter_decides() {
    let spec = spec(
        EPERM,
        vec![
            group("file", Allow),
            group("sync", Trap),
            call("mkdir", vec![int(1, None, CompareOp::Gt, &[5])], Log),
            call("mkdir", vec![int(1, None, CompareOp::Lt, &[9])], Errno(13)),
        ],
    );
    assert_eq!(answer(&spec, "fsync", [0; 6]), Trap);
    assert_eq!(answer(&spec, "mkdir", [0, 7, 0, 0, 0, 0]), Errno(13));
    assert_eq!(answer(&spec, "mkdir", [0, 9, 0, 0, 0, 0]), Log);
}

#[test]
fn what_changes_nothing_is_left_out() {
    let even = || vec![int(0, Some(1), CompareOp::Eq, &[0])];
    let spec = spec(
        EPERM,
        vec![
            call("read", Vec::new(), EPERM),
            call("write", even(), EPERM),
            call("open", even(), Allow),
            call("open", Vec::new(), Allow),
            call("stat", even(), Trap),
            call("stat", even(), Log),
            call("close", even(), Kill),
            call("close", Vec::new(), EPERM),
        ],
    );
    assert!(verdicts(&spec, "read").is_empty());
    assert!(verdicts(&spec, "write").is_empty());
    assert_eq!(verdicts(&spec, "open"), [Verdict { conditions: Vec::new(), action: Allow }]);
    assert_eq!(verdicts(&spec, "stat"), [Verdict { conditions: even(), action: Trap }]);
    assert_eq!(verdicts(&spec, "close"), [Verdict { conditions: even(), action: Kill }]);
}

#[test]
fn calls_of_other_architectures_are_skipped() {
    let rules = || vec![call("open", Vec::new(), Allow), call("openat", Vec::new(), Allow)];
    let names = |arch: &str| -> Vec<String> {
        filter_spec(&seccomp(Kill, rules()), arch).calls.into_iter().map(|call| call.name).collect()
    };
    assert_eq!(names("x86_64"), ["open", "openat"]);
    assert_eq!(names("aarch64"), ["openat"]);
    assert!(names("riscv64").is_empty());
}

#[test]
fn newer_calls_do_not_exist() {
    for (otherwise, newer) in [(EPERM, ENOSYS), (Kill, ENOSYS), (Trap, ENOSYS), (Allow, Allow), (Log, Log)] {
        let spec = spec(otherwise, Vec::new());
        assert_eq!((spec.newer, spec.last), (newer, 469));
        assert_eq!(meaning(&spec, 470, [0; 6]), newer);
    }
}

/// CLONE_VM | SIGCHLD, CLONE_NEWUSER | SIGCHLD, CLONE_NEWNS with a bit above the flags, CLONE_NEWNET alone.
const FORK: u64 = 0x111;
const NEW: [u64; 3] = [0x1000_0011, 0xffff_ffff_0002_0011, 0x4000_0000];

#[test]
fn a_group_lets_no_namespace_be_made() {
    for name in ["process", "service", "known"] {
        let spec = spec(EPERM, vec![group(name, Allow), call("unshare", Vec::new(), EPERM)]);
        assert_eq!(answer(&spec, "clone", [FORK, 0, 0, 0, 0, 0]), Allow);
        for flags in NEW {
            assert_eq!(answer(&spec, "clone", [flags, 0, 0, 0, 0, 0]), EPERM);
        }
        assert_eq!(answer(&spec, "clone3", [0; 6]), ENOSYS);
    }
}

#[test]
fn namespaces_are_given_by_their_group_or_by_a_rule_for_clone() {
    let group_too = spec(EPERM, vec![group("process", Allow), group("namespaces", Allow)]);
    assert_eq!(answer(&group_too, "clone", [NEW[0], 0, 0, 0, 0, 0]), Allow);
    assert_eq!(answer(&group_too, "clone3", [0; 6]), Allow);

    let own = spec(EPERM, vec![group("process", Allow), call("clone", Vec::new(), Allow)]);
    assert_eq!(answer(&own, "clone", [NEW[0], 0, 0, 0, 0, 0]), Allow);
    assert_eq!(answer(&own, "clone3", [0; 6]), ENOSYS);

    let some =
        spec(EPERM, vec![group("process", Allow), call("unshare", vec![int(0, None, CompareOp::Eq, &[0])], Allow)]);
    assert_eq!(answer(&some, "clone", [NEW[0], 0, 0, 0, 0, 0]), EPERM);

    let everything = spec(Allow, vec![group("process", Allow)]);
    assert_eq!(answer(&everything, "clone", [NEW[0], 0, 0, 0, 0, 0]), Allow);
    assert!(everything.calls.iter().all(|call| call.name == "ioctl"), "{everything:?}");
}

#[test]
fn a_refused_group_is_not_refined() {
    let spec = spec(EPERM, vec![group("process", Allow), group("known", Kill)]);
    assert_eq!(verdicts(&spec, "clone"), [Verdict { conditions: Vec::new(), action: Kill }]);
    assert_eq!(verdicts(&spec, "clone3"), [Verdict { conditions: Vec::new(), action: Kill }]);
    assert_eq!(verdicts(&spec, "ioctl"), [Verdict { conditions: Vec::new(), action: Kill }]);
}

#[test]
fn clone3_sends_libc_back_to_clone() {
    let without = spec(EPERM, vec![call("clone", Vec::new(), Allow)]);
    assert_eq!(answer(&without, "clone3", [0; 6]), ENOSYS);
    assert_eq!(answer(&spec(Kill, Vec::new()), "clone3", [0; 6]), Kill);
    assert_eq!(answer(&spec(EPERM, vec![call("clone3", Vec::new(), Allow)]), "clone3", [0; 6]), Allow);
}

#[test]
fn a_group_lets_nobody_type_into_the_terminal() {
    let through_group = spec(EPERM, vec![group("basic", Allow)]);
    for request in [0x5412, 0x541c, 0x1_0000_5412] {
        assert_eq!(answer(&through_group, "ioctl", [0, request, 0, 0, 0, 0]), EPERM);
    }
    assert_eq!(answer(&through_group, "ioctl", [0, 0x5413, 0, 0, 0, 0]), Allow);
    let own = spec(EPERM, vec![group("basic", Allow), call("ioctl", Vec::new(), Allow)]);
    assert_eq!(answer(&own, "ioctl", [0, 0x5412, 0, 0, 0, 0]), Allow);
}
