//! Bodies -> statements with keys: profiles are instantiated, `if` and `for` are unrolled, `require` is tested.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::Cx;
use super::eval::{condition, eval};
use super::merge::{self, Payload, Slots, Stated};
use super::module::Module;
use super::params;
use super::scope::Binding;
use super::typed;
use super::value::{Val, Value};
use crate::policy::{Origin, Strength, Via};
use crate::report::Diagnostic;
use crate::schema::{self, Field, Section, Shape, Ty, suggest};
use crate::source::Span;
use crate::syntax::ast::{self, Block, Decl, Expr, ExprKind, Instance, Item, Modifier, Require, Statement};

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
    Walk { cx, env, modifier: None, out: &mut statements }.items(&body.items, None, env.names.clone());
    let mut findings = Vec::new();
    merge::apply(slots, statements, &mut findings);
    findings.into_iter().for_each(|it| cx.report(it));
}

/// Instantiates a profile nobody may use, so that its names and types are checked all the same. Its parameters have their
/// defaults; one without a default makes values that nobody can know, about which nothing is said.
pub fn check_profile(cx: &mut Cx, module: &Rc<Module>, decl: &Decl) {
    let env = Env::of_module(module);
    let mut names = (*env.names).clone();
    bind_params(cx, &mut names, decl, &[], None, &env);
    let env = Env { names: Rc::new(names), open: vec![(decl.name.span, decl.name.node.clone())], ..env };
    let mut slots = base(cx, &decl.with, &env);
    // What a profile requires is for its users to meet.
    let before = cx.findings.len();
    apply_body(cx, &mut slots, &decl.body, &env);
    let added = cx.findings.split_off(before);
    cx.findings.extend(added.into_iter().filter(|it| it.code != "requirement-failed"));
}

/// Counts a statement, or a turn of a loop; `false` when there were too many.
fn spend(cx: &mut Cx, span: Span) -> bool {
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
    let mut names = (*module.names.borrow().clone()).clone();
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
    let inner = Env { module, names: Rc::new(names), via: env.via.iter().cloned().chain([via]).collect(), open };
    let mut slots = base(cx, &decl.with, &inner);
    apply_body(cx, &mut slots, &decl.body, &inner);
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
            let known = module.profile_names(cx);
            unknown(cx, first, known, "there is no profile");
            return None;
        };
        return Some((module, decl));
    };
    let found = env.module.uses.borrow().get(&first.node).cloned();
    let Some((module, used)) = found else {
        let known = env.module.uses.borrow().keys().cloned().collect();
        unknown(cx, first, known, "no module is called");
        return None;
    };
    cx.used.push(used);
    let Some(decl) = module.profile(cx, &name.node) else {
        let known = module.profile_names(cx);
        unknown(cx, name, known, &format!("module `{}` has no profile", first.node));
        return None;
    };
    Some((module, decl))
}

/// Gives the parameters of a profile their values. `used_at` is `None` when nobody uses it.
fn bind_params(
    cx: &mut Cx,
    names: &mut BTreeMap<String, Binding>,
    decl: &Decl,
    args: &[ast::Arg],
    used_at: Option<Span>,
    env: &Env,
) {
    let dir = env.module.dir.clone();
    for arg in args {
        let known = arg.name.as_ref().is_some_and(|name| decl.params.iter().any(|it| it.name.node == name.node));
        if !known {
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
        let what = format!("`{name}` of `{}`", decl.name.node);
        let value = match (arg, &param.default, used_at) {
            (Some(arg), _, _) => {
                let mut scope = cx.scope(&env.names, dir.as_deref());
                eval(&arg.value, &mut scope).and_then(|it| params::fit(it, &param.ty, &what, &mut scope))
            }
            (None, Some(default), _) => {
                let known = Rc::new(names.clone());
                let mut scope = cx.scope(&known, dir.as_deref());
                eval(default, &mut scope).and_then(|it| params::fit(it, &param.ty, &what, &mut scope))
            }
            (None, None, Some(span)) => {
                cx.report(
                    Diagnostic::error("missing-argument", format!("`{}` needs `{name}`", decl.name.node))
                        .label(span, "used here without it")
                        .label(param.span, "it has no default")
                        .help(format!("write `{}({name}: …)`", decl.name.node)),
                );
                None
            }
            (None, None, None) => None,
        };
        names.insert(name.clone(), Binding { value, declared: param.span });
    }
}

/// A walk over one body.
struct Walk<'w, 'a> {
    cx: &'w mut Cx<'a>,
    env: &'w Env,
    /// The modifier of the section around, which its fields share.
    modifier: Option<Modifier>,
    out: &'w mut Vec<Stated>,
}

type Names = Rc<BTreeMap<String, Binding>>;

impl Walk<'_, '_> {
    fn items(&mut self, items: &[Item], section: Option<&'static Section>, names: Names) {
        for item in items {
            match item {
                Item::Statement(it) => self.statement(it, section, &names),
                Item::If(it) => {
                    let dir = self.env.module.dir.clone();
                    let truth = condition(&it.cond, &mut self.cx.scope(&names, dir.as_deref()));
                    match (truth, &it.otherwise) {
                        (Some(true), _) => self.items(&it.then.items, section, names.clone()),
                        (Some(false), Some(block)) => self.items(&block.items, section, names.clone()),
                        _ => {}
                    }
                }
                Item::For(it) => self.for_item(it, section, &names),
                Item::Require(it) => self.require(it, &names),
                // Containers are the pod's to read.
                Item::Decl(it) if it.kind.node == ast::DeclKind::Container && section.is_none() => {}
                Item::Error(_) => {}
                other => {
                    self.cx.report(
                        Diagnostic::error("misplaced", "this stands at the top of a file")
                            .label(other.span(), "not inside a block")
                            .help("move it out of the block"),
                    );
                }
            }
        }
    }

    fn for_item(&mut self, it: &ast::For, section: Option<&'static Section>, names: &Names) {
        let dir = self.env.module.dir.clone();
        let Some(list) = eval(&it.list, &mut self.cx.scope(names, dir.as_deref())) else { return };
        let Value::List(items) = list.value else {
            self.cx.report(
                Diagnostic::error("wrong-type", format!("`for` goes over a list, not {}", list.value.kind()))
                    .label(it.list.span, "no list")
                    .help("write a list, or a parameter of a list type such as `[path]`"),
            );
            return;
        };
        for item in items {
            // Turns count as well: loops in loops take their time even if nothing stands in them.
            if !spend(self.cx, it.name.span) {
                return;
            }
            let mut inner = (**names).clone();
            inner.insert(it.name.node.clone(), Binding { value: Some(item), declared: it.name.span });
            self.items(&it.body.items, section, Rc::new(inner));
        }
    }

    fn require(&mut self, it: &Require, names: &Names) {
        let dir = self.env.module.dir.clone();
        let mut scope = self.cx.scope(names, dir.as_deref());
        let truth = condition(&it.cond, &mut scope);
        let message = eval(&it.message, &mut scope);
        let (Some(false), Some(message)) = (truth, message) else { return };
        let Value::Str(message) = message.value else {
            scope.report(
                Diagnostic::error("wrong-type", "the message of `require` is a string")
                    .label(it.message.span, "no string")
                    .help("write the reason between quotes"),
            );
            return;
        };
        let mut mentioned = Vec::new();
        references(&it.cond, &mut mentioned);
        mentioned.dedup();
        let values: Vec<String> = mentioned
            .iter()
            .filter_map(|name| Some(format!("`${name}` is {}", names.get(name)?.value.as_ref()?)))
            .collect();
        let told = if values.is_empty() { "this does not hold".to_string() } else { values.join(", ") };
        let mut finding = Diagnostic::error("requirement-failed", message).label(it.cond.span, told);
        for via in self.env.via.iter().rev() {
            finding = finding.label(via.span, format!("required by `{}`, used here", via.profile));
        }
        self.cx.report(finding.help("change the value so that the requirement holds"));
    }

    fn statement(&mut self, it: &Statement, section: Option<&'static Section>, names: &Names) {
        if !spend(self.cx, it.head_span()) {
            return;
        }
        if section.is_none()
            && let Some(found) = schema::section(&it.head.node)
        {
            return self.section(it, found, names);
        }
        let in_section = section.map_or("", |it| it.name);
        let Some(field) = schema::find(in_section, &it.head.node) else { return self.unknown(it, in_section) };
        self.field(it, field, names);
    }

    /// `net new { … }`
    fn section(&mut self, it: &Statement, section: &'static Section, names: &Names) {
        let modifier = it.modifier.map(|it| it.node).or(self.modifier);
        if let Some(value) = &it.value {
            self.cx.report(
                Diagnostic::error("unexpected-value", format!("`{}` is a block and has no value", section.name))
                    .label(value.span, "not here")
                    .help(format!("write `{} {{ … }}`", section.name)),
            );
        }
        match (section.has_mode, it.labels.as_slice()) {
            (true, [label]) => self.mode(it, section, label, names, modifier),
            (true, []) if it.block.is_some() || modifier == Some(Modifier::Remove) => {
                if modifier == Some(Modifier::Remove) {
                    self.remove_section(it, section);
                }
            }
            (true, []) => self.cx.report(
                Diagnostic::error("mode-missing", format!("`{}` says nothing", section.name))
                    .label(it.head.span, "neither a mode nor a block")
                    .help(format!("write `{0} new`, `{0} host` or `{0} join(…)`", section.name)),
            ),
            (true, [_, extra, ..]) | (false, [extra, ..]) => self.cx.report(
                Diagnostic::error(
                    "unexpected-label",
                    format!("`{}` takes {} here", section.name, if section.has_mode { "one mode" } else { "no label" }),
                )
                .label(extra.span, "one too many")
                .help("delete it"),
            ),
            (false, []) => {
                if modifier == Some(Modifier::Remove) && it.block.is_none() {
                    self.remove_section(it, section);
                } else {
                    self.presence(it, section, modifier);
                }
            }
        }
        let Some(block) = &it.block else { return };
        // `override` and `remove` are about the mode; the fields say themselves what they are.
        let inner = modifier.filter(|it| matches!(it, Modifier::Default | Modifier::Final));
        let before = std::mem::replace(&mut self.modifier, inner);
        self.items(&block.items, Some(section), names.clone());
        self.modifier = before;
    }

    fn mode(
        &mut self,
        it: &Statement,
        section: &'static Section,
        label: &Expr,
        names: &Names,
        modifier: Option<Modifier>,
    ) {
        let dir = self.env.module.dir.clone();
        let mut scope = self.cx.scope(names, dir.as_deref());
        let what = format!("the mode of `{}`", section.name);
        let Some(value) = eval(label, &mut scope).and_then(|it| typed::fit(it, &section.mode(), &what, &mut scope))
        else {
            return;
        };
        if let Value::Variant(name, args) = &value.value
            && name == "join"
            && args.len() != 1
        {
            let told = if args.is_empty() { "joins nobody" } else { "joins several" };
            self.cx.report(
                Diagnostic::error("missing-argument", "`join` says whose namespace it is, once")
                    .label(label.span, told)
                    .help("write one of `pid: …`, `path: …`, `sandbox: …` and `pod: …`"),
            );
            return;
        }
        let key = section.name.to_string();
        self.push(it, key, modifier, None, Vec::new(), Some(value), it.head.span.to(label.span));
    }

    /// A block without a mode counts even when it is empty: `seccomp { }` refuses everything.
    fn presence(&mut self, it: &Statement, section: &'static Section, modifier: Option<Modifier>) {
        let value = Val { value: Value::Symbol("stated".into()), span: it.head.span };
        // Nobody overrides or fixes the mere presence of a block.
        let modifier = modifier.filter(|it| *it == Modifier::Default);
        let known = self.out.iter().any(|stated| stated.key == section.name);
        if !known {
            self.push(it, section.name.to_string(), modifier, None, Vec::new(), Some(value), it.head.span);
        }
    }

    fn remove_section(&mut self, it: &Statement, section: &'static Section) {
        self.push(it, section.name.to_string(), Some(Modifier::Remove), None, Vec::new(), None, it.head_span());
    }

    fn field(&mut self, it: &Statement, field: &'static Field, names: &Names) {
        let modifier = it.modifier.map(|it| it.node).or(self.modifier);
        let removing = modifier == Some(Modifier::Remove);
        if let Some(block) = &it.block {
            self.cx.report(
                Diagnostic::error("unexpected-block", format!("`{}` takes no block", field.head))
                    .label(Span { end: block.span.start + 1, ..block.span }, "not here")
                    .help(format!("write it on one line: {}", usage(field))),
            );
            return;
        }
        let Some(labels) = self.labels(it, field, names) else { return };
        let value = match (&field.value, &it.value) {
            (Some(ty), Some(value)) => {
                let dir = self.env.module.dir.clone();
                let mut scope = self.cx.scope(names, dir.as_deref());
                let what = format!("`{}`", field.head);
                match eval(value, &mut scope).and_then(|it| typed::fit(it, ty, &what, &mut scope)) {
                    Some(value) => Some(value),
                    None => return,
                }
            }
            (None, Some(value)) => {
                self.cx.report(
                    Diagnostic::error("unexpected-value", format!("`{}` has no value", field.head))
                        .label(value.span, "not here")
                        .help(format!("write {}", usage(field))),
                );
                return;
            }
            (Some(ty), None) if !field.value_optional && !removing => {
                self.cx.report(
                    Diagnostic::error("value-missing", format!("`{}` needs a value", field.head))
                        .label(it.head_span(), "nothing behind it")
                        .help(format!("write {}, where the value is {}", usage(field), ty.describe())),
                );
                return;
            }
            _ => None,
        };
        let section = if field.section.is_empty() { String::new() } else { format!("{}.", field.section) };
        let labelled = labels.iter().map(Val::to_string).collect::<Vec<_>>().join(" ");
        let key = match field.shape {
            Shape::Entry => format!("{section}{}[{labelled}]", field.head),
            _ => format!("{section}{}", field.head),
        };
        self.push(it, key, modifier, Some(field), labels, value, it.head_span());
    }

    fn labels(&mut self, it: &Statement, field: &'static Field, names: &Names) -> Option<Vec<Val>> {
        if let Some(extra) = it.labels.get(field.labels.len()) {
            self.cx.report(
                Diagnostic::error(
                    "unexpected-label",
                    format!("`{}` takes {} here", field.head, count(field.labels.len())),
                )
                .label(extra.span, "one too many")
                .help(format!("write {}", usage(field))),
            );
            return None;
        }
        if it.labels.len() < field.labels.len() {
            self.cx.report(
                Diagnostic::error("label-missing", format!("`{}` does not say what it is about", field.head))
                    .label(it.head.span, format!("{} must follow", field.labels[it.labels.len()].describe()))
                    .help(format!("write {}", usage(field))),
            );
            return None;
        }
        let dir = self.env.module.dir.clone();
        let mut labels = Vec::new();
        for (label, ty) in it.labels.iter().zip(field.labels) {
            let mut scope = self.cx.scope(names, dir.as_deref());
            let value = eval(label, &mut scope)?;
            let is_call = field.section == "seccomp" && matches!(value.value, Value::Set(_) | Value::Variant(..));
            labels.push(if is_call {
                value
            } else {
                typed::fit(value, ty, &format!("the label of `{}`", field.head), &mut scope)?
            });
        }
        Some(labels)
    }

    #[allow(clippy::too_many_arguments)]
    fn push(
        &mut self,
        it: &Statement,
        key: String,
        modifier: Option<Modifier>,
        field: Option<&'static Field>,
        labels: Vec<Val>,
        value: Option<Val>,
        span: Span,
    ) {
        let strength = match it.strength.map(|it| it.node) {
            Some(ast::Strength::Prefer) => Strength::Prefer,
            Some(ast::Strength::Optional) => Strength::Optional,
            None => Strength::Required,
        };
        let start = it.modifier.map(|it| it.span).or(it.strength.map(|it| it.span)).unwrap_or(span);
        let origin = Origin {
            span: start.to(span),
            how: merge::how(modifier),
            key: key.as_str().into(),
            via: self.env.via.clone(),
            replaced: Vec::new(),
        };
        let payload = Rc::new(Payload { field, labels, value, strength });
        let slot = field.map_or_else(|| key.clone(), |field| field.slot(&key));
        self.out.push(Stated { key, slot, modifier, payload, origin });
    }

    fn unknown(&mut self, it: &Statement, section: &'static str) {
        let head = it.head.node.as_str();
        let mut known: Vec<&str> = schema::fields_of(section).map(|it| it.head).collect();
        let place = if section.is_empty() {
            known.extend(schema::SECTIONS.iter().map(|it| it.name));
            "a sandbox".to_string()
        } else {
            format!("`{section}`")
        };
        let is_block = it.block.is_some() && section.is_empty();
        let (code, what) = if is_block { ("unknown-block", "block") } else { ("unknown-key", "field") };
        let mut finding = Diagnostic::error(code, format!("{place} has no {what} `{head}`"))
            .label(it.head.span, format!("unknown {what}"));
        let elsewhere = schema::FIELDS.iter().find(|it| it.head == head);
        if let Some(found) = elsewhere {
            let help = match found.section {
                "" => format!("`{head}` stands in the sandbox itself, outside of `{section}`"),
                other => format!("`{head}` belongs in `{other} {{ … }}`"),
            };
            finding = finding.help(help);
        } else if let Some(found) = suggest::nearest(head, known.iter().copied()) {
            finding =
                finding.help(format!("did you mean `{found}`?")).fix(format!("write `{found}`"), it.head.span, found);
        } else {
            finding = finding.help(format!("known here: {}", known.join(", ")));
        }
        self.cx.report(finding);
    }
}

fn references(expr: &Expr, out: &mut Vec<String>) {
    match &expr.kind {
        ExprKind::Ref(names) => out.extend(names.first().map(|it| it.node.clone())),
        ExprKind::Not(inner) => references(inner, out),
        ExprKind::Binary { left, right, .. } => {
            references(left, out);
            references(right, out);
        }
        ExprKind::List(items) => items.iter().for_each(|it| references(it, out)),
        _ => {}
    }
}

fn count(labels: usize) -> &'static str {
    match labels {
        0 => "no label",
        1 => "one label",
        _ => "two labels",
    }
}

/// How a field is written, between backticks.
fn usage(field: &Field) -> String {
    let labels: String = field
        .labels
        .iter()
        .map(|ty| match ty {
            Ty::Symbol(words) => format!(" {}", words.join("|")),
            Ty::Path => " PATH".into(),
            Ty::Port => " PORT".into(),
            Ty::Id => " ID".into(),
            _ => " NAME".into(),
        })
        .collect();
    let value = if field.value.is_some() { " = …" } else { "" };
    format!("`{}{labels}{value}`", field.head)
}
