//! `nsl rm`

use clap::Args;
use nsl::state;

use super::runs;

const AFTER_HELP: &str = "\
Examples:
  nsl rm job       forget its log and its status

Exit status: 0, or 2 where it still runs or is not known.";

/// Forget a sandbox that ran in the background: its log and its exit status
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct Rm {
    #[command(flatten)]
    run: runs::Name,
}

pub fn main(args: &Rm) -> i32 {
    let removed = runs::room().and_then(|room| state::remove(&room, &args.run.find()?));
    match removed {
        Ok(()) => 0,
        Err(finding) => runs::refuse(finding),
    }
}
