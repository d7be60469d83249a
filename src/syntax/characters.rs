//! Characters that no statement holds, most of them put there by a word processor.

use super::place::Place;
use crate::report::Diagnostic;

/// The first such character of a piece of a text that begins at `start`, outside strings and comments.
pub(super) fn unexpected(piece: &str, place: &Place, start: usize) -> Option<Diagnostic> {
    let mut chars = piece.char_indices();
    let mut in_string = false;
    while let Some((at, found)) = chars.next() {
        match found {
            '\\' if in_string => drop(chars.next()),
            '"' => in_string = !in_string,
            '\n' => in_string = false,
            _ if in_string => {}
            '#' => drop(chars.find(|(_, it)| *it == '\n')),
            _ if found.is_ascii_whitespace() || found.is_ascii_graphic() => {}
            _ => return Some(finding(found, place, start + at)),
        }
    }
    None
}

fn finding(found: char, place: &Place, at: usize) -> Diagnostic {
    let span = place.span(at, at + found.len_utf8());
    let code = "unexpected-character";
    if let Some(plain) = plain(found) {
        let shown = if plain == " " { "a space".to_string() } else { format!("`{plain}`") };
        let message = format!("{} stands where {shown} should", name(found));
        return Diagnostic::error(code, message).label(span, "this character").help(format!("write {shown}")).fix(
            format!("write {shown}"),
            span,
            plain,
        );
    }
    let finding = Diagnostic::error(code, format!("{} has no meaning outside strings and comments", name(found)));
    let finding = finding.label(span, "this character");
    if found.is_alphanumeric() {
        return finding
            .help("names are ASCII letters, digits, `_` and `-`; other text, and paths with it, stand between quotes");
    }
    finding.help("delete it").fix("delete it", span, "")
}

/// What is meant by a character that looks like another one.
fn plain(found: char) -> Option<&'static str> {
    Some(match found {
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' | '\u{b}' | '\u{c}' => " ",
        '\u{201c}'..='\u{201f}' | '\u{2018}'..='\u{201b}' | '\u{ab}' | '\u{bb}' | '\u{2033}' => "\"",
        '\u{2010}'..='\u{2015}' | '\u{2212}' => "-",
        '\u{ff1d}' | '\u{2261}' => "=",
        '\u{ff0c}' => ",",
        '\u{ff1a}' => ":",
        '\u{2260}' => "!=",
        '\u{2264}' => "<=",
        '\u{2265}' => ">=",
        _ => return None,
    })
}

/// The character as it can be shown: by its number where it cannot be seen.
fn name(found: char) -> String {
    let hidden = found.is_control() || found.is_whitespace() || matches!(found, '\u{ad}' | '\u{200b}'..='\u{200f}');
    let hidden = hidden
        || matches!(found, '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}');
    match hidden {
        true => format!("the character U+{:04X}", found as u32),
        false => format!("`{found}`"),
    }
}
