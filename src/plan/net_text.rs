//! Interfaces, routes and firewalls in words.

use super::{Direction, Firewall, LinkKind, LinkStep, NameServers, NextHop, RESOLVER, ResolverStep, RouteStep};

pub(super) fn mtu(mtu: Option<u32>) -> String {
    mtu.map_or(String::new(), |it| format!(", mtu {it}"))
}

pub(super) fn link(link: &LinkStep) -> String {
    let name = &link.name;
    let what = match &link.kind {
        LinkKind::Veth(veth) => {
            let peer = veth.peer.as_deref().unwrap_or("its other end");
            let mut text = format!("make the pair {name} (inside) and {peer}");
            if let Some(netns) = &veth.netns {
                text.push_str(&format!(" (in {netns})"));
            }
            if let Some(bridge) = &veth.bridge {
                text.push_str(&format!(", a port of {bridge}"));
            }
            if let Some(address) = veth.peer_address {
                text.push_str(&format!(" with the address {address}"));
            }
            text
        }
        LinkKind::Macvlan { parent, mode } => {
            let mode = format!("{mode:?}").to_lowercase();
            format!("make {name} on {parent}, macvlan mode {mode}, and hand it in")
        }
        LinkKind::Move { from } => format!("hand in the interface {from} as {name}, until the end"),
        LinkKind::Bridge => format!("make the bridge {name}"),
    };
    let nat: String = link.nat.iter().map(|it| format!(" {it}")).collect();
    let nat = if nat.is_empty() { nat } else { format!(", and masquerade{nat}") };
    format!("{what}{}{nat}", mtu(link.mtu))
}

pub(super) fn resolver(step: &ResolverStep) -> String {
    let names = match &step.names {
        None => "every name".to_string(),
        Some(names) if names.is_empty() => "no name".to_string(),
        Some(names) => names.join(" "),
    };
    let servers = match &step.servers {
        NameServers::Host => "the host's name servers".to_string(),
        NameServers::These(these) => these.iter().map(|it| it.to_string()).collect::<Vec<_>>().join(" "),
    };
    let private: String = step.private.iter().map(|it| format!(" {it}")).collect();
    let private = if private.is_empty() { private } else { format!(", also in{private}") };
    let search = match step.search.as_slice() {
        [] => String::new(),
        domains => format!(", completed with {}", domains.join(" ")),
    };
    format!("start a resolver on {RESOLVER} that asks {servers} for {names}{private}{search}")
}

pub(super) fn route(route: &RouteStep) -> String {
    match &route.via {
        NextHop::Gateway(gateway) => format!("route {} through {gateway}", route.to),
        NextHop::Link(link) => format!("route {} on {link}", route.to),
    }
}

fn chains(firewall: &Firewall) -> impl Iterator<Item = (Direction, &super::Chain)> {
    [Direction::In, Direction::Out].into_iter().filter_map(|it| Some((it, firewall.chain(it)?)))
}

pub(super) fn firewall(firewall: &Firewall) -> String {
    let parts = chains(firewall).map(|(direction, chain)| format!("{} rules {}", chain.rules.len(), direction.name()));
    format!("nftables: {}", parts.collect::<Vec<_>>().join(", "))
}

/// The rules of a firewall, each as the policy would say it, in the order in which they decide.
pub(super) fn rules(firewall: &Firewall) -> Vec<String> {
    let mut lines = Vec::new();
    for (direction, chain) in chains(firewall) {
        let word = |allow: bool| if allow { "allow" } else { "deny" };
        for rule in &chain.rules {
            let line = format!("{} {} {} {}", word(rule.allow), direction.name(), rule.peer, rule.ports);
            lines.push(line.trim_end().to_string());
        }
        lines.push(format!("{} {} everything else", word(chain.otherwise), direction.name()));
    }
    lines
}
