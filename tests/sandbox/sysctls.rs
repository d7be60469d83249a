//! Kernel parameters of a sandbox's own namespaces, and user namespaces inside.

use super::*;

both! {
    fn parameters_are_those_of_the_sandbox(who) {
        let stage = Stage::new(who).top("sysctl \"net.ipv4.ip_forward\" = 1").top("sysctl \"net.ipv4.ip_local_port_range\" = \"20000 30000\"");
        let stage = stage.top("sysctl \"net.ipv4.conf.lo.rp_filter\" = 2");
        let before = std::fs::read_to_string("/proc/sys/net/ipv4/ip_forward").expect("a kernel with IPv4");
        let out = stage.sh("cd /proc/sys/net/ipv4; cat ip_forward conf/lo/rp_filter; tr '\\t' ' ' <ip_local_port_range").out();
        assert_eq!(out, "1\n2\n20000 30000");
        assert_eq!(std::fs::read_to_string("/proc/sys/net/ipv4/ip_forward").expect("it is there"), before);
    }

    /// They belong to uid 0 inside, which nobody is before the program runs; and where no uid 0 is mapped, to the host's.
    fn queues_and_shared_memory(who) {
        let lines = ["sysctl \"kernel.sem\" = \"250 32000 32 99\"", "sysctl \"fs.mqueue.queues_max\" = 7"];
        let stage = || lines.iter().fold(Stage::new(who), |stage, line| stage.top(line));
        let script = "tr '\\t' ' ' </proc/sys/kernel/sem; cat /proc/sys/fs/mqueue/queues_max; echo $(id -u)";
        // Before Linux 6.10, and what of that went into older ones, only the host's root may write these.
        let check = |outcome: Outcome, uid: u32, is_mapped: bool| match outcome.code() {
            2 if who == Who::User && !is_mapped => drop(outcome.says("nsl::sysctl-without-root").says("add `map uid 0")),
            125 if who == Who::User && kernel() < (6, 10) => drop(outcome.says("nsl::sysctl-failed").says("nsl::sysctl-of-hosts-root")),
            _ => assert_eq!(outcome.out(), format!("250 32000 32 99\n7\n{uid}")),
        };
        for uid in [0, 1000] {
            let lines = [format!("map uid {uid} = unprivileged"), format!("map gid {uid} = unprivileged"), format!("as = {uid}")];
            check(stage().section("user", "new", &lines.each_ref().map(String::as_str)).sh(script), uid, uid == 0);
        }
        if who == Who::User && !stage::have("newuidmap") {
            return skip("sandbox::sysctls::queues_and_shared_memory", "newuidmap is not installed");
        }
        let more = ["map uid 0 = subid(count: 100)", "map gid 0 = subid(count: 100)", "as = 33"];
        check(stage().section("user", "new", &more).sh(script), 33, true);
    }

    /// What the check refuses, tried all the same.
    fn queues_without_root_are_refused_by_the_kernel(who) {
        let stage = Stage::new(who).section("user", "new", &["map uid 1000 = unprivileged", "map gid 1000 = unprivileged"]);
        let outcome = stage.top("prefer sysctl \"kernel.sem\" = \"250 32000 32 99\"").sh("echo ran");
        outcome.ends(0);
        if who == Who::User {
            outcome.says("not in force");
        }
    }

    fn what_the_kernel_refuses_is_told(who) {
        for (line, what) in [("sysctl \"net.ipv4.no_such_thing\" = 1", "ENOENT"), ("sysctl \"net.ipv4.ping_group_range\" = \"words\"", "EINVAL")] {
            let stage = Stage::new(who).top(line);
            let outcome = stage.sh("echo ran");
            assert_eq!(outcome.bytes(), b"");
            outcome.ends(125).says("nsl::sysctl-failed").says(what).says(&stage.place(line));
            Stage::new(who).top(&format!("prefer {line}")).sh("echo ran").ends(0).says("not in force");
        }
    }

    /// Whoever makes a user namespace has every capability in it, and so a large part of the kernel to attack.
    fn no_user_namespace_inside_unless_granted(who) {
        let program = "import ctypes,os; libc = ctypes.CDLL(None, use_errno=True); print(libc.unshare(0x10000000), os.strerror(ctypes.get_errno()))";
        assert_eq!(Stage::new(who).python(program).out(), "-1 No space left on device");
        let granted = Stage::new(who).top("sysctl \"user.max_user_namespaces\" = 1");
        assert_eq!(granted.python(program).out(), "0 Success");
    }
}

/// The version of this kernel.
fn kernel() -> (u32, u32) {
    let text = std::fs::read_to_string("/proc/sys/kernel/osrelease").expect("proc is mounted");
    let mut parts = text.split(|it: char| !it.is_ascii_digit()).map_while(|it| it.parse().ok());
    (parts.next().expect("a number"), parts.next().expect("a number"))
}
