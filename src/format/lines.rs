//! A text's tokens as lines, and how far each is indented.

use crate::syntax::{Token, TokenKind};

/// Columns that a block is indented by.
const STEP: usize = 2;

/// A token, and where it stands in its line.
#[derive(Debug)]
pub struct Word<'a> {
    pub token: Token<'a>,
    /// The column in the author's text, in characters.
    pub was: usize,
    /// The least space before it: 0 or 1 columns.
    pub gap: usize,
    /// The column in the result; of the first in a line, its indentation.
    pub column: usize,
}

impl Word<'_> {
    /// Columns it takes.
    pub fn width(&self) -> usize {
        self.token.text.chars().count()
    }

    pub fn is_comment(&self) -> bool {
        self.token.kind == TokenKind::Comment
    }
}

/// A line that is not blank.
#[derive(Debug)]
pub struct Line<'a> {
    pub words: Vec<Word<'a>>,
    pub blank_before: bool,
}

impl Line<'_> {
    /// Whether it holds a comment and nothing else.
    pub fn is_comment(&self) -> bool {
        self.words.first().is_some_and(Word::is_comment)
    }

    fn is_first(&self, kind: TokenKind) -> bool {
        self.words.first().is_some_and(|it| it.token.kind == kind)
    }

    fn ends_in_comma(&self) -> bool {
        self.words.iter().rfind(|it| !it.is_comment()).is_some_and(|it| it.token.text == ",")
    }

    /// Whether its code ends in a token of this kind.
    pub fn is_last(&self, kind: TokenKind) -> bool {
        self.words.iter().rfind(|it| !it.is_comment()).is_some_and(|it| it.token.kind == kind)
    }
}

/// The lines of a text. One blank line stands for several; at either end of a block, or of the text, there is none.
pub fn lines<'a>(text: &str, tokens: &[Token<'a>]) -> Vec<Line<'a>> {
    let mut kept: Vec<Line<'a>> = Vec::new();
    let mut blank = false;
    for line in tokens.split(|it| it.kind == TokenKind::Newline) {
        if line.is_empty() {
            blank = true;
            continue;
        }
        let mut line = Line { words: words(text, line), blank_before: false };
        let at_start = kept.last().is_none_or(|it| it.is_last(TokenKind::Open));
        line.blank_before = blank && !at_start && !line.is_first(TokenKind::Close);
        blank = false;
        kept.push(line);
    }
    kept
}

fn words<'a>(text: &str, line: &[Token<'a>]) -> Vec<Word<'a>> {
    let start = text[..line[0].start].rfind('\n').map_or(0, |it| it + 1);
    let column = |at: usize| text[start..at].trim_start_matches('\u{feff}').chars().count();
    let before = std::iter::once(None).chain(line.iter().map(Some));
    before
        .zip(line)
        .map(|(before, &token)| {
            let gap = before.map_or(0, |it| usize::from(is_apart(it, &token)));
            Word { token, was: column(token.start), gap, column: 0 }
        })
        .collect()
}

/// Whether a space stands between two tokens of a line.
fn is_apart(before: &Token<'_>, after: &Token<'_>) -> bool {
    use TokenKind::{Comment, Mark, Name, Open, Value};
    match (before.kind, after.kind) {
        (_, Comment) => true,
        (_, Mark) => false,
        (Open, _) if before.text != "{" => false,
        (_, TokenKind::Close) if after.text != "}" => false,
        (Open, TokenKind::Close) => false,
        (Name | Value, Open) if after.text == "(" => false,
        _ => true,
    }
}

/// An open bracket.
struct Bracket {
    /// Whether a line that ends in a comma or an operator goes on in the next one: not in a list, whose lines are alike.
    is_block: bool,
    /// The depth of a line that begins with what closes it.
    outer: usize,
    /// The depth of the lines in it.
    inner: usize,
    line: usize,
}

/// Gives each line its indentation: one step for each line that opened brackets which are still open, and one for a line
/// that goes on with a statement of the line before.
pub fn indent(lines: &mut [Line<'_>]) {
    let mut open: Vec<Bracket> = Vec::new();
    let mut is_unfinished = false;
    for (index, line) in lines.iter_mut().enumerate() {
        let continues = is_unfinished && open.last().is_none_or(|it| it.is_block);
        let closers = line.words.iter().take_while(|it| it.token.kind == TokenKind::Close).count();
        let depth = match open.len().checked_sub(closers).and_then(|at| open.get(at)) {
            Some(closed) if closers > 0 => closed.outer,
            _ => open.last().map_or(0, |it| it.inner) + usize::from(continues),
        };
        line.words[0].column = depth * STEP;
        let is_group = line.words.iter().any(|it| it.token.kind == TokenKind::Keyword && it.token.text == "group");
        for word in &line.words {
            match word.token.kind {
                TokenKind::Open => {
                    let is_block = word.token.text == "{" && !is_group;
                    let outer = match open.last() {
                        Some(last) if last.line == index => last.inner,
                        // The block belongs to the statement, not to the line that the statement goes on in.
                        _ if is_block && continues => depth - 1,
                        _ => depth,
                    };
                    let is_first = open.last().is_none_or(|it| it.line != index);
                    open.push(Bracket { is_block, outer, inner: outer + usize::from(is_first), line: index });
                }
                TokenKind::Close => drop(open.pop()),
                _ => {}
            }
        }
        if !line.is_comment() {
            is_unfinished = line.is_last(TokenKind::Operator) || line.ends_in_comma();
        }
    }
}
