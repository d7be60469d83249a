//! Published UDP ports, for the relay: each sender outside gets a socket inside, so that answers find their way back.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use rustix::event::epoll::{self, EventData, EventFlags};

/// The longest datagram of UDP.
const LARGEST: usize = 65_535;
/// Datagrams that are taken from one socket before the others get their turn.
const BURST: usize = 64;

/// One who sends from outside to a published port.
struct Sender {
    port: usize,
    address: SocketAddr,
    inner: UdpSocket,
    /// The turn in which it was last heard of.
    last: u64,
}

/// All senders, by number. Where there is no room for another, the one that was silent longest goes.
pub struct Datagrams {
    senders: BTreeMap<u64, Sender>,
    known: BTreeMap<(usize, SocketAddr), u64>,
    next: u64,
    turn: u64,
    most: usize,
    buffer: Vec<u8>,
    /// What is added to the numbers of senders in the events of epoll(7).
    base: u64,
}

impl Datagrams {
    /// Room for so many senders, whose events begin with `base`.
    pub fn new(most: usize, base: u64) -> Datagrams {
        Datagrams {
            senders: BTreeMap::new(),
            known: BTreeMap::new(),
            next: 0,
            turn: 0,
            most: most.max(1),
            buffer: vec![0; LARGEST],
            base,
        }
    }

    /// Hands in what has arrived at a port of the host.
    pub fn hand_in(&mut self, epoll: &impl std::os::fd::AsFd, port: usize, outer: &UdpSocket, inner: u16) {
        let mut buffer = std::mem::take(&mut self.buffer);
        for _ in 0..BURST {
            // An error is one of an earlier answer: ICMP says that its receiver is gone.
            let (length, address) = match outer.recv_from(&mut buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(_) => continue,
            };
            let Some(id) = self.sender(epoll, port, address, inner) else { continue };
            if let Some(sender) = self.senders.get_mut(&id) {
                self.turn += 1;
                sender.last = self.turn;
                // Where nobody listens inside the datagram is lost, as UDP has it.
                let _ = sender.inner.send(&buffer[..length]);
            }
        }
        self.buffer = buffer;
    }

    /// Hands out the answers to one sender. `outer` finds the socket of a port of the host.
    pub fn hand_out<'o>(&mut self, id: u64, outer: impl Fn(usize) -> Option<&'o UdpSocket>) {
        let Some(sender) = self.senders.get_mut(&id) else { return };
        let Some(outer) = outer(sender.port) else { return };
        self.turn += 1;
        sender.last = self.turn;
        for _ in 0..BURST {
            match sender.inner.recv(&mut self.buffer) {
                Ok(length) => drop(outer.send_to(&self.buffer[..length], sender.address)),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(_) => {}
            }
        }
    }

    fn sender(&mut self, epoll: &impl std::os::fd::AsFd, port: usize, address: SocketAddr, inner: u16) -> Option<u64> {
        if let Some(id) = self.known.get(&(port, address)) {
            return Some(*id);
        }
        if self.senders.len() >= self.most {
            self.forget_one();
        }
        let socket = connect(inner).or_else(|| {
            self.forget_one();
            connect(inner)
        })?;
        let id = self.next;
        epoll::add(epoll, &socket, EventData::new_u64(self.base + id), EventFlags::IN).ok()?;
        self.next += 1;
        self.known.insert((port, address), id);
        self.senders.insert(id, Sender { port, address, inner: socket, last: self.turn });
        Some(id)
    }

    fn forget_one(&mut self) {
        let Some(id) = self.senders.iter().min_by_key(|(_, it)| it.last).map(|(id, _)| *id) else { return };
        if let Some(sender) = self.senders.remove(&id) {
            self.known.remove(&(sender.port, sender.address));
        }
    }
}

/// A socket inside that hears of one port only.
fn connect(port: u16) -> Option<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
    socket.set_nonblocking(true).ok()?;
    socket.connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    Some(socket)
}
