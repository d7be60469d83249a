//! The loop of the resolver: clients inside, servers outside, and what is asked for at the moment.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::message::{DATAGRAM, Heard, Query, Reply};
use super::pins::Pins;
use super::refusals::{Refusals, WhyRefused};
use crate::plan::NameServers;

/// How long one server has to answer. All tries together take less than the 5 seconds after which programs ask again.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How often somebody is asked, one server after the other.
const TRIES: usize = 3;
/// Questions that are open at once.
const MOST_OPEN: usize = 128;
/// Connections of clients, and how long one may say nothing.
const MOST_STREAMS: usize = 32;
const IDLE: Duration = Duration::from_secs(10);
/// Messages that are taken from one socket before the others get their turn.
const BURST: usize = 16;

/// Who has asked.
#[derive(Clone, Copy)]
enum Client {
    Datagram(SocketAddr),
    Stream(u64),
}

/// A connection of a client.
struct Stream {
    socket: TcpStream,
    heard: Vec<u8>,
    until: Instant,
}

/// The way to a server outside.
enum Way {
    Datagram(UdpSocket),
    Stream { socket: TcpStream, unsent: Vec<u8>, heard: Vec<u8> },
}

/// A question that is open.
struct Open {
    query: Query,
    client: Client,
    servers: Vec<SocketAddr>,
    /// How often somebody was asked.
    tries: usize,
    id: u16,
    way: Way,
    until: Instant,
}

/// What has happened to the way of a question.
enum Came {
    Nothing,
    Broken,
    Answer(Vec<u8>),
}

/// What can be read from, or written to.
#[derive(Clone, Copy)]
enum Source {
    Datagrams,
    Listener,
    Stream(u64),
    Open(u64),
}

/// The resolver at work.
pub struct Server {
    datagrams: UdpSocket,
    listener: TcpListener,
    /// `None` where everything may be asked for, and answers pass as they come.
    pins: Option<Pins>,
    servers: NameServers,
    random: File,
    refusals: Refusals,
    streams: BTreeMap<u64, Stream>,
    open: BTreeMap<u64, Open>,
    next: u64,
}

impl Server {
    pub fn new(
        (datagrams, listener): (UdpSocket, TcpListener),
        pins: Option<Pins>,
        servers: NameServers,
        random: File,
        refusals: Refusals,
    ) -> Server {
        let (streams, open) = (BTreeMap::new(), BTreeMap::new());
        Server { datagrams, listener, pins, servers, random, refusals, streams, open, next: 0 }
    }

    /// Answers until the supervisor ends it.
    pub fn run(mut self) -> i32 {
        loop {
            let ready = match self.wait() {
                Ok(ready) => ready,
                Err(Errno::INTR) => continue,
                Err(_) => return 1,
            };
            for source in ready {
                match source {
                    Source::Datagrams => self.hear_datagrams(),
                    Source::Listener => self.accept(),
                    Source::Stream(id) => self.hear_stream(id),
                    Source::Open(id) => self.hear_server(id),
                }
            }
            self.keep_time();
        }
    }

    fn wait(&self) -> Result<Vec<Source>, Errno> {
        let mut sources = vec![Source::Datagrams];
        let mut fds = vec![PollFd::new(&self.datagrams, PollFlags::IN)];
        if self.streams.len() < MOST_STREAMS {
            sources.push(Source::Listener);
            fds.push(PollFd::new(&self.listener, PollFlags::IN));
        }
        for (id, stream) in &self.streams {
            sources.push(Source::Stream(*id));
            fds.push(PollFd::new(&stream.socket, PollFlags::IN));
        }
        for (id, open) in &self.open {
            sources.push(Source::Open(*id));
            fds.push(PollFd::from_borrowed_fd(open.way.fd(), open.way.wanted()));
        }
        let until = self.streams.values().map(|it| it.until).chain(self.open.values().map(|it| it.until)).min();
        let timeout = until.map(|at| {
            let left = at.saturating_duration_since(Instant::now());
            Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) }
        });
        rustix::event::poll(&mut fds, timeout.as_ref())?;
        Ok(sources.into_iter().zip(&fds).filter(|(_, fd)| !fd.revents().is_empty()).map(|(it, _)| it).collect())
    }

    fn hear_datagrams(&mut self) {
        let mut buffer = [0; 4096];
        for _ in 0..BURST {
            match self.datagrams.recv_from(&mut buffer) {
                Ok((length, from)) => self.ask(Client::Datagram(from), buffer[..length].to_vec()),
                Err(_) => return,
            }
        }
    }

    fn accept(&mut self) {
        let Ok((socket, _)) = self.listener.accept() else { return };
        if socket.set_nonblocking(true).is_ok() {
            let id = self.number();
            self.streams.insert(id, Stream { socket, heard: Vec::new(), until: Instant::now() + IDLE });
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn hear_stream(&mut self, id: u64) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        match read_some(&mut stream.socket, &mut stream.heard) {
            Ok(true) => stream.until = Instant::now() + IDLE,
            Ok(false) => return,
            Err(_) => return drop(self.streams.remove(&id)),
        }
        for _ in 0..BURST {
            let Some(stream) = self.streams.get_mut(&id) else { return };
            let Some(message) = take_message(&mut stream.heard) else { return };
            self.ask(Client::Stream(id), message);
        }
        // Who asks so much without waiting is no resolver.
        self.streams.remove(&id);
    }

    /// A question of a client: answered at once, or asked outside.
    fn ask(&mut self, client: Client, bytes: Vec<u8>) {
        let query = match Query::read(bytes) {
            Ok(query) => query,
            Err(Some(reply)) => return self.answer(client, &reply),
            Err(None) => return,
        };
        let at_once = match &self.pins {
            Some(pins) if !pins.allows(&query.text) => {
                if !self.refusals.is_completed(&query.text, |name| pins.allows(name)) {
                    self.refusals.note(&query.text, WhyRefused::NotNamed);
                }
                Some(Reply::not_allowed())
            }
            // Other records lead to no address that could be let out.
            Some(_) if !query.wants_addresses() => Some(Reply::addresses(&[], 0)),
            _ if self.open.len() >= MOST_OPEN => Some(Reply::failed()),
            _ => None,
        };
        if let Some(reply) = at_once {
            return self.reply(&query, client, reply);
        }
        let servers = servers(&self.servers);
        let stream = self.pins.is_none() && matches!(client, Client::Stream(_));
        self.try_next(query, client, servers, 0, stream);
    }

    /// Asks the next server, or gives up.
    fn try_next(&mut self, query: Query, client: Client, servers: Vec<SocketAddr>, tries: usize, stream: bool) {
        let most = if servers.is_empty() { 0 } else { TRIES.max(servers.len().min(4)) };
        for tries in tries..most {
            let server = servers[tries % servers.len()];
            let Some(id) = self.random() else { break };
            let message = if self.pins.is_some() { query.request(id) } else { query.forward(id) };
            if let Some(way) = Way::to(server, message, stream) {
                let until = Instant::now() + PATIENCE;
                let number = self.number();
                self.open.insert(number, Open { query, client, servers, tries: tries + 1, id, way, until });
                return;
            }
        }
        self.reply(&query, client, Reply::failed());
    }

    fn random(&mut self) -> Option<u16> {
        let mut bytes = [0; 2];
        self.random.read_exact(&mut bytes).ok()?;
        Some(u16::from_ne_bytes(bytes))
    }

    fn hear_server(&mut self, number: u64) {
        for _ in 0..BURST {
            let Some(open) = self.open.get_mut(&number) else { return };
            match open.way.hear() {
                Came::Nothing => return,
                Came::Broken => return self.next_server(number),
                Came::Answer(bytes) => self.judge(number, &bytes),
            }
        }
    }

    fn next_server(&mut self, number: u64) {
        let Some(open) = self.open.remove(&number) else { return };
        let stream = self.pins.is_none() && matches!(open.client, Client::Stream(_));
        self.try_next(open.query, open.client, open.servers, open.tries, stream);
    }

    fn judge(&mut self, number: u64, bytes: &[u8]) {
        let Some(open) = self.open.get(&number) else { return };
        if self.pins.is_none() {
            if let Some(answer) = open.query.passed(open.id, bytes) {
                let client = open.client;
                self.open.remove(&number);
                self.answer(client, &answer);
            }
            return;
        }
        match open.query.heard(open.id, bytes) {
            Heard::Foreign => {}
            Heard::Failed => self.next_server(number),
            Heard::Truncated => {
                let Some(open) = self.open.remove(&number) else { return };
                // The same server once more, over TCP. What is cut short over TCP is broken.
                match open.way {
                    Way::Datagram(_) => self.try_next(open.query, open.client, open.servers, open.tries - 1, true),
                    Way::Stream { .. } => self.reply(&open.query, open.client, Reply::failed()),
                }
            }
            Heard::NoName => {
                let Some(open) = self.open.remove(&number) else { return };
                self.reply(&open.query, open.client, Reply::no_name());
            }
            Heard::Addresses(addresses, ttl) => {
                let Some(open) = self.open.remove(&number) else { return };
                self.pin(&open.query, open.client, addresses, ttl);
            }
        }
    }

    /// Lets the addresses out, and only then names them.
    fn pin(&mut self, query: &Query, client: Client, addresses: Vec<IpAddr>, ttl: u32) {
        let Some(pins) = &self.pins else { return };
        let found = !addresses.is_empty();
        let addresses = pins.allowed(addresses);
        if addresses.is_empty() {
            if found {
                self.refusals.note(&query.text, WhyRefused::NotPublic);
            }
            let reply = if found { Reply::rebinding() } else { Reply::addresses(&[], 0) };
            return self.reply(query, client, reply);
        }
        match pins.pin(&query.text, &addresses, ttl) {
            Ok(told) => self.reply(query, client, Reply::addresses(&addresses, told)),
            Err(_) => self.reply(query, client, Reply::failed()),
        }
    }

    fn reply(&mut self, query: &Query, client: Client, reply: Reply) {
        let bytes = query.reply(reply, matches!(client, Client::Stream(_)));
        self.answer(client, &bytes);
    }

    fn answer(&mut self, client: Client, bytes: &[u8]) {
        match client {
            Client::Datagram(address) => drop(self.datagrams.send_to(bytes, address)),
            Client::Stream(id) => {
                let Some(stream) = self.streams.get_mut(&id) else { return };
                let Some(framed) = framed(bytes) else { return drop(self.streams.remove(&id)) };
                // Who does not read what he has asked for is left alone.
                if stream.socket.write(&framed).ok() != Some(framed.len()) {
                    self.streams.remove(&id);
                }
            }
        }
    }

    fn keep_time(&mut self) {
        let now = Instant::now();
        self.streams.retain(|_, it| it.until > now);
        let late: Vec<u64> = self.open.iter().filter(|(_, it)| it.until <= now).map(|(id, _)| *id).collect();
        late.into_iter().for_each(|it| self.next_server(it));
    }
}

impl Way {
    /// Sends a message to a server outside, from a port of the kernel's choice.
    fn to(server: SocketAddr, message: Vec<u8>, stream: bool) -> Option<Way> {
        if stream {
            let family = if server.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None).ok()?;
            return match rustix::net::connect(&socket, &server) {
                Ok(()) | Err(Errno::INPROGRESS) => {
                    Some(Way::Stream { socket: socket.into(), unsent: framed(&message)?, heard: Vec::new() })
                }
                Err(_) => None,
            };
        }
        let any: IpAddr =
            if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { std::net::Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, 0)).ok()?;
        socket.set_nonblocking(true).ok()?;
        // The kernel takes datagrams of this server alone from now on.
        socket.connect(server).ok()?;
        socket.send(&message).ok()?;
        Some(Way::Datagram(socket))
    }

    fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Way::Datagram(socket) => socket.as_fd(),
            Way::Stream { socket, .. } => socket.as_fd(),
        }
    }

    fn wanted(&self) -> PollFlags {
        match self {
            Way::Stream { unsent, .. } if !unsent.is_empty() => PollFlags::OUT,
            _ => PollFlags::IN,
        }
    }

    fn hear(&mut self) -> Came {
        match self {
            Way::Datagram(socket) => {
                let mut buffer = [0; 4 * DATAGRAM];
                match socket.recv(&mut buffer) {
                    Ok(length) => Came::Answer(buffer[..length].to_vec()),
                    Err(error) if would_block(&error) => Came::Nothing,
                    // ICMP says that nobody is there.
                    Err(_) => Came::Broken,
                }
            }
            Way::Stream { socket, unsent, heard } => {
                while !unsent.is_empty() {
                    match socket.write(unsent) {
                        Ok(count @ 1..) => drop(unsent.drain(..count)),
                        Err(error) if would_block(&error) => return Came::Nothing,
                        _ => return Came::Broken,
                    }
                }
                match read_some(socket, heard) {
                    Ok(true) => take_message(heard).map_or(Came::Nothing, Came::Answer),
                    Ok(false) => Came::Nothing,
                    Err(_) => Came::Broken,
                }
            }
        }
    }
}

fn would_block(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::NotConnected)
}

/// Reads what is there; false where nothing is. The end of the stream is an error.
fn read_some(socket: &mut TcpStream, heard: &mut Vec<u8>) -> std::io::Result<bool> {
    let mut buffer = [0; 4096];
    match socket.read(&mut buffer) {
        Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
        Ok(count) => {
            heard.extend_from_slice(&buffer[..count]);
            Ok(true)
        }
        Err(error) if would_block(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A message with its length before it, as it goes over TCP.
fn framed(message: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(message.len()).ok()?;
    Some([&length.to_be_bytes(), message].concat())
}

fn take_message(heard: &mut Vec<u8>) -> Option<Vec<u8>> {
    let (length, rest) = heard.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    let message = rest.get(..length)?.to_vec();
    heard.drain(..length + 2);
    Some(message)
}

/// Whom to ask. The host's may change while the sandbox runs: resolv.conf(5).
fn servers(of: &NameServers) -> Vec<SocketAddr> {
    match of {
        NameServers::These(addresses) => addresses.iter().map(|it| (*it, 53).into()).collect(),
        NameServers::Host => host_servers(&std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default()),
    }
}

/// The first three, as resolvers of programs have it; without any, one on the host itself.
fn host_servers(text: &str) -> Vec<SocketAddr> {
    let server = |line: &str| {
        let address = line.trim().strip_prefix("nameserver")?.trim();
        match address.split_once('%') {
            None => Some(SocketAddr::from((address.parse::<IpAddr>().ok()?, 53))),
            Some((address, link)) => {
                let scope = link.parse().ok().or_else(|| nix::net::if_::if_nametoindex(link).ok())?;
                Some(std::net::SocketAddrV6::new(address.parse().ok()?, 53, 0, scope).into())
            }
        }
    };
    let found: Vec<SocketAddr> = text.lines().filter_map(server).take(3).collect();
    if found.is_empty() { vec![(Ipv4Addr::LOCALHOST, 53).into()] } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_of_the_host() {
        let found = host_servers(
            "# nameserver 192.0.2.9\nsearch x\nnameserver 192.0.2.1\nnameserver\t2001:db8::1\noptions rotate\n",
        );
        assert_eq!(found, ["192.0.2.1:53".parse().unwrap(), "[2001:db8::1]:53".parse().unwrap()]);
        assert_eq!(host_servers(""), ["127.0.0.1:53".parse().unwrap()]);
        assert_eq!(host_servers("nameserver fe80::1%1"), ["[fe80::1%1]:53".parse().unwrap()]);
    }

    #[test]
    fn messages_come_in_pieces() {
        let mut heard = vec![0, 3, 1, 2];
        assert_eq!(take_message(&mut heard), None);
        heard.extend([3, 0, 0, 9]);
        assert_eq!(take_message(&mut heard), Some(vec![1, 2, 3]));
        assert_eq!(take_message(&mut heard), Some(Vec::new()));
        assert_eq!(heard, [9]);
    }
}
