//! The groups of the standard library.

use std::collections::BTreeSet;

use nsl::schema::syscalls;

use super::groups;

#[test]
fn members_are_calls_and_every_call_is_a_member() {
    let groups = groups();
    for (name, members) in &groups {
        for member in members {
            assert!(syscalls::is_known(member), "@{name} names {member}, which is no call");
        }
    }
    let known: BTreeSet<&str> = groups["known"].iter().map(String::as_str).collect();
    let all: BTreeSet<&str> = syscalls::names().into_iter().collect();
    let lacking: Vec<_> = all.difference(&known).collect();
    assert!(lacking.is_empty(), "no group has {lacking:?}");
}

/// Lines are as the formatter leaves them: documented, sorted, and short.
#[test]
fn the_text_is_in_order() {
    let text = include_str!("../../stdlib/syscalls.nsl");
    let mut before = "";
    let mut members: Vec<&str> = Vec::new();
    for line in text.lines() {
        assert!(line.len() <= 120, "{line}");
        if line.starts_with("syscalls group ") {
            assert!(before.starts_with("## "), "no documentation before {line}");
            members.clear();
        } else if line == "}" {
            assert!(members.windows(2).all(|pair| pair[0] < pair[1]), "not sorted, or double: {members:?}");
        } else if line.starts_with("  ") {
            members.extend(line.split_whitespace());
        }
        before = line;
    }
}

#[test]
fn services_have_no_power_over_the_system() {
    let groups = groups();
    let refused = "
        ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp perf_event_open bpf userfaultfd io_uring_setup
        io_uring_enter io_uring_register mount umount2 pivot_root chroot fsopen fsmount fsconfig fspick move_mount open_tree
        open_tree_attr mount_setattr statmount listmount kexec_load kexec_file_load reboot init_module finit_module
        delete_module add_key keyctl request_key quotactl quotactl_fd personality modify_ldt clock_settime clock_adjtime
        adjtimex settimeofday setns unshare swapon swapoff acct syslog sethostname setdomainname open_by_handle_at iopl
        ioperm fanotify_init vhangup lsm_set_self_attr uselib
    ";
    for group in ["basic", "file", "process", "ipc", "network-io", "service", "system-service"] {
        for call in refused.split_whitespace() {
            assert!(syscalls::is_known(call), "{call}");
            assert!(!groups[group].contains(call), "@{group} has {call}");
        }
    }
}

#[test]
fn programs_can_start() {
    let groups = groups();
    let needed = "
        execve brk mmap mprotect munmap arch_prctl set_tid_address set_robust_list rseq prlimit64 getrandom futex openat read
        pread64 write close newfstatat fstat access readlink rt_sigaction rt_sigprocmask rt_sigreturn exit exit_group
        clock_gettime ioctl getuid restart_syscall poll
    ";
    for call in needed.split_whitespace() {
        assert!(groups["basic"].contains(call), "@basic lacks {call}");
    }
    let inside = |inner: &str, outer: &str| groups[inner].is_subset(&groups[outer]);
    for inner in ["basic", "file", "process", "network-client", "network-server", "ipc", "signal", "timer", "io-event"]
    {
        assert!(inside(inner, "service"), "@service lacks @{inner}");
    }
}
