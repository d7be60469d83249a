//! `--target`

use std::path::Path;

use nsl::host::{HostFacts, Recorded, target, target_names};
use nsl::report::{Diagnostic, unreadable};
use nsl::schema::suggest::nearest;
use nsl::source::{Disk, Loader};

/// The facts of a target: a built-in one by name, otherwise a file.
pub fn find(word: &str) -> Result<HostFacts, Diagnostic> {
    if let Some(facts) = target(word) {
        return Ok(facts);
    }
    let is_path = word.contains('/') || Path::new(word).exists();
    if !is_path {
        let names = target_names();
        let near = nearest(word, names.iter().map(String::as_str));
        let near = near.map_or(String::new(), |near| format!("did you mean `{near}`? "));
        return Err(Diagnostic::error("unknown-target", format!("there is no target `{word}`, and no such file"))
            .help(format!(
                "{near}built in are {}; `nsl doctor --json > my.target` records another host",
                names.join(", ")
            )));
    }
    let text = Disk.load(Path::new(word)).map_err(|error| unreadable(word, &error))?;
    let mut facts: HostFacts = Recorded::read(&text).map_err(|error| {
        Diagnostic::error("bad-target", format!("`{word}` does not hold the facts of a host: {error}"))
            .help("`nsl doctor --json > my.target` writes such a file, on the host that it is about")
    })?;
    facts.name = word.to_string();
    Ok(facts)
}
