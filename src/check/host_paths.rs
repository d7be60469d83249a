//! Paths of the host that the policy needs: sources, the program, its interpreter, the working directory.

use super::host_sources::{Bound, sources};
use super::tree::{Place, place};
use crate::host::{HostFacts, PathFact, PathKind};
use crate::policy::{Access, Mode, NsKind, Policy, Root, Sandbox, Strength};
use crate::report::Diagnostic;

/// The paths of the host about which the rules want to know ([`HostFacts::paths`]).
pub fn wanted_paths(policy: &Policy) -> Vec<String> {
    let mut paths = Vec::new();
    let containers = policy.pods.iter().flat_map(|it| &it.containers);
    for sandbox in policy.sandboxes.iter().chain(containers) {
        if let Some(Root::Dir { path, .. }) = sandbox.mnt.root.as_ref().map(|it| &it.value) {
            paths.push(path.clone());
        }
        paths.extend(super::special::wanted(sandbox));
        paths.extend(sources(sandbox).into_iter().map(|it| it.path));
        paths.extend(sandbox.cgroup.io_max.iter().map(|it| it.value.device.clone()));
        let program = sandbox.run.as_ref().and_then(|it| it.value.first()).filter(|it| it.starts_with('/'));
        let cwd = sandbox.cwd.as_ref().map(|it| &it.value);
        for path in program.into_iter().chain(cwd) {
            if sandbox.is_new(NsKind::Mnt)
                && let Place::Host { path, .. } = place(sandbox, path)
            {
                paths.push(path);
            }
        }
    }
    paths.extend(super::keep::wanted(policy));
    paths.sort();
    paths.dedup();
    paths
}

/// The programs of the host whose libraries the rules want to know. Where `/` is the host's, they are there; an image has its own.
pub fn wanted_libraries(policy: &Policy) -> Vec<String> {
    let containers = policy.pods.iter().flat_map(|it| &it.containers);
    let composed = policy.sandboxes.iter().chain(containers).filter(|it| is_composed(it));
    composed.filter_map(|it| program_place(it).map(|(_, path)| path)).collect()
}

/// Whether the tree is put together from single paths.
fn is_composed(sandbox: &Sandbox) -> bool {
    sandbox.is_new(NsKind::Mnt) && matches!(sandbox.mnt.root.as_ref().map(|it| &it.value), None | Some(Root::Empty))
}

/// The program as the policy names it, and where it is on the host.
fn program_place(sandbox: &Sandbox) -> Option<(&str, String)> {
    let program = sandbox.run.as_ref()?.value.first().filter(|it| it.starts_with('/'))?;
    match place(sandbox, program) {
        Place::Host { path, .. } => Some((program, path)),
        _ => None,
    }
}

pub(super) fn check(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    if !sandbox.is_new(NsKind::Mnt) {
        return;
    }
    roots(sandbox, facts, out);
    for bound in sources(sandbox) {
        let source = &bound.path;
        let Some(fact) = facts.paths.get(source) else { continue };
        match fact.kind {
            PathKind::Missing if bound.strength != Strength::Optional => out.push(
                Diagnostic::error("source-missing", format!("{source} does not exist on {}", facts.name))
                    .label(bound.span, "to be mounted from there")
                    .help("create it, correct the path, or write `optional` before `mount`"),
            ),
            PathKind::Forbidden => out.push(
                Diagnostic::error("source-forbidden", format!("`{}` may not reach {source}", facts.caller.user))
                    .label(bound.span, "to be mounted from there")
                    .help("change the permissions of the directories above it, or run as its owner"),
            ),
            _ => {
                if bound.layer {
                    super::layers::check_host(&bound, fact, facts, out);
                }
                super::special::check_source(&bound, fact, sandbox, facts, out);
                if bound.access == Access::Rw {
                    writable(sandbox, facts, &bound, fact, out);
                }
            }
        }
    }
    program(sandbox, facts, out);
    cwd(sandbox, facts, out);
}

fn roots(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    let Some(root) = &sandbox.mnt.root else { return };
    let Root::Dir { path, .. } = &root.value else { return };
    let Some(fact) = facts.paths.get(path) else { return };
    let wrong = match fact.kind {
        PathKind::Missing => "does not exist",
        PathKind::Forbidden => "cannot be reached",
        PathKind::Dir => return,
        _ => "is no directory",
    };
    out.push(
        Diagnostic::error("source-missing", format!("{path} {wrong} on {}", facts.name))
            .label(root.span(), "to be the root")
            .help("correct the path, or create the directory"),
    );
}

/// A caller who is root gets an id of its own for the program, which owns nothing on the host.
fn writable(sandbox: &Sandbox, facts: &HostFacts, bound: &Bound, fact: &PathFact, out: &mut Vec<Diagnostic>) {
    let source = &bound.path;
    let may = super::host_sources::may(sandbox, facts, fact, 0o2);
    if !may {
        out.push(
            Diagnostic::warning(
                "bind-not-writable",
                format!("the program cannot write to {source}: it belongs to uid {}", fact.uid),
            )
            .label(bound.span, "mounted to be written")
            .label(sandbox.user.mode.span(), "the program is another user outside")
            .help(format!("give it to the program (`chmod o+w {source}`), or map the program to its owner")),
        );
    }
}

fn program(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    let Some(run) = &sandbox.run else { return };
    let Some(program) = run.value.first().filter(|it| it.starts_with('/')) else { return };
    let Place::Host { path, .. } = place(sandbox, program) else { return };
    let Some(fact) = facts.paths.get(&path) else { return };
    match fact.kind {
        PathKind::Missing => out.push(
            Diagnostic::error("run-missing", format!("{program} does not exist on {}", facts.name))
                .label(run.span(), "to be run")
                .help("install it, or correct the path"),
        ),
        PathKind::File if fact.mode & 0o111 == 0 => out.push(
            Diagnostic::error("run-not-executable", format!("{program} is not executable"))
                .label(run.span(), "to be run")
                .help(format!("make it executable: `chmod +x {path}`")),
        ),
        PathKind::Dir => out.push(
            Diagnostic::error("run-not-executable", format!("{program} is a directory"))
                .label(run.span(), "to be run")
                .help("name a program"),
        ),
        _ => {}
    }
    if fact.kind == PathKind::File && fact.mode & 0o6000 != 0 && sandbox.no_new_privs.value {
        out.push(
            Diagnostic::warning("setuid-without-effect", format!("{program} will not become another user here"))
                .label(run.span(), "set-user-id or set-group-id")
                .label(sandbox.no_new_privs.span(), "`no-new-privs` holds")
                .help("say who the program is with `user { as = … }`, and what it may with `caps { keep … }`"),
        );
    }
    let Some(interpreter) = fact.interpreter.as_ref().filter(|it| it.starts_with('/')) else { return };
    let links = fact.interpreter_links.iter().filter(|_| is_composed(sandbox));
    let wrong = |path: &String| match place(sandbox, path) {
        Place::Nothing => Some((path.clone(), "is not in the sandbox's tree")),
        Place::Hidden(_) => Some((path.clone(), "is hidden")),
        _ => None,
    };
    let Some((interpreter, wrong)) = std::iter::once(interpreter).chain(links).find_map(wrong) else {
        return libraries(sandbox, program, fact, out);
    };
    out.push(
        Diagnostic::error("interpreter-not-visible", format!("{program} needs {interpreter}, which {wrong}"))
            .label(run.span(), "cannot start without it")
            .help(format!(
                "mount the directory that holds it, or add the link that leads to it: `link {} = …`",
                first_part(&interpreter)
            )),
    );
}

/// What the program's loader will not find. A policy that says where it is to look knows better.
fn libraries(sandbox: &Sandbox, program: &str, fact: &PathFact, out: &mut Vec<Diagnostic>) {
    let Some(run) = &sandbox.run else { return };
    if !is_composed(sandbox) || sandbox.env.iter().any(|it| it.value.name.starts_with("LD_")) {
        return;
    }
    // Most hosts have /lib as a link to /usr/lib, and the loader looks at both.
    let spellings = |path: &str| match path.strip_prefix("/usr") {
        Some(short) => [path.to_string(), short.to_string()],
        None => [path.to_string(), format!("/usr{path}")],
    };
    let is_there = |path: &str| {
        spellings(path).iter().any(|it| matches!(place(sandbox, it), Place::Host { .. } | Place::Own { .. }))
    };
    let missing: Vec<&str> = fact.libraries.iter().map(String::as_str).filter(|it| !is_there(it)).collect();
    let [first, others @ ..] = missing.as_slice() else { return };
    let more = if others.is_empty() { String::new() } else { format!(" and {} more libraries", others.len()) };
    out.push(
        Diagnostic::error(
            "library-not-visible",
            format!("{program} needs {first}{more}, which the sandbox's tree does not have"),
        )
        .label(run.span(), "cannot start without it")
        .help(format!(
            "mount the directory that holds it: `mount {} = bind(ro)`",
            first.rsplit_once('/').map_or("/", |it| it.0)
        )),
    );
}

fn first_part(path: &str) -> &str {
    let end = path[1..].find('/').map_or(path.len(), |at| at + 1);
    &path[..end]
}

fn cwd(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    let Some(cwd) = &sandbox.cwd else { return };
    let Place::Host { path, .. } = place(sandbox, &cwd.value) else { return };
    let missing = facts.paths.get(&path).is_some_and(|it| it.kind == PathKind::Missing);
    // A mount below it makes it, where the tree is read-only.
    let made = sandbox
        .mnt
        .entries
        .iter()
        .any(|it| it.value.path.starts_with(&format!("{}/", cwd.value.trim_end_matches('/'))));
    if missing && !made && sandbox.mnt.mode.value == Mode::New {
        out.push(
            Diagnostic::error("cwd-missing", format!("{} does not exist in the sandbox", cwd.value))
                .label(cwd.span(), "to be the working directory")
                .help("mount it, or name another directory"),
        );
    }
}
