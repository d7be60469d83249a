//! `nsl explain`

use clap::Args;
use nsl::report::pages::{self, Page};
use nsl::report::{Diagnostic, Severity};
use nsl::schema::suggest::nearest;
use nsl::source::Files;

use super::policy::refuse;
use super::terminal;

const AFTER_HELP: &str = "\
Examples:
  nsl explain hostname-without-uts
  nsl explain nsl::hostname-without-uts    as findings show it
  nsl explain --list | grep map            every code, one a line";

/// Print the page behind a diagnostic: what the kernel does, why it matters, what to do
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct Explain {
    /// The code of a diagnostic, with or without `nsl::`.
    #[arg(required_unless_present = "list")]
    code: Option<String>,
    /// Print every code, one a line.
    #[arg(long, conflicts_with = "code")]
    list: bool,
}

/// The widest that a paragraph is set, columns.
const WIDEST: usize = 88;

pub fn main(args: &Explain) -> i32 {
    let Some(code) = &args.code else {
        let mut codes: Vec<&str> = pages::all().map(|page| page.code).collect();
        codes.sort_unstable();
        return terminal::print(&codes.iter().map(|code| format!("{code}\n")).collect::<String>());
    };
    match pages::find(code) {
        Some(page) => terminal::print(&text(page)),
        None => refuse(&Files::new(), &[unknown(code)]),
    }
}

fn unknown(code: &str) -> Diagnostic {
    let finding = Diagnostic::error("unknown-code", format!("there is no diagnostic `{code}`"));
    let word = code.strip_prefix("nsl::").unwrap_or(code);
    match nearest(word, pages::all().map(|page| page.code)) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help("`nsl explain --list` prints every code"),
    }
}

fn text(page: &Page) -> String {
    let style = terminal::stdout_style();
    let (bold, plain) = if style.color { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    let severity = match page.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Advice => "advice",
    };
    let mut out = format!("{bold}nsl::{} ({severity}){plain}\n{}\n", page.code, page.title);
    let width = textwrap::Options::new(style.width.clamp(40, WIDEST))
        .break_words(false)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    for paragraph in page.text.split("\n\n") {
        out.push_str(&format!("\n{}\n", textwrap::fill(paragraph, &width)));
    }
    for (title, example) in [("Wrong:", page.wrong), ("Right:", page.right)] {
        if !example.is_empty() {
            out.push_str(&format!("\n{bold}{title}{plain}\n{}\n", textwrap::indent(example.trim_end(), "    ")));
        }
    }
    out
}
