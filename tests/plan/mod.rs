//! Plans as data, for hosts that are written down: no privilege is needed, and no plan depends on where the test runs.
//!
//! `NSL_BLESS=1` rewrites the snapshots beside this file.

use std::collections::BTreeMap;
use std::path::Path;

use nsl::host::{
    Caller, CgroupTree, Cgroups, CoreScheduling, HostFacts, IdRange, Kernel, ProcessFacts, UserNamespaces,
};
use nsl::plan::{Action, Options, Plan};
use nsl::policy::NsKind;
use nsl::resolve::Inputs;
use nsl::source::Disk;

/// A host with every feature, and root on it: cgroup v1 for the controllers, as older hosts have them.
pub fn root_on_v1() -> HostFacts {
    let tree = |controller: &str| CgroupTree {
        mount: format!("/sys/fs/cgroup/{controller}"),
        own: "/".into(),
        controllers: vec![controller.into()],
        enabled: Vec::new(),
        writable: true,
    };
    let v1 = ["memory", "pids", "cpu"].map(|it| (it.to_string(), tree(it))).into();
    facts(0, Cgroups { v2: None, v1 })
}

/// The same host for an ordinary user, with cgroup v2 and nothing delegated.
pub fn user_on_v2() -> HostFacts {
    let v2 = CgroupTree {
        mount: "/sys/fs/cgroup".into(),
        own: "/user.slice/user-1000.slice/session-1.scope".into(),
        controllers: vec!["memory".into(), "pids".into()],
        enabled: Vec::new(),
        writable: false,
    };
    facts(1000, Cgroups { v2: Some(v2), v1: BTreeMap::new() })
}

fn facts(uid: u32, cgroups: Cgroups) -> HostFacts {
    let capabilities = match uid {
        0 => {
            ["sys_admin", "setuid", "setgid", "net_bind_service", "sys_resource", "sys_nice"].map(String::from).to_vec()
        }
        _ => Vec::new(),
    };
    HostFacts {
        name: "a host".into(),
        kernel: Kernel { release: "6.12.0".into(), version: (6, 12), arch: "x86_64".into() },
        caller: Caller {
            uid,
            gid: uid,
            groups: vec![uid],
            user: if uid == 0 { "root".into() } else { "ann".into() },
            home: if uid == 0 { "/root".into() } else { "/home/ann".into() },
            capabilities,
            initial_userns: true,
            chroot: false,
            setgroups_denied: false.into(),
            subuid: vec![IdRange { start: 100_000, count: 65536 }].into(),
            subgid: vec![IdRange { start: 100_000, count: 65536 }].into(),
        },
        userns: UserNamespaces { max: 10_000, clone_disabled: false, apparmor_restricted: false, filtered: false },
        namespaces: NsKind::ALL.to_vec(),
        cgroups: cgroups.into(),
        landlock_abi: 6.into(),
        seccomp_actions: vec!["allow".into(), "errno".into()].into(),
        net_admin: false.into(),
        mount_admin: Some(uid == 0),
        tun: true.into(),
        forwards: None.into(),
        interfaces: vec![].into(),
        proc_masked: Vec::new(),
        unprivileged_port_start: 1024.into(),
        hard_limits: BTreeMap::new().into(),
        security: Default::default(),
        process: ProcessFacts {
            nice_limit: Some(0),
            rtprio_limit: Some(0),
            cpus: vec![0, 1, 2, 3],
            core_scheduling: CoreScheduling::Yes,
            ..ProcessFacts::default()
        }
        .into(),
        uptime: 1_000_000.into(),
        versions: BTreeMap::new(),
        nftables: None,
        helpers: BTreeMap::from([
            ("newuidmap".to_string(), "/usr/bin/newuidmap".to_string()),
            ("newgidmap".to_string(), "/usr/bin/newgidmap".to_string()),
        ])
        .into(),
        service_manager: None.into(),
        cgroup_parent: None,
        mount_pins: Vec::new(),
        name_search: Default::default(),
        paths: BTreeMap::new(),
        joinable: BTreeMap::new(),
    }
}

/// The plan of the one sandbox of a text that lies in `/policies`, and the lines that people see of it.
fn plan_of(text: &str, facts: &HostFacts, set: &[(&str, &str)]) -> (Plan, String) {
    let params = set.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let inputs =
        Inputs { params, cwd: "/policies".into(), caller: nsl::caller_names(facts), open: false, ..Inputs::default() };
    let loaded = nsl::load_text("/policies/test.nsl", text.to_string(), &inputs, &Disk);
    let errors: Vec<_> = nsl::findings(&loaded).into_iter().filter(|it| it.is_error()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let sandbox = nsl::select_sandbox(&loaded, None).unwrap();
    let plan = nsl::plan::plan(sandbox, facts, &Options::default()).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let text = nsl::plan::print(&plan, &loaded.files);
    (plan, text)
}

fn snapshot(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plan").join(name);
    if std::env::var_os("NSL_BLESS").is_some() {
        std::fs::write(&path, found).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == found, "{name} differs; NSL_BLESS=1 takes this over:\n{found}");
}

fn policy(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)).unwrap()
}

#[test]
fn web_as_root() {
    snapshot("web-root.txt", &plan_of(&policy("web.nsl"), &root_on_v1(), &[]).1);
}

#[test]
fn web_as_user() {
    snapshot("web-user.txt", &plan_of(&policy("web.nsl"), &user_on_v2(), &[]).1);
}

#[test]
fn untrusted_as_root() {
    snapshot("untrusted-root.txt", &plan_of(&policy("untrusted.nsl"), &root_on_v1(), &[("input", "./job.py")]).1);
}

/// Files are made before anything else, and pinned when the namespaces are complete. What is preferred and not permitted is told.
#[test]
fn what_is_kept() {
    let text = "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  net new {\n    prefer keep /run/netns/a\n    deny in *\n  }\n  time new {\n    boottime = 1d\n    \
                prefer keep ./a.time\n  }\n}\n";
    let (plan, shown) = plan_of(text, &root_on_v1(), &[]);
    snapshot("keep-root.txt", &shown);
    assert_eq!(serde_json::from_str::<Plan>(&serde_json::to_string(&plan).unwrap()).unwrap(), plan);
    let (plan, shown) = plan_of(text, &user_on_v2(), &[]);
    assert!(!shown.contains("pin") && plan.degraded.len() == 2, "{shown}");
}

/// The kernel moves no tree in which a mount namespace is pinned; that of the child is made without.
#[test]
fn a_tree_with_a_pinned_mount_namespace_is_copied_by_the_child() {
    let text = "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = host(ro)\n    mount /a = bind(/run/ns)\n    mount /b = bind(/run/n)\n    \
                mount /c = bind(/run, recursive: false)\n  }\n}\n";
    let mut facts = root_on_v1();
    let of_child = |facts: &HostFacts| -> Vec<bool> {
        let (plan, _) = plan_of(text, facts, &[]);
        let copied = plan.steps.iter().filter_map(|step| match step.action {
            Action::OpenSource { in_child, .. } => Some(in_child),
            _ => None,
        });
        copied.collect()
    };
    assert_eq!(of_child(&facts), [false; 4]);
    facts.mount_pins = vec!["/run/ns/b".into()];
    assert_eq!(of_child(&facts), [true, true, false, false]);
}

#[test]
fn the_same_text_gives_the_same_plan_and_json_keeps_it() {
    let (first, _) = plan_of(&policy("web.nsl"), &root_on_v1(), &[]);
    let (second, _) = plan_of(&policy("web.nsl"), &root_on_v1(), &[]);
    let json = serde_json::to_string(&first).unwrap();
    assert_eq!(json, serde_json::to_string(&second).unwrap());
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), first);
}

#[test]
fn a_required_limit_that_cannot_be_had_is_refused_and_a_preferred_one_is_told() {
    let text = |strength: &str| {
        format!(
            "sandbox a {{\n  run = [\"/bin/true\"]\n  user new\n  cgroup new {{\n    {strength}memory.max = 64MiB\n  }}\n}}\n"
        )
    };
    let facts = user_on_v2();
    let (plan, _) = plan_of(&text("prefer "), &facts, &[]);
    assert_eq!(plan.degraded.len(), 1);
    assert_eq!(plan.degraded[0].key, "cgroup.memory.max");
    let inputs = Inputs { cwd: "/policies".into(), ..Inputs::default() };
    let loaded = nsl::load_text("/policies/test.nsl", text(""), &inputs, &Disk);
    let refused =
        nsl::plan::plan(nsl::select_sandbox(&loaded, None).unwrap(), &facts, &Options::default()).unwrap_err();
    assert_eq!(refused[0].code, "cgroup-not-delegated");
}

#[test]
fn the_filter_is_the_last_step_before_the_program_and_no_step_remounts_a_superblock() {
    let (plan, text) = plan_of(&policy("web.nsl"), &root_on_v1(), &[]);
    let actions: Vec<&Action> = plan.steps.iter().map(|step| &step.action).collect();
    assert!(matches!(actions[actions.len() - 2..], [Action::InstallFilter(_), Action::Exec { .. }]));
    assert!(!text.contains("remount"));
}

#[test]
fn ids_of_an_unprivileged_user_are_its_own_and_of_root_are_nobodys() {
    let text = "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n}\n";
    let outside = |facts: &HostFacts| {
        let (plan, _) = plan_of(text, facts, &[]);
        plan.steps.into_iter().find_map(|step| match step.action {
            Action::MapUids(map) => Some(map.lines[0].outside),
            _ => None,
        })
    };
    assert_eq!(outside(&user_on_v2()), Some(1000));
    assert!(outside(&root_on_v1()).is_some_and(|id| (100_000..165_536).contains(&id)));
}

/// newuidmap(1) and the kernel refuse a map whose lines overlap.
#[test]
fn no_line_of_a_map_has_the_ids_of_another() {
    let text = "sandbox a {\n  run = [\"/bin/true\"]\n  user new {\n    map uid 0 = unprivileged\n    map uid 1 = subid(count: 65000)\n    \
                map uid 70000 = subid(count: 500)\n    map gid 0 = unprivileged\n  }\n}\n";
    for (facts, expected) in [
        (user_on_v2(), [(0, 1000, 1), (1, 100_000, 65_000), (70_000, 165_000, 500)]),
        (root_on_v1(), [(0, 100_000, 1), (1, 100_001, 65_000), (70_000, 165_001, 500)]),
    ] {
        let (plan, _) = plan_of(text, &facts, &[]);
        let maps = plan.steps.into_iter().find_map(|step| match step.action {
            Action::MapUids(map) => Some(map.lines),
            _ => None,
        });
        let lines: Vec<_> = maps.expect("ids are mapped").iter().map(|it| (it.inside, it.outside, it.count)).collect();
        assert_eq!(lines, expected);
    }
}

fn plan_pod(text: &str, facts: &HostFacts) -> Result<(nsl::plan::PodPlan, String), Vec<nsl::report::Diagnostic>> {
    let inputs = Inputs { cwd: "/policies".into(), caller: nsl::caller_names(facts), ..Inputs::default() };
    let loaded = nsl::load_text("/policies/test.nsl", text.to_string(), &inputs, &Disk);
    let errors: Vec<_> = nsl::findings(&loaded).into_iter().filter(|it| it.is_error()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let nsl::Chosen::Pod(pod) = nsl::select(&loaded, None).unwrap() else { panic!("a pod is declared") };
    let plan = nsl::plan::plan_pod(pod, facts, &Options::default())?;
    let text = nsl::plan::print_pod(&plan, &loaded.files);
    Ok((plan, text))
}

const POD: &str = "pod shop {\n  user new {\n    map uid 0 = subid(count: 1000)\n    map gid 0 = subid(count: 1000)\n  }\n  net new {\n    publish 8443/tcp = \
                   8443/tcp\n  }\n  cgroup new {\n    memory.max = 64MiB\n  }\n\n  container proxy {\n    run = [\"/bin/true\"]\n    pid new\n    after = [app]\n    \
                   restart = on-failure(max: 3)\n    cgroup new {\n      pids.max = 8\n    }\n  }\n\n  container app {\n    run = [\"/bin/true\"]\n    \
                   ready = tcp(127.0.0.1, port: 8081)\n    essential = true\n  }\n}\n";

/// The holder makes what is shared and the cgroups; the containers come in the order of their start and join.
#[test]
fn a_pod_as_root() {
    let (plan, text) = plan_pod(POD, &root_on_v1()).unwrap();
    snapshot("pod-root.txt", &text);
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<nsl::plan::PodPlan>(&json).unwrap(), plan);
}

#[test]
fn what_a_pod_cannot_have_is_refused() {
    let codes = |text: &str| plan_pod(text, &root_on_v1()).unwrap_err().iter().map(|it| it.code).collect::<Vec<_>>();
    assert_eq!(codes(&POD.replace("    after = [app]", "    tty = new\n    after = [app]")), ["pod-terminal"]);
}

/// setns(2): what the joined user namespace owns after it, everything else before, mnt last.
#[test]
fn joins_are_put_in_the_order_that_the_kernel_needs() {
    use nsl::host::{Joinable, Namespace, UserNamespace};
    let mut facts = root_on_v1();
    let owner = |id| Some(UserNamespace { id, uid: 0, child: true });
    let target = |user: u64, first: u64| {
        let row = |(kind, id): (NsKind, u64)| {
            let id = if kind == NsKind::User { user } else { id };
            (kind, Namespace { id, own: false, user: owner(user) })
        };
        Joinable { namespaces: NsKind::ALL.into_iter().zip(first..).map(row).collect(), ..Joinable::default() }
    };
    facts.joinable.insert("pid 1".into(), target(50, 100));
    facts.joinable.insert("pid 2".into(), target(60, 200));
    let text = "sandbox a {\n  run = [\"/bin/true\"]\n  mnt join(pid: 1)\n  net join(pid: 2)\n  uts join(pid: 1)\n  user join(pid: 1)\n  time join(pid: 2)\n}\n";
    let (plan, _) = plan_of(text, &facts, &[]);
    let order: Vec<NsKind> = plan
        .steps
        .iter()
        .filter_map(|step| match step.action {
            Action::JoinNamespace(kind) => Some(kind),
            _ => None,
        })
        .collect();
    assert_eq!(order, [NsKind::Net, NsKind::Time, NsKind::User, NsKind::Uts, NsKind::Mnt]);
}

/// What the host gives is given while the child waits, after its cgroups; what anybody may have the program takes itself, before
/// the filter.
#[test]
fn attributes_have_their_places() {
    let text = "sandbox a {
  run = [\"/bin/true\"]
  user new
  nice = -5
  scheduling = batch
  ionice = idle
  cpu-affinity = \"0-1\"
  core-scheduling = own
  prefer oom-score-adj = -100
  timer-slack = 1ms
  umask = 0o027
  personality = [linux32]
  cgroup new {
    pids.max = 7
  }
  seccomp {
    otherwise = allow
    deny umask = kill
  }
}
";
    let (plan, shown) = plan_of(text, &root_on_v1(), &[]);
    let steps: Vec<&str> = shown.lines().collect();
    let at = |needle: &str| {
        steps.iter().position(|it| it.contains(needle)).unwrap_or_else(|| panic!("no {needle} in\n{shown}"))
    };
    let order = [
        "move the child into",
        "sched_setscheduler batch",
        "setpriority -5",
        "ioprio_set idle",
        "sched_setaffinity 0-1",
        "share no core with others",
        "write oom_score_adj -100",
        "prctl timer slack 1000000 ns",
        "personality linux32",
        "umask 0027",
        "seccomp x86_64",
    ];
    assert!(order.windows(2).all(|pair| at(pair[0]) < at(pair[1])), "{shown}");
    assert!(steps[at("setpriority")].contains("[CAP_SYS_NICE]"), "{shown}");
    assert!(steps[at("oom_score_adj")].contains("(preferred) [CAP_SYS_RESOURCE]"), "{shown}");
    assert_eq!(serde_json::from_str::<Plan>(&serde_json::to_string(&plan).unwrap()).unwrap(), plan);
}

/// Where nothing was delegated to a user, its service manager makes a scope, and the cgroup is below that.
#[test]
fn a_service_manager_gives_a_cgroup() {
    let text = "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  cgroup new {\n    prefer pids.max = 7\n    memory.max = 64MiB\n  }\n}\n";
    let mut facts = user_on_v2();
    let socket = "/run/user/1000/systemd/private".to_string();
    let controllers = vec!["memory".to_string(), "pids".to_string()];
    *facts.service_manager = Some(nsl::host::ServiceManager { socket, controllers });
    let (plan, shown) = plan_of(text, &facts, &[]);
    let ask = "ask /run/user/1000/systemd/private for the scope nsl-a-PID.scope";
    let made = "mkdir /sys/fs/cgroup/SCOPE/nsl-a-PID with memory pids";
    assert!(shown.find(ask).zip(shown.find(made)).is_some_and(|(ask, made)| ask < made), "{shown}");
    assert!(
        plan.steps.iter().all(|it| it.required || it.why.contains("pids.max") || it.why.contains("user namespace")),
        "{shown}"
    );
    // Who has a cgroup of its own, or names one, asks nobody.
    let mut own = facts.clone();
    let tree = own.cgroups.v2.as_mut().unwrap();
    (tree.writable, tree.enabled) = (true, vec!["memory".to_string(), "pids".to_string()]);
    assert!(!plan_of(text, &own, &[]).1.contains("SCOPE"));
    // What was not delegated to the manager it cannot hand on.
    let cpu = text.replace("memory.max = 64MiB", "prefer cpu.weight = 50");
    assert!(plan_of(&cpu, &facts, &[]).1.contains("not in force: cgroup.cpu.weight"));
}
