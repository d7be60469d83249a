//! Diagnostics for people (miette) and for machines (JSON).

use super::excerpt::Lines;
use super::{Diagnostic, github, human, json, short};
use crate::source::Files;

/// For whom findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// People.
    Human,
    /// People who have it read aloud: no drawings.
    Narrated,
    /// Machines: one JSON object a finding and line.
    Json,
    /// GitHub Actions: one workflow command a finding and line.
    Github,
    /// Editors: `PATH:LINE:COLUMN: SEVERITY[CODE]: TEXT`, one finding a line.
    Short,
}

/// How findings look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// For whom.
    pub format: Format,
    /// Escape sequences for colours.
    pub color: bool,
    /// Box-drawing characters; ASCII otherwise.
    pub unicode: bool,
    /// Columns.
    pub width: usize,
}

/// All findings as text, in the order given; for people with a blank line between two.
pub fn render(files: &Files, findings: &[Diagnostic], style: Style) -> String {
    let lines = Lines::new(files);
    let one = |finding| match style.format {
        Format::Human => human::draw(&lines, finding, style),
        Format::Narrated => human::narrate(&lines, finding),
        Format::Github => github::line(files, &lines, finding),
        Format::Json => json::line(files, &lines, finding),
        Format::Short => short::line(files, &lines, finding),
    };
    let between = if matches!(style.format, Format::Json | Format::Github | Format::Short) { "" } else { "\n" };
    findings.iter().map(one).collect::<Vec<String>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{FileId, Span};

    const PLAIN: Style = Style { format: Format::Human, color: false, unicode: true, width: 80 };

    /// The span of the first `needle` of a file.
    fn span(files: &Files, file: FileId, needle: &str) -> Span {
        let at = files.text(file).find(needle).expect("the needle is there");
        Span::new(file, at, at + needle.len())
    }

    #[test]
    fn cuts_long_lines_anywhere() {
        let mut files = Files::new();
        let file = files.add("long.nsl", "x".repeat(2000));
        for start in 0..1000 {
            let finding = Diagnostic::error("syntax", "wrong").label(Span::new(file, start, start + 1), "here");
            let text = render(&files, &[finding], Style { unicode: false, ..PLAIN });
            assert!(text.contains(&format!("[long.nsl:1:{}]", start + 1)), "{text}");
        }
    }

    #[test]
    fn draws_labels_of_two_files_and_of_distant_lines() {
        let mut files = Files::new();
        let far = "\n".repeat(20);
        let site = files.add("site.nsl", format!("use std/service\n{far}mount /tmp = tmpfs\nlast"));
        let std = files.add("std/service.nsl", "first\n  mount /tmp\nlast\n");
        let finding = Diagnostic::error("set-twice", "`mount /tmp` is already set")
            .label(span(&files, site, "mount /tmp"), "second value, without `override`")
            .label(span(&files, std, "mount /tmp"), "first set here")
            .label(span(&files, site, "std/service"), "used here")
            .help("write `override mount /tmp = …` to replace it");
        insta::assert_snapshot!(render(&files, &[finding], PLAIN), @r"
        nsl::set-twice

          × `mount /tmp` is already set
            ╭─[site.nsl:22:1]
         21 │ 
         22 │ mount /tmp = tmpfs
            · ─────┬────
            ·      ╰── second value, without `override`
         23 │ last
            ╰────
           ╭─[std/service.nsl:2:3]
         1 │ first
         2 │   mount /tmp
           ·   ─────┬────
           ·        ╰── first set here
         3 │ last
           ╰────
           ╭─[site.nsl:1:5]
         1 │ use std/service
           ·     ─────┬─────
           ·          ╰── used here
         2 │ 
           ╰────
          help: write `override mount /tmp = …` to replace it
        ");
    }

    #[test]
    fn draws_without_unicode_and_with_color() {
        let mut files = Files::new();
        let file = files.add("a.nsl", "sandbox a {\n  pid ne\n}");
        let finding = Diagnostic::warning("wrong-type", "no such mode").label(span(&files, file, "ne"), "here");
        let ascii = render(&files, std::slice::from_ref(&finding), Style { unicode: false, ..PLAIN });
        assert!(ascii.is_ascii(), "{ascii}");
        assert!(ascii.contains("a.nsl:2:7"), "{ascii}");
        let color = render(&files, &[finding], Style { color: true, ..PLAIN });
        assert!(color.contains("\x1b["), "{color}");
    }

    #[test]
    fn survives_every_place() {
        let text = format!("{}é\u{1b}[31m\n\n  {}", "é".repeat(70_000), "x".repeat(70_000));
        let mut files = Files::new();
        let long = files.add("long", text.clone());
        let empty = files.add("empty", "");
        let ended = files.add("ended", "a\n");
        let places = [0, 1, 3, 131_071, 140_000, text.len() - 1, text.len(), text.len() + 9, u32::MAX as usize];
        for start in places {
            for end in places.into_iter().filter(|end| *end >= start) {
                for file in [long, empty, ended] {
                    let finding = Diagnostic::error("syntax", "x\x1b[2Jy").label(Span::new(file, start, end), "\x07");
                    for format in [Format::Human, Format::Narrated, Format::Json] {
                        let out = render(&files, std::slice::from_ref(&finding), Style { format, ..PLAIN });
                        assert!(!out.contains('\x1b') && !out.contains('\x07'), "{out}");
                        assert!(out.len() < 4000, "{out}");
                        assert!(format == Format::Json || out.contains(files.name(file)), "{out}");
                    }
                }
            }
        }
        let unknown = Diagnostic::error("syntax", "x").label(Span::new(FileId(9), 0, 1), "");
        assert!(render(&files, &[unknown], PLAIN).contains("nsl::syntax"));
    }

    #[test]
    fn says_the_column_of_a_cut_line_in_characters() {
        let mut files = Files::new();
        let file = files.add("a.nsl", format!("{}here", "é".repeat(70_000)));
        let finding = Diagnostic::error("syntax", "x").label(span(&files, file, "here"), "look");
        let out = render(&files, std::slice::from_ref(&finding), PLAIN);
        assert!(out.contains("a.nsl:1:70001"), "{out}");
        let json = render(&files, &[finding], Style { format: Format::Json, ..PLAIN });
        assert!(json.contains(r#""line":1,"col":70001,"end_line":1,"end_col":70005"#), "{json}");
    }

    #[test]
    fn narrates() {
        let mut files = Files::new();
        let file = files.add("a.nsl", "sandbox a {\n  pid ne\n}");
        let finding =
            Diagnostic::error("wrong-type", "no such mode").label(span(&files, file, "ne"), "here").help("`new`");
        insta::assert_snapshot!(render(&files, &[finding], Style { format: Format::Narrated, ..PLAIN }), @r"
        no such mode
            Diagnostic severity: error
        Begin snippet for a.nsl starting at line 1, column 1

        snippet line 1: sandbox a {
        snippet line 2:   pid ne
            label at line 2, columns 7 to 8: here
        snippet line 3: }
        diagnostic help: `new`
        diagnostic code: nsl::wrong-type
        ");
    }

    #[test]
    fn draws_an_empty_label_at_the_end() {
        let mut files = Files::new();
        let file = files.add("a.nsl", "sandbox a {");
        let finding =
            Diagnostic::error("syntax", "`{` is never closed").label(Span::new(file, 11, 11), "`}` is missing");
        insta::assert_snapshot!(render(&files, &[finding], PLAIN), @r"
        nsl::syntax

          × `{` is never closed
           ╭─[a.nsl:1:12]
         1 │ sandbox a {
           ·            ▲
           ·            ╰── `}` is missing
           ╰────
        ");
    }
}
