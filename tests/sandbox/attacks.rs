//! What a hostile program tries, and what it gets.

use std::os::unix::process::CommandExt;
use std::process::Stdio;

use syscalls::Sysno;

use super::*;

/// Defines `call(number, args…)`, which returns the errno that a system call left, or 0.
const PRELUDE: &str = r#"
import ctypes, errno, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    ctypes.set_errno(0)
    libc.syscall(ctypes.c_long(number), *[it if isinstance(it, (bytes, ctypes.Array)) else ctypes.c_long(it) for it in args])
    return ctypes.get_errno()
def attempt(action):
    try: action()
    except OSError as e: return e.errno
    return 0
def show(name, number):
    print(name, errno.errorcode.get(number, number))
"#;

/// What is tried without any filter, and the errors of which one must come of it: the namespaces and the missing
/// capabilities hold by themselves.
const UNFILTERED: &[(&str, &str, &[&str])] = &[
    ("become root", "attempt(lambda: os.setuid(0))", &["EINVAL", "EPERM"]),
    ("gain groups", "attempt(lambda: os.setgroups([0]))", &["EPERM", "EINVAL"]),
    ("memory of init", "attempt(lambda: open('/proc/1/mem', 'rb'))", &["EACCES", "EPERM"]),
    ("environment of init", "attempt(lambda: open('/proc/1/environ').read())", &["EACCES", "EPERM"]),
    ("root of init", "attempt(lambda: os.listdir('/proc/1/root'))", &["EACCES", "EPERM"]),
    ("working directory of init", "attempt(lambda: os.listdir('/proc/1/cwd'))", &["EACCES", "EPERM"]),
    ("descriptors of init", "attempt(lambda: os.listdir('/proc/1/fd'))", &["EACCES", "EPERM"]),
    ("program of init", "attempt(lambda: open('/proc/1/exe', 'rb'))", &["EACCES", "EPERM"]),
    ("ptrace of init", "call(SYS_ptrace, 16, 1, 0, 0)", &["EPERM"]),
    ("memory of init, by call", "call(SYS_process_vm_readv, 1, 0, 0, 0, 0, 0)", &["EPERM", "0"]),
    ("chroot", "attempt(lambda: os.chroot('/tmp'))", &["EPERM"]),
    ("mount", "call(SYS_mount, b'none', b'/tmp', b'tmpfs', 0, 0)", &["EPERM"]),
    ("remount", "call(SYS_mount, b'none', b'/', b'none', 32, 0)", &["EPERM"]),
    ("umount", "call(SYS_umount2, b'/proc', 2)", &["EPERM"]),
    ("pivot_root", "call(SYS_pivot_root, b'/tmp', b'/tmp')", &["EPERM"]),
    ("open_tree", "call(SYS_open_tree, -100, b'/', 1)", &["EPERM"]),
    ("host by handle", "call(SYS_open_by_handle_at, 3, b'\\0' * 16, 0)", &["EPERM", "EBADF", "EINVAL"]),
    ("device", "attempt(lambda: os.mknod('/tmp/mem', 0o20600, os.makedev(1, 1)))", &["EPERM"]),
    ("host name", "attempt(lambda: socket.sethostname('x'))", &["EPERM"]),
    ("clock", "call(SYS_clock_settime, 0, b'\\0' * 16)", &["EPERM"]),
    ("packet socket", "attempt(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))", &["EPERM"]),
    ("raw socket", "attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))", &["EPERM"]),
    ("module", "call(SYS_init_module, 0, 0, b'')", &["EPERM", "ENOSYS"]),
    ("kexec", "call(SYS_kexec_load, 0, 0, 0, 0)", &["EPERM", "ENOSYS"]),
    ("reboot", "call(SYS_reboot, 0xfee1dead, 672274793, 0x89abcdef, 0)", &["EPERM", "EINVAL"]),
    ("swap", "call(SYS_swapoff, b'/dev/vda')", &["EPERM"]),
    ("accounting", "call(SYS_acct, b'/tmp/x')", &["EPERM", "ENOSYS"]),
    ("namespace of init", "attempt(lambda: os.open('/proc/1/ns/mnt', 0))", &["EACCES", "EPERM"]),
    (
        "core pattern",
        "attempt(lambda: open('/proc/sys/kernel/core_pattern', 'w'))",
        &["EROFS", "EACCES", "ENOENT", "EPERM"],
    ),
    ("sysrq", "attempt(lambda: open('/proc/sysrq-trigger', 'w').write('h'))", &["EROFS", "EACCES", "ENOENT", "EPERM"]),
    ("oom score of init", "attempt(lambda: open('/proc/1/oom_score_adj', 'w'))", &["EACCES", "EPERM", "EROFS"]),
    ("disk", "attempt(lambda: open('/dev/vda', 'rb'))", &["ENOENT"]),
    ("kernel memory", "attempt(lambda: open('/dev/mem', 'rb'))", &["ENOENT"]),
    ("kernel log", "attempt(lambda: open('/dev/kmsg', 'rb'))", &["ENOENT"]),
    ("sysfs", "attempt(lambda: open('/sys/kernel/uevent_helper', 'w'))", &["EROFS", "EACCES", "ENOENT"]),
    ("cgroup", "attempt(lambda: os.mkdir('/sys/fs/cgroup/x'))", &["EROFS", "EACCES", "EPERM"]),
    ("cgroup of pids", "attempt(lambda: os.mkdir('/sys/fs/cgroup/pids/x'))", &["EROFS", "EACCES", "EPERM", "ENOENT"]),
    ("policy", "attempt(lambda: open('/etc/nsl-test', 'w'))", &["EROFS"]),
];

/// Calls that no service needs: with the filter of the standard library they are refused whoever asks.
const FILTERED: &[&str] = &[
    "acct",
    "add_key",
    "bpf",
    "clock_adjtime",
    "clock_settime",
    "delete_module",
    "finit_module",
    "fsmount",
    "fsopen",
    "fspick",
    "init_module",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "mount",
    "mount_setattr",
    "move_mount",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "pivot_root",
    "process_vm_readv",
    "process_vm_writev",
    "ptrace",
    "quotactl",
    "reboot",
    "request_key",
    "setns",
    "settimeofday",
    "swapoff",
    "swapon",
    "syslog",
    "umount2",
    "unshare",
    "userfaultfd",
    "vhangup",
    "clone3",
];

/// `SYS_mount = 165` for every name that a text uses.
fn numbers<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let line = |name: &str| name.parse::<Sysno>().ok().map(|number| format!("SYS_{name} = {}\n", number.id()));
    names.filter_map(line).collect()
}

both! {
    fn without_a_filter(who) {
        let used = UNFILTERED.iter().filter_map(|it| it.1.split_once("SYS_")).map(|it| it.1.split(',').next().unwrap_or(""));
        let mut program = format!("{PRELUDE}{}", numbers(used));
        for (name, attempt, _) in UNFILTERED {
            program.push_str(&format!("show({name:?} + ':', {attempt})\n"));
        }
        let out = Stage::new(who).python(&program).out();
        let mut wrong = Vec::new();
        for ((name, _, expected), line) in UNFILTERED.iter().zip(out.lines()) {
            let got = line.rsplit(' ').next().unwrap_or_default();
            if !line.starts_with(name) || !expected.contains(&got) {
                wrong.push(format!("{line}, expected {expected:?}"));
            }
        }
        assert_eq!(out.lines().count(), UNFILTERED.len(), "{out}");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(!std::path::Path::new("/etc/nsl-test").exists());
    }

    fn with_the_filter_of_a_service(who) {
        let stage = Stage::new(who).line("seccomp", "otherwise = errno(EPERM)").line("seccomp", "allow @service");
        let mut program = format!("{PRELUDE}{}", numbers(FILTERED.iter().copied()));
        for name in FILTERED.iter().filter(|it| it.parse::<Sysno>().is_ok()) {
            // clone3's and unshare's arguments are such that they would succeed.
            let args = if *name == "unshare" { "0x10000000" } else { "0, 0, 0, 0, 0" };
            program.push_str(&format!("show('{name}', call(SYS_{name}, {args}))\n"));
        }
        let out = stage.python(&program).out();
        let refused = |line: &&str| line.ends_with(" EPERM") || line.ends_with(" ENOSYS");
        let passed: Vec<&str> = out.lines().filter(|line| !refused(line)).collect();
        assert!(passed.is_empty(), "not refused: {passed:?}");
        assert!(out.contains("clone3 ENOSYS"), "glibc falls back to clone, whose flags can be seen, on ENOSYS alone: {out}");
    }

    /// A namespace of the program's own would give it capabilities over new namespaces, and a larger part of the kernel.
    fn no_namespaces_by_clone(who) {
        let stage = Stage::new(who).line("seccomp", "otherwise = errno(EPERM)").line("seccomp", "allow @service");
        let program = format!("{PRELUDE}{}show('clone', call(SYS_clone, 0x10000000 | 17, 0, 0, 0, 0))", numbers(["clone"].into_iter()));
        assert_eq!(stage.python(&program).out(), "clone EPERM");
    }

    /// TIOCSTI would type into the terminal that nsl was started from (CVE-2017-5226).
    fn the_callers_terminal(who) {
        let pty = nix::pty::openpty(None, None).expect("a terminal");
        let stage = Stage::new(who);
        let program = "import fcntl, os, termios\nprint(os.isatty(0))\ntry: fcntl.ioctl(0, termios.TIOCSTI, b'x'); print('typed')\nexcept OSError as e: print(e.errno)\ntry: os.open('/dev/tty', os.O_RDWR); print('opened')\nexcept OSError as e: print(e.errno)";
        let through = ["/usr/bin/setsid", "--ctty"];
        let mut command = stage.command_through(&through, &["/usr/bin/python3", "-I", "-S", "-c", program]);
        command.stdin(Stdio::from(pty.slave)).process_group(0);
        let out = stage.finish(command).out();
        // EPERM or, with dev.tty.legacy_tiocsti off, EIO; ENXIO: there is no controlling terminal.
        assert!(["True\n1\n6", "True\n5\n6"].contains(&out.as_str()), "{out}");
    }

    /// The caller's keys are not found through the session keyring.
    fn the_callers_keyring(who) {
        let program = format!("{PRELUDE}{}print(libc.syscall(ctypes.c_long(SYS_keyctl), ctypes.c_long(0), ctypes.c_long(-3), ctypes.c_long(0)))", numbers(["keyctl"].into_iter()));
        let stage = Stage::new(who);
        let mut outside = std::process::Command::new("/usr/bin/python3");
        outside.args(["-I", "-S", "-c", &program]);
        stage.as_caller(&mut outside);
        let outside = outside.output().expect("python3 is there");
        assert_ne!(stage.python(&program).out(), String::from_utf8_lossy(&outside.stdout).trim());
    }

    /// No signal leaves the sandbox.
    fn signals_out(who) {
        let stage = Stage::new(who);
        let mut victim = std::process::Command::new("/bin/sleep");
        victim.arg("100");
        stage.as_caller(&mut victim);
        let mut victim = victim.spawn().expect("sleep is there");
        let program = format!("import os\nfor pid in [{}, -1]:\n  try: os.kill(pid, 9)\n  except OSError as e: print(e.errno)\nprint('alive')", victim.id());
        let outcome = stage.python(&program);
        assert!(victim.try_wait().expect("our own child").is_none(), "{outcome:?}");
        victim.kill().expect("it runs");
        victim.wait().expect("our own child");
    }
}
