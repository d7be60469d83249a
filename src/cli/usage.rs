//! Command lines that cannot be understood, and questions for help.

use clap::error::ErrorKind;
use nsl::report::Diagnostic;
use nsl::source::Files;

use super::policy::refuse;
use super::terminal;

/// Prints what was asked for, or what is wrong in the style of every other finding; the result is the exit status.
pub fn answer(error: &clap::Error) -> i32 {
    let text = error.render();
    let colored = |color| if color { text.ansi().to_string() } else { text.to_string() };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => terminal::print(&colored(terminal::stdout_style().color)),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            terminal::say(&colored(terminal::stderr_style().color));
            super::REFUSED
        }
        _ => refuse(&Files::new(), &[finding(&text.to_string())]),
    }
}

/// clap's words, as a finding: a first line with the error, tips, the usage line.
fn finding(text: &str) -> Diagnostic {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let quoted = |text: &str| text.replace(['\''], "`");
    let is_more = |line: &&&str| !["tip:", "Usage:", "For more", "[possible"].iter().any(|it| line.starts_with(it));
    let message: Vec<&str> = lines.iter().take_while(is_more).copied().collect();
    let message = quoted(message.join(" ").trim_start_matches("error: "));
    let mut help: Vec<String> = Vec::new();
    for line in &lines {
        if let Some(tip) = line.strip_prefix("tip: ") {
            help.push(quoted(tip));
        } else if let Some(values) = line.strip_prefix("[possible values: ") {
            help.push(format!("one of {}", values.trim_end_matches(']')));
        } else if let Some(usage) = line.strip_prefix("Usage: ") {
            help.push(format!("usage: {usage}"));
        }
    }
    let command = help.iter().find_map(|line| line.strip_prefix("usage: nsl ")?.split(' ').next().map(str::to_string));
    let command = command.filter(|it| it.starts_with(|first: char| first.is_ascii_lowercase()));
    help.push(format!("`nsl {}--help` says more", command.map_or(String::new(), |it| it + " ")));
    Diagnostic::error("usage", message).help(help.join("\n"))
}
