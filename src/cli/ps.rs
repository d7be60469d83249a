//! `nsl ps`

use clap::Args;
use nsl::inspect::{self, Row};
use nsl::state::{self, Phase};

use super::{live, runs, terminal};

const AFTER_HELP: &str = "\
Examples:
  nsl ps                what runs
  nsl ps --all          and what ran in the background and is over
  nsl ps --watch        live, with what each uses of CPU and memory
  nsl ps --json         as data, with usage, processes, namespaces and cgroups

Each user sees the sandboxes that they have started. Memory and CPU are those of the sandbox's cgroups where they count them, and otherwise \
those of its processes.

Exit status: 0, or 2 where there is no place to look.";

/// List the sandboxes that run
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct Ps {
    /// List those too that ran in the background and are over.
    #[arg(long, short)]
    all: bool,
    /// Print the list as JSON.
    #[arg(long, conflicts_with = "watch")]
    json: bool,
    /// Show the list with CPU, memory and processes, once a second; `q` ends it.
    #[arg(long, short)]
    watch: bool,
}

pub fn main(args: &Ps) -> i32 {
    if args.watch {
        return live::main(&live::Top::every_second());
    }
    let room = match runs::room() {
        Ok(room) => room,
        Err(finding) => return runs::refuse(finding),
    };
    let mut entries = state::list(&room);
    entries.retain(|entry| args.all || !matches!(entry.phase, Phase::Ended(_)));
    let rows = inspect::rows(&entries, args.json);
    if args.json {
        return terminal::print_json(&rows);
    }
    terminal::print(&inspect::table(&HEADS, &rows.iter().map(cells).collect::<Vec<_>>(), terminal::table_width()))
}

const HEADS: [&str; 5] = ["NAME", "STATUS", "PID", "SINCE", "COMMAND"];

fn cells(row: &Row) -> Vec<String> {
    let status = match row.exit_status {
        Some(status) => format!("{} ({status})", row.status),
        None => row.status.to_string(),
    };
    let record = row.record.as_ref();
    let pid = record.and_then(|it| it.program.or(it.init)).filter(|_| row.status != "ended");
    vec![
        row.name.clone(),
        status,
        pid.map_or("-".to_string(), |it| it.pid.to_string()),
        row.seconds.map_or("-".to_string(), inspect::duration),
        record.map_or(String::new(), |it| it.command.join(" ")),
    ]
}
