//! The network: nothing but a loopback, and what is published.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::*;

/// A port of the host that nobody listens on: below those that the kernel hands out by itself, so that it stays free.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + (std::process::id() % 100) as u16 * 100;
    let ports = std::iter::repeat_with(|| first + NEXT.fetch_add(1, Ordering::Relaxed) % 100);
    let mut free = ports.take(100).filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    free.next().expect("one of a hundred ports is free")
}

/// Sends a request to a port of the host's loopback until something answers, and returns what it says.
pub fn get(port: u16, path: &str) -> String {
    let begun = Instant::now();
    loop {
        let answer = try_get(port, path);
        if !answer.is_empty() || begun.elapsed() > stage::patience() {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn try_get(port: u16, path: &str) -> String {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_secs(2)) else { return String::new() };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
    let _ = write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// The relay of a run.
fn relay_of(nsl: nix::unistd::Pid) -> i32 {
    let is_relay = |pid: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let (name, rest) = stat.rsplit_once(')').unwrap_or_default();
        let parent = rest.split_whitespace().nth(1).and_then(|it| it.parse().ok());
        name.ends_with("(nsl-relay") && parent == Some(nsl.as_raw())
    };
    let entries = std::fs::read_dir("/proc").expect("proc is mounted").flatten();
    let mut pids = entries.filter_map(|it| it.file_name().to_str()?.parse().ok());
    pids.find(is_relay).expect("a port is published")
}

/// Connections, each of which has sent its number.
fn talk(port: u16, count: u8) -> Vec<TcpStream> {
    let connect = |_| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it is published");
    let mut streams: Vec<TcpStream> = (0..count).map(connect).collect();
    for (number, stream) in streams.iter_mut().enumerate() {
        stream.write_all(&[number as u8]).expect("it is open");
    }
    streams
}

/// Every connection hears its number back.
fn hear(streams: Vec<TcpStream>) {
    for (number, stream) in streams.into_iter().enumerate() {
        hear_one(stream, number as u8);
    }
}

fn hear_one(mut stream: TcpStream, number: u8) {
    let mut byte = [0];
    stream.set_read_timeout(Some(stage::patience())).expect("a time");
    stream.read_exact(&mut byte).expect("an echo");
    assert_eq!(byte[0], number);
}

const ECHO: &str = r#"
import socket, threading
server = socket.create_server(("127.0.0.1", 7000), backlog=64)
print("ready", flush=True)
def serve(client):
    while data := client.recv(65536):
        client.sendall(data)
    client.close()
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
"#;

both! {
    fn a_loopback_and_nothing_else(who) {
        let program = r#"
import socket
print([name for _, name in socket.if_nameindex()])
server = socket.create_server(("127.0.0.1", 7000))
client = socket.create_connection(("127.0.0.1", 7000))
print("connected")
try: socket.create_connection(("192.0.2.1", 80), timeout=5)
except OSError as e: print(e.errno)
"#;
        // ENETUNREACH
        assert_eq!(Stage::new(who).python(program).out(), "['lo']\nconnected\n101");
    }

    fn the_hosts_loopback_cannot_be_reached(who) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback is up");
        let port = listener.local_addr().expect("it is bound").port();
        let program = format!("import socket\ntry: socket.create_connection(('127.0.0.1', {port}), timeout=5)\nexcept OSError as e: print(e.errno)");
        // ECONNREFUSED
        assert_eq!(Stage::new(who).python(&program).out(), "111");
    }

    fn abstract_sockets_of_the_host_cannot_be_reached(who) {
        let name = format!("nsl-test-{}-{who:?}", std::process::id());
        let address = <std::os::unix::net::SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(&name).expect("a short name");
        let _listener = std::os::unix::net::UnixListener::bind_addr(&address).expect("a free name");
        let program = format!("import socket\ns = socket.socket(socket.AF_UNIX)\ntry: s.connect('\\0{name}')\nexcept OSError as e: print(e.errno)");
        assert_eq!(Stage::new(who).python(&program).out(), "111");
    }

    fn the_loopback_can_stay_down(who) {
        let stage = Stage::new(who).section("net", "new", &["loopback = down"]);
        let program = "import socket\ntry: socket.create_connection(('127.0.0.1', 1), timeout=5)\nexcept OSError as e: print(e.errno)";
        assert_eq!(stage.python(program).out(), "101");
    }

    fn a_published_port_answers(who) {
        let port = free_port();
        let stage = Stage::new(who).section("net", "new", &[&format!("publish {port}/tcp = 7000/tcp")]);
        let mut running = stage.start(&["/usr/bin/python3", "-I", "-c", ECHO]);
        running.line("ready");
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it is published");
        stream.set_read_timeout(Some(stage::patience())).expect("a time");
        // More than any buffer on the way holds, so that both directions have to wait for each other.
        let sent: Vec<u8> = (0..4_000_000u32).map(|it| (it % 251) as u8).collect();
        let mut writer = stream.try_clone().expect("a socket");
        let copy = sent.clone();
        let thread = std::thread::spawn(move || {
            writer.write_all(&copy).expect("the echo reads");
            writer.shutdown(std::net::Shutdown::Write).expect("it is open");
        });
        let mut received = Vec::new();
        stream.read_to_end(&mut received).expect("the echo ends when we do");
        thread.join().expect("it wrote all");
        assert!(received == sent, "{} of {} bytes came back", received.len(), sent.len());
        running.signal(Signal::SIGTERM);
        running.finish().ends(143);
    }

    fn many_connections_at_once(who) {
        let port = free_port();
        let stage = Stage::new(who).section("net", "new", &[&format!("publish {port}/tcp = 7000/tcp")]);
        let mut running = stage.start(&["/usr/bin/python3", "-I", "-c", ECHO]);
        running.line("ready");
        hear(talk(port, 50));
        running.signal(Signal::SIGTERM);
        running.finish().ends(143);
    }

    /// Connections that never fall silent do not keep others waiting.
    fn a_flood_leaves_room_for_others(who) {
        let port = free_port();
        let stage = Stage::new(who).section("net", "new", &[&format!("publish {port}/tcp = 7000/tcp")]);
        let mut running = stage.start(&["/usr/bin/python3", "-I", "-c", ECHO]);
        running.line("ready");
        let floods: Vec<TcpStream> = talk(port, 3);
        for flood in &floods {
            let (mut writer, mut reader) = (flood.try_clone().expect("a socket"), flood.try_clone().expect("a socket"));
            std::thread::spawn(move || while writer.write_all(&[7; 1 << 16]).is_ok() {});
            std::thread::spawn(move || while reader.read(&mut [0; 1 << 16]).is_ok_and(|it| it > 0) {});
        }
        for _ in 0..20 {
            hear(talk(port, 1));
        }
        for flood in floods {
            flood.shutdown(std::net::Shutdown::Both).expect("it is open");
        }
        running.signal(Signal::SIGTERM);
        running.finish().ends(143);
    }

    /// Where there is no room for more connections, more of them wait until others end, and nobody burns time over it.
    fn connections_wait_for_room(who) {
        let port = free_port();
        let stage = Stage::new(who).section("net", "new", &[&format!("publish {port}/tcp = 7000/tcp")]);
        let command = stage.command_through(&["/usr/bin/prlimit", "--nofile=24"], &["/usr/bin/python3", "-I", "-c", ECHO]);
        let mut running = stage.start_command(command);
        running.line("ready");
        let streams = talk(port, 10);
        let relay = relay_of(running.pid());
        let before = stage::ticks(relay);
        std::thread::sleep(Duration::from_millis(300));
        let ticks = stage::ticks(relay) - before;
        assert!(ticks < 10, "the relay took {ticks} ticks to wait");
        hear(streams);
        running.signal(Signal::SIGTERM);
        running.finish().ends(143);
    }

    /// A published port is on the host's loopback alone.
    fn a_published_port_is_not_on_other_addresses(who) {
        let port = free_port();
        let stage = Stage::new(who).section("net", "new", &[&format!("publish {port}/tcp = 7000/tcp")]);
        let mut running = stage.start(&["/usr/bin/python3", "-I", "-c", ECHO]);
        running.line("ready");
        let table = std::fs::read_to_string("/proc/net/tcp").expect("proc is mounted");
        let ours: Vec<&str> = table.lines().filter(|line| line.contains(&format!(":{port:04X} 00000000:0000"))).collect();
        assert!(ours.len() == 1 && ours[0].contains("0100007F:"), "{ours:?}");
        running.signal(Signal::SIGTERM);
        running.finish().ends(143);
    }

    /// A connection to a program that does not listen ends; it does not hang.
    fn nobody_listens(who) {
        let port = free_port();
        let stage = Stage::new(who).section("net", "new", &[&format!("publish {port}/tcp = 7000/tcp")]);
        let mut running = stage.start(&["/bin/sh", "-c", "echo ready; exec sleep 100"]);
        running.line("ready");
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it is published");
        stream.set_read_timeout(Some(stage::patience())).expect("a time");
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        assert!(bytes.is_empty());
        running.signal(Signal::SIGKILL);
        running.finish().ends(-9);
    }

    fn a_published_udp_port_answers(who) {
        let port = free_port();
        let program = r#"
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 7000))
print("ready", flush=True)
while True:
    data, sender = server.recvfrom(65535)
    server.sendto(data[::-1], sender)
"#;
        let stage = Stage::new(who).section("net", "new", &[&format!("publish {port}/udp = 7000/udp")]);
        let mut running = stage.start(&["/usr/bin/python3", "-I", "-c", program]);
        running.line("ready");
        let senders: Vec<UdpSocket> = (0..20).map(|_| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port")).collect();
        for (number, sender) in senders.iter().enumerate() {
            sender.send_to(format!("{number}:").as_bytes(), (Ipv4Addr::LOCALHOST, port)).expect("it is published");
        }
        let mut buffer = vec![0; 65_535];
        for (number, sender) in senders.iter().enumerate() {
            sender.set_read_timeout(Some(stage::patience())).expect("a time");
            let length = sender.recv(&mut buffer).expect("an answer");
            let expected: String = format!("{number}:").chars().rev().collect();
            assert_eq!(String::from_utf8_lossy(&buffer[..length]), expected);
        }
        // As long as UDP allows.
        let long: Vec<u8> = (0..60_000u32).map(|it| (it % 251) as u8).collect();
        senders[0].send_to(&long, (Ipv4Addr::LOCALHOST, port)).expect("it is published");
        let length = senders[0].recv(&mut buffer).expect("an answer");
        assert!(long.iter().rev().eq(&buffer[..length]));
        running.signal(Signal::SIGTERM);
        running.finish().ends(143);
    }

    fn a_port_is_published_on_ipv6(who) {
        let port = free_port();
        if TcpListener::bind((std::net::Ipv6Addr::LOCALHOST, port)).is_err() {
            return skip("sandbox::network::a_port_is_published_on_ipv6", "this host has no ::1");
        }
        let stage = Stage::new(who).section("net", "new", &[&format!("publish ::1 {port}/tcp = 7000/tcp")]);
        let mut running = stage.start(&["/usr/bin/python3", "-I", "-c", ECHO]);
        running.line("ready");
        let mut stream = TcpStream::connect((std::net::Ipv6Addr::LOCALHOST, port)).expect("it is published");
        stream.write_all(&[7]).expect("it is open");
        hear_one(stream, 7);
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
        running.signal(Signal::SIGTERM);
        running.finish().ends(143);
    }

    fn a_udp_port_that_is_taken_is_explained(who) {
        let taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = taken.local_addr().expect("it is bound").port();
        let stage = Stage::new(who).section("net", "new", &[&format!("publish {port}/udp = 7000/udp")]);
        let outcome = stage.run(&["/bin/true"]);
        outcome.ends(125).says("nsl::publish-failed").says("ss -lnpu").says(&stage.place("publish"));
    }
}
