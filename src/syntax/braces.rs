//! Brackets: nesting is bounded, and every one has its partner before the grammar sees the text.

use std::borrow::Cow;

use crate::report::Diagnostic;
use crate::source::Span;

use super::parse::Place;

/// Deeper than anybody writes, and shallow enough for every recursion that follows.
const MAX_DEPTH: usize = 64;

/// A text with balanced brackets.
pub(super) struct Balanced<'t> {
    /// As long as the original, or longer by closing braces at the end.
    pub text: Cow<'t, str>,
    /// What was wrong.
    pub errors: Vec<Diagnostic>,
    /// Whether the text must not be parsed at all.
    pub hopeless: bool,
}

struct Open {
    at: usize,
    byte: u8,
    /// Width of the white space before the line it stands on.
    indent: usize,
    line: usize,
}

/// Looks at every bracket outside strings and comments.
pub(super) fn balance(text: &str, place: Place) -> Balanced<'_> {
    let mut scan = Scan {
        text,
        place,
        stack: Vec::new(),
        errors: Vec::new(),
        blank: Vec::new(),
        suspects: Vec::new(),
        indent: 0,
        line: 0,
    };
    if let Some(too_deep) = scan.run() {
        return Balanced { text: Cow::Borrowed(text), errors: vec![too_deep], hopeless: true };
    }
    scan.unclosed();
    let missing = scan.stack.iter().filter(|open| open.byte == b'{').count();
    if scan.blank.is_empty() && missing == 0 {
        return Balanced { text: Cow::Borrowed(text), errors: scan.errors, hopeless: false };
    }
    let mut bytes = text.as_bytes().to_vec();
    for (start, end) in &scan.blank {
        bytes[*start..*end].fill(b' ');
    }
    bytes.extend(b"\n}".repeat(missing));
    let text = String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned);
    Balanced { text, errors: scan.errors, hopeless: false }
}

struct Scan<'t> {
    text: &'t str,
    place: Place,
    stack: Vec<Open>,
    errors: Vec<Diagnostic>,
    /// Ranges that the grammar shall not see.
    blank: Vec<(usize, usize)>,
    /// Braces whose partner stands further to the left than they do: probably that of another one.
    suspects: Vec<usize>,
    indent: usize,
    line: usize,
}

impl Scan<'_> {
    fn run(&mut self) -> Option<Diagnostic> {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        self.indent = indent(bytes, 0);
        while at < bytes.len() {
            match bytes[at] {
                b'\n' => {
                    self.line += 1;
                    self.indent = indent(bytes, at + 1);
                }
                b'#' => at = line_end(bytes, at) - 1,
                b'"' => at = string_end(bytes, at) - 1,
                byte @ (b'{' | b'(' | b'[') => {
                    if self.stack.len() >= MAX_DEPTH {
                        return Some(too_deep(self.place.span(at, at + 1)));
                    }
                    self.stack.push(Open { at, byte, indent: self.indent, line: self.line });
                }
                byte @ (b'}' | b')' | b']') => self.close(at, byte),
                _ => {}
            }
            at += 1;
        }
        None
    }

    fn close(&mut self, at: usize, byte: u8) {
        let partner = match byte {
            b'}' => b'{',
            b')' => b'(',
            _ => b'[',
        };
        let Some(found) = self.stack.iter().rposition(|open| open.byte == partner) else {
            let span = self.place.span(at, at + 1);
            self.errors.push(
                Diagnostic::error("stray-brace", format!("this `{}` closes nothing", byte as char))
                    .label(span, "nothing is open here")
                    .help("delete it, or add the missing opening bracket before it")
                    .fix(format!("delete `{}`", byte as char), span, ""),
            );
            self.blank.push((at, at + 1));
            return;
        };
        let begins_line = self.text[..at].rsplit('\n').next().is_some_and(|it| it.trim().is_empty());
        if byte == b'}' && begins_line && self.stack[found].indent > self.indent {
            self.suspects.push(self.stack[found].at);
        }
        // A parenthesis or bracket never spans the end of a block, so it is the one to blame; a brace
        // that is open inside parentheses cannot be closed by them.
        if byte != b'}' && self.stack[found + 1..].iter().any(|open| open.byte == b'{') {
            self.blank.push((at, at + 1));
            return;
        }
        for open in self.stack.drain(found..).skip(1).collect::<Vec<_>>() {
            self.unclosed_bracket(&open);
        }
    }

    /// An open parenthesis or bracket: the statement that it stands in cannot be read.
    fn unclosed_bracket(&mut self, open: &Open) {
        let close = if open.byte == b'(' { ')' } else { ']' };
        let span = self.place.span(open.at, open.at + 1);
        self.errors.push(
            Diagnostic::error("unclosed-bracket", format!("this `{}` is never closed", open.byte as char))
                .label(span, format!("no `{close}` follows before the block ends"))
                .help(format!("add `{close}` at the end of the value")),
        );
        let bytes = self.text.as_bytes();
        let start = bytes[..open.at].iter().rposition(|byte| *byte == b'\n').map_or(0, |it| it + 1);
        self.blank.push((start, line_end(bytes, open.at)));
    }

    /// What is open at the end of the file. Of several braces the one to blame is the innermost whose block is not indented
    /// more than the line that it was opened on, and otherwise the outermost.
    fn unclosed(&mut self) {
        let brackets: Vec<Open> = self.stack.extract_if(.., |open| open.byte != b'{').collect();
        for open in &brackets {
            self.unclosed_bracket(open);
        }
        if self.stack.is_empty() {
            return;
        }
        let blamed = self.stack.iter().rev().find(|open| self.leaves_its_block(open)).or(self.stack.first());
        let Some(mut open) = blamed else { return };
        let suspect = self.suspects.first().map(|at| {
            let bytes = self.text.as_bytes();
            let start = bytes[..*at].iter().rposition(|byte| *byte == b'\n').map_or(0, |it| it + 1);
            let line = bytes[..*at].iter().filter(|byte| **byte == b'\n').count();
            Open { at: *at, byte: b'{', indent: indent(bytes, start), line }
        });
        open = suspect.as_ref().unwrap_or(open);
        let span = self.place.span(open.at, open.at + 1);
        let mut error = Diagnostic::error("unclosed-block", "this block is never closed")
            .label(span, "`{` without its `}`")
            .help("add `}` on a line of its own where the block ends");
        if let Some(line) = self.first_dedent(open) {
            error = error.label(line, "the indentation suggests that it ends before this");
        }
        self.errors.push(error);
    }

    fn leaves_its_block(&self, open: &Open) -> bool {
        self.first_dedent(open).is_some()
    }

    /// The first line behind an open brace that is indented no more than the brace's own line and closes nothing.
    fn first_dedent(&self, open: &Open) -> Option<Span> {
        let bytes = self.text.as_bytes();
        let mut start = line_end(bytes, open.at) + 1;
        let mut line = open.line;
        while start < bytes.len() {
            line += 1;
            let end = line_end(bytes, start);
            let width = indent(bytes, start);
            let first = bytes.get(start + width).copied().unwrap_or(b'\n');
            let is_text = start + width < end && first != b'#' && first != b'\r';
            if is_text && width <= open.indent && line > open.line {
                return (first != b'}').then(|| self.place.span(start + width, end));
            }
            start = end + 1;
        }
        None
    }
}

fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error("nested-too-deep", format!("brackets are nested more than {MAX_DEPTH} deep"))
        .label(span, "one level too many")
        .help("policies need four or five levels; move parts into profiles")
}

fn indent(bytes: &[u8], start: usize) -> usize {
    bytes[start.min(bytes.len())..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |it| at + it)
}

/// Behind the closing quote, or the end of the line if there is none.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return at + 1,
            b'\n' => return at,
            b'\\' if bytes.get(at + 1).is_some_and(|byte| *byte != b'\n') => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}
