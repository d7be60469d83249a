//! Pods: what they state is a layer of each of their containers.

use std::rc::Rc;

use super::Cx;
use super::layer::{self, Env};
use super::lower;
use super::merge::{self, Payload, Slots, Stated};
use super::module::Module;
use super::value::{Val, Value};
use super::volumes;
use crate::policy::{Mode, NsKind, Origin, Pod, Sandbox, Strength};
use crate::report::Diagnostic;
use crate::schema::suggest;
use crate::syntax::ast::{Decl, DeclKind, Item};

/// A pod of the file.
pub fn pod(cx: &mut Cx, module: &Rc<Module>, decl: &Decl) -> Option<Pod> {
    let env = Env::of_module(module);
    cx.layers.clear();
    let mut slots = layer::base(cx, &decl.with, &env);
    layer::apply_body(cx, &mut slots, &decl.body, &env);
    let ground: Slots =
        slots.iter().filter(|(key, _)| !is_own(key)).map(|(key, slot)| (key.clone(), slot.clone())).collect();
    let base = lower::of_slots(cx, decl, slots, false);
    programs_alone(cx, &base);
    let mut containers: Vec<Sandbox> = Vec::new();
    for item in &decl.body.items {
        let Item::Decl(inner) = item else { continue };
        if inner.kind.node != DeclKind::Container {
            continue;
        }
        if let Some(first) = containers.iter().find(|it| it.name.value == inner.name.node) {
            let (name, first) = (&inner.name.node, first.name.span());
            cx.report(
                Diagnostic::error("name-taken", format!("the pod has two containers `{name}`"))
                    .label(inner.name.span, "the second")
                    .label(first, "the first")
                    .help("give one of them another name"),
            );
        }
        containers.push(container(cx, inner, &base, &ground, &env));
    }
    known_containers(cx, &containers);
    volumes::settle(cx, &base, &mut containers);
    if containers.is_empty() {
        cx.report(
            Diagnostic::error("no-run", format!("the pod `{}` has no container", decl.name.node))
                .label(decl.name.span, "nothing runs in it")
                .help("declare one in it: `container NAME { run = […] }`"),
        );
    }
    Some(Pod { base, containers })
}

/// Whether a key is the pod's own, such as those of namespaces; the rest is said of its containers.
fn is_own(key: &str) -> bool {
    let section = key.split(['.', '[']).next().unwrap_or(key);
    // A pod has neither of the first two, and that is said of the pod alone; no container has volumes of its own.
    matches!(section, "run" | "cwd" | "volume") || crate::schema::section(section).is_some_and(|it| it.has_mode)
}

/// A pod runs nothing itself.
fn programs_alone(cx: &mut Cx, pod: &Sandbox) {
    let run = pod.run.as_ref().map(|it| ("run", it.span()));
    let cwd = pod.cwd.as_ref().map(|it| ("cwd", it.span()));
    for (head, span) in run.into_iter().chain(cwd) {
        cx.report(
            Diagnostic::error("misplaced", format!("a pod has no `{head}`, its containers do"))
                .label(span, "nothing runs here")
                .help("move it into a `container`"),
        );
    }
}

fn known_containers(cx: &mut Cx, containers: &[Sandbox]) {
    let names: Vec<&str> = containers.iter().map(|it| it.name.value.as_str()).collect();
    for after in containers.iter().filter_map(|it| it.after.as_ref()) {
        for name in after.value.iter().filter(|it| !names.contains(&it.as_str())) {
            let all = || format!("the containers are {}", names.join(", "));
            let finding = Diagnostic::error("after-unknown", format!("this pod has no container `{name}`"))
                .label(after.span(), "waits for nobody")
                .help(suggest::hint(name, names.iter().copied()).unwrap_or_else(all));
            cx.report(finding);
        }
    }
}

fn container(cx: &mut Cx, decl: &Decl, pod: &Sandbox, ground: &Slots, env: &Env) -> Sandbox {
    cx.layers.clear();
    let mut slots: Slots = layer::base(cx, &decl.with, env);
    merge::join(&mut slots, ground);
    let mut findings = Vec::new();
    merge::apply(&mut slots, shared(pod), &mut findings);
    findings.into_iter().for_each(|it| cx.report(it));
    layer::apply_body(cx, &mut slots, &decl.body, env);
    let mut sandbox = lower::of_slots(cx, decl, slots, true);
    // Names are found through files, and the network to which they belong is the pod's.
    if sandbox.net.mode.value == Mode::Pod && sandbox.mnt.mode.value == Mode::New {
        let entries = &mut sandbox.mnt.entries;
        let files = lower::name_files(&pod.net).into_iter();
        let missing: Vec<_> = files.filter(|it| !entries.iter().any(|own| own.value.path == it.value.path)).collect();
        entries.extend(missing);
        entries.sort_by(|a, b| a.value.path.cmp(&b.value.path));
    }
    sandbox
}

/// The kinds that the pod makes: its containers have the pod's, unless they say `override`. A cgroup of its own each
/// container gets below that of the pod.
fn shared(pod: &Sandbox) -> Vec<Stated> {
    let kinds = NsKind::ALL.into_iter().filter(|kind| *kind != NsKind::Cgroup && pod.mode(*kind).value == Mode::New);
    kinds
        .map(|kind| {
            let span = pod.mode(kind).span();
            let value = Val { value: Value::Variant("pod".into(), Vec::new()), span };
            let payload = Payload {
                field: None,
                labels: Rc::from([]),
                value: Some(Rc::new(value)),
                strength: Strength::Required,
                module: None,
                with_mode: false,
            };
            Stated {
                slot: kind.name().into(),
                modifier: None,
                payload: Rc::new(payload),
                origin: Origin { span, ..Origin::implied(span, kind.name(), "the pod makes it for its containers") },
            }
        })
        .collect()
}
