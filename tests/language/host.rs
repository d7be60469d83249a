//! The checker on hosts that are written down: each case is a small policy and what is special about its host.

use std::fs;
use std::path::Path;

use nsl::host::{HostFacts, Joinable, Kernel, Missing, Namespace, PathFact, PathKind, Process, UserNamespace};
use nsl::policy::NsKind;
use nsl::report::render;

use super::{STYLE, host_keep, host_process, resolved};
use crate::plan::{root_on_v1, user_on_v2};

pub(super) struct Case {
    /// The code that it must give, or `-` for none.
    pub(super) code: &'static str,
    /// What tells it from other cases of the code.
    pub(super) name: &'static str,
    pub(super) body: &'static str,
    pub(super) host: fn() -> HostFacts,
}

pub(super) fn user(change: impl FnOnce(&mut HostFacts)) -> HostFacts {
    let mut facts = user_on_v2();
    change(&mut facts);
    facts
}

pub(super) fn path(kind: PathKind) -> PathFact {
    PathFact {
        kind,
        real: String::new(),
        mode: 0o755,
        uid: 0,
        gid: 0,
        submounts: Vec::new(),
        mount_flags: Vec::new(),
        namespace: None,
        propagation: String::new(),
        interpreter: None,
        interpreter_links: Vec::new(),
        libraries: Vec::new(),
    }
}

pub(super) fn with_path(at: &str, fact: PathFact) -> HostFacts {
    let mut facts = root_on_v1();
    facts.paths.insert(at.into(), fact);
    facts
}

const TREE: &str = "user new\n  pid new\n  mnt new {\n    root = host(ro)\n    mount /proc = proc\n  }";

/// Namespaces of process 4711, which `maker` has made.
fn joined(mut facts: HostFacts, maker: u32) -> HostFacts {
    let user = UserNamespace { id: 7000, uid: maker, child: true };
    let namespace = |id| Namespace { id, own: false, user: Some(user) };
    let namespaces = NsKind::ALL.into_iter().zip(7000..).map(|(kind, id)| (kind, namespace(id))).collect();
    let process = Some(Process { pid: 4711, start: 1 });
    let found = Joinable { process, namespaces, ids: Some((1000, 1000)), ..Joinable::default() };
    facts.joinable.insert("pid 4711".into(), found);
    facts
}

fn missing(target: &str, why: Missing) -> HostFacts {
    let mut facts = user_on_v2();
    facts.joinable.insert(target.into(), Joinable::missing(why));
    facts
}

const JOIN_BOTH: &str = "user join(pid: 4711)\n  net join(pid: 4711)";

pub(super) const CASES: &[Case] = &[
    Case { code: "-", name: "join-own-sandbox", body: JOIN_BOTH, host: || joined(user_on_v2(), 1000) },
    Case { code: "-", name: "join-as-root", body: "net join(pid: 4711)", host: || joined(root_on_v1(), 1000) },
    Case { code: "join-forbidden", name: "other-user", body: JOIN_BOTH, host: || joined(user_on_v2(), 1001) },
    Case {
        code: "join-forbidden",
        name: "without-user",
        body: "net join(pid: 4711)\n  uts join(pid: 4711)",
        host: || joined(user_on_v2(), 1000),
    },
    Case { code: "join-forbidden", name: "hidden", body: JOIN_BOTH, host: || missing("pid 4711", Missing::Forbidden) },
    Case { code: "join-missing", name: "pid", body: JOIN_BOTH, host: || missing("pid 4711", Missing::Absent) },
    Case {
        code: "join-missing",
        name: "path",
        body: "net join(path: /run/netns/blue)",
        host: || missing("path /run/netns/blue", Missing::Absent),
    },
    Case {
        code: "join-missing",
        name: "sandbox",
        body: "net join(sandbox: web)",
        host: || missing("sandbox web", Missing::Absent),
    },
    Case {
        code: "join-no-namespace",
        name: "path",
        body: "net join(path: /etc/passwd)",
        host: || missing("path /etc/passwd", Missing::NoNamespace),
    },
    Case {
        code: "join-no-namespace",
        name: "kind",
        body: "net join(path: /run/ns/uts)",
        host: || {
            let mut facts = root_on_v1();
            let user = UserNamespace { id: 7000, uid: 0, child: true };
            let uts = Namespace { id: 7, own: false, user: Some(user) };
            let found = Joinable { namespaces: [(NsKind::Uts, uts)].into(), ..Joinable::default() };
            facts.joinable.insert("path /run/ns/uts".into(), found);
            facts
        },
    },
    Case {
        code: "join-own",
        name: "host-process",
        body: JOIN_BOTH,
        host: || {
            let mut facts = joined(user_on_v2(), 1000);
            let found = facts.joinable.get_mut("pid 4711").expect("joined");
            found.namespaces.values_mut().for_each(|it| it.own = true);
            facts
        },
    },
    Case { code: "-", name: "a-good-host", body: TREE, host: user_on_v2 },
    Case { code: "userns-needed", name: "no-user-new", body: "net new", host: user_on_v2 },
    Case { code: "-", name: "root-needs-none", body: "net new", host: root_on_v1 },
    Case { code: "userns-forbidden", name: "limit-zero", body: "user new", host: || user(|it| it.userns.max = 0) },
    Case {
        code: "userns-forbidden",
        name: "switched-off",
        body: "user new",
        host: || user(|it| it.userns.clone_disabled = true),
    },
    Case {
        code: "userns-forbidden",
        name: "apparmor",
        body: "user new",
        host: || user(|it| it.userns.apparmor_restricted = true),
    },
    Case { code: "userns-forbidden", name: "chroot", body: "user new", host: || user(|it| it.caller.chroot = true) },
    Case {
        code: "kernel-too-old",
        name: "time",
        body: "user new\n  time new",
        host: || user(|it| it.kernel.version = (5, 4)),
    },
    Case { code: "kernel-too-old", name: "tree", body: TREE, host: || user(|it| it.kernel.version = (5, 10)) },
    Case {
        code: "seccomp-abi-elsewhere",
        name: "arm",
        body: "user new\n  seccomp {\n    allow @service\n    abi i386\n  }",
        host: || user(|it| it.kernel.arch = "aarch64".to_string()),
    },
    Case {
        code: "landlock-missing",
        name: "none",
        body: "user new\n  landlock {\n    scope = [signal]\n  }",
        host: || user(|it| *it.landlock_abi = 0),
    },
    Case {
        code: "landlock-missing",
        name: "older",
        body: "user new\n  landlock {\n    tcp.bind = [80/tcp]\n  }",
        host: || user(|it| *it.landlock_abi = 3),
    },
    Case {
        code: "-",
        name: "landlock-preferred",
        body: "user new\n  landlock {\n    prefer scope = [signal]\n  }",
        host: || user(|it| *it.landlock_abi = 3),
    },
    Case {
        code: "link-needs-root",
        name: "veth",
        body: "user new\n  net new {\n    link eth0 = veth(address: 10.1.0.2/24)\n  }",
        host: || user(|_| ()),
    },
    Case {
        code: "-",
        name: "bridge-of-its-own",
        body: "user new\n  net new {\n    link br0 = bridge(address: 10.1.0.2/24)\n  }",
        host: || user(|_| ()),
    },
    Case {
        code: "interface-missing",
        name: "bridge",
        body: "user new\n  net new {\n    link eth0 = veth(bridge: br0)\n  }",
        host: || user(|it| (*it.net_admin, *it.interfaces) = (true, vec!["lo".into(), "eth0".into()])),
    },
    Case {
        code: "interface-taken",
        name: "peer",
        body: "user new\n  net new {\n    link eth0 = veth(peer: \"eth0\")\n  }",
        host: || user(|it| (*it.net_admin, *it.interfaces) = (true, vec!["lo".into(), "eth0".into()])),
    },
    Case {
        code: "namespace-missing",
        name: "ipc",
        body: "user new\n  ipc new",
        host: || user(|it| it.namespaces.retain(|kind| kind.name() != "ipc")),
    },
    Case {
        code: "seccomp-missing",
        name: "kernel",
        body: "user new\n  seccomp {\n    allow @basic\n  }",
        host: || user(|it| it.seccomp_actions.clear()),
    },
    Case {
        code: "map-needs-helper",
        name: "no-newuidmap",
        body: "user new {\n    map uid 0 = subid(count: 65536)\n  }",
        host: || user(|it| it.helpers.clear()),
    },
    Case {
        code: "map-needs-helper",
        name: "no-range",
        body: "user new {\n    map uid 0 = subid(count: 65536)\n  }",
        host: || user(|it| it.caller.subuid.clear()),
    },
    Case {
        code: "map-needs-helper",
        name: "not-in-range",
        body: "user new {\n    map uid 0 = outer(5, count: 2)\n  }",
        host: user_on_v2,
    },
    Case {
        code: "setgroups-must-be-denied",
        name: "allowed",
        body: "user new {\n    map gid 0 = caller\n    setgroups = allow\n  }",
        host: user_on_v2,
    },
    Case {
        code: "proc-masked",
        name: "container",
        body: TREE,
        host: || user(|it| it.proc_masked = vec!["/proc/kcore".into()]),
    },
    Case {
        code: "cgroup-not-delegated",
        name: "required",
        body: "user new\n  cgroup new {\n    memory.max = 64MiB\n    pids.max = 64\n  }",
        host: user_on_v2,
    },
    Case {
        code: "-",
        name: "preferred",
        body: "user new\n  cgroup new {\n    prefer memory.max = 64MiB\n  }",
        host: user_on_v2,
    },
    Case {
        code: "publish-low-port",
        name: "eighty",
        body: "user new\n  net new {\n    publish 80/tcp = 8000/tcp\n  }",
        host: user_on_v2,
    },
    Case {
        code: "rlimit-above-hard",
        name: "nofile",
        body: "user new\n  limits {\n    nofile = 4096\n  }",
        host: || user(|it| it.hard_limits.extend([("nofile".to_string(), Some(1024))])),
    },
    Case {
        code: "offset-before-zero",
        name: "boot",
        body: "user new\n  time new {\n    boottime = -400d\n  }",
        host: user_on_v2,
    },
    Case {
        code: "source-missing",
        name: "bind",
        body: "user new\n  mnt new {\n    root = host(ro)\n    mount /srv = bind(/nope, ro)\n  }",
        host: || with_path("/nope", path(PathKind::Missing)),
    },
    Case {
        code: "-",
        name: "optional",
        body: "user new\n  mnt new {\n    root = host(ro)\n    optional mount /srv = bind(/nope, ro)\n  }",
        host: || with_path("/nope", path(PathKind::Missing)),
    },
    Case {
        code: "source-forbidden",
        name: "bind",
        body: "user new\n  mnt new {\n    root = host(ro)\n    mount /srv = bind(/secret, ro)\n  }",
        host: || with_path("/secret", path(PathKind::Forbidden)),
    },
    Case {
        code: "source-missing",
        name: "root",
        body: "user new\n  mnt new {\n    root = dir(/nope)\n  }",
        host: || with_path("/nope", path(PathKind::Missing)),
    },
    Case {
        code: "bind-not-writable",
        name: "root-owned",
        body: "user new\n  mnt new {\n    root = host(ro)\n    mount /srv = bind(rw, noexec)\n  }",
        host: || with_path("/srv", path(PathKind::Dir)),
    },
    Case {
        code: "source-missing",
        name: "layer",
        body: "user new\n  mnt new {\n    root = overlay(lower: /nope, ephemeral)\n  }",
        host: || with_path("/nope", path(PathKind::Missing)),
    },
    Case {
        code: "layer-no-directory",
        name: "file",
        body: "user new\n  mnt new {\n    mount /bin = overlay(ephemeral)\n  }",
        host: || with_path("/bin", path(PathKind::File)),
    },
    Case {
        code: "layer-with-mounts",
        name: "user",
        body: "user new\n  mnt new {\n    root = overlay(lower: /, ephemeral)\n  }",
        host: || {
            user(|it| {
                it.paths.insert("/".into(), PathFact { submounts: vec!["/proc".into()], ..path(PathKind::Dir) });
            })
        },
    },
    Case {
        code: "layer-without-mounts",
        name: "root",
        body: "user new\n  mnt new {\n    root = overlay(lower: /, ephemeral)\n  }",
        host: || with_path("/", PathFact { submounts: vec!["/proc".into()], ..path(PathKind::Dir) }),
    },
    Case {
        code: "overlay-partial",
        name: "old-kernel",
        body: "user new\n  mnt new {\n    root = overlay(lower: /image, ephemeral)\n  }",
        host: || user(|it| it.kernel = Kernel { release: "6.1.0".into(), version: (6, 1), arch: "x86_64".into() }),
    },
    Case {
        code: "bind-not-writable",
        name: "upper",
        body: "user new\n  mnt new {\n    root = overlay(lower: /image, upper: /state/upper, work: /state/work)\n  }",
        host: || with_path("/state/upper", path(PathKind::Dir)),
    },
    Case {
        code: "secret-exposed",
        name: "mode",
        body: "user new\n  mnt new {\n    root = host(ro)\n    mount /etc/token = secret(/srv/token)\n  }",
        host: || with_path("/srv/token", PathFact { mode: 0o644, ..path(PathKind::File) }),
    },
    Case {
        code: "-",
        name: "a-secret",
        body: "user new\n  mnt new {\n    root = host(ro)\n    mount /etc/token = secret(/srv/token)\n  }",
        host: || with_path("/srv/token", PathFact { mode: 0o600, ..path(PathKind::File) }),
    },
    Case {
        code: "secret-source",
        name: "a-directory",
        body: "user new\n  mnt new {\n    root = host(ro)\n    mount /etc/token = secret(/srv/token)\n  }",
        host: || with_path("/srv/token", path(PathKind::Dir)),
    },
    Case {
        code: "device-no-device",
        name: "a-file",
        body: "user new\n  mnt new {\n    mount /bin = bind\n    mount /dev/fuse = device(/srv/fuse)\n  }",
        host: || with_path("/srv/fuse", path(PathKind::File)),
    },
    Case {
        code: "device-not-permitted",
        name: "kvm",
        body: "user new\n  mnt new {\n    mount /bin = bind\n    mount /dev/kvm = device\n  }",
        host: || {
            user(|it| {
                let kvm = PathFact { mode: 0o660, gid: 108, ..path(PathKind::Device) };
                it.paths.insert("/dev/kvm".into(), kvm);
            })
        },
    },
    Case {
        code: "-",
        name: "in-the-group-of-the-device",
        body: "user new\n  mnt new {\n    mount /bin = bind\n    mount /dev/kvm = device\n  }",
        host: || {
            user(|it| {
                let kvm = PathFact { mode: 0o660, gid: 108, ..path(PathKind::Device) };
                it.paths.insert("/dev/kvm".into(), kvm);
                it.caller.groups.push(108);
            })
        },
    },
    Case {
        code: "idmap-needs-root",
        name: "user",
        body: "user new\n  mnt new {\n    root = dir(/image, idmap)\n  }",
        host: user_on_v2,
    },
    Case {
        code: "kernel-too-old",
        name: "nosymfollow",
        body: "user new\n  mnt new {\n    mount /bin = bind(nosymfollow)\n  }",
        host: || user(|it| it.kernel = Kernel { release: "5.13.0".into(), version: (5, 13), arch: "x86_64".into() }),
    },
    Case {
        code: "host-sockets",
        name: "docker",
        body: TREE,
        host: || {
            user(|it| {
                let socket = |mode| PathFact { mode, gid: 999, ..path(PathKind::Socket) };
                it.paths.insert("/run/docker.sock".into(), socket(0o660));
                it.paths.insert("/run/dbus/system_bus_socket".into(), socket(0o666));
                it.caller.groups.push(999);
            })
        },
    },
    Case {
        code: "-",
        name: "hidden-sockets",
        body: "user new\n  mnt new {\n    root = host(ro)\n    hide /run\n  }",
        host: || with_path("/run/docker.sock", PathFact { mode: 0o666, ..path(PathKind::Socket) }),
    },
    Case { code: "run-missing", name: "true", body: TREE, host: || with_path("/bin/true", path(PathKind::Missing)) },
    Case {
        code: "run-not-executable",
        name: "true",
        body: TREE,
        host: || with_path("/bin/true", PathFact { mode: 0o644, ..path(PathKind::File) }),
    },
    Case {
        code: "interpreter-not-visible",
        name: "linker",
        body: "user new\n  mnt new {\n    root = empty\n    mount /bin = bind(ro)\n  }",
        host: || {
            with_path(
                "/bin/true",
                PathFact { interpreter: Some("/lib64/ld-linux-x86-64.so.2".into()), ..path(PathKind::File) },
            )
        },
    },
    Case {
        code: "setuid-without-effect",
        name: "sudo",
        body: TREE,
        host: || with_path("/bin/true", PathFact { mode: 0o4755, ..path(PathKind::File) }),
    },
    Case {
        code: "-",
        name: "sudo-with-privileges",
        body: "no-new-privs = false\n  user new\n  pid new\n  mnt new {\n    root = host(ro)\n    mount /proc = proc\n  }",
        host: || with_path("/bin/true", PathFact { mode: 0o4755, ..path(PathKind::File) }),
    },
    Case {
        code: "bind-locked-tree",
        name: "dev",
        body: "user new\n  pid new\n  mnt new {\n    root = host(ro)\n    mount /proc = proc\n    mount /mnt = bind(/dev, ro, recursive: false)\n  }",
        host: || {
            user(|it| {
                it.paths.insert("/dev".into(), PathFact { submounts: vec!["/dev/pts".into()], ..path(PathKind::Dir) });
            })
        },
    },
    Case {
        code: "-",
        name: "dev-by-root",
        body: "user new\n  pid new\n  mnt new {\n    root = host(ro)\n    mount /proc = proc\n    mount /mnt = bind(/dev, ro, recursive: false)\n  }",
        host: || with_path("/dev", PathFact { submounts: vec!["/dev/pts".into()], ..path(PathKind::Dir) }),
    },
    Case {
        code: "locked-flags",
        name: "nosuid",
        body: "user new\n  pid new\n  mnt new {\n    root = host(ro)\n    mount /proc = proc\n    mount /mnt = bind(/srv, ro, suid)\n  }",
        host: || {
            user(|it| {
                it.paths.insert("/srv".into(), PathFact { mount_flags: vec!["nosuid".into()], ..path(PathKind::Dir) });
            })
        },
    },
    Case {
        code: "library-not-visible",
        name: "libc",
        body: "user new\n  mnt new {\n    mount /usr/bin = bind(ro)\n    link /bin = \"usr/bin\"\n    mount /lib64 = bind(ro)\n  }",
        host: || {
            with_path(
                "/usr/bin/true",
                PathFact {
                    interpreter: Some("/lib64/ld-linux-x86-64.so.2".into()),
                    libraries: vec!["/lib/x86_64-linux-gnu/libc.so.6".into(), "/lib/x86_64-linux-gnu/libm.so.6".into()],
                    ..path(PathKind::File)
                },
            )
        },
    },
    Case {
        code: "-",
        name: "libc-below-usr",
        body: "user new\n  mnt new {\n    mount /usr = bind(ro)\n    link /bin = \"usr/bin\"\n    link /lib64 = \"usr/lib64\"\n  }",
        host: || {
            with_path(
                "/usr/bin/true",
                PathFact {
                    interpreter: Some("/lib64/ld-linux-x86-64.so.2".into()),
                    libraries: vec!["/lib/x86_64-linux-gnu/libc.so.6".into(), "/lib/x86_64-linux-gnu/libm.so.6".into()],
                    ..path(PathKind::File)
                },
            )
        },
    },
    Case {
        code: "-",
        name: "library-path",
        body: "env LD_LIBRARY_PATH = \"/opt/lib\"\n  user new\n  mnt new {\n    mount /usr/bin = bind(ro)\n    link /bin = \"usr/bin\"\n    mount /lib64 = bind(ro)\n  }",
        host: || {
            with_path(
                "/usr/bin/true",
                PathFact {
                    interpreter: Some("/lib64/ld-linux-x86-64.so.2".into()),
                    libraries: vec!["/lib/x86_64-linux-gnu/libc.so.6".into(), "/lib/x86_64-linux-gnu/libm.so.6".into()],
                    ..path(PathKind::File)
                },
            )
        },
    },
    Case {
        code: "interpreter-not-visible",
        name: "link-of-linker",
        body: "user new\n  mnt new {\n    mount /usr = bind(ro)\n    link /bin = \"usr/bin\"\n    link /lib64 = \"usr/lib64\"\n  }",
        host: || {
            with_path(
                "/usr/bin/true",
                PathFact {
                    interpreter: Some("/lib64/ld-linux-x86-64.so.2".into()),
                    interpreter_links: vec!["/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2".into()],
                    ..path(PathKind::File)
                },
            )
        },
    },
    Case {
        code: "cgroup-version",
        name: "high",
        body: "user new\n  cgroup new {\n    memory.high = 64MiB\n  }",
        host: root_on_v1,
    },
    Case {
        code: "io-device",
        name: "missing",
        body: "user new\n  cgroup new {\n    io.max /dev/nope = rates(rbps: 1MiB)\n  }",
        host: || {
            let mut facts = with_path("/dev/nope", path(PathKind::Missing));
            let tree = facts.cgroups.v1["memory"].clone();
            facts.cgroups.v1.insert("io".into(), tree);
            facts
        },
    },
    Case {
        code: "uplink-missing",
        name: "no-pasta",
        body: "user new\n  net new {\n    uplink = user\n  }",
        host: || user(|it| drop(it.helpers.remove("pasta"))),
    },
    Case {
        code: "cwd-missing",
        name: "srv",
        body: "cwd = /srv/x\n  user new\n  mnt new {\n    root = host(ro)\n  }",
        host: || with_path("/srv/x", path(PathKind::Missing)),
    },
];

#[test]
fn hosts() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/language/host");
    let bless = std::env::var_os("NSL_BLESS").is_some();
    let mut wrong = Vec::new();
    for case in CASES.iter().chain(host_process::CASES).chain(host_keep::CASES) {
        let text = format!("sandbox a {{\n  run = [\"/bin/true\"]\n  {}\n}}\n", case.body);
        let (files, result) = resolved(&text, "policy.nsl", Path::new("/nowhere"), &[]);
        assert!(result.findings.is_empty(), "{}: {:?}", case.name, result.findings);
        let found = nsl::check::check_host(&result.policy, &(case.host)());
        if case.code == "-" {
            if !found.is_empty() {
                wrong.push(format!("{} gives\n{}", case.name, render(&files, &found, STYLE)));
            }
            continue;
        }
        let got = render(&files, &found, STYLE);
        let told = found.iter().find(|it| it.code == case.code);
        if told.is_none_or(|it| it.labels.is_empty() || it.help.is_none()) {
            wrong.push(format!("{}-{} is not told, or without label and help:\n{got}", case.code, case.name));
        }
        let file = dir.join(format!("{}-{}.out", case.code, case.name));
        if bless {
            fs::create_dir_all(&dir).and_then(|()| fs::write(&file, &got)).expect("the result can be written");
        } else if fs::read_to_string(&file).ok().as_deref() != Some(got.as_str()) {
            wrong.push(format!("{}-{} gives\n{got}", case.code, case.name));
        }
    }
    assert!(wrong.is_empty(), "{}\nNSL_BLESS=1 takes new texts for right", wrong.join("\n"));
}
