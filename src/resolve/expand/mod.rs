//! What a body comes to, as statements: its own and those of its profiles, merged, and what holds without being stated.

mod behind;
mod implied;
mod pick;
mod text;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::groups::find;
use super::merge::{Candidate, Gone};
use super::module::{Module, PRELUDE};
use super::value::{Val, Value};
use super::{Cx, module};
use crate::policy::{Origin, Strength};
use crate::schema::{self, Field, SECTIONS};
use crate::source::Span;
use crate::syntax::ast::{Decl, DeclKind, Group, GroupMember};

pub use behind::{Behind, behind};
pub(super) use implied::add_implied;
pub use pick::{no_sandbox, pick};
pub use text::{Show, text};

/// One sandbox, pod or container without its profiles.
#[derive(Clone, Debug)]
pub struct Expanded {
    /// `sandbox`, `pod` or `container`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// What it comes to: the body first, then section by section; the mode of a section before its fields.
    pub lines: Vec<Line>,
    /// What profiles said and a `remove` took away.
    pub removed: Vec<Gone>,
    /// The groups of system calls that it means and that not everybody knows, those first that others hold.
    pub(in crate::resolve) groups: Vec<OwnGroup>,
}

/// One statement.
#[derive(Clone, Debug)]
pub struct Line {
    /// The section that it stands in; empty for the body itself. The mode of a section stands in it.
    pub section: &'static str,
    /// How much it insists.
    pub strength: Strength,
    /// Where it comes from.
    pub origin: Origin,
    /// Its row of the table; `None` for the head of a section.
    pub(in crate::resolve) field: Option<&'static Field>,
    pub(in crate::resolve) labels: Rc<[Val]>,
    /// Its value; of the head of a section, its mode.
    pub(in crate::resolve) value: Option<Rc<Val>>,
    /// What it is compared under with the statements of a pod.
    pub(in crate::resolve) slot: Arc<str>,
    /// The group that it means, by its declaration, where that is none of those that everybody knows.
    pub(in crate::resolve) group: Option<Span>,
}

/// A group of system calls that a policy or one of its modules declares.
#[derive(Clone, Debug)]
pub(in crate::resolve) struct OwnGroup {
    pub declared: Span,
    pub name: String,
    pub members: Vec<Member>,
}

#[derive(Clone, Debug)]
pub(in crate::resolve) enum Member {
    Call(String),
    /// One of the groups that everybody knows.
    Known(String),
    Own(Span),
}

impl Line {
    /// Whether it is the head of its section.
    pub fn is_head(&self) -> bool {
        self.field.is_none()
    }

    /// Its value, or its mode; of what has neither, its labels.
    pub fn shown(&self) -> String {
        let labels = || self.labels.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        self.value.as_ref().map_or_else(labels, |it| it.to_string())
    }

    /// Its row of the table; `None` for the head of a section.
    pub fn field(&self) -> Option<&'static Field> {
        self.field
    }

    /// The statement as it is written inside its section, without modifiers; of the head of a section, its mode.
    pub fn written(&self) -> String {
        let value = self.value.as_ref().map(|it| it.to_string());
        let Some(field) = self.field else { return value.unwrap_or_default() };
        let labels: String = self.labels.iter().map(|it| format!(" {it}")).collect();
        format!("{}{labels}{}", field.head, value.map_or(String::new(), |it| format!(" = {it}")))
    }

    /// Its place in the table, by which lines are sorted.
    fn rank(&self) -> (usize, bool, usize) {
        let section = SECTIONS.iter().position(|it| it.name == self.section).map_or(0, |at| at + 1);
        (section, self.field.is_some(), self.field.map_or(0, schema::place))
    }
}

/// What merging has left, as statements. What holds besides is added once the policy is made: [`add_implied`].
pub(super) fn expanded(
    cx: &mut Cx,
    decl: &Decl,
    settled: &BTreeMap<Arc<str>, Candidate>,
    removed: Vec<Gone>,
) -> Expanded {
    let mut groups = Vec::new();
    let mut lines = Vec::with_capacity(settled.len());
    for (slot, stated) in settled {
        let payload = &stated.payload;
        let section = match payload.field {
            Some(field) => field.section,
            None => SECTIONS.iter().find(|it| *it.name == **slot).map_or("", |it| it.name),
        };
        let group = match (payload.labels.first().map(|it| &it.value), &payload.module) {
            (Some(Value::Set(name)), Some(module)) => own_group(cx, module, name, &mut groups),
            _ => None,
        };
        let has_value = payload.field.is_some() || schema::section(section).is_some_and(|it| it.has_mode);
        lines.push(Line {
            section,
            strength: payload.strength,
            origin: stated.origin.clone(),
            field: payload.field,
            labels: payload.labels.clone(),
            value: payload.value.clone().filter(|_| has_value),
            slot: slot.clone(),
            group,
        });
    }
    // Those of one place in the table are in the order of their keys already.
    lines.sort_by_cached_key(Line::rank);
    let kind = match decl.kind.node {
        DeclKind::Pod => "pod",
        DeclKind::Container => "container",
        DeclKind::Sandbox | DeclKind::Profile => "sandbox",
    };
    Expanded { kind, name: decl.name.node.clone(), span: decl.name.span, lines, removed, groups }
}

/// The declaration that a group's name means in a module, noted with all that it holds; `None` for what everybody knows.
fn own_group(cx: &mut Cx, from: &Rc<Module>, name: &str, groups: &mut Vec<OwnGroup>) -> Option<Span> {
    let (home, group) = find(cx, from, name)?;
    if is_prelude(cx, &home) {
        return None;
    }
    note(cx, &home, &group, groups, &mut Vec::new());
    Some(group.name.span)
}

fn is_prelude(cx: &mut Cx, home: &Rc<Module>) -> bool {
    module::standard(cx, PRELUDE).is_some_and(|it| Rc::ptr_eq(&it, home))
}

fn note(cx: &mut Cx, home: &Rc<Module>, group: &Rc<Group>, groups: &mut Vec<OwnGroup>, open: &mut Vec<Span>) {
    let declared = group.name.span;
    // A circle has been reported.
    if open.contains(&declared) || groups.iter().any(|it| it.declared == declared) {
        return;
    }
    open.push(declared);
    let mut members = Vec::new();
    for member in &group.members {
        match member {
            GroupMember::Call(call) => members.push(Member::Call(call.node.clone())),
            GroupMember::Group(name) => {
                let Some((inner_home, inner)) = find(cx, home, &name.node) else { continue };
                if is_prelude(cx, &inner_home) {
                    members.push(Member::Known(name.node.clone()));
                } else {
                    note(cx, &inner_home, &inner, groups, open);
                    members.push(Member::Own(inner.name.span));
                }
            }
        }
    }
    open.pop();
    groups.push(OwnGroup { declared, name: group.name.node.clone(), members });
}
