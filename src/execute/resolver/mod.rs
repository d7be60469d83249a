//! The resolver of a sandbox: a process beside the supervisor that answers, on the sandbox's own loopback, what the policy allows to be
//! asked, and asks for it outside.
//!
//! It is in the namespaces of nsl's caller, as a socket outside is made anew for every question; its sockets inside and the one by
//! which it changes the firewall were made by a process that had joined the sandbox's namespaces for that alone. A name is answered only after
//! its addresses were let out; where the kernel refuses that, the answer is SERVFAIL.

mod message;
mod pins;
mod refusals;
mod serve;

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddrV4, TcpListener, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sched::{CloneFlags, setns};
use nix::unistd::{ForkResult, Pid};
use rustix::net::{AddressFamily, SocketFlags, SocketType};

pub use refusals::{RefusedName, RefusedNames, WhyRefused, read as refused_names};

use super::failure::{Context, Done, Failure};
use super::relay::Entry;
use super::{child, identity, nftables, passing, sys};
use crate::plan::{RESOLVER, ResolverStep};

/// What a sandbox may ask on.
struct Inside {
    datagrams: UdpSocket,
    streams: TcpListener,
    /// A socket of nfnetlink.
    netlink: OwnedFd,
}

/// Forks the resolver, and waits until it can answer. Beside it the memory in which it notes whom it has refused: [`refused_names`].
pub fn start(step: &ResolverStep, entry: Entry) -> Done<(Pid, File)> {
    let what = || "starting the resolver".to_string();
    let memory = refusals::memory()?;
    let supervisor = nix::unistd::getpid();
    let (told, tell) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).context(what)?;
    match sys::fork().context(what)? {
        ForkResult::Parent { child } => {
            drop(tell);
            match read_failure(told)? {
                None => Ok((child, memory)),
                Some(failure) => {
                    let _ = nix::sys::wait::waitpid(child, None);
                    Err(failure)
                }
            }
        }
        ForkResult::Child => {
            drop(told);
            let _ = rustix::thread::set_name(c"nsl-resolver");
            let mut tell = File::from(tell);
            match prepare(step, entry, supervisor, (&tell, memory)) {
                Ok(server) => {
                    let _ = tell.write_all(&[0; 4]);
                    drop(tell);
                    sys::exit_now(server.run())
                }
                Err(failure) => {
                    let _ = tell.write_all(&[&failure.errno.to_ne_bytes(), failure.detail.as_bytes()].concat());
                    sys::exit_now(1)
                }
            }
        }
    }
}

/// An errno and what was attempted; four zeros alone where all is well.
fn read_failure(pipe: OwnedFd) -> Done<Option<Failure>> {
    let mut bytes = Vec::new();
    File::from(pipe).read_to_end(&mut bytes).context(|| "waiting for the resolver".to_string())?;
    match bytes.split_first_chunk::<4>() {
        Some((errno, [])) if *errno == [0; 4] => Ok(None),
        Some((errno, detail)) => {
            let detail = String::from_utf8_lossy(detail).into_owned();
            Ok(Some(Failure { errno: i32::from_ne_bytes(*errno), detail }))
        }
        None => Ok(Some(Failure::refused("the resolver ended before it was ready"))),
    }
}

fn prepare(step: &ResolverStep, entry: Entry, supervisor: Pid, (tell, memory): (&File, File)) -> Done<serve::Server> {
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .context(|| "asking to die with the supervisor".to_string())?;
    // A supervisor that died before that call sends no signal.
    if nix::unistd::getppid() != supervisor {
        return Err(Failure::refused("the supervisor is gone"));
    }
    let inside = sockets(&entry)?;
    drop(entry);
    sys::wipe_command_line();
    let random = File::open("/dev/urandom").context(|| "opening /dev/urandom".to_string())?;
    let kept = [inside.datagrams.as_raw_fd(), inside.streams.as_raw_fd(), inside.netlink.as_raw_fd()];
    sys::close_all_but([&kept[..], &[random.as_raw_fd(), tell.as_raw_fd(), memory.as_raw_fd()]].concat());
    identity::keep_own_net_admin();
    let _ = rustix::thread::set_no_new_privs(true);
    let pins = step.names.as_ref().map(|names| pins::Pins::new(names.clone(), step.private.clone(), inside.netlink));
    if let Some(pins) = &pins {
        pins.probe().map_err(|it| it.failure("changing the firewall of the sandbox"))?;
    }
    let refusals = refusals::Refusals::new(memory, &step.search);
    Ok(serve::Server::new((inside.datagrams, inside.streams), pins, step.servers.clone(), random, refusals))
}

/// Makes the sockets in the sandbox's network namespace. A process that has joined a user namespace does not come back, so another one does
/// it, and sends them here.
fn sockets(entry: &Entry) -> Done<Inside> {
    let [datagrams, streams, netlink] = passing::fetch(c"nsl-resolver", || make(entry))?;
    Ok(Inside { datagrams: datagrams.into(), streams: streams.into(), netlink })
}

/// The sockets for datagrams and for streams, and one of nfnetlink.
fn make(entry: &Entry) -> Done<[OwnedFd; 3]> {
    if let Some(user) = &entry.user {
        setns(user, CloneFlags::CLONE_NEWUSER).context(|| "entering the sandbox's user namespace".to_string())?;
    }
    setns(&entry.net, CloneFlags::CLONE_NEWNET).context(|| "entering the sandbox's network".to_string())?;
    // Without it the address would be nobody's yet, and answers would go out under another one (a socket that is bound to it by IP_FREEBIND
    // has none of its own). Nothing runs there by now but the child, which waits.
    child::loopback_up()?;
    let address = SocketAddrV4::new(RESOLVER, 53);
    let what = || format!("listening on {address} of the sandbox");
    let bound = |kind| -> Done<OwnedFd> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::INET, kind, flags, None).context(what)?;
        rustix::net::bind(&socket, &address).context(what)?;
        Ok(socket)
    };
    let (datagrams, streams) = (bound(SocketType::DGRAM)?, bound(SocketType::STREAM)?);
    rustix::net::listen(&streams, 32).context(what)?;
    let netlink = nftables::socket().context(|| "opening a socket of nfnetlink".to_string())?;
    Ok([datagrams, streams, netlink])
}
