//! The questions of ioctl_nsfs(2), which neither nix nor rustix asks. They change nothing, and this room may not import
//! the one that does.
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

/// `_IO(0xb7, 0x1)`: the user namespace that owns a namespace. Linux 4.9.
const NS_GET_USERNS: libc::c_ulong = 0xb701;
/// `_IO(0xb7, 0x2)`: the parent of a user or PID namespace. Linux 4.9.
const NS_GET_PARENT: libc::c_ulong = 0xb702;
/// `_IO(0xb7, 0x3)`: the CLONE_NEW* flag of its kind. Linux 4.11.
const NS_GET_NSTYPE: libc::c_ulong = 0xb703;
/// `_IO(0xb7, 0x4)`: the user who made a user namespace. Linux 4.11.
const NS_GET_OWNER_UID: libc::c_ulong = 0xb704;

/// The user namespace that owns a namespace. EPERM: it is outside of the caller's own.
pub(super) fn owning_user_namespace(namespace: BorrowedFd) -> Result<OwnedFd, Errno> {
    related(namespace, NS_GET_USERNS)
}

/// The parent of a user or PID namespace. EPERM: it is outside of the caller's own.
pub(super) fn parent_namespace(namespace: BorrowedFd) -> Result<OwnedFd, Errno> {
    related(namespace, NS_GET_PARENT)
}

fn related(namespace: BorrowedFd, request: libc::c_ulong) -> Result<OwnedFd, Errno> {
    // SAFETY: the request takes no argument and gives a new descriptor, which nobody else knows.
    let result = unsafe { libc::ioctl(namespace.as_raw_fd(), request as _) };
    // SAFETY: as above.
    Errno::result(result).map(|fd| unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The CLONE_NEW* flag of a namespace's kind. ENOTTY: it is none.
pub(super) fn kind_of_namespace(namespace: BorrowedFd) -> Result<i32, Errno> {
    // SAFETY: the request takes no argument.
    Errno::result(unsafe { libc::ioctl(namespace.as_raw_fd(), NS_GET_NSTYPE as _) })
}

/// The user who made a user namespace, as the caller's user namespace sees it.
pub(super) fn owner_uid(user_namespace: BorrowedFd) -> Result<u32, Errno> {
    let mut uid: libc::uid_t = 0;
    // SAFETY: the kernel writes one uid_t, for which there is room.
    let result = unsafe { libc::ioctl(user_namespace.as_raw_fd(), NS_GET_OWNER_UID as _, &raw mut uid) };
    Errno::result(result).map(|_| uid)
}

/// Looks at the /proc/PID of a process that has joined a user namespace for that alone: what it says of a namespace that nobody is in.
/// `None`: it may not be joined.
pub(super) fn look_from_inside<T>(user_namespace: BorrowedFd, look: impl FnOnce(u32) -> T) -> Option<T> {
    use nix::unistd::{ForkResult, fork, pipe};
    let (joined, tell) = pipe().ok()?;
    let (wait, go) = pipe().ok()?;
    // SAFETY: the child makes system calls alone, on what is there before the fork, and ends.
    match unsafe { fork() }.ok()? {
        ForkResult::Child => {
            drop((joined, go));
            let entered = nix::sched::setns(user_namespace, nix::sched::CloneFlags::CLONE_NEWUSER).is_ok();
            if entered && nix::unistd::write(&tell, &[1]).is_ok() {
                // To the end of the pipe, which is that of the other process at the latest.
                let _ = nix::unistd::read(&wait, &mut [0]);
            }
            // SAFETY: ends this process without running anything of the other one's.
            unsafe { libc::_exit(0) }
        }
        ForkResult::Parent { child } => {
            drop((tell, wait));
            let entered = nix::unistd::read(&joined, &mut [0]) == Ok(1);
            let seen = entered.then(|| look(child.as_raw() as u32));
            drop(go);
            let _ = nix::sys::wait::waitpid(child, None);
            seen
        }
    }
}

/// prctl(2) PR_SCHED_CORE, asked for this process itself, which changes nothing. Linux 5.14.
pub(super) fn core_scheduling() -> super::CoreScheduling {
    let mut cookie: u64 = 0;
    // SAFETY: the kernel writes one number to where it is told, which lives on this stack frame.
    let result = unsafe {
        libc::prctl(
            libc::PR_SCHED_CORE,
            libc::PR_SCHED_CORE_GET,
            0,
            libc::PR_SCHED_CORE_SCOPE_THREAD,
            std::ptr::from_mut(&mut cookie) as libc::c_ulong,
        )
    };
    match Errno::result(result) {
        Ok(_) => super::CoreScheduling::Yes,
        Err(Errno::ENODEV) => super::CoreScheduling::NoSmt,
        // A filter around this process may refuse the question.
        Err(Errno::EPERM) => super::CoreScheduling::Unknown,
        Err(_) => super::CoreScheduling::NotBuilt,
    }
}
