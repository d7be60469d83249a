//! The section `net`.

use std::net::IpAddr;

use super::read::*;
use super::*;

impl Lower<'_, '_> {
    pub(super) fn net(&mut self) -> Net {
        Net {
            mode: self.mode("net"),
            loopback: self.setting("net.loopback", |it| Some(text(it)? == "up")),
            publish: self.net_entries("net.publish", publish),
            links: self.net_entries("net.link", link),
            addresses: self.net_entries("net.address", |labels, _| {
                Some(LinkAddress { link: text(labels.first()?)?, address: cidr(labels.last()?)? })
            }),
            routes: self.net_entries("net.route", |labels, value| {
                let value = value?;
                let via = match value.value {
                    Value::Address(address, _) => NextHop::Gateway(address),
                    _ => NextHop::Link(text(value)?),
                };
                Some(Route { to: cidr(labels.first()?)?, via })
            }),
            uplink: self.setting("net.uplink", |_| Some(Uplink::User)),
            dns: self.setting("net.dns", |it| match &it.value {
                Value::List(servers) => Some(Dns::Servers(servers.iter().map(ip).collect::<Option<_>>()?)),
                _ => Some(Dns::Host),
            }),
            private: self.setting("net.private", |it| match &it.value {
                Value::List(networks) => networks.iter().map(cidr).collect(),
                _ => None,
            }),
            hosts: self.net_entries("net.host", |labels, value| {
                Some(HostName { name: text(labels.first()?)?, address: ip(value?)? })
            }),
            rules: self.net_rules(),
        }
    }

    /// Where a direction has rules, what none of them names is denied.
    fn net_rules(&self) -> Vec<Traced<NetRule>> {
        let mut rules = [
            self.net_entries("net.allow", |labels, _| rule(true, labels)),
            self.net_entries("net.deny", |labels, _| rule(false, labels)),
        ]
        .concat();
        for direction in [Direction::In, Direction::Out] {
            let of = |it: &&Traced<NetRule>| it.value.direction == direction;
            let everything = |it: &Traced<NetRule>| it.value.peer == Peer::Everyone && it.value.ports == Ports::All;
            let Some(first) = rules.iter().find(of) else { continue };
            if !rules.iter().filter(of).any(everything) {
                let value = NetRule { allow: false, direction, peer: Peer::Everyone, ports: Ports::All };
                let key = format!("net.deny[{} *]", direction.name());
                rules.push(Traced::implied(value, first.span(), &key, "what no rule allows is denied"));
            }
        }
        rules
    }

    fn net_entries<T>(&self, head: &str, read: impl Fn(&[Val], Option<&Val>) -> Option<T>) -> Vec<Traced<T>> {
        let traced = |found: &Candidate| {
            let value = read(&found.payload.labels, found.payload.value.as_deref())?;
            Some(Traced { value, origin: found.origin.clone(), strength: found.payload.strength })
        };
        self.entries(head).iter().filter_map(traced).collect()
    }
}

/// The files by which programs find names: /etc/resolv.conf and /etc/hosts, unless the tree has its own there.
pub fn name_files(net: &Net) -> Vec<Traced<Entry>> {
    let file = |path: &str, text: String, origin: &Origin| {
        let host_search = path == "/etc/resolv.conf" && net.asks_host();
        let kind = EntryKind::Mount(MountSource::File { text, host_search });
        Traced::new(Entry { path: path.to_string(), kind }, origin.clone())
    };
    let mut files = Vec::new();
    if let Some(origin) = net.resolver() {
        files.push(file("/etc/resolv.conf", format!("nameserver {RESOLVER}\n"), origin));
    } else if let Some(Traced { value: Dns::Servers(servers), origin, .. }) = &net.dns {
        let lines = servers.iter().map(|it| format!("nameserver {it}\n"));
        files.push(file("/etc/resolv.conf", lines.collect(), origin));
    }
    if let Some(first) = net.hosts.first() {
        let lines = net.hosts.iter().map(|it| format!("{} {}\n", it.value.address, it.value.name));
        let text = format!("127.0.0.1 localhost\n::1 localhost\n{}", lines.collect::<String>());
        files.push(file("/etc/hosts", text, &first.origin));
    }
    files
}

fn publish(labels: &[Val], value: Option<&Val>) -> Option<Publish> {
    let (outer, inner) = (port(labels.last()?)?, port(value?)?);
    let address = labels.first().and_then(|it| match it.value {
        Value::Address(address, _) => Some(address),
        _ => None,
    });
    Some(Publish { address, outer, inner })
}

fn link(labels: &[Val], value: Option<&Val>) -> Option<Link> {
    let Value::Variant(kind, args) = &value?.value else { return None };
    let word = |name: &str| argument(args, name).and_then(text);
    let kind = match kind.as_str() {
        "veth" => LinkKind::Veth(Veth {
            peer: word("peer"),
            peer_address: argument(args, "peer-address").and_then(cidr),
            bridge: word("bridge"),
            netns: word("netns"),
            nat: argument(args, "nat").is_some(),
        }),
        "macvlan" => LinkKind::Macvlan {
            parent: word("parent")?,
            mode: match word("mode").as_deref() {
                Some("private") => MacvlanMode::Private,
                Some("vepa") => MacvlanMode::Vepa,
                Some("passthru") => MacvlanMode::Passthru,
                _ => MacvlanMode::Bridge,
            },
        },
        "move" => LinkKind::Move { from: word("from")? },
        _ => LinkKind::Bridge,
    };
    Some(Link {
        name: text(labels.first()?)?,
        kind,
        address: argument(args, "address").and_then(cidr),
        mtu: argument(args, "mtu").and_then(count).map(|it| it as u32),
    })
}

/// One address.
fn ip(val: &Val) -> Option<IpAddr> {
    match val.value {
        Value::Address(address, _) => Some(address),
        _ => None,
    }
}

/// An address with its prefix; one alone is all of its bits.
fn cidr(val: &Val) -> Option<Cidr> {
    match val.value {
        Value::Address(address, Some(prefix)) => Some(Cidr { address, prefix }),
        Value::Address(address, None) => Some(Cidr::host(address)),
        _ => None,
    }
}

fn rule(allow: bool, labels: &[Val]) -> Option<NetRule> {
    let direction = if text(labels.first()?)? == "in" { Direction::In } else { Direction::Out };
    let peer = match &labels.get(1)?.value {
        Value::Everything => Peer::Everyone,
        Value::Str(name) => Peer::Name(name.trim_end_matches('.').to_ascii_lowercase()),
        _ => Peer::Net(cidr(&labels[1])?),
    };
    let ports = match labels.get(2).map(|it| (&it.value, text(it))) {
        None => Ports::All,
        Some((Value::Port(port), _)) => Ports::Port(*port),
        Some((_, Some(word))) if word == "tcp" => Ports::Protocol(Protocol::Tcp),
        Some((_, Some(word))) if word == "udp" => Ports::Protocol(Protocol::Udp),
        Some(_) => Ports::Icmp,
    };
    Some(NetRule { allow, direction, peer, ports })
}
