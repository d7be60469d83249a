//! Facts of hosts that one is not on: systems as they are installed, and hosts that somebody recorded.
//!
//! Each built-in target is a fresh installation of the system, amd64, as root and as the first ordinary user. What is theirs:
//! the kernel that the release ships, the sysctl defaults of the distribution, Landlock as that kernel has it switched on at boot,
//! cgroup v2 with systemd's default delegation. Paths are not known, and nothing is said about them.

use std::collections::BTreeMap;

use super::caller::capability_names;
use super::{
    Caller, CgroupTree, Cgroups, HostFacts, IdRange, Kernel, Later, ProcessFacts, SecurityModules, UserNamespaces,
};
use crate::policy::NsKind;

/// One system.
struct System {
    name: &'static str,
    release: &'static str,
    version: (u32, u32),
    landlock_abi: u32,
    apparmor_restricted: bool,
    contained: bool,
}

const SYSTEMS: &[System] = &[
    // linux-image-amd64 of bookworm; CONFIG_LSM begins with landlock.
    System {
        name: "debian-12",
        release: "6.1.0-40-amd64",
        version: (6, 1),
        landlock_abi: 2,
        apparmor_restricted: false,
        contained: false,
    },
    // linux-image-amd64 of trixie.
    System {
        name: "debian-13",
        release: "6.12.48-amd64",
        version: (6, 12),
        landlock_abi: 6,
        apparmor_restricted: false,
        contained: false,
    },
    // The GA kernel; /usr/lib/sysctl.d/10-apparmor.conf restricts user namespaces to programs with a profile.
    System {
        name: "ubuntu-24.04",
        release: "6.8.0-31-generic",
        version: (6, 8),
        landlock_abi: 4,
        apparmor_restricted: true,
        contained: false,
    },
    // Minor releases differ about Landlock: what all of them have is none.
    System {
        name: "rhel-9",
        release: "5.14.0-362.el9.x86_64",
        version: (5, 14),
        landlock_abi: 0,
        apparmor_restricted: false,
        contained: false,
    },
    // The long-term kernel as such, below what nsl needs for its trees.
    System {
        name: "kernel-5.10",
        release: "5.10.0",
        version: (5, 10),
        landlock_abi: 0,
        apparmor_restricted: false,
        contained: false,
    },
    // `docker run` without options, on a kernel 6.8: its seccomp profile lets nobody make namespaces without CAP_SYS_ADMIN, which it
    // does not give; /proc is masked, cgroups are read-only.
    System {
        name: "container",
        release: "6.8.0-31-generic",
        version: (6, 8),
        landlock_abi: 4,
        apparmor_restricted: false,
        contained: true,
    },
];

/// What Docker leaves to root: moby's oci/caps/defaults.go.
const CONTAINER_CAPABILITIES: [&str; 14] = [
    "chown",
    "dac_override",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "net_bind_service",
    "net_raw",
    "sys_chroot",
    "mknod",
    "audit_write",
    "setfcap",
];

/// What Docker mounts over in /proc: moby's oci/defaults.go.
const CONTAINER_MASKED: [&str; 5] = ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/sys", "/proc/timer_list"];

/// The built-in targets: a system's name is for its first user, `NAME:root` for root.
pub fn target_names() -> Vec<String> {
    SYSTEMS.iter().flat_map(|it| [it.name.to_string(), format!("{}:root", it.name)]).collect()
}

/// The facts of a built-in target; `NAME:user` is `NAME`.
pub fn target(name: &str) -> Option<HostFacts> {
    let (system, root) = match name.split_once(':') {
        Some((system, "root")) => (system, true),
        Some((system, "user")) => (system, false),
        Some(_) => return None,
        None => (name, false),
    };
    SYSTEMS.iter().find(|it| it.name == system).map(|it| facts(it, root))
}

fn facts(system: &System, root: bool) -> HostFacts {
    let (uid, user, home) = if root { (0, "root", "/root") } else { (1000, "user", "/home/user") };
    let privileged = root && !system.contained;
    let capabilities: Vec<String> = match (root, system.contained) {
        (false, _) => Vec::new(),
        (true, true) => CONTAINER_CAPABILITIES.iter().map(ToString::to_string).collect(),
        (true, false) => all_capabilities(system.version),
    };
    let ranges = if root || system.contained { Vec::new() } else { vec![IdRange { start: 100_000, count: 65_536 }] };
    let helper = |name: &str| (name.to_string(), format!("/usr/bin/{name}"));
    let own = match (root, system.contained) {
        (_, true) => "/",
        (true, false) => "/user.slice/user-0.slice/session-1.scope",
        (false, false) => "/user.slice/user-1000.slice/session-1.scope",
    };
    let tree = CgroupTree {
        mount: "/sys/fs/cgroup".into(),
        own: own.into(),
        controllers: ["cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma"].map(String::from).to_vec(),
        enabled: Vec::new(),
        writable: privileged,
    };
    HostFacts {
        name: format!("{} ({user})", system.name),
        kernel: Kernel { release: system.release.into(), version: system.version, arch: "x86_64".into() },
        caller: Caller {
            uid,
            gid: uid,
            groups: vec![uid],
            user: user.into(),
            home: home.into(),
            capabilities,
            initial_userns: true,
            chroot: false,
            setgroups_denied: Later::from(false),
            subuid: Later::from(ranges.clone()),
            subgid: Later::from(ranges),
        },
        userns: UserNamespaces {
            max: 15_000,
            clone_disabled: false,
            apparmor_restricted: system.apparmor_restricted,
            filtered: system.contained,
        },
        namespaces: NsKind::ALL.to_vec(),
        cgroups: Later::from(Cgroups { v2: Some(tree), v1: BTreeMap::new() }),
        landlock_abi: Later::from(system.landlock_abi),
        seccomp_actions: Later::from(
            ["kill_process", "kill_thread", "trap", "errno", "user_notif", "trace", "log", "allow"]
                .map(String::from)
                .to_vec(),
        ),
        proc_masked: if system.contained { CONTAINER_MASKED.map(String::from).to_vec() } else { Vec::new() },
        // Docker sets net.ipv4.ip_unprivileged_port_start to 0 in the container's network namespace.
        unprivileged_port_start: Later::from(if system.contained { 0 } else { 1024 }),
        net_admin: Later::from(privileged),
        mount_admin: Some(privileged),
        tun: Later::from(!system.contained),
        forwards: Later::from(None),
        interfaces: Later::from(Vec::new()),
        hard_limits: Later::from(BTreeMap::new()),
        // What pam_limits leaves as it is: RLIMIT_NICE and RLIMIT_RTPRIO are 0. Which CPUs there are is nobody's to say.
        process: Later::from(ProcessFacts { nice_limit: Some(0), rtprio_limit: Some(0), ..ProcessFacts::default() }),
        // A time offset is about a host that has been up for a while; an hour is the least one may count on.
        uptime: Later::from(3600),
        security: Later::from(security(system)),
        helpers: Later::from(if system.contained {
            BTreeMap::new()
        } else {
            [helper("newuidmap"), helper("newgidmap")].into()
        }),
        versions: BTreeMap::new(),
        nftables: None,
        service_manager: Later::from(None),
        cgroup_parent: None,
        mount_pins: Vec::new(),
        name_search: Default::default(),
        paths: BTreeMap::new(),
        joinable: BTreeMap::new(),
    }
}

/// Debian and Ubuntu come with AppArmor, Red Hat with SELinux. Of a container's host nothing is known, nor of a bare kernel's.
fn security(system: &System) -> SecurityModules {
    let (apparmor, selinux) = match system.name {
        "rhel-9" => (Some(false), Some(true)),
        name if name.starts_with("debian") || name.starts_with("ubuntu") => (Some(true), Some(false)),
        _ => (None, None),
    };
    SecurityModules { apparmor, selinux, selinux_enforcing: selinux.filter(|it| *it), profiles: None }
}

/// Every capability, in the order of their numbers; the last three came with Linux 5.8 and 5.9.
fn all_capabilities(version: (u32, u32)) -> Vec<String> {
    let new = ["perfmon", "bpf", "checkpoint_restore"];
    let names = capability_names(caps::all());
    names.into_iter().filter(|it| version >= (5, 9) || !new.contains(&it.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_target_and_is_data() {
        for name in target_names() {
            let facts = target(&name).expect("it is listed");
            assert_eq!(facts.caller.uid == 0, name.ends_with(":root"));
            let text = serde_json::to_string(&facts).expect("facts are data");
            assert_eq!(serde_json::from_str::<HostFacts>(&text).expect("facts are data"), facts);
        }
        assert_eq!(target("debian-12:user"), target("debian-12"));
        assert!(target("debian-12:nobody").is_none() && target("debian").is_none());
    }
}
