//! `nsl inspect`

use clap::Args;
use nsl::inspect;

use super::{runs, terminal};

const AFTER_HELP: &str = "\
Examples:
  nsl inspect web           what it is, and how it is held
  nsl inspect web --json    the same as data, with every step that was performed

What the kernel says of the program is read anew; the steps are those that were performed when it was started. `nsl drift` compares both with the \
policy's file.

Exit status: 0, or 2 where there is no such sandbox.";

/// Show everything about a sandbox that runs
///
/// Its processes, namespaces, ids, rights, mounts, limits and what it uses, and the plan that was performed.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct Inspect {
    #[command(flatten)]
    run: runs::Name,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

pub fn main(args: &Inspect) -> i32 {
    let entry = match args.run.find() {
        Ok(entry) => entry,
        Err(finding) => return runs::refuse(finding),
    };
    let overview = inspect::overview(&entry);
    if args.json { terminal::print_json(&overview) } else { terminal::print(&inspect::overview_text(&overview)) }
}
