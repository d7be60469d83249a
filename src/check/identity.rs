//! Who the program is: maps, ids, capabilities.

use crate::policy::{IdMap, Mode, NsKind, Outside, Sandbox, Traced};
use crate::report::Diagnostic;

/// user_namespaces(7): since Linux 4.15.
const MAX_LINES: usize = 340;

/// Capabilities that the kernel asks for in the initial user namespace only: capabilities(7).
const INITIAL_ONLY: [&str; 15] = [
    "sys_time",
    "sys_module",
    "sys_rawio",
    "mknod",
    "sys_tty_config",
    "linux_immutable",
    "syslog",
    "mac_admin",
    "mac_override",
    "audit_control",
    "wake_alarm",
    "block_suspend",
    "sys_pacct",
    "perfmon",
    "bpf",
];

pub(super) fn check(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    maps(sandbox, out);
    ids(sandbox, out);
    capabilities(sandbox, out);
}

/// The same of a pod, which runs no program itself.
pub(super) fn check_shared(base: &Sandbox, out: &mut Vec<Diagnostic>) {
    maps(base, out);
    ids(base, out);
}

fn maps(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let user = &sandbox.user;
    for (map, word) in [(&user.uid_map, "uid"), (&user.gid_map, "gid")] {
        if let Some(first) = map.first()
            && user.mode.value != Mode::New
            && user.mode.value != Mode::Pod
        {
            out.push(
                Diagnostic::error(
                    "map-without-userns",
                    format!(
                        "`map {word} {}` has no effect: there is no user namespace of the sandbox's own",
                        first.value.inside
                    ),
                )
                .label(first.span(), "maps belong to a new user namespace")
                .label(user.mode.span(), "`user` is not `new`")
                .help("write `user new { … }`, or delete the map"),
            );
            continue;
        }
        if map.len() > MAX_LINES {
            out.push(
                Diagnostic::error(
                    "map-too-long",
                    format!("{} lines of a map, and the kernel takes {MAX_LINES}", map.len()),
                )
                .label(map[MAX_LINES].span(), "one too many")
                .help("join neighbouring ids into one line with `outer(ID, count: N)`"),
            );
        }
        overlap(map, word, out);
        host_root(map, word, out);
    }
}

fn overlap(map: &[Traced<IdMap>], word: &str, out: &mut Vec<Diagnostic>) {
    let end = |start: u32, count: u32| u64::from(start) + u64::from(count);
    for (index, a) in map.iter().enumerate() {
        for b in &map[index + 1..] {
            let inside = u64::from(b.value.inside) < end(a.value.inside, a.value.outside.count())
                && u64::from(a.value.inside) < end(b.value.inside, b.value.outside.count());
            let outside = match (&a.value.outside, &b.value.outside) {
                (Outside::Outer { id: x, count: n }, Outside::Outer { id: y, count: m }) => {
                    u64::from(*y) < end(*x, *n) && u64::from(*x) < end(*y, *m)
                }
                (Outside::Caller, Outside::Caller) | (Outside::Unprivileged, Outside::Unprivileged) => true,
                _ => false,
            };
            if inside || outside {
                let side = if inside { "inside" } else { "outside" };
                out.push(
                    Diagnostic::error(
                        "map-overlap",
                        format!("the maps of {word} {} and {} overlap {side}", a.value.inside, b.value.inside),
                    )
                    .label(b.span(), "this map")
                    .label(a.span(), "and this one")
                    .help("shorten one of them, or delete it: an id is mapped once"),
                );
            }
        }
    }
}

fn host_root(map: &[Traced<IdMap>], word: &str, out: &mut Vec<Diagnostic>) {
    for line in map {
        if matches!(line.value.outside, Outside::Outer { id: 0, .. }) {
            out.push(
                Diagnostic::warning(
                    "map-host-root",
                    format!("{word} {} inside is root on the host's files", line.value.inside),
                )
                .label(line.span(), "maps to 0 outside")
                .help("map to `unprivileged`, or to a subordinate range with `subid(count: N)`"),
            );
        }
    }
}

pub(super) fn covers(map: &[Traced<IdMap>], id: u32) -> bool {
    map.iter().any(|it| id >= it.value.inside && id - it.value.inside < it.value.outside.count())
}

fn ids(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let user = &sandbox.user;
    if user.mode.value != Mode::New {
        return;
    }
    let mut unmapped = |id: u32, word: &str, span, map: &[Traced<IdMap>]| {
        if !covers(map, id) {
            let mut finding =
                Diagnostic::error("id-not-mapped", format!("{word} {id} is not mapped in this user namespace"))
                    .label(span, "used here")
                    .help(format!("add `map {word} {id} = unprivileged`, or use a mapped id"));
            if let Some(first) = map.first() {
                finding = finding.label(first.span(), "what is mapped");
            }
            out.push(finding);
        }
    };
    if let Some(uid) = &user.uid {
        unmapped(uid.value, "uid", uid.span(), &user.uid_map);
    }
    if let Some(gid) = &user.gid {
        unmapped(gid.value, "gid", gid.span(), &user.gid_map);
    }
    if let Some(groups) = &user.groups {
        groups.value.iter().for_each(|gid| unmapped(*gid, "gid", groups.span(), &user.gid_map));
        if let Some(denied) = user.setgroups.as_ref().filter(|it| !it.value) {
            out.push(
                Diagnostic::error("groups-with-setgroups-denied", "supplementary groups cannot be set here")
                    .label(groups.span(), "these groups")
                    .label(denied.span(), "setgroups(2) is denied")
                    .help("delete one of the two lines"),
            );
        }
    }
}

fn capabilities(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let caps = &sandbox.caps;
    let own_user = sandbox.is_new(NsKind::User) || sandbox.user.mode.value == Mode::Pod;
    for kept in caps.keep.iter().chain(&caps.ambient) {
        if own_user && INITIAL_ONLY.contains(&kept.value.as_str()) {
            out.push(
                Diagnostic::warning(
                    "cap-without-effect",
                    format!("`{}` does nothing inside a user namespace", kept.value),
                )
                .label(kept.span(), "kept here")
                .label(sandbox.user.mode.span(), "the kernel asks for it outside")
                .help("delete the line"),
            );
        }
    }
    over_host_network(sandbox, out);
    let uid = sandbox.user.uid.as_ref().map(|it| it.value).or(sandbox.user.uid_map.first().map(|it| it.value.inside));
    if let Some(kept) = caps.keep.iter().find(|kept| !caps.ambient.iter().any(|it| it.value == kept.value))
        && uid.is_some_and(|it| it != 0)
        && own_user
    {
        out.push(
            Diagnostic::warning(
                "caps-lost-on-exec",
                format!("`{}` is lost when the program starts, as it is not uid 0", kept.value),
            )
            .label(kept.span(), "kept, but not ambient")
            .help(format!("write `ambient {}` instead", kept.value)),
        );
    }
    if own_user {
        return;
    }
    let risky = [
        ("sys_admin", None, "sys-admin-on-host", "this is root on the host in all but name", "write `user new`"),
        (
            "sys_ptrace",
            Some(NsKind::Pid),
            "ptrace-on-host-pid",
            "it can read and change every process of the host",
            "write `pid new`",
        ),
        (
            "net_admin",
            Some(NsKind::Net),
            "net-admin-on-host",
            "it can change the host's firewall and routes",
            "write `net new`",
        ),
    ];
    for (name, kind, code, message, help) in risky {
        let kept = caps.keep.iter().chain(&caps.ambient).find(|it| it.value == name);
        if let Some(kept) = kept
            && kind.is_none_or(|kind| sandbox.mode(kind).value == Mode::Host)
        {
            let culprit = kind.map_or(&sandbox.user.mode, |kind| sandbox.mode(kind));
            out.push(
                Diagnostic::warning(code, message)
                    .label(kept.span(), format!("`{name}` is kept"))
                    .label(culprit.span(), "in a namespace of the host's")
                    .help(help),
            );
        }
    }
}

/// Rights over a network come from the user namespace that owns it: a new one has none over the host's.
fn over_host_network(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    const OF_NETWORKS: [&str; 4] = ["net_admin", "net_raw", "net_bind_service", "net_broadcast"];
    if !sandbox.is_new(NsKind::User) || sandbox.net.mode.value != Mode::Host {
        return;
    }
    let caps = &sandbox.caps;
    for kept in caps.keep.iter().chain(&caps.ambient).filter(|it| OF_NETWORKS.contains(&it.value.as_str())) {
        out.push(
            Diagnostic::warning(
                "cap-over-host-net",
                format!("`{}` gives no right over the host's network", kept.value),
            )
            .label(kept.span(), "kept here")
            .label(stated_at(&sandbox.net.mode, sandbox), "the network is the host's")
            .label(sandbox.user.mode.span(), "the user namespace is not the one that owns it")
            .help("write `net new`, or delete the line"),
        );
    }
}

fn stated_at(mode: &Traced<Mode>, sandbox: &Sandbox) -> crate::source::Span {
    if mode.is_implied() { sandbox.name.span() } else { mode.span() }
}
