//! An interface of the host that is a sandbox's while it runs: `link eth0 = move(eth1)`.
//!
//! When a network namespace ends, the kernel gives devices of hardware back to the first network namespace, and destroys all others.
//! So a process beside the supervisor waits for its end, by a pipe whose other end is the supervisor's alone, and takes the interface back to where
//! it came from, under its own name. Its socket keeps the sandbox's network namespace alive until then.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkMessage};
use nix::unistd::{ForkResult, Pid};

use super::failure::{Context, Done};
use super::links;
use super::netlink::Netlink;
use super::sys;

/// An interface that was handed in.
pub struct Lent {
    pid: Pid,
    /// Held for its end alone.
    pipe: OwnedFd,
}

impl Lent {
    /// Takes it back.
    pub fn take_back(self) {
        drop(self.pipe);
        let _ = nix::sys::wait::waitpid(self.pid, None);
    }
}

/// Hands in an interface of this process's network namespace. Who takes it back is there before.
pub fn lend(from: &str, name: &str, inside: BorrowedFd) -> Done<Lent> {
    let what = || format!("starting who takes {from} back");
    let own = links::own_namespace()?;
    let index = links::index(from)?;
    let route = links::inside_of(inside, Netlink::route)?;
    let (told, tell) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).context(what)?;
    let pid = match sys::fork().context(what)? {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            // No signal of a terminal or a process group reaches it.
            let _ = nix::unistd::setsid();
            let _ = rustix::thread::set_name(c"nsl-lender");
            sys::wipe_command_line();
            sys::close_all_but(vec![told.as_raw_fd(), own.as_raw_fd(), route.raw()]);
            wait_and_take(&told, &own, route, index, from);
            sys::exit_now(0)
        }
    };
    drop(told);
    let lent = Lent { pid, pipe: tell };
    // It keeps its number, unless an interface inside has that already.
    let handed = links::hand_in(from, name, inside).and_then(|()| links::inside_of(inside, || links::index(name)));
    match handed {
        Ok(index) => {
            let told = rustix::io::write(&lent.pipe, &index.to_ne_bytes());
            told.context(what).map(|_| lent)
        }
        Err(failure) => {
            lent.take_back();
            Err(failure)
        }
    }
}

fn wait_and_take(told: &OwnedFd, home: &OwnedFd, mut route: Netlink, mut index: u32, name: &str) {
    let mut bytes = [0; 4];
    loop {
        match rustix::io::read(told, &mut bytes) {
            Ok(4) => index = u32::from_ne_bytes(bytes),
            Err(rustix::io::Errno::INTR) => {}
            _ => break,
        }
    }
    let mut message = LinkMessage::default();
    message.header.index = index;
    // Somebody may have taken the name meanwhile; then it comes back under another one.
    for name in [name, "dev%d"] {
        message.attributes = vec![LinkAttribute::NetNsFd(home.as_raw_fd()), LinkAttribute::IfName(name.to_string())];
        if route.request(RouteNetlinkMessage::SetLink(message.clone()), 0).is_ok() {
            return;
        }
    }
}
