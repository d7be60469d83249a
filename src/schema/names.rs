//! Words of the kernel: capabilities, resource limits.

/// What `personality` takes: the bits and the execution domain of personality(2) that a 64-bit program of today notices anything
/// of, with their numbers (linux/personality.h). READ_IMPLIES_EXEC is cleared by execve(2) of such a program, and the kernel looks
/// at WHOLE_SECONDS and SHORT_INODE nowhere.
pub const PERSONALITY_BITS: &[(&str, u32)] = &[
    ("linux32", 0x0008),
    ("uname26", 0x002_0000),
    ("addr-no-randomize", 0x004_0000),
    ("addr-compat-layout", 0x020_0000),
    ("sticky-timeouts", 0x400_0000),
    ("addr-limit-3gb", 0x800_0000),
];

/// The words of [`PERSONALITY_BITS`].
pub const PERSONALITIES: &[&str] =
    &["linux32", "uname26", "addr-no-randomize", "addr-compat-layout", "sticky-timeouts", "addr-limit-3gb"];

/// Capabilities by number, lower case without `CAP_`; the index is the number. capabilities(7), Linux 5.9 to 6.18.
pub const CAPABILITIES: &[&str] = &[
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// Resource limits of getrlimit(2), lower case without `RLIMIT_`; the index is the number on x86_64 and aarch64.
pub const RLIMITS: &[&str] = &[
    "cpu",
    "fsize",
    "data",
    "stack",
    "core",
    "rss",
    "nproc",
    "nofile",
    "memlock",
    "as",
    "locks",
    "sigpending",
    "msgqueue",
    "nice",
    "rtprio",
    "rttime",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_those_of_the_caps_crate() {
        let all = caps::all();
        assert_eq!(all.len(), CAPABILITIES.len());
        for capability in all {
            let name = capability.to_string().to_lowercase();
            assert_eq!(CAPABILITIES[usize::from(capability.index())], name.trim_start_matches("cap_"));
        }
    }

    #[test]
    fn rlimits_are_those_of_libc() {
        for (number, name) in RLIMITS.iter().enumerate() {
            let constant = format!("RLIMIT_{}", name.to_uppercase());
            assert_eq!(crate::schema::constants::constant(&constant), Some(number as u64), "{name}");
        }
        assert_eq!(RLIMITS.len(), 16);
    }
}
