//! What every profile of the standard library holds, and what it grants by intention.

use super::*;

/// An attempt that a profile does not hold, on purpose: names, who calls, why. It is asserted that it succeeds there.
type Granted = (&'static [&'static str], &'static [Who], &'static str);

const BOTH: &[Who] = &[Who::Root, Who::User];
const USER: &[Who] = &[Who::User];

const TIME: Granted = (&["ns-time"], BOTH, "a time namespace hides when the host was started, and nothing else");
const TEMPORARY: Granted = (&["tmp-noexec"], BOTH, "builds and window systems execute what they have made in /tmp");
const NO_CGROUP: Granted = (&["fork-bomb"], USER, "the limit is a preference, and this user has no cgroup");

struct Profile {
    /// Lines before the body, with the work tree of the stage in the place of TREE.
    head: &'static str,
    body: &'static str,
    /// Where the caller is a user.
    of_user: &'static str,
    /// How many processes the policy allows.
    tasks: u32,
    granted: &'static [Granted],
}

const PROFILES: &[(&str, Profile)] = &[
    (
        "service",
        Profile {
            head: "use std/service\nsandbox t with service.hardened",
            body: "",
            of_user: "",
            tasks: 64,
            granted: &[
                TIME,
                NO_CGROUP,
                (
                    &["read-hidden", "sys-firmware"],
                    BOTH,
                    "a service reads the host's files, as far as permissions allow",
                ),
            ],
        },
    ),
    (
        "untrusted",
        Profile {
            head: "use std/untrusted\nsandbox t with untrusted.contained(wall: 10min)",
            body: "",
            of_user: "cgroup new {\n    prefer memory.max = 256MiB\n    prefer memory.swap.max = 0B\n    prefer pids.max = 64\n    prefer cpu.max = 100%\n  }",
            tasks: 64,
            granted: &[NO_CGROUP],
        },
    ),
    (
        "tool",
        Profile {
            head: "use std/tool\nsandbox t with tool.filter(wall: 10min)",
            body: "",
            of_user: "",
            tasks: 64,
            granted: &[TIME, NO_CGROUP],
        },
    ),
    (
        "build",
        Profile {
            head: "use std/build\nsandbox t with build.workspace(tree: ./work, tasks: 64)",
            body: "",
            of_user: "",
            tasks: 64,
            granted: &[TIME, NO_CGROUP, TEMPORARY, (&["repository-secrets"], BOTH, "a build may need its settings")],
        },
    ),
    (
        "agent",
        Profile {
            head: "use std/agent\nsandbox t with agent.confined(tree: ./work, tasks: 64)",
            body: "",
            of_user: "",
            tasks: 64,
            granted: &[TIME, NO_CGROUP, TEMPORARY],
        },
    ),
    (
        "desktop",
        Profile {
            head: "use std/desktop\nsandbox t with desktop.application(writable: [./work]), desktop.sound, desktop.gpu",
            body: "",
            of_user: "",
            tasks: 512,
            granted: &[
                TIME,
                NO_CGROUP,
                TEMPORARY,
                (&["repository-hooks", "repository-secrets"], BOTH, "what `writable` names is written and read"),
            ],
        },
    ),
    (
        "docker",
        Profile {
            head: "use std/docker\nsandbox t with docker.container(image: /)",
            // The image is the host's tree, read-only, which has what the battery needs.
            body: "mnt new { root = host(ro) }",
            of_user: "",
            tasks: 64,
            granted: &[
                TIME,
                (
                    &["CapInh", "CapPrm", "CapEff", "CapBnd", "become-root", "become-another", "gain-groups", "chroot"],
                    BOTH,
                    "root of a container, over its own ids",
                ),
                (&["packet-socket", "raw-socket", "raw-socket-6", "xdp-socket"], BOTH, "NET_RAW, over its own network"),
                (&["netlink-audit", "netlink-netfilter", "netlink-uevent"], BOTH, "Docker refuses no family but VSOCK"),
                (
                    &["adjtimex", "clock_adjtime", "modify_ldt", "process_vm_readv", "process_vm_writev", "ptrace"],
                    BOTH,
                    "Docker allows these calls: they ask, or are about one's own processes",
                ),
                (&["fork-bomb"], BOTH, "Docker sets no limit where none is named"),
                (
                    &["read-hidden", "repository-secrets", "tmp-bounded"],
                    BOTH,
                    "the image of this test is the host's tree",
                ),
            ],
        },
    ),
];

/// What not every host has: what is granted by intention may be missing.
const OF_SOME_HOSTS: &[&str] = &[
    "alg-socket",
    "xdp-socket",
    "key-socket",
    "bluetooth-socket",
    "netlink-audit",
    "netlink-netfilter",
    "modify_ldt",
    "packet-socket",
    "sys-firmware",
    "tmp-bounded",
];

both! {
    fn of_the_library(who) {
        let mut outside = Outside::new(who);
        let all = all();
        let mut wrong = Vec::new();
        for (name, profile) in PROFILES {
            let stage = Stage::new(who).folder("work").folder("work/.git").folder("work/.git/hooks").file("work/.env", 0o644, "secret\n");
            let more = if who == Who::User { profile.of_user } else { "" };
            let text = format!("{} {{\n  {}\n  {more}\n}}\n", profile.head, profile.body);
            outside.facts["tasks"] = profile.tasks.into();
            outside.facts["work"] = stage.path("work").display().to_string().into();
            outside.facts["writable"] = serde_json::json!([stage.path("work")]);
            // Half a thousand processes are too many for an emulated machine.
            let is_spared = |it: &&str| stage::in_vm() && profile.tasks > 64 && *it == "fork-bomb";
            let names: Vec<&str> = all.iter().map(String::as_str).filter(|it| !is_spared(it)).collect();
            let answers = outside.attack(stage.with_text(&text), &names);
            assert!(answers.keys().eq(&names), "{name}: {answers:#?}");
            let granted = profile.granted.iter().filter(|it| it.1.contains(&who)).flat_map(|it| it.0).copied();
            let granted: BTreeSet<&str> = granted.filter(|it| !is_spared(it)).collect();
            let broken = broken(&answers);
            let differ = broken.symmetric_difference(&granted).filter(|it| broken.contains(*it) || !OF_SOME_HOSTS.contains(it));
            wrong.extend(differ.map(|it| format!("{name}, {it}: {:?}", answers[*it])));
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

}
