//! Why a step of the tree of paths failed, and what to do about it.

use crate::plan::{MountStep, SecretFrom};

fn text(text: &str) -> Option<String> {
    Some(text.to_string())
}

pub(super) fn source_cause(path: &str, errno: i32) -> (&'static str, Option<String>) {
    match errno {
        libc::ENOENT | libc::ENOTDIR => {
            ("source-missing", Some(format!("create {path}, correct the path, or write `optional` before the mount")))
        }
        libc::EACCES => (
            "source-forbidden",
            Some(format!("the caller may not reach {path}: change its permissions, or run as its owner")),
        ),
        libc::EINVAL => (
            "source-failed",
            text("in a user namespace the kernel keeps a mount and those below it together: drop `recursive: false`"),
        ),
        libc::EMFILE | libc::ENFILE => ("source-failed", text("there are no descriptors left: raise `ulimit -n`")),
        _ => ("source-failed", None),
    }
}

pub(super) fn volume_cause(errno: i32) -> Option<String> {
    match errno {
        libc::EPERM => {
            text("a volume is made in the pod's user namespace: write `user new` in the pod, or run as root")
        }
        libc::EINVAL => {
            text("the kernel refused the size, the inodes or the mode; or the root of this host is the initial ramfs")
        }
        libc::ENOSPC => text("user.max_mnt_namespaces is reached: end other pods, or raise it as root"),
        libc::EMFILE | libc::ENFILE => text("there are no descriptors left: raise `ulimit -n`"),
        _ => None,
    }
}

pub(super) fn hold_cause(name: &str, errno: i32) -> (&'static str, Option<String>) {
    match errno {
        libc::EWOULDBLOCK => (
            "overlay-in-use",
            text(
                "wait for the other run, or give each an `upper` and a `work` of its own: what two of them change at a time is undefined",
            ),
        ),
        libc::ENOENT => ("source-missing", Some(format!("make the directory {name}: changes are to be kept in it"))),
        libc::ENOTDIR | libc::ELOOP => {
            ("source-failed", Some(format!("{name} has to be a directory, and no symbolic link")))
        }
        _ => ("source-failed", None),
    }
}

pub(super) fn tree_cause(errno: i32) -> Option<String> {
    match errno {
        libc::ELOOP => text(
            "a mount namespace was pinned below it since the plan was made, or is pinned below a source with `idmap`: `nsl ns --kind mnt` \
             shows where (`pinned by`)",
        ),
        libc::EPERM => text(
            "mounts need `mnt new`, and `user new` for a caller without CAP_SYS_ADMIN; in a container the runtime may forbid them",
        ),
        libc::ENOSPC => text("/proc/sys/fs/mount-max is reached"),
        libc::ENOSYS => text("the new mount API needs Linux 5.12"),
        _ => None,
    }
}

pub(super) fn mount_cause(source: &MountStep, target: &str, errno: i32) -> Option<String> {
    match (source, errno) {
        (MountStep::Device { .. }, 0) => {
            text("name a device node of the host; a file or a directory is brought in with `bind`")
        }
        (MountStep::Secret { .. }, 0) => text("see `nsl explain secret-source`"),
        (MountStep::Overlay(_), errno) if overlay_cause(errno).is_some() => overlay_cause(errno),
        (_, 0) => Some(format!("choose another path than {target}, or make it on the host")),
        (MountStep::Proc(_), libc::EPERM) => text(
            "a fresh /proc needs `pid new`, and a host whose own /proc is not covered in parts, as containers have it: write `mount /proc = bind(ro)` there",
        ),
        (MountStep::Sys, libc::EPERM) => text("a fresh /sys needs `net new`: write it, or `mount /sys = bind(ro)`"),
        (MountStep::Mqueue | MountStep::Dev { .. }, libc::EPERM) => {
            text("mqueue needs `ipc new`; device nodes come from the host's /dev, which must be there")
        }
        (MountStep::Cgroup, libc::EPERM) => text("the cgroup file system needs `cgroup new`"),
        (_, libc::EPERM) => text("the caller may not mount this here: `mnt new` and `user new` give the right to it"),
        (_, libc::ENOENT) => {
            Some(format!("{target} cannot be made in the sandbox: a symbolic link on the way leads nowhere"))
        }
        (_, libc::ELOOP) => Some(format!("too many symbolic links on the way to {target}")),
        (MountStep::File { .. }, libc::ENOSPC) => {
            text("all texts of `file(\"…\")` together may have 16 MiB, and be 4000")
        }
        (_, libc::ENOSPC) => text(
            "the tmpfs above it has no inodes left for the place to mount on (`inodes:`), or /proc/sys/fs/mount-max is reached",
        ),
        (_, libc::EACCES) => {
            Some(format!("the program's user may not pass through a directory on the way to {target}"))
        }
        (MountStep::Tmpfs { .. }, libc::EINVAL) => {
            text("the kernel refused the size, the inodes or the mode of the tmpfs")
        }
        _ => None,
    }
}

pub(super) fn overlay_cause(errno: i32) -> Option<String> {
    match errno {
        0 => text(
            "`upper` and `work` have to belong to somebody whom the sandbox's user namespace maps, and their file system has to know extended attributes",
        ),
        libc::EOVERFLOW => text(
            "what is to be changed belongs to somebody who has no number in this sandbox, so that no copy of it can be made: map its owner, or make the place to mount on beforehand",
        ),
        libc::ENODEV => text("this kernel has no overlayfs: `modprobe overlay`, as root"),
        libc::EPERM => text("overlays in a user namespace need Linux 5.11, or root without `user new`"),
        libc::EINVAL => text(
            "the file system of a layer, or of `upper`, cannot be one: network and FUSE file systems often cannot, and an overlay cannot lie in `upper`; `dmesg` has the kernel's reason",
        ),
        libc::ELOOP => text("a layer lies inside of another, by its path or by a symbolic link"),
        libc::ENOENT | libc::ENOTDIR => text("make the directories of `upper` and `work` before the run"),
        libc::EXDEV => {
            text("`upper` and `work` have to be directories of one file system, with nothing mounted on them")
        }
        _ => None,
    }
}

pub(super) fn placeholder_cause(path: &str, errno: i32) -> Option<String> {
    match errno {
        libc::EACCES | libc::EPERM | libc::EROFS => Some(format!(
            "what the policy covers must be there to be covered, and the caller may not make {path} on the host: make it there, or bind the directory read-only"
        )),
        _ => None,
    }
}

pub(super) fn path_cause(target: &str, errno: i32) -> Option<String> {
    match errno {
        0 => Some(format!("make {target} on the host, or mount something of the sandbox's own above it")),
        libc::EEXIST => Some(format!("{target} exists already, as something else")),
        libc::EACCES => Some(format!("the program's user may not pass through a directory on the way to {target}")),
        _ => None,
    }
}

pub(super) fn secret_cause(from: &SecretFrom, errno: i32) -> (&'static str, Option<String>) {
    match from {
        SecretFrom::File(path) if errno != 0 => source_cause(path, errno),
        SecretFrom::File(_) => {
            ("source-failed", text("name a regular file, or pass a descriptor: `secret(fd: 3)` and `3<FILE`"))
        }
        SecretFrom::Fd(fd) => {
            ("secret-not-passed", Some(format!("start nsl with the descriptor: `nsl run … {fd}<FILE`")))
        }
    }
}

pub(super) fn idmap_cause(errno: i32) -> Option<String> {
    match errno {
        0 | libc::EPERM => {
            text("only root of the host can have owners mapped; run as root, or write the policy without `idmap`")
        }
        libc::EINVAL => text(
            "a file system that is mounted there cannot have its owners mapped: ext4 and xfs can since Linux 5.12, btrfs since 5.15, overlayfs since 5.19, tmpfs since 6.3; `recursive: false` leaves out what is mounted below",
        ),
        _ => None,
    }
}

pub(super) fn image_cause(path: &str, errno: i32) -> Option<String> {
    match errno {
        0 => text("`nsl explain image-failed` says what an image may be; make it again, or correct the digest"),
        libc::ENOSPC => text(
            "the layers are larger than the memory that they may take: write `size: 4GiB`, and `inodes:` for many small files",
        ),
        libc::EACCES | libc::EPERM => Some(format!(
            "{path}: reading it, or mounting a file system in a file, which takes root of the host and its loop devices, is not permitted; the layers of an OCI image need neither"
        )),
        libc::ENODEV => {
            text("this kernel does not know the file system: `modprobe squashfs` or `modprobe erofs`, as root")
        }
        libc::EINVAL => text(
            "the file system in the file is damaged, or uses something that this kernel does not know; `dmesg` has the kernel's reason",
        ),
        _ => None,
    }
}

pub(super) fn pin_cause(path: &str, making: bool, errno: i32) -> Option<String> {
    Some(match errno {
        libc::EEXIST => format!(
            "{path} exists already: `nsl ns release {path}` lets go of a namespace that it keeps; anything else is not nsl's to replace"
        ),
        libc::ENOENT | libc::ENOTDIR => {
            format!("make the directory that {path} is to be in; in some, such as those of /proc, nobody can make files")
        }
        libc::ENAMETOOLONG => "choose a shorter name, of 255 bytes at the most".to_string(),
        libc::EPERM | libc::EACCES if making => {
            "you may not make files in that directory, or nobody may, as in those of /sys: name one elsewhere, as in /run".to_string()
        }
        0 => "others may write to that directory: name a file in one that is yours, as in /run".to_string(),
        libc::EROFS => "the file system is mounted read-only: name a file elsewhere, as in /run".to_string(),
        libc::EPERM | libc::EACCES => {
            "a mount takes CAP_SYS_ADMIN in the user namespace that owns the caller's mount namespace: run as root, or in one of your \
             own (`unshare -Urm`)"
                .to_string()
        }
        libc::EINVAL => {
            "a mount namespace is pinned on a private mount only: `mount --bind DIR DIR` and `mount --make-private DIR`, as unshare(1) \
             has it"
                .to_string()
        }
        libc::ENOSPC => "there are as many mounts as fs.mount-max allows".to_string(),
        _ => return None,
    })
}
