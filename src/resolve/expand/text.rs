//! Expanded policies as NSL: valid, in one style, and the same policy when it is read again.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Expanded, Line, Member};
use crate::policy::{How, Strength};
use crate::resolve::value::{Val, Value};
use crate::schema;
use crate::source::{Files, Span};

/// What is shown besides the statements.
#[derive(Clone, Copy, Debug, Default)]
pub struct Show {
    /// The place of every statement, as a comment behind it.
    pub origins: bool,
    /// What holds although nobody states it, marked so.
    pub defaults: bool,
}

/// The names under which a policy's own groups are declared in the text, by the place of their declaration.
type GroupNames = BTreeMap<Span, String>;

/// The text of these declarations. What nobody stated is marked `# default`.
pub fn text(chosen: &[&Expanded], files: &Files, show: Show) -> String {
    let names = group_names(chosen);
    let mut out = String::new();
    declare_groups(&mut out, chosen, &names);
    let mut pod: Option<&Expanded> = None;
    for one in chosen {
        if one.kind != "container" && pod.take().is_some() {
            out.push_str("}\n");
        }
        if !out.is_empty() {
            out.push('\n');
        }
        let indent = if pod.is_some() { "  " } else { "" };
        let mut page = Page { out: &mut out, files, show, names: &names, indent };
        page.declaration(one, pod);
        match one.kind {
            "pod" => pod = Some(one),
            _ => {
                let _ = writeln!(out, "{indent}}}");
            }
        }
    }
    if pod.is_some() {
        out.push_str("}\n");
    }
    out
}

/// Two modules may call their groups by one name, and a group of everybody's may be meant beside one's own.
fn group_names(chosen: &[&Expanded]) -> GroupNames {
    let known = chosen.iter().flat_map(|one| {
        let members = one.groups.iter().flat_map(|it| &it.members).filter_map(|it| match it {
            Member::Known(name) => Some(name.clone()),
            _ => None,
        });
        let rules = one.lines.iter().filter(|it| it.group.is_none()).filter_map(|it| match it.labels.first()?.value {
            Value::Set(ref name) => Some(name.clone()),
            _ => None,
        });
        rules.chain(members)
    });
    let mut taken: Vec<String> = known.collect();
    let mut names = GroupNames::new();
    for group in chosen.iter().flat_map(|it| &it.groups) {
        if names.contains_key(&group.declared) {
            continue;
        }
        let others = (2..).map(|number| format!("{}-{number}", group.name));
        let mut free = std::iter::once(group.name.clone()).chain(others).filter(|it| !taken.contains(it));
        let Some(name) = free.next() else { continue };
        taken.push(name.clone());
        names.insert(group.declared, name);
    }
    names
}

fn declare_groups(out: &mut String, chosen: &[&Expanded], names: &GroupNames) {
    let mut told: Vec<Span> = Vec::new();
    for group in chosen.iter().flat_map(|it| &it.groups) {
        let Some(name) = names.get(&group.declared).filter(|_| !told.contains(&group.declared)) else { continue };
        told.push(group.declared);
        let _ = writeln!(out, "{}syscalls group {name} {{", if out.is_empty() { "" } else { "\n" });
        for member in &group.members {
            let _ = match member {
                Member::Call(call) => writeln!(out, "  {call}"),
                Member::Known(known) => writeln!(out, "  @{known}"),
                Member::Own(own) => writeln!(out, "  @{}", names.get(own).map_or("", String::as_str)),
            };
        }
        out.push_str("}\n");
    }
}

/// The declaration at hand.
struct Page<'p> {
    out: &'p mut String,
    files: &'p Files,
    show: Show,
    names: &'p GroupNames,
    indent: &'static str,
}

/// A statement as it is printed.
struct Row<'l> {
    section: &'static str,
    /// `override`, `remove`, `prefer`, with a space behind each; or empty.
    before: String,
    /// The statement; of the head of a section, its mode.
    text: String,
    is_head: bool,
    /// Whether it is shown as a comment, because the pod says it already.
    of_pod: bool,
    /// What it comes from; nothing for a `remove`.
    line: Option<&'l Line>,
}

impl Page<'_> {
    fn declaration(&mut self, one: &Expanded, pod: Option<&Expanded>) {
        let _ = writeln!(self.out, "{}{} {} {{", self.indent, one.kind, one.name);
        let mut rows: Vec<Row> = one.lines.iter().filter(|it| self.shows(it)).map(|line| self.row(line, pod)).collect();
        if let Some(pod) = pod {
            let gone = self.removed(one, pod);
            rows.extend(gone);
            // Sections keep their order, and what is removed stands last in its own.
            rows.sort_by_key(|row| section_rank(row.section));
        }
        let mut rest = rows.as_slice();
        let mut before: Option<&[Row]> = None;
        while let Some(first) = rest.first() {
            let count = rest.iter().take_while(|it| it.section == first.section).count();
            let (block, later) = rest.split_at(count);
            rest = later;
            // One-line sections stand together, blocks apart.
            let is_line = |rows: &[Row]| rows.len() == 1 && rows[0].is_head && !rows[0].section.is_empty();
            if before.is_some_and(|it| !(is_line(it) && is_line(block))) {
                self.out.push('\n');
            }
            self.block(block);
            before = Some(block);
        }
    }

    fn shows(&self, line: &Line) -> bool {
        self.show.defaults || !matches!(line.origin.how, How::Implied(_)) || is_of_pod(line)
    }

    fn row<'l>(&self, line: &'l Line, pod: Option<&Expanded>) -> Row<'l> {
        let text = self.statement(line);
        let mut before = strength(line.strength).to_string();
        let mut of_pod = false;
        if let Some(pod) = pod {
            let theirs = pod.lines.iter().find(|it| it.slot == line.slot && is_shared(it));
            match theirs {
                Some(theirs) if line.field.is_none() => {
                    let made_by_pod = has_mode(line.section) && self.statement(theirs) == "new";
                    if made_by_pod && text != "pod" {
                        before.insert_str(0, "override ");
                    }
                }
                Some(theirs) if strength(theirs.strength) == before && self.statement(theirs) == text => of_pod = true,
                Some(_) => before.insert_str(0, "override "),
                None => {}
            }
        }
        Row { section: line.section, before, text, is_head: line.is_head(), of_pod, line: Some(line) }
    }

    /// What the pod says and its container does not keep.
    fn removed<'l>(&self, one: &Expanded, pod: &Expanded) -> Vec<Row<'l>> {
        // What is not shown replaces nothing.
        let kept = |line: &Line| one.lines.iter().any(|it| it.slot == line.slot && self.shows(it));
        let gone = pod.lines.iter().filter(|it| is_shared(it) && !has_mode(it.section) && !kept(it));
        let row = |section, text: String, is_head| Row {
            section,
            before: "remove ".into(),
            text,
            is_head,
            of_pod: false,
            line: None,
        };
        let mut rows: Vec<Row> = Vec::new();
        for line in gone {
            let whole =
                !line.section.is_empty() && !one.lines.iter().any(|it| it.section == line.section && self.shows(it));
            if whole && !rows.iter().any(|it| it.section == line.section) {
                rows.push(row(line.section, String::new(), true));
            } else if !whole && line.field.is_some() {
                let bare = Line { value: None, ..line.clone() };
                rows.push(row(line.section, self.statement(&bare), false));
            }
        }
        rows
    }

    /// The rows of one section.
    fn block(&mut self, rows: &[Row]) {
        let Some(first) = rows.first() else { return };
        let indent = self.indent;
        if first.section.is_empty() {
            return rows.iter().for_each(|row| self.line(row, &format!("{indent}  "), &row.text));
        }
        let head = rows.iter().find(|it| it.is_head);
        let (before, mode) = head.map_or(("", ""), |it| (it.before.as_str(), it.text.as_str()));
        let space = if mode.is_empty() { "" } else { " " };
        let opening = format!("{indent}  {before}{}{space}{mode}", first.section);
        let fields: Vec<&Row> = rows.iter().filter(|it| !it.is_head).collect();
        let removed = head.is_some_and(|it| it.line.is_none());
        let ending = if !fields.is_empty() {
            " {"
        } else if has_mode(first.section) || removed {
            ""
        } else {
            " {}"
        };
        // The head of a block without a mode is nothing but its being there.
        let note = head.filter(|_| has_mode(first.section)).map_or(String::new(), |it| self.note(it));
        let _ = writeln!(self.out, "{opening}{ending}{note}");
        if !fields.is_empty() {
            fields.into_iter().for_each(|row| self.line(row, &format!("{indent}    "), &row.text));
            let _ = writeln!(self.out, "{indent}  }}");
        }
    }

    fn line(&mut self, row: &Row, indent: &str, text: &str) {
        let comment = if row.of_pod { "# " } else { "" };
        let note = self.note(row);
        let _ = writeln!(self.out, "{indent}{comment}{}{text}{note}", row.before);
    }

    /// The comment behind a statement.
    fn note(&self, row: &Row) -> String {
        let Some(line) = row.line else { return String::new() };
        let told = match (self.show.origins, line.origin.how) {
            (false, How::Implied(_)) if !row.of_pod && !is_of_pod(line) => "default".to_string(),
            (false, _) if row.of_pod => "said by the pod".to_string(),
            (false, _) => return String::new(),
            (true, _) => line.origin.place(self.files),
        };
        format!("  # {told}")
    }

    /// A statement as it is written inside its section.
    fn statement(&self, line: &Line) -> String {
        let Some(field) = line.field else { return line.value.as_deref().map_or(String::new(), Val::to_string) };
        let mut labels: String = line.labels.iter().map(|it| format!(" {it}")).collect();
        if let Some(name) = line.group.and_then(|it| self.names.get(&it)) {
            labels = format!(" @{name}");
        }
        let value = line.value.as_ref().map_or(String::new(), |it| format!(" = {it}"));
        format!("{}{labels}{value}", field.head)
    }
}

fn section_rank(section: &str) -> usize {
    schema::SECTIONS.iter().position(|it| it.name == section).map_or(0, |at| at + 1)
}

fn has_mode(section: &str) -> bool {
    schema::section(section).is_some_and(|it| it.has_mode)
}

/// Whether a line of a pod is said of its containers as well: the modes of its namespaces, and what is no namespace.
fn is_shared(line: &Line) -> bool {
    match line.field {
        None => line.section != "cgroup",
        Some(field) => !has_mode(line.section) && !matches!(field.head, "run" | "cwd"),
    }
}

/// Whether a namespace is the one that the pod makes.
fn is_of_pod(line: &Line) -> bool {
    matches!(line.value.as_deref(), Some(Val { value: Value::Variant(name, _), .. }) if name == "pod")
}

fn strength(strength: Strength) -> &'static str {
    match strength {
        Strength::Required => "",
        Strength::Prefer => "prefer ",
        Strength::Optional => "optional ",
    }
}
