//! The profiles of the standard library, each really run.

use super::stage::have;
use super::*;

fn with(who: Who, head: &str, body: &str) -> Stage {
    Stage::of(who, &format!("{head} {{\n{body}\n}}\n"))
}

/// Tries things and says what came of each.
const TRY: &str = r#"
import os, socket, ctypes
def attempt(name, call):
    try:
        print(name, "done", call())
    except OSError as error:
        print(name, error.strerror)
attempt("write", lambda: open("/usr/x", "w"))
attempt("root", lambda: open("/x", "w"))
attempt("inet", lambda: socket.socket(socket.AF_INET))
attempt("unix", lambda: socket.socket(socket.AF_UNIX) and 0)
attempt("home", lambda: os.listdir("/home"))
attempt("etc", lambda: sorted(os.listdir("/etc"))[-1])
attempt("fork", lambda: os.waitpid(os.fork() or os._exit(0), 0)[1])
print("caps", [line.split()[1] for line in open("/proc/self/status") if line.startswith("Cap")])
print("mode", [line.split()[1] for line in open("/proc/self/status") if line.startswith(("NoNewPrivs", "Seccomp:"))])
"#;

both! {
    fn tool_filters(who) {
        let stage = with(who, "use std/tool\nsandbox t with tool.filter", "  run = [\"/bin/sh\", \"-c\", \"sort; id -u; ls /home 2>&1; echo x >/etc/x\"]");
        let outcome = stage.finish({
            let mut command = stage.command::<&str>(&[]);
            command.stdin(std::process::Stdio::null());
            command
        });
        outcome.ends(2).says("Read-only file system");
        let out = String::from_utf8_lossy(outcome.bytes()).into_owned();
        assert!(out.starts_with("1000\n") && out.contains("No such file"), "{out}");
    }

    fn tool_ends_in_time(who) {
        let stage = with(who, "use std/tool\nsandbox t with tool.filter(wall: 300ms)", "  run = [\"/bin/sleep\", \"100\"]");
        stage.run::<&str>(&[]).ends(137).says("time-limit-hit");
    }

    fn untrusted_is_contained(who) {
        // Its limits are required, and a user has no cgroup to put them in.
        let head = "use std/untrusted\nsandbox u with untrusted.contained";
        if who == Who::User {
            with(who, head, "  run = [\"/bin/true\"]").run::<&str>(&[]).ends(2).says("cgroup-not-delegated");
            return;
        }
        let stage = with(who, head, "  run = [\"/usr/bin/python3\", \"-I\", \"-S\"]");
        let out = stage.run(&["-c", TRY]).out();
        let lines: Vec<&str> = out.lines().collect();
        let expected = [
            "write Read-only file system",
            "root Read-only file system",
            "inet Address family not supported by protocol",
            "unix Operation not permitted",
            "home No such file or directory",
            "etc done passwd",
            "fork done 0",
            "caps ['0000000000000000', '0000000000000000', '0000000000000000', '0000000000000000', '0000000000000000']",
            "mode ['1', '2']",
        ];
        assert_eq!(lines, expected, "{out}");
    }

    fn untrusted_dies_of_a_mount(who) {
        if who == Who::User {
            return;
        }
        let program = "import ctypes; ctypes.CDLL(None).mount(b'none', b'/tmp', b'tmpfs', 0, None)";
        let stage = with(who, "use std/untrusted\nsandbox u with untrusted.contained", "  run = [\"/usr/bin/python3\", \"-I\", \"-c\"]");
        stage.run(&[program]).ends(128 + 31).says("filter-killed");
    }
}

/// A work tree that everybody may write to.
fn tree(stage: Stage) -> Stage {
    stage.folder("work").folder("work/.git").folder("work/.git/hooks").file("work/.env", 0o644, "secret\n")
}

both! {
    fn build_compiles_and_lays_no_hooks(who) {
        let script = "printf 'int main(void) { return 7; }' >a.c && cc a.c -o a && ./a; echo $?
            (echo bad >.git/hooks/post-commit) 2>/dev/null || echo refused; mv .git other 2>/dev/null || echo refused
            ls -A /home /root /run /var/lib | tr -d '\\n'; id -u; ip link 2>/dev/null | grep -c eth";
        if !have("cc") {
            // The virtual machine has few programs, and is known to have none.
            if !stage::in_vm() {
                skip("sandbox::library::build_compiles_and_lays_no_hooks", "there is no C compiler");
            }
            return;
        }
        let stage = tree(with(who, "use std/build\nsandbox b with build.workspace(tree: ./work)", "  run = [\"/bin/sh\", \"-c\"]"));
        let outcome = stage.run(&[script]);
        let out = String::from_utf8_lossy(outcome.bytes()).into_owned();
        assert_eq!(out, "7\nrefused\nrefused\n/home:/root:/run:/var/lib:1000\n0\n", "{outcome:?}");
        assert!(stage.path("work/a").exists());
    }

    fn an_agent_leaves_nothing_to_be_obeyed(who) {
        let script = "echo fine >file && cat file; grep secret .env || echo hidden
            for path in .git/hooks/pre-commit .git/config .bashrc .vscode/tasks.json .envrc .env.local; do
              (echo bad >$path) 2>/dev/null && echo wrote $path; rm -rf $path 2>/dev/null; mkdir -p $path 2>/dev/null && touch $path/x 2>/dev/null && echo made $path
            done
            mv .git other 2>/dev/null || echo refused; ls -A /home /root | tr -d '\\n'; echo";
        let stage = tree(with(who, "use std/agent\nsandbox a with agent.confined(tree: ./work)", "  run = [\"/bin/sh\", \"-c\"]"));
        assert_eq!(stage.run(&[script]).out(), "fine\nhidden\nrefused\n/home:/root:");
        let mut left: Vec<_> = std::fs::read_dir(stage.path("work")).expect("it is there").flatten().map(|it| it.file_name()).collect();
        left.sort();
        assert_eq!(left, [".env", ".git", "file"]);
        assert_eq!(std::fs::read_dir(stage.path("work/.git/hooks")).expect("it is there").count(), 0);
    }
}

/// A directory like the files of an image: one static program under many names.
pub fn image(stage: Stage) -> Stage {
    let program =
        std::fs::read("/usr/bin/busybox").or_else(|_| std::fs::read("/bin/busybox")).expect("busybox is installed");
    let stage = ["image", "image/bin", "image/proc", "image/dev", "image/sys", "image/tmp"]
        .iter()
        .fold(stage, |it, name| it.folder(name));
    stage.file("image/bin/sh", 0o755, program).file("image/hello", 0o644, "of the image\n")
}

both! {
    fn docker_runs_an_image(who) {
        let script = "cat() { while read -r line; do echo \"$line\"; done <\"$1\"; }
            cat /hello; echo $HOME; cat /proc/sys/kernel/hostname
            while read -r key value; do case $key in CapEff:|NoNewPrivs:|Seccomp:) echo $key $value;; esac; done </proc/self/status
            echo of the program >/tmp/made
            (echo 1 >/proc/sysrq-trigger) 2>/dev/null || echo masked; (echo x >/sys/x) 2>/dev/null || echo read-only";
        let head = "use std/docker\nsandbox d with docker.container(image: ./image)";
        let stage = image(with(who, head, "  run = [\"/bin/sh\", \"-c\"]"));
        let expected = [
            "of the image", "/root", "container", "CapEff: 00000000a00425fb", "NoNewPrivs: 1", "Seccomp: 2", "masked", "read-only",
        ];
        assert_eq!(stage.run(&[script]).out().lines().collect::<Vec<_>>(), expected);
        assert_eq!(std::fs::read_to_string(stage.path("image/tmp/made")).ok().as_deref(), Some("of the program\n"));
    }

    fn docker_filters_as_docker_does(who) {
        let program = "import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def attempt(name, result):
    print(name, 'done' if result >= 0 else os.strerror(ctypes.get_errno()))
attempt('personality', libc.personality(0xffffffff))
attempt('another', libc.personality(0x4000000))
attempt('unshare', libc.unshare(0x10000000))
attempt('mount', libc.mount(b'x', b'/tmp', b'tmpfs', 0, None))
attempt('keys', libc.syscall(250, 0, -3, 0))
attempt('chroot', libc.chroot(b'/'))
attempt('vsock', libc.socket(40, 1, 0))
attempt('unix', libc.socket(1, 1, 0))
attempt('ring', libc.syscall(425, 1, 0))
attempt('ptrace', -os.waitpid(os.fork() or os._exit(libc.ptrace(0, 0, 0, 0) != 0), 0)[1])
";
        let head = "use std/docker\nsandbox d with docker.container(image: /)";
        let stage = with(who, head, "  run = [\"/usr/bin/python3\", \"-I\", \"-S\", \"-c\"]\n  mnt new { root = host(ro) }");
        let no = "Operation not permitted";
        let expected = [
            "personality done".to_string(), format!("another {no}"), format!("unshare {no}"), format!("mount {no}"), format!("keys {no}"),
            "chroot done".to_string(), format!("vsock {no}"), "unix done".to_string(), format!("ring {no}"), "ptrace done".to_string(),
        ];
        assert_eq!(stage.run(&[program]).out().lines().collect::<Vec<_>>(), expected);
    }

    fn capabilities_by_purpose(who) {
        let program = "import socket; socket.socket().bind(('127.0.0.1', 80)); print('bound')
try: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)
except OSError as error: print(error.strerror)";
        let body = "  run = [\"/usr/bin/python3\", \"-I\", \"-S\", \"-c\"]\n  user new {\n    map uid 0 = unprivileged\n    map gid 0 = unprivileged\n  }";
        let run = |with_caps: &str| {
            let head = format!("use std/service\nuse std/caps\nsandbox c with service.hardened{with_caps}");
            with(who, &head, body).run(&[program])
        };
        assert_eq!(run(", caps.low-ports").out(), "bound\nOperation not permitted");
        assert_eq!(run(", caps.low-ports, caps.raw-sockets").out(), "bound");
        run("").ends(1).says("Permission denied");
        run(", caps.none, caps.low-ports").ends(2);
    }

    fn a_desktop_program_talks_to_what_is_named(who) {
        let program = "import os, socket
def attempt(name, path):
    try:
        socket.socket(socket.AF_UNIX).connect(path)
        print(name, 'connected')
    except OSError as error:
        print(name, error.strerror)
runtime = os.environ['XDG_RUNTIME_DIR']
attempt('wayland', runtime + '/' + os.environ['WAYLAND_DISPLAY'])
attempt('pulse', runtime + '/pulse/native')
attempt('bus', runtime + '/bus')
print('home', os.listdir('/home'), os.environ['HOME'])";
        let head = "use std/desktop\nsandbox v with desktop.application, desktop.wayland(display: \"wayland-7\", runtime: ./run), desktop.sound(runtime: ./run), desktop.gpu";
        let stage = with(who, head, "  run = [\"/usr/bin/python3\", \"-I\", \"-S\", \"-c\"]").folder("run").folder("run/pulse");
        let listen = |name: &str| {
            let path = stage.path(&format!("run/{name}"));
            let socket = std::os::unix::net::UnixListener::bind(&path).expect("a socket can be made");
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o666)).expect("its mode can be set");
            socket
        };
        let _sockets = [listen("wayland-7"), listen("pulse/native"), listen("bus")];
        let expected = "wayland connected\npulse connected\nbus No such file or directory\nhome [] /tmp";
        assert_eq!(stage.run(&[program]).out(), expected);
    }
}
