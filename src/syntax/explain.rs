//! What is wrong with a line that the grammar cannot read, in the user's words and not the grammar's.

use pest::Parser;
use pest::error::{Error, ErrorVariant, InputLocation};

use super::expected::expected;
use super::parse::{Grammar, Rule};
use super::place::Place;
use super::{characters, slips};
use crate::report::Diagnostic;

/// A line that begins with no item: from `start` to `end`, where its block begins if it has one.
pub(super) fn line(text: &str, place: &Place, start: usize, end: usize, has_block: bool) -> Diagnostic {
    let head = &text[start..end];
    if let Some(finding) = characters::unexpected(head, place, start).or_else(|| word_at_start(head, place, start)) {
        return finding;
    }
    // With its `{`, the head of a block can fail there.
    let piece = if has_block { &text[start..(text[end..].find('{').map_or(end, |at| end + at + 1))] } else { head };
    match Grammar::parse(Rule::only_item, piece) {
        Err(error) => Spot::new(text, place, start, start + piece.len(), position(&error)).finding(&expected(&error)),
        Ok(_) => unreadable(place, start, end),
    }
}

/// An item from `start` to `rest`, and what follows it up to `end`.
pub(super) fn rest(text: &str, place: &Place, start: usize, rest: usize, end: usize) -> Diagnostic {
    let piece = &text[start..end];
    if let Some(finding) = characters::unexpected(piece, place, start) {
        return finding;
    }
    let spot = |at: usize| Spot::new(text, place, start, end, at);
    match Grammar::parse(Rule::only_item, piece) {
        Err(error) if position(&error) > rest - start => spot(position(&error)).finding(&expected(&error)),
        _ => spot(rest - start).finding("the end of the line"),
    }
}

/// What follows a block on its line, from `start` to `end`.
pub(super) fn behind_block(text: &str, place: &Place, start: usize, end: usize) -> Diagnostic {
    let piece = &text[start..end];
    if let Some(finding) = characters::unexpected(piece, place, start) {
        return finding;
    }
    match first_word(piece) {
        "" => {}
        "else" => {
            if let Err(error) = Grammar::parse(Rule::only_else, piece)
                && position(&error) > 4
            {
                return Spot::new(text, place, start, end, position(&error)).finding(&expected(&error));
            }
        }
        word => {
            return Diagnostic::error("several-statements", "there are two statements on one line")
                .label(place.span(start, start + word.len()), "the second one begins here")
                .help("write each statement on a line of its own");
        }
    }
    Spot::new(text, place, start, end, 0).finding("the end of the line")
}

/// A value that stands alone, and cannot be read.
pub(super) fn value(text: &str, place: &Place, error: &Error<Rule>) -> Diagnostic {
    if let ErrorVariant::CustomError { .. } = error.variant {
        return failure(text, place, error);
    }
    if let Some(finding) = characters::unexpected(text, place, 0) {
        return finding;
    }
    let quoted = format!("\"{}\"", text.trim().replace('\\', "\\\\").replace('"', "\\\""));
    let finding = Spot::new(text, place, 0, text.len(), position(error)).finding(&expected(error));
    finding.help(format!("one value is wanted; text with spaces stands between quotes: {quoted}"))
}

/// A text that could not be read at all: a limit of the parser was reached.
pub(super) fn failure(text: &str, place: &Place, error: &Error<Rule>) -> Diagnostic {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    let end = text[at..].char_indices().nth(1).map_or(text.len(), |(next, _)| at + next);
    Diagnostic::error("nested-too-deep", "this text is too intricate to be read")
        .label(place.span(at, end), "given up here")
        .help("policies need four or five levels; move parts into profiles")
}

/// A line of which nothing better can be said.
pub(super) fn unreadable(place: &Place, start: usize, end: usize) -> Diagnostic {
    Diagnostic::error("syntax", "this line cannot be read").label(place.span(start, end), "no statement").help(SHAPE)
}

fn position(error: &Error<Rule>) -> usize {
    match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    }
}

const SHAPE: &str = "a statement is `NAME LABELS = VALUE { … }`, one a line";

/// What can be said from the first word, or the first characters.
fn word_at_start(head: &str, place: &Place, start: usize) -> Option<Diagnostic> {
    let word = first_word(head);
    let span = place.span(start, start + word.len().max(1));
    let error = |code, message: &str| Diagnostic::error(code, message);
    Some(match word {
        _ if is_reserved(head) => {
            Diagnostic::error("reserved-word", format!("`{word}` is reserved for a later edition"))
                .label(span, "cannot be used yet")
                .help("use another name")
        }
        "else" => error("syntax", "there is no `if` that this `else` belongs to")
            .label(span, "an `else` follows the `}` of an `if`, on its line")
            .help("write `} else {`"),
        "with" => error("syntax", "`with` begins no statement")
            .label(span, "stands behind the name of a declaration")
            .help("write `sandbox NAME with PROFILE { … }`"),
        "" | "--" if ["//", "/*", "--"].into_iter().any(|it| head.starts_with(it)) => {
            let mark = place.span(start, start + 2);
            let finding = error("syntax", "this begins no comment in this language").label(mark, "no comment");
            let finding = finding.help("comments begin with `#` and end with the line");
            if head.starts_with("/*") { finding } else { finding.fix("write `#`", mark, "#") }
        }
        "" if head.starts_with([';', ',']) => error("several-statements", "a line begins with no separator")
            .label(span, "nothing stands before it")
            .help("statements end with their lines, and comments begin with `#`"),
        _ => return None,
    })
}

/// Whether a line begins with a word that is kept for later.
pub(super) fn is_reserved(head: &str) -> bool {
    matches!(first_word(head), "test" | "expect" | "rule")
}

/// How an item is written that begins with this word.
fn shape(word: &str) -> &'static str {
    match word {
        "use" => "write `use std/service` or `use ./common.nsl as common`",
        "param" => "write `param NAME: TYPE` or `param NAME: TYPE = DEFAULT`",
        "let" => "write `let NAME = VALUE`",
        "profile" => "write `profile NAME { … }` or `profile NAME(PARAMETER: TYPE) { … }`",
        "sandbox" => "write `sandbox NAME { … }` or `sandbox NAME with PROFILE { … }`",
        "pod" => "write `pod NAME { … }`",
        "container" => "write `container NAME { … }` or `container NAME with PROFILE { … }`",
        "syscalls" => "write `syscalls group NAME { read write @file }`",
        "if" => "write `if CONDITION { … }` or `if CONDITION { … } else { … }`",
        "for" => "write `for NAME in LIST { … }`",
        "require" => "write `require CONDITION, \"MESSAGE\"`",
        _ => SHAPE,
    }
}

/// The word at the start of a text; empty if there is none.
pub(super) fn first_word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').unwrap_or(text.len());
    &text[..end]
}

/// Where the grammar gave up, and what is around it.
struct Spot<'t> {
    place: &'t Place,
    text: &'t str,
    /// The line up to the spot, without white space at its end.
    before: &'t str,
    /// The spot, and the end of the token there.
    start: usize,
    end: usize,
    /// The word with which the item begins.
    first: &'t str,
}

impl<'t> Spot<'t> {
    /// A spot `at` bytes behind `start`, in a line up to `end`.
    fn new(text: &'t str, place: &'t Place, start: usize, end: usize, at: usize) -> Spot<'t> {
        // What is to be blamed stands behind the white space.
        let at = (start + at).min(end);
        let gap = text[at..end].len() - text[at..end].trim_start_matches([' ', '\t', '\r']).len();
        let at = at + gap;
        let length = if at < end { token(&text[at..end]) } else { 0 };
        Spot {
            place,
            text,
            before: text[start..at].trim_end(),
            start: at,
            end: at + length,
            first: first_word(&text[start..]),
        }
    }

    fn token(&self) -> &'t str {
        &self.text[self.start..self.end]
    }

    fn finding(&self, expected: &str) -> Diagnostic {
        self.known().unwrap_or_else(|| self.unknown(expected))
    }

    /// Mistakes that have a better word than what the grammar expects.
    fn known(&self) -> Option<Diagnostic> {
        let token = self.token();
        let error = |message: &str| Diagnostic::error("syntax", message);
        let before = self.before.split_whitespace().count();
        Some(match (self.first, token) {
            (_, "else") => error("there is no `if` that this `else` belongs to")
                .label(self.visible(), "not behind an `if`")
                .help(shape("if")),
            ("let", ":") => error("a `let` has no type: that of its value is known")
                .label(self.visible(), "no type here")
                .help(shape("let")),
            ("syscalls", "=") => {
                error("a group is a block").label(self.visible(), "expected `{`").help(shape("syscalls"))
            }
            ("param", "=" | "") if before == 2 => {
                error("a parameter has a type").label(self.visible(), "expected `:` and a type").help(shape("param"))
            }
            ("require", token) if before > 1 && (token.is_empty() || token.starts_with('"')) => {
                error("a requirement has a message")
                    .label(self.visible(), "expected `,` and the message")
                    .help(shape("require"))
            }
            (_, "") if self.before.ends_with('=') => error("a value is missing")
                .label(self.visible(), "nothing follows the `=`")
                .help("write the value behind it"),
            (_, "{") if self.before.ends_with('=') => error("a block is no value")
                .label(self.visible(), "expected a value")
                .help("a list is `[a, b]`; a block stands behind its name, without `=`"),
            (_, "[") if !self.before.contains('=') && before > 0 => error("a value is set with `=`")
                .label(self.visible(), "expected `=` before this")
                .help("write `NAME = [a, b]`")
                .fix("write `=`", self.place.span(self.start, self.start), "= "),
            (_, "'" | "`") => {
                Diagnostic::error("unexpected-character", format!("`{token}` is no quote of this language"))
                    .label(self.visible(), "strings stand between straight double quotes")
                    .help("write the text between `\"`")
            }
            (_, ";") if self.is_inside() => error("elements are separated by `,`, not by `;`")
                .label(self.visible(), "not here")
                .help("write `,`")
                .fix("write `,`", self.visible(), ","),
            _ => return self.spaced().or_else(|| self.arithmetic()),
        })
    }

    /// `64 MiB`, `443 / tcp`
    fn spaced(&self) -> Option<Diagnostic> {
        let (start, end) = slips::spaced_value(self.text, self.start)?;
        Some(slips::spaces(self.place.span(start, end), &self.text[start..end]))
    }

    fn arithmetic(&self) -> Option<Diagnostic> {
        let follows_value = self.text[..self.start].ends_with(' ') && !self.before.ends_with(['=', ',', '(', '[', '{']);
        (follows_value && matches!(self.token(), "+" | "-" | "*" | "/" | "%")).then(|| {
            Diagnostic::error("syntax", "there is no arithmetic in this language")
                .label(self.visible(), "an operator")
                .help("write the result, so that a reviewer need not compute it")
        })
    }

    /// Whether the spot lies inside parentheses or brackets.
    fn is_inside(&self) -> bool {
        let count = |open, close| self.before.matches(open).count() > self.before.matches(close).count();
        count('[', ']') || count('(', ')')
    }

    fn unknown(&self, expected: &str) -> Diagnostic {
        let message = match self.token() {
            "" => "the line ends too early".to_string(),
            token => format!("unexpected `{}`", shortened(token)),
        };
        let is_instance = self.before.ends_with("with") || self.before.ends_with(',') && self.before.contains(" with ");
        let expected = if expected == "a name" && is_instance { "a profile" } else { expected };
        let label = match expected {
            "" if self.before.is_empty() => "a statement begins with a name".to_string(),
            "" => "not here".to_string(),
            expected => format!("expected {expected}"),
        };
        let help = match expected {
            "the end of the line" if self.before.contains('=') => {
                "a statement has one value; several stand in a list: `[a, b]`"
            }
            _ => shape(self.first),
        };
        Diagnostic::error("syntax", message).label(self.visible(), label).help(help)
    }

    /// The token, or the last character before the end of the line, as nothing cannot be underlined.
    fn visible(&self) -> crate::source::Span {
        if self.end > self.start {
            return self.place.span(self.start, self.end);
        }
        let end = self.start - (self.text[..self.start].len() - self.text[..self.start].trim_end().len());
        let start = self.text[..end].char_indices().next_back().map_or(end, |(at, _)| at);
        self.place.span(start, end)
    }
}

/// The length of the token at the start of a text that is not empty.
fn token(text: &str) -> usize {
    let run = |keep: fn(char) -> bool| text.find(|it: char| !keep(it)).unwrap_or(text.len());
    let first = text.chars().next().map_or(0, char::len_utf8);
    match text.as_bytes()[0] {
        b'"' => super::quotes::string_end(text.as_bytes(), 0).unwrap_or(text.len()),
        b'$' | b'@' => {
            first
                + text[1..]
                    .find(|it: char| !it.is_ascii_alphanumeric() && !"_-.".contains(it))
                    .unwrap_or(text.len() - 1)
        }
        b'/' | b'.' => run(|it| it.is_ascii_alphanumeric() || "_-./".contains(it)).max(first),
        byte if byte.is_ascii_digit() => run(|it| it.is_ascii_alphanumeric() || "_-.:/%".contains(it)),
        byte if byte.is_ascii_alphabetic() => run(|it| it.is_ascii_alphanumeric() || it == '_' || it == '-'),
        b'=' | b'<' | b'>' | b'!' | b'&' | b'|' => run(|it| "=<>!&|".contains(it)),
        _ => first,
    }
}

/// A long token, cut in its middle.
fn shortened(token: &str) -> String {
    match token.char_indices().nth(30) {
        Some((at, _)) if token.len() > at + 3 => format!("{}…", &token[..at]),
        _ => token.to_string(),
    }
}
