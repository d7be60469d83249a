//! Diagnostics for people (miette) and for machines (JSON).

use super::Diagnostic;
use crate::source::Files;

/// For whom findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// People.
    Human,
    /// Machines: one JSON object a finding and line.
    Json,
}

/// How findings look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// For whom.
    pub format: Format,
    /// Escape sequences for colours.
    pub color: bool,
    /// Box-drawing characters; ASCII otherwise.
    pub unicode: bool,
    /// Columns.
    pub width: usize,
}

/// All findings as text, in the order given.
pub fn render(_files: &Files, _findings: &[Diagnostic], _style: Style) -> String {
    todo!("report")
}
