//! Where a piece of text stands in its file.

use crate::source::{FileId, Span};

/// What the grammar counts from 0 begins at `base` of the file. The text may hold more than the file: brackets and quotes
/// that were added so that the rest could be read.
#[derive(Clone, Debug)]
pub(super) struct Place {
    file: FileId,
    base: usize,
    /// Length of the piece as it stands in the file.
    length: usize,
    /// What was added, in order.
    added: Vec<Added>,
}

#[derive(Clone, Copy, Debug)]
struct Added {
    /// Where in the text that the grammar sees.
    at: usize,
    /// How many bytes.
    length: usize,
    /// How many bytes were added before it.
    before: usize,
}

impl Place {
    pub(super) fn new(file: FileId, base: usize, length: usize) -> Place {
        Place { file, base, length, added: Vec::new() }
    }

    /// The place of the same piece with additions, each an offset and a length, in order.
    pub(super) fn with(self, additions: &[(usize, usize)]) -> Place {
        let mut before = 0;
        let mut added = Vec::with_capacity(additions.len());
        for (at, length) in additions.iter().copied() {
            added.push(Added { at, length, before });
            before += length;
        }
        Place { added, ..self }
    }

    /// The range in the file. What was added has no width there.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, self.in_file(start), self.in_file(end))
    }

    /// What the grammar calls `offset` is this offset of the file.
    fn in_file(&self, offset: usize) -> usize {
        let next = self.added.partition_point(|it| it.at < offset);
        let before = next.checked_sub(1).map_or(0, |last| {
            let last = self.added[last];
            last.before + last.length.min(offset - last.at)
        });
        self.base + (offset - before).min(self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn additions_have_no_width() {
        // `ab` + `{` + `cd` + `}}` of the text `abcd` at 10.
        let place = Place::new(FileId(0), 10, 4).with(&[(2, 1), (5, 2)]);
        let found: Vec<u32> = (0..=7).map(|at| place.span(at, at).start).collect();
        assert_eq!(found, [10, 11, 12, 12, 13, 14, 14, 14]);
    }
}
