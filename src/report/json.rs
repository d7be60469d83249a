//! Findings for machines: one JSON object a finding and line. The field names are part of the interface.

use serde::Serialize;

use super::excerpt::Lines;
use super::{Diagnostic, Severity};
use crate::source::{Files, Span};

#[derive(Serialize)]
struct Finding<'a> {
    code: &'a str,
    severity: Severity,
    message: &'a str,
    /// The place of the first label; absent where there is none.
    #[serde(flatten)]
    place: Option<Place<'a>>,
    labels: Vec<Labelled<'a>>,
    help: Option<&'a str>,
    fix: Option<Fix<'a>>,
}

/// Lines and columns from 1, columns in characters; the end is behind the last character. Bytes from 0.
#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: usize,
    col: usize,
    end_line: usize,
    end_col: usize,
    start: u32,
    end: u32,
}

#[derive(Serialize)]
struct Labelled<'a> {
    text: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
}

#[derive(Serialize)]
struct Fix<'a> {
    title: &'a str,
    text: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
}

/// One finding, with a final line end.
pub(super) fn line(files: &Files, lines: &Lines, finding: &Diagnostic) -> String {
    let place = |span: Span| {
        let (line, col) = lines.line_col(span.file, span.start);
        let (end_line, end_col) = lines.line_col(span.file, span.end);
        Place { file: files.name(span.file), line, col, end_line, end_col, start: span.start, end: span.end }
    };
    let known = |span: &Span| lines.knows(span.file);
    let labels = finding.labels.iter().filter(|label| known(&label.span));
    let finding = Finding {
        code: finding.code,
        severity: finding.severity,
        message: &finding.message,
        place: finding.labels.first().filter(|label| known(&label.span)).map(|label| place(label.span)),
        labels: labels.map(|label| Labelled { text: &label.text, place: place(label.span) }).collect(),
        help: finding.help.as_deref(),
        fix: finding.fix.as_ref().filter(|fix| known(&fix.span)).map(|fix| Fix {
            title: &fix.title,
            text: &fix.text,
            place: place(fix.span),
        }),
    };
    // Strings and numbers cannot fail to serialise; an empty line would be a lie, so say so if they ever do.
    let text = serde_json::to_string(&finding);
    text.unwrap_or_else(|error| format!("{{\"code\":\"internal\",\"message\":{:?}}}", error.to_string())) + "\n"
}
