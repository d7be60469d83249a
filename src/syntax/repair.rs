//! Brackets and quotes: nesting is bounded, and every one has its partner before the grammar sees the text.
//!
//! The first look is quick and finds most texts in order. Where it does not, the second goes by lines and their
//! indentation, blames what is missing where it should stand, and adds it, so that the rest is read as it was meant.

use std::borrow::Cow;
use std::ops::Range;

use super::balance::{Look, MAX_DEPTH, declares, look, opener};
use super::place::Place;
use super::quotes::{self, Missing};
use crate::report::Diagnostic;

/// More than this is no text that somebody wrote with a slip or two.
const MAX_EDITS: usize = 200;

/// A text in which every bracket and quote has its partner.
pub(super) struct Repaired<'t> {
    /// The text for the grammar.
    pub text: Cow<'t, str>,
    /// Where it stands in the file.
    pub place: Place,
    /// What was wrong.
    pub errors: Vec<Diagnostic>,
    /// The lines of `text` on which a bracket or quote inside a statement was mended: nothing more is to be said of them.
    mended: Vec<Mended>,
    /// Whether the text must not be parsed at all.
    pub hopeless: bool,
}

struct Mended {
    line: Range<usize>,
    lost: bool,
}

impl Repaired<'_> {
    /// Whether there was anything to repair.
    pub(super) fn was_broken(&self) -> bool {
        self.hopeless || matches!(self.text, Cow::Owned(_))
    }

    /// Whether something was mended on the lines between two offsets of the text, so that they are not what they seem.
    pub(super) fn is_mended(&self, start: usize, end: usize) -> bool {
        let next = self.mended.partition_point(|it| it.line.end < start);
        self.mended.get(next).is_some_and(|it| it.line.start <= end)
    }

    /// Whether nobody knows what was meant on the line at an offset.
    pub(super) fn is_lost(&self, at: usize) -> bool {
        let next = self.mended.partition_point(|it| it.line.end < at);
        self.mended[next..].iter().take_while(|it| it.line.start <= at).any(|it| it.lost)
    }

    /// Whether a finding blames such a line: it says the same once more.
    pub(super) fn repeats(&self, finding: &Diagnostic) -> bool {
        let Some(blamed) = finding.labels.first() else { return false };
        self.mended.iter().any(|it| {
            let line = self.place.span(it.line.start, it.line.end);
            line.start <= blamed.span.start && blamed.span.start <= line.end
        })
    }
}

/// Looks at every bracket and quote outside comments.
pub(super) fn repair(text: &str, place: Place) -> Repaired<'_> {
    let look = look(text);
    if let Look::TooDeep(at) = look {
        let errors = vec![too_deep(&place, at)];
        return Repaired { text: Cow::Borrowed(text), place, errors, mended: Vec::new(), hopeless: true };
    }
    if let Look::Fine = look {
        return Repaired { text: Cow::Borrowed(text), place, errors: Vec::new(), mended: Vec::new(), hopeless: false };
    }
    let mut scan = Scan::new(text, &place);
    let too_deep = scan.run();
    let errors = std::mem::take(&mut scan.errors);
    if let Some(error) = too_deep {
        return Repaired { text: Cow::Borrowed(text), place, errors: vec![error], mended: Vec::new(), hopeless: true };
    }
    // With so much to mend there is nothing left that was meant.
    let hopeless = scan.edits.len() > MAX_EDITS;
    let (text, added, mended) = apply(text, std::mem::take(&mut scan.edits));
    let line = |at: usize| quotes::line_start(text.as_bytes(), at)..quotes::line_end(text.as_bytes(), at);
    let mended = mended.into_iter().map(|(at, harm)| Mended { line: line(at), lost: harm == Harm::Lost }).collect();
    Repaired { text: Cow::Owned(text), place: place.with(&added), errors, mended, hopeless }
}

/// One change of the text: bytes that are put in, or one byte that becomes another.
struct Edit {
    at: usize,
    what: Change,
    harm: Harm,
}

/// What a change does to the statement that it stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Harm {
    /// It stands between statements.
    None,
    /// The statement is read as it was probably meant.
    Mended,
    /// What was meant cannot be known.
    Lost,
}

enum Change {
    Insert(String),
    Replace(char),
}

/// Offsets and lengths of what was put in.
type Added = Vec<(usize, usize)>;

/// The text with its changes, where it became longer, and where statements were changed.
fn apply(text: &str, mut edits: Vec<Edit>) -> (String, Added, Vec<(usize, Harm)>) {
    edits.sort_by_key(|edit| edit.at);
    let (mut out, mut added, mut mended) = (String::with_capacity(text.len() + 16), Vec::new(), Vec::new());
    let mut done = 0;
    for edit in edits {
        out.push_str(&text[done..edit.at]);
        done = edit.at;
        if edit.harm != Harm::None {
            mended.push((out.len(), edit.harm));
        }
        match edit.what {
            Change::Insert(it) => {
                added.push((out.len(), it.len()));
                out.push_str(&it);
            }
            Change::Replace(it) => {
                out.push(it);
                done += 1;
            }
        }
    }
    out.push_str(&text[done..]);
    (out, added, mended)
}

struct Open {
    at: usize,
    byte: u8,
    /// Width of the white space before the line it stands on.
    indent: usize,
    line: usize,
}

struct Scan<'t> {
    text: &'t str,
    bytes: &'t [u8],
    place: &'t Place,
    stack: Vec<Open>,
    errors: Vec<Diagnostic>,
    edits: Vec<Edit>,
    /// How many blocks seem to lack their end, and how many ends their block.
    missing: usize,
    excess: usize,
    /// Whether the text is indented at all; if not, indentation tells nothing.
    is_indented: bool,
    /// The line at hand, from 0, and the width of the white space before it.
    line: usize,
    indent: usize,
    /// Behind the last byte of code so far, and behind its line.
    code_end: usize,
    code_line_end: usize,
    /// The width of the white space before that line.
    code_indent: usize,
}

impl<'t> Scan<'t> {
    fn new(text: &'t str, place: &'t Place) -> Scan<'t> {
        let (missing, excess) = count_braces(text.as_bytes());
        Scan {
            text,
            bytes: text.as_bytes(),
            place,
            stack: Vec::new(),
            errors: Vec::new(),
            edits: Vec::new(),
            missing,
            excess,
            is_indented: text.contains("\n ") || text.contains("\n\t"),
            line: 0,
            indent: 0,
            code_end: 0,
            code_line_end: 0,
            code_indent: 0,
        }
    }

    fn run(&mut self) -> Option<Diagnostic> {
        let mut start = 0;
        while start < self.bytes.len() && self.edits.len() <= MAX_EDITS {
            let end = quotes::line_end(self.bytes, start);
            self.indent = indent(self.bytes, start);
            if let Some(too_deep) = self.read_line(start + self.indent, end) {
                return Some(too_deep);
            }
            self.line += 1;
            start = end + 1;
        }
        self.end();
        None
    }

    /// Reads a line from its first byte that is no white space.
    fn read_line(&mut self, start: usize, end: usize) -> Option<Diagnostic> {
        if start >= end || matches!(self.bytes[start], b'#' | b'\r') {
            return None;
        }
        self.begin_line(start, end);
        let missing = quotes::missing(&self.text[start..end]);
        let (unclosed, unopened) = match missing {
            Some(Missing::Close(at)) => (Some(start + at), None),
            Some(Missing::Open(from, to)) => (None, Some((start + from, start + to))),
            None => (None, None),
        };
        let mut at = start;
        while at < end && self.edits.len() <= MAX_EDITS {
            let byte = self.bytes[at];
            match byte {
                _ if unopened.is_some_and(|(from, _)| from == at) => {
                    at = self.open_string(unopened.unwrap_or((at, at)))
                }
                b'#' => break,
                b'"' if unclosed == Some(at) => at = self.close_string(at, end),
                b'"' => at = quotes::string_end(self.bytes, at).unwrap_or(end) - 1,
                b'{' | b'(' | b'[' => {
                    while byte == b'{' && self.stack.last().is_some_and(|open| open.byte != b'{') {
                        self.close_bracket();
                    }
                    if self.stack.len() >= MAX_DEPTH {
                        return Some(too_deep(self.place, at));
                    }
                    self.stack.push(Open { at, byte, indent: self.indent, line: self.line });
                }
                b'}' => self.close_block(at, at == start),
                b')' | b']' => self.close_round(at, byte, end),
                _ => {}
            }
            if !self.bytes[at].is_ascii_whitespace() {
                self.code_end = at + 1;
                self.code_line_end = end;
                self.code_indent = self.indent;
            }
            at += 1;
        }
        None
    }

    /// What a new line says of what is still open.
    fn begin_line(&mut self, start: usize, end: usize) {
        let line = &self.text[start..end];
        let opens = self.code_end > 0 && !matches!(self.bytes[self.code_end - 1], b'{' | b'(' | b'[' | b',');
        let in_block = self.stack.last().is_none_or(|open| open.byte == b'{');
        if self.excess > 0 && opens && in_block && self.indent > self.code_indent {
            return self.open_block();
        }
        if line.starts_with(['}', ')', ']']) {
            return;
        }
        let declares = self.indent == 0 && declares(line.as_bytes());
        while let Some(open) = self.stack.last() {
            let outside = self.indent <= open.indent;
            match open.byte {
                b'{' if declares => self.add_brace(Some((start, end)), "this stands at the top of a file"),
                b'{' if outside && self.missing > 0 && self.is_indented => {
                    self.add_brace(Some((start, end)), "the indentation suggests that it ends before this")
                }
                b'(' | b'[' if outside && is_statement(line) || is_section(line) => self.close_bracket(),
                _ => break,
            }
        }
    }

    /// Adds the end of the innermost block, before the line `next` or at the end of the code so far.
    fn add_brace(&mut self, next: Option<(usize, usize)>, why: &str) {
        let Some(open) = self.stack.pop() else { return };
        self.missing = self.missing.saturating_sub(1);
        let one_line = quotes::line_end(self.bytes, open.at) == self.code_line_end && self.code_end > open.at + 1;
        let (at, text) = match one_line {
            true => (self.code_end, " }".to_string()),
            false => (self.code_line_end, format!("\n{}}}", " ".repeat(open.indent))),
        };
        self.edits.push(Edit { at: self.code_end, what: Change::Insert("\n}\n".to_string()), harm: Harm::None });
        let mut error = Diagnostic::error("unclosed-block", "this block is never closed")
            .label(self.place.span(open.at, open.at + 1), "`{` without its `}`");
        if let Some((start, end)) = next {
            let end = start + self.text[start..end].trim_end().len();
            error = error.label(self.place.span(start, end), why);
        }
        let help = if one_line { "add `}` at the end of the line" } else { "add `}` on a line of its own" };
        self.errors.push(error.help(help).fix("add `}`", self.place.span(at, at), text));
    }

    /// Adds the beginning of a block at the end of the code so far: what follows is indented more.
    fn open_block(&mut self) {
        let at = self.code_end;
        self.excess -= 1;
        self.edits.push(Edit { at, what: Change::Insert(" {".to_string()), harm: Harm::None });
        self.stack.push(Open { at, byte: b'{', indent: self.code_indent, line: self.line - 1 });
        let span = self.place.span(at, at);
        let last = self.text[..at].char_indices().next_back().map_or(at, |(last, _)| last);
        self.errors.push(
            Diagnostic::error("unopened-block", "this block is never opened")
                .label(self.place.span(last, at), "expected `{` behind this: the next line is indented more")
                .help("add `{` at the end of the line")
                .fix("add `{`", span, " {"),
        );
    }

    /// Adds the beginning of the string that is closed at the second offset; returns that.
    fn open_string(&mut self, (start, end): (usize, usize)) -> usize {
        self.edits.push(Edit { at: start, what: Change::Insert("\"".to_string()), harm: Harm::Mended });
        self.errors.push(
            Diagnostic::error("unclosed-string", "this string is never opened")
                .label(self.place.span(start, end + 1), "no `\"` before its text")
                .help("add `\"` in front of it")
                .fix("open the string", self.place.span(start, start), "\""),
        );
        end
    }

    /// Adds the end of the innermost parenthesis or bracket behind the code so far.
    fn close_bracket(&mut self) {
        let Some(open) = self.stack.pop() else { return };
        let close = closer(open.byte);
        let at = self.label_end(open.at).unwrap_or(self.code_end);
        let span = self.place.span(at, at);
        self.edits.push(Edit { at, what: Change::Insert(close.to_string()), harm: Harm::Mended });
        let opened = open.byte as char;
        self.errors.push(
            Diagnostic::error("unclosed-bracket", format!("this `{opened}` is never closed"))
                .label(self.place.span(open.at, open.at + 1), format!("`{opened}` without its `{close}`"))
                .help(format!("add `{close}` at the end of the value"))
                .fix(format!("add `{close}`"), span, close.to_string()),
        );
    }

    /// Where the labels of a statement end in which a parenthesis is open: before its `=`.
    fn label_end(&self, open: usize) -> Option<usize> {
        let start = quotes::line_start(self.bytes, open);
        let inside = &self.text[open..self.code_end.max(open)];
        let end = inside.find(" = ").filter(|_| !self.text[start..open].contains(" = "))?;
        (!inside[..end].contains(['\n', '"'])).then_some(open + end)
    }

    /// Adds the end of the string that begins at `start`; returns the offset of its last byte.
    fn close_string(&mut self, start: usize, end: usize) -> usize {
        let open: Vec<u8> = self.stack.iter().map(|it| it.byte).collect();
        let stop = start + quotes::probable_end(&self.text[start..end], &open);
        self.edits.push(Edit { at: stop, what: Change::Insert("\"".to_string()), harm: Harm::Mended });
        self.errors.push(
            Diagnostic::error("unclosed-string", "this string is never closed")
                .label(self.place.span(start, stop), "no `\"` before the end of the line")
                .help("add `\"`; a string stays on one line, `\\n` in it begins a new one")
                .fix("close the string", self.place.span(stop, stop), "\""),
        );
        stop - 1
    }

    /// A `}`.
    fn close_block(&mut self, at: usize, begins_line: bool) {
        while self.stack.last().is_some_and(|open| open.byte != b'{') {
            self.close_bracket();
        }
        // Blocks that are indented more than this brace lack theirs, if any does.
        while begins_line && self.missing > 0 && self.stack.last().is_some_and(|open| self.indent < open.indent) {
            let belongs = self.stack.iter().any(|open| open.byte == b'{' && open.indent == self.indent);
            if !belongs {
                break;
            }
            self.add_brace(Some((at, at + 1)), "the indentation suggests that this closes the block around it");
        }
        let Some(open) = self.stack.last() else { return self.stray(at, "no block is open here") };
        if self.excess > 0 && open.line < self.line {
            if !begins_line {
                return self.stray(at, "no `{` on this line");
            }
            if self.indent > open.indent {
                return self.stray(at, "the indentation suggests that the block is closed already");
            }
        }
        self.stack.pop();
    }

    /// A `)` or `]`.
    fn close_round(&mut self, at: usize, byte: u8, end: usize) {
        let partner = opener(byte);
        let mut inside = self.stack.iter().rev().take_while(|open| open.byte != b'{');
        let Some(depth) = inside.position(|open| open.byte == partner) else {
            // Where what is open is closed later on the line, this one lacks its partner.
            let rest = &self.text[at + 1..end];
            return match self.stack.last() {
                Some(open) if open.byte != b'{' && !closes_later(rest, open.byte) => self.mistaken(at, byte),
                _ => self.stray(at, "nothing is open here"),
            };
        };
        for _ in 0..depth {
            self.close_bracket();
        }
        self.stack.pop();
    }

    /// A `)` where `]` is meant, or the other way round.
    fn mistaken(&mut self, at: usize, byte: u8) {
        let Some(open) = self.stack.pop() else { return };
        let (opened, found, close) = (open.byte as char, byte as char, closer(open.byte));
        self.edits.push(Edit { at, what: Change::Replace(close), harm: Harm::Mended });
        let span = self.place.span(at, at + 1);
        self.errors.push(
            Diagnostic::error("unclosed-bracket", format!("`{opened}` is closed by `{close}`, not by `{found}`"))
                .label(span, format!("not `{close}`"))
                .label(self.place.span(open.at, open.at + 1), "opened here")
                .help(format!("write `{close}`"))
                .fix(format!("write `{close}`"), span, close.to_string()),
        );
    }

    /// A bracket that closes nothing.
    fn stray(&mut self, at: usize, why: &str) {
        let byte = self.bytes[at] as char;
        let span = self.place.span(at, at + 1);
        self.excess = self.excess.saturating_sub(usize::from(byte == '}'));
        // A brace at the start of a line stands between statements; one in a line has lost its partner there.
        let begins_line = self.text[..at].trim_end_matches([' ', '\t']).ends_with('\n');
        let harm = match byte {
            '}' if begins_line => Harm::None,
            '}' => Harm::Lost,
            _ => Harm::Mended,
        };
        self.edits.push(Edit { at, what: Change::Replace(' '), harm });
        self.errors.push(
            Diagnostic::error("stray-brace", format!("this `{byte}` closes nothing"))
                .label(span, why)
                .help("delete it, or add the missing opening bracket before it")
                .fix(format!("delete `{byte}`"), span, ""),
        );
    }

    /// What is open at the end of the file: most probably the file ends too early.
    fn end(&mut self) {
        match self.stack.as_slice() {
            [] => return,
            [open] if open.byte == b'{' => return self.add_brace(None, ""),
            [_] => return self.close_bracket(),
            _ => {}
        }
        let open: Vec<Open> = std::mem::take(&mut self.stack);
        let mut error = Diagnostic::error("unclosed-block", "the file ends where more is needed");
        let mut added = String::new();
        for open in open.iter().rev() {
            added.push_str(if open.byte == b'{' { "\n" } else { "" });
            added.push(closer(open.byte));
        }
        for open in open.iter().rev().take(4) {
            let text = format!("`{}` without its `{}`", open.byte as char, closer(open.byte));
            error = error.label(self.place.span(open.at, open.at + 1), text);
        }
        let harm = if open.last().is_some_and(|it| it.byte == b'{') { Harm::None } else { Harm::Lost };
        self.errors.push(error.help("is the end of the file missing? Otherwise close what is open"));
        self.edits.push(Edit { at: self.code_end, what: Change::Insert(added + "\n"), harm });
    }
}

/// How many `{` have no `}`, and how many `}` no `{`.
fn count_braces(bytes: &[u8]) -> (usize, usize) {
    let (mut open, mut missing, mut excess) = (0usize, 0, 0);
    let mut at = 0;
    while at < bytes.len() {
        if (at == 0 || bytes[at - 1] == b'\n') && declares(&bytes[at..]) {
            missing += std::mem::take(&mut open);
        }
        match bytes[at] {
            b'#' => at = quotes::line_end(bytes, at) - 1,
            // What a string that does not end holds may be meant as code: count only what stands before it.
            b'"' => at = quotes::string_end(bytes, at).map_or_else(|| unclosed_tail(bytes, at), |end| end - 1),
            b'{' => open += 1,
            b'}' if open > 0 => open -= 1,
            b'}' => excess += 1,
            _ => {}
        }
        at += 1;
    }
    (missing + open, excess)
}

/// Before the closing brackets at the end of the line, or before the end of the line.
fn unclosed_tail(bytes: &[u8], start: usize) -> usize {
    let end = quotes::line_end(bytes, start);
    let tail = bytes[start..end].iter().rev().take_while(|it| matches!(it, b'}' | b')' | b']' | b' ' | b'\r')).count();
    end - tail.min(end - start - 1) - 1
}

/// Whether what is open is closed in this rest of a line.
fn closes_later(rest: &str, open: u8) -> bool {
    let (mut depth, mut in_string) = (1, false);
    for byte in rest.bytes() {
        match byte {
            b'"' => in_string = !in_string,
            _ if in_string => {}
            byte if byte == open => depth += 1,
            b')' | b']' if opener(byte) == open => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return true;
        }
    }
    false
}

/// Whether a line looks like a statement of its own, and not like the next element of a list.
fn is_statement(line: &str) -> bool {
    let word = line.len() - line.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "._-".contains(c)).len();
    let rest = line[word..].trim_start();
    let is_element = rest.is_empty() || rest.starts_with([',', ')', ']', ':', '#', '(']) || rest.starts_with("==");
    word > 0 && line.starts_with(|c: char| c.is_ascii_alphabetic()) && !is_element && rest.len() < line.len() - word
}

/// Whether a line opens a block.
fn is_section(line: &str) -> bool {
    line.starts_with(|c: char| c.is_ascii_alphabetic()) && line.trim_end().ends_with('{')
}

fn closer(byte: u8) -> char {
    match byte {
        b'{' => '}',
        b'(' => ')',
        _ => ']',
    }
}

fn too_deep(place: &Place, at: usize) -> Diagnostic {
    Diagnostic::error("nested-too-deep", format!("brackets are nested more than {MAX_DEPTH} deep"))
        .label(place.span(at, at + 1), "one level too many")
        .help("policies need four or five levels; move parts into profiles")
}

fn indent(bytes: &[u8], start: usize) -> usize {
    bytes[start..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}
