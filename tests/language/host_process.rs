//! Cases of the checker about what the program is given: how it is scheduled, what it inherits, its label, and what is mounted later.

use nsl::host::{HostFacts, Kernel, PathFact, PathKind};

use super::host::{Case, path, user, with_path};
use crate::plan::{root_on_v1, user_on_v2};

fn profiles(loaded: &[(&str, &str)]) -> HostFacts {
    let mut facts = root_on_v1();
    facts.security.apparmor = Some(true);
    facts.security.profiles = Some(loaded.iter().map(|(name, mode)| (name.to_string(), mode.to_string())).collect());
    facts
}

pub(super) const CASES: &[Case] = &[
    Case {
        code: "label-module-missing",
        name: "apparmor",
        body: "user new\n  apparmor = \"web\"",
        host: || user(|it| it.security.apparmor = Some(false)),
    },
    Case {
        code: "label-module-missing",
        name: "selinux",
        body: "user new\n  selinux = \"u:r:t:s0\"",
        host: || user(|it| it.security.selinux = Some(false)),
    },
    Case {
        code: "-",
        name: "preferred-label",
        body: "user new\n  prefer apparmor = \"web\"",
        host: || user(|it| it.security.apparmor = Some(false)),
    },
    Case {
        code: "apparmor-not-loaded",
        name: "web",
        body: "apparmor = \"web\"\n  user new",
        host: || profiles(&[("other", "enforce")]),
    },
    Case {
        code: "label-not-enforced",
        name: "complain",
        body: "apparmor = \"web\"\n  user new",
        host: || profiles(&[("web", "complain")]),
    },
    Case {
        code: "-",
        name: "enforced",
        body: "apparmor = \"web\"\n  user new",
        host: || profiles(&[("web", "enforce")]),
    },
    Case {
        code: "label-not-enforced",
        name: "permissive",
        body: "user new\n  selinux = \"u:r:t:s0\"",
        host: || user(|it| (it.security.selinux, it.security.selinux_enforcing) = (Some(true), Some(false))),
    },
    Case {
        code: "propagation-private",
        name: "slave",
        body: "user new\n  mnt new {\n    mount /bin = bind\n    mount /media = bind(ro, propagation: slave)\n  }",
        host: || with_path("/media", PathFact { propagation: "private".into(), ..path(PathKind::Dir) }),
    },
    Case {
        code: "-",
        name: "slave-of-a-slave",
        body: "user new\n  mnt new {\n    mount /bin = bind\n    mount /media = bind(ro, propagation: slave)\n  }",
        host: || with_path("/media", PathFact { propagation: "slave".into(), ..path(PathKind::Dir) }),
    },
    Case {
        code: "propagation-private",
        name: "shared-of-a-slave",
        body: "mnt new {\n    mount /bin = bind\n    mount /media = bind(rw, propagation: shared)\n  }",
        host: || with_path("/media", PathFact { propagation: "slave".into(), ..path(PathKind::Dir) }),
    },
    Case { code: "nice-not-permitted", name: "user", body: "user new\n  nice = -1", host: user_on_v2 },
    Case { code: "-", name: "nicer", body: "user new\n  nice = 1\n  oom-score-adj = 10", host: user_on_v2 },
    Case { code: "-", name: "preferred-nice", body: "user new\n  prefer nice = -1", host: user_on_v2 },
    Case { code: "-", name: "nice-of-root", body: "nice = -20\n  oom-score-adj = -1000", host: root_on_v1 },
    Case {
        code: "-",
        name: "nice-within-the-limit",
        body: "user new\n  nice = -5\n  scheduling = fifo(priority: 4)",
        host: || user(|it| (it.process.nice_limit, it.process.rtprio_limit) = (Some(25), Some(4))),
    },
    Case {
        code: "nice-not-permitted",
        name: "root-of-a-container",
        body: "user new\n  nice = -5",
        host: || user(|it| (it.caller.capabilities, it.caller.initial_userns) = (vec!["sys_nice".into()], false)),
    },
    Case {
        code: "scheduling-not-permitted",
        name: "rr",
        body: "user new\n  scheduling = rr(priority: 1)",
        host: user_on_v2,
    },
    Case {
        code: "scheduling-without-runtime",
        name: "own-cgroup",
        body: "scheduling = fifo(priority: 1)\n  user new\n  cgroup new {\n    cpu.max = 50%\n  }",
        host: || {
            let mut facts = root_on_v1();
            facts.process.rt_runtime = Some(950_000);
            facts
        },
    },
    Case {
        code: "scheduling-without-runtime",
        name: "callers-cgroup",
        body: "scheduling = fifo(priority: 1)\n  user new",
        host: || {
            let mut facts = root_on_v1();
            facts.process.rt_runtime = Some(0);
            facts
        },
    },
    Case {
        code: "sysctl-without-root",
        name: "user",
        body: "sysctl \"kernel.sem\" = \"250 32000 32 99\"\n  user new {\n    map uid 1000 = unprivileged\n    map gid 1000 = unprivileged\n  }\n  ipc new",
        host: user_on_v2,
    },
    Case {
        code: "sysctl-of-hosts-root",
        name: "user",
        body: "sysctl \"fs.mqueue.queues_max\" = 7\n  user new {\n    map uid 0 = unprivileged\n    map gid 0 = unprivileged\n  }\n  ipc new",
        host: || user(|it| it.kernel = Kernel { release: "6.9.0".into(), version: (6, 9), arch: "x86_64".into() }),
    },
    Case {
        code: "-",
        name: "preferred-sysctl",
        body: "prefer sysctl \"kernel.sem\" = \"250 32000 32 99\"\n  user new {\n    map uid 1000 = unprivileged\n    map gid 1000 = unprivileged\n  }\n  ipc new",
        host: user_on_v2,
    },
    Case {
        code: "-",
        name: "sysctl-of-root",
        body: "sysctl \"kernel.sem\" = \"250 32000 32 99\"\n  user new {\n    map uid 1000 = unprivileged\n    map gid 1000 = unprivileged\n  }\n  ipc new",
        host: root_on_v1,
    },
    Case { code: "ionice-not-permitted", name: "user", body: "user new\n  ionice = realtime", host: user_on_v2 },
    Case { code: "oom-score-not-permitted", name: "user", body: "user new\n  oom-score-adj = -1", host: user_on_v2 },
    Case { code: "cpu-missing", name: "fifth", body: "user new\n  cpu-affinity = \"2-4\"", host: user_on_v2 },
    Case {
        code: "core-scheduling-missing",
        name: "one-thread",
        body: "user new\n  core-scheduling = own",
        host: || user(|it| it.process.core_scheduling = nsl::host::CoreScheduling::NoSmt),
    },
    Case {
        code: "core-scheduling-missing",
        name: "old-kernel",
        body: "user new\n  core-scheduling = own",
        host: || user(|it| it.process.core_scheduling = nsl::host::CoreScheduling::NotBuilt),
    },
];
