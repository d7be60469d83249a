//! The network.

use std::collections::BTreeMap;

use crate::policy::{Mode, Sandbox, Traced};
use crate::report::Diagnostic;

pub(super) fn check(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let net = &sandbox.net;
    let own = net.mode.value == Mode::New;
    let first = net.publish.first().map(Traced::span).or(net.loopback.as_ref().map(Traced::span));
    if let (Some(span), false) = (first, own) {
        out.push(
            Diagnostic::error("publish-without-net", "this is about a network of the sandbox's own, and it has none")
                .label(span, "stated here")
                .label(net.mode.span(), "`net` is not `new`")
                .help("write `net new { … }`, or delete the line"),
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
    let mut outer: BTreeMap<_, &Traced<_>> = BTreeMap::new();
    for publish in &net.publish {
        if let Some(before) = outer.insert(publish.value.outer, publish) {
            out.push(
                Diagnostic::error(
                    "publish-clash",
                    format!("port {} of the host is published twice", publish.value.outer.number),
                )
                .label(publish.span(), "again here")
                .label(before.span(), "first here")
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
    }
    if net.mode.value == Mode::Host && !net.mode.is_implied() && sandbox.seccomp.is_none() {
        out.push(
            Diagnostic::advice("abstract-sockets-open", "abstract UNIX sockets of the host are reachable")
                .label(net.mode.span(), "the host's network")
                .help("write `net new`: abstract sockets belong to the network namespace"),
        );
    }
}
