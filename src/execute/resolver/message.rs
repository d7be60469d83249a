//! Messages of the domain name system: what a client asks, what a server outside is asked and answers, and what the client hears.
//!
//! Nothing of an answer that is pinned goes on as it came: the client's answer is made anew, of addresses that the firewall knows.

use std::net::IpAddr;

use domain::base::iana::{Class, ExtendedErrorCode, Opcode, Rcode, Rtype};
use domain::base::message_builder::StaticCompressor;
use domain::base::name::{Name, ToLabelIter, ToName};
use domain::base::record::Ttl;
use domain::base::{Message, MessageBuilder};
use domain::rdata::{A, Aaaa};

/// The largest datagram that is asked for and sent, bytes: it fits any path (DNS flag day 2020).
pub const DATAGRAM: usize = 1232;
/// What every client takes: RFC 1035.
const LEAST: usize = 512;
/// Addresses of one answer that are used.
const MOST: usize = 32;

/// What a client asks.
pub struct Query {
    message: Message<Vec<u8>>,
    name: Name<Vec<u8>>,
    /// The name, lower case, without a final point; empty for one that no rule can name.
    pub text: String,
    /// The type of the records that are asked for.
    pub kind: Rtype,
    class: Class,
    /// The largest datagram that the client takes; `None` for one without EDNS.
    edns: Option<usize>,
}

/// What a server outside has said.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is no answer to this question: somebody else's, or a forged one.
    Foreign,
    /// There is more than fits a datagram.
    Truncated,
    /// The server cannot say.
    Failed,
    /// There is no such name.
    NoName,
    /// The addresses, and how long they hold, seconds; none where the name has none of the kind.
    Addresses(Vec<IpAddr>, u32),
}

impl Query {
    /// Reads what a client has sent. `Err` with what it is to hear, if anything.
    pub fn read(bytes: Vec<u8>) -> Result<Query, Option<Vec<u8>>> {
        let message = Message::from_octets(bytes).map_err(|_| None)?;
        if message.header().qr() {
            return Err(None);
        }
        let wrong = |rcode| Some(MessageBuilder::new_vec().start_error(&message, rcode).finish());
        if message.header().opcode() != Opcode::QUERY {
            return Err(wrong(Rcode::NOTIMP));
        }
        let (name, kind, class) = match message.sole_question() {
            Ok(question) => (question.qname().to_vec(), question.qtype(), question.qclass()),
            Err(_) => return Err(wrong(Rcode::FORMERR)),
        };
        let edns = message.opt().map(|it| usize::from(it.udp_payload_size()));
        Ok(Query { text: text(&name), name, kind, class, edns, message })
    }

    /// Whether addresses are asked for.
    pub fn wants_addresses(&self) -> bool {
        self.class == Class::IN && (self.kind == Rtype::A || self.kind == Rtype::AAAA)
    }

    /// The question for a server outside.
    pub fn request(&self, id: u16) -> Vec<u8> {
        let mut builder = MessageBuilder::new_vec();
        builder.header_mut().set_id(id);
        builder.header_mut().set_rd(true);
        let mut question = builder.question();
        // One name fits any vector.
        let _ = question.push((&self.name, self.kind, self.class));
        let mut additional = question.additional();
        let _ = additional.opt(|opt| {
            opt.set_udp_payload_size(DATAGRAM as u16);
            Ok(())
        });
        additional.finish()
    }

    /// The client's own message under another number, for answers that are passed on as they come.
    pub fn forward(&self, id: u16) -> Vec<u8> {
        with_id(self.message.as_slice(), id)
    }

    /// An answer as it came, for the client; `None` where it is no answer to this question.
    pub fn passed(&self, id: u16, bytes: &[u8]) -> Option<Vec<u8>> {
        self.answers(id, bytes).map(|_| with_id(bytes, self.message.header().id()))
    }

    fn answers<'b>(&self, id: u16, bytes: &'b [u8]) -> Option<&'b Message<[u8]>> {
        let message = Message::from_slice(bytes).ok()?;
        let question = message.sole_question().ok()?;
        let header = message.header();
        let same = header.qr()
            && header.id() == id
            && header.opcode() == Opcode::QUERY
            && question.qname().name_eq(&self.name)
            && question.qtype() == self.kind
            && question.qclass() == self.class;
        same.then_some(message)
    }

    /// What a server outside has answered to the question with this number.
    pub fn heard(&self, id: u16, bytes: &[u8]) -> Heard {
        let Some(message) = self.answers(id, bytes) else { return Heard::Foreign };
        if message.header().tc() {
            return Heard::Truncated;
        }
        match message.header().rcode() {
            Rcode::NOERROR => {}
            Rcode::NXDOMAIN => return Heard::NoName,
            _ => return Heard::Failed,
        }
        // A chain of aliases that is a circle, or too long, leads nowhere.
        let Some(canonical) = message.canonical_name() else { return Heard::Failed };
        let Ok(answer) = message.answer() else { return Heard::Failed };
        if answer.clone().any(|it| it.is_err()) {
            return Heard::Failed;
        }
        let (mut addresses, mut least) = (Vec::new(), u32::MAX);
        let mut add = |address: IpAddr, ttl: Ttl| {
            if addresses.len() < MOST && !addresses.contains(&address) {
                addresses.push(address);
                least = least.min(ttl.as_secs());
            }
        };
        if self.kind == Rtype::A {
            for record in answer.limit_to_in::<A>().flatten().filter(|it| it.owner().name_eq(&canonical)) {
                add(record.data().addr().into(), record.ttl());
            }
        } else {
            for record in answer.limit_to_in::<Aaaa>().flatten().filter(|it| it.owner().name_eq(&canonical)) {
                add(record.data().addr().into(), record.ttl());
            }
        }
        Heard::Addresses(addresses, least)
    }

    /// The answer for the client. Over TCP it may be as long as it likes.
    pub fn reply(&self, how: Reply, stream: bool) -> Vec<u8> {
        let Ok(mut builder) = MessageBuilder::from_target(StaticCompressor::new(Vec::new()));
        let most = if stream { u16::MAX.into() } else { self.edns.unwrap_or(LEAST).clamp(LEAST, DATAGRAM) };
        // Room for the record of EDNS.
        builder.set_push_limit(most - 32);
        let mut answer = builder.start_error(&self.message, how.rcode);
        answer.header_mut().set_ra(true);
        for address in how.addresses {
            let ttl = Ttl::from_secs(how.ttl);
            let pushed = match address {
                IpAddr::V4(it) => answer.push((&self.name, Class::IN, ttl, A::new(*it))),
                IpAddr::V6(it) => answer.push((&self.name, Class::IN, ttl, Aaaa::new(*it))),
            };
            if pushed.is_err() {
                answer.header_mut().set_tc(true);
                break;
            }
        }
        let mut additional = answer.additional();
        additional.clear_push_limit();
        if self.edns.is_some() {
            let _ = additional.opt(|opt| {
                opt.set_udp_payload_size(DATAGRAM as u16);
                if let Some(why) = how.why {
                    let _ = opt.extended_error::<&[u8]>(why, None);
                }
                Ok(())
            });
        }
        additional.finish().into_target()
    }
}

/// What a client is to hear.
#[derive(Clone, Copy)]
pub struct Reply<'a> {
    rcode: Rcode,
    addresses: &'a [IpAddr],
    ttl: u32,
    why: Option<ExtendedErrorCode>,
}

impl<'a> Reply<'a> {
    /// These addresses, for so many seconds; none where the name has none of the kind.
    pub fn addresses(addresses: &'a [IpAddr], ttl: u32) -> Reply<'a> {
        Reply { rcode: Rcode::NOERROR, addresses, ttl, why: None }
    }

    /// There is no such name, the server outside says.
    pub fn no_name() -> Reply<'a> {
        Reply { rcode: Rcode::NXDOMAIN, addresses: &[], ttl: 0, why: None }
    }

    /// The policy does not allow the name. (REFUSED would be the truer word, but resolvers of programs ask again then, for seconds.)
    pub fn not_allowed() -> Reply<'a> {
        Reply { rcode: Rcode::NXDOMAIN, addresses: &[], ttl: 0, why: Some(ExtendedErrorCode::BLOCKED) }
    }

    /// The name leads to addresses where it must not lead.
    pub fn rebinding() -> Reply<'a> {
        Reply { rcode: Rcode::NXDOMAIN, addresses: &[], ttl: 0, why: Some(ExtendedErrorCode::FILTERED) }
    }

    /// Nobody knows.
    pub fn failed() -> Reply<'a> {
        Reply { rcode: Rcode::SERVFAIL, addresses: &[], ttl: 0, why: None }
    }
}

fn with_id(bytes: &[u8], id: u16) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[..2].copy_from_slice(&id.to_be_bytes());
    bytes
}

/// A name as rules have it. Letters, digits, `-` and `_`: a label with a point in it would read as two.
fn text(name: &Name<Vec<u8>>) -> String {
    let mut text = String::new();
    for label in name.iter_labels().filter(|it| !it.is_root()) {
        if !label.as_slice().iter().all(|it| it.is_ascii_alphanumeric() || b"-_".contains(it)) {
            return String::new();
        }
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(&String::from_utf8_lossy(label.as_slice()).to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::rdata::Cname;

    fn name(text: &str) -> Name<Vec<u8>> {
        text.parse().expect("a name")
    }

    fn query(text: &str, kind: Rtype) -> Query {
        let mut question = MessageBuilder::new_vec().question();
        question.push((name(text), kind)).expect("room");
        Query::read(question.finish()).map_err(drop).expect("a question")
    }

    /// An answer of a server: aliases, then addresses of the last of them.
    fn answer(query: &Query, id: u16, aliases: &[&str], addresses: &[&str]) -> Vec<u8> {
        let request = Message::from_octets(query.request(id)).expect("a message");
        let mut answer = MessageBuilder::new_vec().start_answer(&request, Rcode::NOERROR).expect("room");
        let mut owner = query.name.clone();
        for alias in aliases {
            answer.push((owner.clone(), 300, Cname::new(name(alias)))).expect("room");
            owner = name(alias);
        }
        for address in addresses {
            match address.parse().expect("an address") {
                IpAddr::V4(it) => answer.push((owner.clone(), 60, A::new(it))).expect("room"),
                IpAddr::V6(it) => answer.push((owner.clone(), 60, Aaaa::new(it))).expect("room"),
            }
        }
        answer.finish()
    }

    fn addresses(list: &[&str]) -> Heard {
        Heard::Addresses(list.iter().map(|it| it.parse().expect("an address")).collect(), 60)
    }

    #[test]
    fn answers_are_read() {
        let query = query("Api.Example.org", Rtype::A);
        assert_eq!(query.text, "api.example.org");
        let plain = answer(&query, 7, &[], &["192.0.2.1", "192.0.2.2", "192.0.2.1"]);
        assert_eq!(query.heard(7, &plain), addresses(&["192.0.2.1", "192.0.2.2"]));
        let aliased = answer(&query, 7, &["a.example.net", "b.example.net"], &["192.0.2.1", "2001:db8::1"]);
        assert_eq!(query.heard(7, &aliased), addresses(&["192.0.2.1"]));
        let circle = answer(&query, 7, &["a.example.net", "api.example.org"], &["192.0.2.1"]);
        assert_eq!(query.heard(7, &circle), Heard::Failed);
    }

    #[test]
    fn answers_to_other_questions_are_none() {
        let asked = query("a.example.org", Rtype::A);
        let right = answer(&asked, 7, &[], &["192.0.2.1"]);
        assert_eq!(asked.heard(8, &right), Heard::Foreign);
        assert_eq!(query("b.example.org", Rtype::A).heard(7, &right), Heard::Foreign);
        assert_eq!(query("a.example.org", Rtype::AAAA).heard(7, &right), Heard::Foreign);
        assert_eq!(asked.heard(7, &asked.request(7)), Heard::Foreign, "a question is no answer");
        // Records of another owner do not count.
        let mut forged = right;
        let at = forged.windows(4).rposition(|it| it == [192, 0, 2, 1]).expect("it is there");
        let owner = forged[..at].windows(2).rposition(|it| it == b"\x01a").expect("a label");
        forged[owner + 1] = b'z';
        assert_eq!(asked.heard(7, &forged), Heard::Addresses(Vec::new(), u32::MAX));
    }

    /// Whatever a server sends is judged and never trips us.
    #[test]
    fn hostile_answers_are_survived() {
        let query = query("a.example.org", Rtype::A);
        let good = answer(&query, 7, &["b.example.org"], &["192.0.2.1", "192.0.2.2"]);
        for length in 0..good.len() {
            query.heard(7, &good[..length]);
            let _ = query.passed(7, &good[..length]);
        }
        let mut state = 1_u32;
        for _ in 0..20_000 {
            let mut bytes = good.clone();
            for _ in 0..3 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = (state >> 8) as usize % bytes.len();
                bytes[at] = (state >> 24) as u8;
            }
            query.heard(7, &bytes);
            let _ = Query::read(bytes);
        }
        // A name that points at itself.
        let mut bytes = query.request(7);
        bytes[2] |= 0x80;
        bytes[12..14].copy_from_slice(&[0xc0, 12]);
        assert_eq!(query.heard(7, &bytes), Heard::Foreign);
    }

    #[test]
    fn replies_fit_and_say_why() {
        let many: Vec<IpAddr> = (0..32).map(|it| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, it])).collect();
        let query = query("a.example.org", Rtype::AAAA);
        let short = query.reply(Reply::addresses(&many, 60), false);
        let message = Message::from_octets(short).expect("a message");
        assert!(message.header().tc() && message.as_slice().len() <= LEAST);
        let long = Message::from_octets(query.reply(Reply::addresses(&many, 60), true)).expect("a message");
        assert!(!long.header().tc() && long.header_counts().ancount() == 32);
        let refused = Query::read(query.request(9)).map_err(drop).expect("a question");
        let message = Message::from_octets(refused.reply(Reply::not_allowed(), false)).expect("a message");
        assert_eq!((message.header().rcode(), message.header().id()), (Rcode::NXDOMAIN, 9));
        assert!(message.opt().is_some_and(|it| it.opt().extended_error().is_some()));
    }

    #[test]
    fn labels_with_points_are_no_names_of_rules() {
        assert_eq!(text(&name("a\\.example.org")), "");
        assert_eq!(text(&name("_a.Example.org")), "_a.example.org");
    }
}
