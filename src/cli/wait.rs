//! `nsl wait`

use clap::Args;
use nsl::control;

use super::runs;

const AFTER_HELP: &str = "\
Examples:
  nsl wait job && echo done

Exit status:
  that of the sandbox: its program's, or 128 + N where signal N ended it
  2      there is no such sandbox
  125    nobody knows: its nsl was killed";

/// Wait until a sandbox has ended, and pass on its exit status
///
/// One that ran in the background is remembered: its status can be asked for later, until its name is used again or `nsl rm` forgets it.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct Wait {
    #[command(flatten)]
    run: runs::Name,
}

pub fn main(args: &Wait) -> i32 {
    let mut entry = match args.run.find() {
        Ok(entry) => entry,
        Err(finding) => return runs::refuse(finding),
    };
    control::wait(&mut entry).unwrap_or_else(|finding| {
        runs::refuse(finding);
        super::FAILED
    })
}
