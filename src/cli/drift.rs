//! `nsl drift`

use clap::Args;
use nsl::inspect::{self, Drift, ProcessFacts};
use nsl::state::{self, Record};

use super::policy::{Choice, refuse};
use super::{runs, terminal};

const AFTER_HELP: &str = "\
Examples:
  nsl drift web.nsl --run web                     is what runs still what the file says?
  nsl drift web.nsl --run web --set port=9/tcp    with the parameters that it was started with
  nsl drift shop.nsl db --run db-2 --json         one of several sandboxes of a file, as data

Two things are compared with the plan that was performed: the plan that the file gives now, and what the kernel says of the program (namespaces, \
capabilities, no_new_privs, seccomp, limits, mounts).

Exit status, for monitors: 0 the same, 1 drift, 2 it could not be compared.";

/// Compare a sandbox that runs with its policy, and with what the kernel says
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct DriftOf {
    #[command(flatten)]
    choice: Choice,
    /// The sandbox that runs, as `nsl ps` names it; otherwise the one that is called as in the policy.
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// Print the differences as JSON.
    #[arg(long)]
    json: bool,
}

pub fn main(args: &DriftOf) -> i32 {
    let (ready, _) = match args.choice.plan() {
        Ok(ready) => ready,
        Err((files, findings)) => return refuse(&files, &findings),
    };
    let name = args.run.as_deref().unwrap_or(ready.plan.name());
    let entry = match runs::room().and_then(|room| state::find(&room, name)) {
        Ok(entry) => entry,
        Err(finding) => return runs::refuse(finding),
    };
    let (record, performed) = match entry.running().and_then(|record| Ok((record, entry.performed()?))) {
        Ok(found) => found,
        Err(finding) => return runs::refuse(finding),
    };
    let mut drift = match ready.plan.of(&record.sandbox) {
        Ok(plan) => inspect::from_file(&performed, plan),
        Err(finding) => return runs::refuse(finding),
    };
    match Record::living_program(record).and_then(ProcessFacts::read) {
        Some(program) => drift.extend(inspect::from_kernel(record, &performed, &program)),
        None => terminal::say("nsl: the program cannot be looked at, so only the file was compared\n"),
    }
    let printed = if args.json { terminal::print_json(&drift) } else { terminal::print(&text(&drift)) };
    match (printed, drift.is_empty()) {
        (0, true) => 0,
        (0, false) => 1,
        (failed, _) => failed,
    }
}

fn text(drift: &[Drift]) -> String {
    let line = |it: &Drift| {
        let mut text = format!("{}\n", it.what);
        let short = |text: &str| text.chars().take(400).collect::<String>();
        text.push_str(&it.should.as_ref().map_or(String::new(), |it| format!("  should be  {}\n", short(it))));
        text.push_str(&it.is.as_ref().map_or(String::new(), |it| format!("  is         {}\n", short(it))));
        text
    };
    drift.iter().map(line).collect()
}
