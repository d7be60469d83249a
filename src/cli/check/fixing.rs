//! `--fix` and `--diff`

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use nsl::fix::{Fixed, fix};
use nsl::report::Diagnostic;
use nsl::resolve::Inputs;
use nsl::source::{Disk, replace};

use super::tally::plural;
use crate::cli::edits::{diff, unwritable};
use crate::cli::inputs::Input;
use crate::cli::terminal;

/// Makes the edits and says which.
pub fn mend(given: &[Input], inputs: &Inputs) -> Result<(), Diagnostic> {
    for path in files(given) {
        let fixed = fix(path, inputs, &Disk);
        for (path, (_, new)) in &fixed.texts {
            replace(path, new).map_err(|error| unwritable(path, &error))?;
        }
        for (place, title) in &fixed.done {
            terminal::say(&format!("nsl: {place}: {title}\n"));
        }
        if !fixed.done.is_empty() {
            let shown = path.display();
            terminal::say(&format!("nsl: {} made for {shown}\n", plural(fixed.done.len(), "edit")));
        }
    }
    Ok(())
}

/// Prints the edits; the result is the exit status.
pub fn show(given: &[Input], inputs: &Inputs) -> i32 {
    let mut texts: BTreeMap<PathBuf, (String, String)> = BTreeMap::new();
    let mut out = String::new();
    for path in files(given) {
        let Fixed { texts: new, .. } = fix(path, inputs, &Disk);
        texts.extend(new);
    }
    let cwd = std::env::current_dir().unwrap_or_default();
    for (path, (old, new)) in &texts {
        out.push_str(&diff(path.strip_prefix(&cwd).unwrap_or(path), old, new));
    }
    terminal::print(&out)
}

fn files(given: &[Input]) -> BTreeSet<&Path> {
    given
        .iter()
        .filter_map(|it| match it {
            Input::File(path) => Some(path.as_path()),
            Input::Stdin(_) | Input::Failed(_) => None,
        })
        .collect()
}
