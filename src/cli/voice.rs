//! To whom `nsl run` speaks: to the terminal, or from the background to who has called it, and then into the log.

use nsl::execute::{self, Background, Side};
use nsl::report::{self, Diagnostic};
use nsl::source::Files;
use nsl::state::Seat;

use super::terminal;

/// Where words go.
pub enum Voice {
    /// To the standard error.
    Foreground,
    /// To the caller that waits, then to the log.
    Background(Background),
}

impl Voice {
    /// In the background only one of two processes comes back from here: the other one has waited for the start, and ends with this status.
    pub fn of(detach: bool) -> Result<Voice, i32> {
        if !detach {
            return Ok(Voice::Foreground);
        }
        match execute::detach() {
            Ok(Side::Background(background)) => Ok(Voice::Background(background)),
            Ok(Side::Caller(caller)) => {
                let start = caller.wait();
                terminal::say(&start.said);
                Err(start.result.map_or_else(|status| status, |name| terminal::print(&(name + "\n"))))
            }
            Err(failure) => {
                terminal::say(&format!("nsl: {failure}\n"));
                Err(super::FAILED)
            }
        }
    }

    /// Leads the output into the log, in the background.
    pub fn log(&mut self, seat: &Seat) -> Result<(), Diagnostic> {
        let Voice::Background(background) = self else { return Ok(()) };
        let log = seat.log()?;
        background.log_to(log).map_err(|failure| {
            Diagnostic::error("log-failed", format!("a log cannot be kept: {failure}"))
                .help("run it in the foreground, and lead its output where it is to go")
        })
    }

    /// Says what was found.
    pub fn findings(&self, files: &Files, findings: &[Diagnostic]) {
        match self {
            Voice::Foreground => terminal::say_findings(files, findings),
            Voice::Background(_) if findings.is_empty() => {}
            Voice::Background(background) => {
                background.say(&report::render(files, findings, terminal::stderr_style()));
            }
        }
    }

    /// Says something.
    pub fn say(&self, text: &str) {
        match self {
            Voice::Foreground => terminal::say(text),
            Voice::Background(background) => background.say(text),
        }
    }

    /// Whether somebody waits for a sandbox in the background to start.
    pub fn is_waited_for(&self) -> bool {
        matches!(self, Voice::Background(background) if background.is_waited_for())
    }

    /// Says what is not in force.
    pub fn missing(&self, lines: &str) {
        self.say(&with_advice(lines));
    }

    /// Says that the program runs.
    pub fn runs(&mut self, name: Option<&str>) {
        if let (Voice::Background(background), Some(name)) = (self, name) {
            background.runs(name);
        }
    }

    /// Says how it ended; everything that was said is in the log afterwards.
    pub fn ends(self, status: i32) -> i32 {
        if let Voice::Background(mut background) = self {
            background.ends(status);
            background.finish();
        }
        status
    }
}

/// Lines about what is not in force, and what to do about them.
pub fn with_advice(lines: &str) -> String {
    match lines {
        "" => String::new(),
        lines => format!("{lines}nsl: `nsl explain not-in-force` says what to do about that\n"),
    }
}
