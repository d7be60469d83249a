//! Words of a shell as they are typed.

/// A word without its quotes and backslashes. Nothing in it is performed: a variable stays as it is written.
pub fn removed(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut open = None;
    let mut chars = word.chars().peekable();
    while let Some(char) = chars.next() {
        match (open, char) {
            (None, '\'' | '"') => open = Some(char),
            (Some(quote), _) if quote == char => open = None,
            (None, '\\') => out.extend(chars.next()),
            // Between double quotes only some characters are meant by a backslash: bash(1), QUOTING.
            (Some('"'), '\\') => match chars.next_if(|it| matches!(it, '$' | '`' | '"' | '\\')) {
                Some(next) => out.push(next),
                None => out.push('\\'),
            },
            _ => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::removed;

    #[test]
    fn quotes_go_and_the_rest_stays() {
        for (typed, meant) in [
            ("a.nsl", "a.nsl"),
            ("'a b'", "a b"),
            ("a\\ b", "a b"),
            ("\"a b", "a b"),
            ("'a'\\''b'", "a'b"),
            ("\"a\\\"b\\n\"", "a\"b\\n"),
            ("$(rm x)", "$(rm x)"),
            ("\\", ""),
        ] {
            assert_eq!(removed(typed), meant);
        }
    }
}
