//! Interfaces, addresses, routes, and the firewall in front of them.

use super::build::Builder;
use super::{Action, Chain, ChainRule, Firewall, LinkStep, NameServers, ResolverStep, RouteStep, Stage};
use crate::policy::{Cidr, Direction, Dns, LinkKind, NetRule, NsKind, Sandbox, Traced};
use crate::report::Diagnostic;

/// The interface that an uplink has inside.
const UPLINK: &str = "uplink";

/// What nsl itself makes on the host, while the child waits: one end of each goes to the child.
pub(super) fn links(builder: &mut Builder) {
    let sandbox = builder.sandbox;
    for (number, link) in sandbox.net.links.iter().enumerate() {
        let mut kind = link.value.kind.clone();
        match &mut kind {
            LinkKind::Bridge => continue,
            LinkKind::Veth(veth) => drop(veth.peer.get_or_insert_with(|| format!("nsl-PID.{number}"))),
            LinkKind::Macvlan { .. } | LinkKind::Move { .. } => {}
        }
        let name = &link.value.name;
        let more = sandbox.net.addresses.iter().filter(|it| it.value.link == *name).map(|it| it.value.address);
        let nat = match &kind {
            LinkKind::Veth(veth) if veth.nat => link.value.address.into_iter().chain(more).map(Cidr::network).collect(),
            _ => Vec::new(),
        };
        let step = LinkStep { name: name.clone(), kind, mtu: link.value.mtu, nat };
        let key = link.origin.key.to_string();
        builder.push(Stage::Admit, Action::MakeLink(step), link.span(), key, Some("CAP_NET_ADMIN"), true);
    }
}

/// The way out: pasta(1) is a neighbour in the sandbox's network that makes its connections on the host, as its caller. It forwards
/// nothing inwards, and the address of the gateway does not lead to the host's own services.
pub(super) fn uplink(builder: &mut Builder) {
    let Some(uplink) = &builder.sandbox.net.uplink else { return };
    let Some(program) = builder.facts.helpers.get("pasta").cloned() else {
        builder.errors.push(
            Diagnostic::error(
                "uplink-missing",
                format!("{} has no pasta, which `uplink = user` needs", builder.facts.name),
            )
            .label(uplink.span(), "the way out")
            .help("install the package `passt`"),
        );
        return;
    };
    let fixed = "--foreground --config-net --no-map-gw --tcp-ports none --udp-ports none --tcp-ns none --udp-ns none";
    let mut arguments: Vec<String> = fixed.split(' ').map(String::from).collect();
    arguments.extend(["--ns-ifname".into(), UPLINK.into()]);
    if builder.facts.caller.uid == 0 {
        // It would become `nobody`, who may not enter the sandbox's namespaces. It gives up every capability on the host instead.
        arguments.extend(["--runas".into(), "0".into()]);
    }
    match builder.own_user() {
        true => arguments.extend(["--userns".into(), "/proc/CHILD/ns/user".into()]),
        false => arguments.push("--netns-only".into()),
    }
    arguments.extend(["--netns", "/proc/CHILD/ns/net", "--pid", "/proc/self/fd/3"].map(String::from));
    builder.step_of(Stage::Admit, Action::StartUplink { program, arguments }, uplink);
}

/// Who answers for names inside, where the firewall or the policy leaves that to nsl.
pub(super) fn resolver(builder: &mut Builder) {
    let net = &builder.sandbox.net;
    let Some(origin) = net.resolver() else { return };
    let names = net.names();
    let servers = match &net.dns {
        Some(Traced { value: Dns::Servers(servers), .. }) => NameServers::These(servers.clone()),
        _ => NameServers::Host,
    };
    let names = (!names.is_empty() || !net.asks_freely()).then_some(names);
    let private = net.private.as_ref().map_or(Vec::new(), |it| it.value.clone());
    let search = match net.asks_host() {
        true => builder.facts.name_search.domains.clone(),
        false => Vec::new(),
    };
    builder.step(Stage::Admit, Action::StartResolver(ResolverStep { names, private, servers, search }), origin);
}

/// What the child does in its own network namespace. The firewall is there before anything is up.
pub(super) fn inside(builder: &mut Builder) {
    let sandbox = builder.sandbox;
    if !sandbox.is_new(NsKind::Net) {
        return;
    }
    if let Some(firewall) = firewall(sandbox)
        && let Some(first) = sandbox.net.rules.first()
    {
        builder.step(Stage::Child, Action::InstallFirewall(firewall), &first.origin);
    }
    if sandbox.net.loopback.as_ref().is_none_or(|it| it.value) {
        let origin = sandbox.net.loopback.as_ref().map_or(&sandbox.net.mode.origin, |it| &it.origin);
        builder.step(Stage::Child, Action::LoopbackUp, origin);
    }
    for link in &sandbox.net.links {
        let name = &link.value.name;
        if link.value.kind == LinkKind::Bridge {
            builder.step_of(Stage::Child, Action::MakeBridge { name: name.clone(), mtu: link.value.mtu }, link);
        }
        if let Some(address) = link.value.address {
            builder.step_of(Stage::Child, Action::AddAddress { link: name.clone(), address }, link);
        }
        for more in sandbox.net.addresses.iter().filter(|it| it.value.link == *name) {
            let action = Action::AddAddress { link: name.clone(), address: more.value.address };
            builder.step_of(Stage::Child, action, more);
        }
        builder.step_of(Stage::Child, Action::LinkUp { link: name.clone() }, link);
    }
    // A network on an interface first: a gateway may be in it.
    let mut routes: Vec<_> = sandbox.net.routes.iter().collect();
    routes.sort_by_key(|it| (std::cmp::Reverse(matches!(it.value.via, crate::policy::NextHop::Link(_))), it.value.to));
    for route in routes {
        let step = RouteStep { to: route.value.to, via: route.value.via.clone() };
        builder.step_of(Stage::Child, Action::AddRoute(step), route);
    }
}

/// The rules in the order in which they decide; `None` where there are none.
pub(super) fn firewall(sandbox: &Sandbox) -> Option<Firewall> {
    let rules = &sandbox.net.rules;
    let (input, output) = (chain(rules, Direction::In), chain(rules, Direction::Out));
    (!rules.is_empty()).then(|| Firewall { input, output, names: sandbox.net.names() })
}

/// Of two rules that both apply the more specific one decides: first by the address, then by what is carried. Two that are
/// equally specific and both apply are one rule, and say one thing; so the order of the lines has no meaning.
pub(crate) fn chain(rules: &[Traced<NetRule>], direction: Direction) -> Option<Chain> {
    let mut of: Vec<&NetRule> = rules.iter().map(|it| &it.value).filter(|it| it.direction == direction).collect();
    if of.is_empty() {
        return None;
    }
    let key = |it: &&NetRule| (std::cmp::Reverse(it.peer.rank()), std::cmp::Reverse(it.ports.rank()));
    of.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| (&a.peer, a.ports).cmp(&(&b.peer, b.ports))));
    let rules = of.into_iter().map(|it| ChainRule { peer: it.peer.clone(), ports: it.ports, allow: it.allow });
    Some(Chain { rules: rules.collect(), otherwise: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Packet;
    use crate::policy::{Origin, Peer, Port, Ports, Protocol};
    use crate::source::Span;

    fn rule(allow: bool, peer: &str, ports: Ports) -> Traced<NetRule> {
        let peer = match peer {
            "*" => Peer::Everyone,
            text => Peer::Net(Cidr::try_from(text.to_string()).expect("a network")),
        };
        let value = NetRule { allow, direction: Direction::Out, peer, ports };
        Traced::new(value, Origin::implied(Span::default(), "net.allow", "a test"))
    }

    fn tcp(number: u16) -> Ports {
        Ports::Port(Port { number, protocol: Protocol::Tcp })
    }

    fn verdict(rules: &[Traced<NetRule>], peer: &str, ports: Ports) -> bool {
        let packet = Packet { peer: peer.parse().expect("an address"), ports: Some(ports) };
        chain(rules, Direction::Out).expect("there are rules").allows(packet)
    }

    #[test]
    fn the_more_specific_rule_decides_whatever_the_order() {
        let mut rules = vec![
            rule(true, "10.0.0.0/8", tcp(443)),
            rule(false, "10.1.0.0/16", Ports::All),
            rule(true, "10.1.2.3/32", tcp(22)),
            rule(true, "*", Ports::Protocol(Protocol::Udp)),
        ];
        for _ in 0..rules.len() {
            rules.rotate_left(1);
            assert!(verdict(&rules, "10.9.9.9", tcp(443)));
            assert!(!verdict(&rules, "10.9.9.9", tcp(80)));
            assert!(!verdict(&rules, "10.1.9.9", tcp(443)));
            assert!(verdict(&rules, "10.1.2.3", tcp(22)));
            assert!(!verdict(&rules, "10.1.2.3", tcp(443)));
            assert!(!verdict(&rules, "192.0.2.1", tcp(443)));
            let dns = Ports::Port(Port { number: 53, protocol: Protocol::Udp });
            assert!(verdict(&rules, "192.0.2.1", dns) && verdict(&rules, "2001:db8::1", dns));
            assert!(!verdict(&rules, "10.1.0.1", dns));
        }
    }

    #[test]
    fn what_no_rule_names_is_denied() {
        assert!(!verdict(&[rule(false, "10.0.0.0/8", Ports::All)], "192.0.2.1", tcp(80)));
        assert!(chain(&[rule(true, "*", Ports::All)], Direction::In).is_none());
        let icmp = [rule(true, "*", Ports::Icmp)];
        assert!(verdict(&icmp, "192.0.2.1", Ports::Icmp) && !verdict(&icmp, "192.0.2.1", tcp(80)));
    }
}
