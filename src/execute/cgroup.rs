//! Cgroups of the sandbox's own: made before the child, and removed whatever happens.
//!
//! Creation, membership and removal are a few file operations that must work on a hybrid host and in a delegated subtree,
//! where the crate assumes fixed roots.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::failure::{Context, Done};
use super::outcome::CgroupUse;
use crate::host::SCOPE;
use crate::plan::CgroupDir;

/// A cgroup that exists.
pub struct Made {
    /// What the plan says of it.
    pub dir: CgroupDir,
    /// Its directory.
    pub path: PathBuf,
}

/// The directory of a cgroup. `PID` in its name is the supervisor's, and the parent `SCOPE` is that scope's, once it is there.
pub fn path_of(dir: &CgroupDir, pid: u32, scope: Option<&str>) -> PathBuf {
    let name = |name: &str| name.replace("PID", &pid.to_string());
    let parent = scope.filter(|_| dir.parent == SCOPE).unwrap_or(&dir.parent);
    let parent = Path::new(&dir.mount).join(parent.trim_start_matches('/'));
    match &dir.pod {
        // A container's name is its own and no place for a number.
        Some(pod) => parent.join(name(pod)).join(&dir.name),
        None => parent.join(name(&dir.name)),
    }
}

/// Makes a cgroup.
pub fn create(dir: &CgroupDir, path: &Path) -> Done {
    let parent = path.parent().unwrap_or(Path::new(&dir.mount));
    if dir.version == 2 {
        enable(parent, &dir.enable)?;
    }
    fs::create_dir(path).context(|| format!("making the cgroup {}", path.display()))?;
    if dir.version == 1 && dir.controller == "cpuset" {
        inherit_cpuset(parent, path)?;
    }
    Ok(())
}

/// A new cpuset of v1 has no CPUs and no memory, and takes no process until it has: cpuset(7).
fn inherit_cpuset(parent: &Path, path: &Path) -> Done {
    for file in ["cpuset.cpus", "cpuset.mems"] {
        let from = parent.join(file);
        let text = fs::read_to_string(&from).context(|| format!("reading {}", from.display()))?;
        write(&path.join(file), text.trim())?;
    }
    Ok(())
}

/// Switches controllers on for the children of a cgroup, where they are not yet.
fn enable(parent: &Path, controllers: &[String]) -> Done {
    let file = parent.join("cgroup.subtree_control");
    let enabled = fs::read_to_string(&file).context(|| format!("reading {}", file.display()))?;
    for controller in controllers {
        if !enabled.split_whitespace().any(|it| it == controller) {
            write(&file, &format!("+{controller}"))?;
        }
    }
    Ok(())
}

/// Moves a process into a cgroup.
pub fn enter(path: &Path, pid: i32) -> Done {
    write(&path.join("cgroup.procs"), &pid.to_string())
}

pub(super) fn write(file: &Path, text: &str) -> Done {
    let result = fs::OpenOptions::new().write(true).open(file).and_then(|mut it| it.write_all(text.as_bytes()));
    result.context(|| format!("writing {text} to {}", file.display()))
}

/// What the cgroups of a run counted.
pub fn used<'a>(cgroups: impl Iterator<Item = &'a Made>) -> CgroupUse {
    let mut used = CgroupUse::default();
    for Made { path, .. } in cgroups {
        let events = counter(&path.join("memory.events"), "oom_kill");
        used.oom_kills += events.or_else(|| counter(&path.join("memory.oom_control"), "oom_kill")).unwrap_or(0);
        used.fork_failures += counter(&path.join("pids.events"), "max").unwrap_or(0);
        let peak = number(&path.join("memory.peak")).or_else(|| number(&path.join("memory.max_usage_in_bytes")));
        used.memory_peak = used.memory_peak.or(peak);
        used.pids_peak = used.pids_peak.or_else(|| number(&path.join("pids.peak")));
        used.cpu = used.cpu.or_else(|| cpu_time(path));
        used.throttled = used.throttled.or_else(|| counter(&path.join("cpu.stat"), "nr_throttled"));
    }
    used
}

/// CPU time of all that was ever in a cgroup.
pub fn cpu_time(path: &Path) -> Option<Duration> {
    let v2 = counter(&path.join("cpu.stat"), "usage_usec").map(Duration::from_micros);
    v2.or_else(|| number(&path.join("cpuacct.usage")).map(Duration::from_nanos))
}

fn number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

fn counter(file: &Path, key: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
}

/// How long a dying process may keep its cgroup busy.
const PATIENCE: Duration = Duration::from_secs(5);

/// Kills whatever is left in a cgroup and removes it. Says whether it is gone.
pub fn remove(path: &Path) -> bool {
    let deadline = Instant::now() + PATIENCE;
    let mut pause = Duration::from_micros(200);
    loop {
        match fs::remove_dir(path) {
            Ok(()) => return true,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return true,
            Err(_) if Instant::now() >= deadline => return false,
            Err(_) => kill_all(path),
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

fn kill_all(path: &Path) {
    // cgroup.kill: v2, Linux 5.14.
    if path.join("cgroup.kill").exists() && write(&path.join("cgroup.kill"), "1").is_ok() {
        return;
    }
    let Ok(procs) = fs::read_to_string(path.join("cgroup.procs")) else { return };
    for pid in procs.lines().filter_map(|line| line.parse::<i32>().ok()).filter(|pid| *pid > 0) {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::SIGKILL);
    }
}
