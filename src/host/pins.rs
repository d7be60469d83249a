//! Namespaces that a file keeps: mounts of nsfs, proc_pid_mountinfo(5).

use std::fs;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::Path;

use super::{mounts, namespaces};
use crate::policy::NsKind;

/// The mount of nsfs behind a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The kind of the namespace.
    pub kind: NsKind,
    /// Its inode on nsfs: the number that `ls -l /proc/PID/ns` shows.
    pub id: u64,
    /// Whether it lies on another pin, which comes to light when it is taken away.
    pub on_another: bool,
}

/// The pin that a file was opened on, with O_PATH; `None` for any other file.
pub fn pin_behind(file: BorrowedFd) -> Option<Pin> {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd())).ok()?;
    let id: u64 = info.lines().find_map(|it| it.strip_prefix("mnt_id:"))?.trim().parse().ok()?;
    let mounts = mounts::parse(&fs::read_to_string("/proc/self/mountinfo").ok()?);
    let mount = mounts.iter().find(|it| it.id == id && it.fs == "nsfs")?;
    let (kind, id) = namespaces::parse(Path::new(&mount.root))?;
    Some(Pin { kind, id, on_another: mounts.iter().any(|it| it.id == mount.parent && it.fs == "nsfs") })
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn other_files_are_no_pins() {
        // The kernel's own mount of nsfs is in no table, so that not even a namespace is one.
        for path in ["/proc/self/ns/net", "/proc/self/status", "/"] {
            let file = fs::File::open(path).expect("it is there");
            assert_eq!(pin_behind(file.as_fd()), None, "{path}");
        }
    }
}
