//! The network: interfaces, ways out, and the firewall.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use super::{Mode, Port, Protocol, Traced};

/// network_namespaces(7)
#[derive(Clone, Debug, Serialize)]
pub struct Net {
    /// Where the namespace comes from.
    pub mode: Traced<Mode>,
    /// `loopback = up | down`; up where not stated.
    pub loopback: Option<Traced<bool>>,
    /// `publish OUTER = INNER`
    pub publish: Vec<Traced<Publish>>,
    /// `link NAME = …`, sorted by name.
    pub links: Vec<Traced<Link>>,
    /// `address NAME NETWORK`
    pub addresses: Vec<Traced<LinkAddress>>,
    /// `route NETWORK = …`
    pub routes: Vec<Traced<Route>>,
    /// `uplink = user`
    pub uplink: Option<Traced<Uplink>>,
    /// `dns = …`: who is asked for names.
    pub dns: Option<Traced<Dns>>,
    /// `private = […]`: networks that are not of the internet, in which names may lie all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private: Option<Traced<Vec<Cidr>>>,
    /// `host NAME = ADDRESS`: lines of /etc/hosts.
    pub hosts: Vec<Traced<HostName>>,
    /// `allow` and `deny`, in an order of no meaning.
    pub rules: Vec<Traced<NetRule>>,
}

/// A way out to what the host reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Uplink {
    /// Through pasta(1), which needs no privilege.
    User,
}

/// Where a resolver of nsl's own listens inside: on the loopback, where that of systemd is on hosts that have it.
pub const RESOLVER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 53);

/// Who is asked for names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Dns {
    /// Those whom the host asks: resolv.conf(5).
    Host,
    /// These.
    Servers(Vec<IpAddr>),
}

impl Net {
    /// The names that rules let out, each once, sorted.
    pub fn names(&self) -> Vec<String> {
        let name = |rule: &Traced<NetRule>| match &rule.value.peer {
            Peer::Name(name) if rule.value.allow => Some(name.clone()),
            _ => None,
        };
        let names: std::collections::BTreeSet<String> = self.rules.iter().filter_map(name).collect();
        names.into_iter().collect()
    }

    /// What asks for a resolver of nsl's own: rules of names, or `dns = host`.
    pub fn resolver(&self) -> Option<&super::Origin> {
        let of_names = self.rules.iter().find(|it| it.value.allow && matches!(it.value.peer, Peer::Name(_)));
        let of_host = self.dns.as_ref().filter(|it| it.value == Dns::Host);
        of_names.map(|it| &it.origin).or(of_host.map(|it| &it.origin))
    }

    /// Whether nsl's resolver asks the name servers of the host: then names are completed as on the host too.
    pub fn asks_host(&self) -> bool {
        self.resolver().is_some() && !matches!(self.dns, Some(Traced { value: Dns::Servers(_), .. }))
    }

    /// Whether a program may ask any name server for anything: no rule is about what goes out, or one lets everybody be asked.
    pub fn asks_freely(&self) -> bool {
        let dns = Ports::Port(Port { number: 53, protocol: Protocol::Udp });
        let mut out = self.rules.iter().map(|it| &it.value).filter(|it| it.direction == Direction::Out).peekable();
        out.peek().is_none() || out.any(|it| it.allow && it.peer == Peer::Everyone && it.ports.covers(&dns))
    }
}

/// `host NAME = ADDRESS`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostName {
    /// The name.
    pub name: String,
    /// Its address.
    pub address: IpAddr,
}

/// A port of the host that leads to a port of the sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Publish {
    /// The address of the host it listens on; 127.0.0.1 where not stated.
    pub address: Option<IpAddr>,
    /// The port of the host.
    pub outer: Port,
    /// The port inside, on 127.0.0.1.
    pub inner: Port,
}

/// An address with the length of the prefix that names its network: `10.0.0.2/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cidr {
    /// The address.
    pub address: IpAddr,
    /// Bits of the prefix, 0 to 32 or 128.
    pub prefix: u8,
}

impl Cidr {
    /// One address alone.
    pub fn host(address: IpAddr) -> Cidr {
        Cidr { address, prefix: Cidr::bits(address) }
    }

    fn bits(address: IpAddr) -> u8 {
        if address.is_ipv4() { 32 } else { 128 }
    }

    /// The address as a number, its bits first.
    fn number(address: IpAddr) -> u128 {
        match address {
            IpAddr::V4(it) => u128::from(u32::from(it)) << 96,
            IpAddr::V6(it) => u128::from(it),
        }
    }

    /// The mask, bits first.
    fn mask(self) -> u128 {
        if self.prefix == 0 { 0 } else { u128::MAX << (128 - u32::from(self.prefix)) }
    }

    /// The network: the address with all bits behind the prefix zero.
    pub fn network(self) -> Cidr {
        let number = Cidr::number(self.address) & self.mask();
        let address = match self.address {
            IpAddr::V4(_) => IpAddr::V4(((number >> 96) as u32).into()),
            IpAddr::V6(_) => IpAddr::V6(number.into()),
        };
        Cidr { address, prefix: self.prefix }
    }

    /// Whether the address names a host and not only its network.
    pub fn has_host_bits(self) -> bool {
        self.network().address != self.address
    }

    /// Whether an address is in the network.
    pub fn contains(self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4()
            && (Cidr::number(self.address) ^ Cidr::number(address)) & self.mask() == 0
    }

    /// Whether another network is a part of this one, or the same.
    pub fn covers(self, other: Cidr) -> bool {
        self.prefix <= other.prefix && self.contains(other.address)
    }

    /// The mask in bytes, as many as the address has.
    pub fn mask_bytes(self) -> Vec<u8> {
        self.mask().to_be_bytes()[..usize::from(Cidr::bits(self.address)) / 8].to_vec()
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl From<Cidr> for String {
    fn from(value: Cidr) -> String {
        value.to_string()
    }
}

impl TryFrom<String> for Cidr {
    type Error = String;

    fn try_from(text: String) -> Result<Cidr, String> {
        let wrong = || format!("`{text}` is no address with a prefix");
        let (address, prefix) = text.split_once('/').ok_or_else(wrong)?;
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let prefix = prefix.parse().ok().filter(|it| *it <= Cidr::bits(address)).ok_or_else(wrong)?;
        Ok(Cidr { address, prefix })
    }
}

/// `link NAME = …`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Its name inside.
    pub name: String,
    /// Where it comes from.
    pub kind: LinkKind,
    /// Its address.
    pub address: Option<Cidr>,
    /// The largest packet, bytes; the kernel's default where not stated.
    pub mtu: Option<u32>,
}

/// Where an interface comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkKind {
    /// `veth(…)`: veth(4).
    Veth(Veth),
    /// `macvlan(parent: …)`
    Macvlan {
        /// The interface of the host that it is on.
        parent: String,
        /// How it talks to others on the same parent.
        mode: MacvlanMode,
    },
    /// `move(NAME)`: an interface of the host.
    Move {
        /// Its name on the host.
        from: String,
    },
    /// `bridge`: one of its own.
    Bridge,
}

/// One end of a pair of interfaces; what one end sends the other receives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Veth {
    /// The name of the other end; one of nsl's choice where not stated.
    pub peer: Option<String>,
    /// The address of the other end.
    pub peer_address: Option<Cidr>,
    /// The bridge that the other end is a port of.
    pub bridge: Option<String>,
    /// The network namespace of the other end, a file of nsfs; the host's where not stated.
    pub netns: Option<String>,
    /// Whether what comes from inside goes on with an address of the host.
    pub nat: bool,
}

/// Modes of macvlan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum MacvlanMode {
    Bridge,
    Private,
    Vepa,
    Passthru,
}

/// `address NAME NETWORK`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LinkAddress {
    /// The interface.
    pub link: String,
    /// The address.
    pub address: Cidr,
}

/// `route NETWORK = …`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Route {
    /// What is reached.
    pub to: Cidr,
    /// How.
    pub via: NextHop,
}

/// How a network is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NextHop {
    /// Through somebody who passes it on.
    Gateway(IpAddr),
    /// Directly, on an interface.
    Link(String),
}

/// `allow out 10.0.0.0/8 443/tcp`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NetRule {
    /// Whether it is allowed.
    pub allow: bool,
    /// Which way.
    pub direction: Direction,
    /// With whom.
    pub peer: Peer,
    /// What is carried: for both directions, the port of the one that is called.
    pub ports: Ports,
}

/// Which way a connection is made. Answers come back in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From outside to the sandbox.
    In,
    /// From the sandbox.
    Out,
}

/// With whom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Peer {
    /// `*`
    Everyone,
    /// A network, or one address.
    Net(Cidr),
    /// A name of the domain name system, lower case, without a final point.
    Name(String),
}

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ports {
    /// Everything.
    All,
    /// Every port of a protocol.
    Protocol(Protocol),
    /// icmp(7), and its like for IPv6.
    Icmp,
    /// One port.
    Port(Port),
}

impl Peer {
    /// How specific it is: of two that both apply the larger one decides. One address beats a network and a small network a large
    /// one; a name stands below every network that is smaller than everything, so that a network that is denied stays so
    /// whatever a name resolves to.
    pub fn rank(&self) -> u8 {
        match self {
            Peer::Everyone => 0,
            Peer::Net(it) if it.prefix == 0 => 1,
            Peer::Name(_) => 2,
            // An IPv4 prefix and an IPv6 prefix never meet.
            Peer::Net(it) => 2 + it.prefix,
        }
    }

    /// Whether everything that the other is about is this one's as well.
    pub fn covers(&self, other: &Peer) -> bool {
        match (self, other) {
            (Peer::Everyone, _) => true,
            (Peer::Net(this), Peer::Net(other)) => this.covers(*other),
            (this, other) => this == other,
        }
    }
}

impl Ports {
    /// How specific it is.
    pub fn rank(&self) -> u8 {
        match self {
            Ports::All => 0,
            Ports::Protocol(_) | Ports::Icmp => 1,
            Ports::Port(_) => 2,
        }
    }

    /// Whether everything that the other is about is this one's as well.
    pub fn covers(&self, other: &Ports) -> bool {
        match (self, other) {
            (Ports::All, _) => true,
            (Ports::Protocol(this), Ports::Port(other)) => *this == other.protocol,
            (this, other) => this == other,
        }
    }
}

impl Direction {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Direction::In => "in",
            Direction::Out => "out",
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Peer::Everyone => f.write_str("*"),
            Peer::Net(it) if *it == Cidr::host(it.address) => it.address.fmt(f),
            Peer::Net(it) => it.fmt(f),
            Peer::Name(it) => write!(f, "\"{it}\""),
        }
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Ports::All => Ok(()),
            Ports::Protocol(it) => f.write_str(it.name()),
            Ports::Icmp => f.write_str("icmp"),
            Ports::Port(it) => it.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        Cidr::try_from(text.to_string()).expect("a network")
    }

    #[test]
    fn networks_contain_addresses() {
        assert!(cidr("10.0.0.0/8").contains("10.255.0.1".parse().unwrap()));
        assert!(!cidr("10.0.0.0/8").contains("11.0.0.1".parse().unwrap()));
        assert!(!cidr("0.0.0.0/0").contains("::1".parse().unwrap()));
        assert!(cidr("::/0").contains("fe80::1".parse().unwrap()));
        assert!(cidr("10.1.0.0/16").covers(cidr("10.1.2.0/24")) && !cidr("10.1.2.0/24").covers(cidr("10.1.0.0/16")));
        assert_eq!(cidr("10.1.2.3/20").network(), cidr("10.1.0.0/20"));
        assert!(cidr("fd00::1/64").has_host_bits() && !cidr("fd00::/64").has_host_bits());
        assert_eq!(cidr("10.0.0.0/9").mask_bytes(), [255, 128, 0, 0]);
        assert!(Cidr::try_from("10.0.0.0/33".to_string()).is_err());
    }
}
