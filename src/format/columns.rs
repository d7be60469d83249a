//! The columns of what stands in a line behind its first token.

use super::lines::{Line, Word};
use crate::syntax::TokenKind;

/// A token: the index of its line, and its own in that.
type Cell = (usize, usize);

/// Gives each token its column.
pub fn align(lines: &mut [Line<'_>]) {
    for stretch in stretches(lines) {
        for column in clusters(lines, &stretch) {
            let least = column.iter().map(|&cell| place(lines, cell)).max().unwrap_or(0);
            for (line, word) in column {
                lines[line].words[word].column = least;
            }
        }
        for line in stretch {
            settle(&mut lines[line], usize::MAX);
        }
    }
    comments(lines);
}

/// The lines whose columns may have to do with each other: lines of code of one depth, with none of another depth and no
/// blank line between them.
fn stretches(lines: &[Line<'_>]) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = Vec::new();
    let mut is_apart = true;
    for (index, line) in lines.iter().enumerate() {
        is_apart |= line.blank_before;
        if line.is_comment() {
            continue;
        }
        let indentation = |it: &Line<'_>| it.words[0].column;
        match all.last_mut() {
            Some(last) if !is_apart && indentation(&lines[last[0]]) == indentation(line) => last.push(index),
            _ => all.push(vec![index]),
        }
        // A block's lines have the depth of a line that its statement went on in.
        is_apart = line.is_last(TokenKind::Open);
    }
    all
}

/// The tokens that the author put below each other, from left to right: those that stand at one column in adjacent lines,
/// where that took more than one space somewhere.
fn clusters(lines: &[Line<'_>], stretch: &[usize]) -> Vec<Vec<Cell>> {
    let at =
        |line: usize, column: usize| lines[line].words.iter().skip(1).position(|it| it.was == column).map(|it| it + 1);
    let is_free = |&(line, word): &Cell| lines[line].words[word].gap > 0 && !lines[line].words[word].is_comment();
    let mut columns: Vec<usize> = stretch.iter().flat_map(|&it| &lines[it].words).map(|it| it.was).collect();
    columns.sort_unstable();
    columns.dedup();
    let mut all = Vec::new();
    for column in columns {
        let cells: Vec<_> =
            stretch.iter().map(|&line| at(line, column).map(|word| (line, word)).filter(is_free)).collect();
        for run in cells.split(Option::is_none) {
            let run: Vec<Cell> = run.iter().copied().flatten().collect();
            if run.len() > 1 && run.iter().any(|&cell| is_wide(lines, cell)) {
                all.push(run);
            }
        }
    }
    all
}

/// Whether more than one space stands before a token in the author's text.
fn is_wide(lines: &[Line<'_>], (line, word): Cell) -> bool {
    let words = &lines[line].words;
    words[word].was > words[word - 1].was + words[word - 1].width() + 1
}

/// Where a token stands if nothing stands above or below it.
fn place(lines: &mut [Line<'_>], (line, word): Cell) -> usize {
    settle(&mut lines[line], word);
    after(&lines[line].words, word)
}

fn after(words: &[Word<'_>], word: usize) -> usize {
    words[word - 1].column + words[word - 1].width() + words[word].gap
}

/// Places the tokens before one that have no place yet.
fn settle(line: &mut Line<'_>, end: usize) {
    for word in 1..line.words.len().min(end) {
        line.words[word].column = line.words[word].column.max(after(&line.words, word));
    }
}

/// A comment behind code keeps the column that the author gave it, moved with its line; comments below each other stay so.
fn comments(lines: &mut [Line<'_>]) {
    let mut group: Vec<Cell> = Vec::new();
    for index in 0..lines.len() {
        let line = &lines[index];
        let last = line.words.len() - 1;
        let is_below =
            |&(above, word): &Cell| above + 1 == index && lines[above].words[word].was == line.words[last].was;
        let joins = !line.blank_before && group.last().is_some_and(is_below);
        if !joins {
            flush(lines, &mut group);
        }
        if lines[index].words[last].is_comment() && (joins || last > 0) {
            group.push((index, last));
        }
    }
    flush(lines, &mut group);
}

fn flush(lines: &mut [Line<'_>], group: &mut Vec<Cell>) {
    let wish = |&(line, word): &Cell| {
        let words = &lines[line].words;
        if word == 0 {
            0
        } else {
            after(words, word).max((words[word].was + words[0].column).saturating_sub(words[0].was))
        }
    };
    let column = group.iter().map(wish).max().unwrap_or(0);
    for (line, word) in group.drain(..) {
        lines[line].words[word].column = column;
    }
}
