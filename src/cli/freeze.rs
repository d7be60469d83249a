//! `nsl freeze` and `nsl thaw`

use clap::Args;
use nsl::control;

use super::runs;

const AFTER_FREEZE: &str = "\
Examples:
  nsl freeze web       nothing in it runs any more
  nsl thaw web         it goes on where it was
  nsl freeze shop      every container of a pod; `nsl freeze shop.app` one of them

Every process is stopped where it is, those of `nsl exec` included; its memory stays, its connections wait. `nsl stop` thaws it first, and \
`nsl kill` ends it as it is. Where the sandbox has no cgroup of version 2, one is made beside that of its nsl; a caller who may not do that is \
told so. The freezer of cgroups v1 is not used: what it holds cannot be killed.

Exit status: 0 when it is frozen, or 2.";

/// Stop every process of a sandbox where it is
#[derive(Args)]
#[command(after_long_help = AFTER_FREEZE)]
pub struct Freeze {
    #[command(flatten)]
    run: runs::Name,
}

/// Let a frozen sandbox go on
#[derive(Args)]
pub struct Thaw {
    #[command(flatten)]
    run: runs::Name,
}

pub fn freeze(args: &Freeze) -> i32 {
    match args.run.find_all().and_then(|(entry, members)| control::freeze(&entry, &members)) {
        Ok(()) => 0,
        Err(finding) => runs::refuse(finding),
    }
}

pub fn thaw(args: &Thaw) -> i32 {
    match args.run.find_all().and_then(|(entry, members)| control::thaw(&entry, &members)) {
        Ok(()) => 0,
        Err(finding) => runs::refuse(finding),
    }
}
