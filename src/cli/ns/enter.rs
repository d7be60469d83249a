//! `nsl ns enter`

use std::ffi::OsString;

use clap::Args;
use nsl::execute;
use nsl::plan::NsKind;

use super::super::runs;

const AFTER_HELP: &str = "\
Examples:
  nsl ns enter 4711 -- /bin/sh              all of its namespaces
  nsl ns enter 4711 --net -- ss -tln        its network, our own files
  nsl ns enter web --kind pid --kind mnt -- ps ax

The command is no part of a sandbox: it keeps the caller's rights, as nsenter(1) does, and is in none of the sandbox's cgroups, filters or rules. Use \
`nsl exec` to run something behind the same walls as the program. The process is verified by a pidfd, so that it is never another one with the \
same id.

Exit status: that of the command, or 128 + N; 125 where a namespace could not be entered, 126 and 127 where the command could not be executed.";

/// Run a command in namespaces of a process, with the rights of the caller
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct Enter {
    /// A process id, or the name of a sandbox that runs.
    #[arg(value_name = "PID|NAME")]
    target: String,
    /// Enter only namespaces of these kinds; otherwise all that are not the caller's own.
    #[arg(long, value_name = "KIND", value_parser = super::kind)]
    kind: Vec<NsKind>,
    /// The same as `--kind net`.
    #[arg(long)]
    net: bool,
    /// The command and its arguments.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub fn main(args: &Enter) -> i32 {
    let process = match super::process(&args.target) {
        Ok(process) => process,
        Err(finding) => return runs::refuse(finding),
    };
    let mut kinds = args.kind.clone();
    kinds.extend(args.net.then_some(NsKind::Net));
    let bytes = |text: &OsString| text.clone().into();
    let environment = std::env::vars_os().map(|(name, value)| {
        let mut text = name;
        text.push("=");
        text.push(value);
        text.into()
    });
    let visit = execute::Visit { kinds, argv: args.command.iter().map(bytes).collect(), env: environment.collect() };
    execute::visit(process, &visit).unwrap_or_else(|(finding, status)| {
        runs::refuse(finding);
        status
    })
}
