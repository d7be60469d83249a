//! Selections that grow: the word, the value, the statement, the block, the declaration, the file.

use std::ops::Range;

use super::locate::Place;
use super::{Source, range};

/// The ranges around an offset, the smallest first, each larger than the one before.
pub fn selection(source: &Source, offset: usize) -> Vec<Range<usize>> {
    let place = Place::of(&source.tree, offset);
    let mut found: Vec<Range<usize>> = Vec::new();
    for around in place.around.iter().rev().map(|it| range(*it)).chain(std::iter::once(0..source.text.len())) {
        let grows =
            found.last().is_none_or(|last| around.start <= last.start && around.end >= last.end && around != *last);
        if grows {
            found.push(around);
        }
    }
    found
}
