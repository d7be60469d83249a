//! The rows of `net`.

use super::*;

/// What a rule of the firewall is about.
const PEER: Ty = Ty::Any(&[Ty::Everything, Ty::Address, Ty::Str]);
/// A port, or all of a protocol.
const PORTS: Ty = Ty::Any(&[Ty::Port, Ty::Symbol(&["tcp", "udp", "icmp"])]);

const fn rule(head: &'static str, doc: &'static str) -> Field {
    Field { trail: Some(PORTS), ..entry("net", head, &[Ty::Symbol(&["in", "out"]), PEER], None, doc) }
}

pub(super) const NET: &[Field] = &[
    setting("net", "loopback", Ty::Symbol(&["up", "down"]), "up", "whether `lo` is up"),
    weaker(
        Field {
            lead: Some(Ty::Host),
            privilege: "CAP_NET_BIND_SERVICE for outer ports below 1024",
            ..entry(
                "net",
                "publish",
                &[Ty::Port],
                Some(Ty::Port),
                "a port of the host that leads to a port inside; on 127.0.0.1 where no address of the host is named; \
                 without root, and without a helper program",
            )
        },
        "one more, or another address",
    ),
    weaker(
        Field {
            privilege: "CAP_NET_ADMIN on the host, but for `bridge`",
            ..entry(
                "net",
                "link",
                &[Ty::Word],
                Some(Ty::Variant(LINKS)),
                "an interface, by the name that it has inside",
            )
        },
        "one more",
    ),
    entry("net", "address", &[Ty::Word, Ty::Network], None, "one more address of an interface"),
    entry(
        "net",
        "route",
        &[Ty::Network],
        Some(Ty::Any(&[Ty::Host, Ty::Word])),
        "where a network is reached: through a gateway, or on an interface; `0.0.0.0/0` and `::/0` are everything",
    ),
    weaker(
        setting(
            "net",
            "uplink",
            Ty::Symbol(&["user"]),
            "none",
            "the way to what the host reaches, without any right: pasta(1) of the package `passt`, which must be installed. \
             The host's own loopback cannot be reached through it, and nothing comes in",
        ),
        "where there was none",
    ),
    setting(
        "net",
        "dns",
        Ty::Any(&[Ty::Symbol(&["host"]), Ty::List(&Ty::Host)]),
        "what the tree has",
        "the name servers, as /etc/resolv.conf has them, and a firewall has to allow them; `host`: those of the host, asked by \
         nsl. Where a rule names a name, nsl asks them, and nobody else can",
    ),
    weaker(
        setting(
            "net",
            "private",
            Ty::List(&Ty::Address),
            "none",
            "networks that are not of the internet, in which the names of the firewall may lie all the same; elsewhere such an \
             address is taken for an attack (DNS rebinding)",
        ),
        "one more",
    ),
    entry("net", "host", &[Ty::Word], Some(Ty::Host), "a name and its address, as /etc/hosts has them"),
    weaker(
        rule(
            "allow",
            "what may come in, or go out, and with whom: `*`, a network, or, for `out`, a name such as \"api.example.org\" or \
             \"*.example.org\"; everything else in that direction is denied",
        ),
        "one more",
    ),
    weaker(rule("deny", "what may not, although a wider rule allows it"), "removed"),
];
