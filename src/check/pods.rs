//! What containers of one pod must agree about.

use std::collections::BTreeMap;

use super::net::clash;
use super::text::bytes;
use crate::policy::{Mode, MountSource, NsKind, Pod, Probe, Publish, Sandbox, Traced};
use crate::report::Diagnostic;
use crate::source::Span;

pub(super) fn check(pod: &Pod, out: &mut Vec<Diagnostic>) {
    order(pod, out);
    namespaces(pod, out);
    child_users(pod, out);
    budget(pod, out);
    memory(pod, out);
    ports(pod, out);
    readiness(pod, out);
}

/// `after` goes in no circle. That it names containers of the pod is known by now.
fn order(pod: &Pod, out: &mut Vec<Diagnostic>) {
    let by_name: BTreeMap<&str, &Sandbox> = pod.containers.iter().map(|it| (it.name.value.as_str(), it)).collect();
    for container in &pod.containers {
        let Some(after) = &container.after else { continue };
        if let Some(path) = circle(&container.name.value, &by_name, &mut vec![container.name.value.as_str()]) {
            // Each circle is told once, by the first of its containers.
            if path.iter().all(|name| *name >= container.name.value.as_str()) {
                let told: Vec<String> = path.iter().map(|name| format!("`{name}`")).collect();
                out.push(
                    Diagnostic::error(
                        "after-cycle",
                        format!("`{}` waits for itself: {}", container.name.value, told.join(" → ")),
                    )
                    .label(after.span(), "the circle begins here")
                    .help("delete one `after` of the circle"),
                );
            }
        }
    }
}

fn circle<'p>(start: &str, by_name: &BTreeMap<&'p str, &'p Sandbox>, path: &mut Vec<&'p str>) -> Option<Vec<&'p str>> {
    let current = by_name.get(path.last()?)?;
    for next in current.after.iter().flat_map(|it| &it.value) {
        if next == start {
            return Some(path.clone());
        }
        if !path.contains(&next.as_str()) && by_name.contains_key(next.as_str()) {
            path.push(next);
            if let Some(found) = circle(start, by_name, path) {
                return Some(found);
            }
            path.pop();
        }
    }
    None
}

/// A container has of its pod what the pod has.
fn namespaces(pod: &Pod, out: &mut Vec<Diagnostic>) {
    for container in &pod.containers {
        for kind in NsKind::ALL.into_iter().filter(|kind| container.mode(*kind).value == Mode::Pod) {
            let (name, base) = (kind.name(), pod.base.mode(kind));
            let help = match kind {
                NsKind::Cgroup => {
                    "write `cgroup new`: it begins at the container's own cgroup, which is one of the pod's".to_string()
                }
                _ if base.value == Mode::Host => format!("declare `{name} new` on the pod"),
                _ => continue,
            };
            let place = if base.is_implied() { pod.base.name.span() } else { base.span() };
            let message = format!("the pod has no `{name}` namespace for its containers");
            out.push(
                Diagnostic::error("pod-has-none", message)
                    .label(container.mode(kind).span(), "to be the pod's")
                    .label(place, if kind == NsKind::Cgroup { "a budget for all" } else { "the host's" })
                    .help(help),
            );
        }
    }
}

/// A user namespace of a container's own has no rights over what the pod's user namespace owns.
fn child_users(pod: &Pod, out: &mut Vec<Diagnostic>) {
    let owned =
        [NsKind::Net, NsKind::Ipc, NsKind::Uts].into_iter().find(|kind| pod.base.mode(*kind).value == Mode::New);
    let Some(kind) = owned else { return };
    for container in pod.containers.iter().filter(|it| it.user.mode.value == Mode::New) {
        let place = own_place(&container.user.mode, container);
        out.push(
            Diagnostic::error(
                "pod-child-userns",
                format!("`{}` has no rights over the pod's `{}`", container.name.value, kind.name()),
            )
            .label(place, "a user namespace of the container's own")
            .label(pod.base.mode(kind).span(), "made by the pod")
            .help("declare `user new` on the pod"),
        );
    }
}

fn own_place(mode: &Traced<Mode>, container: &Sandbox) -> Span {
    if mode.is_implied() { container.name.span() } else { mode.span() }
}

fn budget(pod: &Pod, out: &mut Vec<Diagnostic>) {
    let Some(limit) = &pod.base.cgroup.memory_max else { return };
    let limits: Vec<&Traced<u64>> = pod.containers.iter().filter_map(|it| it.cgroup.memory_max.as_ref()).collect();
    let sum: u64 = limits.iter().map(|it| it.value).fold(0, u64::saturating_add);
    if sum > limit.value {
        let mut finding = Diagnostic::warning(
            "pod-budget",
            format!("the containers may use {}, and the pod has {}", bytes(sum), bytes(limit.value)),
        )
        .label(limit.span(), "the budget of the pod")
        .help("raise the budget, or lower the limits of the containers");
        for limit in limits {
            finding = finding.label(limit.span(), bytes(limit.value));
        }
        out.push(finding);
    }
}

/// What is in a volume counts as memory of whoever has put it there.
fn memory(pod: &Pod, out: &mut Vec<Diagnostic>) {
    let Some(limit) = &pod.base.cgroup.memory_max else { return };
    for volume in &pod.base.volumes {
        if let MountSource::Tmpfs { size: Some(size), .. } = volume.value.source
            && size > limit.value
        {
            out.push(
                Diagnostic::warning(
                    "tmpfs-over-memory",
                    format!("the volume `{}` can never be filled: its pages count as memory", volume.value.name),
                )
                .label(volume.span(), format!("{} of tmpfs", bytes(size)))
                .label(limit.span(), format!("{} of memory in all", bytes(limit.value)))
                .help("make the volume smaller, or the limit larger"),
            );
        }
    }
}

/// All containers are on one host: a port of it leads to one of them.
fn ports(pod: &Pod, out: &mut Vec<Diagnostic>) {
    let mut seen: Vec<(&Traced<Publish>, &str)> = Vec::new();
    let own = pod.containers.iter().filter(|it| it.net.mode.value == Mode::New);
    for sandbox in std::iter::once(&pod.base).chain(own) {
        for publish in &sandbox.net.publish {
            let first = seen.iter().find(|(it, name)| *name != sandbox.name.value && clash(&it.value, &publish.value));
            if let Some((first, name)) = first {
                out.push(
                    Diagnostic::error(
                        "pod-port-clash",
                        format!("port {} of the host is taken by `{name}`", publish.value.outer.number),
                    )
                    .label(publish.span(), format!("published for `{}` too", sandbox.name.value))
                    .label(first.span(), "published here")
                    .help("publish another port of the host"),
                );
            }
            seen.push((publish, &sandbox.name.value));
        }
    }
}

/// `after` waits until the other is ready, and a container that does not say when it is ready is so at once.
fn readiness(pod: &Pod, out: &mut Vec<Diagnostic>) {
    for container in &pod.containers {
        for name in container.after.iter().flat_map(|it| &it.value) {
            let waited = pod.containers.iter().find(|it| it.name.value == *name && it.ready.is_none());
            if let (Some(waited), Some(after)) = (waited, &container.after) {
                out.push(
                    Diagnostic::advice("after-without-ready", format!("`{name}` does not say when it is ready"))
                        .label(after.span(), "waits until it has started, no longer")
                        .label(waited.name.span(), "has no `ready`")
                        .help(format!("add `ready = tcp(127.0.0.1, port: …)` or another probe to `{name}`")),
                );
            }
        }
        let Some(ready) = &container.ready else { continue };
        if ready.value.within == 0 {
            out.push(
                Diagnostic::error("ready-at-once", format!("`{}` has no time to become ready", container.name.value))
                    .label(ready.span(), "within no time at all")
                    .help("write how long it may take, as in `within: 5s`"),
            );
        }
        if matches!(&ready.value.probe, Probe::Exec(command) if command.is_empty()) {
            out.push(
                Diagnostic::error("ready-without-program", "there is no program to ask with")
                    .label(ready.span(), "an empty command")
                    .help(
                        "write the program and its arguments, as in `exec([\"/usr/bin/test\", \"-e\", \"/run/up\"])`",
                    ),
            );
        }
    }
}
