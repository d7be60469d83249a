//! `keep PATH`: whether a namespace can be pinned to a file, and what would become of the file. namespaces(7), unshare(1)

use super::host_sources::sources;
use super::mnt::below;
use super::tree::{Place, place};
use crate::host::{HostFacts, PathFact, PathKind};
use crate::policy::{Access, EntryKind, Keep, Mode, MountSource, NsKind, Pod, Policy, Root, Sandbox, Strength, Traced};
use crate::report::Diagnostic;

pub(super) fn check(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    for (index, keep) in sandbox.keep.iter().enumerate() {
        if keep.value.kind == NsKind::Pid {
            out.push(
                Diagnostic::error("keep-pid", "a PID namespace cannot be kept for later")
                    .label(keep.span(), "it is over when its first process has ended")
                    .help("delete the line; while the sandbox runs, `pid join(sandbox: NAME)` joins it"),
            );
        } else if sandbox.mode(keep.value.kind).value != Mode::New {
            out.push(not_own(sandbox, keep));
        }
        if let Some(first) = sandbox.keep[..index].iter().find(|it| it.value.path == keep.value.path) {
            out.push(twice(first, keep));
        }
        out.extend(exposed(sandbox, keep, &keep.value.path));
    }
}

/// Whoever may write to the directory can put another file there, such as a link to a namespace that nobody has meant.
fn exposed(sandbox: &Sandbox, keep: &Traced<Keep>, path: &str) -> Option<Diagnostic> {
    let writable = writable(sandbox, path)?;
    let message = format!("the program could put something else in the place of {path}");
    Some(
        Diagnostic::error("keep-exposed", message)
            .label(keep.span(), "the file is to keep a namespace")
            .label(writable, "lets the program write to its directory")
            .help("name a file outside of what the program may write to, as in /run/netns"),
    )
}

fn not_own(sandbox: &Sandbox, keep: &Traced<Keep>) -> Diagnostic {
    let (name, mode) = (keep.value.kind.name(), sandbox.mode(keep.value.kind));
    let (whose, help) = match mode.value {
        Mode::Pod => ("the pod's", format!("move the line to the `{name} new {{ … }}` of the pod")),
        Mode::Join(_) => ("joined", format!("write `{name} new`, or let whoever made it keep it")),
        _ => ("the host's", format!("write `{name} new {{ … }}`, or delete the line")),
    };
    let place = if mode.is_implied() && mode.value == Mode::Host { sandbox.name.span() } else { mode.span() };
    Diagnostic::error("keep-not-own", format!("there is no `{name}` namespace of its own that could be kept"))
        .label(keep.span(), "to be kept")
        .label(place, format!("`{name}` is {whose}"))
        .help(help)
}

fn twice(first: &Traced<Keep>, second: &Traced<Keep>) -> Diagnostic {
    Diagnostic::error("keep-twice", format!("{} would keep two namespaces", second.value.path))
        .label(second.span(), format!("a `{}` namespace", second.value.kind.name()))
        .label(first.span(), format!("a `{}` namespace", first.value.kind.name()))
        .help("give each a file of its own")
}

/// The statement by which the program may write to the directory of a path of the host.
fn writable(sandbox: &Sandbox, path: &str) -> Option<crate::source::Span> {
    if sandbox.mnt.mode.value != Mode::New {
        return None;
    }
    // Seen at `inside`, a path of the host that is brought in at `target`: unless something else lies there.
    let shows = |source: &str, target: &str| {
        let source = source.trim_end_matches('/');
        let rest = path.strip_prefix(source).filter(|rest| rest.starts_with('/'));
        let inside = rest.map(|rest| format!("{}{rest}", target.trim_end_matches('/')));
        inside.is_some_and(|it| matches!(place(sandbox, &it), Place::Host { path: there, .. } if there == path))
    };
    let root = sandbox.mnt.root.as_ref().filter(|root| match &root.value {
        Root::Host(Access::Rw) => shows("/", "/"),
        Root::Dir { path: source, access: Access::Rw, .. } => shows(source, "/"),
        _ => false,
    });
    let bind = sandbox.mnt.entries.iter().find(|entry| match &entry.value.kind {
        EntryKind::Mount(MountSource::Bind { source, access: Access::Rw, .. }) => shows(source, &entry.value.path),
        _ => false,
    });
    let layers = sources(sandbox);
    let layer = layers.iter().find(|it| it.layer && it.access == Access::Rw && below(path, &it.path));
    root.map(Traced::span).or(bind.map(Traced::span)).or(layer.map(|it| it.span))
}

/// What containers of a pod keep: each start makes namespaces anew, and all of them are there at the same time.
pub(super) fn check_pod(pod: &Pod, out: &mut Vec<Diagnostic>) {
    for container in &pod.containers {
        let restart = container.restart.as_ref().filter(|it| !it.value.never);
        if let (Some(keep), Some(restart)) = (container.keep.first(), restart) {
            out.push(
                Diagnostic::error(
                    "keep-restarts",
                    format!("`{}` is started again, and each start makes another namespace", container.name.value),
                )
                .label(keep.span(), "the file can keep one")
                .label(restart.span(), "makes more of them")
                .help("keep a namespace that the pod makes, which all starts share, or delete `restart`"),
            );
        }
    }
    for container in &pod.containers {
        out.extend(pod.base.keep.iter().filter_map(|keep| exposed(container, keep, &keep.value.path)));
    }
    let mut seen: Vec<(&str, &Traced<Keep>)> = Vec::new();
    for sandbox in std::iter::once(&pod.base).chain(&pod.containers) {
        let name = sandbox.name.value.as_str();
        for keep in &sandbox.keep {
            let first = seen.iter().find(|(other, it)| *other != name && it.value.path == keep.value.path);
            out.extend(first.map(|(_, first)| twice(first, keep)));
            seen.push((name, keep));
        }
    }
}

fn of_all(policy: &Policy) -> impl Iterator<Item = &Traced<Keep>> {
    let pods = policy.pods.iter().flat_map(|pod| pod.containers.iter().chain([&pod.base]));
    policy.sandboxes.iter().chain(pods).flat_map(|it| &it.keep)
}

/// Whether the rules want to know if the caller may mount: [`HostFacts::mount_admin`].
pub fn wants_mounting(policy: &Policy) -> bool {
    of_all(policy).next().is_some()
}

/// The paths about which the rules want to know: the files, and the directories that they are made in.
pub(super) fn wanted(policy: &Policy) -> impl Iterator<Item = String> {
    of_all(policy).flat_map(|it| [it.value.path.clone(), directory(&it.value.path).to_string()])
}

fn directory(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((directory, _)) => directory,
    }
}

pub(super) fn check_host(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    for keep in &sandbox.keep {
        let (path, directory) = (keep.value.path.as_str(), directory(&keep.value.path));
        // Symbolic links may lead to what the program may write to.
        if let Some(fact) = facts.paths.get(directory).filter(|it| !it.real.is_empty() && it.real != directory) {
            let name = path.rsplit('/').next().unwrap_or_default();
            let found = exposed(sandbox, keep, &format!("{}/{name}", fact.real.trim_end_matches('/')));
            out.extend(found.filter(|_| writable(sandbox, path).is_none()));
        }
    }
    let asked = |it: &&Traced<Keep>| it.strength != Strength::Prefer && sandbox.is_new(it.value.kind);
    let kept: Vec<&Traced<Keep>> = sandbox.keep.iter().filter(asked).collect();
    if facts.mount_admin == Some(false) && !kept.is_empty() {
        let mut finding =
            Diagnostic::error("keep-not-permitted", format!("`{}` may not mount on {}", facts.caller.user, facts.name))
                .help(
                    "run as root, or in a mount namespace of your own (`unshare -Urm`), in which alone the file keeps something then; while \
                     the sandbox runs, `join(sandbox: NAME)` joins it without any file",
                );
        for keep in kept {
            finding = finding.label(keep.span(), "a file keeps a namespace by a mount, which takes CAP_SYS_ADMIN");
        }
        out.push(finding);
        return;
    }
    for keep in kept {
        let path = keep.value.path.as_str();
        let there = facts.paths.get(path).filter(|it| it.kind != PathKind::Missing);
        match (there, facts.paths.get(directory(path))) {
            (Some(fact), _) if fact.kind != PathKind::Forbidden => out.push(exists(keep, fact)),
            (_, Some(fact)) => out.extend(no_place(keep, fact, facts)),
            _ => {}
        }
    }
}

fn exists(keep: &Traced<Keep>, fact: &PathFact) -> Diagnostic {
    let path = &keep.value.path;
    let (message, help) = match fact.namespace {
        Some(kind) => (
            format!("{path} keeps a `{}` namespace already", kind.name()),
            format!("`nsl ns release {path}` lets it go; to use it, write `{} join(path: {path})`", kind.name()),
        ),
        None => (
            format!("{path} exists already"),
            "name a file that does not exist, or remove it: nsl makes the file itself, so that nothing is covered by it"
                .to_string(),
        ),
    };
    Diagnostic::error("keep-exists", message).label(keep.span(), "to be made").help(help)
}

/// What is wrong with the directory that the file would be made in.
fn no_place(keep: &Traced<Keep>, fact: &PathFact, facts: &HostFacts) -> Option<Diagnostic> {
    let directory = directory(&keep.value.path);
    let wrong = match fact.kind {
        PathKind::Missing => "does not exist",
        PathKind::Forbidden => "cannot be reached",
        PathKind::Dir if fact.mount_flags.iter().any(|it| it == "ro") => "is mounted read-only",
        PathKind::Dir if keep.value.kind == NsKind::Mnt && fact.propagation == "shared" => {
            return Some(
                Diagnostic::error("keep-shared", format!("{directory} is on a mount that is shared on {}", facts.name))
                    .label(keep.span(), "the kernel pins mount namespaces on private mounts only")
                    .help(format!(
                        "as root: `mount --bind {directory} {directory}` and `mount --make-private {directory}`, as unshare(1) has it for `--mount=FILE`"
                    )),
            );
        }
        PathKind::Dir => return None,
        _ => "is no directory",
    };
    Some(
        Diagnostic::error("keep-no-directory", format!("{directory} {wrong} on {}", facts.name))
            .label(keep.span(), "to be made in it")
            .help("make the directory (`mkdir -p`), or name a file in one that you may write to"),
    )
}
