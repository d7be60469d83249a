//! `nsl ns diff`

use std::path::Path;

use clap::Args;
use nsl::inspect::{self, Difference, ProcessFacts, Side};
use nsl::report::Diagnostic;
use nsl::source::Files;
use nsl::state::Process;

use super::super::policy::{Choice, refuse};
use super::super::terminal;

const AFTER_HELP: &str = "\
Examples:
  nsl ns diff 4711 4712          two processes
  nsl ns diff $$ web             this shell and a sandbox that runs
  nsl ns diff web.nsl web        what a policy would make, and what runs

A policy is what has a `/` in it or ends in `.nsl`; what it says nothing of is not compared.

Exit status: 0 whatever differs, or 2 where it could not be compared.";

/// Compare two processes, sandboxes, or a policy with one of these
///
/// Namespaces, id maps, capabilities, seccomp, limits and mounts, each with one sentence on what the difference means.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct Diff {
    /// A process id, the name of a sandbox that runs, or a policy.
    #[arg(value_name = "A")]
    first: String,
    /// The same.
    #[arg(value_name = "B")]
    second: String,
    /// Print the comparison as JSON.
    #[arg(long)]
    json: bool,
}

fn side(text: &str) -> Result<Side, (Files, Vec<Diagnostic>)> {
    let alone = |finding: Diagnostic| (Files::new(), vec![finding]);
    if text.contains('/') || text.ends_with(".nsl") {
        let (ready, _) = Choice::of(Path::new(text)).plan()?;
        let own = Process::own().and_then(ProcessFacts::read).unwrap_or_default();
        let plan = ready.plan.of(ready.plan.name()).map_err(alone)?;
        return Ok(Side::of_plan(text, plan, &own));
    }
    let facts = super::process(text).and_then(super::facts).map_err(alone)?;
    Ok(Side::of_process(text, &facts))
}

pub fn main(args: &Diff) -> i32 {
    let (first, second) = match side(&args.first).and_then(|first| Ok((first, side(&args.second)?))) {
        Ok(sides) => sides,
        Err((files, findings)) => return refuse(&files, &findings),
    };
    let found = inspect::differences(&first, &second);
    if args.json {
        return terminal::print_json(&found);
    }
    let cells = |it: &Difference| vec![it.what.clone(), it.first.clone(), it.second.clone(), it.meaning.clone()];
    let part = |same: bool| -> Vec<Vec<String>> { found.iter().filter(|it| it.same == same).map(cells).collect() };
    let heads = ["", first.name.as_str(), second.name.as_str(), "what it means"];
    let width = terminal::table_width();
    let mut out = String::new();
    for (title, rows) in [("different", part(false)), ("the same", part(true))] {
        if !rows.is_empty() {
            out.push_str(&format!("{title}\n{}\n", inspect::table(&heads, &rows, width)));
        }
    }
    terminal::print(&(out.trim_end().to_string() + "\n"))
}
