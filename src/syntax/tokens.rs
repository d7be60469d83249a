//! A text as the words it is made of, comments and line ends among them: what a formatter needs, and the tree leaves out.

use pest::Parser;

use super::parse::{Grammar, Rule, parse};
use crate::report::Diagnostic;
use crate::source::{FileId, Files};

/// What a token is, as far as the space around it depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A name, which an opening parenthesis joins: `join(`.
    Name,
    /// A word of the grammar, which a parenthesis does not join: `if (`, `not (`, `in (`.
    Keyword,
    /// A string, a number, a path, a reference.
    Value,
    /// `=`, `==`, `and` and the like, with an operand on either side.
    Operator,
    /// One of `(`, `[` and `{`.
    Open,
    /// One of `)`, `]` and `}`.
    Close,
    /// `,` or `:`
    Mark,
    /// From `#` to the end of the line.
    Comment,
    /// `\n`
    Newline,
}

/// A piece of a text that is no white space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: TokenKind,
    /// The text itself; a comment's without white space behind it.
    pub text: &'a str,
    /// Where it begins, in bytes.
    pub start: usize,
}

/// The tokens of a file, or what keeps it from being read.
pub fn tokens(files: &Files, file: FileId) -> Result<Vec<Token<'_>>, Vec<Diagnostic>> {
    let tree = parse(files, file);
    if !tree.errors.is_empty() {
        return Err(tree.errors.clone());
    }
    let text = files.text(file);
    let begin = tree.span.start as usize;
    let text = &text[begin..];
    let mut found = Vec::new();
    let mut at = 0;
    // A text without findings is one that the grammar reads as it stands.
    let Ok(pairs) = Grammar::parse(Rule::file, text) else { return Ok(found) };
    for pair in pairs.flatten() {
        let span = pair.as_span();
        let Some(kind) = kind(pair.as_rule()) else { continue };
        // The words within a string or a dotted name belong to it.
        if span.start() < at {
            continue;
        }
        between(text, at..span.start(), begin, &mut found);
        found.push(Token { kind, text: span.as_str().trim_end(), start: begin + span.start() });
        at = span.end();
    }
    between(text, at..text.len(), begin, &mut found);
    Ok(found)
}

/// What a rule's text is as a whole; `None` for a rule that is made of others.
fn kind(rule: Rule) -> Option<TokenKind> {
    Some(match rule {
        Rule::COMMENT => TokenKind::Comment,
        Rule::word | Rule::dotted | Rule::bare | Rule::arg_name => TokenKind::Name,
        Rule::setref
        | Rule::everything
        | Rule::reference
        | Rule::module
        | Rule::path
        | Rule::number
        | Rule::address
        | Rule::string => TokenKind::Value,
        Rule::equals | Rule::infix => TokenKind::Operator,
        Rule::negation | Rule::modifier | Rule::strength | Rule::decl_kind => TokenKind::Keyword,
        Rule::kw_nsl
        | Rule::kw_use
        | Rule::kw_as
        | Rule::kw_param
        | Rule::kw_let
        | Rule::kw_with
        | Rule::kw_syscalls
        | Rule::kw_group
        | Rule::kw_if
        | Rule::kw_else
        | Rule::kw_for
        | Rule::kw_in
        | Rule::kw_require => TokenKind::Keyword,
        _ => return None,
    })
}

/// Between the grammar's words stand brackets, marks, line ends and white space.
fn between<'a>(text: &'a str, range: std::ops::Range<usize>, begin: usize, found: &mut Vec<Token<'a>>) {
    for (at, char) in text[range.clone()].char_indices() {
        let kind = match char {
            '(' | '[' | '{' => TokenKind::Open,
            ')' | ']' | '}' => TokenKind::Close,
            ',' | ':' => TokenKind::Mark,
            '\n' => TokenKind::Newline,
            char if char.is_whitespace() => continue,
            // Whatever it is, nothing that was written is lost.
            _ => TokenKind::Value,
        };
        let start = range.start + at;
        found.push(Token { kind, text: &text[start..start + char.len_utf8()], start: begin + start });
    }
}
