//! Through which profile something arrived: a place in the standard library alone helps nobody.

use std::collections::BTreeMap;

use crate::policy::{NsKind, Origin, Sandbox, Traced};
use crate::report::{Diagnostic, Label};
use crate::source::Span;

/// Adds to each finding the `with` that brought in the place to blame.
pub(super) fn tell(sandbox: &Sandbox, findings: &mut [Diagnostic]) {
    let mut by_span: BTreeMap<Span, &Origin> = BTreeMap::new();
    for origin in origins(sandbox).into_iter().filter(|it| !it.via.is_empty()) {
        by_span.insert(origin.span, origin);
    }
    for finding in findings {
        let Some(origin) = finding.labels.first().and_then(|it| by_span.get(&it.span)) else { continue };
        let Some(via) = origin.via.first() else { continue };
        // What says nothing in this sandbox may say something in another that has the profile too.
        finding.fix = finding.fix.take().filter(|fix| !fix.text.is_empty());
        if !finding.labels.iter().any(|it| it.span == via.span) {
            let label = format!("brought in by `{}`", via.profile);
            finding.labels.push(Label { span: via.span, text: label });
        }
    }
}

/// The origins of everything that a finding may blame.
fn origins(sandbox: &Sandbox) -> Vec<&Origin> {
    fn one<T>(value: &Option<Traced<T>>) -> Option<&Origin> {
        value.as_ref().map(|it| &it.origin)
    }
    fn all<T>(values: &[Traced<T>]) -> impl Iterator<Item = &Origin> {
        values.iter().map(|it| &it.origin)
    }
    let (user, net, cgroup, stop) = (&sandbox.user, &sandbox.net, &sandbox.cgroup, &sandbox.stop);
    let mut found: Vec<&Origin> = NsKind::ALL.iter().map(|kind| &sandbox.mode(*kind).origin).collect();
    found.extend(all(&user.uid_map).chain(all(&user.gid_map)));
    found.extend(all(&sandbox.mnt.entries).chain(all(&net.publish)).chain(all(&sandbox.limits)));
    found.extend(all(&sandbox.caps.keep).chain(all(&sandbox.caps.ambient)).chain(all(&sandbox.env)));
    found.extend(sandbox.seccomp.iter().flat_map(|it| all(&it.rules).chain([&it.otherwise.origin])));
    found.extend([&sandbox.no_new_privs.origin, &sandbox.pid.init.origin, &stop.signal.origin, &stop.timeout.origin]);
    let limits = [&cgroup.memory_max, &cgroup.memory_swap_max, &cgroup.pids_max, &cgroup.cpu_max];
    found.extend(limits.into_iter().filter_map(one));
    found
        .extend([one(&sandbox.run), one(&sandbox.cwd), one(&sandbox.mnt.root), one(&stop.after)].into_iter().flatten());
    found.extend([one(&user.uid), one(&user.gid), one(&user.groups), one(&user.setgroups)].into_iter().flatten());
    found.extend([one(&sandbox.uts.hostname), one(&sandbox.uts.domainname), one(&net.loopback)].into_iter().flatten());
    found.extend([one(&sandbox.time.monotonic), one(&sandbox.time.boottime)].into_iter().flatten());
    found.extend([one(&sandbox.ready), one(&sandbox.restart)].into_iter().flatten());
    let landlock = &sandbox.landlock;
    found.extend([one(&landlock.files), one(&landlock.scope)].into_iter().flatten());
    found.extend([one(&landlock.tcp_bind), one(&landlock.tcp_connect)].into_iter().flatten());
    found.extend(one(&sandbox.after));
    found
}
