//! Cgroups of the sandbox's own: made before the child, written through the controllers of cgroups-rs, read back,
//! and removed whatever happens.
//!
//! cgroups-rs gives typed setters that report their errors; its `apply` and its builder swallow them, so neither is used.
//! Creation, membership and removal are a few file operations that must work on a hybrid host and in a delegated subtree,
//! where the crate assumes fixed roots.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cgroups_rs::fs::MaxValue;
use cgroups_rs::fs::cpu::CpuController;
use cgroups_rs::fs::memory::MemController;
use cgroups_rs::fs::pid::PidController;

use super::failure::{Context, Done, Failure};
use super::outcome::CgroupUse;
use crate::plan::{CgroupDir, CgroupLimit};

/// The period of cpu.max: the kernel's default, microseconds.
const PERIOD: u64 = 100_000;

/// A cgroup that exists.
pub struct Made {
    /// What the plan says of it.
    pub dir: CgroupDir,
    /// Its directory.
    pub path: PathBuf,
}

/// The directory of a cgroup. `PID` in its name is the supervisor's.
pub fn path_of(dir: &CgroupDir, pid: u32) -> PathBuf {
    let name = |name: &str| name.replace("PID", &pid.to_string());
    let parent = Path::new(&dir.mount).join(dir.parent.trim_start_matches('/'));
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
    fs::create_dir(path).context(|| format!("making the cgroup {}", path.display()))
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

/// Writes a limit and reads it back: what the kernel rounded is fine, what it ignored is not.
pub fn limit(dir: &CgroupDir, path: &Path, limit: CgroupLimit) -> Done {
    let v2 = dir.version == 2;
    let (point, root) = (path.to_path_buf(), PathBuf::from(&dir.mount));
    let (result, file, wanted) = match limit {
        CgroupLimit::MemoryMax(bytes) => {
            let file = if v2 { "memory.max" } else { "memory.limit_in_bytes" };
            (MemController::new(point, root, v2).set_limit(signed(bytes)?), file, bytes)
        }
        CgroupLimit::SwapMax { swap, memory } => {
            let (file, value) = if v2 {
                ("memory.swap.max", swap)
            } else {
                // v1 counts memory and swap together, and takes that only on top of a limit of memory.
                let Some(memory) = memory else {
                    return Err(Failure::refused("cgroup v1 limits swap only together with `memory.max`"));
                };
                ("memory.memsw.limit_in_bytes", memory.saturating_add(swap))
            };
            (MemController::new(point, root, v2).set_memswap_limit(signed(value)?), file, value)
        }
        CgroupLimit::PidsMax(count) => {
            let max = MaxValue::Value(signed(count)?);
            (PidController::new(point, root, v2).set_pid_max(max), "pids.max", count)
        }
        CgroupLimit::CpuMax(thousandths) => {
            let quota = thousandths * PERIOD / 1000;
            let controller = CpuController::new(point, root, v2);
            let result = controller.set_cfs_quota_and_period(Some(signed(quota)?), Some(PERIOD));
            (result, if v2 { "cpu.max" } else { "cpu.cfs_quota_us" }, quota)
        }
    };
    if let Err(error) = result {
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        let mut errno = 0;
        while let Some(it) = cause {
            errno = it.downcast_ref::<std::io::Error>().and_then(|it| it.raw_os_error()).unwrap_or(errno);
            cause = it.source();
        }
        return Err(Failure { errno, detail: format!("writing {wanted} to {}", path.join(file).display()) });
    }
    read_back(&path.join(file), wanted)
}

fn read_back(file: &Path, wanted: u64) -> Done {
    let text = fs::read_to_string(file).context(|| format!("reading {}", file.display()))?;
    let found: Option<u64> = text.split_whitespace().next().and_then(|it| it.parse().ok());
    match found {
        // The kernel counts memory in pages and rounds down.
        Some(found) if found <= wanted && wanted - found < 65536 => Ok(()),
        _ => Err(Failure::refused(format!("{} reads `{}` after {wanted} was written", file.display(), text.trim()))),
    }
}

fn signed(value: u64) -> Done<i64> {
    i64::try_from(value).map_err(|_| Failure::refused(format!("{value} is more than the kernel takes")))
}

/// Moves a process into a cgroup.
pub fn enter(path: &Path, pid: i32) -> Done {
    write(&path.join("cgroup.procs"), &pid.to_string())
}

fn write(file: &Path, text: &str) -> Done {
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
