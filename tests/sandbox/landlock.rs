//! The second wall, seen from inside.

use std::process::Command;

use super::*;

/// The ABI of this kernel, as `nsl doctor` has it.
pub fn abi() -> u64 {
    let out = Command::new(stage::binary()).args(["doctor", "--json"]).output().expect("nsl can be started");
    let facts: serde_json::Value = serde_json::from_slice(&out.stdout).expect("facts are JSON");
    facts["landlock_abi"].as_u64().expect("a number")
}

/// Whether the kernel has what a test is about; where not, the test says so.
fn has(test: &str, needed: u64) -> bool {
    let found = abi();
    // The kernel of the virtual machine is an older one, and is known to be.
    if found < needed && !stage::in_vm() {
        skip(test, &format!("Landlock ABI {needed}, and this kernel has {found}"));
    }
    found >= needed
}

const TRY: &str = r#"
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def attempt(call):
    try:
        call()
        return "fine"
    except OSError as error:
        return os.strerror(error.errno)
def mount(source, target, kind, flags):
    if libc.mount(source, target, kind, flags, None) != 0:
        raise OSError(ctypes.get_errno(), "mount")
def umount(target):
    if libc.umount2(target, 2) != 0:
        raise OSError(ctypes.get_errno(), "umount")
"#;

both! {
    fn what_the_tree_grants_still_works(who) {
        if !has("sandbox::landlock::what_the_tree_grants_still_works", 2) {
            return;
        }
        let stage = Stage::new(who).folder("work").line("mnt", "mount /work = bind(./work, rw)").section("landlock", "", &["files = tree"]);
        let out = stage.sh(
            "cd /work && mkdir a b && echo one >a/x && mv a/x b/y && ln b/y a/z && cat a/z && cp /bin/true ./own && ./own && rm -r a b own
             echo two >/tmp/x && cat /tmp/x && echo three >/dev/null && cat /proc/self/comm && ls /sys >/dev/null && mkfifo /tmp/p
             (echo bad >/usr/x) 2>/dev/null || echo refused",
        ).out();
        assert_eq!(out, "one\ntwo\ncat\nrefused");
    }

    /// With CAP_SYS_ADMIN over its own namespaces a program may uncover what is masked; with Landlock it may not.
    fn covers_stay(who) {
        if !has("sandbox::landlock::covers_stay", 2) {
            return;
        }
        let program = format!("{TRY}print(attempt(lambda: umount(b'/etc/passwd')), attempt(lambda: mount(b'none', b'/tmp', b'tmpfs', 0)))");
        let stage = || Stage::new(who).line("mnt", "hide /etc/passwd").section("caps", "", &["ambient sys_admin"]);
        assert_eq!(stage().python(&program).out(), "fine fine");
        let held = stage().section("landlock", "", &["files = tree"]);
        assert_eq!(held.python(&program).out(), "Operation not permitted Operation not permitted");
    }

    fn nothing_is_executed_where_nothing_may_be(who) {
        if !has("sandbox::landlock::nothing_is_executed_where_nothing_may_be", 2) {
            return;
        }
        // Only /usr has programs that may run.
        let stage = Stage::new(who)
            .line("mnt", "root = empty")
            .line("mnt", "mount /usr = bind(ro)")
            .line("mnt", "link /bin = \"usr/bin\"")
            .line("mnt", "link /lib = \"usr/lib\"")
            .line("mnt", "link /lib64 = \"usr/lib64\"")
            .line("mnt", "mount /tmp = tmpfs(size: 16MiB, noexec)")
            .section("landlock", "", &["files = tree"]);
        assert_eq!(stage.sh("cp /bin/true /tmp/own; /tmp/own 2>/dev/null; echo $?; /bin/true; echo $?").out(), "126\n0");
    }

    fn ports(who) {
        if !has("sandbox::landlock::ports", 4) {
            return;
        }
        let program = format!(
            "{TRY}
one, two = socket.socket(), socket.socket()
print(attempt(lambda: one.bind(('127.0.0.1', 7000))), attempt(lambda: two.bind(('127.0.0.1', 7001))))
one.listen()
print(attempt(lambda: socket.create_connection(('127.0.0.1', 7000))), attempt(lambda: socket.create_connection(('127.0.0.1', 7002))))"
        );
        let stage = Stage::new(who).section("landlock", "", &["tcp.bind = [7000/tcp]", "tcp.connect = [7002/tcp]"]);
        assert_eq!(stage.python(&program).out(), "fine Permission denied\nPermission denied Connection refused");
        let free = Stage::new(who).python(&program).out();
        assert_eq!(free, "fine fine\nfine Connection refused");
    }

    /// What a shared namespace would let out.
    fn scopes(who) {
        if !has("sandbox::landlock::scopes", 6) {
            return;
        }
        let name = format!("nsl-test-{}-{}", std::process::id(), who.uid());
        let address = <std::os::unix::net::SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(&name).expect("a name");
        let _listener = std::os::unix::net::UnixListener::bind_addr(&address).expect("nobody else has it");
        let program = format!(
            "{TRY}
import signal
socket.socket(socket.AF_UNIX)
print(attempt(lambda: socket.socket(socket.AF_UNIX).connect('\\0{name}')), attempt(lambda: os.kill(os.getppid(), 0)))"
        );
        let stage = || Stage::new(who).section("net", "host", &[]);
        assert_eq!(stage().python(&program).out(), "fine fine");
        let held = stage().section("landlock", "", &["scope = [signal, abstract-unix-socket]"]);
        assert_eq!(held.python(&program).out(), "Operation not permitted Operation not permitted");
    }

    /// What the kernel lacks ends the run, unless the policy only prefers it.
    fn what_is_missing_is_said(who) {
        if abi() >= 6 {
            return;
        }
        let stage = |line: &str| Stage::new(who).section("landlock", "", &[line]);
        stage("scope = [signal]").run(&["/bin/true"]).ends(2).says("landlock-missing");
        stage("prefer scope = [signal]").run(&["/bin/true"]).ends(0).says("is not in force");
    }
}
