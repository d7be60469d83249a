//! Descriptors that one process hands to another over a socket: unix(7) SCM_RIGHTS; and those that a process in between fetches where this
//! one cannot go.

use std::ffi::CStr;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::unistd::ForkResult;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType,
};

use super::failure::{Context, Done, Failure, Notice};
use super::notices::Word;
use super::sys;

/// Two ends of a socket for messages.
pub fn pair() -> Result<(OwnedFd, OwnedFd), Errno> {
    rustix::net::socketpair(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
}

/// As many descriptors as a message brings at the most.
const MOST: usize = 3;

/// Sends descriptors, three at the most.
pub fn send(socket: BorrowedFd, fds: &[BorrowedFd]) -> Result<(), Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut rights = SendAncillaryBuffer::new(&mut space);
    rights.push(SendAncillaryMessage::ScmRights(fds));
    rustix::net::sendmsg(socket, &[IoSlice::new(b"t")], &mut rights, SendFlags::NOSIGNAL).map(drop)
}

/// Receives what was sent, if something was: none where a message brings none.
pub fn receive(socket: BorrowedFd) -> Result<Vec<OwnedFd>, Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut rights = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut rights, flags)?;
    let fds = rights.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(fds) => Some(fds.collect::<Vec<_>>()),
        _ => None,
    });
    Ok(fds.flatten().collect())
}

/// The descriptors that a process in between has got: it goes where this process, which has to stay what it is, cannot go, and is gone
/// when this returns.
pub fn fetch<const N: usize>(name: &CStr, get: impl FnOnce() -> Done<[OwnedFd; N]>) -> Done<[OwnedFd; N]> {
    let what = || "a process in between".to_string();
    let (ours, theirs) = pair().context(what)?;
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).context(what)?;
    let child = match sys::fork().context(what)? {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            drop((ours, read));
            let _ = rustix::thread::set_name(name);
            let sent = get().and_then(|fds| {
                let fds = fds.each_ref().map(AsFd::as_fd);
                send(theirs.as_fd(), &fds).context(|| "handing descriptors over".into())
            });
            if let Err(failure) = sent {
                Word::Failed(Notice { step: 0, failure, fatal: true }).send(&write);
            }
            sys::exit_now(0)
        }
    };
    drop((theirs, write));
    let failed = Word::failure(read.into()).map(|it| it.failure);
    let _ = nix::sys::wait::waitpid(child, None);
    let fetched = receive(ours.as_fd()).ok().and_then(|fds| <[OwnedFd; N]>::try_from(fds).ok());
    match (fetched, failed) {
        (Some(fds), None) => Ok(fds),
        (_, failed) => Err(failed.unwrap_or_else(|| Failure::refused("something ended the process in between"))),
    }
}
