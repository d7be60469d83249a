//! What a host offers to its caller, in words: each thing with a yes or a no, and each no with how to change it.

use super::{HostFacts, IdRange, SCOPE};
use crate::policy::NsKind;

/// One thing that a sandbox can need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What: `user namespaces`.
    pub topic: String,
    /// Whether the caller can have it.
    pub available: bool,
    /// What exactly there is, or why there is nothing.
    pub text: String,
    /// How to change a no, as a command or a sentence; `None` for a yes.
    pub remedy: Option<String>,
}

/// The controllers, and a limit of each.
const LIMITS: &[(&str, &str)] = &[
    ("memory", "memory.max"),
    ("pids", "pids.max"),
    ("cpu", "cpu.max"),
    ("cpuset", "cpuset.cpus"),
    ("io", "io.max"),
    ("hugetlb", "hugetlb.max"),
];

fn yes(topic: &str, text: impl Into<String>) -> Offer {
    Offer { topic: topic.to_string(), available: true, text: text.into(), remedy: None }
}

fn no(topic: &str, text: impl Into<String>, remedy: impl Into<String>) -> Offer {
    Offer { topic: topic.to_string(), available: false, text: text.into(), remedy: Some(remedy.into()) }
}

/// Everything that a sandbox can need, in the order in which a run needs it.
pub fn offers(facts: &HostFacts) -> Vec<Offer> {
    let mut offers = vec![kernel(facts), namespaces(facts), user_namespaces(facts), without_user(facts)];
    offers.extend([subordinate("uids", "uid", &facts.caller.subuid, facts)]);
    offers.extend([subordinate("gids", "gid", &facts.caller.subgid, facts)]);
    offers.extend(["newuidmap", "newgidmap"].map(|name| helper(name, facts)));
    offers.extend([fresh_proc(facts)]);
    offers.extend(facts.mount_admin.map(|may_mount| keep(may_mount, facts)));
    offers.extend([hierarchies(facts)]);
    offers.extend(LIMITS.iter().map(|(controller, key)| limit(controller, key, facts)));
    offers.extend([seccomp(facts), landlock(facts)]);
    offers.extend(labels(facts));
    offers.extend([low_ports(facts), interfaces(facts), uplink(facts)]);
    offers.extend(facts.nftables.map(firewall));
    offers
}

fn kernel(facts: &HostFacts) -> Offer {
    let topic = "kernel";
    if facts.kernel.at_least(5, 12) {
        return yes(topic, "has the mount API that sandboxes are built with");
    }
    no(
        topic,
        format!(
            "Linux {} lacks mount_setattr(2), with which trees are made read-only as a whole",
            facts.kernel.release
        ),
        "Linux 5.12 or later",
    )
}

fn namespaces(facts: &HostFacts) -> Offer {
    let topic = "namespaces";
    let (there, missing): (Vec<NsKind>, Vec<NsKind>) =
        NsKind::ALL.into_iter().partition(|kind| facts.namespaces.contains(kind));
    let names = |kinds: &[NsKind]| kinds.iter().map(|it| it.name()).collect::<Vec<_>>().join(" ");
    if missing.is_empty() {
        return yes(topic, format!("all eight kinds: {}", names(&there)));
    }
    let time = if missing.contains(&NsKind::Time) { " (`time` came with Linux 5.6)" } else { "" };
    no(
        topic,
        format!("this kernel lacks {}{time}; it has {}", names(&missing), names(&there)),
        "a kernel with these CONFIG_*_NS options; or write the mode `host` for these kinds",
    )
}

/// user_namespaces(7), and the switches of distributions.
fn user_namespaces(facts: &HostFacts) -> Offer {
    let topic = "user new";
    let admin = facts.caller.has("sys_admin");
    if !facts.namespaces.contains(&NsKind::User) {
        return no(topic, "this kernel has no user namespaces", "a kernel with CONFIG_USER_NS");
    }
    if facts.caller.chroot {
        return no(topic, "you are in a chroot, where the kernel refuses user namespaces", "start nsl outside of it");
    }
    if facts.userns.max == 0 {
        return no(topic, "user.max_user_namespaces is 0", "as root: sysctl -w user.max_user_namespaces=15000");
    }
    if facts.userns.clone_disabled && !admin {
        return no(
            topic,
            "kernel.unprivileged_userns_clone is 0: only root may make them",
            "as root: sysctl -w kernel.unprivileged_userns_clone=1",
        );
    }
    if facts.userns.apparmor_restricted && !admin {
        return no(
            topic,
            "AppArmor takes all rights from user namespaces of programs without a profile (kernel.apparmor_restrict_unprivileged_userns is 1)",
            "as root: give nsl a profile with `userns,` in /etc/apparmor.d, or sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        );
    }
    yes(topic, format!("up to {} user namespaces", facts.userns.max))
}

fn without_user(facts: &HostFacts) -> Offer {
    let topic = "user host";
    if facts.caller.is_privileged() {
        return yes(
            topic,
            "you have CAP_SYS_ADMIN, CAP_SETUID and CAP_SETGID: sandboxes work without a user namespace too",
        );
    }
    no(topic, "without `user new` the other namespaces need CAP_SYS_ADMIN", "write `user new`, or run nsl as root")
}

fn subordinate(topic: &str, word: &str, ranges: &[IdRange], facts: &HostFacts) -> Offer {
    let topic = format!("subordinate {topic}");
    if facts.caller.is_privileged() {
        return yes(&topic, format!("not needed: you may map any {word}"));
    }
    if ranges.is_empty() {
        let user = &facts.caller.user;
        return no(
            &topic,
            format!("/etc/sub{word} gives {user} no range, so that only your own {word} can be mapped"),
            format!("as root: usermod --add-sub{word}s 100000-165535 {user} (a range that nobody else has)"),
        );
    }
    let ranges: Vec<String> = ranges.iter().map(|it| format!("{} from {}", it.count, it.start)).collect();
    yes(&topic, ranges.join(", "))
}

fn helper(name: &str, facts: &HostFacts) -> Offer {
    match facts.helpers.get(name) {
        Some(path) => yes(name, path.as_str()),
        None if facts.caller.is_privileged() => yes(name, "not there, and not needed: you write maps yourself"),
        None => no(
            name,
            "not installed, or without the right to write maps, so that only your own ids can be mapped",
            "install it (Debian, Ubuntu: `apt install uidmap`; Fedora: `dnf install shadow-utils`); it has to be set-user-id root",
        ),
    }
}

fn fresh_proc(facts: &HostFacts) -> Offer {
    let topic = "mount /proc = proc";
    if facts.proc_masked.is_empty() {
        return yes(topic, "the host's /proc is whole, so the kernel allows a fresh one");
    }
    let (count, some) = (facts.proc_masked.len(), facts.proc_masked.iter().take(4).cloned().collect::<Vec<_>>());
    let text = format!(
        "{}{} of the host's /proc {} covered, so the kernel refuses a fresh one in a user namespace",
        some.join(" "),
        if count > 4 { format!(" and {} more", count - 4) } else { String::new() },
        if count == 1 { "is" } else { "are" },
    );
    no(
        topic,
        text,
        "in a container: ask for an unmasked /proc (podman, docker: --security-opt unmask=ALL or systempaths=unconfined); else `mount /proc = bind(ro)`",
    )
}

/// A namespace is kept by a mount of nsfs on a file: namespaces(7).
fn keep(may_mount: bool, facts: &HostFacts) -> Offer {
    let topic = "keep PATH";
    match (may_mount, facts.caller.initial_userns) {
        (true, true) => yes(topic, "you may mount here: files can keep namespaces for later"),
        (true, false) => {
            yes(topic, "you may mount in this mount namespace: files can keep namespaces for those who are in it")
        }
        (false, _) => no(
            topic,
            "a file keeps a namespace by a mount, which takes CAP_SYS_ADMIN in the user namespace that owns your mount namespace",
            "run nsl as root; or in a mount namespace of your own (`unshare -Urm`), in which alone the file keeps something then",
        ),
    }
}

fn hierarchies(facts: &HostFacts) -> Offer {
    let topic = "cgroups";
    let v1: Vec<&str> = facts.cgroups.v1.keys().map(String::as_str).collect();
    let v2 = facts.cgroups.v2.as_ref().map(|tree| {
        let controllers =
            if tree.controllers.is_empty() { "no controllers".to_string() } else { tree.controllers.join(" ") };
        format!("version 2 at {} with {controllers}", tree.mount)
    });
    match (v2, v1.is_empty()) {
        (Some(v2), true) => yes(topic, v2),
        (Some(v2), false) => yes(topic, format!("hybrid: {v2}; version 1 with {}", v1.join(" "))),
        (None, false) => yes(topic, format!("version 1 with {}", v1.join(" "))),
        (None, true) => no(topic, "no cgroup file system is mounted", "as root: mount -t cgroup2 none /sys/fs/cgroup"),
    }
}

fn limit(controller: &str, key: &str, facts: &HostFacts) -> Offer {
    match facts.cgroup_place(controller) {
        Ok(place) if place.parent == SCOPE => yes(key, "in a scope of your service manager (systemd --user)"),
        Ok(place) => {
            let parent = place.parent.trim_end_matches('/');
            yes(key, format!("below {}{parent} (cgroup version {})", place.mount, place.version))
        }
        Err(reason) => no(key, reason, delegation(controller, facts)),
    }
}

/// How a caller comes to a cgroup of its own, so that `--cgroup-parent` can name it.
fn delegation(controller: &str, facts: &HostFacts) -> String {
    let user = &facts.caller.user;
    if !facts.cgroups.v1.is_empty() {
        let dirs: Vec<String> = facts.cgroups.v1.values().map(|tree| format!("{}/{user}", tree.mount)).collect();
        let dirs = dirs.join(" ");
        return format!("as root: mkdir -p {dirs} && chown -R {user} {dirs}; then: nsl run --cgroup-parent /{user}");
    }
    match &facts.cgroups.v2 {
        // A cgroup with processes has no children with limits (cgroups(7)), so the shell has to move down first.
        Some(tree) if tree.controllers.iter().any(|it| it == controller) => format!(
            "with systemd: systemd-run --user --scope -p Delegate=yes bash; in it: cg={}$(sed -n s/^0:://p \
             /proc/self/cgroup); mkdir $cg/shell && echo $$ >$cg/shell/cgroup.procs; then: nsl run --cgroup-parent $cg",
            tree.mount
        ),
        Some(_) => format!(
            "as root: systemctl edit user@.service, add [Service] Delegate=cpu cpuset io memory pids, and log in again; without systemd, \
             hand `{controller}` down from the root with echo +{controller} >cgroup.subtree_control"
        ),
        None => {
            "as root: mount -t cgroup2 none /sys/fs/cgroup; without cgroups, `limits { … }` has limits for each process"
                .to_string()
        }
    }
}

fn seccomp(facts: &HostFacts) -> Offer {
    let topic = "seccomp";
    if facts.seccomp_actions.is_empty() {
        return no(topic, "this kernel has no system call filters", "a kernel with CONFIG_SECCOMP_FILTER");
    }
    yes(topic, format!("filters with the actions {}", facts.seccomp_actions.join(" ")))
}

fn landlock(facts: &HostFacts) -> Offer {
    let topic = "Landlock";
    match *facts.landlock_abi {
        0 if !facts.kernel.at_least(5, 13) => no(topic, "this kernel is older than Landlock", "Linux 5.13 or later"),
        0 => no(
            topic,
            "the kernel has no Landlock, or it was not switched on at boot",
            "put `landlock` in front of the list of the boot parameter lsm= (cat /sys/kernel/security/lsm shows the list), with CONFIG_SECURITY_LANDLOCK",
        ),
        abi => yes(topic, format!("ABI {abi}")),
    }
}

/// The security module that is in force; where there is none, and that is known, how to have one.
fn labels(facts: &HostFacts) -> Option<Offer> {
    let security = &facts.security;
    match (security.apparmor, security.selinux) {
        (Some(true), _) => Some(yes("apparmor", "is in force: programs can be given a profile that is loaded")),
        (_, Some(true)) if security.selinux_enforcing == Some(false) => {
            Some(no("selinux", "is permissive: it refuses nothing", "as root: setenforce 1"))
        }
        (_, Some(true)) => Some(yes("selinux", "is enforcing: programs can be given a context")),
        (Some(false), Some(false)) => Some(no(
            "apparmor, selinux",
            "neither is in force, so that programs have no label",
            "a kernel that has one of them, told to use it at boot: security=apparmor, or security=selinux",
        )),
        _ => None,
    }
}

fn low_ports(facts: &HostFacts) -> Offer {
    let topic = "publish ports";
    let start = *facts.unprivileged_port_start;
    if start == 0 || facts.caller.has("net_bind_service") && facts.caller.initial_userns {
        return yes(topic, "all of them");
    }
    if start <= 80 {
        return yes(topic, format!("from {start} on"));
    }
    no(
        topic,
        format!("only from {start} on"),
        "as root: sysctl -w net.ipv4.ip_unprivileged_port_start=80; or publish a higher port",
    )
}

fn uplink(facts: &HostFacts) -> Offer {
    match facts.helpers.get("pasta") {
        Some(path) if !*facts.tun => no(
            "uplink = user",
            format!("{path} is there, and you may not open /dev/net/tun, which it needs"),
            "as root: modprobe tun; chmod 0666 /dev/net/tun (udev's default; in a container: --device /dev/net/tun)",
        ),
        Some(path) => {
            let version = facts.versions.get("pasta").map_or(String::new(), |it| format!(", version {it}"));
            yes("uplink = user", format!("through {path}{version}"))
        }
        None => no(
            "uplink = user",
            "pasta is not installed, which leads out of a network of one's own without any right",
            "install it (Debian, Ubuntu: `apt install passt`; Fedora: `dnf install passt`)",
        ),
    }
}

/// The rules of `net { allow … deny … }` are nftables inside.
fn firewall(there: bool) -> Offer {
    let topic = "allow, deny of net";
    match there {
        true => yes(topic, "the kernel has nf_tables, which they are made of"),
        false => no(
            topic,
            "this kernel has no nf_tables, neither built in nor as a module",
            "a kernel with CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET, CONFIG_NFT_CT and CONFIG_NFT_REJECT",
        ),
    }
}

fn interfaces(facts: &HostFacts) -> Offer {
    let topic = "veth, macvlan";
    if *facts.net_admin {
        return yes(topic, "you may make interfaces in this network");
    }
    no(
        topic,
        "one end belongs to the host, and that takes CAP_NET_ADMIN there",
        "run nsl as root; `publish` leads in without any right",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::probe;

    /// This machine, as somebody who may do nothing.
    fn nobody() -> HostFacts {
        let mut facts = probe();
        facts.caller.uid = 1000;
        facts.caller.user = "ann".to_string();
        facts.caller.capabilities.clear();
        facts.caller.chroot = false;
        facts
    }

    fn offer(facts: &HostFacts, topic: &str) -> Offer {
        offers(facts).into_iter().find(|it| it.topic == topic).expect("a known topic")
    }

    #[test]
    fn every_no_says_how_to_change_it() {
        let mut worst = nobody();
        worst.kernel.version = (4, 19);
        worst.namespaces.clear();
        worst.cgroups = Default::default();
        worst.seccomp_actions.clear();
        *worst.landlock_abi = 0;
        worst.helpers.clear();
        worst.caller.subuid.clear();
        worst.caller.subgid.clear();
        *worst.unprivileged_port_start = 1024;
        *worst.net_admin = false;
        worst.nftables = Some(false);
        worst.mount_admin = Some(false);
        worst.proc_masked = vec!["/proc/kcore".to_string()];
        for offer in offers(&worst) {
            assert!(!offer.available, "{offer:?}");
        }
        for facts in [worst, nobody(), probe()] {
            for offer in offers(&facts) {
                assert_eq!(offer.available, offer.remedy.is_none(), "{offer:?}");
                assert!(!offer.text.is_empty());
            }
        }
    }

    #[test]
    fn names_the_switch_that_forbids_user_namespaces() {
        let says = |change: fn(&mut HostFacts)| {
            let mut facts = nobody();
            facts.userns = crate::host::UserNamespaces {
                max: 10,
                clone_disabled: false,
                apparmor_restricted: false,
                filtered: false,
            };
            change(&mut facts);
            let offer = offer(&facts, "user new");
            (offer.available, offer.remedy.unwrap_or_default())
        };
        assert!(says(|_| ()).0);
        assert!(says(|it| it.userns.max = 0).1.contains("user.max_user_namespaces"));
        assert!(says(|it| it.userns.clone_disabled = true).1.contains("unprivileged_userns_clone=1"));
        assert!(says(|it| it.userns.apparmor_restricted = true).1.contains("apparmor.d"));
        assert!(says(|it| it.caller.chroot = true).1.contains("outside"));
    }

    #[test]
    fn tells_how_to_get_a_cgroup() {
        let mut facts = nobody();
        facts.caller.initial_userns = true;
        let cgroups = &mut *facts.cgroups;
        for tree in cgroups.v1.values_mut().chain(cgroups.v2.as_mut()) {
            tree.writable = false;
            tree.enabled.clear();
        }
        let offer = offer(&facts, "memory.max");
        assert!(!offer.available && offer.remedy.is_some());
    }
}
