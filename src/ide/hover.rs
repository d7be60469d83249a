//! What is to be known of the word under the cursor, as Markdown.

use std::fmt::Write;
use std::ops::Range;

use super::locate::{Leaf, Place, member_span};
use super::names::{Kind, Symbol};
use super::values::{Expect, Role, variant};
use super::{Project, Source, navigate, range, scope};
use crate::policy::How;
use crate::schema::{self, Field, Section, Ty, meanings, syscalls};
use crate::source::Span;
use crate::syntax::ast::*;

/// An answer, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    /// The word.
    pub range: Range<usize>,
    /// Markdown.
    pub text: String,
}

/// What is to be known of the word at an offset.
pub fn hover(project: &Project, path: &str, offset: usize) -> Option<Hover> {
    let source = project.source(path)?;
    let place = Place::of(&source.tree, offset);
    if let Some(found) = project.occurrence_at(&source, offset)
        && let Some(text) = symbol(project, &found.symbol)
    {
        return Some(Hover { range: found.range, text });
    }
    let (span, text) = word(project, &source, &place)?;
    Some(Hover { range: range(span), text })
}

fn word(project: &Project, source: &Source, place: &Place) -> Option<(Span, String)> {
    Some(match place.leaf {
        Leaf::Head(it) => (it.head.span, head(project, source, place, it)?),
        Leaf::Modifier(it, span) => (span, modifier(it).to_string()),
        Leaf::Strength(it, span) => (span, strength(it).to_string()),
        Leaf::DeclKind(it) => (it.kind.span, declaration(it.kind.node).to_string()),
        Leaf::Type(name) => (name.span, of_type(&name.node)?),
        Leaf::Module(it) | Leaf::Alias(it) => (it.module.span, module(project, source, &it.module.node)?),
        Leaf::Member(it) => match it {
            GroupMember::Call(name) => (member_span(it), call(&name.node)?),
            GroupMember::Group(name) => (member_span(it), group(project, source, &name.node)?),
        },
        Leaf::Expr(it, expect) => (it.span, expr(project, source, it, expect)?),
        Leaf::ArgName(it, name, expect) => (name.span, argument(it, name, expect)?),
        Leaf::StrRef(names, span) => (span, caller(names)?),
        _ => return None,
    })
}

/// What a name that a policy declares means.
fn symbol(project: &Project, symbol: &Symbol) -> Option<String> {
    let home = project.source(&symbol.home)?;
    let mut text = String::new();
    let from = if symbol.home.starts_with("std/") { format!("\n\nfrom `{}`", symbol.home) } else { String::new() };
    let in_scope = |name: &str| symbol.scope == name;
    for item in &home.tree.items {
        match (item, symbol.kind) {
            (Item::Decl(it), Kind::Profile | Kind::Sandbox | Kind::Pod)
                if it.name.node == symbol.name && is_kind(it, symbol.kind) =>
            {
                return Some(with_docs(&scope::head(&home, it), it.docs.as_deref()) + &from);
            }
            (Item::Decl(it), Kind::Container) if in_scope(&it.name.node) => {
                let inner = it.body.items.iter().find_map(|it| match it {
                    Item::Decl(it) if it.name.node == symbol.name => Some(it),
                    _ => None,
                })?;
                return Some(with_docs(&scope::head(&home, inner), inner.docs.as_deref()));
            }
            (Item::Decl(it), Kind::Param) if in_scope(&it.name.node) => {
                let found = it.params.iter().find(|it| it.name.node == symbol.name)?;
                let head = scope::param_text(&home, found);
                let _ = write!(text, "{}", with_docs(&head, found.docs.as_deref()));
                let _ = write!(text, "\n\nparameter of the profile `{}`{from}", it.name.node);
                return Some(text);
            }
            (Item::Param(it), Kind::Param) if symbol.scope.is_empty() && it.name.node == symbol.name => {
                let head = format!("param {}", scope::param_text(&home, it));
                let set = format!("\n\nset with `--set {}=…`", symbol.name);
                return Some(with_docs(&head, it.docs.as_deref()) + &set);
            }
            (Item::Let(it), Kind::Let) if it.name.node == symbol.name => {
                let head = format!("let {} = {}", symbol.name, home.slice(it.value.span));
                return Some(with_docs(&head, it.docs.as_deref()));
            }
            (Item::Group(it), Kind::Group) if it.name.node == symbol.name => {
                return Some(group_text(&home, it) + &from);
            }
            _ => {}
        }
    }
    match symbol.kind {
        Kind::Loop => Some(format!("```nsl\n${}\n```\nthe element of the loop", symbol.name)),
        Kind::Module => {
            let (_, path) = project.modules_of(&home).into_iter().find(|(name, _)| *name == symbol.name)?;
            module_text(project, &path)
        }
        _ => None,
    }
}

fn is_kind(decl: &Decl, kind: Kind) -> bool {
    match decl.kind.node {
        DeclKind::Profile => kind == Kind::Profile,
        DeclKind::Sandbox => kind == Kind::Sandbox,
        DeclKind::Pod => kind == Kind::Pod,
        DeclKind::Container => kind == Kind::Container,
    }
}

pub(super) fn with_docs(code: &str, docs: Option<&str>) -> String {
    let docs = docs.map_or(String::new(), |it| format!("\n\n{}", it.trim()));
    format!("```nsl\n{code}\n```{docs}")
}

fn module(project: &Project, source: &Source, name: &str) -> Option<String> {
    module_text(project, &project.module_path(&source.path, name)?)
}

/// The first comment of a module, and its profiles.
fn module_text(project: &Project, path: &str) -> Option<String> {
    let module = project.source(path)?;
    let first = module.text.lines().take_while(|it| it.starts_with('#'));
    let docs: Vec<&str> = first.map(|it| it.trim_start_matches('#').trim()).collect();
    let mut text = format!("`{path}`\n\n{}\n", docs.join("\n"));
    for it in scope::profiles(&module) {
        let docs = it.docs.as_deref().and_then(|it| it.lines().next()).unwrap_or("");
        let _ = write!(text, "\n- `{}`: {docs}", it.name.node);
    }
    let groups = scope::groups(&module).count();
    if groups > 0 {
        let _ = write!(text, "\n- {groups} groups of system calls");
    }
    Some(text)
}

/// What a head means, and what it comes to.
fn head(project: &Project, source: &Source, place: &Place, it: &Statement) -> Option<String> {
    if let Some(section) = place.heads_section() {
        return Some(of_section(section) + &effective(project, source, it));
    }
    let field = place.field()?;
    Some(of_field(field) + &effective(project, source, it))
}

/// What a section is about.
pub(super) fn of_section(section: &Section) -> String {
    let mode = if section.has_mode { " MODE" } else { "" };
    let mut text = format!("```nsl\n{}{mode} {{ … }}\n```\n\n{}", section.name, section.doc);
    if section.has_mode {
        text.push_str("\n\nMODE: ");
        let modes: Vec<String> = match section.mode() {
            Ty::Variant(modes) => modes.iter().map(|it| format!("`{}` {}", it.name, it.doc)).collect(),
            _ => Vec::new(),
        };
        text.push_str(&modes.join("; "));
    }
    text
}

/// What a field is about: the row of the table.
pub(super) fn of_field(field: &Field) -> String {
    let mut text = format!("```nsl\n{}\n```\n\n{}\n", field.usage(), field.doc);
    let mut row = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = write!(text, "\n- {name}: {value}");
        }
    };
    row("stands in", if field.section.is_empty() { "the body of a sandbox" } else { field.section });
    if let Some(value) = &field.value {
        row("value", &value.describe());
    }
    row("where not stated", field.default);
    row("since", field.since);
    row("needs", field.privilege);
    row("weaker", field.weaker);
    row("only in", field.only_in);
    let manual = schema::section(field.section).map(|it| it.doc.rsplit(": ").next().unwrap_or(""));
    row("manual", manual.filter(|it| it.contains('(')).unwrap_or(""));
    text
}

/// What a statement comes to in each sandbox that it is part of, and why.
fn effective(project: &Project, source: &Source, it: &Statement) -> String {
    let mut text = String::new();
    let mut told = Vec::new();
    for analysis in navigate::analyses(project, &source.path) {
        for (line, sandbox) in navigate::lines_at(&analysis, source, it.head_span()) {
            if told.contains(&(sandbox.name.clone(), line.written())) {
                continue;
            }
            told.push((sandbox.name.clone(), line.written()));
            let _ = write!(text, "\n\n---\n\nin the {} `{}`: `{}`\n", sandbox.kind, sandbox.name, line.shown());
            let _ = write!(text, "\n- {} at {}", line.origin.how.word(), shown(&line.origin.place(&analysis.files)));
            for replaced in &line.origin.replaced {
                let place = replaced.place(&analysis.files);
                let what = if replaced.how == How::Default { "replaces the default" } else { "replaces" };
                let _ = write!(text, "\n- {what} `{}` of {}", replaced.text, shown(&place));
            }
        }
    }
    text
}

/// A place without the directories that an editor shows anyway.
fn shown(place: &str) -> String {
    let words = place.split(' ').map(|word| match word.starts_with('/') {
        true => word.rsplit('/').next().unwrap_or(word),
        false => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

fn expr(project: &Project, source: &Source, it: &Expr, expect: Expect) -> Option<String> {
    match (&it.kind, expect) {
        (ExprKind::Ref(names), _) => caller(names),
        (ExprKind::Set(name), _) => group(project, source, name),
        (ExprKind::Symbol(word), _) => self::of_word(word, expect),
        (ExprKind::Variant { name, .. }, _) => self::of_word(&name.node, expect),
        (ExprKind::Quantity { number, unit }, _) => quantity(number, unit),
        _ => None,
    }
}

/// What a bare word means where it stands.
pub(super) fn of_word(word: &str, expect: Expect) -> Option<String> {
    match expect {
        Expect::Ty(_, Role::Call) => call(word),
        Expect::Ty(_, Role::Capability) => capability(word),
        Expect::Ty(_, Role::Errno) => errno(word),
        Expect::Ty(Ty::Signal, _) => signal(word),
        Expect::Ty(ty, _) => {
            let found = variant(&ty, word)?;
            let mut text = format!("```nsl\n{}\n```\n\n{}", found.usage(), found.doc);
            for arg in found.args {
                if let schema::ArgKind::Named(ty) | schema::ArgKind::Positional(ty) = &arg.kind {
                    let _ = write!(text, "\n- `{}`: {}", arg.name, ty.describe());
                }
            }
            Some(text)
        }
        Expect::CallArgument(call) => {
            let argument = syscalls::arguments(call).iter().find(|it| it.name == word)?;
            let width = if argument.dword { "an int: the low 32 bits count" } else { "all 64 bits count" };
            Some(format!("argument {} of `{call}`, {width}", argument.index + 1))
        }
        Expect::Constant => {
            let value = schema::constants::constant(word)?;
            Some(format!("`{word}` is {value} ({value:#x}) on this architecture"))
        }
        Expect::VariantArg(variant, _) => {
            let found = variant.args.iter().find(|it| it.name == word)?;
            Some(format!("`{}`: a flag of `{}`", found.name, variant.usage()))
        }
        _ => None,
    }
}

/// What a system call does, and where it exists.
pub(super) fn call(name: &str) -> Option<String> {
    if !syscalls::is_known(name) {
        return None;
    }
    let mut text = format!("**{name}**(2): {}", meanings::call(name).unwrap_or("a system call"));
    let numbers: Vec<String> = syscalls::ARCHES
        .iter()
        .map(|arch| match syscalls::number(arch, name) {
            Some(number) => format!("{number} on {arch}"),
            None => format!("none on {arch}"),
        })
        .collect();
    let _ = write!(text, "\n\n- number: {}", numbers.join(", "));
    let arguments: Vec<String> = syscalls::arguments(name).iter().map(|it| format!("`{}`", it.name)).collect();
    if !arguments.is_empty() {
        let _ = write!(text, "\n- conditions can be about: {}", arguments.join(", "));
    }
    Some(text)
}

pub(super) fn capability(name: &str) -> Option<String> {
    if name == "none" {
        return Some("no capability at all".into());
    }
    let meaning = meanings::capability(name)?;
    let number = schema::names::CAPABILITIES.iter().position(|it| *it == name)?;
    Some(format!("**CAP_{}** ({number}), capabilities(7)\n\n{meaning}", name.to_uppercase()))
}

pub(super) fn errno(name: &str) -> Option<String> {
    let number = schema::constants::errno(name)?;
    Some(format!("**{name}** ({number}), errno(3): {}", meanings::errno(name).unwrap_or("an error")))
}

pub(super) fn signal(name: &str) -> Option<String> {
    let number = schema::constants::signal(name)?;
    Some(format!("**SIG{name}** ({number}), signal(7): {}", meanings::signal(name).unwrap_or("a signal")))
}

fn group(project: &Project, source: &Source, name: &str) -> Option<String> {
    let home = project.source(&project.home_of_group(source, name)?)?;
    scope::groups(&home).find(|it| it.name.node == name).map(|it| group_text(&home, it))
}

/// More members than this are counted, not listed.
const MOST_MEMBERS: usize = 60;

pub(super) fn group_text(source: &Source, group: &Group) -> String {
    let members: Vec<&str> = group.members.iter().map(|it| source.slice(member_span(it))).collect();
    let mut listed = members.iter().take(MOST_MEMBERS).copied().collect::<Vec<_>>().join(" ");
    if members.len() > MOST_MEMBERS {
        let _ = write!(listed, " … {} in all", members.len());
    }
    with_docs(&format!("syscalls group {} {{ {listed} }}", group.name.node), group.docs.as_deref())
}

fn argument(it: &Expr, name: &Name, expect: Expect) -> Option<String> {
    let (ExprKind::Variant { name: variant_name, .. }, Expect::Ty(ty, _)) = (&it.kind, expect) else { return None };
    let found = variant(&ty, &variant_name.node)?;
    let arg = found.args.iter().find(|it| it.name == name.node)?;
    let (schema::ArgKind::Named(ty) | schema::ArgKind::Positional(ty)) = &arg.kind else { return None };
    let required = if arg.required { ", required" } else { "" };
    Some(format!("`{}` of `{}`: {}{required}", arg.name, found.usage(), ty.describe()))
}

fn caller(names: &[Name]) -> Option<String> {
    let path: Vec<&str> = names.iter().map(|it| it.node.as_str()).collect();
    let path = path.join(".");
    scope::CALLER.iter().find(|(name, _)| *name == path).map(|(name, what)| format!("`${name}`: {what}"))
}

fn quantity(number: &str, unit: &str) -> Option<String> {
    let factor = match unit {
        "KiB" => 1u128 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "%" => return Some(format!("`{number}%`: 100% is one CPU, whole")),
        _ => return None,
    };
    let number: u128 = number.parse().ok()?;
    Some(format!("`{number}{unit}` is {} bytes", number.checked_mul(factor)?))
}

fn modifier(it: Modifier) -> &'static str {
    match it {
        Modifier::Default => "`default`: the value where nobody who uses this profile says another",
        Modifier::Override => "`override`: replaces the value that a profile has set",
        Modifier::Final => "`final`: the value, once and for all; nobody who uses this profile can change it",
        Modifier::Remove => "`remove`: takes away what a profile has set",
    }
}

fn strength(it: Strength) -> &'static str {
    match it {
        Strength::Prefer => "`prefer`: where the host cannot do it, the run goes on without it and says so",
        Strength::Optional => "`optional`: skipped where its path is missing",
    }
}

fn declaration(it: DeclKind) -> &'static str {
    match it {
        DeclKind::Profile => "`profile NAME(PARAMETERS) { … }`: statements that sandboxes take in with `with`",
        DeclKind::Sandbox => "`sandbox NAME [with PROFILES] { … }`: a program, and what it may see, use and do",
        DeclKind::Pod => "`pod NAME { … }`: containers that share namespaces",
        DeclKind::Container => "`container NAME [with PROFILES] { … }`: one program of a pod",
    }
}

fn of_type(name: &str) -> Option<String> {
    let (_, ty) = crate::resolve::TYPES.iter().find(|(known, _)| *known == name)?;
    Some(format!("`{name}`: {}", ty.describe()))
}
