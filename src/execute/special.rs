//! File systems of the kernel's own: proc, a small dev, sysfs, and what belongs to them.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, FileType, Mode, OFlags};

use super::failure::{Context, Done, Failure};
use super::mounts::{self, NODEV, NOEXEC, NOSUID, PLACE, RDONLY};
use super::tree::{Shape, Tree};
use crate::plan::ProcOptions;

/// Entries of /proc that show or change what is the host's; nothing in a sandbox needs them.
const PROC_MASKED: [&str; 14] = [
    "asound",
    "interrupts",
    "acpi",
    "kcore",
    "keys",
    "latency_stats",
    "scsi",
    "timer_list",
    "timer_stats",
    "sched_debug",
    "sysrq-trigger",
    "kmsg",
    "mtrr",
    "vmcore",
];
/// Entries of /proc that are read, and never written, by ordinary programs.
const PROC_READ_ONLY: [&str; 4] = ["bus", "fs", "irq", "sys"];
/// Entries of /sys that tell of the machine, or of other users, or are interfaces of the kernel that grew there.
const SYS_MASKED: [&str; 9] = [
    "firmware",
    "fs/bpf",
    "fs/pstore",
    "fs/selinux",
    "kernel/debug",
    "kernel/security",
    "kernel/tracing",
    "devices/virtual/powercap",
    "dev/block",
];
/// The directories of the CPUs, each of which tells how often it became too hot: a measure of what others do.
const CPUS: &str = "devices/system/cpu";
const CPU_MASKED: &str = "thermal_throttle";

/// The harmless device nodes, with their numbers: null(4), full(4), random(4), tty(4).
const DEVICES: [(&str, u32, u32); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

const DEV_SIZE: u64 = 64 << 10;
const DEV_INODES: u64 = 64;
/// /dev/shm, as the policy cannot say.
const SHM_SIZE: u64 = 64 << 20;

/// proc(5) of this PID namespace, with its dangerous parts out of reach.
pub fn proc(tree: &mut Tree, target: &str, options: &ProcOptions) -> Done {
    let mut stated = Vec::new();
    if options.only_pids {
        stated.push(("subset", "pid"));
    }
    if let Some(hidepid) = &options.hidepid {
        stated.push(("hidepid", hidepid.as_str()));
    }
    let mount = mounts::new_filesystem("proc", &stated, NOSUID | NODEV | NOEXEC)?;
    let root = rustix::fs::openat(&mount, ".", PLACE | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .context(|| "opening the new proc".to_string())?;
    tree.put(mount, target, Shape::Dir)?;
    for name in PROC_READ_ONLY {
        if let Some(place) = existing(root.as_fd(), name)? {
            let copy = mounts::clone_tree(place.as_fd(), "", false).context(|| format!("binding {target}/{name}"))?;
            mounts::restrict(copy.as_fd(), RDONLY | NOSUID | NODEV | NOEXEC, false)?;
            mounts::attach(copy.as_fd(), place.as_fd()).context(|| format!("making {target}/{name} read-only"))?;
        }
    }
    mask(tree, root.as_fd(), target, &PROC_MASKED)
}

/// sysfs(5) of this network namespace, read-only.
pub fn sys(tree: &mut Tree, target: &str) -> Done {
    let mount = mounts::new_filesystem("sysfs", &[], RDONLY | NOSUID | NODEV | NOEXEC)?;
    let root = rustix::fs::openat(&mount, ".", PLACE | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .context(|| "opening the new sysfs".to_string())?;
    tree.put(mount, target, Shape::Dir)?;
    mask(tree, root.as_fd(), target, &SYS_MASKED)?;
    let cpus = cpus(root.as_fd())?;
    mask(tree, root.as_fd(), target, &cpus.iter().map(String::as_str).collect::<Vec<_>>())
}

/// What is masked of each CPU.
fn cpus(root: BorrowedFd) -> Done<Vec<String>> {
    let what = || format!("listing {CPUS}");
    let dir = match mounts::open_beneath(root, CPUS, OFlags::RDONLY | OFlags::DIRECTORY) {
        Ok(dir) => dir,
        Err(rustix::io::Errno::NOENT) => return Ok(Vec::new()),
        Err(errno) => return Err(errno).context(what),
    };
    let mut found = Vec::new();
    for entry in rustix::fs::Dir::read_from(&dir).context(what)? {
        let entry = entry.context(what)?;
        let name = entry.file_name().to_string_lossy();
        if name.strip_prefix("cpu").is_some_and(|rest| rest.bytes().all(|it| it.is_ascii_digit()) && !rest.is_empty()) {
            found.push(format!("{CPUS}/{name}/{CPU_MASKED}"));
        }
    }
    Ok(found)
}

/// mq_overview(7) of this IPC namespace.
pub fn mqueue() -> Done<OwnedFd> {
    mounts::new_filesystem("mqueue", &[], NOSUID | NODEV | NOEXEC)
}

/// A devpts with terminals of its own.
pub fn devpts() -> Done<OwnedFd> {
    mounts::new_filesystem("devpts", &[("newinstance", ""), ("ptmxmode", "0666"), ("mode", "0620")], NOSUID | NOEXEC)
}

/// The cgroup file system as this cgroup namespace shows it, read-only.
pub fn cgroup() -> Done<OwnedFd> {
    mounts::new_filesystem("cgroup2", &[], RDONLY | NOSUID | NODEV | NOEXEC)
}

/// What is at a name below a file system that we have just made: none of it can be a link or a mount of somebody else.
fn existing(root: BorrowedFd, name: &str) -> Done<Option<OwnedFd>> {
    match mounts::open_beneath(root, name, PLACE) {
        Ok(place) => Ok(Some(place)),
        Err(rustix::io::Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno).context(|| format!("opening {name}")),
    }
}

fn mask(tree: &Tree, root: BorrowedFd, target: &str, names: &[&str]) -> Done {
    for name in names {
        if let Some(place) = existing(root, name)? {
            let cover = tree.stage_copy(if mounts::is_dir(place.as_fd())? { "empty" } else { "void" })?;
            mounts::attach(cover.as_fd(), place.as_fd()).context(|| format!("masking {target}/{name}"))?;
            verify(root, name, cover.as_fd(), target)?;
        }
    }
    Ok(())
}

/// What is seen at a name now must be the cover.
fn verify(root: BorrowedFd, name: &str, cover: BorrowedFd, target: &str) -> Done {
    let seen =
        mounts::open_inside(root, name, PLACE | OFlags::NOFOLLOW).context(|| format!("looking at {target}/{name}"))?;
    if mounts::mount_id(seen.as_fd())? != mounts::mount_id(cover)? {
        return Err(Failure::refused(format!("{target}/{name} is not covered by what was put over it")));
    }
    Ok(())
}

/// A small /dev: the harmless devices bound from the host, terminals and shared memory of its own, read-only otherwise.
///
/// Each part is attached as soon as it is made: a caller may have few descriptors.
pub fn dev(tree: &mut Tree, target: &str, with_mqueue: bool) -> Done {
    let dev = mounts::new_tmpfs(DEV_SIZE, DEV_INODES, 0o755, NOSUID | NODEV | NOEXEC)?;
    let what = |name: &str| format!("making {target}/{name}");
    for (name, _, _) in DEVICES {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        drop(rustix::fs::openat(&dev, name, flags, Mode::from_raw_mode(0o444)).context(|| what(name))?);
    }
    for (name, text) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
        ("ptmx", "pts/ptmx"),
    ] {
        rustix::fs::symlinkat(text, &dev, name).context(|| what(name))?;
    }
    let folders: &[&str] = if with_mqueue { &["pts", "shm", "mqueue"] } else { &["pts", "shm"] };
    for name in folders {
        rustix::fs::mkdirat(&dev, *name, Mode::from_raw_mode(0o755)).context(|| what(name))?;
    }
    let root = dev.try_clone().context(|| what(""))?;
    tree.put(dev, target, Shape::Dir)?;
    let attach = |name: &str, mount: OwnedFd| {
        let place = mounts::open_beneath(root.as_fd(), name, PLACE).context(|| what(name))?;
        mounts::attach(mount.as_fd(), place.as_fd()).context(|| what(name))
    };
    for device in &DEVICES {
        attach(device.0, device_node(device)?)?;
    }
    attach("pts", devpts()?)?;
    attach("shm", mounts::new_tmpfs(SHM_SIZE, SHM_SIZE / 4096, 0o1777, NOSUID | NODEV | NOEXEC)?)?;
    if with_mqueue {
        attach("mqueue", mqueue()?)?;
    }
    // More may be mounted in it; it becomes read-only with the rest of the tree.
    tree.own.insert(mounts::identity(root.as_fd())?.0);
    tree.seal.push(root);
    Ok(())
}

/// A mount of a device node of the host, which is nothing else.
pub fn device(mount: OwnedFd) -> Done<OwnedFd> {
    let stat = rustix::fs::fstat(&mount).context(|| "looking at the device".to_string())?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    if !kind.is_char_device() && !kind.is_block_device() {
        return Err(Failure::refused("the source is no device node"));
    }
    mounts::restrict(mount.as_fd(), NOSUID | NOEXEC, false)?;
    Ok(mount)
}

/// A mount of one device node of the host, if it is the one that its name promises.
fn device_node(&(name, major, minor): &(&str, u32, u32)) -> Done<OwnedFd> {
    let path = format!("/dev/{name}");
    let mount = mounts::clone_tree(CWD, &path, false).context(|| format!("binding {path} of the host"))?;
    let stat = rustix::fs::fstat(&mount).context(|| format!("looking at {path}"))?;
    let is_char = FileType::from_raw_mode(stat.st_mode).is_char_device();
    if !is_char || (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev)) != (major, minor) {
        return Err(Failure::refused(format!("{path} of the host is not the character device {major}:{minor}")));
    }
    mounts::restrict(mount.as_fd(), NOSUID | NOEXEC, false)?;
    Ok(mount)
}
