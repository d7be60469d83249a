//! Whether the brackets and quotes of a text are in order: a quick look, for most texts are.

use super::quotes;

/// Deeper than anybody writes, and shallow enough for every recursion that follows.
pub(super) const MAX_DEPTH: usize = 64;

/// Whether every bracket and quote of a text has its partner.
pub(super) fn is_whole(text: &str) -> bool {
    matches!(look(text), Look::Fine)
}

/// What a look at the brackets and quotes of a text finds.
pub(super) enum Look {
    /// Each has its partner.
    Fine,
    /// One has none, or another's.
    Broken,
    /// Where one more is opened than may be.
    TooDeep(usize),
}

/// Whether every bracket and quote outside comments has its partner.
pub(super) fn look(text: &str) -> Look {
    let bytes = text.as_bytes();
    let (mut stack, mut depth) = ([0u8; MAX_DEPTH], 0);
    let mut at = 0;
    let mut broken = false;
    while at < bytes.len() {
        match bytes[at] {
            b'#' => at = quotes::line_end(bytes, at) - 1,
            b'"' => match quotes::string_end(bytes, at) {
                Some(end) => at = end - 1,
                None => {
                    broken = true;
                    at = quotes::line_end(bytes, at) - 1;
                }
            },
            byte @ (b'{' | b'(' | b'[') => {
                if depth == MAX_DEPTH {
                    // A text that is broken as well may only seem to be too deep.
                    return if broken { Look::Broken } else { Look::TooDeep(at) };
                }
                broken |= byte == b'{' && depth > 0 && stack[depth - 1] != b'{';
                stack[depth] = byte;
                depth += 1;
            }
            byte @ (b'}' | b')' | b']') => {
                broken |= depth == 0 || stack[depth - 1] != opener(byte);
                depth = depth.saturating_sub(1);
            }
            b'\n' => broken |= depth > 0 && declares(&bytes[at + 1..]),
            _ => {}
        }
        at += 1;
    }
    if broken || depth > 0 { Look::Broken } else { Look::Fine }
}

/// Whether a line declares what stands at the top of a file and nowhere else.
pub(super) fn declares(line: &[u8]) -> bool {
    let word = [&b"sandbox "[..], b"profile ", b"pod "].into_iter().find(|it| line.starts_with(it));
    word.is_some_and(|it| line.get(it.len()).is_some_and(u8::is_ascii_alphabetic))
}

/// What opens that which this byte closes.
pub(super) fn opener(byte: u8) -> u8 {
    match byte {
        b'}' => b'{',
        b')' => b'(',
        _ => b'[',
    }
}
