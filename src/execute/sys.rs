//! The system calls that neither nix nor rustix offers safely: the only `unsafe` of the project.
#![allow(unsafe_code)]

use std::ffi::CString;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::unistd::{ForkResult, Pid};

use super::outcome::Usage;

/// clone3(2) flag whose constant in `libc` overflowed to 0.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// clone3(2), Linux 5.3: a child in these new namespaces, like fork(2) otherwise. Returns `None` in the child, and its
/// pid and pidfd in the parent. `cgroup` is an open directory of cgroup v2 that the child is born in (Linux 5.7).
///
/// The caller must be single-threaded: the child goes on with a copy of this thread alone.
pub fn clone3(flags: u64, cgroup: Option<BorrowedFd>) -> Result<Option<(Pid, OwnedFd)>, Errno> {
    let mut pidfd: RawFd = -1;
    // SAFETY: clone_args is plain integers; all zero is valid and means "nothing".
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = flags | libc::CLONE_PIDFD as u64;
    args.pidfd = &raw mut pidfd as u64;
    // With CLONE_PARENT the child belongs to the caller's parent, which hears of its end as of the caller's.
    args.exit_signal = if flags & libc::CLONE_PARENT as u64 == 0 { libc::SIGCHLD as u64 } else { 0 };
    if let Some(cgroup) = cgroup {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = cgroup.as_raw_fd() as u64;
    }
    // SAFETY: without CLONE_VM the child has its own copy of the memory, as after fork(2); the arguments live on
    // this stack frame for the whole call.
    let result = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of::<libc::clone_args>()) };
    match Errno::result(result)? {
        0 => Ok(None),
        // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
        pid => Ok(Some((Pid::from_raw(pid as i32), unsafe { OwnedFd::from_raw_fd(pidfd) }))),
    }
}

/// fork(2). The caller must be single-threaded.
pub fn fork() -> Result<ForkResult, Errno> {
    // SAFETY: one thread only, so no lock can be held by a thread that the child lacks.
    unsafe { nix::unistd::fork() }
}

/// The room for what [`fork_in_place`] runs. Pages that are never touched cost nothing.
const STACK: usize = 256 << 10;

/// clone(2) with CLONE_VM and CLONE_VFORK: a child in the memory of this process, on a stack of its own, which runs `body`. This process sleeps
/// until the child has called execve(2) or ended, and then sees what `body` has done to its memory, as after a call. Everything else is
/// the child's own, as after fork(2): descriptors, ids, the working directory, what becomes of signals.
pub fn fork_in_place(body: &mut dyn FnMut() -> std::convert::Infallible) -> Result<Pid, Errno> {
    let mut stack = vec![0; STACK];
    let flags = nix::sched::CloneFlags::CLONE_VM | nix::sched::CloneFlags::CLONE_VFORK;
    // SAFETY: this thread is the only one, and it runs on only after `body`, so that the two never use the memory at the same time. `body`
    // never returns, so that it leaves nothing on this stack that is gone when this goes on.
    unsafe { nix::sched::clone(Box::new(|| match body() {}), &mut stack, flags, Some(libc::SIGCHLD)) }
}

/// A copy of a descriptor that the caller of nsl handed over by its number, closed by execve(2): fcntl(2) F_DUPFD_CLOEXEC.
///
/// # Errors
/// EBADF where nothing is open there.
pub fn duplicate(number: RawFd) -> std::io::Result<OwnedFd> {
    if number < 0 {
        return Err(Errno::EBADF.into());
    }
    // SAFETY: borrowed for one call, and the kernel says EBADF if nothing is open there.
    let given = unsafe { BorrowedFd::borrow_raw(number) };
    given.try_clone_to_owned()
}

/// dup2(2): a copy at this number, which survives execve(2). Whatever was there is closed, and whoever owned it must not use it
/// any more: only for the process that becomes the program.
pub fn dup_to(fd: BorrowedFd, number: RawFd) -> Result<(), Errno> {
    if fd.as_raw_fd() == number {
        // dup2(2) would do nothing, and leave it to be closed by execve(2).
        // SAFETY: F_SETFD changes a flag of a descriptor that is borrowed.
        return Errno::result(unsafe { libc::fcntl(number, libc::F_SETFD, 0) }).map(drop);
    }
    // SAFETY: the caller promises that nothing of this process uses `number` any more.
    Errno::result(unsafe { libc::dup2(fd.as_raw_fd(), number) }).map(drop)
}

/// sigwaitinfo(2): takes a signal of a set from the queue. nix asks sigwait(3), whose failures it takes for signals.
///
/// # Errors
/// EINVAL for a real-time signal, which has no name here.
pub fn wait_signal(set: &nix::sys::signal::SigSet) -> Result<nix::sys::signal::Signal, Errno> {
    // SAFETY: the set lives for the whole call, and nothing is written where nobody asks for it.
    let number = Errno::result(unsafe { libc::sigwaitinfo(set.as_ref(), std::ptr::null_mut()) })?;
    nix::sys::signal::Signal::try_from(number)
}

/// sysconf(3) _SC_NPROCESSORS_CONF: how many CPUs there are, 1 at the least.
pub fn cpus() -> u32 {
    // SAFETY: only asks.
    let count = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_CONF) };
    u32::try_from(count).unwrap_or(1).max(1)
}

/// wait4(2): waits for the end of a child; its wait status in the kernel's form, and what it used with all that it waited for.
pub fn wait4(pid: Pid) -> Result<(i32, Usage), Errno> {
    let mut status = 0;
    // SAFETY: rusage is plain integers; all zero is valid.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both live on this stack frame, and the kernel writes no more than one of each.
    Errno::result(unsafe { libc::wait4(pid.as_raw(), &raw mut status, 0, &raw mut usage) })?;
    let time = |it: libc::timeval| Duration::new(it.tv_sec as u64, it.tv_usec as u32 * 1000);
    let usage = Usage {
        user: time(usage.ru_utime),
        system: time(usage.ru_stime),
        // Counted in KiB: getrusage(2).
        max_rss: usage.ru_maxrss as u64 * 1024,
        minor_faults: usage.ru_minflt as u64,
        major_faults: usage.ru_majflt as u64,
        voluntary_switches: usage.ru_nvcsw as u64,
        involuntary_switches: usage.ru_nivcsw as u64,
    };
    Ok((status, usage))
}

/// `struct mount_attr` of mount_setattr(2).
#[repr(C)]
struct MountAttr {
    attr_set: u64,
    attr_clr: u64,
    propagation: u64,
    userns_fd: u64,
}

/// mount_setattr(2), Linux 5.12, on the mount behind a descriptor: sets attributes (`MOUNT_ATTR_*`) and its propagation (`MS_PRIVATE`,
/// `MS_SLAVE`, 0: as it is); `recursive` takes all mounts below it too, all or none.
pub fn mount_setattr(mount: BorrowedFd, attributes: u64, recursive: bool, propagation: u64) -> Result<(), Errno> {
    let attr = MountAttr { attr_set: attributes, attr_clr: 0, propagation, userns_fd: 0 };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is a valid C string, `attr` has the layout of the kernel's first version of the struct, and
    // its size is given.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attr,
            size_of::<MountAttr>(),
        )
    };
    Errno::result(result).map(drop)
}

/// mount_setattr(2) MOUNT_ATTR_IDMAP, Linux 5.12: lets a mount that is attached nowhere show the owners of its files as a
/// user namespace maps them. `recursive` takes all mounts below it too, all or none.
pub fn mount_idmap(mount: BorrowedFd, user: BorrowedFd, recursive: bool) -> Result<(), Errno> {
    const MOUNT_ATTR_IDMAP: u64 = 0x10_0000;
    let attr =
        MountAttr { attr_set: MOUNT_ATTR_IDMAP, attr_clr: 0, propagation: 0, userns_fd: user.as_raw_fd() as u64 };
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: as in `mount_setattr`; the descriptor of the namespace is borrowed for the whole call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attr,
            size_of::<MountAttr>(),
        )
    };
    Errno::result(result).map(drop)
}

/// loop(4) LOOP_CTL_GET_FREE: the number of a loop device that nobody uses.
pub fn free_loop_device(control: BorrowedFd) -> Result<u32, Errno> {
    const LOOP_CTL_GET_FREE: libc::Ioctl = 0x4C82;
    // SAFETY: takes no argument, and returns a number.
    let number = Errno::result(unsafe { libc::ioctl(control.as_raw_fd(), LOOP_CTL_GET_FREE) })?;
    u32::try_from(number).map_err(|_| Errno::EINVAL)
}

/// `struct loop_info64` of loop(4).
#[repr(C)]
struct LoopInfo {
    device: u64,
    inode: u64,
    rdevice: u64,
    offset: u64,
    sizelimit: u64,
    number: u32,
    encrypt_type: u32,
    encrypt_key_size: u32,
    flags: u32,
    file_name: [u8; 64],
    crypt_name: [u8; 64],
    encrypt_key: [u8; 32],
    init: [u64; 2],
}

/// `struct loop_config` of loop(4).
#[repr(C)]
struct LoopConfig {
    fd: u32,
    block_size: u32,
    info: LoopInfo,
    reserved: [u64; 8],
}

/// loop(4) LOOP_CONFIGURE, Linux 5.8: lets a loop device show a file, read-only, until nobody uses the device any more.
pub fn configure_loop_device(device: BorrowedFd, file: BorrowedFd) -> Result<(), Errno> {
    const LOOP_CONFIGURE: libc::Ioctl = 0x4C0A;
    const LO_FLAGS_READ_ONLY: u32 = 1;
    const LO_FLAGS_AUTOCLEAR: u32 = 4;
    // SAFETY: plain integers; all zero is valid and means the defaults.
    let mut config: LoopConfig = unsafe { std::mem::zeroed() };
    config.fd = file.as_raw_fd() as u32;
    config.info.flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;
    // SAFETY: `config` has the layout of the kernel's struct, and lives for the whole call; the kernel takes a reference of its
    // own to the file.
    let result = unsafe { libc::ioctl(device.as_raw_fd(), LOOP_CONFIGURE, &raw const config) };
    Errno::result(result).map(drop)
}

/// A descriptor of our own for one that this process was started with. Every descriptor that nsl opens itself is marked to be
/// closed by execve(2), so that one without the mark can only have been passed; for any other the answer is EBADF.
pub fn inherited(fd: RawFd) -> Result<OwnedFd, Errno> {
    // SAFETY: asks for the flags of a descriptor; a number that is none gives EBADF.
    let flags = Errno::result(unsafe { libc::fcntl(fd, libc::F_GETFD) })?;
    if flags & libc::FD_CLOEXEC != 0 {
        return Err(Errno::EBADF);
    }
    // SAFETY: makes a new descriptor, and leaves the old one alone.
    let copy = Errno::result(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3) })?;
    // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// close_range(2), Linux 5.9 (CLOEXEC: 5.11): marks the descriptors `first..=last` to be closed by execve(2).
pub fn close_on_exec(first: u32, last: u32) -> Result<(), Errno> {
    // SAFETY: only sets a flag on descriptors.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, libc::CLOSE_RANGE_CLOEXEC) };
    Errno::result(result).map(drop)
}

/// close_range(2), Linux 5.9: closes the descriptors `first..=last` at once, nothing if the range is empty. Only for processes that
/// are about to do nothing but wait, and hold no owned descriptor in that range that they still mean to use.
pub fn close_range(first: RawFd, last: RawFd) -> Result<(), Errno> {
    if first > last {
        return Ok(());
    }
    // SAFETY: the caller promises to use none of them any more.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first as u32, last as u32, 0) };
    Errno::result(result).map(drop)
}

/// Closes every descriptor but these; the same condition holds.
pub fn close_all_but(mut kept: Vec<RawFd>) {
    kept.sort_unstable();
    kept.dedup();
    let mut first = 0;
    for fd in kept {
        let _ = close_range(first, fd - 1);
        first = fd + 1;
    }
    let _ = close_range(first, i32::MAX);
}

/// seccomp(2) with SECCOMP_SET_MODE_FILTER and TSYNC: installs a program that was compiled before.
pub fn seccomp_filter(program: &[libc::sock_filter]) -> Result<(), Errno> {
    let length = u16::try_from(program.len()).map_err(|_| Errno::EINVAL)?;
    let fprog = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    // SAFETY: `fprog` points to `length` instructions that outlive the call; the kernel copies and checks them.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_TSYNC,
            &raw const fprog,
        )
    };
    Errno::result(result).map(drop)
}

/// keyctl(2) KEYCTL_JOIN_SESSION_KEYRING with no name: a new, empty session keyring.
pub fn new_session_keyring() -> Result<(), Errno> {
    const KEYCTL_JOIN_SESSION_KEYRING: libc::c_long = 1;
    // SAFETY: a null name asks for an anonymous keyring.
    let result = unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0) };
    Errno::result(result).map(drop)
}

/// setdomainname(2)
pub fn setdomainname(name: &str) -> Result<(), Errno> {
    // SAFETY: the pointer is valid for the length that is given.
    let result = unsafe { libc::setdomainname(name.as_ptr().cast(), name.len()) };
    Errno::result(result).map(drop)
}

/// netdevice(7) SIOCSIFFLAGS: brings the loopback interface of this network namespace up.
pub fn loopback_up(socket: BorrowedFd) -> Result<(), Errno> {
    // SAFETY: ifreq is plain data; all zero is valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[0] = b'l' as libc::c_char;
    request.ifr_name[1] = b'o' as libc::c_char;
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: SIOCSIFFLAGS reads an ifreq, which lives on this stack frame.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    Errno::result(result).map(drop)
}

/// setrlimit(2), soft and hard alike. `resource` is a RLIMIT_* number, `u64::MAX` is RLIM_INFINITY.
pub fn setrlimit(resource: u32, value: u64) -> Result<(), Errno> {
    let limit = libc::rlimit64 { rlim_cur: value, rlim_max: value };
    // SAFETY: `limit` lives on this stack frame; a wrong resource gives EINVAL.
    let result = unsafe { libc::prlimit64(0, resource as _, &raw const limit, std::ptr::null_mut()) };
    Errno::result(result).map(drop)
}

/// execve(2); returns only when it fails. `argv` and `env` hold no NUL byte, as their type promises.
pub fn execve(path: &std::ffi::CStr, argv: &[CString], env: &[CString]) -> Errno {
    match nix::unistd::execve(path, argv, env) {
        Ok(never) => match never {},
        Err(errno) => errno,
    }
}

/// Overwrites the memory that /proc/PID/cmdline and /proc/PID/environ show, so that a sandbox cannot read there how
/// it was started and with which environment. Only for a process that will not use its arguments any more.
pub fn wipe_command_line() {
    // In one read: the file says no length, and the kernel makes the text anew for each.
    let mut stat = String::with_capacity(1024);
    let read =
        std::fs::File::open("/proc/self/stat").and_then(|mut it| std::io::Read::read_to_string(&mut it, &mut stat));
    if read.is_err() {
        return;
    }
    // proc_pid_stat(5): after the name in parentheses come the fields from 3 on; 48 to 51 are arg_start, arg_end,
    // env_start, env_end.
    let Some((_, rest)) = stat.rsplit_once(')') else { return };
    let fields: Vec<usize> = rest.split_whitespace().skip(45).take(4).filter_map(|it| it.parse().ok()).collect();
    let &[arg_start, arg_end, env_start, env_end] = fields.as_slice() else { return };
    for (start, end) in [(arg_start, arg_end), (env_start, env_end)] {
        if start == 0 || end <= start {
            continue;
        }
        // SAFETY: the kernel placed the strings of execve(2) in this writable part of the initial stack; this process
        // is a fork that nobody else shares memory with, and it does not look at its arguments or environment again.
        unsafe { std::ptr::write_bytes(start as *mut u8, 0, end - start) };
    }
}

/// Puts SIGCHLD back to its default: a caller may have set it to be ignored, and then no child can be waited for.
pub fn default_sigchld() {
    // SAFETY: SIG_DFL is no function of ours.
    let _ = unsafe { nix::sys::signal::signal(nix::sys::signal::SIGCHLD, nix::sys::signal::SigHandler::SigDfl) };
}

/// Puts every signal back to its default, for the program. SIGKILL and SIGSTOP cannot be changed, nor need be.
pub fn default_signals() {
    for number in 1..=64 {
        // SAFETY: SIG_DFL is no function of ours; a number that cannot be changed gives an error that means nothing.
        unsafe { libc::signal(number, libc::SIG_DFL) };
    }
}

/// sigprocmask(2): lets every signal through.
pub fn unblock_signals() {
    let none = nix::sys::signal::SigSet::empty();
    let _ = nix::sys::signal::sigprocmask(nix::sys::signal::SigmaskHow::SIG_SETMASK, Some(&none), None);
}

/// Ends the process without running destructors: what was copied from the parent is not ours to clean up.
pub fn exit_now(status: i32) -> ! {
    // SAFETY: _exit(2) only ends the process.
    unsafe { libc::_exit(status) }
}

/// sched_setscheduler(2) of a process; `priority` is 0 for policies that have none.
pub fn sched_setscheduler(pid: Pid, policy: i32, priority: i32) -> Result<(), Errno> {
    let param = libc::sched_param { sched_priority: priority };
    // SAFETY: reads a `sched_param`, which lives on this stack frame.
    Errno::result(unsafe { libc::sched_setscheduler(pid.as_raw(), policy, &raw const param) }).map(drop)
}

/// sched_getscheduler(2) and sched_getparam(2): policy and priority of a process.
pub fn sched_getscheduler(pid: Pid) -> Result<(i32, i32), Errno> {
    let mut param = libc::sched_param { sched_priority: 0 };
    // SAFETY: only asks.
    let policy = Errno::result(unsafe { libc::sched_getscheduler(pid.as_raw()) })?;
    // SAFETY: writes a `sched_param`, which lives on this stack frame.
    Errno::result(unsafe { libc::sched_getparam(pid.as_raw(), &raw mut param) })?;
    Ok((policy, param.sched_priority))
}

/// The words of a set of CPUs: as many as the kernel may have, CONFIG_NR_CPUS of 8192.
type Cpus = [u64; 128];

/// sched_setaffinity(2) of a process. The set of glibc and of rustix ends at CPU 1023.
pub fn sched_setaffinity(pid: Pid, cpus: &[u32]) -> Result<(), Errno> {
    let mut set: Cpus = [0; 128];
    for cpu in cpus {
        *set.get_mut(*cpu as usize / 64).ok_or(Errno::EINVAL)? |= 1 << (cpu % 64);
    }
    // SAFETY: the kernel reads as many bytes as are given at the most.
    let result = unsafe {
        libc::syscall(libc::SYS_sched_setaffinity, pid.as_raw(), size_of::<Cpus>(), (&raw const set).cast::<u64>())
    };
    Errno::result(result).map(drop)
}

/// sched_getaffinity(2) of a process, sorted.
pub fn sched_getaffinity(pid: Pid) -> Result<Vec<u32>, Errno> {
    let mut set: Cpus = [0; 128];
    // SAFETY: the kernel writes as many bytes as are given at the most.
    let result = unsafe {
        libc::syscall(libc::SYS_sched_getaffinity, pid.as_raw(), size_of::<Cpus>(), (&raw mut set).cast::<u64>())
    };
    Errno::result(result)?;
    Ok((0..size_of::<Cpus>() as u32 * 8).filter(|cpu| set[*cpu as usize / 64] >> (cpu % 64) & 1 == 1).collect())
}

const IOPRIO_WHO_PROCESS: libc::c_int = 1;

/// ioprio_set(2) of a process.
pub fn ioprio_set(pid: Pid, value: i32) -> Result<(), Errno> {
    // SAFETY: takes three numbers.
    Errno::result(unsafe { libc::syscall(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid.as_raw(), value) }).map(drop)
}

/// ioprio_get(2) of a process.
pub fn ioprio_get(pid: Pid) -> Result<i32, Errno> {
    // SAFETY: takes two numbers.
    let value = Errno::result(unsafe { libc::syscall(libc::SYS_ioprio_get, IOPRIO_WHO_PROCESS, pid.as_raw()) })?;
    i32::try_from(value).map_err(|_| Errno::EINVAL)
}

/// prctl(2) PR_SCHED_CORE_CREATE for a process: from now on it and its children share the hardware threads of a core with
/// nobody else. Linux 5.14.
pub fn own_cores(pid: Pid) -> Result<(), Errno> {
    // SAFETY: takes numbers alone.
    let result = unsafe {
        libc::prctl(
            libc::PR_SCHED_CORE,
            libc::PR_SCHED_CORE_CREATE,
            pid.as_raw(),
            libc::PR_SCHED_CORE_SCOPE_THREAD_GROUP,
            0 as libc::c_ulong,
        )
    };
    Errno::result(result).map(drop)
}

/// personality(2) of this process.
pub fn set_personality(persona: u32) -> Result<(), Errno> {
    // SAFETY: takes a number, and changes nothing before the next execve(2) that this process could notice.
    Errno::result(unsafe { libc::personality(persona.into()) }).map(drop)
}

/// What personality(2) this process has.
pub fn personality() -> Result<u32, Errno> {
    // SAFETY: only asks.
    let found = Errno::result(unsafe { libc::personality(0xffff_ffff) })?;
    Ok(found as u32)
}
