//! `nsl man`

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};
use nsl::report::Diagnostic;
use nsl::schema::{self, Field, SECTIONS};
use nsl::source::Files;

use super::policy::refuse;

const AFTER_HELP: &str = "\
Examples:
  nsl man ~/.local/share/man/man1      nsl(1), nsl-run(1) and the other commands
  nsl man --language ~/.local/share/man/man5      nsl(5), the language

Both are written from the definitions that nsl itself works with. `man nsl-run` shows one.";

/// Write the manual pages of the commands, or that of the language
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct Man {
    /// The directory, which must exist.
    dir: PathBuf,
    /// Write nsl(5), the language, and not the commands.
    #[arg(long)]
    language: bool,
}

pub fn main(args: &Man) -> i32 {
    let written = match args.language {
        true => fs::write(args.dir.join("nsl.5"), language()),
        false => commands(&args.dir),
    };
    let Err(error) = written else { return 0 };
    let message = format!("manual pages cannot be written to `{}`: {error}", args.dir.display());
    let finding = Diagnostic::error("man-unwritable", message);
    refuse(&Files::new(), &[finding.help("name a directory that exists and that you may write to")])
}

/// One page a command, those of its subcommands before it.
fn commands(dir: &Path) -> io::Result<()> {
    // The command `help` is for a terminal: of no use in a manual.
    let mut command = super::Cli::command().disable_help_subcommand(true);
    command.build();
    page(&command, dir)
}

fn page(command: &clap::Command, dir: &Path) -> io::Result<()> {
    command.get_subcommands().filter(|it| !it.is_hide_set()).try_for_each(|it| page(it, dir))?;
    let man = clap_mangen::Man::new(command.clone());
    let mut text = Vec::new();
    man.render(&mut text)?;
    // The lines of examples stay as they are.
    let text = String::from_utf8_lossy(&text).replace("\n.SH EXTRA\n", "\n.SH EXAMPLES AND NOTES\n.nf\n");
    fs::write(dir.join(man.get_filename()), text.replace("\n.SH VERSION\n", "\n.fi\n.SH VERSION\n"))
}

/// nsl(5): every section and field of the table.
fn language() -> String {
    let mut page = Roff::new();
    let version = concat!("nsl ", env!("CARGO_PKG_VERSION"));
    page.control("TH", ["NSL", "5", "", version, "The sandbox language"]);
    page.control("SH", ["NAME"]).text([roman("nsl - the language of policies for sandboxes")]);
    page.control("SH", ["DESCRIPTION"]);
    for paragraph in DESCRIPTION {
        page.control("PP", []).text([roman(*paragraph)]);
    }
    page.control("SH", ["THE BODY OF A SANDBOX"]);
    fields(&mut page, "");
    for section in SECTIONS {
        let mode = if section.has_mode { " MODE" } else { "" };
        page.control("SH", [format!("{}{mode} {{ ... }}", section.name).as_str()]);
        page.text([roman(section.doc)]);
        fields(&mut page, section.name);
    }
    page.control("SH", ["SEE ALSO"]);
    page.text([bold("nsl"), roman("(1), "), bold("nsl-check"), roman("(1), "), bold("namespaces"), roman("(7)")]);
    page.to_roff()
}

const DESCRIPTION: &[&str] = &[
    "A policy says what a program may see, use and do. It is a text of statements, one a line; a # begins a comment, and ## one that \
     documents what follows.",
    "A file holds use (a module of the standard library or a file), param (a value from outside), let (a name for a value), and \
     declarations: profile, sandbox, pod with containers, syscalls group.",
    "A statement is a head, labels, and a value behind =. default, override, final and remove say how it meets the statements of \
     profiles; prefer goes on without it where the host cannot; optional skips it where its path is missing.",
    "Values have types and units: sizes (64MiB), durations (30s), shares (50%), ports (443/tcp), addresses, paths, strings, numbers, \
     true and false, lists in brackets, and words with arguments in parentheses. $name stands for a parameter.",
];

fn fields(page: &mut Roff, section: &str) {
    for field in schema::fields_of(section) {
        page.control("TP", []).text([bold(field.usage())]);
        page.text(words(field));
    }
}

fn words(field: &Field) -> Vec<Inline> {
    let mut all = vec![roman(field.doc)];
    if let Some(value) = &field.value {
        all.extend([roman("; the value is "), roman(value.describe().replace('`', ""))]);
    }
    if !field.default.is_empty() {
        all.extend([roman("; where not stated: "), italic(field.default)]);
    }
    if !field.since.is_empty() {
        all.extend([roman("; since "), roman(field.since)]);
    }
    if !field.privilege.is_empty() {
        all.extend([roman("; needs "), roman(field.privilege)]);
    }
    all.push(roman("."));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_the_language_has_every_field() {
        let page = language().replace("\\-", "-").replace("\\.", ".");
        for field in schema::fields() {
            assert!(page.contains(field.head), "{}", field.path());
        }
    }
}
