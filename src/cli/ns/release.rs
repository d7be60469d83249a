//! `nsl ns release`

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use nsl::execute::{self, Released};
use nsl::host::{self, Holder, SeenNamespace};
use nsl::plan::NsKind;
use nsl::report::Diagnostic;
use nsl::source::Files;
use serde::Serialize;
use serde_json::Value;

use super::super::{FAILED, record, runs, terminal};

const AFTER_HELP: &str = "\
Examples:
  nsl ns release /run/netns/web         what `net new { keep /run/netns/web }` has kept
  nsl ns release /run/ns/*              several; each that cannot be let go is said
  nsl ns release --json /run/ns/*       what became of each, as data

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
    /// Print what became of each file as JSON.
    #[arg(long)]
    json: bool,
}

/// What became of a file.
#[derive(Serialize)]
struct Row<'a> {
    path: &'a Path,
    released: bool,
    kind: Option<NsKind>,
    id: Option<u64>,
    goes_on: bool,
    processes: &'a [i32],
    pinned: &'a [PathBuf],
    held: &'a [Holder],
    finding: Option<Value>,
}

pub fn main(args: &Release) -> i32 {
    let mut status = 0;
    let mut results: Vec<(&Path, Result<Released, Diagnostic>)> = Vec::new();
    for path in &args.paths {
        let result = execute::release(path);
        if let Some(finding) = finding(&result) {
            status = runs::refuse(finding.clone());
        }
        results.push((path, result));
    }
    let census = match results.iter().any(|(_, it)| it.is_ok()) {
        true => host::namespaces().namespaces,
        false => Vec::new(),
    };
    let rest = |released: &Released| census.iter().find(|it| it.kind == released.pin.kind && it.id == released.pin.id);
    let printed = if args.json {
        terminal::print_json(&results.iter().map(|(path, it)| row(path, it, rest)).collect::<Vec<_>>())
    } else {
        let line = |(path, result): &(&Path, Result<Released, Diagnostic>)| {
            let released = result.as_ref().ok()?;
            let rest = rest(released).and_then(keepers);
            let rest = rest.map_or("and nothing that you may see needs it any more".to_string(), |it| {
                format!("which goes on: {it}")
            });
            let (kind, id) = (released.pin.kind.name(), released.pin.id);
            Some(format!("{}: let go of {kind} {id}, {rest}\n", path.display()))
        };
        terminal::print(&results.iter().filter_map(line).collect::<String>())
    };
    match printed {
        FAILED => FAILED,
        _ => status,
    }
}

fn finding(result: &Result<Released, Diagnostic>) -> Option<&Diagnostic> {
    match result {
        Ok(released) => released.file_left.as_ref(),
        Err(finding) => Some(finding),
    }
}

fn row<'a>(
    path: &'a Path,
    result: &'a Result<Released, Diagnostic>,
    rest: impl Fn(&Released) -> Option<&'a SeenNamespace>,
) -> Row<'a> {
    let released = result.as_ref().ok();
    let rest = released.and_then(rest);
    Row {
        path,
        released: released.is_some(),
        kind: released.map(|it| it.pin.kind),
        id: released.map(|it| it.pin.id),
        goes_on: rest.is_some(),
        processes: rest.map_or(&[], |it| &it.processes),
        pinned: rest.map_or(&[], |it| &it.pinned),
        held: rest.map_or(&[], |it| &it.held),
        finding: finding(result)
            .and_then(|it| record::findings(&Files::new(), std::slice::from_ref(it)).into_iter().next()),
    }
}

/// What else a namespace lives by.
fn keepers(namespace: &SeenNamespace) -> Option<String> {
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
