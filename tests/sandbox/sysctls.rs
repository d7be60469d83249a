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

    fn queues_and_shared_memory(who) {
        // Before Linux 6.10 only the host's root may write these, and since then root of the namespace, which the host's is not
        // before it has become one of the ids inside.
        let prefer = if stage::in_vm() || who == Who::Root { "prefer " } else { "" };
        let root = ["map uid 0 = unprivileged", "map gid 0 = unprivileged", "as = 0"];
        let stage = Stage::new(who).section("user", "new", &root).top(&format!("{prefer}sysctl \"kernel.sem\" = \"250 32000 32 99\"")).top(&format!("{prefer}sysctl \"fs.mqueue.queues_max\" = 7"));
        let out = stage.sh("tr '\\t' ' ' </proc/sys/kernel/sem; cat /proc/sys/fs/mqueue/queues_max").out();
        assert!(!prefer.is_empty() || out == "250 32000 32 99\n7", "{out}");
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
