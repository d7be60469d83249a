//! The few lines that a finding is about, of one file or of several, as one text with a table of where each
//! line comes from.
//!
//! miette draws the labels of one source only, panics on labels beyond column 65 535, does not draw an empty
//! label at the end of a text, counts columns in bytes, and sends escape sequences of a hostile text to the
//! terminal. It is therefore never given a policy, but this excerpt: lines cut to what can be read, control characters made
//! visible, every line ended. Lines that belong together are a block; the first block holds the first label.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::Label;
use crate::source::{FileId, Files};

/// Lines shown before and after a label.
const AROUND: usize = 1;
/// Two labels with at most this many lines between what is shown of them are shown in one block.
const GAP: usize = 3;
/// A label over more lines than this is shown at its first line.
const LONGEST_LABEL: usize = 6;
/// Lines are shown up to this length, characters.
const LONGEST_LINE: usize = 200;
/// What is shown of a longer line before its first label, characters.
const LEAD: usize = 40;

/// Where the lines of each file begin, found when first asked for.
pub(super) struct Lines<'a> {
    files: &'a Files,
    starts: BTreeMap<FileId, OnceCell<Vec<usize>>>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(files: &'a Files) -> Lines<'a> {
        Lines { files, starts: files.iter().map(|(id, _)| (id, OnceCell::new())).collect() }
    }

    /// Whether a file is in the table.
    pub(super) fn knows(&self, file: FileId) -> bool {
        self.starts.contains_key(&file)
    }

    fn starts(&self, file: FileId) -> &[usize] {
        let find = || {
            let text = self.files.text(file);
            let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
            std::iter::once(0).chain(ends).collect()
        };
        self.starts.get(&file).map_or(&[], |cell| cell.get_or_init(find))
    }

    /// The line of an offset, from 0.
    fn line(&self, file: FileId, offset: usize) -> usize {
        self.starts(file).partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// The offset at which a line begins, and its text without its end.
    fn text(&self, file: FileId, line: usize) -> (usize, &'a str) {
        let starts = self.starts(file);
        let text = self.files.text(file);
        let start = starts.get(line).copied().unwrap_or(text.len());
        let end = starts.get(line + 1).copied().unwrap_or(text.len());
        (start, text[start..end].trim_end_matches(['\n', '\r']))
    }

    /// How many lines there are; the empty one behind a final line end does not count.
    fn count(&self, file: FileId) -> usize {
        let starts = self.starts(file);
        let empty_end = starts.last() == Some(&self.files.text(file).len());
        (starts.len() - usize::from(empty_end && starts.len() > 1)).max(1)
    }

    /// Line and column of an offset, both from 1, the column in characters.
    pub(super) fn line_col(&self, file: FileId, offset: u32) -> (usize, usize) {
        let offset = boundary(self.files.text(file), offset as usize);
        let line = self.line(file, offset);
        let start = self.starts(file)[line];
        (line + 1, self.files.text(file)[start..offset].chars().count() + 1)
    }
}

/// The nearest offset at or before `offset` where a character begins.
fn boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// One line of an excerpt.
struct Row {
    /// Where it begins in the excerpt.
    start: usize,
    file: FileId,
    /// Its number in the file, from 0.
    line: usize,
    /// Characters of the file's line that are cut off at its front, less those of the mark of the cut.
    skipped: usize,
    /// Lines of one block follow each other in their file.
    block: usize,
}

/// A place in one file, as offsets into that file.
#[derive(Clone, Copy)]
struct Place {
    file: FileId,
    start: usize,
    end: usize,
    first: usize,
    last: usize,
}

/// The lines that the labels of one finding need.
pub(super) struct Excerpt {
    names: BTreeMap<FileId, String>,
    text: String,
    rows: Vec<Row>,
    labels: Vec<LabeledSpan>,
}

impl Excerpt {
    /// The excerpt for these labels; `cut` marks where a line was cut.
    pub(super) fn new(lines: &Lines, labels: &[Label], cut: &str) -> Excerpt {
        let known = labels.iter().filter_map(|label| Some((label, place(lines, label)?)));
        let (labels, places): (Vec<&Label>, Vec<Place>) = known.unzip();
        let mut excerpt = Excerpt { names: BTreeMap::new(), text: String::new(), rows: vec![], labels: vec![] };
        let mut spans = vec![(0, 0); places.len()];
        for (block, (file, rows)) in blocks(lines, &places).into_iter().enumerate() {
            excerpt.names.entry(file).or_insert_with(|| visible(lines.files.name(file)));
            for line in rows {
                excerpt.row(lines, file, line, block, &places, &mut spans, cut);
            }
        }
        for (index, (label, (start, end))) in labels.into_iter().zip(spans).enumerate() {
            let text = (!label.text.is_empty()).then(|| visible(&label.text));
            let span = (start, end.saturating_sub(start));
            excerpt.labels.push(match index {
                0 => LabeledSpan::new_primary_with_span(text, span),
                _ => LabeledSpan::new_with_span(text, span),
            });
        }
        excerpt
    }

    /// The labels, as places of the excerpt.
    pub(super) fn labels(&self) -> impl Iterator<Item = LabeledSpan> {
        self.labels.iter().cloned()
    }

    /// Adds one line, and notes where the labels that begin or end in it have come to.
    #[allow(clippy::too_many_arguments)]
    fn row(
        &mut self,
        lines: &Lines,
        file: FileId,
        line: usize,
        block: usize,
        places: &[Place],
        spans: &mut [(usize, usize)],
        cut: &str,
    ) {
        let (offset, text) = lines.text(file, line);
        let here = |it: &&Place| it.file == file && it.first <= line && line <= it.last;
        let first_label = places.iter().filter(here).map(|it| it.start.saturating_sub(offset)).min().unwrap_or(0);
        let mut window = window(text, first_label.min(text.len()));
        let start = self.text.len();
        let mut skipped = 0;
        match text[..window.start].chars().count().checked_sub(cut.chars().count()) {
            Some(left_out) if left_out > 0 => {
                self.text.push_str(cut);
                skipped = left_out;
            }
            // No more than the mark takes.
            _ => window.start = 0,
        }
        // Where each offset of the window has come to; labels outside of it end at its edges.
        let mut moved: Vec<(usize, usize)> = Vec::new();
        for (at, char) in text[window.clone()].char_indices() {
            moved.push((offset + window.start + at, self.text.len()));
            push_visible(&mut self.text, char);
        }
        let end = self.text.len();
        if window.end < text.len() {
            self.text.push_str(cut);
        }
        self.text.push('\n');
        let to = |offset: usize| moved.get(moved.partition_point(|it| it.0 < offset)).map_or(end, |it| it.1);
        for (place, span) in places.iter().zip(spans) {
            if place.file == file && place.first == line {
                span.0 = to(place.start);
            }
            if place.file == file && place.last == line {
                span.1 = to(place.end);
            }
        }
        self.rows.push(Row { start, file, line, skipped, block });
    }

    fn row_of(&self, offset: usize) -> usize {
        self.rows.partition_point(|row| row.start <= offset).saturating_sub(1)
    }
}

/// Where a label is; `None` where its file is not in the table.
fn place(lines: &Lines, label: &Label) -> Option<Place> {
    let file = label.span.file;
    lines.starts.get(&file)?;
    let text = lines.files.text(file);
    let start = boundary(text, label.span.start as usize);
    let mut end = boundary(text, label.span.end as usize).max(start);
    let most = lines.count(file) - 1;
    let first = lines.line(file, start).min(most);
    let mut last = if end > start { lines.line(file, end - 1).min(most) } else { first };
    if last - first >= LONGEST_LABEL {
        let (offset, text) = lines.text(file, first);
        (last, end) = (first, (offset + text.len()).max(start));
    }
    Some(Place { file, start, end, first, last })
}

/// The lines to show, in blocks; the block of the first place first.
fn blocks(lines: &Lines, places: &[Place]) -> Vec<(FileId, Vec<usize>)> {
    let mut wanted: BTreeMap<FileId, BTreeSet<usize>> = BTreeMap::new();
    for place in places {
        let last = (place.last + AROUND).min(lines.count(place.file) - 1);
        wanted.entry(place.file).or_default().extend(place.first.saturating_sub(AROUND)..=last);
    }
    let mut blocks: Vec<(FileId, Vec<usize>)> = Vec::new();
    for (file, wanted) in wanted {
        for line in wanted {
            match blocks.last_mut() {
                Some((before, rows)) if *before == file && line - rows[rows.len() - 1] <= GAP + 1 => {
                    let next = rows[rows.len() - 1] + 1;
                    rows.extend(next..=line);
                }
                _ => blocks.push((file, vec![line])),
            }
        }
    }
    // The others in the order in which the labels name them.
    let rank = |block: &(FileId, Vec<usize>)| {
        places.iter().position(|place| place.file == block.0 && block.1.contains(&place.first))
    };
    blocks.sort_by_key(rank);
    blocks
}

/// What is shown of a line whose first label begins at `label`.
fn window(text: &str, label: usize) -> std::ops::Range<usize> {
    if text.len() <= LONGEST_LINE || text.chars().nth(LONGEST_LINE).is_none() {
        return 0..text.len();
    }
    let label = boundary(text, label);
    let start = text[..label].char_indices().rev().nth(LEAD - 1).map_or(0, |it| it.0);
    let end = text[start..].char_indices().nth(LONGEST_LINE).map_or(text.len(), |it| start + it.0);
    start..end
}

/// A text that does to a terminal nothing but show: control and direction-changing characters are replaced.
pub(super) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\n' => out.push('\n'),
            char => push_visible(&mut out, char),
        }
    }
    out
}

fn push_visible(out: &mut String, char: char) {
    match char {
        '\t' => out.push('\t'),
        // The pictures of U+2400 stand for the control characters, one by one.
        '\0'..='\x1f' => out.push(char::from_u32(0x2400 + char as u32).unwrap_or('\u{fffd}')),
        '\x7f' => out.push('\u{2421}'),
        '\u{80}'..='\u{9f}' => out.push('\u{fffd}'),
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push('\u{fffd}'),
        char => out.push(char),
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_before: usize,
        _context_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let last_byte = (span.offset() + span.len()).saturating_sub(1).max(span.offset());
        let (first, last) = (self.row_of(span.offset()), self.row_of(last_byte));
        let (Some(from), Some(to)) = (self.rows.get(first), self.rows.get(last)) else {
            return Err(MietteError::OutOfBounds);
        };
        if from.block != to.block {
            return Err(MietteError::OutOfBounds);
        }
        let name = self.names.get(&from.file).cloned().unwrap_or_default();
        // Without context it is asked for line and column, with context for what is to be drawn.
        if context_before == 0 {
            let end = (span.offset() + span.len()).min(self.text.len());
            let data = self.text.get(span.offset()..end).unwrap_or("");
            let column = self.text[from.start..span.offset()].chars().count() + from.skipped;
            let contents = MietteSpanContents::new_named(name, data.as_bytes(), *span, from.line, column, 1);
            return Ok(Box::new(contents));
        }
        let first = self.rows.partition_point(|row| row.block < from.block);
        let end = self.rows.partition_point(|row| row.block <= from.block);
        let start = self.rows[first].start;
        let stop = self.rows.get(end).map_or(self.text.len(), |row| row.start);
        let data = &self.text.as_bytes()[start..stop];
        let span = SourceSpan::from((start, stop - start));
        Ok(Box::new(MietteSpanContents::new_named(name, data, span, self.rows[first].line, 0, end - first)))
    }
}
