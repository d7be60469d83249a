//! `nsl fmt`

use std::path::{Path, PathBuf};

use clap::Args;
use nsl::format::format;
use nsl::report::unreadable;
use nsl::source::{Disk, Files, Loader, replace};

use super::edits::{diff, unwritable};
use super::inputs::{Input, gather};
use super::policy::refuse;
use super::terminal;

const AFTER_HELP: &str = "\
Examples:
  nsl fmt web.nsl                 lay it out anew, in place
  nsl fmt policies/               all files below whose names end in .nsl
  nsl fmt --check policies/       for a pipeline: names those that would change, and changes nothing
  nsl fmt --diff web.nsl          show what would change
  nsl fmt - < web.nsl             from the standard input to the standard output, for editors

Exit status:
  0  done        1  with `--check`: a file would change        2  a file has errors, and stays as it is

Only white space changes, so the policy stays the same. There are no options for the style: blocks are indented by two \
columns, one space stands between words, one empty line at most between statements. Lines end where you end them, and what \
you put below each other in adjacent lines, such as `=` or comments, stays so.";

/// Lay the text of policies out in the one style
///
/// Two people who write the same policy get the same text, so a review shows what changed and nothing else.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct Fmt {
    /// Policies, directories with policies, or `-` for the standard input.
    #[arg(required = true, value_name = "FILE|DIR|-")]
    paths: Vec<PathBuf>,
    /// Change nothing; name the files that would change on the standard output, and end with 1 if there are any.
    #[arg(long)]
    check: bool,
    /// Change nothing; print what would change as a unified diff on the standard output.
    #[arg(long)]
    diff: bool,
}

pub fn main(args: &Fmt) -> i32 {
    gather(&args.paths).into_iter().map(|it| one(args, it)).max().unwrap_or(0)
}

/// Formats one policy; the result is the exit status.
fn one(args: &Fmt, input: Input) -> i32 {
    let mut files = Files::new();
    let (path, text) = match input {
        Input::Failed(error) => return refuse(&files, &[*error]),
        Input::Stdin(text) => (None, text),
        Input::File(path) => match Disk.load(&path) {
            Ok(text) => (Some(path), text),
            Err(error) => return refuse(&files, &[unreadable(&path.to_string_lossy(), &error)]),
        },
    };
    let name = path.as_deref().unwrap_or(Path::new("<stdin>"));
    let file = files.add(name.to_string_lossy(), text.clone());
    let new = match format(&files, file) {
        Ok(new) => new,
        Err(findings) => return refuse(&files, &findings),
    };
    if args.check || args.diff {
        return show(args, name, &text, &new);
    }
    match path {
        None => terminal::print(&new),
        Some(path) if new != text => match replace(&path, &new) {
            Ok(()) => {
                terminal::say(&format!("nsl: {} formatted\n", path.display()));
                0
            }
            Err(error) => refuse(&files, &[unwritable(&path, &error)]),
        },
        Some(_) => 0,
    }
}

/// Says what would change.
fn show(args: &Fmt, name: &Path, old: &str, new: &str) -> i32 {
    if old == new {
        return 0;
    }
    let written = match args.diff {
        true => terminal::print(&diff(name, old, new)),
        false => terminal::print(&format!("{}\n", name.display())),
    };
    written.max(i32::from(args.check))
}
