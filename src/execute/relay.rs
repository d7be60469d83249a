//! Published ports: a process that accepts on the host and connects inside, and copies bytes by splice(2); datagrams it
//! hands on one by one.
//!
//! A socket stays in the network namespace in which it was made. The listeners were made on the host; this process then
//! joins the sandbox's network namespace and makes the other ends there. It needs no privilege, no helper
//! program, and cannot be seen from inside, as it is not in the sandbox's PID namespace.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::sched::{CloneFlags, setns};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{ForkResult, Pid};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::pipe::SpliceFlags;

use super::datagrams::Datagrams;
use super::failure::{Context, Done};
use super::{identity, sys};

/// The most bytes of a connection that are on their way at once, each way. A pipe has 16 places, and one takes a fragment of a socket's
/// buffer, of up to 32 KiB, as a whole.
const CHUNK: usize = 512 << 10;
/// How often one connection is served before the others have their turn.
const TURNS: usize = 16;
/// More connections than this at once wait in the backlog.
const MOST: usize = 4096;

/// Descriptors of a connection: two sockets and two pipes.
const DESCRIPTORS: u64 = 6;
/// Descriptors that are no connection's: the epoll instance, and some to spare.
const SPARE: u64 = 4;

/// One published port.
pub struct Port {
    /// Listens on the host.
    pub outer: Outer,
    /// The port inside.
    pub inner: u16,
}

/// The host's end of a published port.
pub enum Outer {
    /// TCP.
    Stream(TcpListener),
    /// UDP.
    Datagram(UdpSocket),
}

impl Outer {
    fn set_nonblocking(&self) -> std::io::Result<()> {
        match self {
            Outer::Stream(it) => it.set_nonblocking(true),
            Outer::Datagram(it) => it.set_nonblocking(true),
        }
    }
}

impl AsFd for Outer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Outer::Stream(it) => it.as_fd(),
            Outer::Datagram(it) => it.as_fd(),
        }
    }
}

/// What the relay joins and becomes.
pub struct Entry {
    /// The sandbox's user namespace, where it has its own.
    pub user: Option<OwnedFd>,
    /// The sandbox's network namespace.
    pub net: OwnedFd,
    /// The ids of the program inside: the relay is nobody more than that.
    pub ids: Option<(u32, u32)>,
}

/// Forks the relay.
pub fn start(ports: Vec<Port>, entry: Entry) -> Done<Pid> {
    let supervisor = nix::unistd::getpid();
    match sys::fork().context(|| "starting the relay of published ports".to_string())? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            let _ = rustix::thread::set_name(c"nsl-relay");
            let code = match prepare(&ports, entry, supervisor) {
                Ok(()) => Relay::new(ports).map_or(1, |relay| relay.run()),
                Err(_) => 1,
            };
            sys::exit_now(code)
        }
    }
}

fn prepare(ports: &[Port], entry: Entry, supervisor: Pid) -> Result<(), nix::errno::Errno> {
    sys::wipe_command_line();
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    if let Some(user) = &entry.user {
        setns(user, CloneFlags::CLONE_NEWUSER)?;
    }
    setns(&entry.net, CloneFlags::CLONE_NEWNET)?;
    if let Some((uid, gid)) = entry.ids {
        identity::set_ids(uid, gid, None).map_err(|failure| nix::errno::Errno::from_raw(failure.errno))?;
    }
    identity::drop_own_capabilities();
    let _ = rustix::thread::set_no_new_privs(true);
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    // A supervisor that died before that call sends no signal.
    if nix::unistd::getppid() != supervisor {
        return Err(nix::errno::Errno::ESRCH);
    }
    drop(entry);
    sys::close_all_but(ports.iter().map(|it| it.outer.as_fd().as_raw_fd()).collect());
    // Every connection takes several.
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
    Ok(())
}

/// One direction of a connection.
struct Flow {
    pipe: (OwnedFd, OwnedFd),
    buffered: usize,
    ended: bool,
    shut: bool,
}

struct Link {
    outer: OwnedFd,
    inner: OwnedFd,
    /// What comes from outside, and what comes from inside.
    flows: [Flow; 2],
}

struct Relay {
    epoll: OwnedFd,
    ports: Vec<Port>,
    links: BTreeMap<u64, Link>,
    /// Connections that gave way to others and have more to move.
    waiting: BTreeSet<u64>,
    next: u64,
    datagrams: Datagrams,
    /// How many connections there may be at once.
    most: usize,
    /// Whether new connections wait in the backlog, as there is no room for them.
    full: bool,
}

/// How long a full relay waits before it tries again, where no connection of its own ends meanwhile.
const RETRY: rustix::event::Timespec = rustix::event::Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// What is there now.
const AT_ONCE: rustix::event::Timespec = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };

/// Event data: the ports come first, then two numbers a link, then a number a sender of datagrams.
const FIRST_LINK: u64 = 1 << 16;
const FIRST_SENDER: u64 = 1 << 62;
/// More senders of datagrams than this at once are not remembered.
const MOST_SENDERS: usize = 1024;

impl Relay {
    fn new(ports: Vec<Port>) -> Option<Relay> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).ok()?;
        for (index, port) in ports.iter().enumerate() {
            port.outer.set_nonblocking().ok()?;
            epoll::add(&epoll, &port.outer, EventData::new_u64(index as u64), EventFlags::IN).ok()?;
        }
        // Without room for a whole connection none is accepted: it would be closed at once.
        let (descriptors, _) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
        let room = descriptors.saturating_sub(ports.len() as u64 + SPARE);
        // A quarter for datagrams, where there are any: a sender takes one.
        let any = ports.iter().any(|it| matches!(it.outer, Outer::Datagram(_)));
        let senders = if any { MOST_SENDERS.min(usize::try_from(room / 4).unwrap_or(MOST_SENDERS)) } else { 0 };
        let room = room.saturating_sub(senders as u64) / DESCRIPTORS;
        let most = MOST.min(usize::try_from(room).unwrap_or(MOST)).max(1);
        let datagrams = Datagrams::new(senders, FIRST_SENDER);
        let (links, waiting) = (BTreeMap::new(), BTreeSet::new());
        Some(Relay { epoll, ports, links, waiting, next: 0, datagrams, most, full: false })
    }

    fn run(mut self) -> i32 {
        let mut events = Vec::with_capacity(256);
        loop {
            events.clear();
            let timeout = if self.waiting.is_empty() { self.full.then_some(&RETRY) } else { Some(&AT_ONCE) };
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), timeout) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => return 1,
            }
            let before = self.links.len();
            for event in &events {
                let data = event.data.u64();
                if data < FIRST_LINK {
                    self.arrived(data as usize);
                } else if data >= FIRST_SENDER {
                    let ports = &self.ports;
                    self.datagrams.hand_out(data - FIRST_SENDER, |port| match &ports.get(port)?.outer {
                        Outer::Datagram(socket) => Some(socket),
                        Outer::Stream(_) => None,
                    });
                } else {
                    self.serve((data - FIRST_LINK) / 2);
                }
            }
            for id in std::mem::take(&mut self.waiting) {
                self.serve(id);
            }
            // What there was no room for yet finds some when a connection has ended, or after a while.
            if self.full && (events.is_empty() || self.links.len() < before) {
                self.listen(true);
            }
        }
    }

    /// Whether to hear of connections that wait. One that cannot be accepted would be announced for ever.
    fn listen(&mut self, listen: bool) {
        self.full = !listen;
        let flags = if listen { EventFlags::IN } else { EventFlags::empty() };
        for (index, port) in self.ports.iter().enumerate() {
            if matches!(port.outer, Outer::Stream(_)) {
                let _ = epoll::modify(&self.epoll, &port.outer, EventData::new_u64(index as u64), flags);
            }
        }
    }

    fn arrived(&mut self, index: usize) {
        let Some(Port { outer, inner }) = self.ports.get(index) else { return };
        match outer {
            Outer::Stream(_) => self.accept(index),
            Outer::Datagram(socket) => self.datagrams.hand_in(&self.epoll, index, socket, *inner),
        }
    }

    fn accept(&mut self, index: usize) {
        let inner_port = self.ports[index].inner;
        loop {
            let Outer::Stream(listener) = &self.ports[index].outer else { return };
            if self.links.len() >= self.most {
                return self.listen(false);
            }
            let outer = match listener.accept() {
                Ok((outer, _)) => outer,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                // The one that waited has gone away.
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionAborted => continue,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                // No descriptors, no memory.
                Err(_) => return self.listen(false),
            };
            if outer.set_nonblocking(true).is_err() {
                continue;
            }
            let _ = outer.set_nodelay(true);
            // A connection that cannot be made inside ends the one from outside: the caller sees it closed.
            let Some(inner) = connect(inner_port) else { continue };
            self.add(outer.into(), inner);
        }
    }

    fn add(&mut self, outer: OwnedFd, inner: OwnedFd) {
        let id = self.next;
        let flow = || {
            let flags = rustix::pipe::PipeFlags::CLOEXEC | rustix::pipe::PipeFlags::NONBLOCK;
            let pipe = rustix::pipe::pipe_with(flags).ok()?;
            Some(Flow { pipe, buffered: 0, ended: false, shut: false })
        };
        let (Some(first), Some(second)) = (flow(), flow()) else { return };
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        for (fd, data) in [(&outer, FIRST_LINK + id * 2), (&inner, FIRST_LINK + id * 2 + 1)] {
            if epoll::add(&self.epoll, fd, EventData::new_u64(data), flags).is_err() {
                return;
            }
        }
        self.next += 1;
        self.links.insert(id, Link { outer, inner, flows: [first, second] });
        self.serve(id);
    }

    /// Moves what can be moved, in both directions, until both would block or it is the others' turn.
    fn serve(&mut self, id: u64) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let (outer, inner) = (link.outer.as_fd(), link.inner.as_fd());
        let [from_outer, from_inner] = &mut link.flows;
        let pumped = pump(outer, inner, from_outer).and_then(|first| Some(first | pump(inner, outer, from_inner)?));
        match pumped {
            Some(more) if !(from_outer.shut && from_inner.shut) => {
                // Nothing will be announced of what is there already.
                if more {
                    self.waiting.insert(id);
                }
            }
            _ => drop(self.links.remove(&id)),
        }
    }
}

/// Copies from one socket to the other until one would block, which gives false, or for as many turns as it has. `None` when the connection
/// is broken.
fn pump(from: BorrowedFd, to: BorrowedFd, flow: &mut Flow) -> Option<bool> {
    let flags = SpliceFlags::NONBLOCK | SpliceFlags::MOVE;
    for _ in 0..TURNS {
        let mut moved = false;
        if !flow.ended && flow.buffered < CHUNK {
            match rustix::pipe::splice(from, None, &flow.pipe.1, None, CHUNK - flow.buffered, flags) {
                Ok(0) => flow.ended = true,
                Ok(count) => {
                    flow.buffered += count;
                    moved = true;
                }
                Err(Errno::AGAIN) => {}
                // Not connected yet: the other end answers soon.
                Err(Errno::NOTCONN) => {}
                Err(_) => return None,
            }
        }
        if flow.buffered > 0 {
            match rustix::pipe::splice(&flow.pipe.0, None, to, None, flow.buffered, flags) {
                Ok(count) => {
                    flow.buffered -= count;
                    moved = true;
                }
                Err(Errno::AGAIN | Errno::NOTCONN) => {}
                Err(_) => return None,
            }
        }
        if flow.ended && flow.buffered == 0 && !flow.shut {
            flow.shut = true;
            let _ = rustix::net::shutdown(to, rustix::net::Shutdown::Write);
        }
        if !moved {
            return Some(false);
        }
    }
    Some(true)
}

/// A connection to a port inside that may still be in the making.
fn connect(port: u16) -> Option<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None).ok()?;
    let _ = rustix::net::sockopt::set_tcp_nodelay(&socket, true);
    match rustix::net::connect(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)) {
        Ok(()) | Err(Errno::INPROGRESS) => Some(socket),
        Err(_) => None,
    }
}
