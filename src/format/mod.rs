//! The one layout of a policy's text: `nsl fmt`.
//!
//! Only white space changes. Line ends stay where the author put them, but for blank lines; the indentation follows the
//! brackets; between two tokens stands one space or none. Columns are the author's too: tokens that stand below each other in
//! adjacent lines do so afterwards, no further right than they must (`columns`).
//!
//! Formatting what was formatted changes nothing, and the tokens of the result are those of the text: both are tested, and
//! the second is made sure of each time.

mod columns;
mod lines;

use crate::report::Diagnostic;
use crate::source::{FileId, Files};
use crate::syntax::{Token, TokenKind, tokens};

/// The text of a file as it should be laid out; its findings, where it is no policy.
pub fn format(files: &Files, file: FileId) -> Result<String, Vec<Diagnostic>> {
    let tokens = tokens(files, file)?;
    let mut lines = lines::lines(files.text(file), &tokens);
    lines::indent(&mut lines);
    columns::align(&mut lines);
    let text = render(&lines);
    if same(&tokens, &text) { Ok(text) } else { Err(vec![broken(files.name(file))]) }
}

fn render(lines: &[lines::Line<'_>]) -> String {
    let mut out = String::new();
    for line in lines {
        if line.blank_before {
            out.push('\n');
        }
        let mut at = 0;
        for word in &line.words {
            out.extend(std::iter::repeat_n(' ', word.column - at));
            out.push_str(word.token.text);
            at = word.column + word.width();
        }
        out.push('\n');
    }
    out
}

/// Whether a text has these tokens, in as many lines.
fn same(tokens_before: &[Token<'_>], text: &str) -> bool {
    fn key<'a>(tokens: &[Token<'a>]) -> Vec<(TokenKind, &'a str)> {
        let mut all: Vec<_> = tokens.iter().map(|it| (it.kind, it.text)).collect();
        all.dedup_by(|one, other| one.0 == TokenKind::Newline && other.0 == TokenKind::Newline);
        let is_end = |it: Option<&(TokenKind, &str)>| it.is_some_and(|it| it.0 == TokenKind::Newline);
        if is_end(all.last()) {
            all.pop();
        }
        let skip = usize::from(is_end(all.first()));
        all.split_off(skip)
    }
    let mut files = Files::new();
    let file = files.add("formatted", text.to_string());
    tokens(&files, file).is_ok_and(|after| key(&after) == key(tokens_before))
}

fn broken(name: &str) -> Diagnostic {
    Diagnostic::error(
        "format-failed",
        format!("`{name}` would not be the same policy after formatting, so it is left alone"),
    )
    .help("this is a fault of nsl: please report it, with the file")
}
