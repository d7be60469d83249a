//! The tree of a text that differs in one place from a text whose tree is at hand, as after a key in an editor: only the lines
//! around that place are read, and what stands behind them moves.
//!
//! The grammar reads a block line by line, and looks beyond the end of a line in few cases only. So the items of some whole lines of
//! one block are what they would be if those lines stood alone, unless one of these cases is at hand; then nothing is gained here
//! and the text is read from its start. A test sees to it that both give the same tree for texts that nobody would write.

use std::ops::Range;

use super::ast::{Block, File, Item, Statement};
use super::parse::MAX_ERRORS;
use super::quotes::{line_end, line_start, string_end};
use super::spans;
use crate::report::Diagnostic;
use crate::source::Span;

/// Where some lines stand that are read alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Within {
    /// In how many blocks.
    pub blocks: usize,
    /// Whether something stands before them in the file.
    pub is_later: bool,
}

/// What makes the tree of one text that of another.
pub(super) struct Splice {
    /// To the block in which the lines stand: the item, and which of its blocks.
    path: Vec<(usize, usize)>,
    /// The items of the block that are replaced.
    items: Range<usize>,
    /// Their lines in the old text.
    lines: Range<usize>,
    /// By how much what follows them moves.
    by: i64,
    /// What the lines of the new text hold.
    piece: File,
}

/// Compares `new` with `old`, the text of `tree`, and has `read` read what is new: a range of the new text, and where it stands.
/// `None` if that would not give what reading all of it gives, or would be no quicker.
pub(super) fn splice(
    old: &str,
    tree: &File,
    new: &str,
    read: impl FnOnce(Range<usize>, Within) -> Option<File>,
) -> Option<Splice> {
    let base = tree.span.start as usize;
    let change = change(old.as_bytes(), new.as_bytes());
    if change.start < base || tree.errors.len() >= MAX_ERRORS {
        return None;
    }
    let edition = tree.edition.map(|it| it.span);
    let search = Search { old: old.as_bytes(), new: new.as_bytes(), edition, change };
    let mut found = search.block(&tree.items, base..old.len(), None)?;
    found.path.reverse();
    let Found { path, items, lines } = found;
    let by = new.len() as i64 - old.len() as i64;
    let in_new = lines.start..usize::try_from(lines.end as i64 + by).ok()?;
    if 2 * in_new.len() > new.len() || 2 * lines.len() > old.len() {
        return None;
    }
    // What stands before and behind the lines is the same in both texts.
    let (before, behind) = (&old.as_bytes()[base..lines.start], &old.as_bytes()[lines.end..]);
    let (old_lines, new_lines) = (&old.as_bytes()[lines.start..], &new.as_bytes()[lines.start..]);
    let reaches_in = continues(before) || follows(old_lines) || follows(new_lines);
    let reaches_out = follows(behind) || !behind.is_empty() && continues(&new.as_bytes()[in_new.clone()]);
    if reaches_in || reaches_out {
        return None;
    }
    let inside = |span: Span| lines.start <= span.start as usize && span.end as usize <= lines.end;
    let outside = |span: Span| (span.end as usize) < lines.start || lines.end < span.start as usize;
    let whole = |it: &Diagnostic| {
        let spans = || it.labels.iter().map(|it| it.span).chain(it.fix.iter().map(|it| it.span));
        !it.labels.is_empty() && (spans().all(inside) || spans().all(outside))
    };
    if !tree.errors.iter().all(whole) {
        return None;
    }
    let is_later = lines.start > base;
    let piece = read(in_new, Within { blocks: path.len(), is_later })?;
    // Where nothing is left at the top of a file, an edition below it is no longer too late.
    let was_first = !is_later && (!items.is_empty() || edition.is_some());
    let is_bare = was_first && piece.items.is_empty() && piece.edition.is_none();
    let too_many = tree.errors.len() + piece.errors.len() >= MAX_ERRORS;
    (!is_bare && !too_many).then_some(Splice { path, items, lines, by, piece })
}

impl Splice {
    /// Makes the tree of the old text that of the new one.
    pub(super) fn apply(self, tree: &mut File) {
        let Splice { path, items, lines, by, piece } = self;
        let first = items.start;
        block(&mut tree.items, &path).drain(items);
        let is_old = |span: Span| lines.contains(&(span.start as usize)) || lines.end == span.start as usize;
        tree.comments.retain(|it| !is_old(*it));
        tree.errors.retain(|it| !it.labels.first().is_some_and(|it| is_old(it.span)));
        let moved = |at: u32| if (at as usize) < lines.end { at } else { (i64::from(at) + by) as u32 };
        let mut change = |span: &mut Span| *span = Span { start: moved(span.start), end: moved(span.end), ..*span };
        spans::of_items(&mut tree.items, &mut change);
        tree.comments.iter_mut().for_each(&mut change);
        tree.errors.iter_mut().for_each(|it| spans::of_finding(it, &mut change));
        tree.span.end = (i64::from(tree.span.end) + by) as u32;
        tree.edition.iter_mut().for_each(|it| change(&mut it.span));
        // An edition stands before everything else, and is read with what stands at the top.
        if path.is_empty() && lines.start == tree.span.start as usize {
            tree.edition = piece.edition;
        }
        block(&mut tree.items, &path).splice(first..first, piece.items);
        tree.comments.extend(piece.comments);
        tree.errors.extend(piece.errors);
        tree.sort();
    }
}

/// The items of the block to which a path leads.
fn block<'t>(items: &'t mut Vec<Item>, path: &[(usize, usize)]) -> &'t mut Vec<Item> {
    path.iter().fold(items, |items, (item, which)| match &mut items[*item] {
        Item::Decl(it) => &mut it.body.items,
        Item::For(it) => &mut it.body.items,
        Item::If(it) => match it.otherwise.as_mut().filter(|_| *which > 0) {
            Some(otherwise) => &mut otherwise.items,
            None => &mut it.then.items,
        },
        Item::Statement(Statement { block: Some(block), .. }) => &mut block.items,
        _ => unreachable!("a path leads through items with blocks"),
    })
}

/// The blocks of an item.
fn blocks(item: &Item) -> impl Iterator<Item = &Block> {
    let (first, second) = match item {
        Item::Decl(it) => (Some(&it.body), None),
        Item::For(it) => (Some(&it.body), None),
        Item::If(it) => (Some(&it.then), it.otherwise.as_ref()),
        Item::Statement(it) => (it.block.as_ref(), None),
        _ => (None, None),
    };
    first.into_iter().chain(second)
}

/// What of the old text is no longer there: between what both begin with and what both end with.
fn change(old: &[u8], new: &[u8]) -> Range<usize> {
    let before = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let most = old.len().min(new.len()) - before;
    let behind = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    before..old.len() - behind
}

struct Search<'t> {
    old: &'t [u8],
    new: &'t [u8],
    edition: Option<Span>,
    change: Range<usize>,
}

struct Found {
    /// From the inside out.
    path: Vec<(usize, usize)>,
    items: Range<usize>,
    lines: Range<usize>,
}

impl Search<'_> {
    /// The innermost block in whose inside the change lies, with room around it.
    fn block(&self, items: &[Item], inside: Range<usize>, open: Option<u8>) -> Option<Found> {
        let (start, end) = (self.change.start, self.change.end);
        let around = items.partition_point(|it| (it.span().end as usize) < end);
        let inner = items.get(around).and_then(|item| {
            blocks(item).enumerate().find_map(|(which, block)| {
                let (from, to) = (block.span.start as usize, block.span.end as usize);
                let holds = from < start && end < to;
                let found = holds.then(|| self.block(&block.items, from + 1..to - 1, self.old.get(from).copied()));
                found.flatten().map(|mut it| {
                    it.path.push((around, which));
                    it
                })
            })
        });
        // The block of an `else if` is none in the text.
        inner.or_else(|| if open.is_none_or(|it| it == b'{') { self.lines(items, inside) } else { None })
    }

    /// Some whole lines of a block in which the change lies, and the items on them.
    fn lines(&self, items: &[Item], inside: Range<usize>) -> Option<Found> {
        let is_file = inside.end == self.old.len();
        let (mut start, mut end) = (line_start(self.old, self.change.start), line_end(self.old, self.change.end));
        loop {
            let touched = items.partition_point(|it| (it.span().end as usize) < start)
                ..items.partition_point(|it| it.span().start as usize <= end);
            let mut spans = items[touched.clone()].iter().map(|it| it.span());
            let mut from = spans.clone().next().map_or(start, |it| start.min(line_start(self.old, it.start as usize)));
            let mut to = spans.next_back().map_or(end, |it| end.max(line_end(self.old, it.end as usize)));
            from = self.with_documentation(from);
            if let Some(next) = items.get(touched.end)
                && self.is_documentation(to, next.span().start as usize)
            {
                to = line_end(self.old, next.span().end as usize);
            }
            // The first items of a file go with what stands before them, and with the edition, which is no item.
            if is_file && touched.start == 0 {
                from = inside.start;
                to = self.edition.map_or(to, |it| to.max(line_end(self.old, it.end as usize)));
            }
            if from < inside.start || !is_file && to >= inside.end {
                return None;
            }
            if (from, to) == (start, end) {
                return Some(Found { path: Vec::new(), items: touched, lines: start..end });
            }
            (start, end) = (from, to);
        }
    }

    /// Where the documentation begins that stands before the line at `start`.
    fn with_documentation(&self, mut start: usize) -> usize {
        while start > 0 {
            let before = line_start(self.old, start - 1);
            if !documents(&self.old[before..start]) {
                break;
            }
            start = before;
        }
        start
    }

    /// Whether the line that ends at `end` is documentation of the item at `next`, or was, or becomes it.
    fn is_documentation(&self, end: usize, next: usize) -> bool {
        let (old, new) = (self.old, self.new);
        let in_new = end + new.len() - old.len();
        let last = documents(&old[line_start(old, end)..end]) || documents(&new[line_start(new, in_new)..in_new]);
        let line = line_start(old, next);
        last && end < line && old[end + 1..line].split_inclusive(|it| *it == b'\n').all(documents)
    }
}

/// Whether a line is documentation of what follows it.
fn documents(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"##")
}

/// Whether the last line of code is one that the grammar reads on from: behind a comma or an operator, a value may stand on the next.
fn continues(text: &[u8]) -> bool {
    let mut end = text.len();
    loop {
        let start = line_start(text, end);
        let code = code(&text[start..end]).trim_ascii();
        if !code.is_empty() {
            let word = code.rsplit(|it| !it.is_ascii_alphanumeric() && !b"-_".contains(it)).next().unwrap_or_default();
            return b",=<>!&|".contains(&code[code.len() - 1]) || matches!(word, b"and" | b"or" | b"in");
        }
        match start.checked_sub(1) {
            Some(before) => end = before,
            None => return false,
        }
    }
}

/// A line without the comment at its end.
fn code(line: &[u8]) -> &[u8] {
    let mut at = 0;
    while at < line.len() {
        match line[at] {
            b'#' => return &line[..at],
            b'"' => at = string_end(line, at).unwrap_or(line.len()),
            _ => at += 1,
        }
    }
    line
}

/// Whether a text begins with what may belong to the line before it.
fn follows(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    text.starts_with(b"{") || text.starts_with(b"else")
}
