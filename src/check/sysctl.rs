//! Kernel parameters: only those that a namespace of the sandbox's own has for itself.

use crate::policy::{NsKind, Sandbox};
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
        let kind = NAMESPACED.iter().find(|(start, _)| name.starts_with(start) && name.len() > start.len());
        match kind.map(|it| it.1).or((name == "kernel.sem").then_some(NsKind::Ipc)).filter(|_| dotted) {
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
