//! What a run may leave behind: nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Processes, mounts and cgroups of a run, known by the token that is in its command lines and environments, and by the
/// process id of its `nsl`. What is on its way out gets some time, and more where everything is slow.
pub fn of(token: &str, nsl: u32) -> Vec<String> {
    let begun = Instant::now();
    let patience = Duration::from_secs(if super::stage::in_vm() { 30 } else { 5 });
    loop {
        let mut left = processes(token);
        left.extend(mounts(token));
        left.extend(cgroups(&format!("-{nsl}")).iter().map(|it| format!("cgroup {}", it.display())));
        if left.is_empty() || begun.elapsed() > patience {
            return left;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Processes with the token in their command line or environment, or that run a program with the token in its path:
/// nsl's own processes wipe the first two.
pub fn processes(token: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|it| it.parse::<u32>().ok()) else { continue };
        if pid == std::process::id() {
            continue;
        }
        let read = |name: &str| fs::read(entry.path().join(name)).unwrap_or_default();
        let command = read("cmdline");
        let program = fs::read_link(entry.path().join("exe")).unwrap_or_default();
        let environment = read("environ");
        let texts = [command.as_slice(), environment.as_slice(), program.as_os_str().as_encoded_bytes()];
        if texts.iter().any(|it| contains(it, token.as_bytes())) {
            let status = String::from_utf8_lossy(&read("status")).lines().take(7).collect::<Vec<_>>().join(", ");
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            found.push(format!("process {pid}: {command} ({status})"));
        }
    }
    found
}

/// Mounts of the host with the token in them.
pub fn mounts(token: &str) -> Vec<String> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    table.lines().filter(|line| line.contains(token)).map(|line| format!("mount {line}")).collect()
}

/// Cgroups of ours, in every hierarchy, whose name ends so.
pub fn cgroups(end: &str) -> Vec<PathBuf> {
    fn walk(dir: &Path, end: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|it| it.is_dir()) {
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.starts_with("nsl-") && name.ends_with(end) {
                    found.push(entry.path());
                }
                walk(&entry.path(), end, found);
            }
        }
    }
    let mut found = Vec::new();
    walk(Path::new("/sys/fs/cgroup"), end, &mut found);
    found
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|it| it == needle)
}
