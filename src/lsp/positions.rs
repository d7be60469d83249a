//! Offsets and positions: the protocol counts lines, and bytes or UTF-16 units within them.

use std::borrow::Cow;

use lsp_types::{Position, Range};

/// What a column counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// Units of UTF-16, which every client knows.
    #[default]
    Utf16,
}

/// A text with the offsets of its lines.
pub struct Lines<'t> {
    text: &'t str,
    starts: Cow<'t, [usize]>,
    encoding: Encoding,
}

/// The offsets at which the lines of a text begin.
pub fn line_starts(text: &str) -> Vec<usize> {
    if !text.contains('\r') {
        return std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    }
    // `\r` alone ends a line as well, in the protocol and in editors.
    let bytes = text.as_bytes();
    let ends = |at: &usize| bytes[*at] == b'\n' || bytes[*at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
    std::iter::once(0).chain((0..bytes.len()).filter(ends).map(|at| at + 1)).collect()
}

impl<'t> Lines<'t> {
    /// The lines of a text.
    pub fn new(text: &'t str, encoding: Encoding) -> Lines<'t> {
        Lines { text, starts: Cow::Owned(line_starts(text)), encoding }
    }

    /// The lines of a text whose beginnings are known.
    pub fn known(text: &'t str, starts: &'t [usize], encoding: Encoding) -> Lines<'t> {
        Lines { text, starts: Cow::Borrowed(starts), encoding }
    }

    /// The position of an offset; one inside a character is moved to its beginning, one behind the end to the end.
    pub fn position(&self, offset: usize) -> Position {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= offset) - 1;
        let before = &self.text[self.starts[line]..offset];
        let column = match self.encoding {
            Encoding::Utf8 => before.len(),
            Encoding::Utf16 => before.encode_utf16().count(),
        };
        Position { line: line as u32, character: column as u32 }
    }

    /// The range between two offsets.
    pub fn range(&self, start: usize, end: usize) -> Range {
        Range { start: self.position(start), end: self.position(end) }
    }

    /// The offset of a position; behind the end of a line is its end, behind the last line the end of the text.
    pub fn offset(&self, position: Position) -> usize {
        let Some(start) = self.starts.get(position.line as usize) else { return self.text.len() };
        let rest = &self.text[*start..];
        let line = rest.split(['\n', '\r']).next().unwrap_or("");
        let mut left = position.character as usize;
        for (at, char) in line.char_indices() {
            let width = match self.encoding {
                Encoding::Utf8 => char.len_utf8(),
                Encoding::Utf16 => char.len_utf16(),
            };
            if left < width {
                return start + at;
            }
            left -= width;
        }
        start + line.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_and_positions_are_each_others_inverse() {
        let text = "a\näöü x\r\n😀y\n";
        for encoding in [Encoding::Utf8, Encoding::Utf16] {
            let lines = Lines::new(text, encoding);
            for (at, char) in text.char_indices().filter(|(_, char)| *char != '\n') {
                assert_eq!(lines.offset(lines.position(at)), at, "{char:?} {encoding:?}");
            }
        }
        let column = |encoding, at| Lines::new(text, encoding).position(at).character;
        let y = text.find('y').expect("it is there");
        assert_eq!((column(Encoding::Utf8, y), column(Encoding::Utf16, y)), (4, 2));
    }

    #[test]
    fn what_is_outside_is_moved_inside() {
        let lines = Lines::new("ab\ncd", Encoding::Utf16);
        assert_eq!(lines.offset(Position { line: 0, character: 99 }), 2);
        assert_eq!(lines.offset(Position { line: 9, character: 0 }), 5);
        assert_eq!(lines.position(99), Position { line: 1, character: 2 });
        assert_eq!(Lines::new("", Encoding::Utf8).position(0), Position { line: 0, character: 0 });
        assert_eq!(Lines::new("a\rb\r\nc", Encoding::Utf8).position(5), Position { line: 2, character: 0 });
        // In the middle of a pair of UTF-16 units.
        assert_eq!(Lines::new("😀", Encoding::Utf16).offset(Position { line: 0, character: 1 }), 0);
    }
}
