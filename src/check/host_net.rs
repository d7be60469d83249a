//! What a network asks of the host.

use crate::host::HostFacts;
use crate::policy::{Link, LinkKind, Sandbox, Traced, Uplink};
use crate::report::Diagnostic;

pub(super) fn check(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    ports(sandbox, facts, out);
    if let Some(way) = &sandbox.net.uplink {
        uplink(way, facts, out);
    }
    let outer = |it: &&Traced<Link>| it.value.kind != LinkKind::Bridge;
    if let Some(first) = sandbox.net.links.iter().find(outer)
        && !*facts.net_admin
    {
        out.push(
            Diagnostic::error(
                "link-needs-root",
                format!("`{}` may not make interfaces on {}", facts.caller.user, facts.name),
            )
            .label(first.span(), "one end of this belongs to the host, which takes CAP_NET_ADMIN there")
            .help("run as root; without, `publish` leads in"),
        );
        return;
    }
    for link in &sandbox.net.links {
        forwarding(link, sandbox, facts, out);
    }
    if sandbox.net.links.is_empty() || facts.interfaces.is_empty() {
        return;
    }
    for link in &sandbox.net.links {
        interfaces(link, facts, out);
    }
}

/// pasta is a program, and opens a device.
fn uplink(uplink: &Traced<Uplink>, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    if !facts.helpers.contains_key("pasta") {
        out.push(
            Diagnostic::error("uplink-missing", format!("{} has no pasta, which `uplink = user` needs", facts.name))
                .label(uplink.span(), "the way out")
                .help("install the package `passt` (Debian 12, Ubuntu 23.04, Fedora 37, and later)"),
        );
    } else if !*facts.tun {
        out.push(
            Diagnostic::error(
                "uplink-missing",
                format!("`{}` may not open /dev/net/tun on {}, which pasta needs", facts.caller.user, facts.name),
            )
            .label(uplink.span(), "the way out")
            .help("as root: `modprobe tun` and `chmod 0666 /dev/net/tun`, which is what udev does; in a container: `--device /dev/net/tun`"),
        );
    }
}

/// Masquerading is for packets that are passed on, and this is the host's to do or not.
fn forwarding(link: &Traced<Link>, sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    let (LinkKind::Veth(veth), Some(forwards)) = (&link.value.kind, *facts.forwards) else { return };
    if !veth.nat || veth.netns.is_some() {
        return;
    }
    let more = sandbox.net.addresses.iter().filter(|it| it.value.link == link.value.name);
    let addresses: Vec<_> = link.value.address.into_iter().chain(more.map(|it| it.value.address)).collect();
    let of = |v4: bool| addresses.iter().any(|it| it.address.is_ipv4() == v4);
    for (needed, has, name) in
        [(of(true), forwards.ipv4, "net.ipv4.ip_forward"), (of(false), forwards.ipv6, "net.ipv6.conf.all.forwarding")]
    {
        if needed && !has {
            out.push(
                Diagnostic::error("nat-without-forwarding", format!("{} passes nothing on: {name} is 0", facts.name))
                    .label(link.span(), "`nat` is for what is passed on")
                    .help(format!(
                        "as root: `sysctl -w {name}=1`, which makes a router of the host; nsl does not change that by itself. `uplink = user` needs none of it"
                    )),
            );
        }
    }
}

fn interfaces(link: &Traced<Link>, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    let is_there = |name: &str| facts.interfaces.iter().any(|it| it == name);
    let (wanted, made) = match &link.value.kind {
        // Another namespace has interfaces of its own.
        LinkKind::Veth(veth) if veth.netns.is_some() => (None, None),
        LinkKind::Veth(veth) => (veth.bridge.as_deref(), veth.peer.as_deref()),
        LinkKind::Macvlan { parent, .. } => (Some(parent.as_str()), None),
        LinkKind::Move { from } => (Some(from.as_str()), None),
        LinkKind::Bridge => (None, None),
    };
    if let Some(name) = wanted.filter(|it| !is_there(it)) {
        out.push(
            Diagnostic::error("interface-missing", format!("{} has no interface `{name}`", facts.name))
                .label(link.span(), "named here")
                .help(format!("it has {}", facts.interfaces.join(", "))),
        );
    }
    if let Some(name) = made.filter(|it| is_there(it)) {
        out.push(
            Diagnostic::error("interface-taken", format!("{} has an interface `{name}` already", facts.name))
                .label(link.span(), "another one would be called so")
                .help("choose another name, or leave `peer` out"),
        );
    }
}

fn ports(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    for publish in &sandbox.net.publish {
        let port = publish.value.outer.number;
        if port < *facts.unprivileged_port_start && !facts.caller.has("net_bind_service") {
            let least = *facts.unprivileged_port_start;
            out.push(
                Diagnostic::error("publish-low-port", format!("port {port} of the host needs CAP_NET_BIND_SERVICE"))
                    .label(publish.span(), format!("ports below {least} are privileged on {}", facts.name))
                    .help(format!("publish a port from {least} on; the port inside may stay")),
            );
        }
    }
}
