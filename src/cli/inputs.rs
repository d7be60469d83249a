//! What the paths of the command line stand for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use nsl::report::{Diagnostic, unreadable};
use nsl::source::{find_policies, load_stdin};

/// One thing to be checked.
pub enum Input {
    /// A file.
    File(PathBuf),
    /// The text of the standard input.
    Stdin(String),
    /// Nothing: what is wrong instead.
    Failed(Box<Diagnostic>),
}

/// Every policy once, in the order of the command line; those of a directory by name.
pub fn gather(paths: &[PathBuf]) -> Vec<Input> {
    let mut seen = BTreeSet::new();
    let mut inputs = Vec::new();
    for path in paths {
        for input in of_path(path) {
            // Two spellings of one file are one policy.
            let is_new = match &input {
                Input::File(path) => seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())),
                _ => true,
            };
            if is_new {
                inputs.push(input);
            }
        }
    }
    inputs
}

fn of_path(path: &Path) -> Vec<Input> {
    let failed = |finding: Diagnostic| vec![Input::Failed(Box::new(finding))];
    if path.as_os_str() == "-" {
        return match load_stdin() {
            Ok(text) => vec![Input::Stdin(text)],
            Err(error) => failed(unreadable("<stdin>", &error)),
        };
    }
    if !path.is_dir() {
        return vec![Input::File(path.to_path_buf())];
    }
    let name = path.to_string_lossy();
    match find_policies(path) {
        Ok(paths) if paths.is_empty() => failed(
            Diagnostic::error("no-policies", format!("there is no policy below `{name}`"))
                .help("policies are files whose names end in `.nsl`; hidden directories are not looked into"),
        ),
        // Below `.` a file has the name that version control and reviews know it by.
        Ok(paths) => paths
            .into_iter()
            .map(|it| Input::File(it.strip_prefix(".").map_or(it.clone(), Path::to_path_buf)))
            .collect(),
        Err((path, error)) => failed(unreadable(&path.to_string_lossy(), &error)),
    }
}
