//! The network.

use std::net::{IpAddr, Ipv4Addr};

use super::{firewall, links};
use crate::policy::{Direction, Dns, Mode, Net, NsKind, Policy, Publish, Sandbox, Traced};
use crate::report::Diagnostic;

pub(super) fn check(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let net = &sandbox.net;
    let own = net.mode.value == Mode::New;
    let stated = |rule: &Traced<crate::policy::NetRule>| (!rule.is_implied()).then(|| rule.span());
    let first = (net.publish.first().map(Traced::span))
        .or(net.loopback.as_ref().map(Traced::span))
        .or(net.links.first().map(Traced::span))
        .or(net.addresses.first().map(Traced::span))
        .or(net.routes.first().map(Traced::span))
        .or(net.uplink.as_ref().map(Traced::span))
        .or(net.dns.as_ref().map(Traced::span))
        .or(net.private.as_ref().map(Traced::span))
        .or(net.hosts.first().map(Traced::span))
        .or(net.rules.iter().find_map(stated));
    if let (Some(span), false) = (first, own) {
        out.push(
            Diagnostic::error("publish-without-net", "this is about a network of the sandbox's own, and it has none")
                .label(span, "stated here")
                .label(net.mode.span(), "`net` is not `new`")
                .help("write `net new { … }`, or delete the line: the host's network is the host's to arrange"),
        );
    }
    if let (Some(down), Some(publish)) = (net.loopback.as_ref().filter(|it| !it.value), net.publish.first()) {
        out.push(
            Diagnostic::error("loopback-down", "published ports lead to 127.0.0.1, which is unreachable here")
                .label(publish.span(), "published here")
                .label(down.span(), "`lo` stays down")
                .help("delete `loopback = down`: up is the default"),
        );
    }
    for (index, publish) in net.publish.iter().enumerate() {
        publication(publish, &net.publish[..index], out);
    }
    links::check(net, out);
    names(net, out);
    firewall::check(sandbox, out);
    if net.mode.value == Mode::Host && !net.mode.is_implied() && sandbox.seccomp.is_none() {
        out.push(
            Diagnostic::advice("abstract-sockets-open", "abstract UNIX sockets of the host are reachable")
                .label(net.mode.span(), "the host's network")
                .help("write `net new`: abstract sockets belong to the network namespace"),
        );
    }
}

/// Files by which names are found, in a tree that is the host's. Those of a pod are in the trees of its containers.
pub(super) fn name_files(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let net = &sandbox.net;
    let first = (net.dns.as_ref().map(Traced::span))
        .or(net.hosts.first().map(Traced::span))
        .or(net.resolver().map(|it| it.span));
    if let (Some(span), false) = (first, sandbox.is_new(NsKind::Mnt)) {
        out.push(
            Diagnostic::error("names-without-mnt", "names are found through files of /etc, and the tree is the host's")
                .label(span, "would change a file of the host's")
                .label(sandbox.mnt.mode.span(), "`mnt` is not `new`")
                .help("write `mnt new { … }`, or delete the line"),
        );
    }
}

fn names(net: &Net, out: &mut Vec<Diagnostic>) {
    resolver(net, out);
    let default_route = net.routes.iter().find(|it| it.value.to.prefix == 0);
    if let (Some(uplink), Some(route)) = (&net.uplink, default_route) {
        out.push(
            Diagnostic::error("uplink-and-route", "everything would have two ways out")
                .label(uplink.span(), "one through the host")
                .label(route.span(), "one through a gateway")
                .help("keep one of the two; routes to some networks go with `uplink`"),
        );
    }
    for host in &net.hosts {
        let name = &host.value.name;
        if name.len() > 253 || !name.bytes().all(|it| it.is_ascii_alphanumeric() || b"-._".contains(&it)) {
            out.push(
                Diagnostic::error("host-name-invalid", format!("`{name}` is no name of a host: hosts(5)"))
                    .label(host.span(), "this name")
                    .help("letters, digits, `-` and `.` can stand in it"),
            );
        }
    }
}

/// Whether plans want to know how programs of the host complete names: [`crate::host::HostFacts::name_search`].
pub fn wants_name_search(policy: &Policy) -> bool {
    let pods = policy.pods.iter().flat_map(|pod| pod.containers.iter().chain([&pod.base]));
    policy.sandboxes.iter().chain(pods).any(|it| it.net.asks_host())
}

/// What a resolver of nsl's own needs, and what is asked of one that is not there.
fn resolver(net: &Net, out: &mut Vec<Diagnostic>) {
    let by_name = !net.names().is_empty();
    if let (Some(asked), Some(down)) = (net.resolver(), net.loopback.as_ref().filter(|it| !it.value)) {
        out.push(
            Diagnostic::error("loopback-down", "names are answered on 127.0.0.53, which is unreachable here")
                .label(asked.span, "names are asked for")
                .label(down.span(), "`lo` stays down")
                .help("delete `loopback = down`: up is the default"),
        );
    }
    let out_rule = net.rules.iter().find(|it| it.value.direction == Direction::Out);
    if let (Some(dns), Some(rule)) = (net.dns.as_ref().filter(|it| it.value == Dns::Host), out_rule)
        && !by_name
        && !net.asks_freely()
    {
        out.push(
            Diagnostic::error("dns-closed", "no name would be answered: no rule of the firewall names one")
                .label(dns.span(), "names are asked for")
                .label(rule.span(), "what may go out is ruled here")
                .help("write rules of names, as in `allow out \"*.example.org\" 443/tcp`, or leave `dns` out"),
        );
    }
    let Some(private) = &net.private else { return };
    if !by_name {
        out.push(
            Diagnostic::warning("private-without-names", "nothing is looked up in these networks")
                .label(private.span(), "about names in the firewall")
                .help("delete the line; rules of networks need none"),
        );
    }
    for network in &private.value {
        if network.has_host_bits() {
            out.push(links::host_bits(*network, private.span()));
        }
        let loopback: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), std::net::Ipv6Addr::LOCALHOST.into()];
        if loopback.iter().any(|it| network.contains(*it)) || network.address.is_multicast() {
            out.push(
                Diagnostic::error("private-unusable", format!("no name is ever let out to {network}"))
                    .label(private.span(), "the loopback, or groups")
                    .help("name the networks alone in which the servers are"),
            );
        }
    }
}

fn publication(publish: &Traced<Publish>, before: &[Traced<Publish>], out: &mut Vec<Diagnostic>) {
    if let Some(first) = before.iter().find(|it| clash(&it.value, &publish.value)) {
        out.push(
            Diagnostic::error(
                "publish-clash",
                format!("port {} of the host is published twice", publish.value.outer.number),
            )
            .label(publish.span(), "again here")
            .label(first.span(), "first here")
            .help("publish another port of the host"),
        );
    }
    if publish.value.outer.protocol != publish.value.inner.protocol {
        out.push(
            Diagnostic::error("publish-protocols", "a port leads to a port of the same protocol")
                .label(publish.span(), "two protocols")
                .help("write the same protocol on both sides"),
        );
    }
    if address(&publish.value).is_unspecified() {
        out.push(
            Diagnostic::warning(
                "publish-everywhere",
                format!("port {} of every address of the host leads into the sandbox", publish.value.outer.number),
            )
            .label(publish.span(), "whoever reaches the host reaches the program")
            .help("leave the address out, which means 127.0.0.1, or name the address that is meant"),
        );
    }
}

fn address(publish: &Publish) -> IpAddr {
    publish.address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// Whether two ports of the host cannot both be listened on. `0.0.0.0` is every address of IPv4, and `::` every one of both.
pub(super) fn clash(a: &Publish, b: &Publish) -> bool {
    let (x, y) = (address(a), address(b));
    let covers = |wide: IpAddr, other: IpAddr| wide.is_unspecified() && (wide.is_ipv6() || other.is_ipv4());
    a.outer == b.outer && (x == y || covers(x, y) || covers(y, x))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Port, Protocol};

    fn publish(address: Option<&str>, number: u16) -> Publish {
        let port = Port { number, protocol: Protocol::Tcp };
        Publish { address: address.and_then(|it| it.parse().ok()), outer: port, inner: port }
    }

    #[test]
    fn ports_clash_on_one_address() {
        let clash = |a, b| clash(&publish(a, 80), &publish(b, 80));
        assert!(clash(None, Some("127.0.0.1")));
        assert!(clash(Some("0.0.0.0"), None));
        assert!(clash(Some("10.0.0.1"), Some("::")));
        assert!(!clash(Some("10.0.0.1"), Some("10.0.0.2")));
        assert!(!clash(Some("0.0.0.0"), Some("::1")));
        assert!(!super::clash(&publish(None, 80), &publish(None, 81)));
    }
}
