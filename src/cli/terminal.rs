//! What is written where, and how it looks.

use std::io::{self, IsTerminal, Write};

use nsl::report::{self, Diagnostic, Format, Style};
use nsl::source::Files;

/// The width where none is known, columns.
const WIDTH: usize = 100;

/// The variables of the environment that say how output looks.
#[derive(Default)]
struct Wishes {
    no_color: bool,
    force_color: bool,
    dumb: bool,
    utf8: bool,
    /// No drawings, for those who have the output read aloud.
    narrated: bool,
    columns: Option<usize>,
}

impl Wishes {
    fn of(variable: impl Fn(&str) -> Option<String>) -> Wishes {
        let given = |name: &str| variable(name).filter(|value| !value.is_empty());
        // The first of these that is set decides: locale(7).
        let locale = given("LC_ALL").or_else(|| given("LC_CTYPE")).or_else(|| given("LANG")).unwrap_or_default();
        let charset = locale.to_ascii_lowercase().replace('-', "");
        Wishes {
            no_color: given("NO_COLOR").is_some(),
            force_color: given("FORCE_COLOR").is_some_and(|value| value != "0"),
            dumb: given("TERM").is_some_and(|value| value == "dumb"),
            // Without a locale it is anybody's guess, and nearly every terminal of today shows UTF-8.
            utf8: locale.is_empty() || charset.contains("utf8"),
            narrated: given("NO_GRAPHICS").is_some_and(|value| value != "0"),
            columns: given("COLUMNS").and_then(|value| value.parse().ok()).filter(|columns| *columns > 0),
        }
    }

    /// How findings for people look on a stream that is a terminal of this width, or none.
    fn style(&self, terminal: Option<usize>) -> Style {
        let color = match (self.no_color, self.force_color) {
            (true, _) => false,
            (false, true) => true,
            (false, false) => terminal.is_some() && !self.dumb,
        };
        let width = self.columns.or(terminal.filter(|width| *width > 0)).unwrap_or(WIDTH);
        let format = if self.narrated { Format::Narrated } else { Format::Human };
        Style { format, color, unicode: self.utf8, width }
    }
}

fn style(stream: &impl IsTerminal, size_of: impl std::os::fd::AsFd) -> Style {
    let wishes = Wishes::of(|name| std::env::var(name).ok());
    let columns = || rustix::termios::tcgetwinsize(size_of).map_or(0, |size| usize::from(size.ws_col));
    wishes.style(stream.is_terminal().then(columns))
}

/// How output on the standard output looks.
pub fn stdout_style() -> Style {
    style(&io::stdout(), io::stdout())
}

/// How output on the standard error looks.
pub fn stderr_style() -> Style {
    style(&io::stderr(), io::stderr())
}

/// The width of a table on the standard output; in a file or a pipe it is not cut.
pub fn table_width() -> usize {
    if io::stdout().is_terminal() { stdout_style().width } else { usize::MAX }
}

/// Writes to the standard output. A reader that has gone away wants no more, which is no failure; any other
/// failure (a full disk) is told, and is one of nsl's own.
pub fn print(text: &str) -> i32 {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => 0,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            say(&format!("nsl: the output cannot be written: {error}\n"));
            super::FAILED
        }
    }
}

/// Data as JSON, on the standard output.
pub fn print_json(data: &impl serde::Serialize) -> i32 {
    match serde_json::to_string_pretty(data) {
        Ok(text) => print(&(text + "\n")),
        Err(error) => {
            say(&format!("nsl: the output cannot be written: {error}\n"));
            super::FAILED
        }
    }
}

/// Writes to the standard error. Where that fails there is nobody left to tell.
pub fn say(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Findings for people, on the standard error.
pub fn say_findings(files: &Files, findings: &[Diagnostic]) {
    if !findings.is_empty() {
        say(&report::render(files, findings, stderr_style()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(variables: &[(&str, &str)]) -> Wishes {
        Wishes::of(|name| variables.iter().find(|it| it.0 == name).map(|it| it.1.to_string()))
    }

    #[test]
    fn colors_are_for_terminals_that_want_them() {
        let color = |variables: &[(&str, &str)], terminal| wishes(variables).style(terminal).color;
        assert!(color(&[], Some(80)) && !color(&[], None));
        assert!(!color(&[("TERM", "dumb")], Some(80)));
        assert!(!color(&[("NO_COLOR", "1")], Some(80)) && color(&[("NO_COLOR", "")], Some(80)));
        assert!(color(&[("FORCE_COLOR", "1")], None) && !color(&[("FORCE_COLOR", "0")], None));
        assert!(!color(&[("FORCE_COLOR", "1"), ("NO_COLOR", "1")], Some(80)));
    }

    #[test]
    fn the_locale_decides_over_unicode() {
        let unicode = |variables: &[(&str, &str)]| wishes(variables).style(None).unicode;
        assert!(unicode(&[]) && unicode(&[("LANG", "en_US.UTF-8")]) && unicode(&[("LANG", "C.utf8")]));
        assert!(!unicode(&[("LANG", "C")]) && !unicode(&[("LC_ALL", "POSIX"), ("LANG", "de_DE.UTF-8")]));
    }

    #[test]
    fn columns_decide_over_the_width() {
        assert_eq!(wishes(&[("COLUMNS", "60")]).style(Some(80)).width, 60);
        assert_eq!(wishes(&[("COLUMNS", "0")]).style(Some(80)).width, 80);
        assert_eq!(wishes(&[]).style(Some(0)).width, WIDTH);
        assert_eq!(wishes(&[]).style(None).width, WIDTH);
    }
}
