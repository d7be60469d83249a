//! Findings as SARIF 2.1.0, which code scanning services and editors read:
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::excerpt::Lines;
use super::{Diagnostic, Label, Severity, pages};
use crate::source::{Files, Span};

/// All findings of a command, gathered file by file; one log in the end.
#[derive(Default)]
pub struct Sarif {
    results: Vec<Value>,
    codes: BTreeSet<&'static str>,
}

impl Sarif {
    /// Nothing yet.
    pub fn new() -> Sarif {
        Sarif::default()
    }

    /// Adds the findings about one policy and what it uses.
    pub fn add(&mut self, files: &Files, findings: &[Diagnostic]) {
        let lines = Lines::new(files);
        let place = Places { files, lines: &lines };
        for finding in findings {
            self.codes.insert(finding.code);
            self.results.push(place.result(finding));
        }
    }

    /// The whole log, with a final line end; a log without results says that there was nothing to report.
    pub fn finish(self) -> String {
        let numbers: BTreeMap<&str, usize> =
            self.codes.iter().enumerate().map(|(number, code)| (*code, number)).collect();
        let rules: Vec<Value> = self.codes.iter().map(|code| rule(code)).collect();
        let mut results = self.results;
        for result in &mut results {
            let index = result["ruleId"].as_str().and_then(|code| numbers.get(code)).copied();
            result["ruleIndex"] = json!(index);
        }
        let log = json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": { "name": "nsl", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules } },
                "columnKind": "unicodeCodePoints",
                "results": results,
            }],
        });
        format!("{log:#}\n")
    }
}

/// The page of a code.
fn rule(code: &str) -> Value {
    let Some(page) = pages::find(code) else { return json!({ "id": code }) };
    let mut text = page.text.to_string();
    let mut markdown = page.text.to_string();
    for (title, example) in [("Wrong", page.wrong), ("Right", page.right)] {
        if !example.is_empty() {
            text.push_str(&format!("\n\n{title}:\n\n{example}"));
            markdown.push_str(&format!("\n\n{title}:\n\n```\n{example}```\n"));
        }
    }
    json!({
        "id": code,
        "shortDescription": { "text": page.title },
        "fullDescription": { "text": page.text },
        "help": { "text": text, "markdown": markdown },
        "defaultConfiguration": { "level": level(page.severity) },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Advice => "note",
    }
}

struct Places<'a> {
    files: &'a Files,
    lines: &'a Lines<'a>,
}

impl Places<'_> {
    fn result(&self, finding: &Diagnostic) -> Value {
        let text = match &finding.help {
            Some(help) => format!("{}\nhelp: {help}", finding.message),
            None => finding.message.clone(),
        };
        let known: Vec<&Label> = finding.labels.iter().filter(|it| self.lines.knows(it.span.file)).collect();
        let mut result = json!({
            "ruleId": finding.code,
            "level": level(finding.severity),
            "message": { "text": text },
            "locations": known.first().map(|it| self.location(it, None)).into_iter().collect::<Vec<Value>>(),
        });
        let related: Vec<Value> =
            known.iter().enumerate().skip(1).map(|(id, it)| self.location(it, Some(id))).collect();
        if !related.is_empty() {
            result["relatedLocations"] = json!(related);
        }
        if let Some(fix) = finding.fix.as_ref().filter(|it| self.lines.knows(it.span.file)) {
            result["fixes"] = json!([{
                "description": { "text": fix.title },
                "artifactChanges": [{
                    "artifactLocation": { "uri": uri(self.files.name(fix.span.file)) },
                    "replacements": [{
                        "deletedRegion": self.region(fix.span),
                        "insertedContent": { "text": fix.text },
                    }],
                }],
            }]);
        }
        result
    }

    fn location(&self, label: &Label, id: Option<usize>) -> Value {
        let mut location = json!({
            "physicalLocation": {
                "artifactLocation": { "uri": uri(self.files.name(label.span.file)) },
                "region": self.region(label.span),
            },
        });
        if !label.text.is_empty() {
            location["message"] = json!({ "text": label.text });
        }
        if let Some(id) = id {
            location["id"] = json!(id);
        }
        location
    }

    fn region(&self, span: Span) -> Value {
        let (line, col) = self.lines.line_col(span.file, span.start);
        let (end_line, end_col) = self.lines.line_col(span.file, span.end);
        json!({ "startLine": line, "startColumn": col, "endLine": end_line, "endColumn": end_col })
    }
}

/// A path as a URI reference: RFC 3986. Relative ones stay relative, to wherever the log is read.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.strip_prefix("./").unwrap_or(path).bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_references() {
        assert_eq!(uri("./a b/é.nsl"), "a%20b/%C3%A9.nsl");
        assert_eq!(uri("/srv/web.nsl"), "file:///srv/web.nsl");
        assert_eq!(uri("<stdin>"), "%3Cstdin%3E");
    }
}
