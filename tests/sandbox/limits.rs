//! Limits of a whole sandbox, hit for real.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;

use super::*;

/// A part of the cgroup tree that root hands to a user, as a system's manager would; removed again.
pub struct Delegation {
    name: String,
    /// The folders that are handed over, and below v2's the one in which the user's processes are.
    folders: Vec<PathBuf>,
    leaf: Option<PathBuf>,
}

impl Delegation {
    /// Hands over to this user; `None` where the host has no cgroups that root could hand over.
    pub fn to(who: Who) -> Option<Delegation> {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if !nix::unistd::geteuid().is_root() {
            return None;
        }
        let name = format!("delegated-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut delegation = Delegation { name, folders: vec![], leaf: None };
        let root = Path::new("/sys/fs/cgroup");
        match root.join("cgroup.controllers").exists() {
            true => delegation.version_2(root, who),
            false => {
                for controller in ["memory", "pids", "cpu"] {
                    delegation.hand_over(&root.join(controller), who)?;
                }
                Some(())
            }
        }?;
        Some(delegation)
    }

    fn version_2(&mut self, root: &Path, who: Who) -> Option<()> {
        let _ = fs::write(root.join("cgroup.subtree_control"), "+memory +pids +cpu");
        self.hand_over(root, who)?;
        let leaf = self.folders[0].join("leaf");
        fs::create_dir(&leaf).ok()?;
        chown(&leaf, Some(who.uid()), None).ok()?;
        chown(leaf.join("cgroup.procs"), Some(who.uid()), None).ok()?;
        self.leaf = Some(leaf);
        Some(())
    }

    fn hand_over(&mut self, hierarchy: &Path, who: Who) -> Option<()> {
        let folder = hierarchy.join(&self.name);
        fs::create_dir(&folder).ok()?;
        self.folders.push(folder.clone());
        for name in [".", "cgroup.procs", "tasks", "cgroup.subtree_control", "cgroup.threads"] {
            let path = folder.join(name);
            if path.exists() {
                chown(path, Some(who.uid()), None).ok()?;
            }
        }
        Some(())
    }

    /// The value of `--cgroup-parent`.
    pub fn parent(&self) -> String {
        format!("/{}", self.name)
    }

    /// A run in this part of the tree. On v2 a process may only be moved inside what was handed over, so the
    /// caller has to be there first.
    pub fn run(&self, stage: &Stage, who: Who, args: &[&str]) -> Outcome {
        stage.finish(self.command(stage, who, args))
    }

    /// Where the handed over part of a hierarchy is: that of a controller of v1, or v2's.
    pub fn folder(&self, controller: &str) -> &Path {
        let of_controller = |it: &&PathBuf| it.starts_with(Path::new("/sys/fs/cgroup").join(controller));
        self.folders.iter().find(of_controller).unwrap_or(&self.folders[0])
    }

    /// The same, not started yet.
    pub fn command(&self, stage: &Stage, who: Who, args: &[&str]) -> std::process::Command {
        let Some(leaf) = &self.leaf else { return stage.command(args) };
        let (uid, gid) = who.ids().expect("a test that plays");
        let script = format!(
            "echo 0 >{}/cgroup.procs && exec setpriv --reuid {uid} --regid {gid} --clear-groups \"$@\"",
            leaf.display()
        );
        let mut command = std::process::Command::new("/bin/sh");
        let inner = stage.command(args);
        command.args(["-c", &script, "sh"]).arg(inner.get_program()).args(inner.get_args());
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
            .env("NO_COLOR", "1")
            .envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .current_dir(stage.path("."));
        command
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        command
    }
}

impl Drop for Delegation {
    fn drop(&mut self) {
        for folder in self.leaf.iter().chain(self.folders.iter()) {
            for _ in 0..100 {
                if fs::remove_dir(folder).is_ok() {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        }
    }
}

/// A disk of this host, whatever is on it: only its numbers are used.
fn disk() -> Option<String> {
    let names = fs::read_dir("/sys/block").ok()?.flatten().map(|it| it.file_name().to_string_lossy().into_owned());
    let mut disks: Vec<String> =
        names.filter(|it| !["loop", "ram", "zram"].iter().any(|kind| it.starts_with(kind))).collect();
    disks.sort();
    disks.into_iter().map(|it| format!("/dev/{it}")).find(|it| Path::new(it).exists())
}

/// A stage with limits, and where its user may have them.
fn limited(who: Who, lines: &[&str]) -> Option<(Stage, Delegation)> {
    let Some(delegation) = Delegation::to(who) else {
        skip("sandbox::limits", "only root can hand over a cgroup");
        return None;
    };
    Some((
        Stage::new(who).section("cgroup", "new", lines).option("--cgroup-parent").option(&delegation.parent()),
        delegation,
    ))
}

const HOG: &str = "
print('begun', flush=True)
held = [bytearray(b'x' * (1 << 20)) for _ in range(300)]
print('held', len(held))
";

/// Forks until it cannot, or a hundred times.
const BOMB: &str = "
import os, signal, errno
children = []
try:
    while len(children) < 100:
        child = os.fork()
        if child == 0:
            signal.pause()
        children.append(child)
except OSError as e:
    print(errno.errorcode[e.errno], flush=True)
print(len(children))
for child in children:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
";

fn python(program: &'static str) -> [&'static str; 5] {
    ["/usr/bin/python3", "-I", "-S", "-c", program]
}

both! {
    fn memory(who) {
        let Some((stage, delegation)) = limited(who, &["memory.max = 48MiB", "memory.swap.max = 0B"]) else { return };
        let outcome = delegation.run(&stage, who, &python(HOG));
        outcome.ends(137).says("memory.max").says(&stage.place("memory.max"));
        assert_eq!(outcome.bytes(), b"begun\n");
    }

    /// A child that is killed for memory is reported too, though the program goes on.
    fn memory_of_a_child(who) {
        let Some((stage, delegation)) = limited(who, &["memory.max = 48MiB", "memory.swap.max = 0B"]) else { return };
        let script = "/usr/bin/python3 -I -S -c 'x = bytearray(b\"x\" * (300 << 20))'; exit 0";
        let outcome = delegation.run(&stage, who, &["/bin/sh", "-c", script]);
        // Where the whole group is killed together (v2, memory.oom.group) the shell dies with its child.
        assert!([0, 137].contains(&outcome.code()), "{outcome:?}");
        outcome.says("memory.max");
    }

    fn processes(who) {
        let Some((stage, delegation)) = limited(who, &["pids.max = 12"]) else { return };
        let out = delegation.run(&stage, who, &python(BOMB)).out();
        let (error, count) = out.split_once('\n').expect("two lines");
        assert_eq!(error, "EAGAIN");
        let count: u32 = count.parse().expect("a number");
        assert!((8..12).contains(&count), "{count} processes");
    }

    fn cpu(who) {
        let Some((stage, delegation)) = limited(who, &["cpu.max = 25%"]) else { return };
        let program = "
import time
begun, used = time.monotonic(), time.process_time()
while time.monotonic() - begun < 2: pass
print((time.process_time() - used) / (time.monotonic() - begun))
";
        let share: f64 = delegation.run(&stage, who, &python(program)).out().parse().expect("a number");
        assert!(share < 0.45, "a quarter of a CPU is {share}");
    }

    fn no_limit_is_hit_and_nothing_is_said(who) {
        let Some((stage, delegation)) = limited(who, &["memory.max = 64MiB", "pids.max = 16", "cpu.max = 100%"]) else { return };
        let outcome = delegation.run(&stage, who, &["/bin/echo", "fine"]);
        assert_eq!((outcome.out().as_str(), outcome.stderr.as_str()), ("fine", ""));
    }

    /// Two nsl in two PID namespaces may have the same process id, and so the same name for their cgroups.
    fn a_cgroup_of_somebody_else_is_left_alone(who) {
        if who == Who::User {
            return;
        }
        for (line, ends) in [("pids.max = 16", 125), ("prefer pids.max = 16", 0)] {
            let Some((stage, delegation)) = limited(who, &[line]) else { return };
            let folders = &delegation.folders;
            let folder = folders.iter().find(|it| it.starts_with("/sys/fs/cgroup/pids")).unwrap_or(&folders[0]);
            let script = "mkdir \"$0/nsl-test-$$\" || exit 99; sleep 100 >&- 2>&- &
                echo $! >\"$0/nsl-test-$$/cgroup.procs\" && exec \"$@\"";
            let inner = stage.command(&["/bin/true"]);
            let mut command = std::process::Command::new("/bin/sh");
            command.args(["-c", script]).arg(folder).arg(inner.get_program()).args(inner.get_args());
            command.current_dir(stage.path("."));
            let child = command.stderr(std::process::Stdio::piped()).spawn().expect("a shell");
            let theirs = folder.join(format!("nsl-test-{}", child.id()));
            let outcome = child.wait_with_output().expect("our own child");
            let alive = fs::read_to_string(theirs.join("cgroup.procs")).unwrap_or_default();
            for pid in alive.lines().filter_map(|it| it.parse().ok()) {
                let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL);
            }
            for _ in 0..100 {
                if fs::remove_dir(&theirs).is_ok() {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            assert_eq!(outcome.status.code(), Some(ends), "{outcome:?}");
            assert_eq!(alive.lines().count(), 1, "what was in the other's cgroup is dead: {outcome:?}");
        }
    }

    /// What is written is what the kernel has, in the cgroup that has the run's name.
    fn limits_are_in_force(who) {
        if who == Who::User {
            return;
        }
        let stage = Stage::new(who).section("cgroup", "new", &["memory.max = 64MiB", "pids.max = 16", "cpu.max = 50%"]);
        let mut running = stage.start(&["/bin/sh", "-c", "echo ready; exec sleep 1000"]);
        running.line("ready");
        let dirs = leftovers::cgroups(&format!("-{}", running.pid()));
        let read = |names: &[&str]| dirs.iter().flat_map(|dir| names.iter().map(move |name| dir.join(name))).find_map(|it| fs::read_to_string(it).ok());
        assert_eq!(read(&["memory.max", "memory.limit_in_bytes"]).as_deref(), Some("67108864\n"), "{dirs:?}");
        assert_eq!(read(&["pids.max"]).as_deref(), Some("16\n"));
        let cpu = read(&["cpu.max", "cpu.cfs_quota_us"]).expect("it is limited");
        assert_eq!(cpu.split_whitespace().next(), Some("50000"));
        let procs = read(&["cgroup.procs"]).expect("it has processes");
        assert!(procs.lines().count() >= 1);
        assert!(!procs.lines().any(|line| line == running.pid().to_string()), "nsl itself is limited");
        running.signal(Signal::SIGTERM);
        running.finish().ends(143);
    }

    /// Each limit beside memory, processes and CPU time, in the files of whichever version of cgroups its controller is in.
    fn every_other_limit_is_in_force(who) {
        if who == Who::User {
            return;
        }
        let Some(disk) = disk() else {
            skip("sandbox::limits::every_other_limit_is_in_force", "this host has no disk");
            return;
        };
        let v2 = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
        let io = format!("io.max {disk} = rates(rbps: 10MiB, wiops: 100)");
        let mut lines = vec!["memory.max = 64MiB", "cpu.max = quota(50%, period: 20ms)", "cpu.weight = 50", &io];
        let mut files: Vec<(&str, &str)> = if v2 {
            vec![("cpu.max", "10000 20000"), ("cpu.weight", "50"), ("io.max", "rbps=10485760 wbps=max riops=max wiops=100")]
        } else {
            vec![
                ("cpu.cfs_quota_us", "10000"),
                ("cpu.cfs_period_us", "20000"),
                ("cpu.shares", "512"),
                ("blkio.throttle.read_bps_device", " 10485760"),
                ("blkio.throttle.write_iops_device", " 100"),
            ]
        };
        lines.extend(["cpuset.cpus = \"0\"", "cpuset.mems = [0]"]);
        files.extend([("cpuset.cpus", "0"), ("cpuset.mems", "0")]);
        if v2 {
            lines.extend(["memory.high = 48MiB", "memory.low = 16MiB", "memory.min = 8MiB", "memory.oom.group = true"]);
            files.extend([("memory.high", "50331648"), ("memory.low", "16777216"), ("memory.min", "8388608"), ("memory.oom.group", "1")]);
        }
        let huge = Path::new("/sys/kernel/mm/hugepages/hugepages-2048kB").exists();
        if huge {
            lines.push("prefer hugetlb.max 2MiB = 4MiB");
        }
        let stage = Stage::new(who).section("cgroup", "new", &lines);
        let script = "sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status; exec sleep 1000";
        let mut running = stage.start(&["/bin/sh", "-c", script]);
        running.line("0");
        let dirs = leftovers::cgroups(&format!("-{}", running.pid()));
        let read = |name: &str| dirs.iter().find_map(|dir| fs::read_to_string(dir.join(name)).ok());
        for (name, value) in files {
            let text = read(name).unwrap_or_else(|| panic!("no {name} in {dirs:?}"));
            assert!(text.trim() == value || text.contains(value), "{name} is {text:?}, not {value:?}");
        }
        if let Some(text) = read("hugetlb.2MB.max").or(read("hugetlb.2MB.limit_in_bytes")) {
            assert_eq!(text.trim(), "4194304");
        }
        running.signal(Signal::SIGTERM);
        running.finish().ends(143);
    }

    /// What v1 does not have is refused with that reason, or said not to be in force.
    fn a_limit_of_version_2_alone(who) {
        if who == Who::User || !Path::new("/sys/fs/cgroup/memory").exists() {
            return;
        }
        let stage = Stage::new(who).section("cgroup", "new", &["memory.high = 64MiB"]);
        stage.sh("echo ran").ends(2).says("nsl::cgroup-version").says(&stage.place("memory.high")).says("no `memory.high`");
        let stage = Stage::new(who).section("cgroup", "new", &["prefer memory.high = 64MiB"]);
        let outcome = stage.sh("echo ran");
        outcome.says("memory.high is not in force");
        assert_eq!(outcome.out(), "ran");
    }

    /// What the kernel cannot give is an error at the line, and nothing is left.
    fn a_limit_that_means_nothing_here(who) {
        if who == Who::User {
            return;
        }
        for (line, code, says) in [
            ("cpuset.cpus = \"8000\"", "nsl::cgroup-failed", "cpuset.cpus"),
            ("cpuset.mems = [1000]", "nsl::cgroup-failed", "cpuset.mems"),
            ("io.max /dev/null = rates(rbps: 1MiB)", "nsl::cgroup-failed", "is no block device"),
            ("io.max /dev/no-such-disk = rates(rbps: 1MiB)", "nsl::io-device", "there is no /dev/no-such-disk"),
            ("io.max /etc/passwd = rates(rbps: 1MiB)", "nsl::io-device", "is no device"),
        ] {
            let stage = Stage::new(who).section("cgroup", "new", &[line]);
            let outcome = stage.sh("echo ran");
            outcome.says(code).says(says).says(&stage.place(line.split_whitespace().next().expect("a key")));
            assert!([2, 125].contains(&outcome.code()) && outcome.bytes().is_empty(), "{outcome:?}");
        }
    }

    fn a_limit_that_cannot_be_had(who) {
        if who == Who::Root {
            return;
        }
        let stage = Stage::new(who).section("cgroup", "new", &["memory.max = 64MiB"]);
        stage.sh("echo ran").ends(2).says(&stage.place("memory.max")).says("--cgroup-parent");
        let stage = Stage::new(who).section("cgroup", "new", &["prefer memory.max = 64MiB"]);
        let outcome = stage.sh("echo ran");
        outcome.says(&stage.place("memory.max"));
        assert_eq!(outcome.out(), "ran");
    }
}
