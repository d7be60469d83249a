//! A firewall as messages of nfnetlink, in one batch that the kernel takes as a whole or not at all.
//!
//! The table belongs to the sandbox's own network namespace. There is one base chain a direction. What begins on the loopback, what
//! answers something that was allowed, and neighbour discovery of IPv6, without which no packet would find its way, come first.

use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};

use netlink_packet_core::{NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST};

use super::failure::Done;
pub use super::netlink::Refused;
use super::netlink::{HEADER, Netlink};
use crate::plan::{Chain, ChainRule, Cidr, Direction, Firewall, Peer, Ports, Protocol};

/// The table of a sandbox's firewall.
const TABLE: &str = "nsl";

// linux/netfilter/nfnetlink.h
const SUBSYSTEM: u16 = 10;
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const NESTED: u16 = 1 << 15;
// linux/netfilter.h
const NFPROTO_INET: u8 = 1;
const NFPROTO_IPV4: u8 = 2;
const NFPROTO_IPV6: u8 = 10;
const NF_INET_LOCAL_IN: u32 = 1;
const NF_INET_LOCAL_OUT: u32 = 3;
const NF_DROP: u32 = 0;
const NF_ACCEPT: u32 = 1;
// linux/netfilter/nf_tables.h
const NFT_MSG_NEWTABLE: u16 = 0;
const NFT_MSG_NEWCHAIN: u16 = 3;
const NFT_MSG_NEWRULE: u16 = 6;
const NFT_MSG_NEWSET: u16 = 9;
const NFT_MSG_NEWSETELEM: u16 = 12;
const NFT_MSG_DELSETELEM: u16 = 14;
const NFT_SET_TIMEOUT: u32 = 0x10;
const NFT_REG_VERDICT: u32 = 0;
const NFT_REG_1: u32 = 1;
const NFT_META_IIFNAME: u32 = 6;
const NFT_META_OIFNAME: u32 = 7;
const NFT_META_NFPROTO: u32 = 15;
const NFT_META_L4PROTO: u32 = 16;
const NFT_CT_STATE: u32 = 0;
/// Established and related.
const ANSWERS: u32 = 2 | 4;
const NETWORK_HEADER: u32 = 1;
const TRANSPORT_HEADER: u32 = 2;
const NFT_REJECT_TCP_RST: u32 = 1;
const NFT_REJECT_ICMPX_UNREACH: u32 = 2;
const NFT_REJECT_ICMPX_ADMIN_PROHIBITED: u8 = 3;

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;
/// Router and neighbour solicitations and advertisements.
const DISCOVERY: [u8; 4] = [133, 134, 135, 136];

/// Attributes of netlink, one behind the other.
#[derive(Clone, Default)]
struct Attributes(Vec<u8>);

impl Attributes {
    fn bytes(mut self, kind: u16, value: &[u8]) -> Attributes {
        self.0.extend(((value.len() + 4) as u16).to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    fn text(self, kind: u16, value: &str) -> Attributes {
        self.bytes(kind, &[value.as_bytes(), &[0]].concat())
    }

    fn number(self, kind: u16, value: u32) -> Attributes {
        self.bytes(kind, &value.to_be_bytes())
    }

    fn nested(self, kind: u16, value: Attributes) -> Attributes {
        self.bytes(kind | NESTED, &value.0)
    }
}

/// The expressions of a rule: NFTA_LIST_ELEM with NFTA_EXPR_NAME and NFTA_EXPR_DATA.
#[derive(Clone, Default)]
struct Rule(Attributes);

impl Rule {
    fn expression(self, name: &str, data: Attributes) -> Rule {
        Rule(self.0.nested(1, Attributes::default().text(1, name).nested(2, data)))
    }

    /// Loads something about the packet that is not in it.
    fn meta(self, key: u32) -> Rule {
        self.expression("meta", Attributes::default().number(1, NFT_REG_1).number(2, key))
    }

    /// Loads a part of the packet.
    fn payload(self, header: u32, offset: u32, length: u32) -> Rule {
        let data = Attributes::default().number(1, NFT_REG_1).number(2, header).number(3, offset).number(4, length);
        self.expression("payload", data)
    }

    /// Goes on only where what was loaded is this, or is not.
    fn compare(self, equal: bool, value: &[u8]) -> Rule {
        let value = Attributes::default().bytes(1, value);
        let data = Attributes::default().number(1, NFT_REG_1).number(2, u32::from(!equal)).nested(3, value);
        self.expression("cmp", data)
    }

    /// Keeps these bits of what was loaded.
    fn mask(self, mask: &[u8]) -> Rule {
        let value = |bytes: &[u8]| Attributes::default().bytes(1, bytes);
        let data = Attributes::default()
            .number(1, NFT_REG_1)
            .number(2, NFT_REG_1)
            .number(3, mask.len() as u32)
            .nested(4, value(mask))
            .nested(5, value(&vec![0; mask.len()]));
        self.expression("bitwise", data)
    }

    fn verdict(self, verdict: u32) -> Rule {
        let code = Attributes::default().nested(2, Attributes::default().number(1, verdict));
        self.expression("immediate", Attributes::default().number(1, NFT_REG_VERDICT).nested(2, code))
    }

    fn family(self, family: u8) -> Rule {
        self.meta(NFT_META_NFPROTO).compare(true, &[family])
    }

    fn protocol(self, protocol: u8) -> Rule {
        self.meta(NFT_META_L4PROTO).compare(true, &[protocol])
    }

    /// The address of the other side is in a network.
    fn peer(self, network: Cidr, direction: Direction) -> Rule {
        let (family, source, destination, length) = match network.address {
            IpAddr::V4(_) => (NFPROTO_IPV4, 12, 16, 4),
            IpAddr::V6(_) => (NFPROTO_IPV6, 8, 24, 16),
        };
        let rule = self.family(family);
        if network.prefix == 0 {
            return rule;
        }
        let offset = if direction == Direction::In { source } else { destination };
        let bytes = match network.network().address {
            IpAddr::V4(it) => it.octets().to_vec(),
            IpAddr::V6(it) => it.octets().to_vec(),
        };
        let rule = rule.payload(NETWORK_HEADER, offset, length);
        let whole = network == Cidr::host(network.address);
        if whole { rule } else { rule.mask(&network.mask_bytes()) }.compare(true, &bytes)
    }

    /// The destination is one of the addresses that the resolver has found for a name.
    fn pinned(self, name: usize, family: u8) -> Rule {
        let (offset, length) = if family == NFPROTO_IPV4 { (16, 4) } else { (24, 16) };
        let set = Attributes::default().text(1, &set_name(name, family)).number(2, NFT_REG_1);
        self.family(family).payload(NETWORK_HEADER, offset, length).expression("lookup", set)
    }
}

/// The conditions of a rule; several, as a name has addresses of two families, and ICMP two protocols.
fn conditions(rule: &ChainRule, direction: Direction, names: &[String]) -> Vec<Rule> {
    let peer = match &rule.peer {
        Peer::Everyone => Rule::default(),
        Peer::Net(network) => Rule::default().peer(*network, direction),
        // A name that the resolver does not know leads nowhere.
        Peer::Name(name) => {
            let known = names.iter().position(|it| it == name);
            let of = |it: usize| FAMILIES.map(|family| carried(rule, Rule::default().pinned(it, family)));
            return known.map_or(Vec::new(), |it| of(it).concat());
        }
    };
    carried(rule, peer)
}

/// The same with what is carried.
fn carried(rule: &ChainRule, peer: Rule) -> Vec<Rule> {
    let number = |protocol: Protocol| match protocol {
        Protocol::Tcp => TCP,
        Protocol::Udp => UDP,
    };
    match rule.ports {
        Ports::All => vec![peer],
        Ports::Protocol(it) => vec![peer.protocol(number(it))],
        Ports::Port(port) => {
            let protocol = peer.protocol(number(port.protocol));
            vec![protocol.payload(TRANSPORT_HEADER, 2, 2).compare(true, &port.number.to_be_bytes())]
        }
        Ports::Icmp => [(NFPROTO_IPV4, ICMP), (NFPROTO_IPV6, ICMPV6)]
            .into_iter()
            .map(|(family, protocol)| peer.clone().family(family).protocol(protocol))
            .collect(),
    }
}

/// What is denied on the way out the program is told at once; what is denied on the way in hears nothing.
fn deny(rule: Rule, direction: Direction) -> Vec<Rule> {
    if direction == Direction::In {
        return vec![rule.verdict(NF_DROP)];
    }
    let reset = Attributes::default().number(1, NFT_REJECT_TCP_RST);
    let prohibited =
        Attributes::default().number(1, NFT_REJECT_ICMPX_UNREACH).bytes(2, &[NFT_REJECT_ICMPX_ADMIN_PROHIBITED]);
    vec![rule.clone().protocol(TCP).expression("reject", reset), rule.expression("reject", prohibited)]
}

fn rules(chain: &Chain, direction: Direction, names: &[String]) -> Vec<Rule> {
    let interface = if direction == Direction::In { NFT_META_IIFNAME } else { NFT_META_OIFNAME };
    let mut lo = [0; libc::IFNAMSIZ];
    lo[..2].copy_from_slice(b"lo");
    let state = Attributes::default().number(1, NFT_REG_1).number(2, NFT_CT_STATE);
    let mut rules = vec![
        Rule::default().meta(interface).compare(true, &lo).verdict(NF_ACCEPT),
        Rule::default().expression("ct", state).mask(&ANSWERS.to_ne_bytes()).compare(false, &[0; 4]).verdict(NF_ACCEPT),
    ];
    for kind in DISCOVERY {
        let rule = Rule::default().family(NFPROTO_IPV6).protocol(ICMPV6);
        rules.push(rule.payload(TRANSPORT_HEADER, 0, 1).compare(true, &[kind]).verdict(NF_ACCEPT));
    }
    for rule in &chain.rules {
        for condition in conditions(rule, direction, names) {
            match rule.allow {
                true => rules.push(condition.verdict(NF_ACCEPT)),
                false => rules.extend(deny(condition, direction)),
            }
        }
    }
    if chain.otherwise {
        rules.push(Rule::default().verdict(NF_ACCEPT));
    } else {
        rules.extend(deny(Rule::default(), direction));
    }
    rules
}

/// The families of addresses.
const FAMILIES: [u8; 2] = [NFPROTO_IPV4, NFPROTO_IPV6];
/// Addresses of one family that a name may lead to at a time.
const MOST_PINNED: u32 = 1024;

/// The set of the addresses of a name.
fn set_name(name: usize, family: u8) -> String {
    format!("name{name}-{}", if family == NFPROTO_IPV4 { "v4" } else { "v6" })
}

/// A set that is empty, and forgets.
fn set(name: usize, family: u8) -> Attributes {
    // The types are those of nft(8), which shows addresses by them.
    let (kind, length) = if family == NFPROTO_IPV4 { (7, 4) } else { (8, 16) };
    Attributes::default()
        .text(1, TABLE)
        .text(2, &set_name(name, family))
        .number(3, NFT_SET_TIMEOUT)
        .number(4, kind)
        .number(5, length)
        .nested(9, Attributes::default().number(1, MOST_PINNED))
        .number(10, name as u32 * 2 + u32::from(family == NFPROTO_IPV6) + 1)
}

const NF_INET_POST_ROUTING: u32 = 4;
/// NF_IP_PRI_NAT_SRC
const PRIORITY_OF_NAT: u32 = 100;
/// NFT_TABLE_F_OWNER, Linux 5.12: the table goes when the socket is closed that made it.
const OWNED: u32 = 2;

/// Gives packets of these networks an address of this network namespace where they leave it by another interface than `inner`. It lasts as
/// long as the socket that is returned, however this process ends.
pub fn masquerade(table: &str, networks: &[Cidr], inner: &str) -> Result<Netlink, Refused> {
    let mut batch = Batch::new();
    batch.add(NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, Attributes::default().text(1, table).number(2, OWNED));
    let hook = Attributes::default().number(1, NF_INET_POST_ROUTING).number(2, PRIORITY_OF_NAT);
    let chain = Attributes::default().text(1, table).text(3, "out").nested(4, hook).number(5, NF_ACCEPT).text(7, "nat");
    batch.add(NFT_MSG_NEWCHAIN, NLM_F_CREATE, chain);
    let mut name = [0; libc::IFNAMSIZ];
    name[..inner.len()].copy_from_slice(inner.as_bytes());
    for network in networks {
        // What comes in from them has their address as its source.
        let rule = Rule::default().peer(*network, Direction::In).meta(NFT_META_OIFNAME).compare(false, &name);
        let rule = rule.expression("masq", Attributes::default());
        let attributes = Attributes::default().text(1, table).text(2, "out").nested(4, rule.0);
        batch.add(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, attributes);
    }
    let mut socket = Netlink::netfilter()?;
    socket.exchange(&batch.finish())?;
    Ok(socket)
}

/// Opens a socket for [`pin`] in the network namespace of this process.
pub fn socket() -> rustix::io::Result<OwnedFd> {
    let flags = rustix::net::SocketFlags::CLOEXEC;
    let protocol = Some(rustix::net::netlink::NETFILTER);
    rustix::net::socket_with(rustix::net::AddressFamily::NETLINK, rustix::net::SocketType::RAW, flags, protocol)
}

/// Lets addresses of names out, for so many seconds from now, or changes nothing. Names are numbered as in the firewall.
pub fn pin(socket: &OwnedFd, pins: &[(usize, IpAddr)], seconds: u32) -> Result<(), Refused> {
    match commit_pins(socket, pins, seconds, true) {
        // One of them is not there yet, or not any more.
        Err(refused) if refused.errno == libc::ENOENT && !pins.is_empty() => {}
        result => return result,
    }
    // Each by itself: an address that is there keeps its time unless it is taken out first.
    for pin in pins {
        let pin = std::slice::from_ref(pin);
        match commit_pins(socket, pin, seconds, true) {
            Err(refused) if refused.errno == libc::ENOENT => commit_pins(socket, pin, seconds, false)?,
            result => result?,
        }
    }
    Ok(())
}

fn commit_pins(socket: &OwnedFd, pins: &[(usize, IpAddr)], seconds: u32, again: bool) -> Result<(), Refused> {
    let mut batch = Batch::new();
    for (name, address) in pins {
        let (family, key) = match address {
            IpAddr::V4(it) => (NFPROTO_IPV4, it.octets().to_vec()),
            IpAddr::V6(it) => (NFPROTO_IPV6, it.octets().to_vec()),
        };
        let key = Attributes::default().nested(1, Attributes::default().bytes(1, &key));
        let timed = key.clone().bytes(4, &(u64::from(seconds) * 1000).to_be_bytes());
        let of = |element| {
            let set = Attributes::default().text(1, TABLE).text(2, &set_name(*name, family));
            set.nested(3, Attributes::default().nested(1, element))
        };
        if again {
            batch.add(NFT_MSG_DELSETELEM, 0, of(key));
        }
        batch.add(NFT_MSG_NEWSETELEM, NLM_F_CREATE, of(timed));
    }
    super::netlink::exchange(socket.as_fd(), &batch.finish())
}

/// Messages that the kernel takes together.
struct Batch {
    bytes: Vec<u8>,
    sequence: u32,
}

impl Batch {
    fn new() -> Batch {
        let mut batch = Batch { bytes: Vec::new(), sequence: 0 };
        batch.message(BATCH_BEGIN, 0, 0, SUBSYSTEM, Attributes::default());
        batch
    }

    fn add(&mut self, kind: u16, flags: u16, attributes: Attributes) {
        self.message(SUBSYSTEM << 8 | kind, flags, NFPROTO_INET, 0, attributes);
    }

    /// `struct nlmsghdr`, `struct nfgenmsg`, attributes.
    fn message(&mut self, kind: u16, flags: u16, family: u8, resource: u16, attributes: Attributes) {
        self.sequence += 1;
        let length = (HEADER + 4 + attributes.0.len()) as u32;
        self.bytes.extend(length.to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend((NLM_F_REQUEST | flags).to_ne_bytes());
        self.bytes.extend(self.sequence.to_ne_bytes());
        self.bytes.extend([0; 4]);
        self.bytes.extend([family, 0]);
        self.bytes.extend(resource.to_be_bytes());
        self.bytes.extend(attributes.0);
    }

    fn finish(mut self) -> Vec<u8> {
        self.message(BATCH_END, NLM_F_ACK, 0, SUBSYSTEM, Attributes::default());
        self.bytes
    }

    fn commit(self) -> Result<(), Refused> {
        Netlink::netfilter()?.exchange(&self.finish())
    }
}

/// Loads a firewall into the network namespace of this process.
pub fn install(firewall: &Firewall) -> Done {
    let mut batch = Batch::new();
    batch.add(NFT_MSG_NEWTABLE, NLM_F_CREATE, Attributes::default().text(1, TABLE));
    for (name, family) in (0..firewall.names.len()).flat_map(|it| FAMILIES.map(|family| (it, family))) {
        batch.add(NFT_MSG_NEWSET, NLM_F_CREATE, set(name, family));
    }
    let mut count = 0;
    for (direction, name, hook) in [(Direction::In, "in", NF_INET_LOCAL_IN), (Direction::Out, "out", NF_INET_LOCAL_OUT)]
    {
        let Some(chain) = firewall.chain(direction) else { continue };
        let hook = Attributes::default().number(1, hook).number(2, 0);
        let attributes = Attributes::default()
            .text(1, TABLE)
            .text(3, name)
            .nested(4, hook)
            .number(5, if chain.otherwise { NF_ACCEPT } else { NF_DROP })
            .text(7, "filter");
        batch.add(NFT_MSG_NEWCHAIN, NLM_F_CREATE, attributes);
        for rule in rules(chain, direction, &firewall.names) {
            count += 1;
            let attributes = Attributes::default().text(1, TABLE).text(2, name).nested(4, rule.0);
            batch.add(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, attributes);
        }
    }
    batch.commit().map_err(|it| it.failure(format!("loading {count} rules of nftables")))
}
