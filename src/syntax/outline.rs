//! The top-level items of a file that is laid out as the formatter does it, without reading what is in them.
//!
//! The embedded standard library is large and a policy uses little of it: only what is used is parsed.

use std::ops::Range;

/// One top-level item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline<'t> {
    /// The first word: `profile`, `syscalls`, `use`, …
    pub kind: &'t str,
    /// The name that is declared; for `use` the module.
    pub name: &'t str,
    /// The item with the comments before it, in bytes.
    pub range: Range<usize>,
}

/// The items of a text whose declarations begin in the first column and end with a `}` in the first column, or on
/// the line on which they begin.
pub fn outline(text: &str) -> Vec<Outline<'_>> {
    let mut items = Vec::new();
    let mut comments = None;
    let mut open: Option<Outline> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let (start, end) = (at, at + line.len());
        at = end;
        if let Some(item) = &mut open {
            item.range.end = end;
            if line.starts_with('}') {
                items.extend(open.take());
            }
            continue;
        }
        let content = line.trim_end();
        if content.is_empty() {
            comments = None;
        } else if content.starts_with('#') {
            comments.get_or_insert(start);
        } else {
            let range = comments.take().unwrap_or(start)..end;
            let item = item(content, range);
            if content.ends_with('{') { open = Some(item) } else { items.push(item) }
        }
    }
    items.extend(open);
    items
}

fn item(line: &str, range: Range<usize>) -> Outline<'_> {
    let mut words = line.split(|c: char| c.is_whitespace() || matches!(c, '(' | ':' | '{')).filter(|it| !it.is_empty());
    let kind = words.next().unwrap_or("");
    let mut name = words.next().unwrap_or("");
    if kind == "syscalls" {
        name = words.next().unwrap_or("");
    }
    Outline { kind, name, range }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_found_with_their_comments() {
        let text = "use std/a\n\n## doc\nprofile x(a: size) {\n  b {\n  }\n}\n\nsyscalls group g { read }\n";
        let found: Vec<_> = outline(text).into_iter().map(|it| (it.kind, it.name, &text[it.range])).collect();
        assert_eq!(
            found,
            [
                ("use", "std/a", "use std/a\n"),
                ("profile", "x", "## doc\nprofile x(a: size) {\n  b {\n  }\n}\n"),
                ("syscalls", "g", "syscalls group g { read }\n"),
            ]
        );
    }
}
