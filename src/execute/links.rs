//! Interfaces, addresses and routes: rtnetlink(7).

use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoMacVlan, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage, MacVlanMode,
};
use netlink_packet_route::route::{RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use nix::sched::{CloneFlags, setns};
use rustix::fs::{Mode, OFlags};

use super::failure::{Context, Done, Failure};
use super::lent::{self, Lent};
use super::netlink::Netlink;
use super::nftables;
use crate::plan::{Cidr, LinkKind, LinkStep, MacvlanMode, NextHop, RouteStep, Veth};

/// What a sandbox has of the host's network.
pub enum MadeLink {
    /// One end of a pair, which is ours to remove.
    Pair {
        /// Where it is.
        host: Netlink,
        /// Its number there.
        index: u32,
        /// Holds the rules of masquerading, if there are any.
        nat: Option<Netlink>,
    },
    /// An interface that was handed in.
    Lent(Lent),
}

impl MadeLink {
    /// Removes it, and so the other end. It may be gone already: it dies with the sandbox's network namespace, only later.
    pub fn remove(self) {
        match self {
            MadeLink::Pair { mut host, index, nat } => {
                let mut message = LinkMessage::default();
                message.header.index = index;
                let _ = host.request(RouteNetlinkMessage::DelLink(message), 0);
                drop(nat);
            }
            MadeLink::Lent(lent) => lent.take_back(),
        }
    }
}

fn family(address: IpAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}

/// The number of an interface of this process's network namespace.
pub(super) fn index(name: &str) -> Done<u32> {
    nix::net::if_::if_nametoindex(name).context(|| format!("looking for the interface {name}"))
}

/// The name with the process id of nsl in it.
fn own_name(name: &str) -> String {
    name.replace("PID", &std::process::id().to_string())
}

/// Makes an interface, or takes one, and puts one end into the network namespace of the child. What stays on the host is
/// returned.
pub fn make(step: &LinkStep, inside: BorrowedFd) -> Done<Option<MadeLink>> {
    match &step.kind {
        LinkKind::Veth(veth) => match &veth.netns {
            Some(path) => in_namespace(path, || pair(step, veth, inside)).map(Some),
            None => pair(step, veth, inside).map(Some),
        },
        LinkKind::Macvlan { parent, mode } => macvlan(step, parent, *mode, inside).map(|()| None),
        LinkKind::Move { from } => Ok(Some(MadeLink::Lent(lent::lend(from, &step.name, inside)?))),
        LinkKind::Bridge => Err(Failure::refused("a bridge of the sandbox's own is made inside")),
    }
}

/// Does something in another network namespace, and comes back.
fn in_namespace<T>(path: &str, action: impl FnOnce() -> Done<T>) -> Done<T> {
    inside_of(open(path)?.as_fd(), action)
}

fn open(path: &str) -> Done<OwnedFd> {
    rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).context(|| format!("opening {path}"))
}

/// The network namespace of this process.
pub(super) fn own_namespace() -> Done<OwnedFd> {
    open("/proc/self/ns/net")
}

/// The same in one that is open.
pub(super) fn inside_of<T>(namespace: BorrowedFd, action: impl FnOnce() -> Done<T>) -> Done<T> {
    let own = own_namespace()?;
    setns(namespace, CloneFlags::CLONE_NEWNET).context(|| "entering another network".to_string())?;
    let result = action();
    setns(&own, CloneFlags::CLONE_NEWNET).context(|| "coming back to the host's network".to_string())?;
    result
}

fn pair(step: &LinkStep, veth: &Veth, inside: BorrowedFd) -> Done<MadeLink> {
    let name = own_name(veth.peer.as_deref().unwrap_or("nsl-PID"));
    let mut host = Netlink::route()?;
    let mut inner = LinkMessage::default();
    inner.attributes = vec![LinkAttribute::IfName(step.name.clone()), LinkAttribute::NetNsFd(inside.as_raw_fd())];
    inner.attributes.extend(step.mtu.map(LinkAttribute::Mtu));
    let mut outer = up(LinkMessage::default());
    outer.attributes.push(LinkAttribute::IfName(name.clone()));
    outer.attributes.extend(step.mtu.map(LinkAttribute::Mtu));
    if let Some(bridge) = &veth.bridge {
        outer.attributes.push(LinkAttribute::Controller(index(bridge)?));
    }
    outer.attributes.push(info(InfoKind::Veth, Some(InfoData::Veth(InfoVeth::Peer(inner)))));
    let created = host.request(RouteNetlinkMessage::NewLink(outer), NLM_F_CREATE | NLM_F_EXCL);
    created.map_err(|it| it.failure(format!("making the pair {} and {name}", step.name)))?;
    let index = index(&name)?;
    let addressed = veth.peer_address.map_or(Ok(()), |it| add_address(&name, it));
    // Behind a bridge it is the bridge by which packets come and go.
    match addressed.and_then(|()| masquerade(step, veth.bridge.as_deref().unwrap_or(&name))) {
        Ok(nat) => Ok(MadeLink::Pair { host, index, nat }),
        Err(failure) => {
            MadeLink::Pair { host, index, nat: None }.remove();
            Err(failure)
        }
    }
}

/// Masquerading in this network namespace, if the step asks for it. A network that passes nothing on would make nonsense of it.
fn masquerade(step: &LinkStep, inner: &str) -> Done<Option<Netlink>> {
    if step.nat.is_empty() {
        return Ok(None);
    }
    for (v4, key) in [(true, "net/ipv4/ip_forward"), (false, "net/ipv6/conf/all/forwarding")] {
        let wanted = step.nat.iter().any(|it| it.address.is_ipv4() == v4);
        if wanted && std::fs::read_to_string(format!("/proc/sys/{key}")).is_ok_and(|it| it.trim() == "0") {
            let key = key.replace('/', ".");
            return Err(Failure::refused(format!("the network of the other end passes nothing on: {key} is 0 there")));
        }
    }
    let table = format!("nsl-{}-{}", std::process::id(), step.name);
    nftables::masquerade(&table, &step.nat, inner)
        .map(Some)
        .map_err(|it| it.failure("loading the rules of masquerading"))
}

fn macvlan(step: &LinkStep, parent: &str, mode: MacvlanMode, inside: BorrowedFd) -> Done {
    let mode = match mode {
        MacvlanMode::Bridge => MacVlanMode::Bridge,
        MacvlanMode::Private => MacVlanMode::Private,
        MacvlanMode::Vepa => MacVlanMode::Vepa,
        MacvlanMode::Passthru => MacVlanMode::Passthrough,
    };
    let mut message = LinkMessage::default();
    message.attributes = vec![
        LinkAttribute::IfName(step.name.clone()),
        LinkAttribute::Link(index(parent)?),
        LinkAttribute::NetNsFd(inside.as_raw_fd()),
        info(InfoKind::MacVlan, Some(InfoData::MacVlan(vec![InfoMacVlan::Mode(mode)]))),
    ];
    message.attributes.extend(step.mtu.map(LinkAttribute::Mtu));
    let created = Netlink::route()?.request(RouteNetlinkMessage::NewLink(message), NLM_F_CREATE | NLM_F_EXCL);
    created.map_err(|it| it.failure(format!("making {} on {parent}", step.name)))
}

/// Puts an interface of this process's network namespace into another one.
pub(super) fn hand_in(from: &str, name: &str, inside: BorrowedFd) -> Done {
    let mut message = LinkMessage::default();
    message.header.index = index(from)?;
    // On the way it is set down, and so it can get another name.
    message.attributes = vec![LinkAttribute::NetNsFd(inside.as_raw_fd()), LinkAttribute::IfName(name.to_string())];
    Netlink::route()?
        .request(RouteNetlinkMessage::SetLink(message), 0)
        .map_err(|it| it.failure(format!("handing in {from} as {name}")))
}

/// Makes a bridge.
pub fn bridge(name: &str, mtu: Option<u32>) -> Done {
    let mut message = LinkMessage::default();
    message.attributes = vec![LinkAttribute::IfName(name.to_string()), info(InfoKind::Bridge, None)];
    message.attributes.extend(mtu.map(LinkAttribute::Mtu));
    Netlink::route()?
        .request(RouteNetlinkMessage::NewLink(message), NLM_F_CREATE | NLM_F_EXCL)
        .map_err(|it| it.failure(format!("making {name}")))
}

fn info(kind: InfoKind, data: Option<InfoData>) -> LinkAttribute {
    LinkAttribute::LinkInfo([Some(LinkInfo::Kind(kind)), data.map(LinkInfo::Data)].into_iter().flatten().collect())
}

fn up(mut message: LinkMessage) -> LinkMessage {
    message.header.flags = LinkFlags::Up;
    message.header.change_mask = LinkFlags::Up;
    message
}

/// Brings an interface up.
pub fn set_up(name: &str) -> Done {
    let mut message = up(LinkMessage::default());
    message.header.index = index(name)?;
    Netlink::route()?
        .request(RouteNetlinkMessage::SetLink(message), 0)
        .map_err(|it| it.failure(format!("setting {name} up")))
}

/// Gives an interface an address.
pub fn add_address(name: &str, address: Cidr) -> Done {
    let mut message = AddressMessage::default();
    message.header.family = family(address.address);
    message.header.prefix_len = address.prefix;
    message.header.index = index(name)?;
    message.attributes = vec![AddressAttribute::Local(address.address), AddressAttribute::Address(address.address)];
    match address.address {
        IpAddr::V4(ip) if address.prefix < 31 => {
            let mask = u32::MAX.checked_shr(address.prefix.into()).unwrap_or(0);
            message.attributes.push(AddressAttribute::Broadcast((u32::from(ip) | mask).into()));
        }
        IpAddr::V4(_) => {}
        // Nobody else is asked whether he has it: that would take a second, in which it could not be used.
        IpAddr::V6(_) => message.attributes.push(AddressAttribute::Flags(AddressFlags::Nodad)),
    }
    Netlink::route()?
        .request(RouteNetlinkMessage::NewAddress(message), NLM_F_CREATE | NLM_F_EXCL)
        .map_err(|it| it.failure(format!("giving {name} the address {address}")))
}

/// Adds a route.
pub fn add_route(route: &RouteStep) -> Done {
    let mut message = RouteMessage::default();
    message.header.address_family = family(route.to.address);
    message.header.destination_prefix_length = route.to.prefix;
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = RouteProtocol::Static;
    message.header.kind = RouteType::Unicast;
    message.header.scope = RouteScope::Universe;
    if route.to.prefix > 0 {
        message.attributes.push(RouteAttribute::Destination(route.to.address.into()));
    }
    match &route.via {
        NextHop::Gateway(gateway) => message.attributes.push(RouteAttribute::Gateway((*gateway).into())),
        NextHop::Link(link) => {
            message.attributes.push(RouteAttribute::Oif(index(link)?));
            if route.to.address.is_ipv4() {
                message.header.scope = RouteScope::Link;
            }
        }
    }
    let what = format!("adding the route to {}", route.to);
    Netlink::route()?
        .request(RouteNetlinkMessage::NewRoute(message), NLM_F_CREATE | NLM_F_EXCL)
        .map_err(|it| it.failure(what))
}

/// The network namespace of a process.
pub fn namespace_of(pid: nix::unistd::Pid) -> Done<OwnedFd> {
    let path = format!("/proc/{pid}/ns/net");
    let opened = rustix::fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    opened.context(|| format!("opening {path}"))
}
