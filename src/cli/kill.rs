//! `nsl kill`

use clap::Args;
use nsl::control;

use super::runs;

const AFTER_HELP: &str = "\
Examples:
  nsl kill web          end it at once
  nsl kill web HUP      have it read its configuration again
  nsl kill web 10       the same by number: SIGUSR1

The signal goes to the program. When that ends, everything else in the sandbox ends with it.

Exit status: 0 when it was sent, or 2.";

/// Send a signal to the program of a sandbox
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct Kill {
    #[command(flatten)]
    run: runs::Name,
    /// The signal, by name or number.
    #[arg(default_value = "KILL", value_parser = signal)]
    signal: i32,
}

fn signal(text: &str) -> Result<i32, String> {
    control::signal_number(text).ok_or_else(|| "no such signal; `kill -l` lists them".to_string())
}

pub fn main(args: &Kill) -> i32 {
    match args.run.find().and_then(|entry| control::kill(&entry, args.signal)) {
        Ok(()) => 0,
        Err(finding) => runs::refuse(finding),
    }
}
