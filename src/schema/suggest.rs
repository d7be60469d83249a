//! "Did you mean": the nearest of the names that would have been right.

/// The nearest candidate by edit distance, if it is near enough to be meant.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let lower = word.to_lowercase();
    let most = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (distance(&lower, &candidate.to_lowercase(), most), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, candidate)| (*distance, *candidate))
        .map(|(_, candidate)| candidate)
}

/// `did you mean …?`, or the list of what there is where it is short, or nothing.
pub fn hint<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str> + Clone) -> Option<String> {
    if let Some(found) = nearest(word, candidates.clone()) {
        return Some(format!("did you mean `{found}`?"));
    }
    let all: Vec<&str> = candidates.into_iter().take(25).collect();
    (!all.is_empty() && all.len() < 25).then(|| format!("known here: {}", all.join(", ")))
}

/// Damerau-Levenshtein distance (adjacent letters swapped count once); anything above `most` is `most + 1`.
fn distance(a: &str, b: &str, most: usize) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > most {
        return most + 1;
    }
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["openat", "open", "memory.max", "hostname"];
        assert_eq!(nearest("opennat", names), Some("openat"));
        assert_eq!(nearest("memroy.max", names), Some("memory.max"));
        assert_eq!(nearest("hostnmae", names), Some("hostname"));
        assert_eq!(nearest("xyzzy", names), None);
    }
}
