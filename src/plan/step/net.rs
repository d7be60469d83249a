//! What steps say of interfaces and of the firewall.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::policy::{Cidr, Direction, LinkKind, NextHop, Peer, Ports};

/// An interface that is made on the host, with one end in the sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkStep {
    /// Its name inside.
    pub name: String,
    /// Where it comes from. The other end of a pair has a name here; `PID` in it stands for the process id of nsl.
    pub kind: LinkKind,
    /// The largest packet, bytes.
    pub mtu: Option<u32>,
    /// The networks inside whose packets go on with an address of the host's: masquerading.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nat: Vec<Cidr>,
}

/// The firewall of a sandbox, in its own network namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firewall {
    /// What may come in; `None`: everything.
    pub input: Option<Chain>,
    /// What may go out; `None`: everything.
    pub output: Option<Chain>,
    /// The names in its rules. Each has a set of addresses, empty at first, which the resolver fills.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

/// A resolver of the sandbox's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolverStep {
    /// The names that are answered, as the firewall has them; `None`: every name, and answers pass as they come.
    pub names: Option<Vec<String>>,
    /// Networks that are not of the internet, in which names may lie all the same.
    pub private: Vec<Cidr>,
    /// Who is asked, by nsl, from the host's network.
    pub servers: NameServers,
    /// Domains with which programs complete names, as those of the host do: resolv.conf(5).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub search: Vec<String>,
}

/// Who is asked for names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NameServers {
    /// Those of the host's /etc/resolv.conf, as it is when a question comes.
    Host,
    /// These, on port 53.
    These(Vec<IpAddr>),
}

/// The rules of one direction, the most specific first: the first that applies decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// The rules.
    pub rules: Vec<ChainRule>,
    /// What holds where no rule applies.
    pub otherwise: bool,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainRule {
    /// With whom.
    pub peer: Peer,
    /// What.
    pub ports: Ports,
    /// Whether it is allowed.
    pub allow: bool,
}

/// A packet that begins something, as a firewall sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The other side.
    pub peer: IpAddr,
    /// `None`: a protocol that rules know nothing of.
    pub ports: Option<Ports>,
}

impl Firewall {
    /// What a direction gets; `None`: nobody said anything of it.
    pub fn chain(&self, direction: Direction) -> Option<&Chain> {
        match direction {
            Direction::In => self.input.as_ref(),
            Direction::Out => self.output.as_ref(),
        }
    }
}

impl Chain {
    /// What a packet gets. Addresses of names are not known here: rules of names apply to none.
    pub fn allows(&self, packet: Packet) -> bool {
        let applies = |rule: &&ChainRule| {
            let peer = match &rule.peer {
                Peer::Everyone => true,
                Peer::Net(it) => it.contains(packet.peer),
                Peer::Name(_) => false,
            };
            peer && (rule.ports == Ports::All || packet.ports.is_some_and(|it| rule.ports.covers(&it)))
        };
        self.rules.iter().find(applies).map_or(self.otherwise, |rule| rule.allow)
    }
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteStep {
    /// What is reached.
    pub to: Cidr,
    /// How.
    pub via: NextHop,
}
