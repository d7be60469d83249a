//! The rules of the firewall.

use std::net::IpAddr;

use super::links;
use crate::policy::{Direction, NetRule, Peer, Ports, Sandbox, Traced};
use crate::report::Diagnostic;

pub(super) fn check(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let rules = &sandbox.net.rules;
    for rule in rules {
        if let Peer::Net(network) = rule.value.peer
            && network.has_host_bits()
        {
            out.push(links::host_bits(network, rule.span()));
        }
        if let Peer::Name(name) = &rule.value.peer {
            named(rule, name, out);
        } else if let Some(finding) = dead(rule, rules) {
            out.push(finding);
        }
    }
    let Some(first) = rules.first() else { return };
    for (name, why) in [
        ("net_admin", "with it the program takes the rules away again"),
        ("net_raw", "packets of raw and packet sockets pass the rules by: packet(7)"),
    ] {
        let caps = &sandbox.caps;
        if let Some(cap) = caps.keep.iter().chain(&caps.ambient).find(|it| it.value == name) {
            out.push(
                Diagnostic::warning("firewall-not-held", format!("`{name}` is kept, and so the firewall holds nobody"))
                    .label(cap.span(), why)
                    .label(first.span(), "a firewall is asked for")
                    .help(format!("do without `{name}`")),
            );
        }
    }
}

/// A rule of a name allows, and is about what goes out: there the address is known before.
fn named(rule: &Traced<NetRule>, name: &str, out: &mut Vec<Diagnostic>) {
    if !rule.value.allow || rule.value.direction == Direction::In {
        let (what, help) = match rule.value.direction {
            Direction::In => ("who comes in has an address and no name", "write the network that may come in"),
            Direction::Out => (
                "a name that is denied would keep its address open",
                "leave the line out: no name is answered that no rule allows; what lies in a network is denied by the network",
            ),
        };
        out.push(Diagnostic::error("name-not-ruled", what).label(rule.span(), "a rule of a name").help(help));
        return;
    }
    if name.parse::<IpAddr>().is_ok() {
        let finding = Diagnostic::error("host-name-invalid", format!("`{name}` is an address, and no name"))
            .label(rule.span(), "in quotes")
            .help(format!("write `{name}` without quotes"));
        return out.push(finding);
    }
    if !is_name(name) {
        out.push(
            Diagnostic::error("host-name-invalid", format!("`{name}` is no name of the domain name system"))
                .label(rule.span(), "this name")
                .help("write the name alone, as in \"api.example.org\", or \"*.example.org\" for all names below one"),
        );
    }
}

/// Labels of letters, digits, `-` and `_`, RFC 1035; the first may be `*`.
fn is_name(name: &str) -> bool {
    let label = |it: &str| {
        let byte = |it: u8| it.is_ascii_alphanumeric() || it == b'-' || it == b'_';
        (1..=63).contains(&it.len()) && it.bytes().all(byte) && !it.starts_with('-') && !it.ends_with('-')
    };
    name == "*" || name.len() <= 253 && name.strip_prefix("*.").unwrap_or(name).split('.').all(label)
}

/// A rule that says what would hold without it.
fn dead(rule: &Traced<NetRule>, rules: &[Traced<NetRule>]) -> Option<Diagnostic> {
    if rule.is_implied() {
        return None;
    }
    let this = &rule.value;
    let rank = |it: &NetRule| (it.peer.rank(), it.ports.rank());
    let mut weaker: Vec<&Traced<NetRule>> =
        rules.iter().filter(|it| it.value.direction == this.direction && rank(&it.value) < rank(this)).collect();
    weaker.sort_by_key(|it| std::cmp::Reverse(rank(&it.value)));
    for other in weaker {
        let that = &other.value;
        if that.peer.covers(&this.peer) && that.ports.covers(&this.ports) {
            if that.allow != this.allow {
                return None;
            }
            let word = if this.allow { "allowed" } else { "denied" };
            let finding =
                Diagnostic::warning("rule-without-effect", format!("this is {word} without the rule as well"))
                    .label(rule.span(), "changes nothing");
            let finding = match other.is_implied() {
                true => finding.help(format!(
                    "everything is denied that no rule allows; write `allow {} *` if the rest is to be allowed",
                    this.direction.name()
                )),
                false => finding.label(other.span(), "covers it").help("delete one of the two"),
            };
            return Some(finding);
        }
        if that.allow != this.allow && meets(&that.peer, &this.peer) && meets_ports(&that.ports, &this.ports) {
            return None;
        }
    }
    None
}

fn meets(a: &Peer, b: &Peer) -> bool {
    // Nobody knows what a name resolves to.
    matches!(a, Peer::Name(_)) || matches!(b, Peer::Name(_)) || a.covers(b) || b.covers(a)
}

fn meets_ports(a: &Ports, b: &Ports) -> bool {
    a.covers(b) || b.covers(a)
}
