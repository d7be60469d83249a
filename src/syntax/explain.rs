//! What is wrong with a line that the grammar cannot read, in the user's words and not the grammar's.

use pest::Parser;
use pest::error::{Error, ErrorVariant, InputLocation};

use super::parse::{Grammar, Place, Rule};
use crate::report::Diagnostic;

/// Findings for one piece of junk, `start..end` of the text.
pub(super) fn junk(text: &str, place: Place, start: usize, end: usize) -> Vec<Diagnostic> {
    let piece = &text[start..end];
    if let Some(finding) = characters(piece, place, start) {
        return vec![finding];
    }
    if let Some(finding) = reserved(piece, place, start) {
        return vec![finding];
    }
    if let Some(finding) = unclosed_string(piece, place, start) {
        return vec![finding];
    }
    match Grammar::parse(Rule::only_item, piece) {
        Err(error) => {
            vec![several(piece, place, start, &error).unwrap_or_else(|| describe(text, place, start, &error))]
        }
        // Two statements without anything between them: each could be read, and neither ends the line.
        Ok(_) => vec![
            Diagnostic::error("syntax", "this line cannot be read")
                .label(place.span(start, end), "no statement")
                .help("write one statement a line"),
        ],
    }
}

/// A text that could not be read at all, or a value that stands alone.
pub(super) fn failure(text: &str, place: Place, error: &Error<Rule>) -> Diagnostic {
    if let ErrorVariant::CustomError { .. } = error.variant {
        return Diagnostic::error("nested-too-deep", "this text is nested too deep to be read")
            .label(place.span(0, text.lines().next().map_or(0, str::len)), "in this file")
            .help("policies need four or five levels; move parts into profiles");
    }
    describe(text, place, 0, error)
}

/// Characters that no statement holds, most of them put there by a word processor.
fn characters(piece: &str, place: Place, start: usize) -> Option<Diagnostic> {
    let mut in_string = false;
    let mut escaped = false;
    for (at, found) in piece.char_indices() {
        match found {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            '#' if !in_string => return None,
            _ if in_string => {}
            '\u{201c}' | '\u{201d}' | '\u{2018}' | '\u{2019}' | '\'' | '`' => {
                let span = place.span(start + at, start + at + found.len_utf8());
                let finding =
                    Diagnostic::error("unexpected-character", format!("`{found}` is no quote of this language"));
                return Some(
                    finding.label(span, "strings stand between straight double quotes").help("write `\"`").fix(
                        "write `\"`",
                        span,
                        "\"",
                    ),
                );
            }
            ';' => {
                let span = place.span(start + at, start + at + 1);
                return Some(
                    Diagnostic::error("several-statements", "a statement ends with its line, not with `;`")
                        .label(span, "not needed here")
                        .help("delete `;`, and write the next statement on a line of its own")
                        .fix("begin a new line", span, if piece[at + 1..].trim().is_empty() { "" } else { "\n" }),
                );
            }
            _ if found.is_control() && !found.is_whitespace() || !found.is_ascii() => {
                let span = place.span(start + at, start + at + found.len_utf8());
                let shown = found.escape_default();
                return Some(
                    Diagnostic::error(
                        "unexpected-character",
                        format!("`{shown}` has no meaning outside strings and comments"),
                    )
                    .label(span, "this character")
                    .help(
                        "names are ASCII letters, digits, `_` and `-`; put other text and paths with it between quotes",
                    ),
                );
            }
            _ => {}
        }
    }
    None
}

/// Words that are kept for later.
fn reserved(piece: &str, place: Place, start: usize) -> Option<Diagnostic> {
    let word = first_word(piece);
    if !["test", "expect", "rule"].contains(&word) {
        return None;
    }
    Some(
        Diagnostic::error("reserved-word", format!("`{word}` is reserved for a later edition"))
            .label(place.span(start, start + word.len()), "cannot be used yet")
            .help("use another name"),
    )
}

fn first_word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').unwrap_or(text.len());
    &text[..end]
}

fn unclosed_string(piece: &str, place: Place, start: usize) -> Option<Diagnostic> {
    let mut base = 0;
    for line in piece.split_inclusive('\n') {
        let (mut open, mut escaped) = (None, false);
        for (at, byte) in line.bytes().enumerate() {
            match (byte, open) {
                _ if escaped => escaped = false,
                (b'\\', Some(_)) => escaped = true,
                (b'"', None) => open = Some(at),
                (b'"', Some(_)) => open = None,
                (b'#', None) => break,
                _ => {}
            }
        }
        if let Some(at) = open {
            let end = start + base + line.trim_end().len();
            return Some(
                Diagnostic::error("unclosed-string", "this string is never closed")
                    .label(place.span(start + base + at, end), "no `\"` before the end of the line")
                    .help("add `\"`; a string stays on one line, `\\n` in it begins a new one")
                    .fix("close the string", place.span(end, end), "\""),
            );
        }
        base += line.len();
    }
    None
}

/// A line that begins with a whole statement and goes on with another.
fn several(piece: &str, place: Place, start: usize, error: &Error<Rule>) -> Option<Diagnostic> {
    let InputLocation::Pos(at) = error.location else { return None };
    let head = piece.get(..at)?.trim_end();
    let rest = piece.get(at..)?;
    let word = first_word(rest);
    let is_whole = !head.is_empty() && Grammar::parse(Rule::only_item, head).is_ok();
    if word.is_empty() || !is_whole || !rest[word.len()..].trim_start().starts_with(['=', '{']) && !rest.contains('=') {
        return None;
    }
    Some(
        Diagnostic::error("several-statements", "there are two statements on one line")
            .label(place.span(start + at, start + at + word.len()), "the second one begins here")
            .help("write each statement on a line of its own"),
    )
}

/// The position of an error, what stands there, and what could.
fn describe(text: &str, place: Place, base: usize, error: &Error<Rule>) -> Diagnostic {
    let at = base
        + match error.location {
            InputLocation::Pos(at) => at,
            InputLocation::Span((at, _)) => at,
        };
    let rest = text.get(at..).unwrap_or("");
    let word = first_word(rest);
    let token = match word {
        "" => rest.chars().next().map_or("", |c| &rest[..c.len_utf8()]),
        word => word,
    };
    let expected = expected(error);
    let message = match token {
        "" => "the text ends where more is needed".to_string(),
        "\n" | "\r" => "the line ends where more is needed".to_string(),
        token => format!("unexpected `{token}`"),
    };
    let end = at + if token == "\n" || token == "\r" { 0 } else { token.len() };
    // An empty place at the end of a text cannot be underlined; the character before it can.
    let begin = if end == at { text[..at].char_indices().next_back().map_or(at, |(before, _)| before) } else { at };
    let finding = Diagnostic::error("syntax", message);
    let finding = match expected.as_str() {
        "" => finding.label(place.span(begin, end.max(begin)), "here"),
        expected => finding.label(place.span(begin, end.max(begin)), format!("expected {expected}")),
    };
    finding.help(hint(token))
}

fn hint(token: &str) -> &'static str {
    match token {
        "=" => "a statement is `NAME LABELS = VALUE`, one a line",
        "," => "commas stand between the elements of lists and the arguments in parentheses, nowhere else",
        ":" => "a setting is written with `=`; `:` stands in arguments, `tmpfs(size: 64MiB)`, and in types",
        _ => "a statement is `NAME LABELS = VALUE { … }`, one a line",
    }
}

/// What could have stood there, in words.
fn expected(error: &Error<Rule>) -> String {
    let ErrorVariant::ParsingError { positives, .. } = &error.variant else { return String::new() };
    let mut words: Vec<&str> = positives.iter().filter_map(|rule| friendly(*rule)).collect();
    words.sort_unstable();
    words.dedup();
    match words.as_slice() {
        [] => String::new(),
        [one] => (*one).to_string(),
        // Where nearly everything may stand, a list of it helps nobody.
        [.., last] if words.len() <= 4 => {
            format!("{} or {last}", words[..words.len() - 1].join(", "))
        }
        _ => String::new(),
    }
}

/// What a rule is called in messages; `None` for rules that are never worth naming.
fn friendly(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::word | Rule::dotted => "a name",
        Rule::type_expr | Rule::type_list => "a type",
        Rule::list | Rule::variant | Rule::address | Rule::port | Rule::quantity | Rule::int | Rule::path => "a value",
        Rule::string | Rule::reference | Rule::boolean | Rule::symbol | Rule::setref => "a value",
        Rule::block => "`{`",
        Rule::compare_op => "a comparison such as `==` or `in`",
        Rule::cond | Rule::all_of | Rule::negated | Rule::compare | Rule::masked => "a condition",
        Rule::kw_with | Rule::withs => "`with`",
        Rule::kw_in => "`in`",
        Rule::kw_group => "`group`",
        Rule::module => "a module such as `std/service` or `./common.nsl`",
        Rule::params | Rule::args => "`(`",
        Rule::arg => "an argument",
        Rule::param => "a parameter",
        Rule::instance => "a profile",
        Rule::statement | Rule::decl => "a statement",
        _ => return None,
    })
}
