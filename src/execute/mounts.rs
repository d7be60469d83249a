//! The new mount API: everything by descriptor, nothing by a path that somebody else could swap.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, fsconfig_create, fsconfig_set_flag,
    fsconfig_set_string, fsmount, fsopen, move_mount, open_tree,
};

use super::failure::{Context, Done, Failure};
use super::sys;
use crate::plan::{Access, MountFlags, Propagation};

/// mount_setattr(2)
pub const RDONLY: u64 = 0x1;
/// mount_setattr(2)
pub const NOSUID: u64 = 0x2;
/// mount_setattr(2)
pub const NODEV: u64 = 0x4;
/// mount_setattr(2)
pub const NOEXEC: u64 = 0x8;

/// mount_setattr(2), Linux 5.14
pub const NOSYMFOLLOW: u64 = 0x20_0000;

/// The attributes of a mount as the policy states them.
pub fn attributes(access: Access, flags: MountFlags) -> u64 {
    let mut bits = 0;
    for (set, bit) in [
        (access == Access::Ro, RDONLY),
        (flags.nosuid, NOSUID),
        (flags.nodev, NODEV),
        (flags.noexec, NOEXEC),
        (flags.nosymfollow, NOSYMFOLLOW),
    ] {
        bits |= if set { bit } else { 0 };
    }
    bits
}

/// A new file system that is attached nowhere yet.
pub fn new_filesystem(kind: &str, options: &[(&str, &str)], attributes: u64) -> Done<OwnedFd> {
    let what = || format!("mounting {kind}");
    let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC).context(what)?;
    for (key, value) in options {
        let result = match *value {
            "" => fsconfig_set_flag(&context, *key),
            value => fsconfig_set_string(&context, *key, value),
        };
        result.context(|| format!("the option {key}={value} of {kind}"))?;
    }
    fsconfig_create(&context).context(what)?;
    let attributes = MountAttrFlags::from_bits_retain(attributes as u32);
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes).context(what)
}

/// A tmpfs that is attached nowhere yet. tmpfs(5)
pub fn new_tmpfs(size: u64, inodes: u64, mode: u32, attributes: u64) -> Done<OwnedFd> {
    let (size, inodes, mode) = (size.to_string(), inodes.to_string(), format!("{mode:o}"));
    new_filesystem("tmpfs", &[("size", &size), ("nr_inodes", &inodes), ("mode", &mode)], attributes)
}

/// A private copy of the mount tree at `path` below `dir`, attached nowhere yet.
pub fn clone_tree(dir: BorrowedFd, path: &str, recursive: bool) -> Result<OwnedFd, rustix::io::Errno> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    if path.is_empty() {
        flags |= OpenTreeFlags::AT_EMPTY_PATH;
    } else {
        flags |= OpenTreeFlags::AT_NO_AUTOMOUNT;
    }
    open_tree(dir, path, flags)
}

/// As [`clone_tree`], of the entry itself and not of what a symbolic link leads to.
pub fn clone_entry(dir: BorrowedFd, name: &std::ffi::CStr) -> Result<OwnedFd, rustix::io::Errno> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE
        | OpenTreeFlags::AT_SYMLINK_NOFOLLOW;
    open_tree(dir, name, flags)
}

/// The mount tree at an absolute path of the host, if this process may copy it here and now.
pub fn clone_host_path(path: &str, recursive: bool) -> Result<OwnedFd, rustix::io::Errno> {
    clone_tree(CWD, path, recursive)
}

/// Attaches a mount on what `target` refers to.
pub fn attach(mount: BorrowedFd, target: BorrowedFd) -> Result<(), rustix::io::Errno> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(mount, "", target, "", flags)
}

/// Sets attributes on a mount and makes it private; `recursive`: on all below it as well, all or none.
pub fn restrict(mount: BorrowedFd, attributes: u64, recursive: bool) -> Done {
    set(mount, attributes, recursive, Propagation::Private)
}

/// Sets attributes on a mount and all below it, and what becomes of what is mounted there later.
pub fn restrict_all(mount: BorrowedFd, attributes: u64, propagation: Propagation) -> Done {
    set(mount, attributes, true, propagation)
}

fn set(mount: BorrowedFd, attributes: u64, recursive: bool, propagation: Propagation) -> Done {
    let kind = match propagation {
        Propagation::Private => libc::MS_PRIVATE,
        Propagation::Slave => libc::MS_SLAVE,
        // A copy is in the peer group of the original until it is taken out.
        Propagation::Shared => 0,
    };
    sys::mount_setattr(mount, attributes, recursive, kind).context(|| "setting the attributes of the mount".to_string())
}

/// Fails unless what is mounted later comes along as it should: a copy of a mount that is private is private, whatever was
/// asked for.
pub fn propagates(mount: BorrowedFd, propagation: Propagation) -> Done {
    let tag = match propagation {
        Propagation::Private => return Ok(()),
        Propagation::Slave => "master:",
        Propagation::Shared => "shared:",
    };
    let id = mount_id(mount)?.to_string();
    let path = "/proc/self/mountinfo";
    let text = std::fs::read_to_string(path).context(|| format!("reading {path}"))?;
    let line = text.lines().find(|it| it.split(' ').next() == Some(&id));
    // Behind the options stand the tags, up to a hyphen: proc_pid_mountinfo(5).
    let is_tagged = |it: &str| it.split(' ').skip(6).take_while(|it| *it != "-").any(|it| it.starts_with(tag));
    match line.map(is_tagged) {
        Some(true) => Ok(()),
        Some(false) => Err(Failure::refused("the mount is not shared on the host, so nothing comes along")),
        None => Err(Failure::refused(format!("{path} does not show the mount, so that nobody knows what comes along"))),
    }
}

/// A private copy of the mount tree at `source`, with these attributes, attached on what `target` refers to, which may be the
/// same: then it becomes a mount of its own.
pub fn bind_on(source: BorrowedFd, target: BorrowedFd, attributes: u64, what: impl Fn() -> String) -> Done<OwnedFd> {
    let copy = clone_tree(source, "", true).context(&what)?;
    restrict(copy.as_fd(), attributes, true)?;
    attach(copy.as_fd(), target).context(&what)?;
    Ok(copy)
}

/// Opens a path inside a tree as if the tree were the root: no `..`, no symbolic link and no magic link of it leads out.
pub fn open_inside<P: rustix::path::Arg + Copy>(
    root: BorrowedFd,
    path: P,
    flags: OFlags,
) -> Result<OwnedFd, rustix::io::Errno> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    loop {
        // openat2(2): EAGAIN when a rename elsewhere raced with the walk; it is to be tried again.
        match rustix::fs::openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
            Err(rustix::io::Errno::AGAIN) => continue,
            result => return result,
        }
    }
}

/// Opens a direct entry of a directory that must be no symbolic link and no mount point of somebody else.
pub fn open_beneath(dir: BorrowedFd, path: &str, flags: OFlags) -> Result<OwnedFd, rustix::io::Errno> {
    let resolve =
        ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
    rustix::fs::openat2(dir, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve)
}

/// Device and inode: what a descriptor really refers to.
pub fn identity(fd: BorrowedFd) -> Done<(u64, u64)> {
    let stat = rustix::fs::fstat(fd).context(|| "looking at a descriptor".to_string())?;
    Ok((stat.st_dev, stat.st_ino))
}

/// The mount that a descriptor refers into: statx(2), Linux 5.8.
pub fn mount_id(fd: BorrowedFd) -> Done<u64> {
    let stat = rustix::fs::statx(fd, "", AtFlags::EMPTY_PATH, rustix::fs::StatxFlags::MNT_ID);
    stat.map(|it| it.stx_mnt_id).context(|| "asking for the mount of a descriptor".to_string())
}

/// Whether the mount behind a descriptor is read-only.
pub fn is_read_only(fd: BorrowedFd) -> bool {
    rustix::fs::fstatvfs(fd).is_ok_and(|it| it.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
}

/// Whether what a descriptor refers to is a directory.
pub fn is_dir(fd: BorrowedFd) -> Done<bool> {
    let stat = rustix::fs::fstat(fd).context(|| "looking at a descriptor".to_string())?;
    Ok(rustix::fs::FileType::from_raw_mode(stat.st_mode).is_dir())
}

/// Flags for a descriptor that only stands for a place.
pub const PLACE: OFlags = OFlags::PATH;

/// statx(2) of an entry without following it.
pub fn entry_type(dir: BorrowedFd, name: &std::ffi::CStr) -> Result<rustix::fs::FileType, rustix::io::Errno> {
    let stat = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(rustix::fs::FileType::from_raw_mode(stat.st_mode))
}
