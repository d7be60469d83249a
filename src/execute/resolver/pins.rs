//! What a name may lead to, and the sets of nftables by which only that is let out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::OwnedFd;

use crate::execute::nftables;
use crate::plan::Cidr;

/// An address is let out at least so long, seconds: programs that look a name up and connect a little later are many.
const SHORTEST: u32 = 60;
/// And at most: a name may lead elsewhere tomorrow.
const LONGEST: u32 = 3600;
/// Between the end of what a program was told and the end of what is let out, seconds.
const GRACE: u32 = 10;

/// The names that may be asked for.
pub struct Pins {
    /// Names as rules have them; `*.` in front stands for one label or more, `*` alone for every name.
    names: Vec<String>,
    /// Networks of addresses in which they may be although these are private.
    private: Vec<Cidr>,
    /// A socket of nfnetlink in the sandbox's network namespace.
    netlink: OwnedFd,
}

impl Pins {
    pub fn new(names: Vec<String>, private: Vec<Cidr>, netlink: OwnedFd) -> Pins {
        Pins { names, private, netlink }
    }

    /// Whether the kernel lets this process change the sets at all.
    pub fn probe(&self) -> Result<(), nftables::Refused> {
        nftables::pin(&self.netlink, &[], 0)
    }

    /// Whether any rule names it.
    pub fn allows(&self, name: &str) -> bool {
        self.sets(name).next().is_some()
    }

    fn sets(&self, name: &str) -> impl Iterator<Item = usize> {
        let rules = self.names.iter().enumerate();
        rules.filter(move |(_, rule)| names(rule, name)).map(|(index, _)| index)
    }

    /// Of the addresses that a name leads to, those to which it may lead.
    pub fn allowed(&self, addresses: Vec<IpAddr>) -> Vec<IpAddr> {
        addresses.into_iter().filter(|it| may_lead_to(*it, &self.private)).collect()
    }

    /// Lets these out for what the name's rules say. The time for which the program is told that they hold, seconds.
    pub fn pin(&self, name: &str, addresses: &[IpAddr], ttl: u32) -> Result<u32, nftables::Refused> {
        let pins: Vec<(usize, IpAddr)> =
            self.sets(name).flat_map(|set| addresses.iter().map(move |it| (set, *it))).collect();
        let (told, held) = times(ttl);
        nftables::pin(&self.netlink, &pins, held)?;
        Ok(told)
    }
}

/// What the program is told, and how long an address is let out, seconds.
fn times(ttl: u32) -> (u32, u32) {
    (ttl.min(LONGEST), ttl.clamp(SHORTEST, LONGEST) + GRACE)
}

fn names(rule: &str, name: &str) -> bool {
    match rule.strip_prefix('*') {
        // `*` alone, and `*.example.org`.
        Some(rest) => !name.is_empty() && name.len() > rest.len() && name.ends_with(rest),
        None => rule == name,
    }
}

/// A name that somebody else has given an address of this host's own, or of the network behind it, would lead a program there in
/// spite of itself (DNS rebinding).
fn may_lead_to(address: IpAddr, private: &[Cidr]) -> bool {
    match kind(address) {
        Kind::Public => true,
        Kind::Private => private.iter().any(|it| it.contains(address)),
        Kind::Never => false,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Public,
    Private,
    Never,
}

/// The registries of special addresses: RFC 6890 and what followed.
fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(it) => kind_v4(it),
        IpAddr::V6(it) => kind_v6(it),
    }
}

fn kind_v4(address: Ipv4Addr) -> Kind {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        (0 | 127 | 224..=255, ..) => Kind::Never,
        (10, ..) | (100, 64..=127, _) | (169, 254, _) | (172, 16..=31, _) | (192, 168, _) | (192, 0, 0) => {
            Kind::Private
        }
        (198, 18..=19, _) => Kind::Private,
        _ => Kind::Public,
    }
}

fn kind_v6(address: Ipv6Addr) -> Kind {
    let segments = address.segments();
    let [.., g, h] = segments;
    let last = Ipv4Addr::from(u32::from(g) << 16 | u32::from(h));
    match segments {
        // Unspecified, the loopback, and IPv4 in disguise.
        [0, 0, 0, 0, 0, 0, ..] | [0, 0, 0, 0, 0, 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => Kind::Never,
        [0xff00..=0xffff, ..] => Kind::Never,
        // Translated to IPv4 on the way: RFC 6052, RFC 3056.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => kind_v4(last),
        [0x2002, a, b, ..] => kind_v4(Ipv4Addr::from(u32::from(a) << 16 | u32::from(b))),
        [0x64, 0xff9b, 1, ..] | [0x100, 0, 0, 0, ..] => Kind::Private,
        [0xfc00..=0xfdff, ..] | [0xfe80..=0xfeff, ..] => Kind::Private,
        _ => Kind::Public,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_name_names() {
        assert!(names("a.example.org", "a.example.org") && !names("a.example.org", "b.example.org"));
        assert!(names("*.example.org", "a.example.org") && names("*.example.org", "a.b.example.org"));
        assert!(!names("*.example.org", "example.org") && !names("*.example.org", "badexample.org"));
        assert!(!names("*.example.org", ".example.org") && names("*", "localhost") && !names("*", ""));
    }

    #[test]
    fn names_lead_to_public_addresses() {
        let kind = |text: &str| kind(text.parse().expect("an address"));
        for public in
            ["192.0.2.1", "8.8.8.8", "100.128.0.1", "172.32.0.1", "2001:db8::1", "64:ff9b::808:808", "2002:808:808::1"]
        {
            assert_eq!(kind(public), Kind::Public, "{public}");
        }
        let private = [
            "10.0.0.1",
            "100.64.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "fd00::1",
            "fe80::1",
            "fec0::1",
            "64:ff9b::a00:1",
            "2002:a00:1::1",
        ];
        for private in private {
            assert_eq!(kind(private), Kind::Private, "{private}");
        }
        let never = [
            "127.0.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:192.0.2.1",
            "::192.0.2.1",
            "ff02::1",
            "64:ff9b::7f00:1",
        ];
        for never in never {
            assert_eq!(kind(never), Kind::Never, "{never}");
        }
    }

    #[test]
    fn private_networks_are_named() {
        let private = [Cidr { address: "10.1.0.0".parse().unwrap(), prefix: 16 }];
        let may = |text: &str| may_lead_to(text.parse().unwrap(), &private);
        assert!(may("10.1.2.3") && may("192.0.2.1") && !may("10.2.0.1") && !may("127.0.0.1"));
    }

    #[test]
    fn times_have_bounds() {
        assert_eq!(times(0), (0, 70));
        assert_eq!(times(300), (300, 310));
        assert_eq!(times(u32::MAX), (3600, 3610));
    }
}
