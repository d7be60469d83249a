//! The outline of a file.

use std::ops::Range;

use super::{Source, range};
use crate::schema;
use crate::source::Span;
use crate::syntax::ast::*;

/// What an entry of an outline is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolKind {
    /// A module that is used.
    Module,
    /// A profile.
    Profile,
    /// A sandbox, a pod or a container.
    Sandbox,
    /// A parameter.
    Param,
    /// A `let`.
    Let,
    /// A group of system calls.
    Group,
    /// A section.
    Section,
    /// A statement.
    Field,
}

/// An entry of an outline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// What it is called.
    pub name: String,
    /// What else is to be said of it in a line.
    pub detail: String,
    /// What it is.
    pub kind: SymbolKind,
    /// The whole of it.
    pub range: Range<usize>,
    /// Its name.
    pub name_range: Range<usize>,
    /// What is in it.
    pub children: Vec<Outline>,
}

/// The outline of a file: its declarations, and what is in them.
pub fn outline(source: &Source) -> Vec<Outline> {
    source.tree.items.iter().filter_map(|it| item(source, it, true)).collect()
}

fn entry(source: &Source, name: &str, detail: &str, kind: SymbolKind, whole: Span, at: Span) -> Option<Outline> {
    // Editors refuse entries without a name, and names outside of what they name.
    let inside = whole.start <= at.start && at.end <= whole.end;
    if name.is_empty() || at.is_empty() || !inside || source.slice(whole).is_empty() {
        return None;
    }
    let detail = detail.to_string();
    let children = Vec::new();
    Some(Outline { name: name.to_string(), detail, kind, range: range(whole), name_range: range(at), children })
}

fn items(source: &Source, block: &Block, in_body: bool) -> Vec<Outline> {
    let mut found = Vec::new();
    for it in &block.items {
        match it {
            Item::If(it) => {
                found.extend(items(source, &it.then, in_body));
                found.extend(it.otherwise.iter().flat_map(|block| items(source, block, in_body)));
            }
            Item::For(it) => found.extend(items(source, &it.body, in_body)),
            other => found.extend(item(source, other, in_body)),
        }
    }
    found
}

fn item(source: &Source, item: &Item, in_body: bool) -> Option<Outline> {
    match item {
        Item::Use(it) => entry(source, &it.module.node, "", SymbolKind::Module, it.span, it.module.span),
        Item::Param(it) => {
            entry(source, &it.name.node, type_text(source, &it.ty), SymbolKind::Param, it.span, it.name.span)
        }
        Item::Let(it) => {
            entry(source, &it.name.node, source.slice(it.value.span), SymbolKind::Let, it.span, it.name.span)
        }
        Item::Group(it) => {
            let count = format!("{} members", it.members.len());
            entry(source, &format!("@{}", it.name.node), &count, SymbolKind::Group, it.span, it.name.span)
        }
        Item::Decl(it) => {
            let kind = if it.kind.node == DeclKind::Profile { SymbolKind::Profile } else { SymbolKind::Sandbox };
            let with: Vec<&str> = it.with.iter().map(|it| source.slice(it.span)).collect();
            let detail = match (it.kind.node, with.is_empty()) {
                (_, false) => format!("{} with {}", source.slice(it.kind.span), with.join(", ")),
                _ => source.slice(it.kind.span).to_string(),
            };
            let mut found = entry(source, &it.name.node, &detail, kind, it.span, it.name.span)?;
            let params = it.params.iter().filter_map(|it| {
                entry(source, &it.name.node, type_text(source, &it.ty), SymbolKind::Param, it.span, it.name.span)
            });
            found.children = params.chain(items(source, &it.body, true)).collect();
            Some(found)
        }
        Item::Statement(it) => statement(source, it, in_body),
        Item::If(_) | Item::For(_) | Item::Require(_) | Item::Error(_) => None,
    }
}

fn type_text<'s>(source: &'s Source, ty: &TypeExpr) -> &'s str {
    match ty {
        TypeExpr::Named(name) => source.slice(name.span),
        TypeExpr::List(_, span) => source.slice(*span),
    }
}

fn statement(source: &Source, it: &Statement, in_body: bool) -> Option<Outline> {
    let section = schema::section(&it.head.node).filter(|_| in_body);
    let end = it.labels.last().map_or(it.head.span, |it| it.span);
    let name = source.slice(it.head.span.to(end));
    let kind = if section.is_some() { SymbolKind::Section } else { SymbolKind::Field };
    let detail = it.value.as_ref().map_or("", |it| source.slice(it.span));
    let mut found = entry(source, name, detail, kind, it.span, it.head.span)?;
    found.children = it.block.iter().flat_map(|block| items(source, block, false)).collect();
    Some(found)
}
