//! Interfaces, addresses and routes.

use std::net::IpAddr;

use crate::policy::{Cidr, Link, LinkKind, Net, NextHop, Traced};
use crate::report::Diagnostic;
use crate::source::Span;

/// The longest name of an interface: IFNAMSIZ without the NUL byte.
const LONGEST: usize = 15;
/// The smallest packet that IPv6 lives with: RFC 8200.
const SMALLEST_OF_IPV6: u32 = 1280;

pub(super) fn check(net: &Net, out: &mut Vec<Diagnostic>) {
    for link in &net.links {
        names(link, out);
        if let LinkKind::Veth(_) = link.value.kind {
            pair(link, net, out);
            nat(link, net, out);
        }
        small(link, net, out);
    }
    let addresses = addresses(net);
    for (_, address, span) in &addresses {
        usable(*address, *span, out);
    }
    overlaps(net, &addresses, out);
    for address in &net.addresses {
        known(net, &address.value.link, address.span(), out);
    }
    for route in &net.routes {
        if route.value.to.has_host_bits() {
            out.push(host_bits(route.value.to, route.span()));
        }
        match &route.value.via {
            NextHop::Link(link) => known(net, link, route.span(), out),
            NextHop::Gateway(gateway) => reachable(net, &addresses, *gateway, route, out),
        }
    }
}

/// A network with bits that name a host in it.
pub(super) fn host_bits(network: Cidr, span: Span) -> Diagnostic {
    let meant = network.network();
    Diagnostic::error("network-host-bits", format!("{network} is an address in a network, and a network is meant"))
        .label(span, format!("bits behind the first {} are set", network.prefix))
        .help(format!("write `{meant}`, or `{}` for the one address", network.address))
}

fn names(link: &Traced<Link>, out: &mut Vec<Diagnostic>) {
    let link_names = match &link.value.kind {
        LinkKind::Veth(veth) => [veth.peer.as_deref(), veth.bridge.as_deref()],
        LinkKind::Macvlan { parent, .. } => [Some(parent.as_str()), None],
        LinkKind::Move { from } => [Some(from.as_str()), None],
        LinkKind::Bridge => [None, None],
    };
    for name in std::iter::once(link.value.name.as_str()).chain(link_names.into_iter().flatten()) {
        let reason = match name {
            "lo" => "the loopback is there already",
            "." | ".." | "all" | "default" => "the kernel keeps that name for itself",
            name if name.len() > LONGEST => "it is longer than 15 bytes",
            name if name.contains(|it: char| it == '/' || it == ':' || it == '%' || it.is_whitespace()) => {
                "`/`, `:`, `%` and blanks cannot stand in it"
            }
            _ => continue,
        };
        out.push(
            Diagnostic::error("link-name-invalid", format!("no interface can be called `{name}`: {reason}"))
                .label(link.span(), "named here")
                .help("choose a name such as `eth0`"),
        );
    }
}

fn pair(link: &Traced<Link>, net: &Net, out: &mut Vec<Diagnostic>) {
    let LinkKind::Veth(veth) = &link.value.kind else { return };
    if let (Some(bridge), Some(address)) = (&veth.bridge, veth.peer_address) {
        out.push(
            Diagnostic::error("veth-contradiction", "a port of a bridge has no address of its own")
                .label(link.span(), format!("`peer-address: {address}` and `bridge: {bridge}`"))
                .help(format!("delete `peer-address`: {bridge} itself has the address that is the gateway")),
        );
    }
    if let (Some(inner), Some(outer)) = (link.value.address, veth.peer_address)
        && inner.address.is_ipv4() == outer.address.is_ipv4()
        && (inner.network() != outer.network() || inner.address == outer.address)
    {
        let (told, help) = if inner.address == outer.address {
            ("both ends have one address", "give each end an address of its own")
        } else {
            ("the two ends are in different networks", "give both ends an address of one network")
        };
        out.push(
            Diagnostic::error("veth-contradiction", format!("{inner} and {outer} do not reach each other: {told}"))
                .label(link.span(), "the two ends of this pair")
                .help(help),
        );
    }
    let same = |it: &&Traced<Link>| {
        it.span() != link.span()
            && matches!(&it.value.kind, LinkKind::Veth(other) if veth.peer.is_some() && other.peer == veth.peer)
    };
    if let Some(other) = net.links.iter().take_while(|it| it.span() != link.span()).find(same) {
        let name = veth.peer.as_deref().unwrap_or_default();
        out.push(
            Diagnostic::error("veth-contradiction", format!("two interfaces of the host would be called `{name}`"))
                .label(link.span(), "the second")
                .label(other.span(), "the first")
                .help("give each its own name, or leave `peer` out"),
        );
    }
}

/// What `nat` is about, and a network whose gateway somebody is.
fn nat(link: &Traced<Link>, net: &Net, out: &mut Vec<Diagnostic>) {
    let LinkKind::Veth(veth) = &link.value.kind else { return };
    if !veth.nat {
        return;
    }
    let of_link = addresses(net).into_iter().any(|(name, ..)| name == link.value.name);
    if !of_link || (veth.peer_address.is_none() && veth.bridge.is_none()) {
        out.push(
            Diagnostic::error("veth-contradiction", "`nat` is for a pair with addresses, and this one lacks them")
                .label(link.span(), "whose packets, and who passes them on?")
                .help("write both, as in `veth(address: 10.1.0.2/24, peer-address: 10.1.0.1/24, nat)`, or a `bridge` that has the address of the gateway"),
        );
    }
}

fn small(link: &Traced<Link>, net: &Net, out: &mut Vec<Diagnostic>) {
    let Some(mtu) = link.value.mtu.filter(|it| *it < SMALLEST_OF_IPV6) else { return };
    let six = addresses(net).into_iter().find(|(name, it, _)| *name == link.value.name && it.address.is_ipv6());
    if let Some((_, address, span)) = six {
        out.push(
            Diagnostic::error("mtu-too-small", format!("IPv6 needs packets of 1280 bytes, and `mtu` is {mtu}"))
                .label(link.span(), "the largest packet")
                .label(span, format!("{address} is an address of IPv6"))
                .help("write `mtu: 1280` or more, or use IPv4 alone"),
        );
    }
}

/// Every address that is given: to whom, which, and where.
fn addresses(net: &Net) -> Vec<(&str, Cidr, Span)> {
    let of_links = net.links.iter().filter_map(|it| Some((it.value.name.as_str(), it.value.address?, it.span())));
    of_links.chain(net.addresses.iter().map(|it| (it.value.link.as_str(), it.value.address, it.span()))).collect()
}

fn usable(cidr: Cidr, span: Span, out: &mut Vec<Diagnostic>) {
    let (ip, first) = (cidr.address, cidr.network().address);
    let short = match ip {
        IpAddr::V4(_) => cidr.prefix < 31,
        IpAddr::V6(_) => cidr.prefix < 127,
    };
    let last = match (ip, first) {
        (IpAddr::V4(it), IpAddr::V4(network)) if short => {
            u32::from(it) == u32::from(network) | u32::MAX.checked_shr(cidr.prefix.into()).unwrap_or(0)
        }
        _ => false,
    };
    let what = if ip.is_unspecified() || short && ip == first {
        "is that of the network itself"
    } else if last {
        "is that for everybody in the network (broadcast)"
    } else if ip.is_multicast() {
        "is one of a group (multicast)"
    } else if ip.is_loopback() {
        "belongs to `lo`"
    } else {
        return;
    };
    out.push(
        Diagnostic::error("address-unusable", format!("no interface can have the address {ip}: it {what}"))
            .label(span, "given here")
            .help(format!("choose an address between the first and the last one of {}", cidr.network())),
    );
}

/// Two interfaces in one network: the kernel sends by one of them, and answers on the other are lost.
fn overlaps(net: &Net, addresses: &[(&str, Cidr, Span)], out: &mut Vec<Diagnostic>) {
    for (at, (name, address, span)) in addresses.iter().enumerate() {
        let clash = addresses[..at].iter().find(|(other_name, other, _)| {
            let one_network = address.network().covers(other.network()) || other.network().covers(address.network());
            other.address == address.address || other_name != name && one_network
        });
        if let Some((_, other, first)) = clash {
            out.push(
                Diagnostic::error("address-overlap", format!("{address} and {other} are in one network"))
                    .label(*span, "this one")
                    .label(*first, "and this one")
                    .help("give each interface a network of its own"),
            );
        }
    }
    for publish in net.links.iter().filter_map(|it| match &it.value.kind {
        LinkKind::Veth(veth) => veth.peer_address.map(|peer| (it, peer)),
        _ => None,
    }) {
        usable(publish.1, publish.0.span(), out);
    }
}

fn known(net: &Net, name: &str, span: Span, out: &mut Vec<Diagnostic>) {
    if net.links.iter().any(|it| it.value.name == name) {
        return;
    }
    let names: Vec<String> = net.links.iter().map(|it| format!("`{}`", it.value.name)).collect();
    let help = match names.as_slice() {
        _ if name == "lo" => {
            "`lo` is there, with 127.0.0.1 and ::1 alone; an address that leads nowhere outside has `link NAME = bridge(address: …)`"
                .to_string()
        }
        [] => format!("write `link {name} = veth(…)`, or another kind of interface"),
        names => format!("the interfaces are {}; or write `link {name} = …`", names.join(", ")),
    };
    out.push(
        Diagnostic::error("link-unknown", format!("the sandbox has no interface `{name}`"))
            .label(span, "named here")
            .help(help),
    );
}

fn reachable(
    net: &Net,
    addresses: &[(&str, Cidr, Span)],
    gateway: IpAddr,
    route: &Traced<crate::policy::Route>,
    out: &mut Vec<Diagnostic>,
) {
    let span = route.span();
    if let Some((_, _, own)) = addresses.iter().find(|(_, it, _)| it.address == gateway) {
        out.push(
            Diagnostic::error("gateway-unreachable", format!("{gateway} is the sandbox's own address"))
                .label(span, "the way out")
                .label(*own, "given here")
                .help("name the address of the other end"),
        );
        return;
    }
    let on_link = addresses.iter().any(|(_, it, _)| it.network().contains(gateway));
    let routed = net.routes.iter().any(|it| {
        matches!(it.value.via, NextHop::Link(_)) && it.value.to.network().contains(gateway) && it.value.to.prefix > 0
    });
    let other_family = route.value.to.address.is_ipv4() != gateway.is_ipv4();
    if !on_link && !routed || other_family {
        let told = if other_family { "is of another IP version" } else { "is in no network that is on an interface" };
        out.push(
            Diagnostic::error("gateway-unreachable", format!("the gateway {gateway} {told}"))
                .label(span, "nobody would pass this on")
                .help("name a gateway in the network of an `address`, or name an interface: `route … = eth0`"),
        );
    }
}
