//! Limits for an ordinary user, in a scope that systemd's user manager makes. In the virtual machine alone: elsewhere there may be no systemd,
//! or one that is the user's own.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::*;

/// `systemd --user` of a user, in the place that systemd gives it on a host that it has booted.
struct Manager {
    child: Child,
    service: PathBuf,
    runtime: PathBuf,
    _folder: tempfile::TempDir,
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !holds() {
        assert!(begun.elapsed() < stage::patience(), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Manager {
    fn start(who: Who) -> Manager {
        let (uid, gid) = who.ids().expect("a test that plays");
        let slice = Path::new("/sys/fs/cgroup/user.slice");
        let user = slice.join(format!("user-{uid}.slice"));
        let service = user.join(format!("user@{uid}.service"));
        fs::create_dir_all(service.join("shell.scope")).expect("cgroup v2");
        for dir in [slice, &user] {
            fs::write(dir.join("cgroup.subtree_control"), "+memory +pids +cpu").expect("handed down from the root");
        }
        for dir in [service.clone(), service.join("shell.scope")] {
            for name in [".", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"] {
                chown(dir.join(name), Some(uid.as_raw()), Some(gid.as_raw())).expect("ours");
            }
        }
        // Not the usual place, where the other tests' runs would find it.
        let folder = tempfile::Builder::new().prefix("runtime-").tempdir_in("/tmp").expect("/tmp can be written");
        let runtime = folder.path().to_path_buf();
        fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700)).expect("ours");
        chown(&runtime, Some(uid.as_raw()), Some(gid.as_raw())).expect("ours");
        // systemd looks there for whether it has booted the host.
        fs::create_dir_all("/run/systemd/system").expect("ours");
        let mut command = inside(&service, who, &runtime);
        command
            .args(["/usr/lib/systemd/systemd", "--user", "--log-target=console"])
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let child = command.spawn().expect("systemd");
        let manager = Manager { child, service, runtime, _folder: folder };
        until("the manager listens", || manager.runtime.join("systemd/private").exists());
        manager
    }

    /// Every scope of a sandbox that there is.
    fn scopes(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.service.join("app.slice")).into_iter().flatten().flatten();
        entries.map(|it| it.path()).filter(|it| it.to_string_lossy().contains("/nsl-")).collect()
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::write(self.service.join("cgroup.kill"), "1");
        for _ in 0..100 {
            let mut dirs: Vec<PathBuf> = vec![self.service.clone()];
            let mut index = 0;
            while index < dirs.len() {
                let below = fs::read_dir(&dirs[index]).into_iter().flatten().flatten().map(|it| it.path());
                let below: Vec<PathBuf> = below.filter(|it| it.is_dir()).collect();
                dirs.extend(below);
                index += 1;
            }
            dirs.iter().rev().for_each(|it| drop(fs::remove_dir(it)));
            if !self.service.exists() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A program of a user in a cgroup, as one of a session.
fn inside(cgroup: &Path, who: Who, runtime: &Path) -> Command {
    let (uid, gid) = who.ids().expect("a test that plays");
    let script = format!(
        "echo 0 >{}/cgroup.procs && exec setpriv --reuid {uid} --regid {gid} --clear-groups \"$@\"",
        cgroup.display()
    );
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &script, "sh"]).env_clear().env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin").env("NO_COLOR", "1");
    command.env("XDG_RUNTIME_DIR", runtime).env("HOME", "/home/nsl-tester").current_dir("/");
    command
}

fn nsl(manager: &Manager, stage: &Stage, who: Who, args: &[&str]) -> Command {
    let inner = stage.command(args);
    let mut command = inside(&manager.service.join("shell.scope"), who, &manager.runtime);
    command.arg(inner.get_program()).args(inner.get_args()).current_dir(stage.path("."));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn a_scope_of_the_user_manager() {
    if !stage::in_vm() || !Path::new("/usr/lib/systemd/systemd").exists() {
        return;
    }
    let who = Who::User;
    let manager = Manager::start(who);
    let stage = Stage::new(who).section("cgroup", "new", &["memory.max = 256MiB", "pids.max = 7"]);

    // The limits are in force, in a cgroup below the scope's, with nsl beside it.
    let waiter = ["/bin/sh", "-c", "echo ready; while :; do sleep 0.1; done"];
    let mut running = stage.start_command(nsl(&manager, &stage, who, &waiter));
    running.line("ready");
    let scopes = manager.scopes();
    assert_eq!(scopes.len(), 1, "{scopes:?}");
    let name = format!("nsl-test-{}", running.pid());
    assert!(scopes[0].ends_with(format!("{name}.scope")), "{scopes:?}");
    let file = |name: &str| fs::read_to_string(scopes[0].join(name)).unwrap_or_default().trim().to_string();
    assert_eq!(file(&format!("{name}/pids.max")), "7");
    assert_eq!(file(&format!("{name}/memory.max")), (256 << 20).to_string());
    assert!(file("supervisor/cgroup.procs").lines().any(|it| it == running.pid().to_string()));
    running.signal(nix::sys::signal::Signal::SIGTERM);
    running.finish();
    // The manager removes the scope when the last of nsl is gone.
    until("the scope goes away", || manager.scopes().is_empty());

    // A fork bomb stops at the limit.
    let bomb = "i=0; while [ $i -lt 20 ]; do sleep 5 & i=$((i + 1)); done 2>/dev/null; echo $?";
    let outcome = stage.finish(nsl(&manager, &stage, who, &["/bin/sh", "-c", bomb]));
    assert_ne!(outcome.bytes(), b"0\n", "{outcome:?}");
    until("the scope goes away", || manager.scopes().is_empty());

    // Killed in any way, nsl leaves nothing, and neither does the manager.
    let mut running = stage.start_command(nsl(&manager, &stage, who, &waiter));
    running.line("ready");
    running.signal(nix::sys::signal::Signal::SIGKILL);
    running.finish();
    until("the scope goes away", || manager.scopes().is_empty());

    // A manager that answers no more: what is required is refused, what is preferred is left out and told.
    let socket = manager.runtime.join("systemd/private");
    fs::remove_file(&socket).expect("it is there");
    drop(std::os::unix::net::UnixListener::bind(&socket).expect("ours"));
    chown(&socket, Some(who.uid()), None).expect("ours");
    stage.finish(nsl(&manager, &stage, who, &["/bin/true"])).ends(125).says("nsl::scope-failed").says("memory.max");
    let preferred = Stage::new(who).section("cgroup", "new", &["prefer pids.max = 7"]);
    preferred.finish(nsl(&manager, &preferred, who, &["/bin/true"])).ends(0).says("is not in force");
}
