//! netlink(7): one request, one answer, with the words that the kernel has for a refusal.

use std::fmt;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use netlink_packet_core::{NLM_F_ACK, NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::Socket;
use netlink_sys::protocols::{NETLINK_NETFILTER, NETLINK_ROUTE};

use super::failure::{Done, Failure};

/// Bytes of a `struct nlmsghdr`.
pub const HEADER: usize = 16;
const NLMSG_ERROR: u16 = 2;
/// NLMSGERR_ATTR_MSG: what went wrong, in words.
const MESSAGE: u16 = 1;

/// A refusal.
#[derive(Debug)]
pub struct Refused {
    /// The errno.
    pub errno: i32,
    /// What the kernel adds to it; empty where it says no more.
    pub words: String,
}

impl From<std::io::Error> for Refused {
    fn from(error: std::io::Error) -> Refused {
        Refused { errno: error.raw_os_error().unwrap_or(0), words: String::new() }
    }
}

impl Refused {
    /// The failure of a step, with what was attempted.
    pub fn failure(self, attempted: impl fmt::Display) -> Failure {
        let words = self.words.trim_end_matches('.');
        let detail = if words.is_empty() { attempted.to_string() } else { format!("{attempted} ({words})") };
        Failure { errno: self.errno, detail }
    }
}

/// A socket that belongs to the network namespace in which it was opened, whatever this process joins later.
pub struct Netlink {
    socket: Socket,
    sequence: u32,
}

impl Netlink {
    /// rtnetlink(7)
    pub fn route() -> Done<Netlink> {
        Netlink::open(NETLINK_ROUTE).map_err(|it| it.failure("opening a socket of rtnetlink(7)"))
    }

    /// nfnetlink, which nftables are loaded by.
    pub fn netfilter() -> Result<Netlink, Refused> {
        Netlink::open(NETLINK_NETFILTER)
    }

    fn open(protocol: isize) -> Result<Netlink, Refused> {
        let socket = Socket::new(protocol)?;
        // Words in answers, and no copy of the request: Linux 4.12 has both, and nothing here depends on it.
        let _ = socket.set_ext_ack(true);
        let _ = socket.set_cap_ack(true);
        Ok(Netlink { socket, sequence: 0 })
    }

    /// The number of its descriptor.
    pub fn raw(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// A request of rtnetlink(7), and its acknowledgement.
    pub fn request(&mut self, message: RouteNetlinkMessage, flags: u16) -> Result<(), Refused> {
        let mut message = NetlinkMessage::new(Default::default(), NetlinkPayload::from(message));
        self.sequence += 1;
        message.header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
        message.header.sequence_number = self.sequence;
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.exchange(&bytes)
    }

    /// Sends messages that are complete, the last of which asks for an acknowledgement, and waits for the first answer: a
    /// refusal of any of them comes before it.
    pub fn exchange(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        self.socket.send(bytes, 0)?;
        loop {
            let (answer, _) = match self.socket.recv_from_full() {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                received => received?,
            };
            if let Some(verdict) = verdict(&answer) {
                return verdict;
            }
        }
    }
}

/// The same on a socket that another process has opened. What earlier messages were answered beyond the first answer is forgotten.
pub fn exchange(socket: BorrowedFd, bytes: &[u8]) -> Result<(), Refused> {
    use rustix::net::{RecvFlags, SendFlags, recv, send};
    let refused = |errno: rustix::io::Errno| Refused { errno: errno.raw_os_error(), words: String::new() };
    let mut answer = vec![0; 32 << 10];
    while recv(socket, &mut answer[..], RecvFlags::DONTWAIT).is_ok() {}
    send(socket, bytes, SendFlags::empty()).map_err(refused)?;
    loop {
        let length = match recv(socket, &mut answer[..], RecvFlags::empty()) {
            Err(rustix::io::Errno::INTR) => continue,
            received => received.map_err(refused)?.0,
        };
        if let Some(verdict) = verdict(&answer[..length]) {
            return verdict;
        }
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// What an answer says; `None` where it is none.
fn verdict(answer: &[u8]) -> Option<Result<(), Refused>> {
    let (kind, flags) = (half(answer, 4)?, half(answer, 6)?);
    if kind != NLMSG_ERROR {
        return None;
    }
    let errno = -(word(answer, HEADER)? as i32);
    if errno == 0 {
        return Some(Ok(()));
    }
    let words = words(answer, flags).unwrap_or_default();
    Some(Err(Refused { errno, words }))
}

/// Behind the errno stands the header of the request, or all of it, and then attributes.
fn words(answer: &[u8], flags: u16) -> Option<String> {
    if flags & NLM_F_ACK_TLVS == 0 {
        return None;
    }
    let request = HEADER + 4;
    let length = if flags & NLM_F_CAPPED != 0 { HEADER } else { word(answer, request)? as usize };
    let mut at = request + length.next_multiple_of(4);
    while let (Some(length), Some(kind)) = (half(answer, at), half(answer, at + 2)) {
        let length = usize::from(length);
        if kind & 0x3fff == MESSAGE {
            let text = answer.get(at + 4..at + length)?;
            return Some(String::from_utf8_lossy(text).trim_end_matches('\0').to_string());
        }
        at += length.max(4).next_multiple_of(4);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_read() {
        let mut answer = vec![0; HEADER + 4 + HEADER];
        answer[4..6].copy_from_slice(&NLMSG_ERROR.to_ne_bytes());
        answer[6..8].copy_from_slice(&(NLM_F_ACK_TLVS | NLM_F_CAPPED).to_ne_bytes());
        answer[HEADER..HEADER + 4].copy_from_slice(&(-17_i32).to_ne_bytes());
        answer.extend(8_u16.to_ne_bytes());
        answer.extend(MESSAGE.to_ne_bytes());
        answer.extend(b"no\0\0");
        let refused = verdict(&answer).expect("an answer").expect_err("a refusal");
        assert_eq!((refused.errno, refused.words.as_str()), (17, "no"));
        answer[HEADER..HEADER + 4].fill(0);
        assert!(verdict(&answer).expect("an answer").is_ok());
        assert!(verdict(&answer[..10]).is_none());
    }
}
