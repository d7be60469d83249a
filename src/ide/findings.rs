//! Findings, each with the file in which it is shown.

use super::{Analysis, Location, navigate};
use crate::report::{Diagnostic, Fix, Severity, pages};

/// A finding as an editor shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where it is shown.
    pub at: Location,
    /// How much it weighs.
    pub severity: Severity,
    /// The code, without `nsl::`.
    pub code: &'static str,
    /// What is wrong, and what to do.
    pub message: String,
    /// The other places involved.
    pub related: Vec<Related>,
    /// Whether what it is about does nothing, and is better shown faded.
    pub is_unused: bool,
    /// The one obvious edit, with its file.
    pub fix: Option<(String, super::Edit)>,
}

/// A place that a finding is about too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// The place.
    pub at: Location,
    /// What is to be said about it.
    pub text: String,
}

/// All that is wrong with a policy, in the files that it is made of. What is wrong with a text of the standard library is
/// shown where the policy brought it in.
pub fn findings(analysis: &Analysis) -> Vec<Finding> {
    analysis.findings.iter().map(|it| finding(analysis, it)).collect()
}

fn finding(analysis: &Analysis, it: &Diagnostic) -> Finding {
    let places: Vec<Location> = it.labels.iter().map(|label| navigate::location(analysis, label.span)).collect();
    let shown = places.iter().position(|place| place.path.starts_with('/'));
    let root = analysis.files.name(analysis.root()).to_string();
    let at = shown.map_or(Location { path: root, start: 0, end: 0 }, |at| places[at].clone());
    let mut message = it.message.clone();
    if let Some(label) = shown.and_then(|at| it.labels.get(at)).filter(|label| !label.text.is_empty()) {
        message.push_str(&format!("\n{}", label.text));
    }
    if let Some(help) = &it.help {
        message.push_str(&format!("\nhelp: {help}"));
    }
    let others = it.labels.iter().zip(places).enumerate().filter(|(index, _)| Some(*index) != shown);
    let related = others.map(|(_, (label, at))| {
        let text = if label.text.is_empty() { it.message.clone() } else { label.text.clone() };
        Related { at, text }
    });
    Finding {
        at,
        severity: it.severity,
        code: it.code,
        message,
        related: related.collect(),
        is_unused: it.code.starts_with("unused-") || matches!(it.code, "redundant-set" | "seccomp-no-effect"),
        fix: it.fix.as_ref().and_then(|fix| edit(analysis, fix)),
    }
}

/// A fix with its file; none for the standard library, which nobody can change.
fn edit(analysis: &Analysis, fix: &Fix) -> Option<(String, super::Edit)> {
    let mut at = navigate::location(analysis, fix.span);
    if !at.path.starts_with('/') {
        return None;
    }
    if fix.text.is_empty() {
        (at.start, at.end) = crate::fix::whole_line(analysis.files.text(fix.span.file), at.start, at.end);
    }
    Some((fix.title.clone(), super::Edit { at, text: fix.text.clone() }))
}

/// The page behind a code as Markdown.
pub fn page(code: &str) -> Option<String> {
    let page = pages::find(code)?;
    let mut out = format!("# nsl::{}\n\n{}\n\n{}\n", page.code, page.title, page.text);
    for (title, example) in [("Wrong", page.wrong), ("Right", page.right)] {
        if !example.is_empty() {
            out.push_str(&format!("\n## {title}\n\n```nsl\n{}\n```\n", example.trim_end()));
        }
    }
    Some(out)
}
