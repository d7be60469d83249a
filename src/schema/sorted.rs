//! Tables of words, sorted by the compiler, searched by halves.
//!
//! Nothing is built at start-up: a table is data of the binary, whatever the order it is written in.

/// Sorts a table by its words; runs at compile time (heap sort: a table of a thousand words must not take long).
pub(super) const fn sorted<T: Copy, const N: usize>(mut table: [(&'static str, T); N]) -> [(&'static str, T); N] {
    let mut start = N / 2;
    let mut end = N;
    while end > 1 {
        if start > 0 {
            start -= 1;
        } else {
            end -= 1;
            let last = table[end];
            table[end] = table[0];
            table[0] = last;
        }
        let mut root = start;
        while 2 * root + 1 < end {
            let mut child = 2 * root + 1;
            if child + 1 < end && before(table[child].0, table[child + 1].0) {
                child += 1;
            }
            if !before(table[root].0, table[child].0) {
                break;
            }
            let moved = table[root];
            table[root] = table[child];
            table[child] = moved;
            root = child;
        }
    }
    table
}

/// What a table that is sorted has for a word.
pub(super) fn find<T: Copy>(table: &[(&'static str, T)], word: &str) -> Option<T> {
    entry(table, word).map(|it| it.1)
}

/// The entry of a word in a table that is sorted.
pub(super) fn entry<T: Copy>(table: &[(&'static str, T)], word: &str) -> Option<(&'static str, T)> {
    table.binary_search_by(|(name, _)| (*name).cmp(word)).ok().map(|at| table[at])
}

/// `a < b`, which `str` cannot say at compile time.
pub(super) const fn before(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() {
        if a[at] != b[at] {
            return a[at] < b[at];
        }
        at += 1;
    }
    a.len() < b.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_and_finds() {
        const TABLE: [(&str, u8); 6] = sorted([("b", 2), ("aa", 1), ("c", 3), ("a", 0), ("bb", 4), ("", 5)]);
        assert_eq!(TABLE.map(|(word, _)| word), ["", "a", "aa", "b", "bb", "c"]);
        assert_eq!(TABLE.map(|(word, _)| find(&TABLE, word)), [5, 0, 1, 2, 4, 3].map(Some));
        assert_eq!(find(&TABLE, "ab"), None);
    }
}
