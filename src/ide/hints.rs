//! What holds without being written: inherited values, implied statements, defaults of profiles' parameters.

use super::{Analysis, Project, Source, scope};
use crate::policy::How;
use crate::resolve::{Expanded, Line};
use crate::schema;
use crate::syntax::ast::*;

/// A text between the words of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Where it stands.
    pub offset: usize,
    /// The text, short.
    pub label: String,
    /// All of it, as Markdown.
    pub tooltip: String,
}

/// More than this many values are counted.
const MOST_SHOWN: usize = 3;

/// The hints of a file between two offsets.
pub fn hints(project: &Project, path: &str, from: usize, to: usize) -> Vec<Hint> {
    let Some(source) = project.source(path) else { return Vec::new() };
    let analysis = project.analysis(path);
    let mut found = Vec::new();
    decls(&source.tree.items, &mut |decl| {
        decl.with.iter().for_each(|it| found.extend(defaults(project, &source, it)));
        if let Some(analysis) = &analysis {
            inherited(analysis, &source, decl, &mut found);
        }
    });
    found.retain(|it| from <= it.offset && it.offset <= to);
    found.sort_by_key(|it| it.offset);
    found
}

fn decls<'t>(items: &'t [Item], each: &mut impl FnMut(&'t Decl)) {
    for item in items {
        if let Item::Decl(decl) = item {
            each(decl);
            decls(&decl.body.items, each);
        }
    }
}

/// The parameters of a profile that are not given.
fn defaults(project: &Project, source: &Source, instance: &Instance) -> Option<Hint> {
    let (home, at) = scope::find_profile(project, source, instance)?;
    let decl = scope::decl(&home, at)?;
    let given = |name: &str| instance.args.iter().any(|it| it.name.as_ref().is_some_and(|it| it.node == name));
    let rest: Vec<String> = decl
        .params
        .iter()
        .filter(|it| !given(&it.name.node))
        .filter_map(|it| Some(format!("{}: {}", it.name.node, home.slice(it.default.as_ref()?.span))))
        .collect();
    if rest.is_empty() {
        return None;
    }
    let end = instance.span.end as usize;
    let has_args = source.slice(instance.span).ends_with(')');
    let joined = rest.join(", ");
    let (offset, label) = match (has_args, instance.args.is_empty()) {
        (true, true) => (end - 1, joined),
        (true, false) => (end - 1, format!(", {joined}")),
        (false, _) => (end, format!("({joined})")),
    };
    let tooltip = format!("defaults of `{}`", source.slice(instance.span).split('(').next().unwrap_or(""));
    Some(Hint { offset, label, tooltip })
}

/// What a sandbox has from its profiles, or without anybody saying so, at the `{` of its body and of its sections.
fn inherited(analysis: &Analysis, source: &Source, decl: &Decl, found: &mut Vec<Hint>) {
    let is_it = |it: &&Expanded| it.span == decl.name.span && it.name == decl.name.node;
    let Some(expanded) = analysis.expanded.iter().find(is_it) else { return };
    let sections: Vec<(&Statement, &str)> = stated_sections(decl);
    let others = |line: &&Line| is_unwritten(line);
    for (statement, name) in &sections {
        let Some(block) = &statement.block else { continue };
        let lines: Vec<&Line> =
            expanded.lines.iter().filter(|it| it.section == *name && !it.is_head()).filter(others).collect();
        found.extend(hint(analysis, source, block.span.start as usize + 1, &lines));
    }
    let stated: Vec<&str> = sections.iter().map(|(_, name)| *name).collect();
    let body = expanded.lines.iter().filter(others).filter(|it| !stated.contains(&it.section));
    let lines: Vec<&Line> = body.filter(|it| it.section.is_empty() || it.is_head()).collect();
    found.extend(hint(analysis, source, decl.body.span.start as usize + 1, &lines));
}

fn stated_sections(decl: &Decl) -> Vec<(&Statement, &'static str)> {
    let statements = decl.body.items.iter().filter_map(|it| match it {
        Item::Statement(it) => Some(it),
        _ => None,
    });
    statements.filter_map(|it| Some((it, schema::section(&it.head.node)?.name))).collect()
}

/// Whether nobody wrote it here: a profile did, or nobody.
pub(super) fn is_unwritten(line: &Line) -> bool {
    !line.origin.via.is_empty() || matches!(line.origin.how, How::Implied(_))
}

/// A line as it could be written in the body: with the section before a mode.
fn text(line: &Line) -> String {
    match line.is_head() {
        true => format!("{} {}", line.section, line.written()).trim().to_string(),
        false => line.written(),
    }
}

fn hint(analysis: &Analysis, source: &Source, offset: usize, lines: &[&Line]) -> Option<Hint> {
    if lines.is_empty() || source.text.get(offset.checked_sub(1)?..offset) != Some("{") {
        return None;
    }
    let shown: Vec<String> = lines.iter().take(MOST_SHOWN).map(|it| short(&text(it))).collect();
    let more = lines.len().saturating_sub(MOST_SHOWN);
    let more = if more > 0 { format!(", {more} more") } else { String::new() };
    let all: Vec<String> =
        lines.iter().map(|it| format!("- `{}` {}", text(it), it.origin.place(&analysis.files))).collect();
    Some(Hint { offset, label: format!("{}{more}", shown.join(", ")), tooltip: all.join("\n") })
}

/// The longest that one value is shown, characters.
const LONGEST: usize = 40;

fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_string(),
    }
}
