//! The ways in: a whole file, a range of one, a single value.

use std::ops::Range;
use std::rc::Rc;
use std::sync::Once;

use pest::Parser;

use super::ast::{Expr, ExprKind, File};
use super::place::Place;
use super::repair::{Repaired, repair};
use super::splice::Within;
use super::{explain, kept, lower};
use crate::report::Diagnostic;
use crate::source::{FileId, Files, MAX_SIZE, Span};

#[derive(pest_derive::Parser)]
#[grammar = "../grammar/nsl.pest"]
pub(super) struct Grammar;

/// Nobody reads more; a file with this many has one cause.
pub(super) const MAX_ERRORS: usize = 50;

/// Steps of the parser for a byte. The densest texts need some 60.
const STEPS_PER_BYTE: u64 = 250;

/// Reads one file of the table.
pub fn parse(files: &Files, file: FileId) -> Rc<File> {
    let text = files.text(file);
    // A byte order mark is no part of the text.
    let skip = if text.starts_with('\u{feff}') { 3 } else { 0 };
    kept::tree(file, text, skip)
}

/// Reads some items of a file of the table; spans are those of the file.
pub fn parse_range(files: &Files, file: FileId, range: Range<usize>) -> File {
    read(files.text(file), file, range)
}

pub(super) fn read(whole: &str, file: FileId, range: Range<usize>) -> File {
    let text = whole.get(range.clone()).unwrap_or("");
    let mut repaired = repair(text, Place::new(file, range.start, text.len()));
    let mut result = empty(file, range.start, text.len());
    result.errors = std::mem::take(&mut repaired.errors);
    if !repaired.hopeless {
        lower_into(&mut result, &repaired, Within::default());
    }
    result.sort();
    cap(&mut result.errors);
    result
}

/// Reads some lines of a file in which nothing is to be repaired; `None` if something is.
pub(super) fn read_lines(whole: &str, file: FileId, range: Range<usize>, within: Within) -> Option<File> {
    let text = whole.get(range.clone())?;
    let repaired = repair(text, Place::new(file, range.start, text.len()));
    if repaired.was_broken() {
        return None;
    }
    let mut result = empty(file, range.start, text.len());
    lower_into(&mut result, &repaired, within);
    Some(result)
}

fn empty(file: FileId, start: usize, length: usize) -> File {
    let span = Span::new(file, start, start + length);
    File { edition: None, items: Vec::new(), comments: Vec::new(), errors: Vec::new(), span }
}

fn lower_into(result: &mut File, repaired: &Repaired, within: Within) {
    limit_steps();
    match Grammar::parse(Rule::file, &repaired.text) {
        Ok(mut pairs) => {
            if let Some(root) = pairs.next() {
                lower::file(repaired, root, within, result);
            }
        }
        Err(error) => result.errors.push(explain::failure(&repaired.text, &repaired.place, &error)),
    }
}

/// Keeps the first findings, and says that there were more.
fn cap(errors: &mut Vec<Diagnostic>) {
    let Some(next) = errors.get(MAX_ERRORS) else { return };
    let mut last =
        Diagnostic::error("too-many-errors", format!("more than {MAX_ERRORS} findings: the others are not shown"));
    if let Some(label) = next.labels.first() {
        last = last.label(label.span, "the next is here");
    }
    errors.truncate(MAX_ERRORS);
    errors.push(last.help("mend the first ones and check again"));
}

/// Reads a value that stands alone, such as the one of `--set NAME=value`: the whole text of `file`.
pub fn parse_value(files: &Files, file: FileId) -> Result<Expr, Diagnostic> {
    limit_steps();
    let text = files.text(file);
    let mut repaired = repair(text, Place::new(file, 0, text.len()));
    if let Some(error) = std::mem::take(&mut repaired.errors).into_iter().next() {
        return Err(error);
    }
    match Grammar::parse(Rule::only_value, text) {
        Ok(mut pairs) => {
            let value = pairs.next().and_then(|it| it.into_inner().next());
            let nothing = Expr { kind: ExprKind::Error, span: repaired.place.span(0, text.len()) };
            value.map_or(Ok(nothing), |it| lower::value(&repaired, it))
        }
        Err(error) => Err(explain::value(text, &repaired.place, &error)),
    }
}

/// The grammar is linear, so this is never reached; should it not be, an error is better than a command that hangs.
/// The limit is one for the whole process, so it is that of the largest file.
fn limit_steps() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let steps = usize::try_from(MAX_SIZE * STEPS_PER_BYTE).unwrap_or(usize::MAX);
        pest::set_call_limit(std::num::NonZeroUsize::new(steps));
    });
}
