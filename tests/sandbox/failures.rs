//! What is said when a sandbox cannot be built, or its program not started: at the line that asked for it.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;

use super::*;

/// A failure that is injected, and what is said of it.
struct Failure {
    name: &'static str,
    /// Who runs into it.
    who: &'static [Who],
    /// What is wrong with the stage.
    stage: fn(Stage) -> Stage,
    /// What starts nsl, where the failure is in the world around it.
    through: &'static [&'static str],
    args: &'static [&'static str],
    ends: i32,
    /// What the line to blame has in it; empty where no line is to blame.
    line: &'static str,
    says: &'static [&'static str],
}

const BOTH: &[Who] = &[Who::Root, Who::User];
const ROOT: &[Who] = &[Who::Root];
const USER: &[Who] = &[Who::User];
const TRUE: &[&str] = &["/bin/true"];

const USUAL: Failure =
    Failure { name: "", who: BOTH, stage: |it| it, through: &[], args: TRUE, ends: 125, line: "", says: &[] };

/// In a user namespace of its own, whose limits can be lowered without touching the host's.
macro_rules! with_limit {
    ($name:literal) => {
        &[
            "/usr/bin/unshare",
            "--user",
            "--map-root-user",
            "/bin/sh",
            "-c",
            concat!("echo 0 >/proc/sys/user/max_", $name, "_namespaces; exec \"$@\""),
            "sh",
        ]
    };
}

const FAILURES: &[Failure] = &[
    Failure {
        name: "a source that is not there",
        stage: |it| it.line("mnt", "mount /data = bind(./nothing, ro)"),
        ends: 2,
        line: "./nothing",
        says: &["nothing"],
        ..USUAL
    },
    Failure {
        name: "a source that the caller may not see",
        who: USER,
        stage: |it| it.line("mnt", "mount /data = bind(/root/secret, ro)"),
        ends: 2,
        line: "/root/secret",
        ..USUAL
    },
    Failure {
        name: "a root that is not there",
        stage: |it| it.line("mnt", "root = dir(./nothing)"),
        ends: 2,
        line: "root = dir",
        ..USUAL
    },
    Failure {
        name: "a program that is not there",
        args: &["/no/such/program"],
        ends: 127,
        line: "sandbox test",
        says: &["/no/such/program", "ENOENT"],
        ..USUAL
    },
    Failure {
        name: "a program that is not in the path",
        stage: |it| it.top("env PATH = \"/usr/bin\""),
        args: &["no-such-program"],
        ends: 127,
        line: "sandbox test",
        says: &["no-such-program"],
        ..USUAL
    },
    Failure {
        name: "a program that run names and that is not there",
        stage: |it| it.top("run = [\"/no/such/program\"]"),
        args: &[],
        ends: 2,
        line: "run =",
        says: &["/no/such/program"],
        ..USUAL
    },
    Failure {
        name: "a program that may not be executed",
        args: &["/etc/passwd"],
        ends: 126,
        line: "sandbox test",
        says: &["/etc/passwd", "EACCES"],
        ..USUAL
    },
    Failure {
        name: "a directory as a program",
        args: &["/usr"],
        ends: 126,
        line: "sandbox test",
        says: &["/usr", "EACCES"],
        ..USUAL
    },
    Failure {
        name: "a program on a mount that refuses execution",
        stage: |it| {
            it.folder("data").file("data/x", 0o755, "#!/bin/sh\n").line("mnt", "mount /data = bind(./data, ro, noexec)")
        },
        args: &["/data/x"],
        ends: 126,
        line: "sandbox test",
        says: &["EACCES", "noexec"],
        ..USUAL
    },
    Failure {
        name: "a program in no known format",
        stage: |it| it.folder("data").file("data/x", 0o755, "nothing\n").line("mnt", "mount /data = bind(./data, ro)"),
        args: &["/data/x"],
        ends: 126,
        line: "sandbox test",
        says: &["ENOEXEC"],
        ..USUAL
    },
    Failure {
        name: "a script whose interpreter is not there",
        stage: |it| {
            it.folder("data").file("data/x", 0o755, "#!/no/such/sh\n").line("mnt", "mount /data = bind(./data, ro)")
        },
        args: &["/data/x"],
        ends: 127,
        line: "sandbox test",
        says: &["/no/such/sh"],
        ..USUAL
    },
    Failure {
        name: "a program whose loader is not in the tree",
        stage: |it| it.line("mnt", "root = empty").line("mnt", "mount /app/true = bind(/usr/bin/true, ro)"),
        args: &["/app/true"],
        ends: 127,
        line: "sandbox test",
        says: &["ld-linux"],
        ..USUAL
    },
    Failure {
        name: "a program that run names and that is not on a tmpfs",
        stage: |it| it.line("mnt", "mount /app = tmpfs(size: 1MiB)").top("run = [\"/app/program\"]"),
        args: &[],
        ends: 127,
        line: "run =",
        says: &["/app/program", "ENOENT"],
        ..USUAL
    },
    Failure {
        name: "a working directory that is not there",
        stage: |it| it.top("cwd = /no/such/place"),
        ends: 2,
        line: "cwd =",
        says: &["/no/such/place"],
        ..USUAL
    },
    Failure {
        name: "a working directory that is not on a tmpfs",
        stage: |it| it.line("mnt", "mount /app = tmpfs(size: 1MiB)").top("cwd = /app/place"),
        line: "cwd =",
        says: &["/app/place", "ENOENT"],
        ..USUAL
    },
    Failure {
        name: "a working directory that is a file",
        stage: |it| it.top("cwd = /etc/passwd"),
        line: "cwd =",
        says: &["ENOTDIR"],
        ..USUAL
    },
    Failure {
        name: "a port that is taken",
        stage: |it| {
            // Held to the end of the tests.
            static TAKEN: std::sync::OnceLock<TcpListener> = std::sync::OnceLock::new();
            let taken = TAKEN.get_or_init(|| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback is up"));
            let port = taken.local_addr().expect("it is bound").port();
            it.line("net", &format!("publish {port}/tcp = 80/tcp"))
        },
        line: "publish",
        says: &["EADDRINUSE"],
        ..USUAL
    },
    Failure {
        name: "a port for root alone",
        who: USER,
        stage: |it| it.line("net", "publish 81/tcp = 80/tcp"),
        ends: 2,
        line: "publish",
        says: &["81"],
        ..USUAL
    },
    Failure {
        name: "a limit above the caller's own",
        who: USER,
        stage: |it| it.section("limits", "", &["nofile = 1000000000"]),
        ends: 2,
        line: "nofile",
        says: &["nofile"],
        ..USUAL
    },
    Failure {
        name: "a directory on a file",
        stage: |it| it.line("mnt", "mount /etc/passwd = tmpfs(size: 1MiB)"),
        line: "mount /etc/passwd",
        says: &["/etc/passwd", "no directory"],
        ..USUAL
    },
    Failure {
        name: "a file on a directory",
        stage: |it| it.line("mnt", "mount /etc = file(\"x\")"),
        line: "mount /etc",
        says: &["/etc"],
        ..USUAL
    },
    Failure {
        name: "a path below a file",
        stage: |it| it.line("mnt", "mount /etc/passwd/below = tmpfs(size: 1MiB)"),
        line: "mount /etc/passwd/below",
        says: &["ENOTDIR"],
        ..USUAL
    },
    Failure {
        name: "a link where something is",
        stage: |it| it.line("mnt", "link /etc = \"usr\""),
        line: "link /etc",
        says: &["EEXIST"],
        ..USUAL
    },
    Failure {
        name: "no more processes",
        who: USER,
        through: &["/usr/bin/prlimit", "--nproc=1"],
        line: "user new",
        says: &["EAGAIN"],
        ..USUAL
    },
    Failure { name: "no user namespaces", through: with_limit!("user"), ends: 2, line: "user new", ..USUAL },
    Failure { name: "no mount namespaces", through: with_limit!("mnt"), line: "new", says: &["ENOSPC"], ..USUAL },
    Failure { name: "no pid namespaces", through: with_limit!("pid"), line: "new", says: &["ENOSPC"], ..USUAL },
    Failure { name: "no net namespaces", through: with_limit!("net"), line: "new", says: &["ENOSPC"], ..USUAL },
    Failure { name: "no ipc namespaces", through: with_limit!("ipc"), line: "new", says: &["ENOSPC"], ..USUAL },
    Failure { name: "no uts namespaces", through: with_limit!("uts"), line: "new", says: &["ENOSPC"], ..USUAL },
    Failure {
        name: "no cgroup namespaces",
        through: with_limit!("cgroup"),
        line: "cgroup new",
        says: &["ENOSPC"],
        ..USUAL
    },
    Failure { name: "no time namespaces", through: with_limit!("time"), line: "time new", says: &["ENOSPC"], ..USUAL },
    Failure {
        name: "a map that nobody granted",
        who: USER,
        stage: |it| it.section("user", "new", &["map uid 0 = outer(5000, count: 10)", "map gid 0 = caller", "as = 0"]),
        ends: 2,
        line: "map uid",
        ..USUAL
    },
    Failure {
        name: "a map that the namespace around it does not have",
        who: ROOT,
        through: &["/usr/bin/unshare", "--user", "--map-root-user"],
        stage: |it| it.section("user", "new", &["map uid 0 = outer(5000, count: 10)", "map gid 0 = caller", "as = 0"]),
        line: "map uid",
        says: &["EPERM"],
        ..USUAL
    },
    Failure {
        name: "ranges without newuidmap",
        who: ROOT,
        through: &[
            "/usr/bin/unshare",
            "--mount",
            "/bin/sh",
            "-c",
            "mount --bind /dev/null /usr/bin/newuidmap && exec setpriv --reuid nsl-tester --regid nsl-tester --clear-groups \"$@\"",
            "sh",
        ],
        stage: |it| {
            it.section("user", "new", &["map uid 0 = subid(count: 10)", "map gid 0 = subid(count: 10)", "as = 0"])
        },
        ends: 2,
        line: "map uid",
        says: &["newuidmap", "uidmap"],
        ..USUAL
    },
    Failure {
        name: "a proc that the host has covered",
        through: &[
            "/usr/bin/unshare",
            "--user",
            "--map-root-user",
            "--mount",
            "/bin/sh",
            "-c",
            "mount -t tmpfs none /proc/sys/fs && exec \"$@\"",
            "sh",
        ],
        ends: 2,
        line: "mount /proc",
        says: &["/proc/sys/fs"],
        ..USUAL
    },
    Failure {
        name: "a cgroup parent that is not there",
        stage: |it| it.line("cgroup", "memory.max = 64MiB").option("--cgroup-parent").option("/no/such/cgroup"),
        ends: 2,
        line: "memory.max",
        says: &["/no/such/cgroup"],
        ..USUAL
    },
    Failure {
        name: "a filter that is refused",
        // An outer sandbox is what refuses: its filter has no seccomp(2).
        stage: |it| it.line("seccomp", "otherwise = allow").line("seccomp", "deny ptrace = kill"),
        through: &["/usr/bin/python3", "-I", "-S", "-c", FILTER, "317", "277", "0x00050001"],
        line: "otherwise",
        says: &["EPERM"],
        ..USUAL
    },
    Failure {
        name: "killed while the tree is built",
        through: &["/usr/bin/python3", "-I", "-S", "-c", FILTER, "155", "41", "0x80000000"],
        line: "",
        says: &["signal 31 ended it"],
        ..USUAL
    },
    Failure {
        name: "no descriptors left",
        through: &["/usr/bin/prlimit", "--nofile=5"],
        line: "",
        says: &["EMFILE"],
        ..USUAL
    },
    Failure {
        // execve(2) would give uid 0 all of the bounding set again, which this caller cannot empty.
        name: "capabilities that would come back",
        who: ROOT,
        stage: |it| it.section("user", "host", &[]).top("no-new-privs = false"),
        through: &["/usr/bin/setpriv", "--inh-caps=-setpcap", "--bounding-set=-setpcap"],
        args: &["/bin/cat", "/proc/self/status"],
        line: "sandbox test",
        says: &["CAP_SETPCAP", "no-new-privs"],
        ..USUAL
    },
];

/// Installs a filter that does something about one system call, by prctl(2), and executes the rest of its arguments: the
/// numbers of the call on x86_64 and aarch64, and what happens.
const FILTER: &str = r#"
import ctypes, os, platform, struct, sys
number = int(sys.argv[{"x86_64": 1, "aarch64": 2}[platform.machine()]])
code = b"".join(struct.pack("HBBI", *it) for it in [
    (0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, int(sys.argv[3], 0)), (0x06, 0, 0, 0x7fff0000)])
held = ctypes.create_string_buffer(code)
program = struct.pack("HxxxxxxP", 4, ctypes.addressof(held))
libc = ctypes.CDLL(None, use_errno=True)
if os.geteuid() != 0:
    assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.create_string_buffer(program)) == 0
os.execv(sys.argv[4], sys.argv[4:])
"#;

both! {
    fn table(who) {
        let mut wrong = Vec::new();
        for failure in FAILURES.iter().filter(|it| it.who.contains(&who)) {
            let stage = (failure.stage)(Stage::new(who));
            if failure.name == "a source that the caller may not see" && std::fs::metadata("/root").is_ok_and(|it| it.permissions().mode() & 0o001 != 0) {
                continue;
            }
            let outcome = stage.finish(stage.command_through(failure.through, failure.args));
            let mut missing: Vec<&str> = failure.says.iter().copied().filter(|it| !outcome.stderr.contains(it)).collect();
            let place = if failure.line.is_empty() { String::new() } else { stage.place(failure.line) };
            let named = match failure.line {
                // One of several lines that say `new`: clone3(2) does not tell which one it was.
                "new" => outcome.stderr.contains("test.nsl:"),
                _ => outcome.stderr.contains(&place),
            };
            if !named {
                missing.push(&place);
            }
            if outcome.code() != failure.ends || !missing.is_empty() || !outcome.bytes().is_empty() {
                wrong.push(format!("{}: expected {} and {missing:?}\n{outcome:?}", failure.name, failure.ends));
            }
        }
        assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), FAILURES.len(), wrong.join("\n\n"));
    }
}
