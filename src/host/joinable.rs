//! What can be joined: whose the namespaces are that a policy names, and who may enter them.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::{Caller, HostFacts, sys};
use crate::policy::{JoinTarget, NsKind};

/// What a policy joins, as this host has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joinable {
    /// Why there is nothing that could be joined.
    pub missing: Option<Missing>,
    /// The process whose namespaces they are; `None` for a file.
    pub process: Option<Process>,
    /// Its namespaces by kind; a file has one.
    pub namespaces: BTreeMap<NsKind, Namespace>,
    /// The ids of the process inside its user namespace.
    pub ids: Option<(u32, u32)>,
    /// Whether setgroups(2) is denied in its user namespace.
    pub setgroups_denied: bool,
}

/// Why nothing can be joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// There is no such process, file, sandbox or pod.
    Absent,
    /// The caller may not look.
    Forbidden,
    /// It is no namespace.
    NoNamespace,
}

/// A process that cannot be taken for a later one with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number in the caller's PID namespace.
    pub pid: u32,
    /// When it started, clock ticks after the boot: field 22 of proc_pid_stat(5).
    pub start: u64,
}

/// A namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    /// Its inode on nsfs: the number that `ls -l /proc/PID/ns` shows.
    pub id: u64,
    /// Whether the caller is in it.
    pub own: bool,
    /// The user namespace that gives rights over it: of a user namespace, itself. `None`: one that the caller's does not
    /// contain.
    pub user: Option<UserNamespace>,
}

/// A user namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserNamespace {
    /// Its inode on nsfs.
    pub id: u64,
    /// Who made it.
    pub uid: u32,
    /// Whether it is a child of the one that the caller is in.
    pub child: bool,
}

impl Joinable {
    /// Nothing, for a reason.
    pub fn missing(why: Missing) -> Joinable {
        Joinable { missing: Some(why), ..Joinable::default() }
    }
}

impl UserNamespace {
    /// Whether a caller has all capabilities in it: user_namespaces(7).
    pub fn ruled_by(&self, caller: &Caller) -> bool {
        caller.has("sys_admin") || (self.child && self.uid == caller.uid)
    }
}

/// How facts know a target.
pub fn join_key(target: &JoinTarget) -> String {
    match target {
        JoinTarget::Pid(pid) => format!("pid {pid}"),
        JoinTarget::Path(path) => format!("path {path}"),
        JoinTarget::Sandbox(name) => format!("sandbox {name}"),
        JoinTarget::Pod(name) => format!("pod {name}"),
    }
}

/// The process behind the name of a sandbox or a pod.
#[derive(Clone, Debug)]
pub struct Running {
    /// The process.
    pub process: Process,
    /// The kinds of its namespaces that the name stands for; `None`: all.
    pub kinds: Option<Vec<NsKind>>,
}

/// What is there to be joined. `running` knows what runs, by name.
pub(super) fn find(target: &JoinTarget, running: &dyn Fn(&JoinTarget) -> Option<Running>) -> Joinable {
    match target {
        JoinTarget::Pid(pid) => of_process(*pid, None),
        JoinTarget::Path(path) => of_file(path),
        JoinTarget::Sandbox(_) | JoinTarget::Pod(_) => {
            let Some(found) = running(target) else { return Joinable::missing(Missing::Absent) };
            let mut joinable = of_process(found.process.pid, Some(found.process.start));
            if let Some(kinds) = found.kinds {
                joinable.namespaces.retain(|kind, _| kinds.contains(kind));
            }
            joinable
        }
    }
}

/// The namespaces of a process; of that process and no other where it is known when it started.
pub(super) fn of_process(pid: u32, started: Option<u64>) -> Joinable {
    let Some(start) = start_time(pid).filter(|it| started.is_none_or(|known| known == *it)) else {
        return Joinable::missing(Missing::Absent);
    };
    let mut found = Joinable { process: Some(Process { pid, start }), ..Joinable::default() };
    for kind in NsKind::ALL {
        match open(&format!("/proc/{pid}/ns/{}", kind.name())) {
            Ok(fd) => drop(namespace(fd.as_fd(), kind).map(|it| found.namespaces.insert(kind, it))),
            // A kernel without this kind.
            Err(Errno::NOENT) => {}
            Err(_) => return Joinable::missing(Missing::Forbidden),
        }
    }
    (found.ids, found.setgroups_denied) = identity(pid);
    found
}

fn of_file(path: &str) -> Joinable {
    let fd = match open(path) {
        Ok(fd) => fd,
        Err(Errno::NOENT | Errno::NOTDIR) => return Joinable::missing(Missing::Absent),
        Err(Errno::ACCESS | Errno::PERM) => return Joinable::missing(Missing::Forbidden),
        Err(_) => return Joinable::missing(Missing::NoNamespace),
    };
    let flag = sys::kind_of_namespace(fd.as_fd());
    let kind = NsKind::ALL.into_iter().find(|kind| flag == Ok(clone_flag(*kind)));
    let Some((kind, found)) = kind.and_then(|kind| Some((kind, namespace(fd.as_fd(), kind)?))) else {
        return Joinable::missing(Missing::NoNamespace);
    };
    let mut joinable = Joinable { namespaces: BTreeMap::from([(kind, found)]), ..Joinable::default() };
    // A file says nothing of ids; a process in it does, and where there is none, the map.
    if kind == NsKind::User {
        let seen = match inhabitant(found.id) {
            Some(pid) => Some(identity(pid)),
            None => sys::look_from_inside(fd.as_fd(), first_ids),
        };
        (joinable.ids, joinable.setgroups_denied) = seen.unwrap_or_default();
    }
    joinable
}

fn open(path: &str) -> Result<OwnedFd, Errno> {
    rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::empty())
}

/// The CLONE_NEW* flag of a kind.
fn clone_flag(kind: NsKind) -> i32 {
    match kind {
        NsKind::User => libc::CLONE_NEWUSER,
        NsKind::Mnt => libc::CLONE_NEWNS,
        NsKind::Pid => libc::CLONE_NEWPID,
        NsKind::Net => libc::CLONE_NEWNET,
        NsKind::Ipc => libc::CLONE_NEWIPC,
        NsKind::Uts => libc::CLONE_NEWUTS,
        NsKind::Cgroup => libc::CLONE_NEWCGROUP,
        NsKind::Time => libc::CLONE_NEWTIME,
    }
}

fn namespace(fd: BorrowedFd, kind: NsKind) -> Option<Namespace> {
    let id = inode(fd)?;
    let user = match kind {
        NsKind::User => user_namespace(fd),
        _ => sys::owning_user_namespace(fd).ok().and_then(|it| user_namespace(it.as_fd())),
    };
    Some(Namespace { id, own: own_id(kind) == Some(id), user })
}

fn user_namespace(fd: BorrowedFd) -> Option<UserNamespace> {
    let parent = sys::parent_namespace(fd).ok().and_then(|it| inode(it.as_fd()));
    let child = parent.is_some() && parent == own_id(NsKind::User);
    Some(UserNamespace { id: inode(fd)?, uid: sys::owner_uid(fd).ok()?, child })
}

/// Whether the caller may mount: [`HostFacts::mount_admin`].
pub(super) fn may_mount(facts: &HostFacts) -> bool {
    facts.caller.has("sys_admin") && owns_mounts()
}

/// Whether the caller's user namespace owns the mount namespace that it is in: only then capabilities of it give rights over its mounts.
fn owns_mounts() -> bool {
    let own = open("/proc/self/ns/mnt").ok().and_then(|it| namespace(it.as_fd(), NsKind::Mnt));
    let owner = own.and_then(|it| it.user).map(|it| it.id);
    owner.is_some() && owner == own_id(NsKind::User)
}

fn inode(fd: BorrowedFd) -> Option<u64> {
    rustix::fs::fstat(fd).ok().map(|it| it.st_ino)
}

fn own_id(kind: NsKind) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(format!("/proc/self/ns/{}", kind.name())).ok().map(|it| it.ino())
}

/// When a process started, clock ticks after the boot: field 22 of proc_pid_stat(5).
pub fn start_time(pid: u32) -> Option<u64> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// The ids of a process inside its user namespace, and whether setgroups(2) is denied there.
fn identity(pid: u32) -> (Option<(u32, u32)>, bool) {
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let status = read("status");
    let effective = |key: &str| -> Option<u32> {
        status.lines().find_map(|line| line.strip_prefix(key)?.split_whitespace().nth(1)?.parse().ok())
    };
    let ids = || Some((inside(&read("uid_map"), effective("Uid:")?)?, inside(&read("gid_map"), effective("Gid:")?)?));
    (ids(), read("setgroups").trim() == "deny")
}

/// The first ids that are mapped in the user namespace of a process, and whether setgroups(2) is denied there.
fn first_ids(pid: u32) -> (Option<(u32, u32)>, bool) {
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let first = |file: &str| -> Option<u32> { read(file).split_whitespace().next()?.parse().ok() };
    (first("uid_map").zip(first("gid_map")), read("setgroups").trim() == "deny")
}

/// What an id of the caller's user namespace is in the one of a map: user_namespaces(7).
fn inside(map: &str, outside: u32) -> Option<u32> {
    map.lines().find_map(|line| {
        let numbers: Vec<u32> = line.split_whitespace().filter_map(|it| it.parse().ok()).collect();
        let &[first, from, count] = numbers.as_slice() else { return None };
        let offset = outside.checked_sub(from).filter(|it| *it < count)?;
        first.checked_add(offset)
    })
}

/// Some process in a user namespace.
fn inhabitant(user_namespace: u64) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let mut pids = processes.filter_map(|it| it.file_name().to_str()?.parse::<u32>().ok());
    pids.find(|pid| fs::metadata(format!("/proc/{pid}/ns/user")).is_ok_and(|it| it.ino() == user_namespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_in_its_own_namespaces() {
        let found = of_process(std::process::id(), None);
        assert_eq!(found.missing, None);
        assert!(found.namespaces.values().all(|it| it.own), "{found:?}");
        assert!(found.ids.is_some());
        let start = found.process.expect("a process").start;
        assert_eq!(of_process(std::process::id(), Some(start + 1)).missing, Some(Missing::Absent));
    }

    #[test]
    fn a_file_that_is_no_namespace_is_said_to_be_none() {
        assert_eq!(of_file("/proc/self/status").missing, Some(Missing::NoNamespace));
        assert_eq!(of_file("/nonexistent").missing, Some(Missing::Absent));
        let net = of_file("/proc/self/ns/net");
        assert_eq!(net.namespaces.keys().collect::<Vec<_>>(), [&NsKind::Net]);
    }

    #[test]
    fn ids_are_read_through_a_map() {
        let map = "         0     100000       1000\n      5000       1000          1\n";
        assert_eq!(inside(map, 100_005), Some(5));
        assert_eq!(inside(map, 1000), Some(5000));
        assert_eq!(inside(map, 1001), None);
    }
}
