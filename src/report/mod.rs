//! Findings: the one [`Diagnostic`] struct that every floor builds, and the ways to show it.
//!
//! Wording: lower-case first letter, no final full stop, the user's text in backticks, no Rust names, one
//! sentence; the second sentence is a label or the help, and the help is a concrete edit.

pub mod allow;
mod excerpt;
mod github;
mod human;
mod json;
mod loading;
pub mod pages;
mod render;
mod sarif;
mod short;

use serde::Serialize;

use crate::source::Span;

pub use allow::Allow;
pub use loading::unreadable;
pub use render::{Format, Style, render};
pub use sarif::Sarif;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Works; could be said better.
    Advice,
    /// Works, but is weaker or more fragile than it looks.
    Warning,
    /// Cannot work, or will not mean what is written.
    Error,
}

/// A place with what is to be said about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Label {
    /// The place, in any file.
    pub span: Span,
    /// What is to be said about it; may be empty.
    pub text: String,
}

/// One edit of one file that mends a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What it does, as a command: "write `64MiB`".
    pub title: String,
    /// The bytes to replace (empty to insert).
    pub span: Span,
    /// What to put there.
    pub text: String,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// The code without `nsl::`, such as `map-overlap`. Every code has a page in [`pages`].
    pub code: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// One sentence of what is wrong.
    pub message: String,
    /// The places involved; the first is the one to blame. They may lie in several files.
    pub labels: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
    /// The one obvious edit, where there is one.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// An error.
    pub fn error(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Error, code, message)
    }

    /// A warning.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Warning, code, message)
    }

    /// An advice.
    pub fn advice(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Advice, code, message)
    }

    fn new(severity: Severity, code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic { code, severity, message: message.into(), labels: Vec::new(), help: None, fix: None }
    }

    /// With one more place.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// With what to do.
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help = Some(text.into());
        self
    }

    /// With the one obvious edit.
    pub fn fix(mut self, title: impl Into<String>, span: Span, text: impl Into<String>) -> Diagnostic {
        self.fix = Some(Fix { title: title.into(), span, text: text.into() });
        self
    }

    /// With the removal of a statement as the one obvious edit; a line that has nothing else goes with it.
    pub fn delete(self, span: Span) -> Diagnostic {
        self.fix("delete the line", span, "")
    }

    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
