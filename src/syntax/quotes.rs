//! Where strings end, and where they should have ended.

/// Where the line begins in which an offset lies.
pub(super) fn line_start(bytes: &[u8], at: usize) -> usize {
    bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |it| it + 1)
}

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

/// A quote that a line lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// That which closes the string beginning here.
    Close(usize),
    /// That which opens the string: where it should stand, and where the string is closed.
    Open(usize, usize),
}

/// The quote that a line with an odd number of them lacks: the first that stands where it cannot be what it seems, as in
/// `["a, "b"]` or `[a", "b"]`; otherwise the one that should close the last string.
pub(super) fn missing(line: &str) -> Option<Missing> {
    let bytes = line.as_bytes();
    let (mut at, mut first) = (0, None);
    while at < bytes.len() {
        match bytes[at] {
            b'#' => return None,
            b'"' => {
                let before = at.checked_sub(1).map_or(b' ', |before| bytes[before]);
                if first.is_none() && !matches!(before, b' ' | b'\t' | b',' | b'(' | b'[' | b'{' | b'=' | b':' | b'"') {
                    first = Some(Missing::Open(token_start(line, at), at));
                }
                let Some(end) = string_end(bytes, at) else { return first.or(Some(Missing::Close(at))) };
                let after = bytes.get(end).copied().unwrap_or(b' ');
                if first.is_none() && (after.is_ascii_alphanumeric() || matches!(after, b'/' | b'.' | b'-')) {
                    first = Some(Missing::Close(at));
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    None
}

/// Where the value begins that ends before `end`.
fn token_start(line: &str, end: usize) -> usize {
    let before = &line[..end];
    let start = before.rfind(['=', ',', '(', '[', '{']).map_or(0, |it| it + 1);
    let start = before.rfind(": ").map_or(start, |it| start.max(it + 2));
    start + (before[start..].len() - before[start..].trim_start().len())
}

/// Where the closing quote was probably meant to stand: before the brackets and commas that end the line, or before
/// the quote of the next string. `text` begins with the string; `open` are the brackets that are open around it.
pub(super) fn probable_end(text: &str, open: &[u8]) -> usize {
    if let Some(end) = string_end(text.as_bytes(), 0) {
        return 1 + text[1..end - 1].trim_end_matches([' ', '\t', ',']).len();
    }
    // A comment that the string swallowed, if it stands behind brackets or a wide gap.
    let comment = text.match_indices(" #").map(|(at, _)| at).find(|at| text[..*at].ends_with([' ', ')', ']', '}']));
    let text = text[..comment.unwrap_or(text.len())].trim_end();
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
        let at = match missing(line) {
            None => return line.to_string(),
            Some(Missing::Close(start)) => start + probable_end(&line[start..], open),
            Some(Missing::Open(start, _)) => start,
        };
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
            (r#"["web]  # don't"#, "[", r#"["web"]  # don't"#),
            (r#"a = "f(x)"#, "{", r#"a = "f(x)""#),
            (r#"a = ""#, "{", r#"a = """#),
            (r#"a = "b" # don't"#, "{", r#"a = "b" # don't"#),
            (r#"run = [/bin/sh"]"#, "{[", r#"run = ["/bin/sh"]"#),
            (r#"run = [/bin/sh", "-c"]"#, "{[", r#"run = ["/bin/sh", "-c"]"#),
            (r#"run = ["/bin/sh", -c"]"#, "{[", r#"run = ["/bin/sh", "-c"]"#),
            (r#"require a, some words""#, "{", r#"require a, "some words""#),
            (r#"a(b: c d")"#, "(", r#"a(b: "c d")"#),
        ] {
            assert_eq!(mended(line, open.as_bytes()), expected, "{line}");
        }
    }
}
