//! Edits of policies: shown, or not to be made.

use std::path::Path;

use nsl::report::Diagnostic;

/// A unified diff that `patch -p1` and `git apply` take.
pub fn diff(path: &Path, old: &str, new: &str) -> String {
    let name = path.display().to_string();
    let name = name.trim_start_matches('/');
    let diff = similar::TextDiff::from_lines(old, new);
    diff.unified_diff().header(&format!("a/{name}"), &format!("b/{name}")).to_string()
}

/// A policy that edits were to be made in.
pub fn unwritable(path: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::error("policy-unwritable", format!("`{}` cannot be written: {error}", path.display()))
        .help("`--diff` prints the edits instead")
}
