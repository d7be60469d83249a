//! Findings for people, drawn by miette.

use std::fmt;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, NarratableReportHandler, SourceCode, ThemeCharacters,
    ThemeStyles,
};

use super::excerpt::{Excerpt, Lines, visible};
use super::{Diagnostic, Severity, Style};

/// The narrowest that still can be read.
const NARROWEST: usize = 40;

/// One finding as miette wants it.
struct Drawn<'a> {
    finding: &'a Diagnostic,
    excerpt: Option<Excerpt>,
    message: String,
}

impl<'a> Drawn<'a> {
    fn new(lines: &Lines, finding: &'a Diagnostic, cut: &str) -> Drawn<'a> {
        let excerpt = Some(Excerpt::new(lines, &finding.labels, cut)).filter(|it| it.labels().next().is_some());
        Drawn { finding, excerpt, message: visible(&finding.message) }
    }

    /// What was rendered, with a final line end; the bare message where miette gives up.
    fn or_message(&self, rendered: Result<String, fmt::Error>) -> String {
        rendered.unwrap_or_else(|fmt::Error| format!("nsl::{}: {}\n", self.finding.code, self.message))
    }
}

/// One finding, with a final line end.
pub(super) fn draw(lines: &Lines, finding: &Diagnostic, style: Style) -> String {
    let drawn = Drawn::new(lines, finding, if style.unicode { "…" } else { "..." });
    let mut out = String::new();
    let result = handler(style).render_report(&mut out, &drawn);
    drawn.or_message(result.map(|()| out))
}

/// The same in sentences, for those who have it read aloud.
pub(super) fn narrate(lines: &Lines, finding: &Diagnostic) -> String {
    let drawn = Drawn::new(lines, finding, "...");
    let mut out = String::new();
    let result = NarratableReportHandler::new().render_report(&mut out, &drawn);
    drawn.or_message(result.map(|()| out))
}

fn handler(style: Style) -> GraphicalReportHandler {
    let theme = GraphicalTheme {
        characters: if style.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() },
        styles: if style.color { ThemeStyles::ansi() } else { ThemeStyles::none() },
    };
    // Paths and options are copied from the terminal: they are not to be broken.
    GraphicalReportHandler::new_themed(theme)
        .with_links(false)
        .with_width(style.width.max(NARROWEST))
        .with_break_words(false)
        .with_word_separator(textwrap::WordSeparator::AsciiSpace)
        .with_word_splitter(textwrap::WordSplitter::NoHyphenation)
        .without_syntax_highlighting()
}

impl fmt::Display for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.finding.fmt(f)
    }
}

impl std::error::Error for Drawn<'_> {}

impl miette::Diagnostic for Drawn<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(format!("nsl::{}", self.finding.code)))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.finding.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Advice => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let fix = self.finding.fix.as_ref().map(|fix| &fix.title);
        let help = self.finding.help.as_ref().or(fix)?;
        Some(Box::new(visible(help)))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_ref().map(|it| it as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.excerpt.as_ref().map(|it| Box::new(it.labels()) as Box<dyn Iterator<Item = LabeledSpan>>)
    }
}
