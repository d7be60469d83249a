//! Where strings end, and where they should have ended.

use std::ops::Range;

/// The end of the line: the offset of its `\n`, or that behind the text.
pub(super) fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |it| at + it)
}

/// Behind the closing quote of the string that begins at `start`; `None` if its line ends before.
pub(super) fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return Some(at + 1),
            b'\n' => return None,
            b'\\' if bytes.get(at + 1).is_some_and(|byte| *byte != b'\n') => at += 2,
            _ => at += 1,
        }
    }
    None
}

/// The string of a line that lacks its closing quote: the one that no quote follows, unless an earlier one is closed by what must be
/// the opening quote of the next (`"a, "b"`).
pub(super) fn unclosed(line: &str) -> Option<Range<usize>> {
    let bytes = line.as_bytes();
    let (mut at, mut earlier) = (0, None);
    while at < bytes.len() {
        match bytes[at] {
            b'#' => return None,
            b'"' => match string_end(bytes, at) {
                Some(end) => {
                    let opens =
                        bytes.get(end).is_some_and(|it| it.is_ascii_alphanumeric() || matches!(it, b'/' | b'.' | b'-'));
                    if opens && earlier.is_none() {
                        earlier = Some(at..end - 1);
                    }
                    at = end;
                }
                None => return earlier.or(Some(at..bytes.len())),
            },
            _ => at += 1,
        }
    }
    None
}

/// Where the closing quote was probably meant to stand: before the brackets and commas that end the line, or before
/// the quote of the next string. `text` begins with the string; `open` are the brackets that are open around it.
pub(super) fn probable_end(text: &str, open: &[u8]) -> usize {
    if let Some(end) = string_end(text.as_bytes(), 0) {
        return 1 + text[1..end - 1].trim_end_matches([' ', '\t', ',']).len();
    }
    let text = text.trim_end();
    let tail = text.len() - text.trim_end_matches([' ', '\t', ',', ')', ']', '}']).len();
    let starts = (text.len() - tail).max(1)..text.len();
    starts.into_iter().find(|at| closes(&text[*at..], open)).unwrap_or(text.len())
}

/// Whether these brackets close what is open, from the innermost.
fn closes(tail: &str, open: &[u8]) -> bool {
    let mut open = open.iter().rev();
    tail.bytes().all(|byte| match byte {
        b')' => open.next() == Some(&b'('),
        b']' => open.next() == Some(&b'['),
        b'}' => open.next() == Some(&b'{'),
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line with the quote that it lacks.
    fn mended(line: &str, open: &[u8]) -> String {
        let Some(string) = unclosed(line) else { return line.to_string() };
        let at = string.start + probable_end(&line[string.start..], open);
        format!("{}\"{}", &line[..at], &line[at..])
    }

    #[test]
    fn a_quote_is_added_where_it_was_meant() {
        for (line, open, expected) in [
            (r#"["/bin/true]"#, "[", r#"["/bin/true"]"#),
            (r#"{ a = "web }"#, "{", r#"{ a = "web" }"#),
            (r#"{ a = ["web] }"#, "{[", r#"{ a = ["web"] }"#),
            (r#"file("x\")"#, "(", r#"file("x\"")"#),
            (r#"["a, "b"]"#, "[", r#"["a", "b"]"#),
            (r#"["a", "b, "c"]"#, "[", r#"["a", "b", "c"]"#),
            (r#"  "a,"#, "{[", r#"  "a","#),
            (r#"a = "f(x)"#, "{", r#"a = "f(x)""#),
            (r#"a = ""#, "{", r#"a = """#),
            (r#"a = "b" # don't"#, "{", r#"a = "b" # don't"#),
        ] {
            assert_eq!(mended(line, open.as_bytes()), expected, "{line}");
        }
    }
}
