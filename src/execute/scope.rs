//! A cgroup from the service manager: a transient scope with `Delegate=yes`, systemd.scope(5).
//!
//! What a scope is made for is a process, and that is nsl itself: when it and all that it has started are gone, the manager removes the
//! scope. zbus puts the messages together; they are sent and awaited here, on the manager's own socket, since a connection of zbus starts
//! threads, which a process that is to be cloned must not have, and refuses what systemd answers there as its name.

use std::io::{Error, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;
use zbus::zvariant::{DynamicType, Value};

use super::cgroup;
use super::failure::{Context, Done, Failure};

/// How long the manager may take.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(5);

const DESTINATION: &str = "org.freedesktop.systemd1";
const OBJECT: &str = "/org/freedesktop/systemd1";
const INTERFACE: &str = "org.freedesktop.systemd1.Manager";

/// The cgroup below the scope's in which nsl is: one that holds processes cannot hand controllers to its children.
const LEAF: &str = "supervisor";

/// Longer than anything that the manager answers, bytes.
const LONGEST: usize = 1 << 20;

/// Asks for the scope, waits until this process is in it, and moves it into a leaf. Returns the scope's cgroup, relative to the mount.
pub fn request(socket: &str, name: &str, mount: &str) -> Done<String> {
    let own = std::process::id();
    let refused = |told| Failure::refused(format!("the service manager gives no scope: {told}"));
    let scope = ask(socket, name, own).map_err(refused)?;
    let leaf = Path::new(mount).join(scope.trim_start_matches('/')).join(LEAF);
    std::fs::create_dir(&leaf).context(|| format!("making the cgroup {}", leaf.display()))?;
    cgroup::enter(&leaf, own as i32)?;
    Ok(scope)
}

/// The cgroup v2 of a process, if it is this scope's.
fn of(pid: u32, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
    path.ends_with(&format!("/{name}")).then(|| path.to_string())
}

/// Talks to the manager until a process is where it is to be. The error is for people.
fn ask(socket: &str, name: &str, pid: u32) -> Result<String, String> {
    let mut manager = Manager::connect(socket).map_err(|error| format!("{socket}: {error}"))?;
    let properties: Vec<(&str, Value)> = vec![
        ("Description", Value::from("a sandbox of nsl")),
        ("PIDs", Value::from(vec![pid])),
        ("Delegate", Value::from(true)),
        ("CollectMode", Value::from("inactive-or-failed")),
    ];
    let none: Vec<(&str, Vec<(&str, Value)>)> = Vec::new();
    manager.call("StartTransientUnit", &(name, "fail", properties, none))?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        // A scope that could not be started is gone at once, and with it the manager's knowledge of why: it is in its log.
        let unit = manager.call("GetUnit", &name);
        match of(pid, name) {
            Some(scope) => return Ok(scope),
            None if unit.is_err() => {
                return Err(format!("it could not put nsl into {name} (journalctl --user -u {name})"));
            }
            None if Instant::now() > deadline => return Err("it takes too long".to_string()),
            None => std::thread::sleep(PAUSE),
        }
    }
}

/// The manager's own socket, at the other end of which is nobody else.
struct Manager {
    stream: UnixStream,
}

impl Manager {
    /// Connects, and says who asks, which the kernel vouches for: "EXTERNAL" of the D-Bus specification.
    fn connect(socket: &str) -> Result<Manager, Error> {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let uid = rustix::process::geteuid().as_raw().to_string();
        let hex: String = uid.bytes().map(|it| format!("{it:02x}")).collect();
        stream.write_all(format!("\0AUTH EXTERNAL {hex}\r\n").as_bytes())?;
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") && line.len() < 512 {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            line.push(byte[0]);
        }
        if !line.starts_with(b"OK ") {
            return Err(Error::other("it does not know who asks"));
        }
        stream.write_all(b"BEGIN\r\n")?;
        Ok(Manager { stream })
    }

    /// Calls a method, and waits for the answer: nothing, or the text of an error.
    fn call(&mut self, method: &str, arguments: &(impl Serialize + DynamicType)) -> Result<(), String> {
        let message = zbus::Message::method_call(OBJECT, method)
            .and_then(|it| it.destination(DESTINATION))
            .and_then(|it| it.interface(INTERFACE))
            .and_then(|it| it.build(arguments))
            .map_err(|error| error.to_string())?;
        self.stream.write_all(message.data()).map_err(|error| error.to_string())?;
        self.answer().map_err(|error| error.to_string())?
    }

    /// The next message that is an answer. One call is under way at a time, and whatever else comes is a signal.
    fn answer(&mut self) -> Result<Result<(), String>, Error> {
        const METHOD_RETURN: u8 = 2;
        const ERROR: u8 = 3;
        loop {
            // "Message Format" of the D-Bus specification: order, type, flags, version, length of the body, serial, length of the fields.
            let mut head = [0; 16];
            self.stream.read_exact(&mut head)?;
            let number = |bytes: &[u8]| {
                let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]];
                if head[0] == b'l' { u32::from_le_bytes(bytes) as usize } else { u32::from_be_bytes(bytes) as usize }
            };
            let (body, fields) = (number(&head[4..8]), number(&head[12..16]).next_multiple_of(8));
            if body.saturating_add(fields) > LONGEST {
                return Err(Error::other("it answers at too great a length"));
            }
            let mut rest = vec![0; fields + body];
            self.stream.read_exact(&mut rest)?;
            match head[1] {
                METHOD_RETURN => return Ok(Ok(())),
                ERROR => {
                    // Its first argument is a text, by custom.
                    let body = &rest[fields..];
                    let length = body.get(..4).map_or(0, number);
                    let text = body.get(4..4 + length.min(LONGEST)).unwrap_or_default();
                    return Ok(Err(String::from_utf8_lossy(text).into_owned()));
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manager_that_is_not_there_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("private").display().to_string();
        let told = ask(&socket, "nsl-test-1.scope", std::process::id()).unwrap_err();
        assert!(told.starts_with(&socket), "{told}");
    }

    #[test]
    fn a_process_is_in_a_scope_by_its_whole_name() {
        assert_eq!(of(std::process::id(), "nsl-nowhere-1.scope"), None);
        assert_eq!(of(u32::MAX, ""), None);
    }

    /// A manager that takes the call, sends a signal first, and then says no.
    #[test]
    fn what_the_manager_refuses_is_told_in_its_words() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("private");
        let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let manager = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut seen: Vec<u8> = Vec::new();
            let mut buffer = [0; 4096];
            let mut until = |stream: &mut UnixStream, what: &[u8]| {
                while !seen.windows(what.len()).any(|it| it == what) {
                    let length = stream.read(&mut buffer).unwrap();
                    assert!(length > 0);
                    seen.extend(&buffer[..length]);
                }
            };
            until(&mut stream, b"AUTH EXTERNAL ");
            stream.write_all(b"OK 1234\r\n").unwrap();
            until(&mut stream, b"inactive-or-failed");
            let signal = zbus::Message::signal(OBJECT, INTERFACE, "UnitNew").unwrap().build(&"x").unwrap();
            stream.write_all(signal.data()).unwrap();
            let call = zbus::Message::method_call(OBJECT, "X").unwrap().build(&()).unwrap();
            let refused = zbus::Message::error(&call.header(), "org.example.No").unwrap().build(&"not today").unwrap();
            stream.write_all(refused.data()).unwrap();
        });
        let told = ask(&socket.display().to_string(), "nsl-test-1.scope", 1).unwrap_err();
        assert_eq!(told, "not today");
        manager.join().unwrap();
    }
}
