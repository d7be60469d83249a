//! Cases of the checker about what the program is given: how it is scheduled, and what it inherits.

use super::host::{Case, user};
use crate::plan::{root_on_v1, user_on_v2};

pub(super) const CASES: &[Case] = &[
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
