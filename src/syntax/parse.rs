//! The ways in: a whole file, a range of one, a single value.

use std::ops::Range;

use pest::Parser;

use super::ast::{Expr, ExprKind, File};
use super::{braces, explain, lower};
use crate::report::Diagnostic;
use crate::source::{FileId, Files, Span};

#[derive(pest_derive::Parser)]
#[grammar = "../grammar/nsl.pest"]
pub(super) struct Grammar;

/// Nobody reads more; a file with this many has one cause.
const MAX_ERRORS: usize = 50;

/// Reads one file of the table.
pub fn parse(files: &Files, file: FileId) -> File {
    let text = files.text(file);
    let skip = if text.starts_with('\u{feff}') { 3 } else { 0 };
    read(text, file, skip..text.len())
}

/// Reads some items of a file of the table; spans are those of the file.
pub fn parse_range(files: &Files, file: FileId, range: Range<usize>) -> File {
    read(files.text(file), file, range)
}

/// Where a piece of text stands: what the grammar counts from 0 begins at `base` of the file.
#[derive(Clone, Copy)]
pub(super) struct Place {
    file: FileId,
    base: usize,
    length: usize,
}

impl Place {
    /// The range in the file. What lies behind the text (a brace that was added) is put at its end.
    pub(super) fn span(self, start: usize, end: usize) -> Span {
        Span::new(self.file, self.base + start.min(self.length), self.base + end.min(self.length))
    }
}

fn read(whole: &str, file: FileId, range: Range<usize>) -> File {
    let text = whole.get(range.clone()).unwrap_or("");
    let place = Place { file, base: range.start, length: text.len() };
    let span = place.span(0, text.len());
    let mut result = File { edition: None, items: Vec::new(), comments: Vec::new(), errors: Vec::new(), span };
    let balanced = braces::balance(text, place);
    result.errors = balanced.errors;
    if !balanced.hopeless {
        match Grammar::parse(Rule::file, &balanced.text) {
            Ok(mut pairs) => {
                if let Some(root) = pairs.next() {
                    lower::file(&balanced.text, place, root, &mut result);
                }
            }
            Err(error) => result.errors.push(explain::failure(&balanced.text, place, &error)),
        }
    }
    result.errors.sort_by_key(|error| error.labels.first().map(|label| label.span.start));
    result.errors.truncate(MAX_ERRORS);
    result
}

/// Reads a value that stands alone, such as the one of `--set NAME=value`: the whole text of `file`.
pub fn parse_value(files: &Files, file: FileId) -> Result<Expr, Diagnostic> {
    let text = files.text(file);
    let place = Place { file, base: 0, length: text.len() };
    let balanced = braces::balance(text, place);
    if let Some(error) = balanced.errors.into_iter().next() {
        return Err(error);
    }
    match Grammar::parse(Rule::only_value, text) {
        Ok(mut pairs) => {
            let value = pairs.next().and_then(|it| it.into_inner().next());
            value.map_or(Ok(Expr { kind: ExprKind::Error, span: place.span(0, text.len()) }), |it| {
                lower::value(text, place, it)
            })
        }
        Err(error) => Err(explain::failure(text, place, &error)),
    }
}
