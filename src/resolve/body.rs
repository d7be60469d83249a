//! Bodies -> statements with keys: `if` and `for` are unrolled, `require` is tested, heads and values meet the schema.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::rc::Rc;
use std::sync::Arc;

use super::Cx;
use super::eval::{condition, eval};
use super::layer::{Env, spend};
use super::merge::{self, Payload, Stated};
use super::scope::Binding;
use super::typed;
use super::value::{ArgVal, Val, Value};
use crate::policy::{Origin, Strength};
use crate::report::Diagnostic;
use crate::schema::{self, Field, Section, Shape, Ty, suggest};
use crate::source::Span;
use crate::syntax::ast::{self, Expr, ExprKind, Item, Modifier, Require, Statement};

/// A walk over one body.
pub struct Walk<'w, 'a> {
    pub(super) cx: &'w mut Cx<'a>,
    pub(super) env: &'w Env,
    /// The modifier of the section around, which its fields share.
    pub(super) modifier: Option<Modifier>,
    /// What is found.
    pub(super) out: &'w mut Vec<Stated>,
    /// Whether the mode of the section around is a default, which takes what stands in the section with it.
    pub(super) with_mode: bool,
    /// Whether both branches of an `if` are gone through, because nobody can know which one holds.
    pub(super) uncertain: bool,
}

type Names = Rc<BTreeMap<String, Binding>>;

impl Walk<'_, '_> {
    pub(super) fn items(&mut self, items: &[Item], section: Option<&'static Section>, names: Names) {
        for item in items {
            match item {
                Item::Statement(it) => self.statement(it, section, &names),
                Item::If(it) => {
                    let dir = self.env.module.dir.as_deref();
                    let truth = condition(&it.cond, &mut self.cx.scope(&names, dir));
                    match (truth, &it.otherwise) {
                        (Some(true), _) => self.items(&it.then.items, section, names.clone()),
                        (Some(false), Some(block)) => self.items(&block.items, section, names.clone()),
                        (Some(false), None) => {}
                        (None, otherwise) => {
                            let before = std::mem::replace(&mut self.uncertain, true);
                            self.items(&it.then.items, section, names.clone());
                            if let Some(block) = otherwise {
                                self.items(&block.items, section, names.clone());
                            }
                            self.uncertain = before;
                        }
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
        let dir = self.env.module.dir.as_deref();
        let Some(list) = eval(&it.list, &mut self.cx.scope(names, dir)) else {
            // One turn, about whose element nothing is known.
            let mut inner = (**names).clone();
            inner.insert(it.name.node.clone(), Binding { value: None, declared: it.name.span });
            return self.items(&it.body.items, section, Rc::new(inner));
        };
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
        let mut scope = self.cx.scope(names, self.env.module.dir.as_deref());
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
            let finding =
                Diagnostic::error("unexpected-value", format!("`{}` is a block and has no value", section.name))
                    .label(value.span, "not here");
            self.cx.report(match &value.kind {
                ExprKind::Symbol(mode) if section.has_mode && it.labels.is_empty() => {
                    let text = format!("{} {mode}", section.name);
                    finding.help(format!("write `{text}`")).fix(
                        format!("write `{text}`"),
                        it.head.span.to(value.span),
                        text,
                    )
                }
                _ => finding.help(format!("write `{} {{ … }}`", section.name)),
            });
            return;
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
        let with_mode = !it.labels.is_empty() && modifier == Some(Modifier::Default);
        let before = (self.modifier, self.with_mode);
        (self.modifier, self.with_mode) = (inner, with_mode);
        self.items(&block.items, Some(section), names.clone());
        (self.modifier, self.with_mode) = before;
    }

    fn mode(
        &mut self,
        it: &Statement,
        section: &'static Section,
        label: &Expr,
        names: &Names,
        modifier: Option<Modifier>,
    ) {
        let mut scope = self.cx.scope(names, self.env.module.dir.as_deref());
        let value = eval(label, &mut scope)
            .and_then(|it| typed::fit(it, &section.mode(), format_args!("the mode of `{}`", section.name), &mut scope));
        // A mode that cannot be known is told once; its fields are not to suffer from it.
        let mut value = value.unwrap_or_else(|| unknown_mode(label));
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
            value = unknown_mode(label);
        }
        self.push(it, section.name.into(), modifier, None, Vec::new(), Some(value), it.head.span.to(label.span));
    }

    /// A block without a mode counts even when it is empty: `seccomp { }` refuses everything.
    fn presence(&mut self, it: &Statement, section: &'static Section, modifier: Option<Modifier>) {
        let value = Val { value: Value::Symbol("stated".into()), span: it.head.span };
        // Nobody overrides or fixes the mere presence of a block.
        let modifier = modifier.filter(|it| *it == Modifier::Default);
        let known = self.out.iter().any(|stated| *stated.origin.key == *section.name);
        if !known {
            self.push(it, section.name.into(), modifier, None, Vec::new(), Some(value), it.head.span);
        }
    }

    fn remove_section(&mut self, it: &Statement, section: &'static Section) {
        self.push(it, section.name.into(), Some(Modifier::Remove), None, Vec::new(), None, it.head_span());
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
                let mut scope = self.cx.scope(names, self.env.module.dir.as_deref());
                let value = eval(value, &mut scope);
                match value.and_then(|it| typed::fit(it, ty, format_args!("`{}`", field.head), &mut scope)) {
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
        self.push(it, key_of(field, &labels), modifier, Some(field), labels, value, it.head_span());
    }

    fn labels(&mut self, it: &Statement, field: &'static Field, names: &Names) -> Option<Vec<Val>> {
        let leads = field.lead.is_some() && it.labels.len() == field.labels.len() + 1;
        let types = field.lead.iter().filter(|_| leads).chain(field.labels);
        let types = types.chain(field.trail.iter().filter(|_| it.labels.len() > field.labels.len()));
        if let Some(extra) = it.labels.get(types.clone().count()) {
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
        let mut labels = Vec::with_capacity(it.labels.len());
        for (label, ty) in it.labels.iter().zip(types) {
            let mut scope = self.cx.scope(names, self.env.module.dir.as_deref());
            let value = eval(label, &mut scope)?;
            let is_call = field.section == "seccomp" && matches!(value.value, Value::Set(_) | Value::Variant(..));
            labels.push(if is_call {
                value
            } else {
                typed::fit(value, ty, format_args!("the label of `{}`", field.head), &mut scope)?
            });
        }
        Some(labels)
    }

    #[allow(clippy::too_many_arguments)]
    fn push(
        &mut self,
        it: &Statement,
        key: Arc<str>,
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
            key: key.clone(),
            via: self.env.via.clone(),
            replaced: Vec::new(),
        };
        let with_mode = field.is_some() && self.with_mode && modifier == Some(Modifier::Default);
        let mut slot = slot_of(field, &key);
        // A module's own group is not the group of that name of another module.
        if let Some(Value::Set(group)) = labels.first().map(|it| &it.value)
            && self.env.module.group(self.cx, group).is_some()
        {
            slot = format!("{slot} of {}", self.env.module.file.0).into();
        }
        let (labels, value, module) = (labels.into(), value.map(Rc::new), Some(self.env.module.clone()));
        let payload = Rc::new(Payload { field, labels, value, strength, module, with_mode });
        // Of two branches of which one holds only the first is kept: they may well say the same key.
        if self.uncertain && self.out.iter().any(|it| it.slot == slot) {
            return;
        }
        self.out.push(Stated { slot, modifier, payload, origin });
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
        let elsewhere = schema::fields().find(|it| it.head == head);
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

/// The key of a statement: `uts.hostname`, `mnt.mount[/tmp]`.
fn key_of(field: &Field, labels: &[Val]) -> Arc<str> {
    let mut key = field.path();
    if field.shape == Shape::Entry {
        key.push('[');
        for (at, label) in labels.iter().enumerate() {
            key.push_str(if at == 0 { "" } else { " " });
            let _ = write!(key, "{label}");
        }
        key.push(']');
    }
    key.into()
}

/// What a key is compared under with others, see [`Field::slot`]; mostly the key itself.
pub(super) fn slot_of(field: Option<&Field>, key: &Arc<str>) -> Arc<str> {
    field.and_then(|it| it.slot(key)).map_or_else(|| key.clone(), Arc::from)
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
            Ty::Network => " NETWORK".into(),
            Ty::Any(_) => " PEER".into(),
            _ => " NAME".into(),
        })
        .collect();
    let value = if field.value.is_some() { " = …" } else { "" };
    let lead = field.lead.map_or("", |_| " [ADDRESS]");
    let trail = field.trail.map_or("", |_| " [PORT]");
    format!("`{}{lead}{labels}{trail}{value}`", field.head)
}

/// What stands for a mode that could not be evaluated: a join stays one, of nobody, and the rest is new.
fn unknown_mode(label: &Expr) -> Val {
    let (name, args) = match &label.kind {
        ExprKind::Variant { name, .. } if name.node == "join" => {
            let nobody = Val { value: Value::Int(0), span: label.span };
            ("join", vec![ArgVal { name: Some(("pid".into(), label.span)), value: nobody, bare: false }])
        }
        _ => ("new", Vec::new()),
    };
    Val { value: Value::Variant(name.into(), args), span: label.span }
}
