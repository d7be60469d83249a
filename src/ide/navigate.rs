//! From a name to where it is declared, to every place that uses it, and to another name.

use super::locate::{Leaf, Place};
use super::names::{Kind, Occurrence, Symbol};
use super::{Analysis, Edit, Location, Project, Source};
use crate::source::Span;
use crate::syntax::ast::Item;

/// Why a name cannot be changed, in a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenameError(pub String);

/// Where the name at an offset is declared; of a module its file; of a statement, the places that its value comes from.
pub fn definition(project: &Project, path: &str, offset: usize) -> Vec<Location> {
    let Some(source) = project.source(path) else { return Vec::new() };
    if let Some(module) = module_at(project, &source, offset) {
        return vec![Location { path: module, start: 0, end: 0 }];
    }
    match project.occurrence_at(&source, offset) {
        Some(found) => declared(project, &found.symbol).into_iter().collect(),
        None => origins(project, &source, offset),
    }
}

/// The file of a module where its name stands: in its `use`, and before the dot of a profile.
fn module_at(project: &Project, source: &Source, offset: usize) -> Option<String> {
    match Place::of(&source.tree, offset).leaf {
        Leaf::Module(it) | Leaf::Alias(it) => {
            project.module_path(&source.path, &it.module.node).filter(|path| project.text(path).is_some())
        }
        _ => None,
    }
}

/// The place that declares a symbol.
pub(super) fn declared(project: &Project, symbol: &Symbol) -> Option<Location> {
    let home = project.source(&symbol.home)?;
    let all = project.occurrences(&home);
    let found = all.iter().find(|it| it.is_definition && it.symbol == *symbol)?;
    Some(Location { path: home.path.clone(), start: found.range.start, end: found.range.end })
}

/// The places that had a say in the value of the statement at an offset, but itself.
fn origins(project: &Project, source: &Source, offset: usize) -> Vec<Location> {
    let place = Place::of(&source.tree, offset);
    let (Some(statement), Leaf::Head(_)) = (place.statement, place.leaf) else { return Vec::new() };
    let mut found = Vec::new();
    for analysis in analyses(project, &source.path) {
        for (line, _) in lines_at(&analysis, source, statement.head_span()) {
            let spans = line.origin.replaced.iter().map(|it| it.span).chain([line.origin.span]);
            let places = spans.map(|span| location(&analysis, span));
            found.extend(places.filter(|it| it.path != source.path || !same_statement(it, statement.span)));
        }
    }
    found.dedup();
    found
}

fn same_statement(place: &Location, span: Span) -> bool {
    place.start >= span.start as usize && place.end <= span.end as usize
}

pub(super) fn location(analysis: &Analysis, span: Span) -> Location {
    Location { path: analysis.files.name(span.file).to_string(), start: span.start as usize, end: span.end as usize }
}

/// What is known of the policies that a file is part of; the file itself as a root first.
pub(super) fn analyses(project: &Project, path: &str) -> Vec<std::rc::Rc<Analysis>> {
    let _ = project.analysis(path);
    project.roots_with(path)
}

/// The lines of sandboxes that a statement has made, or whose value has replaced that of the statement.
pub(super) fn lines_at<'a>(
    analysis: &'a Analysis,
    source: &Source,
    statement: Span,
) -> Vec<(&'a crate::resolve::Line, &'a crate::resolve::Expanded)> {
    let is_here = |span: Span| {
        analysis.files.name(span.file) == source.path && statement.start <= span.start && span.end <= statement.end
    };
    let mut found = Vec::new();
    for expanded in &analysis.expanded {
        for line in &expanded.lines {
            let made = is_here(line.origin.span) && !matches!(line.origin.how, crate::policy::How::Implied(_));
            if made || line.origin.replaced.iter().any(|it| is_here(it.span)) {
                found.push((line, expanded));
            }
        }
    }
    found
}

/// Every place that names what is named at an offset; `files` are all files that may do so.
pub fn references(project: &Project, path: &str, offset: usize, files: &[String], declaration: bool) -> Vec<Location> {
    let Some(source) = project.source(path) else { return Vec::new() };
    let Some(found) = project.occurrence_at(&source, offset) else { return Vec::new() };
    let all = uses(project, &found.symbol, path, files);
    all.into_iter().filter(|(_, it)| declaration || !it.is_definition).map(|(at, _)| at).collect()
}

fn uses(project: &Project, symbol: &Symbol, path: &str, files: &[String]) -> Vec<(Location, Occurrence)> {
    let mut paths: Vec<&str> = files.iter().map(String::as_str).chain([path, symbol.home.as_str()]).collect();
    // What belongs to one file cannot be named in another.
    if matches!(symbol.kind, Kind::Loop | Kind::Let | Kind::Module | Kind::Container) {
        paths = vec![symbol.home.as_str()];
    }
    paths.sort_unstable();
    paths.dedup();
    let mut found = Vec::new();
    for path in paths {
        if !project.text(path).is_some_and(|text| text.contains(&symbol.name)) {
            continue;
        }
        let Some(source) = project.source(path) else { continue };
        for it in project.occurrences(&source).iter().filter(|it| it.symbol == *symbol) {
            let at = Location { path: path.to_string(), start: it.range.start, end: it.range.end };
            found.push((at, it.clone()));
        }
    }
    found
}

/// The places in one file that name what is named at an offset; `true` where it is declared.
pub fn highlights(project: &Project, path: &str, offset: usize) -> Vec<(Location, bool)> {
    let Some(source) = project.source(path) else { return Vec::new() };
    let Some(found) = project.occurrence_at(&source, offset) else { return Vec::new() };
    let all = project.occurrences(&source);
    let same = all.iter().filter(|it| it.symbol == found.symbol);
    let at = |it: &Occurrence| Location { path: path.to_string(), start: it.range.start, end: it.range.end };
    same.map(|it| (at(it), it.is_definition)).collect()
}

/// The name at an offset that can be changed, or why it cannot.
pub fn prepare_rename(project: &Project, path: &str, offset: usize) -> Result<(Location, String), RenameError> {
    let nothing = || RenameError("there is no name here that could be changed".into());
    let source = project.source(path).ok_or_else(nothing)?;
    let found = project.occurrence_at(&source, offset).ok_or_else(nothing)?;
    let symbol = &found.symbol;
    if symbol.home.starts_with("std/") {
        return Err(RenameError(format!("`{}` belongs to the standard library", symbol.name)));
    }
    if declared(project, symbol).is_none() {
        return Err(RenameError(format!("`{}` is declared nowhere", symbol.name)));
    }
    let at = Location { path: path.to_string(), start: found.range.start, end: found.range.end };
    Ok((at, symbol.name.clone()))
}

/// The edits that give what is named at an offset another name everywhere.
pub fn rename(
    project: &Project,
    path: &str,
    offset: usize,
    to: &str,
    files: &[String],
) -> Result<Vec<Edit>, RenameError> {
    let (_, name) = prepare_rename(project, path, offset)?;
    let to = to.trim_start_matches(['$', '@']);
    check_name(to)?;
    if to == name {
        return Ok(Vec::new());
    }
    let source = project.source(path).ok_or_else(|| RenameError("there is no such file".into()))?;
    let Some(found) = project.occurrence_at(&source, offset) else { return Ok(Vec::new()) };
    let symbol = found.symbol;
    let uses = uses(project, &symbol, path, files);
    if let Some(taken) = taken(project, &symbol, to) {
        return Err(RenameError(taken));
    }
    let mut edits = Vec::new();
    for (at, it) in uses {
        let unnamed = symbol.kind == Kind::Module && it.is_definition && module_without_alias(project, &at);
        edits.push(match unnamed {
            // The module keeps its file; its name here is a new one.
            true => Edit { at: Location { start: at.end, ..at }, text: format!(" as {to}") },
            false => Edit { at, text: to.to_string() },
        });
    }
    Ok(edits)
}

fn module_without_alias(project: &Project, at: &Location) -> bool {
    let Some(source) = project.source(&at.path) else { return false };
    source.tree.items.iter().any(|it| match it {
        Item::Use(it) => it.alias.is_none() && it.module.span.start as usize == at.start,
        _ => false,
    })
}

/// Words that begin an item or a value, and so cannot be names.
const RESERVED: &[&str] = &[
    "use",
    "param",
    "let",
    "if",
    "else",
    "for",
    "in",
    "require",
    "with",
    "as",
    "syscalls",
    "nsl",
    "profile",
    "sandbox",
    "pod",
    "container",
    "test",
    "expect",
    "rule",
    "true",
    "false",
    "and",
    "or",
    "not",
    "default",
    "override",
    "final",
    "remove",
    "prefer",
    "optional",
    "caller",
];

fn check_name(name: &str) -> Result<(), RenameError> {
    let mut chars = name.chars();
    let first = chars.next().is_some_and(|it| it.is_ascii_alphabetic());
    if !first || !chars.all(|it| it.is_ascii_alphanumeric() || it == '_' || it == '-') {
        return Err(RenameError(format!("`{name}` is no name: letters, digits, `-` and `_`, a letter first")));
    }
    match RESERVED.contains(&name) {
        true => Err(RenameError(format!("`{name}` is a word of the language"))),
        false => Ok(()),
    }
}

/// What already has a name where a symbol would get it.
fn taken(project: &Project, symbol: &Symbol, to: &str) -> Option<String> {
    let home = project.source(&symbol.home)?;
    let is_value = |kind: Kind| matches!(kind, Kind::Param | Kind::Let | Kind::Loop);
    let is_run = |kind: Kind| matches!(kind, Kind::Sandbox | Kind::Pod);
    let all = project.occurrences(&home);
    let clash = all.iter().filter(|it| it.is_definition && it.symbol.name == to).find(|it| {
        let other = &it.symbol;
        if is_value(symbol.kind) {
            // A name of the file or of a loop is seen in profiles as well: what it meant there would change.
            let apart = !symbol.scope.is_empty() && !other.scope.is_empty();
            let loops = symbol.kind == Kind::Loop || other.kind == Kind::Loop;
            return is_value(other.kind) && (other.scope == symbol.scope || !apart || loops);
        }
        (other.kind == symbol.kind || is_run(other.kind) && is_run(symbol.kind)) && other.scope == symbol.scope
    })?;
    let line = home.text[..clash.range.start].matches('\n').count() + 1;
    Some(format!("`{to}` is taken: line {line} declares it"))
}
