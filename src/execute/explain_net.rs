//! Likely causes of what fails about the network.

use crate::plan::{LinkKind, LinkStep, NextHop, Port, RouteStep};

fn text(text: &str) -> Option<String> {
    Some(text.to_string())
}

pub(super) fn publish(port: Port, errno: i32) -> Option<String> {
    match errno {
        libc::EADDRINUSE => Some(format!(
            "something on this host listens on port {port} already (`ss -lnp{} sport = :{}` shows what): publish another",
            &port.protocol.name()[..1],
            port.number,
        )),
        libc::EACCES => Some(format!(
            "ports below net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE: publish a port from 1024 on instead of {port}"
        )),
        libc::EADDRNOTAVAIL => text("this host has no such address"),
        _ => None,
    }
}

pub(super) fn uplink(program: &str, errno: i32) -> Option<String> {
    match errno {
        0 => Some(format!(
            "{program} takes addresses and routes from the host's interface with a default route: `ip route` must show one; and it needs /dev/net/tun"
        )),
        _ => None,
    }
}

pub(super) fn resolver(errno: i32) -> Option<String> {
    match errno {
        libc::EPERM => text(
            "the network belongs to a user namespace that is not nsl's to change: `user new` beside `net new` makes one that is",
        ),
        libc::EADDRINUSE => text("something in the sandbox's network listens on 127.0.0.53 port 53 already"),
        libc::EPROTONOSUPPORT | libc::EAFNOSUPPORT => {
            text("this kernel has no nfnetlink, which names in the firewall need")
        }
        _ => None,
    }
}

pub(super) fn link(link: &LinkStep, errno: i32) -> Option<String> {
    let named = match &link.kind {
        LinkKind::Veth(veth) => veth.bridge.as_deref().or(veth.peer.as_deref()).unwrap_or_default(),
        LinkKind::Macvlan { parent, .. } => parent,
        LinkKind::Move { from } => from,
        LinkKind::Bridge => "",
    };
    match errno {
        libc::EPERM | libc::EACCES => text(
            "interfaces of the host are made with CAP_NET_ADMIN there: run as root, or use `publish` and `uplink = user`, which need nothing",
        ),
        libc::ENODEV => Some(format!("this host has no interface {named}: `ip link` lists those that there are")),
        libc::EEXIST => Some(format!(
            "the host, or the sandbox, has an interface of that name already; `ip link` shows it (wanted: {named})"
        )),
        libc::EBUSY => Some(format!(
            "{named} is in use: a macvlan in mode `passthru` wants its parent for itself, and an interface can be a port of one bridge only"
        )),
        0 if !link.nat.is_empty() => text(
            "`nat` is for packets that are passed on. `sysctl -w net.ipv4.ip_forward=1` (net.ipv6.conf.all.forwarding for IPv6) there, as root, makes a router of it; nsl does not do that by itself",
        ),
        libc::EOPNOTSUPP | libc::ENOENT if !link.nat.is_empty() => text(
            "this kernel lacks what masquerading needs: nft_masq and nf_nat, as modules or built in, and tables that have an owner (Linux 5.12)",
        ),
        libc::EOPNOTSUPP => match &link.kind {
            LinkKind::Veth(veth) if veth.bridge.is_some() => {
                Some(format!("{named} is no bridge, or this kernel has no veth"))
            }
            _ => Some(format!("this kernel has no interfaces of this kind, or {named} cannot be used for it")),
        },
        libc::EINVAL => text(
            "the kernel refuses the MTU, or the kind of interface: a wireless interface has no macvlan, and one of the loopback cannot be handed in",
        ),
        libc::ENOENT => text("the network namespace is no file that exists: `ip netns` lists those below /run/netns"),
        _ => None,
    }
}

pub(super) fn inner_link(errno: i32) -> Option<String> {
    match errno {
        libc::EEXIST => text("the sandbox has an interface of that name already"),
        libc::EOPNOTSUPP => text("this kernel has no interfaces of this kind"),
        libc::ENODEV => text("there is no such interface in the sandbox"),
        libc::EINVAL => text("the kernel refuses the MTU"),
        _ => text("`net new` gives the right to it"),
    }
}

pub(super) fn address(errno: i32) -> Option<String> {
    match errno {
        libc::EEXIST => text("the interface has this address already"),
        libc::EOPNOTSUPP | libc::EACCES => text("IPv6 is switched off in this network (net.ipv6.conf.*.disable_ipv6)"),
        libc::ENODEV => text("there is no such interface in the sandbox"),
        _ => None,
    }
}

pub(super) fn route(route: &RouteStep, errno: i32) -> Option<String> {
    match (errno, &route.via) {
        (libc::ENETUNREACH | libc::EHOSTUNREACH, NextHop::Gateway(gateway)) => {
            Some(format!("no interface of the sandbox has an address in the network of {gateway}"))
        }
        (libc::EINVAL, _) => text("the gateway is the sandbox's own address, or bits behind the prefix are set"),
        (libc::EEXIST, _) => text("there is a route to it already"),
        (libc::ENETDOWN, _) => text("the interface is down: its other end may be"),
        _ => None,
    }
}

pub(super) fn firewall(errno: i32) -> Option<String> {
    match errno {
        libc::EPERM => text("`net new` gives the right to it; some containers forbid nfnetlink"),
        libc::EPROTONOSUPPORT | libc::EOPNOTSUPP | libc::ENOENT | libc::EAFNOSUPPORT => text(
            "this kernel lacks a part of nftables: nf_tables, nf_tables_inet, nft_ct and nft_reject_inet are needed, as modules (`modprobe` as root loads them) or built in",
        ),
        libc::EMSGSIZE | libc::ENOBUFS => text("there are too many rules: networks name many addresses in one"),
        _ => None,
    }
}
