//! Why an attribute of a process, or its label, was refused.

use crate::plan::{Attribute, SecurityModule};

/// The likely cause on this host.
pub fn attribute(attribute: &Attribute, errno: i32) -> Option<String> {
    let told = match (attribute, errno) {
        (Attribute::Nice(_), libc::EACCES | libc::EPERM) => {
            "a nice value below the caller's takes CAP_SYS_NICE, or RLIMIT_NICE (limits.conf(5): nice)"
        }
        (Attribute::Scheduling(it), libc::EPERM) if it.policy.is_real_time() => {
            "a policy of real time takes CAP_SYS_NICE or RLIMIT_RTPRIO, and with cgroup v1 a share of it: cpu.rt_runtime_us of the \
             cgroup that the sandbox is in"
        }
        (Attribute::Scheduling(_), libc::EPERM) => {
            "nsl itself runs with `idle`, which a caller without CAP_SYS_NICE cannot leave: sched(7)"
        }
        (Attribute::IoPriority(_), libc::EPERM) => "the class `realtime` takes CAP_SYS_NICE",
        (Attribute::CpuAffinity(_), libc::EINVAL | 0) => {
            "a process runs on CPUs that are online and in the cpuset of its cgroup, and on no others: cpuset(7)"
        }
        (Attribute::OwnCores, libc::ENODEV) => {
            "the cores of this host have one hardware thread each: nobody shares them; `prefer` before it goes on without it"
        }
        (Attribute::OwnCores, libc::EINVAL) => {
            "the kernel has no core scheduling (Linux 5.14, CONFIG_SCHED_CORE): `prefer` before it goes on without it"
        }
        (Attribute::OomScoreAdj(_), libc::EACCES | libc::EPERM) => {
            "a score below the caller's takes CAP_SYS_RESOURCE, or somebody who had it must have set a lower one before: \
             proc_pid_oom_score_adj(5)"
        }
        (Attribute::Personality(_), libc::EINVAL) => "this kernel does not have one of the words: personality(2)",
        (_, libc::EPERM) => "a filter around nsl refuses it, as those of container runtimes do",
        _ => return None,
    };
    Some(told.to_string())
}

/// Why a security module did not take a label.
pub fn label(module: SecurityModule, label: &str, errno: i32) -> Option<String> {
    Some(match (errno, module) {
        (libc::ENOENT, SecurityModule::Apparmor) => {
            format!("no profile `{label}` is loaded, or AppArmor is not in force: as root, `apparmor_parser -r FILE` loads one, and `aa-status` tells")
        }
        (libc::EINVAL | libc::ENOENT, _) => format!(
            "{} is not in force, or its policy does not know `{label}`: write `prefer` before it to go on without a label",
            module.name()
        ),
        (libc::EACCES | libc::EPERM, SecurityModule::Apparmor) => {
            "the profile that nsl itself runs with does not let it change to this one; with `no-new-privs` a confined program can \
             only become more confined"
                .to_string()
        }
        (libc::EACCES | libc::EPERM, SecurityModule::Selinux) => {
            "the context of nsl needs `setexec` of class process, and with `no-new-privs` nnp_transition of process2: `ausearch -m avc` tells"
                .to_string()
        }
        (0, _) => "a label that cannot be relied on is none: `aa-enforce PROFILE` puts a profile in force".to_string(),
        _ => return None,
    })
}
