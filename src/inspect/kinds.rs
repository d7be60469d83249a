//! What each kind of namespace is: for people who learn, and for one sentence where two processes differ.

/// One kind.
pub struct Kind {
    /// Its word in the language and its file in /proc/PID/ns.
    pub name: &'static str,
    /// What it means that two processes share one.
    pub shared: &'static str,
    /// What it means that they do not.
    pub apart: &'static str,
    /// The page of `nsl ns explain`.
    pub page: &'static str,
}

/// All eight.
pub const KINDS: [Kind; 8] = [
    Kind {
        name: "user",
        shared: "an id is the same user for both, and a capability reaches as far",
        apart: "ids are translated, and capabilities of the one are worth nothing in what the other's namespace owns",
        page: "A user namespace (CLONE_NEWUSER, Linux 3.8) has user and group ids of its own, translated by a map to those outside, and capabilities of its own: who makes one has all of them inside, and none outside. It is the only kind that needs no privilege to make (unless the host restricts it: `nsl doctor`), and it is what makes the others possible without root: every other namespace is owned by a user namespace, and only capabilities in the owner count there.\n\nAn id that no line of the map has shows up as 65534. Which ids may be mapped is up to the one who writes the map: oneself alone, a range of /etc/subuid through newuidmap, or anything for root. Before a group map is written without privilege, setgroups(2) is denied.\n\nIt does not hide anything: files, processes and the network stay visible. In a policy: `user new { map uid 0 = subid(count: 65536) }`. Manual: user_namespaces(7).",
    },
    Kind {
        name: "mnt",
        shared: "both see the same mounts, and what one mounts the other sees",
        apart: "each has its own tree of mounts: a path may be another file for the other",
        page: "A mount namespace (CLONE_NEWNS, Linux 2.4.19, the first of all) has a tree of mounts of its own: what is mounted in it is not seen outside, and with pivot_root(2) its `/` can be another directory altogether. A new one begins as a copy of the old one; mounts go on to spread between them where they are `shared`, so that a sandbox makes all of them private first.\n\nIt does not protect what stays visible: a file that is mounted in both is one file. In a policy: `mnt new { root = empty; mount /usr = bind(ro) }`. Manual: mount_namespaces(7).",
    },
    Kind {
        name: "pid",
        shared: "both can name, and signal if their ids allow it, the same processes",
        apart: "a process id means another process, and what only the other's namespace holds cannot be named, signalled or traced",
        page: "A PID namespace (CLONE_NEWPID, Linux 2.6.24) numbers processes anew, from 1. Its processes see no others; the namespaces outside of it see them, under other numbers. Process 1 adopts orphans, takes no signal that it has no handler for, and when it ends the kernel kills everything in the namespace: nothing is left.\n\nThe namespace is that of the children: who calls unshare(2) stays where it was. /proc shows the namespace of who mounted it, so a new one is needed with it. In a policy: `pid new { init = true }` and `mount /proc = proc`. Manual: pid_namespaces(7).",
    },
    Kind {
        name: "net",
        shared: "both have the same interfaces, addresses, ports and firewall, and reach each other on 127.0.0.1",
        apart: "each has its own interfaces, addresses, ports and firewall: 127.0.0.1 is not the same place",
        page: "A network namespace (CLONE_NEWNET, Linux 2.6.29) has interfaces, addresses, routes, firewall rules, ports and abstract UNIX sockets of its own. A new one has a loopback interface that is down, and nothing else: it reaches nobody. A socket stays in the namespace in which it was made, whoever uses it: that is how a published port works without privilege.\n\nUNIX sockets by path belong to the mount namespace, not to this one. In a policy: `net new { publish 8080/tcp = 8000/tcp }`. Manual: network_namespaces(7).",
    },
    Kind {
        name: "ipc",
        shared: "both use the same System V shared memory, semaphores and message queues",
        apart: "System V IPC and POSIX message queues of the one do not exist for the other",
        page: "An IPC namespace (CLONE_NEWIPC, Linux 2.6.19) has System V shared memory, semaphores and message queues, and POSIX message queues, of its own. POSIX shared memory is files in /dev/shm, and so a matter of the mount namespace.\n\nIn a policy: `ipc new`. Manual: ipc_namespaces(7).",
    },
    Kind {
        name: "uts",
        shared: "both have the same host name",
        apart: "each has a host name and a NIS domain name of its own",
        page: "A UTS namespace (CLONE_NEWUTS, Linux 2.6.19; the name is that of a structure of uname(2)) has a host name and a NIS domain name of its own. Changing them takes CAP_SYS_ADMIN in its owner.\n\nIn a policy: `uts new { hostname = \"web\" }`. Manual: uts_namespaces(7).",
    },
    Kind {
        name: "cgroup",
        shared: "both see cgroups from the same root",
        apart: "each sees another cgroup as the root; it says nothing about which limits hold",
        page: "A cgroup namespace (CLONE_NEWCGROUP, Linux 4.6) changes what /proc/PID/cgroup and a new mount of the cgroup file system show as the root: the cgroup in which the process was when the namespace was made. It hides the host's layout. It limits nothing: limits are those of the cgroup that the process is in, whatever its namespace.\n\nIn a policy: `cgroup new { memory.max = 128MiB }`. Manual: cgroup_namespaces(7).",
    },
    Kind {
        name: "time",
        shared: "both read the same monotonic and boot-time clocks",
        apart: "the monotonic and boot-time clocks may differ by an offset; the calendar clock is the same for all",
        page: "A time namespace (CLONE_NEWTIME, Linux 5.6) adds offsets to the monotonic and the boot-time clock: a process that was moved from another machine goes on counting, and a sandbox does not learn when its host was started. The calendar clock (CLOCK_REALTIME) is the same everywhere.\n\nThe offsets are written before the first process enters, and the namespace is that of the children. In a policy: `time new { boottime = 1d }`. Manual: time_namespaces(7).",
    },
];

/// The kind of this name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|it| it.name == name)
}
