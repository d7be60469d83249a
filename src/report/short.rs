//! Findings as one line each, `PATH:LINE:COLUMN: SEVERITY[CODE]: TEXT`: what compilers print, and what editors, `grep` and
//! problem matchers read.

use super::Diagnostic;
use super::Severity;
use super::excerpt::Lines;
use crate::source::Files;

/// One finding, with a final line end. The column counts characters, from 1.
pub(super) fn line(files: &Files, lines: &Lines, finding: &Diagnostic) -> String {
    let place = match finding.labels.iter().find(|it| lines.knows(it.span.file)) {
        Some(label) => {
            let (line, col) = lines.line_col(label.span.file, label.span.start);
            format!("{}:{line}:{col}", one_line(files.name(label.span.file)))
        }
        None => "nsl".to_string(),
    };
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Advice => "advice",
    };
    let help = finding.help.as_ref().map_or(String::new(), |help| format!("; {}", one_line(help)));
    format!("{place}: {severity}[{}]: {}{help}\n", finding.code, one_line(&finding.message))
}

/// Without what would begin another line, or speak to a terminal.
fn one_line(text: &str) -> String {
    text.split(|it: char| it.is_control() || it.is_whitespace())
        .filter(|it| !it.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
