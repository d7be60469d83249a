//! The rows of `net`.

use super::*;

pub(super) const NET: &[Field] = &[
    setting("net", "loopback", Ty::Symbol(&["up", "down"]), "up", "whether `lo` is up"),
    weaker(
        Field {
            lead: Some(Ty::Address),
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
];
