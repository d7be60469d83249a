//! Processes that are still the same: a process id alone may belong to somebody else by now.

use std::fs;
use std::io::Read;

use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// A process, known by its id and by when it started; both together are never used twice between two boots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its process id, in the PID namespace of nsl.
    pub pid: i32,
    /// When it started, in clock ticks since boot: field 22 of proc_pid_stat(5).
    pub start: u64,
}

impl Process {
    /// The process with this id, if there is one.
    pub fn of(pid: i32) -> Option<Process> {
        Some(Process { pid, start: field(&stat(pid)?, 22)? })
    }

    /// This process.
    pub fn own() -> Option<Process> {
        Process::of(nix::unistd::getpid().as_raw())
    }

    /// Whether it is still there, and no zombie.
    pub fn lives(self) -> bool {
        let Some(stat) = stat(self.pid) else { return false };
        let state = stat.rsplit_once(')').and_then(|it| it.1.trim_start().chars().next());
        field(&stat, 22) == Some(self.start) && !matches!(state, Some('Z' | 'X'))
    }

    /// A descriptor of this very process: opened first and looked at afterwards, so that it cannot be one that has taken over
    /// the id. pidfd_open(2), Linux 5.3.
    pub fn open(self) -> Option<std::os::fd::OwnedFd> {
        let pid = rustix::process::Pid::from_raw(self.pid)?;
        let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()?;
        (Process::of(self.pid) == Some(self)).then_some(pidfd)
    }

    /// Its children, oldest first. proc_tid_children(5); where the kernel lacks that file, all of /proc is looked through.
    pub fn children(self) -> Vec<i32> {
        let path = format!("/proc/{0}/task/{0}/children", self.pid);
        match fs::read_to_string(path) {
            Ok(text) => text.split_whitespace().filter_map(|it| it.parse().ok()).collect(),
            Err(_) => self.children_by_parent(),
        }
    }

    fn children_by_parent(self) -> Vec<i32> {
        let mut found: Vec<(u64, i32)> = fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
            .filter_map(|pid| {
                let stat = stat(pid)?;
                (field(&stat, 4)? == self.pid as u64).then_some((field(&stat, 22)?, pid))
            })
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, pid)| pid).collect()
    }

    /// The inode numbers of its namespaces by kind (`user`, `mnt`, …), as far as the caller may see them. namespaces(7)
    pub fn namespaces(self) -> std::collections::BTreeMap<String, u64> {
        const KINDS: [&str; 8] = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"];
        KINDS.iter().filter_map(|kind| Some((kind.to_string(), namespace(self.pid, kind)?))).collect()
    }

    /// Its id, for nix.
    pub fn id(self) -> Pid {
        Pid::from_raw(self.pid)
    }
}

/// `net:[4026531840]` is 4026531840.
pub(super) fn namespace(pid: i32, kind: &str) -> Option<u64> {
    let link = fs::read_link(format!("/proc/{pid}/ns/{kind}")).ok()?;
    link.to_str()?.strip_prefix(kind)?.strip_prefix(":[")?.strip_suffix(']')?.parse().ok()
}

/// The text of proc_pid_stat(5), in one read: the file says no length, and the kernel makes the text anew for each.
fn stat(pid: i32) -> Option<String> {
    let mut text = String::with_capacity(1024);
    fs::File::open(format!("/proc/{pid}/stat")).ok()?.read_to_string(&mut text).ok()?;
    Some(text)
}

/// A numeric field of proc_pid_stat(5), counted from 1; the name in parentheses, field 2, may hold anything.
fn field(stat: &str, number: usize) -> Option<u64> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(number - 3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let stat = "7 (a) b (c) S 3 7 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 4711 1 2";
        assert_eq!((field(stat, 4), field(stat, 22)), (Some(3), Some(4711)));
    }

    #[test]
    fn a_process_is_itself_and_nobody_else() {
        let own = Process::own().unwrap();
        assert!(own.lives() && own.open().is_some());
        let other = Process { start: own.start + 1, ..own };
        assert!(!other.lives() && other.open().is_none());
        assert_eq!(own.namespaces().len(), 8);
    }
}
