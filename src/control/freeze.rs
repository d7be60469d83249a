//! Freezing: cgroup v2 stops every process of a cgroup where it is, and SIGKILL still ends it. cgroups(7), Linux 5.2.
//!
//! The freezer of v1 is not used: what it has frozen cannot even be killed, so a sandbox would outlive its nsl.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::report::Diagnostic;
use crate::state::{Entry, Record};

/// How long the processes of a sandbox may take to stop: one that waits for a disk does not stop before it is served.
const PATIENCE: Duration = Duration::from_secs(10);

/// Stops every process of a sandbox where it is, and of the containers that are its members. All of them, or none.
pub fn freeze(entry: &Entry, members: &[Entry]) -> Result<(), Diagnostic> {
    entry.running()?;
    // The containers before what holds them together, each in the cgroup that it has: there its limits are.
    let all: Vec<&Entry> = members.iter().chain([entry]).collect();
    for (index, one) in all.iter().enumerate() {
        match freeze_one(one) {
            // It has ended meanwhile.
            Err(_) if index + 1 < all.len() && !one.held() => {}
            Err(finding) => {
                all[..index].iter().for_each(|it| thaw_one(it).unwrap_or_default());
                return Err(finding);
            }
            Ok(()) => {}
        }
    }
    Ok(())
}

fn freeze_one(entry: &Entry) -> Result<(), Diagnostic> {
    let record = entry.running()?;
    let dir = match of_record(record) {
        Some(dir) => dir,
        None => own_cgroup(entry, record)?,
    };
    set(record, &dir, "1")
}

/// Lets a frozen sandbox go on, and the containers that are its members.
pub fn thaw(entry: &Entry, members: &[Entry]) -> Result<(), Diagnostic> {
    entry.running()?;
    // What is above first: what is frozen with it does not go on before.
    let mut result = thaw_one(entry);
    for one in members {
        result = result.and(thaw_one(one).or_else(|finding| if one.held() { Err(finding) } else { Ok(()) }));
    }
    result
}

fn thaw_one(entry: &Entry) -> Result<(), Diagnostic> {
    let record = entry.running()?;
    match place(entry, record) {
        Some(dir) => set(record, &dir, "0"),
        None => Ok(()),
    }
}

/// Whether a sandbox is frozen.
pub fn is_frozen(entry: &Entry) -> bool {
    entry.record.as_ref().and_then(|record| place(entry, record)).is_some_and(|dir| reads(&dir, "1"))
}

fn reads(dir: &Path, wanted: &str) -> bool {
    // What went on and ended at once takes its cgroup with it.
    let Ok(events) = fs::read_to_string(dir.join("cgroup.events")) else { return wanted == "0" };
    events.lines().any(|line| line.strip_prefix("frozen ") == Some(wanted))
}

fn set(record: &Record, dir: &Path, value: &str) -> Result<(), Diagnostic> {
    let file = dir.join("cgroup.freeze");
    fs::write(&file, value).map_err(|error| failed(record, &format!("writing {} failed: {error}", file.display())))?;
    if let Some(above) = frozen_above(dir).filter(|_| value == "0") {
        return Err(held(record, &above));
    }
    let begun = Instant::now();
    while !reads(dir, value) {
        if begun.elapsed() > PATIENCE {
            return Err(failed(record, &format!("its processes do not stop within {} seconds", PATIENCE.as_secs())));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// The cgroup above that holds what is below it, however that is set itself.
fn frozen_above(dir: &Path) -> Option<PathBuf> {
    let is_set = |dir: &&Path| fs::read_to_string(dir.join("cgroup.freeze")).is_ok_and(|it| it.trim() == "1");
    dir.ancestors().skip(1).find(is_set).map(Path::to_path_buf)
}

fn held(record: &Record, above: &Path) -> Diagnostic {
    let message = format!("`{}` stays frozen: {} is, with all that is below it", record.name, above.display());
    Diagnostic::error("freeze-failed", message).help(match &record.pod {
        Some(pod) => format!("let the whole pod go on: `nsl thaw {pod}`"),
        None => "whoever has frozen that cgroup has to let it go on, by a 0 in its cgroup.freeze".to_string(),
    })
}

fn failed(record: &Record, reason: &str) -> Diagnostic {
    Diagnostic::error("freeze-failed", format!("`{}` cannot be frozen or thawed: {reason}", record.name))
        .help("it takes a cgroup of version 2 that the caller may write to; `nsl doctor` says which there is")
}

/// The cgroup in which it can be frozen, where it has one.
fn place(entry: &Entry, record: &Record) -> Option<PathBuf> {
    // What is noted may never have been made.
    of_record(record).or_else(|| entry.left_behind().filter(|dir| dir.is_dir()))
}

/// The cgroup v2 that its limits are in.
fn of_record(record: &Record) -> Option<PathBuf> {
    record.cgroups.iter().find(|dir| dir.join("cgroup.freeze").exists()).cloned()
}

/// Where a cgroup for this purpose is: below that of its nsl. The supervisor's process id and start time make the name its own.
fn freezer_of(record: &Record) -> Option<PathBuf> {
    let table = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let mount = table.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        after.starts_with("cgroup2 ").then(|| before.split(' ').nth(4))?
    })?;
    let of_supervisor = fs::read_to_string(format!("/proc/{}/cgroup", record.supervisor.pid)).ok()?;
    let parent = of_supervisor.lines().find_map(|line| line.strip_prefix("0::"))?;
    let parent = Path::new(mount).join(parent.trim_start_matches('/'));
    Some(parent.join(format!("nsl-freezer-{}-{}", record.supervisor.pid, record.supervisor.start)))
}

/// A cgroup of v2 for a sandbox that has none, with all of its processes in it.
fn own_cgroup(entry: &Entry, record: &Record) -> Result<PathBuf, Diagnostic> {
    let dir = freezer_of(record).ok_or_else(|| failed(record, "this host has no cgroup hierarchy of version 2"))?;
    if !dir.is_dir() {
        // Written down first, so that whoever clears up after a killed nsl finds it.
        entry
            .leave_behind(&dir)
            .map_err(|error| failed(record, &format!("its directory cannot be written: {error}")))?;
        fs::create_dir(&dir).map_err(|error| failed(record, &format!("making {} failed: {error}", dir.display())))?;
    }
    let procs = dir.join("cgroup.procs");
    // A process that is born meanwhile is born where its parent is: once a round finds none outside, none is.
    for _ in 0..1000 {
        let inside: Vec<i32> =
            fs::read_to_string(&procs).unwrap_or_default().lines().filter_map(|line| line.parse().ok()).collect();
        let outside: Vec<i32> = record.processes().into_iter().filter(|pid| !inside.contains(pid)).collect();
        if outside.is_empty() {
            return Ok(dir);
        }
        for pid in outside {
            match fs::write(&procs, pid.to_string()) {
                Err(error) if error.raw_os_error() != Some(libc::ESRCH) => {
                    let _ = fs::remove_dir(&dir);
                    return Err(failed(record, &format!("moving process {pid} to {} failed: {error}", dir.display())));
                }
                _ => {}
            }
        }
    }
    Err(failed(record, "its processes multiply faster than they can be moved"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_frozen_above_is_found() {
        let root = std::env::temp_dir().join(format!("freeze-test-{}", std::process::id()));
        let (pod, container) = (root.join("pod"), root.join("pod/container"));
        fs::create_dir_all(&container).expect("a folder of our own");
        let set = |dir: &Path, value| fs::write(dir.join("cgroup.freeze"), value).expect("a file of our own");
        set(&container, "1\n");
        set(&pod, "0\n");
        assert_eq!(frozen_above(&container), None);
        set(&pod, "1\n");
        assert_eq!(frozen_above(&container), Some(pod.clone()));
        assert_eq!(frozen_above(&pod), None);
        fs::remove_dir_all(&root).expect("a folder of our own");
    }
}
