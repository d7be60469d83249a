//! What people write by mistake and the grammar reads all the same: each slip costs one finding, and no statement.

use pest::iterators::Pair;

use super::ast::{ExprKind, Name, StrPart};
use super::lower::Lowering;
use super::number::Wrong;
use super::parse::Rule;
use super::quotes::line_start;
use crate::report::Diagnostic;
use crate::source::{Span, Spanned};

/// A finding whose one edit replaces the place it blames.
fn instead(cx: &mut Lowering, message: impl Into<String>, span: Span, label: &str, text: &str) {
    let finding = Diagnostic::error("syntax", message).label(span, label).help(format!("write `{text}`")).fix(
        format!("write `{text}`"),
        span,
        text,
    );
    cx.report(finding);
}

/// A second statement on the line of a first one, or what was meant to separate it from a third.
pub(super) fn crowd(cx: &mut Lowering, pair: &Pair<Rule>) {
    let mut parts = pair.clone().into_inner().filter(|it| it.as_rule() != Rule::COMMENT);
    let Some(first) = parts.next() else { return };
    let second = if first.as_rule() == Rule::separator { parts.next() } else { Some(first.clone()) };
    let Some(second) = second else {
        let (span, text) = (cx.span(&first), first.as_str());
        let finding =
            Diagnostic::error("several-statements", format!("a statement ends with its line, not with `{text}`"))
                .label(span, "not needed here")
                .help(format!("delete `{text}`"))
                .fix(format!("delete `{text}`"), span, "");
        return cx.report(finding);
    };
    let start = second.as_span().start();
    let line = &cx.text[line_start(cx.text.as_bytes(), start)..start];
    let span = cx.place.span(start, start + first_token(second.as_str()));
    let finding = Diagnostic::error("several-statements", "there are two statements on one line")
        .label(span, "the second one begins here");
    if line.matches('{').count() > line.matches('}').count() {
        let help = "a block on one line holds one statement; write each of several on a line of its own";
        return cx.report(finding.help(help));
    }
    let indent = &line[..line.len() - line.trim_start().len()];
    let gap = cx.place.span(cx.text[..pair.as_span().start()].trim_end().len(), start);
    let finding =
        finding.help("write each statement on a line of its own").fix("begin a new line", gap, format!("\n{indent}"));
    cx.report(finding);
}

/// What was probably meant by a word that begins a statement at the top of a file, where only declarations stand.
pub(super) fn declaration(word: &str) -> Option<&'static str> {
    let known = ["sandbox", "profile", "pod", "container", "param", "syscalls", "let", "use"];
    let close = |it: &&&str| it.len() > 3 && distance(word, it) <= 2;
    known.iter().filter(close).min_by_key(|it| distance(word, it)).copied()
}

/// A word that is nearly that of a declaration.
pub(super) fn misspelt(cx: &mut Lowering, word: &str, meant: &'static str, span: Span) {
    instead(cx, format!("there is no declaration `{word}`"), span, "unknown word", meant);
}

/// How many letters have to be changed, added or deleted to make one word of another.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().take(40).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in to.bytes().enumerate() {
            let best = (diagonal + usize::from(a != b)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], best);
        }
    }
    row[to.len()]
}

fn first_token(text: &str) -> usize {
    text.find(|it: char| it.is_whitespace() || "={(,;".contains(it)).unwrap_or(text.len()).max(1)
}

/// The name of a `let`, a `param`, a `for`, which stands without `$`.
pub(super) fn new_name(cx: &mut Lowering, pair: &Pair<Rule>) -> Name {
    let span = cx.span(pair);
    let name = pair.as_str();
    let Some(bare) = name.strip_prefix('$') else { return cx.name(pair) };
    instead(cx, format!("a name is declared without `$`: `{bare}`"), span, "`$` stands where it is used", bare);
    Spanned { node: bare.to_string(), span }
}

/// The name of a declaration, which stands without quotes.
pub(super) fn declared(cx: &mut Lowering, pair: &Pair<Rule>) -> Name {
    if pair.as_rule() == Rule::word {
        return cx.name(pair);
    }
    let span = cx.span(pair);
    let bare = pair.as_str().trim_matches('"').to_string();
    if is_name(&bare) {
        instead(cx, "the name of a declaration stands without quotes", span, "a string", &bare);
    } else {
        let finding = Diagnostic::error("syntax", "the name of a declaration stands without quotes")
            .label(span, "a string")
            .help("names are ASCII letters, digits, `_` and `-`, and begin with a letter");
        cx.report(finding);
    }
    Spanned { node: bare, span }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|it: char| it.is_ascii_alphabetic())
        && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_' || it == b'-')
}

/// The name of a group, which is declared without `@`.
pub(super) fn group_name(cx: &mut Lowering, pair: &Pair<Rule>) -> Name {
    let span = cx.span(pair);
    let Some(bare) = pair.as_str().strip_prefix('@') else { return cx.name(pair) };
    instead(cx, format!("a group is declared without `@`: `{bare}`"), span, "`@` stands where it is used", bare);
    Spanned { node: bare.to_string(), span }
}

/// What is no member of a group.
pub(super) fn member(cx: &mut Lowering, pair: &Pair<Rule>) {
    let span = cx.span(pair);
    let text = pair.as_str();
    let finding = Diagnostic::error("syntax", format!("`{text}` is no member of a group of system calls"))
        .label(span, "neither the name of a call nor of a group")
        .help("a group holds names of calls, such as `read`, and other groups, such as `@file`");
    let bare = text.trim_matches(['"', '\'']);
    let finding = match is_name(bare) {
        true => finding.fix(format!("write `{bare}`"), span, bare),
        false => finding,
    };
    cx.report(finding);
}

/// The module of a `use`, which stands without quotes.
pub(super) fn module(cx: &mut Lowering, pair: &Pair<Rule>) -> Name {
    let span = cx.span(pair);
    if pair.as_rule() == Rule::module {
        return cx.name(pair);
    }
    let bare = pair.as_str().trim_matches('"').to_string();
    instead(cx, "a module stands without quotes", span, "a string", &bare);
    Spanned { node: bare, span }
}

pub(super) fn unknown_edition(cx: &mut Lowering, number: &str, span: Span) {
    let message = match number {
        "" => "the edition lacks its number".to_string(),
        number => format!("this version knows no edition `{number}` of the language"),
    };
    let finding = Diagnostic::error("unknown-edition", message)
        .label(span, "the only edition is 1")
        .help("write `nsl 1`, or use a newer nsl")
        .fix("write `nsl 1`", span, "nsl 1");
    cx.report(finding);
}

pub(super) fn late_edition(cx: &mut Lowering, span: Span) {
    let finding = Diagnostic::error("syntax", "the edition is the first statement of a file")
        .label(span, "something stands before it")
        .help("move `nsl 1` to the first line");
    cx.report(finding);
}

/// A `{` on the line below.
pub(super) fn wrong_brace(cx: &mut Lowering, pair: &Pair<Rule>) {
    line_below(cx, pair, "{", "a block begins on the line of its statement");
}

/// An `else` on the line below.
pub(super) fn wrong_else(cx: &mut Lowering, pair: &Pair<Rule>) {
    line_below(cx, pair, "else", "`else` stands on the line of the `}` before it");
}

fn line_below(cx: &mut Lowering, gap: &Pair<Rule>, word: &str, message: &str) {
    let end = gap.as_span().end();
    let line = cx.text[..gap.as_span().start()].rsplit('\n').next().unwrap_or("");
    let finding = Diagnostic::error("syntax", message)
        .label(cx.place.span(end, end + word.len()), "on a line of its own")
        .help(format!("join the two lines: `… {word}`"));
    let before = cx.text[..gap.as_span().start()].trim_end().len();
    // A comment between the two would swallow what is moved behind it.
    let finding = match line.contains('#') {
        true => finding,
        false => finding.fix(format!("move `{word}` up"), cx.place.span(before, end), " "),
    };
    cx.report(finding);
}

/// The elements of a list, the arguments, the parameters; commas that are missing or left over are reported, of each kind
/// the first.
pub(super) fn commas<'p>(cx: &mut Lowering, pair: Pair<'p, Rule>, what: &str) -> Vec<Pair<'p, Rule>> {
    let (mut parts, mut missing, mut double) = (Vec::with_capacity(4), Vec::new(), None);
    for part in cx.children(pair) {
        match part.as_rule() {
            Rule::no_comma => missing.push(part.as_span().start()),
            Rule::wrong_comma => double = double.or(Some(cx.span(&part))),
            Rule::kw_with => {}
            _ => parts.push(part),
        }
    }
    let spaced = missing.first().and_then(|at| spaced_value(cx.text, *at));
    if let Some((start, end)) = spaced {
        cx.report(spaces(cx.place.span(start, end), &cx.text[start..end]));
        // Neither of the two halves is what was meant.
        parts.retain(|it| it.as_span().end() <= start || it.as_span().start() >= end);
    } else if missing.first().is_some_and(|at| !cx.text[..*at].trim_end().ends_with('\\')) {
        cx.report(no_commas(cx, &missing, what));
    }
    if let Some(span) = double {
        let finding = Diagnostic::error("syntax", "one comma too many")
            .label(span, format!("{what} are separated by one"))
            .help("delete it")
            .fix("delete `,`", span, "");
        cx.report(finding);
    }
    parts
}

/// Commas that are missing before these offsets: one finding, and one edit that adds all of them.
fn no_commas(cx: &Lowering, missing: &[usize], what: &str) -> Diagnostic {
    let gaps: Vec<usize> = missing.iter().map(|at| cx.text[..*at].trim_end().len()).collect();
    let (first, last) = (gaps[0], gaps[gaps.len() - 1]);
    let mut added = String::new();
    for pair in gaps.windows(2) {
        added.push(',');
        added.push_str(&cx.text[pair[0]..pair[1]]);
    }
    added.push(',');
    let next = cx.place.span(missing[0], missing[0] + first_token(&cx.text[missing[0]..]).min(60));
    let message = match missing.len() {
        1 => format!("a comma is missing between two {what}"),
        many => format!("{many} commas are missing between {what}"),
    };
    let finding = Diagnostic::error("syntax", message).label(next, "expected `,` before this");
    let finding = finding.help(format!("separate {what} by commas"));
    let span = cx.place.span(first, last);
    // Where a bracket or quote was added in between, the text is not that of the file.
    if span.len() == last - first { finding.fix("add `,`", span, added) } else { finding }
}

/// Units that are written with a space before them by mistake.
const UNITS: &[&str] = &[
    "B", "KiB", "MiB", "GiB", "TiB", "kB", "KB", "MB", "GB", "TB", "K", "M", "G", "ns", "us", "ms", "s", "sec", "min",
    "h", "d", "%",
];

/// The value with spaces in it, `64 MiB` or `443 / tcp`, whose second part begins at an offset.
pub(super) fn spaced_value(text: &str, at: usize) -> Option<(usize, usize)> {
    let before = text[..at].trim_end_matches([' ', '\t']);
    let digits = before.trim_end_matches(|it: char| it.is_ascii_digit() || it == '.').len();
    let is_number = before.len() > digits
        && !before[..digits].ends_with(|it: char| it.is_ascii_alphanumeric() || "_-:/".contains(it));
    let word = |at: usize| at + text[at..].find(|it: char| !it.is_ascii_alphabetic()).unwrap_or(text.len() - at);
    let end = match text[at..].strip_prefix('/') {
        Some(rest) => {
            let start = text.len() - rest.trim_start_matches(' ').len();
            Some(word(start)).filter(|end| matches!(&text[start..*end], "tcp" | "udp" | "sctp"))
        }
        None if text[at..].starts_with('%') => Some(at + 1),
        None => Some(word(at)).filter(|end| UNITS.contains(&&text[at..*end])),
    };
    end.filter(|_| is_number && before.len() < at).map(|end| (digits, end))
}

/// A value with spaces in it.
pub(super) fn spaces(span: Span, text: &str) -> Diagnostic {
    let joined: String = text.split_whitespace().collect();
    Diagnostic::error("bad-number", "there are no spaces in a value")
        .label(span, "one value")
        .help(format!("write `{joined}`"))
        .fix(format!("write `{joined}`"), span, joined)
}

/// `default` and its kind twice or after `prefer` and its kind. `before` is a word of the same kind.
pub(super) fn words_in_order(cx: &mut Lowering, span: Span, before: Option<Span>, is_late: bool) {
    let finding = match before {
        Some(before) => Diagnostic::error("syntax", "a statement has at most one word of this kind")
            .label(span, "the second")
            .label(before, "the first")
            .help("one of `default`, `override`, `final`, `remove`, then one of `prefer`, `optional`"),
        None if is_late => Diagnostic::error("syntax", "this word stands before `prefer` and `optional`")
            .label(span, "too late")
            .help("write it first: `default prefer memory.max = 64MiB`"),
        None => return,
    };
    cx.report(finding);
}

/// `==`, `:` and the like where a value is set.
pub(super) fn wrong_equals(cx: &mut Lowering, pair: &Pair<Rule>) {
    let span = cx.span(pair);
    let found = pair.as_str();
    let why = match found {
        "==" => "compares, but sets nothing",
        ":" => "stands in arguments and types",
        _ => "not of this language",
    };
    // `hostname: "web"` has no space before the colon, and `=` wants one.
    let spaced = cx.text[..pair.as_span().start()].ends_with(' ');
    let text = if spaced { "=" } else { " =" };
    let finding = Diagnostic::error("syntax", format!("a value is set with `=`, not with `{found}`"))
        .label(span, why)
        .help("write `=`")
        .fix("write `=`", span, text);
    cx.report(finding);
}

/// `=` in arguments: a comparison in the condition of a system call, a name elsewhere.
pub(super) fn wrong_colon(cx: &mut Lowering, pair: &Pair<Rule>, is_label: bool) {
    let span = cx.span(pair);
    match is_label {
        true => instead(cx, "`=` sets a value, it does not compare", span, "in a condition", "=="),
        false => {
            let spaces = cx.text[..pair.as_span().start()].len() - cx.text[..pair.as_span().start()].trim_end().len();
            let start = pair.as_span().start() - spaces;
            let finding = Diagnostic::error("syntax", "an argument is named with `:`, not with `=`")
                .label(span, "in arguments")
                .help("write `NAME: VALUE`")
                .fix("write `:`", cx.place.span(start, pair.as_span().start() + 1), ":");
            cx.report(finding);
        }
    }
}

/// An operator of other languages.
pub(super) fn operator(cx: &mut Lowering, span: Span, found: &str, right: &str) {
    let message = match found {
        "=" => "`=` sets a value, it does not compare".to_string(),
        found => format!("`{found}` is no operator of this language"),
    };
    let shown = right.trim_end();
    let finding = Diagnostic::error("syntax", message)
        .label(span, "in a condition")
        .help(format!("write `{shown}`"))
        .fix(format!("write `{shown}`"), span, right);
    cx.report(finding);
}

pub(super) fn chained(cx: &mut Lowering, span: Span) {
    let finding = Diagnostic::error("syntax", "comparisons cannot be chained")
        .label(span, "the second comparison")
        .help("join two comparisons with `and`: `$a < $b and $b < $c`");
    cx.report(finding);
}

pub(super) fn long_condition(cx: &mut Lowering, span: Span) {
    let finding = Diagnostic::error("nested-too-deep", "this condition has more than 256 operators and operands")
        .label(span, "one too many")
        .help("ask for a member of a list: `$x in [a, b, c]`");
    cx.report(finding);
}

pub(super) fn long_chain(cx: &mut Lowering, span: Span) {
    let finding = Diagnostic::error("nested-too-deep", "more than 64 branches of one `if`")
        .label(span, "one too many")
        .help("split it, or move parts into profiles");
    cx.report(finding);
}

/// Whether a path is the beginning of a comment of another language.
pub(super) fn comment(cx: &mut Lowering, text: &str, span: Span) -> bool {
    let is_comment = text == "//" || text.starts_with("/*");
    if is_comment {
        let mark = Span { end: span.start + 2, ..span };
        let finding = Diagnostic::error("syntax", format!("`{}` begins no comment in this language", &text[..2]))
            .label(mark, "read as a path")
            .help("comments begin with `#` and end with the line");
        cx.report(if text == "//" { finding.fix("write `#`", mark, "#") } else { finding });
    }
    is_comment
}

/// A path that holds what only a string can.
pub(super) fn path(cx: &mut Lowering, text: &str, span: Span) -> ExprKind {
    let Some(at) = text.find(['$', '\\']) else { return ExprKind::Path(text.to_string()) };
    let finding = Diagnostic::error("syntax", format!("a path with `{}` in it is written as a string", &text[at..=at]));
    let finding = match text[at..].strip_prefix('$') {
        Some(name) if is_name(name.split(['/', '.']).next().unwrap_or("")) => {
            let name = name.split('/').next().unwrap_or("");
            let quoted = format!("\"{}${{{name}}}{}\"", &text[..at], &text[at + 1 + name.len()..]);
            finding.label(span, "names have no value in a bare path").help(format!("write `{quoted}`")).fix(
                format!("write `{quoted}`"),
                span,
                quoted,
            )
        }
        _ => {
            finding.label(span, "not in a bare path").help("put it between quotes, with `\\` in front of `$` and `\\`")
        }
    };
    cx.report(finding);
    ExprKind::Error
}

/// `site/dir`, `job.py`, `web.example.org`
pub(super) fn wrong_word(cx: &mut Lowering, text: &str, span: Span) -> ExprKind {
    let finding = Diagnostic::error("syntax", format!("`{text}` is no value"));
    if text.contains('/') {
        let path = format!("./{text}");
        let finding = finding
            .label(span, "a path begins with `/`, `./` or `../`")
            .help(format!("write `{path}`, or `\"{text}\"` if it is no path"))
            .fix(format!("write `{path}`"), span, path);
        cx.report(finding);
        return ExprKind::Error;
    }
    let quoted = format!("\"{text}\"");
    let finding = finding
        .label(span, "a word with a dot")
        .help(format!("write `{quoted}` if it is text, `./{text}` if it is a path, `${text}` if it is a name"));
    cx.report(finding);
    ExprKind::Error
}

/// A string between other quotes than `"`.
pub(super) fn wrong_quotes(cx: &mut Lowering, text: &str, span: Span) -> ExprKind {
    let first = text.chars().next().unwrap_or('\'');
    let inner = text.strip_prefix(first).unwrap_or(text);
    let inner = inner.char_indices().next_back().map_or("", |(at, _)| &inner[..at]);
    let quoted = format!("\"{}\"", inner.replace('"', "\\\""));
    let finding = Diagnostic::error("unexpected-character", format!("`{first}` is no quote of this language"))
        .label(span, "strings stand between straight double quotes")
        .help(format!("write `{quoted}`"))
        .fix(format!("write `{quoted}`"), span, quoted);
    cx.report(finding);
    ExprKind::Str(vec![StrPart::Text(inner.to_string())])
}

pub(super) fn escape(cx: &mut Lowering, text: &str, span: Span) {
    let finding = Diagnostic::error("bad-escape", format!("`{text}` is no escape")).label(span, "in this string");
    let finding = match text.strip_prefix("\\u{").map(|it| it.trim_end_matches('}')) {
        Some(digits) if digits.bytes().all(|it| it == b'0') => {
            finding.help("no argument, variable or path of Linux can hold the character 0: leave it out")
        }
        Some(_) => finding.help("there is no such character: code points go up to `\\u{10FFFF}`, without D800 to DFFF"),
        None => finding.help(r#"escapes are \n \t \r \\ \" \$ and \u{1F600}; a backslash itself is written `\\`"#).fix(
            format!("write `\\{text}`"),
            span,
            format!("\\{text}"),
        ),
    };
    cx.report(finding);
}

/// `${` that is followed by no name.
pub(super) fn hole(cx: &mut Lowering, text: &str, span: Span) {
    let inner = text.trim_start_matches("${").trim_end_matches('}').trim();
    let closed = text.ends_with('}');
    let finding = match inner {
        "" => Diagnostic::error("bad-escape", "`${}` lacks a name").label(span, "nothing to put here"),
        _ if !closed => Diagnostic::error("bad-escape", "this `${` is never closed")
            .label(span, "no `}` before the end of the string"),
        _ => Diagnostic::error("bad-escape", format!("`{text}` is no reference"))
            .label(span, "only the name of a parameter or of a `let` can stand here"),
    };
    let bare = inner.strip_prefix('$').unwrap_or(inner);
    let finding = match inner.is_empty() || !bare.split('.').all(is_name) {
        true => finding.help("write `${name}` for a value, `\\${` for the characters themselves"),
        false => {
            let right = format!("${{{bare}}}");
            finding.help(format!("write `{right}`")).fix(format!("write `{right}`"), span, right)
        }
    };
    cx.report(finding);
}

/// What begins like a number and is none.
pub(super) fn number(cx: &mut Lowering, text: &str, wrong: Wrong, span: Span) -> ExprKind {
    let (label, help, right) = match wrong {
        Wrong::TooLarge => ("more than 127 bits", "write a smaller number".to_string(), None),
        Wrong::Digit => (
            "a digit that its base does not have, or none",
            "`0o` is octal (digits 0 to 7), `0x` hexadecimal".into(),
            None,
        ),
        Wrong::AddressWithPort => {
            ("an address with a port", "write them as two values: `10.0.0.2` and `80/tcp`".into(), None)
        }
        Wrong::Slash => ("neither a port nor a network", "a port is `443/tcp`, a network `10.0.0.0/8`".into(), None),
        Wrong::Plus => ("a plus sign", String::new(), Some(text.trim_start_matches('+').to_string())),
        Wrong::Point => ("a fraction has digits on both sides of the point", "write `0.5s`".into(), None),
        Wrong::Fraction => ("a fraction without a unit", "only values with a unit have fractions: `1.5s`".into(), None),
        Wrong::Underscore => ("digits are not grouped", String::new(), Some(text.replace('_', ""))),
        Wrong::Exponent => ("numbers have no exponent", "write all digits, or a unit: `64MiB`".into(), None),
        Wrong::Other => {
            ("no number, port or address", "a number is `64`, with a unit `64MiB`, an address `10.0.0.2`".into(), None)
        }
    };
    let right = right.filter(|it| super::number::number(it).is_ok());
    let help = right.as_ref().map_or(help, |it| format!("write `{it}`"));
    let mut finding = Diagnostic::error("bad-number", format!("`{text}` is no number")).label(span, label);
    if !help.is_empty() {
        finding = finding.help(help);
    }
    if let Some(right) = right {
        finding = finding.fix(format!("write `{right}`"), span, right);
    }
    cx.report(finding);
    ExprKind::Error
}
