//! Findings as workflow commands of GitHub Actions, which shows them beside the lines of a pull request.

use super::excerpt::Lines;
use super::{Diagnostic, Severity};
use crate::source::Files;

/// One finding, with a final line end.
pub(super) fn line(files: &Files, lines: &Lines, finding: &Diagnostic) -> String {
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Advice => "notice",
    };
    let mut properties = Vec::new();
    if let Some(label) = finding.labels.iter().find(|it| lines.knows(it.span.file)) {
        let span = label.span;
        let (line, col) = lines.line_col(span.file, span.start);
        let (end_line, end_col) = lines.line_col(span.file, span.end);
        properties.push(format!("file={}", property(files.name(span.file))));
        properties.push(format!("line={line},endLine={end_line}"));
        // Columns are for one line; the last is inclusive.
        if line == end_line {
            properties.push(format!("col={col},endColumn={}", (end_col - 1).max(col)));
        }
    }
    properties.push(format!("title={}", property(&format!("nsl::{}", finding.code))));
    let mut text = finding.message.clone();
    for label in finding.labels.iter().filter(|it| !it.text.is_empty() && lines.knows(it.span.file)) {
        let (line, col) = lines.line_col(label.span.file, label.span.start);
        text.push_str(&format!("\n{}:{line}:{col}: {}", files.name(label.span.file), label.text));
    }
    if let Some(help) = &finding.help {
        text.push_str(&format!("\nhelp: {help}"));
    }
    format!("::{command} {}::{}\n", properties.join(","), data(&text))
}

/// What a message may not hold as it is.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What a property may not hold as it is.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
