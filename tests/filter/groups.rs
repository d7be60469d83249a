//! The groups of the standard library.

use std::collections::{BTreeMap, BTreeSet};

use nsl::schema::syscalls;

use super::groups;
use crate::sandbox::stage::skip;

/// What a group of systemd's has and ours, of the same name, leaves out: because it is obsolete, or because it is more power than
/// the group's name says.
const LEFT_OUT: [(&str, &str); 8] = [
    ("aio", "io_uring_enter io_uring_register io_uring_setup"),
    ("debug", "lookup_dcookie"),
    ("io-event", "epoll_ctl_old epoll_wait_old"),
    ("ipc", "process_madvise process_vm_readv process_vm_writev"),
    ("privileged", "capset chown fchown fchownat lchown nfsservctl setfsuid setgroups setresuid setreuid setuid"),
    ("process", "setns unshare"),
    (
        "system-service",
        "add_key epoll_ctl_old epoll_wait_old get_thread_area io_uring_enter io_uring_register io_uring_setup kcmp keyctl
         personality process_vm_readv process_vm_writev request_key set_thread_area setns unshare userfaultfd",
    ),
    ("timer", "times"),
];

/// The groups that `systemd-analyze syscall-filter` prints, groups in groups included.
fn groups_of_systemd(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut name = None;
    for line in text.lines() {
        match line.strip_prefix("    ") {
            // What systemd has heard of the running kernel, and has in no group, stands last.
            None => name = line.strip_prefix('@').map(str::to_string),
            Some(member) if member.starts_with('#') => {}
            Some(member) => {
                let Some(name) = &name else { continue };
                let members = match member.strip_prefix('@') {
                    // A group stands behind those that it is made of, or this finds calls to be left out that are not.
                    Some(inner) => groups.get(inner).cloned().unwrap_or_default(),
                    None => BTreeSet::from([member.to_string()]),
                };
                groups.entry(name.clone()).or_default().extend(members);
            }
        }
    }
    groups
}

/// Who moves a `SystemCallFilter=` over finds each of its groups, and in it all that systemd has there, but for `LEFT_OUT`.
#[test]
fn at_least_as_complete_as_systemd() {
    let Ok(output) = std::process::Command::new("systemd-analyze").arg("syscall-filter").output() else {
        skip("filter::groups::at_least_as_complete_as_systemd", "there is no systemd-analyze");
        return;
    };
    let theirs = groups_of_systemd(&String::from_utf8_lossy(&output.stdout));
    assert!(theirs.len() > 25, "only {} groups", theirs.len());
    let ours = groups();
    for (name, calls) in &theirs {
        let Some(have) = ours.get(name) else { panic!("there is no @{name}") };
        let left_out = LEFT_OUT.iter().find(|(it, _)| it == name).map_or("", |(_, calls)| *calls);
        let lacking: Vec<_> = calls
            .iter()
            .filter(|it| {
                syscalls::names().contains(&it.as_str())
                    && !have.contains(*it)
                    && !left_out.split_whitespace().any(|out| out == *it)
            })
            .collect();
        assert!(lacking.is_empty(), "@{name} lacks {lacking:?}");
    }
}

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
