//! Pods: what they state is a layer of each of their containers.

use std::rc::Rc;

use super::Cx;
use super::layer::{self, Env};
use super::lower;
use super::merge::{self, Payload, Slots, Stated};
use super::module::Module;
use super::value::{Val, Value};
use crate::policy::{Mode, NsKind, Origin, Pod, Sandbox, Strength};
use crate::report::Diagnostic;
use crate::syntax::ast::{Decl, DeclKind, Item};

/// A pod of the file.
pub fn pod(cx: &mut Cx, module: &Rc<Module>, decl: &Decl) -> Option<Pod> {
    let env = Env::of_module(module);
    cx.layers.clear();
    let mut slots = layer::base(cx, &decl.with, &env);
    layer::apply_body(cx, &mut slots, &decl.body, &env);
    let base = lower::of_slots(cx, module, decl, slots, false);
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
        containers.push(container(cx, module, inner, &base, &env));
    }
    if containers.is_empty() {
        cx.report(
            Diagnostic::error("no-run", format!("the pod `{}` has no container", decl.name.node))
                .label(decl.name.span, "nothing runs in it")
                .help("declare one in it: `container NAME { run = […] }`"),
        );
    }
    Some(Pod { base, containers })
}

fn container(cx: &mut Cx, module: &Rc<Module>, decl: &Decl, pod: &Sandbox, env: &Env) -> Sandbox {
    cx.layers.clear();
    let mut slots: Slots = layer::base(cx, &decl.with, env);
    let mut findings = Vec::new();
    merge::apply(&mut slots, shared(pod), &mut findings);
    findings.into_iter().for_each(|it| cx.report(it));
    layer::apply_body(cx, &mut slots, &decl.body, env);
    lower::of_slots(cx, module, decl, slots, true)
}

/// The kinds that the pod makes: its containers have the pod's, unless they say `override`. A cgroup of its own each
/// container gets below that of the pod.
fn shared(pod: &Sandbox) -> Vec<Stated> {
    let kinds = NsKind::ALL.into_iter().filter(|kind| *kind != NsKind::Cgroup && pod.mode(*kind).value == Mode::New);
    kinds
        .map(|kind| {
            let span = pod.mode(kind).span();
            let value = Val { value: Value::Variant("pod".into(), Vec::new()), span };
            let payload = Payload { field: None, labels: Vec::new(), value: Some(value), strength: Strength::Required };
            Stated {
                key: kind.name().to_string(),
                slot: kind.name().to_string(),
                modifier: None,
                payload: Rc::new(payload),
                origin: Origin { span, ..Origin::implied(span, kind.name(), "the pod makes it for its containers") },
            }
        })
        .collect()
}
