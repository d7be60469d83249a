//! What a body comes to, as statements: its own and those of its profiles, merged, in the order of the table.
//!
//! Groups of system calls keep their names: whoever prints a policy that declares its own prints these as well.

use std::collections::BTreeMap;

use super::merge::Candidate;
use crate::policy::{How, Origin, Strength};
use crate::schema::{Field, SECTIONS, fields_of};
use crate::source::Span;
use crate::syntax::ast::{Decl, DeclKind};

/// One sandbox, pod or container without its profiles.
#[derive(Clone, Debug)]
pub struct Expanded {
    /// `sandbox`, `pod` or `container`.
    pub kind: &'static str,
    /// Its name, with its place.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// What it comes to: the body first, then section by section; the mode of a section before its fields.
    pub lines: Vec<Line>,
}

/// One statement.
#[derive(Clone, Debug)]
pub struct Line {
    /// The section that it stands in; empty for the body itself. The mode of a section stands in it.
    pub section: &'static str,
    /// The words before it: `prefer`, or `override` where a container leaves a namespace of its pod; with a space behind
    /// it, or empty.
    pub before: &'static str,
    /// The statement as it is written inside its section; of the mode, the mode alone, and nothing of a block that
    /// merely is there.
    pub text: String,
    /// Whether it is the head of its section.
    pub is_head: bool,
    /// Where it comes from.
    pub origin: Origin,
}

pub(super) fn expanded(decl: &Decl, settled: &BTreeMap<String, Candidate>) -> Expanded {
    let mut lines = Vec::with_capacity(settled.len());
    for section in std::iter::once("").chain(SECTIONS.iter().map(|it| it.name)) {
        if let Some(head) = settled.get(section).filter(|it| it.payload.field.is_none()) {
            let has_mode = SECTIONS.iter().any(|it| it.name == section && it.has_mode);
            let mode = head.payload.value.as_ref().filter(|_| has_mode).map_or(String::new(), ToString::to_string);
            let leaves_pod = decl.kind.node == DeclKind::Container && head.origin.how == How::Override;
            let before = if leaves_pod { "override " } else { strength(head.payload.strength) };
            lines.push(Line { section, before, text: mode, is_head: true, origin: head.origin.clone() });
        }
        for field in fields_of(section) {
            let is_it = |row: &Field| (row.section, row.head) == (field.section, field.head);
            let stated = settled.values().filter(|it| it.payload.field.is_some_and(is_it));
            lines.extend(stated.map(|it| line(section, field.head, it)));
        }
    }
    let kind = match decl.kind.node {
        DeclKind::Pod => "pod",
        DeclKind::Container => "container",
        DeclKind::Sandbox | DeclKind::Profile => "sandbox",
    };
    Expanded { kind, name: decl.name.node.clone(), span: decl.name.span, lines }
}

fn line(section: &'static str, head: &str, stated: &Candidate) -> Line {
    let payload = &stated.payload;
    let labels: String = payload.labels.iter().map(|it| format!(" {it}")).collect();
    let value = payload.value.as_ref().map_or(String::new(), |it| format!(" = {it}"));
    let text = format!("{head}{labels}{value}");
    Line { section, before: strength(payload.strength), text, is_head: false, origin: stated.origin.clone() }
}

fn strength(strength: Strength) -> &'static str {
    match strength {
        Strength::Required => "",
        Strength::Prefer => "prefer ",
        Strength::Optional => "optional ",
    }
}
