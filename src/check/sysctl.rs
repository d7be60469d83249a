//! Kernel parameters: only those that a namespace of the sandbox's own has for itself.

use super::identity;
use crate::host::HostFacts;
use crate::policy::{NsKind, Sandbox, Strength};
use crate::report::Diagnostic;

/// Beginnings of names, and the namespace that has them for itself: namespaces(7), proc_sys_kernel(5), proc_sys_user(5).
const NAMESPACED: &[(&str, NsKind)] = &[
    ("net.", NsKind::Net),
    ("kernel.msg", NsKind::Ipc),
    ("kernel.sem", NsKind::Ipc),
    ("kernel.shm", NsKind::Ipc),
    ("kernel.auto_msgmni", NsKind::Ipc),
    ("fs.mqueue.", NsKind::Ipc),
    ("user.max_", NsKind::User),
];

pub(super) fn check(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    for sysctl in &sandbox.sysctls {
        let name = sysctl.value.name.as_str();
        if let Some(field) = name.strip_prefix("kernel.").filter(|it| matches!(*it, "hostname" | "domainname")) {
            out.push(
                Diagnostic::error("sysctl-elsewhere", format!("the {field} has a field of its own"))
                    .label(sysctl.span(), "written as a kernel parameter")
                    .help(format!("write `{field} = \"…\"` in `uts new`")),
            );
            continue;
        }
        let parts: Vec<&str> = name.split('.').collect();
        let is_name = |part: &&str| {
            !part.is_empty() && part.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-' | b'/'))
        };
        let dotted = parts.len() > 1 && parts.iter().all(is_name) && !name.contains("//");
        match namespace_of(name).filter(|_| dotted) {
            None => out.push(
                Diagnostic::error("sysctl-of-host", format!("`{name}` is no parameter that a sandbox can have for itself"))
                    .label(sysctl.span(), "it would be the host's, or nobody's")
                    .help("`net.…`, `kernel.msg…`, `kernel.sem…`, `kernel.shm…`, `fs.mqueue.…` and `user.max_…` belong to namespaces; delete others"),
            ),
            Some(kind) if !sandbox.is_new(kind) => out.push(
                Diagnostic::error("sysctl-without-namespace", format!("`{name}` belongs to a namespace that is not the sandbox's own"))
                    .label(sysctl.span(), "would change it for others")
                    .label(sandbox.mode(kind).span(), format!("`{}` is not `new`", kind.name()))
                    .help(format!("write `{} new`, or delete the line", kind.name())),
            ),
            Some(_) => {}
        }
    }
}

fn namespace_of(name: &str) -> Option<NsKind> {
    let kind = NAMESPACED.iter().find(|(start, _)| name.starts_with(start) && name.len() > start.len());
    kind.map(|it| it.1).or((name == "kernel.sem").then_some(NsKind::Ipc))
}

/// Who may write the parameters of an IPC namespace: ipc_permissions() and mq_permissions() of the kernel.
pub(super) fn check_host(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    let is_hosts_root = facts.caller.uid == 0 && facts.caller.initial_userns;
    if !sandbox.is_new(NsKind::User) || !sandbox.is_new(NsKind::Ipc) || is_hosts_root {
        return;
    }
    let user = &sandbox.user;
    let of_ipc = |name: &str| namespace_of(name) == Some(NsKind::Ipc);
    let stated = sandbox.sysctls.iter().filter(|it| it.strength != Strength::Prefer && of_ipc(&it.value.name));
    for sysctl in stated {
        let name = &sysctl.value.name;
        if !identity::covers(&user.uid_map, 0) {
            let map = user.uid_map.first().map_or(user.mode.span(), |it| it.span());
            out.push(
                Diagnostic::error("sysctl-without-root", format!("nobody in this sandbox may write `{name}`"))
                    .label(sysctl.span(), "belongs to uid 0 of the user namespace")
                    .label(map, "maps no uid 0")
                    .help("add `map uid 0 = …`, as with `map uid 0 = subid(count: 1)`, or write `prefer` before it to go on without"),
            );
        } else if !facts.kernel.at_least(6, 10) {
            out.push(
                Diagnostic::warning(
                    "sysctl-of-hosts-root",
                    format!(
                        "`{name}` may belong to the host's root, on {} with Linux {}",
                        facts.name, facts.kernel.release
                    ),
                )
                .label(sysctl.span(), "root inside may write it since Linux 6.10")
                .help(
                    "run as root, or write `prefer` before it to go on without; some older kernels have the change too",
                ),
            );
        }
    }
}
