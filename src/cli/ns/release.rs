//! `nsl ns release`

use std::path::PathBuf;

use clap::{Args, ValueHint};
use nsl::execute;
use nsl::host::{self, Pin};

use super::super::{FAILED, runs, terminal};

const AFTER_HELP: &str = "\
Examples:
  nsl ns release /run/netns/web         what `net new { keep /run/netns/web }` has kept
  nsl ns release /run/ns/*              several; each that cannot be let go is said

What unshare(1) and ip-netns(8) have pinned is let go as well. A namespace goes on as long as a process, another file or a descriptor \
needs it, which is said. Letting go takes CAP_SYS_ADMIN where the file was mounted: as root, or in the same mount namespace of your own.

Exit status: 0, or 2 where one of the files keeps no namespace or may not be let go.";

/// Let go of namespaces that files keep, and remove the files
///
/// The opposite of `keep PATH` in a policy: unmounts the namespace and removes the empty file that it was mounted on.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct Release {
    /// The files, as `nsl ns` lists them (`pinned by`).
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::FilePath)]
    paths: Vec<PathBuf>,
}

pub fn main(args: &Release) -> i32 {
    let mut status = 0;
    let mut released = Vec::new();
    for path in &args.paths {
        match execute::release(path) {
            Ok(pin) => released.push((path, pin)),
            Err(finding) => status = runs::refuse(finding),
        }
    }
    if released.is_empty() {
        return status;
    }
    let census = host::namespaces();
    let lines = released.iter().map(|(path, pin)| {
        let Pin { kind, id, .. } = pin;
        let left = census.namespaces.iter().find(|it| it.kind == *kind && it.id == *id);
        let rest = left
            .and_then(keepers)
            .map_or("and nothing that you may see needs it any more".to_string(), |it| format!("which goes on: {it}"));
        format!("{}: let go of {} {id}, {rest}\n", path.display(), kind.name())
    });
    match terminal::print(&lines.collect::<String>()) {
        FAILED => FAILED,
        _ => status,
    }
}

/// What else a namespace lives by.
fn keepers(namespace: &host::SeenNamespace) -> Option<String> {
    let count = |number: usize, one: &str, many: &str| match number {
        0 => None,
        1 => Some(format!("one {one}")),
        number => Some(format!("{number} {many}")),
    };
    let found = [
        count(namespace.processes.len(), "process", "processes"),
        count(namespace.pinned.len(), "other file", "other files"),
        count(namespace.held.len(), "descriptor", "descriptors"),
    ];
    let found: Vec<String> = found.into_iter().flatten().collect();
    match found.is_empty() {
        true => Some("another namespace belongs to it".to_string()),
        false => Some(found.join(", ")),
    }
}
