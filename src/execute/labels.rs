//! The label that the program is executed with: /proc/self/attr, apparmor(7), selinux(8).
//!
//! The kernel takes a write to these files from the process that has opened them, about itself. The sandbox's own /proc may be missing or
//! somebody else's work, and what is mounted over the file would take the label and give none (CVE-2019-16884); so it is reached from a
//! descriptor of the host's /proc that was opened before there was a sandbox, and shown to be procfs.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, ResolveFlags};

use super::failure::{Context, Done, Failure};
use crate::plan::{Action, Plan, SecurityModule};

/// PROC_SUPER_MAGIC of linux/magic.h.
const PROCFS: i64 = 0x9fa0;
/// The inode number of procfs's root: PROC_ROOT_INO of include/linux/proc_fs.h.
const ROOT_INODE: u64 = 1;

/// The host's /proc for a plan that sets a label; `None` where none does.
pub fn host_proc(plan: &Plan) -> Done<Option<OwnedFd>> {
    if !plan.steps.iter().any(|it| matches!(it.action, Action::SetLabel { .. })) {
        return Ok(None);
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let proc = rustix::fs::open("/proc", flags, Mode::empty()).context(|| "opening /proc".to_string())?;
    Ok(Some(proc))
}

/// Asks for a label at the next execve(2), and reads back that it is what will be given.
pub fn set(proc: Option<&OwnedFd>, module: SecurityModule, label: &str) -> Done {
    let proc = proc.ok_or_else(|| Failure::refused("nobody has opened the host's /proc"))?.as_fd();
    if !is_procfs(proc)? || rustix::fs::fstat(proc).context(|| "looking at /proc".to_string())?.st_ino != ROOT_INODE {
        return Err(Failure::refused("the host's /proc is not the root of a procfs"));
    }
    let (path, text) = match module {
        SecurityModule::Apparmor => ("self/attr/apparmor/exec", format!("exec {label}")),
        SecurityModule::Selinux => ("self/attr/exec", label.to_string()),
    };
    let what = || format!("writing `{text}` to /proc/{path}");
    let file = match (open(proc, path), module) {
        // Linux before 5.8 has one directory for whichever module there is.
        (Err(rustix::io::Errno::NOENT), SecurityModule::Apparmor) => open(proc, "self/attr/exec"),
        (opened, _) => opened,
    };
    let file = file.context(what)?;
    if !is_procfs(file.as_fd())? {
        return Err(Failure::refused(format!("/proc/{path} is no file of procfs")));
    }
    // In one piece: the kernel takes no second write.
    let written = rustix::io::write(&file, text.as_bytes()).context(what)?;
    let mut found = [0; 4096];
    let length = rustix::io::pread(&file, &mut found, 0).context(|| format!("reading /proc/{path}"))?;
    let found = String::from_utf8_lossy(&found[..length]);
    match written == text.len() {
        true => agrees(module, label, found.trim_end_matches(['\0', '\n'])),
        false => Err(Failure::refused(format!("/proc/{path} has taken a part of `{text}`"))),
    }
}

/// What will be given, against what was asked for. AppArmor adds the mode, and only one that refuses is a wall.
fn agrees(module: SecurityModule, label: &str, found: &str) -> Done {
    let given = match (module, found.rsplit_once(" (")) {
        (SecurityModule::Apparmor, Some((name, mode))) => {
            if !matches!(mode.trim_end_matches(')'), "enforce" | "kill") {
                return Err(Failure::refused(format!("the profile {name} refuses nothing: it is in mode ({mode}")));
            }
            name
        }
        _ => found,
    };
    match given == label {
        true => Ok(()),
        false => Err(Failure::refused(format!("`{found}` would be given after `{label}` was asked for"))),
    }
}

/// Nothing of the path leads out of that procfs, nor is anything mounted over it.
fn open(proc: BorrowedFd, path: &str) -> Result<OwnedFd, rustix::io::Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
    rustix::fs::openat2(proc, path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty(), resolve)
}

fn is_procfs(fd: BorrowedFd) -> Done<bool> {
    let stat = rustix::fs::fstatfs(fd).context(|| "looking at the file system of /proc".to_string())?;
    Ok(stat.f_type as i64 == PROCFS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_procfs_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("self/attr/apparmor")).unwrap();
        std::fs::write(dir.path().join("self/attr/apparmor/exec"), "").unwrap();
        let fake = OwnedFd::from(std::fs::File::open(dir.path()).unwrap());
        let below = OwnedFd::from(std::fs::File::open("/proc/sys").unwrap());
        for proc in [None, Some(&fake), Some(&below)] {
            let failure = set(proc, SecurityModule::Apparmor, "web").unwrap_err();
            assert_eq!(failure.errno, 0, "{failure}");
        }
        assert_eq!(std::fs::read(dir.path().join("self/attr/apparmor/exec")).unwrap(), b"");
    }

    #[test]
    fn only_what_refuses_will_do() {
        let agree = |module, found| agrees(module, "web", found).is_ok();
        assert!(agree(SecurityModule::Apparmor, "web (enforce)") && agree(SecurityModule::Selinux, "web"));
        assert!(!agree(SecurityModule::Apparmor, "web (complain)"));
        assert!(!agree(SecurityModule::Apparmor, "other (enforce)") && !agree(SecurityModule::Apparmor, ""));
    }
}
