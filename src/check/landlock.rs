//! The second wall: landlock(7).

use crate::host::HostFacts;
use crate::policy::{Landlock, LandlockAbi, Mode, NsKind, Port, Protocol, Sandbox, Scope, Strength, Traced};
use crate::report::Diagnostic;
use crate::source::Span;

/// A statement, where it stands, and the ABI that it needs.
type Need<'a> = (&'a str, Option<(Span, Strength)>, LandlockAbi);

pub(super) fn check(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let landlock = &sandbox.landlock;
    if let Some(files) = landlock.files.as_ref().filter(|_| sandbox.mnt.mode.value != Mode::New) {
        out.push(
            Diagnostic::error("landlock-without-tree", "there is no tree of paths that could be meant")
                .label(files.span(), "as the tree of `mnt` grants it")
                .label(sandbox.mnt.mode.span(), "no mount namespace of the sandbox's own")
                .help("write `mnt new { … }`"),
        );
    }
    for ports in [&landlock.tcp_bind, &landlock.tcp_connect].into_iter().flatten() {
        tcp_only(ports, out);
    }
    low_ports(sandbox, out);
    published(sandbox, out);
    scopes(sandbox, out);
    mounts(sandbox, out);
}

fn tcp_only(ports: &Traced<Vec<Port>>, out: &mut Vec<Diagnostic>) {
    if let Some(port) = ports.value.iter().find(|it| it.protocol == Protocol::Udp) {
        out.push(
            Diagnostic::error("landlock-udp", "Landlock knows TCP ports, and no others")
                .label(ports.span(), format!("{}/udp is among them", port.number))
                .help("name TCP ports; a network namespace of its own (`net new`) keeps UDP inside"),
        );
    }
}

/// ip(7): the right to low ports is one of the user namespace that owns the network.
fn low_ports(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let Some(bind) = &sandbox.landlock.tcp_bind else { return };
    let Some(low) = bind.value.iter().find(|it| (1..1024).contains(&it.number)) else { return };
    if sandbox.net.mode.value == Mode::Host && sandbox.is_new(NsKind::User) {
        out.push(
            Diagnostic::warning(
                "low-port-on-host-net",
                format!("port {} of the host's network needs a privilege that `user new` takes away", low.number),
            )
            .label(bind.span(), "meant to be listened on")
            .label(sandbox.net.mode.span(), "the host's network, which belongs to its own user namespace")
            .help("listen on a port from 1024 on, or write `net new` and `publish 8080/tcp = 80/tcp`"),
        );
    }
}

/// What is published must be able to listen.
fn published(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let Some(bind) = &sandbox.landlock.tcp_bind else { return };
    for publish in &sandbox.net.publish {
        let inner = publish.value.inner;
        if inner.protocol == Protocol::Tcp && !bind.value.iter().any(|it| it.number == inner.number) {
            out.push(
                Diagnostic::warning(
                    "landlock-shuts-port",
                    format!("nothing can listen on port {} inside", inner.number),
                )
                .label(publish.span(), "published here")
                .label(bind.span(), "no other ports than these can be bound")
                .help(format!("add `{}/tcp` to `tcp.bind`", inner.number)),
            );
        }
    }
}

/// What namespaces of its own keep inside already.
fn scopes(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let Some(scope) = &sandbox.landlock.scope else { return };
    for (which, kind) in [(Scope::Signal, NsKind::Pid), (Scope::AbstractUnixSocket, NsKind::Net)] {
        if scope.value.contains(&which) && sandbox.is_new(kind) {
            let what = match which {
                Scope::Signal => "processes outside cannot be named",
                Scope::AbstractUnixSocket => "abstract sockets outside cannot be named",
            };
            out.push(
                Diagnostic::advice("landlock-without-effect", format!("`{}` changes nothing here", which.name()))
                    .label(scope.span(), format!("`{}` is among them", which.name()))
                    .label(sandbox.mode(kind).span(), what)
                    .help("delete it, or keep it as a second wall"),
            );
        }
    }
}

/// A program that is meant to mount things cannot, under Landlock.
fn mounts(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let Some(files) = &sandbox.landlock.files else { return };
    if let Some(cap) = sandbox.caps.keep.iter().find(|it| it.value == "sys_admin") {
        out.push(
            Diagnostic::warning("landlock-forbids-mounts", "the program can mount nothing, whatever it keeps")
                .label(files.span(), "Landlock lets nobody change the tree of mounts")
                .label(cap.span(), "kept here")
                .help("delete one of the two, unless CAP_SYS_ADMIN is for something else"),
        );
    }
}

/// What this kernel cannot give.
pub(super) fn check_host(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    let landlock = &sandbox.landlock;
    fn at<T>(value: &Option<Traced<T>>) -> Option<(Span, Strength)> {
        value.as_ref().map(|it| (it.span(), it.strength))
    }
    let needs: [Need; 4] = [
        ("files", at(&landlock.files), Landlock::FILES),
        ("tcp.bind", at(&landlock.tcp_bind), Landlock::TCP),
        ("tcp.connect", at(&landlock.tcp_connect), Landlock::TCP),
        ("scope", at(&landlock.scope), Landlock::SCOPE),
    ];
    for (name, stated, LandlockAbi { number: abi, since }) in needs {
        let Some((span, strength)) = stated else { continue };
        if *facts.landlock_abi >= abi || strength == Strength::Prefer {
            continue;
        }
        let found = match *facts.landlock_abi {
            0 => format!("{} has no Landlock, or it was not switched on at boot", facts.name),
            found => format!("{} has ABI {found} of Landlock", facts.name),
        };
        let help = match *facts.landlock_abi {
            0 => "`nsl doctor` says how to switch it on; write `prefer` in front to go on without it".to_string(),
            _ => "use a newer kernel, or write `prefer` in front to go on without it".to_string(),
        };
        out.push(
            Diagnostic::error("landlock-missing", format!("`landlock.{name}` needs ABI {abi}: Linux {since}"))
                .label(span, found)
                .help(help),
        );
    }
}
