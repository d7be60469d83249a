//! For every attempt a policy without the rule that holds it, where it must succeed.

// A table is read by its columns.
#![cfg_attr(rustfmt, rustfmt_skip)]

use super::*;

/// A sandbox in which everything is held.
fn strong(who: Who) -> Stage {
    let stage = Stage::new(who)
        .line("mnt", "mount /tmp = tmpfs(size: 16MiB, noexec)")
        .line("mnt", "hide /home")
        .line("mnt", "hide /root")
        .line("mnt", "hide /sys/firmware")
        .line("cgroup", "prefer pids.max = 64")
        .section("caps", "", &["keep none"])
        .folder("work")
        .folder("work/.git")
        .folder("work/.git/hooks")
        .file("work/.env", 0o644, "secret\n")
        .line("mnt", "mount /srv = bind(./work, rw)")
        .line("mnt", "protect /srv/.git/hooks = dir")
        .line("mnt", "hide /srv/.env");
    [
        "otherwise = errno(EPERM)",
        "allow @service",
        "allow socket(family in [AF_UNIX, AF_INET, AF_INET6])",
        "deny socket = errno(EAFNOSUPPORT)",
    ]
    .iter()
    .fold(stage, |stage, line| stage.line("seccomp", line))
}

/// Without the section of a name.
fn without(stage: Stage, name: &'static str) -> Stage {
    stage.drop_section(name)
}

/// All capabilities that there are.
fn powerful(stage: Stage) -> Stage {
    with_capabilities(stage, &caps::all())
}

fn with_capabilities(stage: Stage, names: &caps::CapsHashSet) -> Stage {
    let lines: Vec<String> = names.iter().map(|it| format!("keep {}", it.to_string().trim_start_matches("CAP_"))).collect();
    stage.section("caps", "", &lines.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Root of the namespaces, who is nobody outside.
fn root_inside(stage: Stage) -> Stage {
    stage.section("user", "new", &["map uid 0 = unprivileged", "map gid 0 = unprivileged", "as = 0"])
}

fn hosts_namespaces(stage: Stage) -> Stage {
    let stage = ["pid", "net", "ipc", "uts", "cgroup", "time"].iter().fold(stage, |stage, kind| stage.section(kind, "host", &[]));
    stage.drop_line("mnt", "mount /proc").drop_line("mnt", "mount /dev")
}

/// The host's root with all it has, in a mount namespace of its own: what holds is the kernel alone.
fn hosts_root(stage: Stage) -> Stage {
    let own = caps::read(None, caps::CapSet::Permitted).expect("our own");
    let stage = with_capabilities(without(hosts_namespaces(stage), "seccomp"), &own).section("user", "host", &[]);
    stage.line("mnt", "root = host(rw)").line("mnt", "mount /dev = bind(rw, dev)").drop_line("mnt", "hide /home")
}

/// The ids of root, and of a hundred others.
fn more_ids(stage: Stage) -> Stage {
    let lines = ["map uid 0 = unprivileged", "map uid 1 = subid(count: 100)", "map gid 0 = unprivileged", "map gid 1 = subid(count: 100)", "as = 0"];
    without(powerful(stage), "seccomp").section("user", "new", &lines)
}

const ROOT: &[Who] = &[Who::Root];
const USER: &[Who] = &[Who::User];
const BOTH: &[Who] = &[Who::Root, Who::User];

/// What is missing, who calls, the policy, and what succeeds there.
type Weak = (&'static str, &'static [Who], fn(Stage) -> Stage, &'static [&'static str]);

const WEAK: &[Weak] = &[
    ("seccomp", BOTH, |it| without(it, "seccomp"), &[
        "filter", "TIOCLINUX", "TIOCSTI", "abi-i386", "abi-x32", "add_key", "adjtimex", "bpf", "clock_adjtime", "clock_settime", "clone3", "fanotify_init",
        "fsconfig", "io_uring_enter", "io_uring_register", "io_uring_setup", "kcmp", "keyctl", "modify_ldt", "netlink-audit", "netlink-netfilter",
        "netlink-uevent", "perf_event_open", "personality", "pidfd_getfd", "process_vm_readv", "process_vm_writev", "ptrace",
        "quotactl", "request_key", "setns", "userfaultfd", "vsock", "alg-socket", "bluetooth-socket",
    ]),
    ("caps { keep none }, seccomp, and an id that is not 0", BOTH, |it| without(powerful(root_inside(it)), "seccomp"), &[
        "CapBnd", "CapEff", "CapInh", "CapPrm", "become-root", "bind-mount", "chroot", "fsmount", "fsopen", "fspick", "mount", "mount_setattr",
        "move_mount", "open_tree", "packet-socket", "pivot_root", "raw-socket", "raw-socket-6", "reboot", "remount", "setdomainname", "sethostname",
        "umount", "uncover", "unshare-NEWCGROUP", "unshare-NEWIPC", "unshare-NEWNET", "unshare-NEWNS", "unshare-NEWPID", "unshare-NEWUTS",
        "xdp-socket", "key-socket",
    ]),
    ("one id and no other", BOTH, more_ids, &["become-another", "gain-groups"]),
    ("caps { keep none }", BOTH, |it| it.section("caps", "", &["ambient net_admin"]), &["CapAmb"]),
    ("no user namespace inside, and seccomp", BOTH, |it| without(it, "seccomp").top("sysctl \"user.max_user_namespaces\" = 4"), &["unshare-NEWUSER", "clone-NEWUSER"]),
    ("pid new, net new, ipc new, uts new, cgroup new, time new, mount /proc and mount /dev", BOTH, hosts_namespaces, &[
        "abstract-socket", "devices", "host-loopback", "host-process-visible", "interfaces", "ns-cgroup", "ns-ipc", "ns-net", "ns-pid", "ns-time", "ns-uts",
        "posix-queue", "posix-shared-memory", "proc-interrupts", "proc-keys", "proc-acpi", "proc-asound", "proc-scsi", "secret-of-others",
        "sysv-messages", "sysv-semaphores", "sysv-shared-memory",
    ]),
    ("pid new", USER, hosts_namespaces, &["host-process-signal"]),
    ("pids.max", ROOT, |it| it.drop_line("cgroup", "prefer pids.max"), &["fork-bomb"]),
    ("mnt new", BOTH, |it| it.section("mnt", "host", &[]), &["ns-mnt"]),
    ("a read-only root", BOTH, |it| it.line("mnt", "root = host(rw)"), &["write-tree", "mounts-read-only"]),
    ("hide", BOTH, |it| it.drop_line("mnt", "hide /home").drop_line("mnt", "hide /sys/firmware").drop_line("mnt", "hide /srv/.env"), &[
        "read-hidden", "sys-firmware", "repository-secrets",
    ]),
    ("protect", BOTH, |it| it.drop_line("mnt", "protect"), &["repository-hooks"]),
    ("nosuid", BOTH, |it| it.line("mnt", "mount /srv = bind(./work, rw, suid)"), &["mounts-nosuid"]),
    ("nodev", BOTH, |it| it.line("mnt", "mount /srv = bind(./work, rw, dev)"), &["mounts-nodev"]),
    ("noexec, size", BOTH, |it| it.line("mnt", "mount /tmp = tmpfs(size: 4GiB)"), &["tmp-noexec", "tmp-bounded"]),
    ("mount /proc = proc, and caps { keep none }", BOTH, |it| it.section("user", "new", &["map uid 0 = caller", "map gid 0 = caller", "as = 0"]).section("caps", "", &["keep NET_ADMIN"]).line("mnt", "mount /proc = bind(rw)"), &[
        "proc-write-sys-net-ipv4-ip_forward",
    ]),
    ("descriptors are closed", BOTH, |it| it.top("fd leaked = 8").option("--fd").option("leaked=8"), &["descriptors"]),
    ("variables are those that are named", BOTH, |it| it.top("env NSL_SECRET = inherit"), &["environment"]),
    ("no-new-privs, and seccomp, which cannot be without", BOTH, |it| without(it, "seccomp").top("no-new-privs = false"), &["no-new-privs"]),
    ("user new { map uid 1000 = unprivileged }", ROOT, |it| it.section("user", "new", &["map uid 0 = caller", "map gid 0 = caller", "as = 0"]), &["outer-root"]),
    ("supplementary groups are dropped", ROOT, |it| it.section("user", "new", &["map uid 0 = subid(count: 100)", "map gid 0 = subid(count: 100)", "as = 1", "groups = [7]"]), &[
        "groups-of-the-caller",
    ]),
    ("everything", ROOT, hosts_root, &[
        "ns-user", "host-process-environ", "host-process-fds", "host-process-memory", "host-process-pidfd", "host-process-ptrace", "host-process-read",
        "host-process-root", "host-process-signal", "runtime-program", "acct", "swapon", "swapoff", "settimeofday", "kernel-log", "vhangup", "iopl",
        "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "open_by_handle_at", "by-handle", "device-made", "device-disk", "cgroup-write",
        "sys-write", "proc-kcore", "proc-kmsg", "proc-timer_list", "proc-sched_debug", "proc-latency_stats", "proc-mtrr", "proc-vmcore",
        "proc-write-irq-default_smp_affinity", "proc-write-sys-kernel-core_pattern", "proc-write-sys-kernel-modprobe", "proc-write-sys-vm-drop_caches",
        "proc-write-sysrq-trigger",
    ]),
];

/// What no text takes away: names, who calls, why, and whether the same attempt succeeds where there is no sandbox.
type Always = (&'static [&'static str], &'static [Who], &'static str, bool);

const ALWAYS: &[Always] = &[
    (
        &["init-memory", "init-environ", "init-root", "init-cwd", "init-fds", "init-program", "init-oom-score", "init-ptrace", "setns-of-init"],
        BOTH,
        "the init of a sandbox is not dumpable, and its memory belongs to the namespace that nsl was started in",
        false,
    ),
    (&["caller-keyring"], BOTH, "every program gets a session keyring of its own", true),
    (&["controlling-terminal"], BOTH, "every program gets a session of its own; `tty = new` gives it a terminal of its own", false),
    (&["chroot-escape", "working-directory"], BOTH, "the old root is left by pivot_root(2) and detached, always", false),
    (&["ns-user", "outer-root"], USER, "a user who makes namespaces makes a user namespace, and can map no id of others", true),
    (&["host-process-environ", "host-process-root", "host-process-fds"], USER, "a user namespace has no power over processes of the one around it", true),
    (&["host-process-memory", "host-process-ptrace", "host-process-read", "host-process-pidfd", "runtime-program"], USER, "the same, and Yama may forbid it everywhere", false),
    (&["groups-of-the-caller"], USER, "without setgroups(2) they stay, as nobody's: user_namespaces(7)", false),
    (&["fork-bomb"], USER, "the limit is in a cgroup, and this user has none", false),
    (
        &[
            "acct", "swapon", "swapoff", "settimeofday", "kernel-log", "vhangup", "iopl", "init_module", "finit_module", "delete_module", "kexec_load",
            "kexec_file_load", "open_by_handle_at", "by-handle", "device-made",
        ],
        USER,
        "the kernel wants a capability of the host, which no sandbox of a user has",
        false,
    ),
    (
        &[
            "cgroup-write", "sys-write", "device-disk", "proc-kcore", "proc-kmsg", "proc-timer_list", "proc-sched_debug", "proc-latency_stats", "proc-mtrr", "proc-vmcore",
            "proc-write-irq-default_smp_affinity", "proc-write-sys-kernel-core_pattern", "proc-write-sys-kernel-modprobe", "proc-write-sys-vm-drop_caches",
            "proc-write-sysrq-trigger",
        ],
        USER,
        "on the host these are root's files alone",
        false,
    ),
];

/// What a kernel may lack, or a host refuse to its root: where such an attempt fails without a rule, it must fail without a sandbox too.
const OF_SOME_HOSTS: &[&str] = &[
    "abi-i386", "abi-x32", "acct", "add_key", "alg-socket", "bluetooth-socket", "bpf", "cgroup-write", "delete_module", "device-disk", "device-made",
    "fanotify_init", "finit_module", "init_module", "interfaces", "io_uring_enter", "io_uring_register", "io_uring_setup", "iopl", "kcmp", "kernel-log",
    "kexec_file_load", "kexec_load", "key-socket", "keyctl", "modify_ldt", "netlink-audit", "netlink-netfilter", "packet-socket", "perf_event_open", "proc-acpi",
    "proc-asound", "proc-interrupts", "proc-kcore", "proc-keys", "proc-kmsg", "proc-latency_stats", "proc-mtrr", "proc-sched_debug", "proc-scsi",
    "proc-timer_list", "proc-vmcore", "proc-write-irq-default_smp_affinity", "proc-write-sys-kernel-core_pattern", "proc-write-sys-kernel-modprobe",
    "proc-write-sys-vm-drop_caches", "proc-write-sysrq-trigger", "quotactl", "request_key", "settimeofday", "swapoff", "swapon", "sys-firmware",
    "sys-write", "userfaultfd", "vhangup", "vsock", "xdp-socket",
];

both! {
    fn the_strong_one_holds_everything(who) {
        let outside = outside(who);
        let answers = outside.attack(strong(who), &[]);
        let broken = broken(&answers);
        let expected: &[&str] = if who == Who::User { &["fork-bomb"] } else { &[] };
        assert!(broken.iter().eq(expected), "{:#?}", broken.iter().map(|it| (it, &answers[*it])).collect::<Vec<_>>());
    }

    /// Each attempt succeeds where the rule is missing that holds it.
    fn each_can_fail(who) {
        let outside = outside(who);
        let mut wrong = Vec::new();
        for (missing, _, weaken, names) in WEAK.iter().filter(|it| it.1.contains(&who)) {
            let answers = outside.attack(weaken(strong(who)), names);
            let done = broken(&answers);
            let mut held: Vec<&str> = names.iter().copied().filter(|it| !done.contains(it)).collect();
            let excused: Vec<&str> = held.iter().copied().filter(|it| OF_SOME_HOSTS.contains(it)).collect();
            if !excused.is_empty() {
                let here = outside.attack_here(who, &excused);
                let here = broken(&here);
                held.retain(|it| !excused.contains(it) || here.contains(it));
            }
            wrong.extend(held.iter().map(|it| format!("{it} is held without {missing}: {:?}", answers[*it])));
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    /// And what is held by no rule at all is known, with the reason; where it can be shown, it succeeds in no sandbox.
    fn none_is_without_proof(who) {
        let proved = WEAK.iter().filter(|it| it.1.contains(&who)).flat_map(|it| it.3);
        let always = ALWAYS.iter().filter(|it| it.1.contains(&who)).flat_map(|it| it.0);
        let mut names: Vec<&str> = proved.chain(always).copied().collect();
        names.sort_unstable();
        let all = all();
        let twice: Vec<_> = names.windows(2).filter(|it| it[0] == it[1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
        let difference: Vec<_> = all.iter().filter(|it| !names.contains(&it.as_str())).collect();
        assert!(names.iter().all(|it| all.contains(*it)) && difference.is_empty(), "without proof: {difference:?}");
        let shown: Vec<&str> = ALWAYS.iter().filter(|it| it.1.contains(&who) && it.3).flat_map(|it| it.0).copied().collect();
        let here = outside(who).attack_here(who, &shown);
        assert_eq!(broken(&here), shown.into_iter().collect(), "{here:#?}");
    }
}

fn outside(who: Who) -> Outside {
    let mut outside = Outside::new(who);
    outside.facts["work"] = "/srv".into();
    outside.facts["writable"] = serde_json::json!(["/srv"]);
    outside
}
