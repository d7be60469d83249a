//! What can be done about a place: the edits that findings propose, their pages, and values of profiles put into the sandbox.

use std::ops::Range;

use super::locate::Place;
use super::{Analysis, Edit, Finding, Location, Project, Source, findings, hints};
use crate::policy::How;
use crate::resolve::{Expanded, Line};
use crate::schema;
use crate::syntax::ast::*;

/// Something that can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The edit of a finding.
    Fix {
        /// What it does, as a command.
        title: String,
        /// The finding.
        finding: Finding,
        /// The edit.
        edit: Edit,
    },
    /// Show the page of a code.
    Explain(&'static str, Finding),
    /// State an inherited value here, so that it can be changed.
    Override {
        /// What it does, as a command.
        title: String,
        /// The edit.
        edit: Edit,
    },
}

/// More values of profiles than this are too many for a menu.
const MOST_OVERRIDES: usize = 20;

/// What can be done about a range of a file.
pub fn actions(project: &Project, path: &str, range: Range<usize>) -> Vec<Action> {
    let mut found = Vec::new();
    let mut explained = Vec::new();
    for analysis in super::navigate::analyses(project, path) {
        for finding in findings(&analysis) {
            let touches = finding.at.path == path && finding.at.start <= range.end && range.start <= finding.at.end;
            if !touches {
                continue;
            }
            if let Some((title, edit)) = finding.fix.clone() {
                let action = Action::Fix { title, finding: finding.clone(), edit };
                if !found.contains(&action) {
                    found.push(action);
                }
            }
            if !explained.iter().any(|it: &Finding| it.code == finding.code) {
                explained.push(finding);
            }
        }
    }
    found.extend(explained.into_iter().map(|it| Action::Explain(it.code, it)));
    if let (Some(source), Some(analysis)) = (project.source(path), project.analysis(path)) {
        found.extend(overrides(&analysis, &source, range.start));
    }
    found
}

/// The inherited values of the section at the cursor, or, in the `with` of a sandbox, of the profile at the cursor.
fn overrides(analysis: &Analysis, source: &Source, offset: usize) -> Vec<Action> {
    let place = Place::of(&source.tree, offset);
    let Some(decl) = place.decls.last().filter(|it| it.kind.node != DeclKind::Profile) else { return Vec::new() };
    let is_it = |it: &&Expanded| it.span == decl.name.span && it.name == decl.name.node;
    let Some(expanded) = analysis.expanded.iter().find(is_it) else { return Vec::new() };
    let instance = decl.with.iter().find(|it| super::touches(it.span, offset));
    let section = place.section.map(|(_, it)| it.name).or(place.heads_section().map(|it| it.name));
    let wanted = |line: &&Line| match (instance, section) {
        (Some(instance), _) => line.origin.via.first().is_some_and(|via| via.span == instance.span),
        (None, Some(section)) => line.section == section && !line.origin.via.is_empty(),
        (None, None) => false,
    };
    let lines = expanded.lines.iter().filter(wanted).filter(|it| hints::is_unwritten(it) && !it.is_head());
    lines.filter_map(|it| override_here(source, decl, it)).take(MOST_OVERRIDES).collect()
}

fn override_here(source: &Source, decl: &Decl, line: &Line) -> Option<Action> {
    let word = match line.origin.how {
        How::Default => "",
        How::Set | How::Override => "override ",
        How::Final | How::Implied(_) => return None,
    };
    // What has nothing to be changed in it can only be removed.
    let statement = match line.written().contains(" = ") {
        true => format!("{word}{}", line.written()),
        false => format!("remove {}", line.written()),
    };
    let verb = if statement.starts_with("remove") { "Remove" } else { "Override" };
    let key = &line.origin.key;
    let via = line.origin.via.last().map_or(String::new(), |it| format!(" of {}", it.profile));
    let title = format!("{verb} `{key}`{via} here");
    let edit = insertion(source, decl, line, &statement)?;
    Some(Action::Override { title, edit })
}

/// Where a statement of a section goes: to the end of the section where it is stated, else to the end of the body.
fn insertion(source: &Source, decl: &Decl, line: &Line, statement: &str) -> Option<Edit> {
    let stated = decl.body.items.iter().find_map(|it| match it {
        Item::Statement(it) if it.head.node == line.section => it.block.as_ref(),
        _ => None,
    });
    let depth = usize::from(decl.kind.node == DeclKind::Container);
    let outer = "  ".repeat(depth + 1);
    let (block, text) = match (line.section.is_empty(), stated) {
        (true, _) => (&decl.body, format!("{outer}{statement}\n")),
        (false, Some(block)) => (block, format!("{outer}  {statement}\n")),
        (false, None) => {
            let section = schema::section(line.section)?;
            // A section of a profile keeps its mode: stating it again is no second value.
            let mode = if section.has_mode { " new" } else { "" };
            (&decl.body, format!("{outer}{}{mode} {{\n{outer}  {statement}\n{outer}}}\n", section.name))
        }
    };
    let close = (block.span.end as usize).checked_sub(1)?;
    if source.text.get(close..close + 1) != Some("}") {
        return None;
    }
    let line_start = source.text[..close].rfind('\n').map_or(0, |at| at + 1);
    let (at, text) = match source.text[line_start..close].trim().is_empty() {
        true => (line_start, text),
        // `{ … }` on one line is opened up.
        false => (close, format!("\n{text}{}", "  ".repeat(depth + usize::from(!line.section.is_empty())))),
    };
    Some(Edit { at: Location { path: source.path.clone(), start: at, end: at }, text })
}
