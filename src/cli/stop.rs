//! `nsl stop`

use clap::Args;
use nsl::control;

use super::runs;

const AFTER_HELP: &str = "\
Examples:
  nsl stop web         ask the program to end, and wait until it has

The policy says how: the signal of `stop { signal = … }`, and SIGKILL once its `timeout` has passed. A frozen sandbox is thawed first.

Exit status: 0 when it is over, or 2 where there is no such sandbox.";

/// End a sandbox as its policy says, and wait until it is over
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct Stop {
    #[command(flatten)]
    run: runs::Name,
}

pub fn main(args: &Stop) -> i32 {
    match args.run.find_all().and_then(|(mut entry, members)| control::stop(&mut entry, &members)) {
        Ok(()) => 0,
        Err(finding) => runs::refuse(finding),
    }
}
