//! Layers: profiles are instantiated, joined, and bodies laid over them.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::Cx;
use super::body::Walk;
use super::eval::eval;
use super::merge::{self, Slots};
use super::module::Module;
use super::params;
use super::scope::Binding;
use super::value::Val;
use crate::policy::Via;
use crate::report::Diagnostic;
use crate::schema::suggest;
use crate::source::Span;
use crate::syntax::ast::{self, Block, Decl, Instance};

/// More statements than this come from loops in loops, not from a reader.
const MAX_STATEMENTS: usize = 100_000;
/// Profiles that use profiles, this deep.
const MAX_DEPTH: usize = 32;

/// Where a body stands.
#[derive(Clone)]
pub struct Env {
    /// The module that it is written in.
    pub module: Rc<Module>,
    /// The names that it sees.
    pub names: Rc<BTreeMap<String, Binding>>,
    /// The instances through which it is reached.
    pub via: Arc<[Via]>,
    /// The profiles that are being instantiated, by the place of their declaration.
    pub open: Vec<(Span, String)>,
}

impl Env {
    /// The body of a declaration of this module.
    pub fn of_module(module: &Rc<Module>) -> Env {
        Env { module: module.clone(), names: module.names.borrow().clone(), via: Arc::from([]), open: Vec::new() }
    }
}

/// The joined slots of the profiles of a `with`.
pub fn base(cx: &mut Cx, with: &[Instance], env: &Env) -> Slots {
    let mut slots = Slots::new();
    for instance in with {
        if let Some(layer) = instantiate(cx, instance, env) {
            merge::join(&mut slots, &layer);
        }
    }
    slots
}

/// The statements of a body, over the slots of its base.
pub fn apply_body(cx: &mut Cx, slots: &mut Slots, body: &Block, env: &Env) {
    let mut statements = Vec::new();
    Walk { cx, env, modifier: None, out: &mut statements, with_mode: false, uncertain: false }.items(
        &body.items,
        None,
        env.names.clone(),
    );
    let mut findings = Vec::new();
    merge::apply(slots, statements, &mut findings);
    findings.into_iter().for_each(|it| cx.report(it));
}

/// Instantiates a profile nobody may use, so that its names and types are checked all the same. Nobody can know what its
/// parameters will be: about their values nothing is said, and of an `if` on them both branches are looked at. Of one without parameters
/// that somebody has used, all has been said.
pub fn check_profile(cx: &mut Cx, module: &Rc<Module>, decl: &Decl) {
    if decl.params.is_empty() && cx.instantiated.contains(&decl.name.span) {
        return;
    }
    let env = Env::of_module(module);
    let mut names = env.names.clone();
    bind_params(cx, &mut names, decl, &[], None, &env);
    for param in &decl.params {
        Rc::make_mut(&mut names).entry(param.name.node.clone()).and_modify(|it| it.value = None);
    }
    let env = Env { names, open: vec![(decl.name.span, decl.name.node.clone())], ..env };
    let mut slots = base(cx, &decl.with, &env);
    apply_body(cx, &mut slots, &decl.body, &env);
}

/// Counts a statement, or a turn of a loop; `false` when there were too many.
pub(super) fn spend(cx: &mut Cx, span: Span) -> bool {
    cx.statements += 1;
    if cx.statements == MAX_STATEMENTS + 1 {
        cx.report(
            Diagnostic::error("too-large", format!("this policy makes more than {MAX_STATEMENTS} statements"))
                .label(span, "the first one too many")
                .help("loops in loops multiply: use fewer, or shorter lists"),
        );
    }
    cx.statements <= MAX_STATEMENTS
}

fn instantiate(cx: &mut Cx, instance: &Instance, env: &Env) -> Option<Rc<Slots>> {
    let shown = instance.path.iter().map(|it| it.node.as_str()).collect::<Vec<_>>().join(".");
    let (module, decl) = find_profile(cx, instance, env)?;
    if let Some(at) = env.open.iter().position(|(span, _)| *span == decl.name.span) {
        let circle: Vec<String> = env.open[at..].iter().map(|(_, name)| format!("`{name}`")).collect();
        cx.report(
            Diagnostic::error("profile-cycle", format!("`{shown}` uses itself in the end"))
                .label(instance.span, "this closes the circle")
                .label(decl.name.span, format!("the circle: {}", circle.join(" → ")))
                .help("move what both need into a third profile"),
        );
        return None;
    }
    if env.open.len() >= MAX_DEPTH {
        cx.report(
            Diagnostic::error("too-large", format!("profiles use profiles more than {MAX_DEPTH} deep"))
                .label(instance.span, "one level too many")
                .help("flatten the profiles"),
        );
        return None;
    }
    let mut names = module.names.borrow().clone();
    bind_params(cx, &mut names, &decl, &instance.args, Some(instance.span), env);
    // One profile with equal arguments is one layer, by how many routes it may be reached; otherwise a few profiles that
    // each use the next one twice would take longer than anybody waits.
    let arguments = decl.params.iter().filter_map(|it| names.get(&it.name.node));
    let arguments: Vec<String> =
        arguments.map(|it| it.value.as_ref().map_or("?".to_string(), Val::to_string)).collect();
    let route = (decl.name.span, arguments.join(", "));
    if let Some(known) = cx.layers.get(&route) {
        return Some(known.clone());
    }
    if !spend(cx, instance.span) {
        return None;
    }
    let via = Via { span: instance.span, profile: shown.clone() };
    let mut open = env.open.clone();
    open.push((decl.name.span, shown));
    let inner = Env { module, names, via: env.via.iter().cloned().chain([via]).collect(), open };
    let mut slots = base(cx, &decl.with, &inner);
    apply_body(cx, &mut slots, &decl.body, &inner);
    cx.instantiated.insert(decl.name.span);
    let slots = Rc::new(slots);
    cx.layers.insert(route, slots.clone());
    Some(slots)
}

fn find_profile(cx: &mut Cx, instance: &Instance, env: &Env) -> Option<(Rc<Module>, Rc<Decl>)> {
    let (first, rest) = instance.path.split_first()?;
    let unknown = |cx: &mut Cx, name: &ast::Name, known: Vec<String>, what: &str| {
        let hint = suggest::hint(&name.node, known.iter().map(String::as_str).collect::<Vec<_>>());
        let mut finding =
            Diagnostic::error("unknown-profile", format!("{what} `{}`", name.node)).label(name.span, "unknown");
        if let Some(found) = suggest::nearest(&name.node, known.iter().map(String::as_str)) {
            finding = finding.fix(format!("write `{found}`"), name.span, found);
        }
        cx.report(
            finding.help(hint.unwrap_or_else(|| "declare it with `profile`, or bring its module in with `use`".into())),
        );
    };
    let [name] = rest else {
        if !rest.is_empty() {
            unknown(cx, &rest[1], Vec::new(), "a profile has a name, or a module and a name: there is no");
            return None;
        }
        let module = env.module.clone();
        let Some(decl) = module.profile(cx, &first.node) else {
            if is_torn(&module) {
                return None;
            }
            let known = module.profile_names();
            unknown(cx, first, known, "there is no profile");
            return None;
        };
        return Some((module, decl));
    };
    if let Some(used) = env.module.unread.borrow().get(&first.node) {
        // That the module cannot be read was said where it is used.
        cx.used.push(*used);
        return None;
    }
    let found = env.module.uses.borrow().get(&first.node).cloned();
    let Some((module, used)) = found else {
        let known = env.module.uses.borrow().keys().cloned().collect();
        unknown(cx, first, known, "no module is called");
        return None;
    };
    cx.used.push(used);
    let Some(decl) = module.profile(cx, &name.node) else {
        if is_torn(&module) {
            return None;
        }
        let known = module.profile_names();
        unknown(cx, name, known, &format!("module `{}` has no profile", first.node));
        return None;
    };
    Some((module, decl))
}

/// Whether a part of a module could not be read, which may be what declares the profile: that was said there.
fn is_torn(module: &Module) -> bool {
    module.items().iter().any(|it| matches!(it, ast::Item::Error(_)))
}

/// Gives the parameters of a profile their values. `used_at` is `None` when nobody uses it.
fn bind_params(
    cx: &mut Cx,
    names: &mut Rc<BTreeMap<String, Binding>>,
    decl: &Decl,
    args: &[ast::Arg],
    used_at: Option<Span>,
    env: &Env,
) {
    let dir = env.module.dir.clone();
    let mut misspelt = false;
    for (at, arg) in args.iter().enumerate() {
        let same = |it: &&ast::Arg| {
            it.name.is_some() && it.name.as_ref().map(|it| &it.node) == arg.name.as_ref().map(|it| &it.node)
        };
        if let Some(first) = args[..at].iter().find(same) {
            cx.report(
                Diagnostic::error("set-twice", "a parameter is given twice")
                    .label(arg.span, "the second")
                    .label(first.span, "the first")
                    .help("keep one of them"),
            );
        }
        let known = arg.name.as_ref().is_some_and(|name| decl.params.iter().any(|it| it.name.node == name.node));
        if !known {
            misspelt = true;
            let span = arg.name.as_ref().map_or(arg.span, |it| it.span);
            let params: Vec<&str> = decl.params.iter().map(|it| it.name.node.as_str()).collect();
            let hint = arg.name.as_ref().and_then(|it| suggest::hint(&it.node, params.iter().copied()));
            let message = match &arg.name {
                Some(name) => format!("`{}` has no parameter `{}`", decl.name.node, name.node),
                None => "arguments of profiles have names".to_string(),
            };
            let help = hint.unwrap_or_else(|| match params.first() {
                Some(first) => format!("write `{first}: …`"),
                None => "it takes no arguments".into(),
            });
            cx.report(Diagnostic::error("unknown-argument", message).label(span, "this argument").help(help));
        }
    }
    for param in &decl.params {
        let name = &param.name.node;
        let arg = args.iter().find(|it| it.name.as_ref().is_some_and(|it| it.node == *name));
        let value = match (arg, &param.default, used_at) {
            (Some(arg), _, _) => {
                let mut scope = cx.scope(&env.names, dir.as_deref());
                eval(&arg.value, &mut scope).and_then(|it| {
                    params::fit(it, &param.ty, format_args!("`{name}` of `{}`", decl.name.node), &mut scope)
                })
            }
            (None, Some(default), _) => {
                let mut scope = cx.scope(names, dir.as_deref());
                eval(default, &mut scope).and_then(|it| {
                    params::fit(it, &param.ty, format_args!("`{name}` of `{}`", decl.name.node), &mut scope)
                })
            }
            (None, None, Some(span)) if !misspelt => {
                cx.report(
                    Diagnostic::error("missing-argument", format!("`{}` needs `{name}`", decl.name.node))
                        .label(span, "used here without it")
                        .label(param.span, "it has no default")
                        .help(format!("write `{}({name}: …)`", decl.name.node)),
                );
                None
            }
            (None, None, _) => None,
        };
        Rc::make_mut(names).insert(name.clone(), Binding { value, declared: param.span });
    }
}
