//! `nsl exec`

use std::ffi::OsString;
use std::io::IsTerminal;

use clap::Args;
use nsl::control;
use nsl::execute::{self, Guest};
use nsl::report::Diagnostic;

use super::runs;

const AFTER_HELP: &str = "\
Examples:
  nsl exec -t web -- /bin/sh                 a shell beside the program, on a terminal of its own
  nsl exec web -- cat /proc/self/status      what a program in there is allowed
  nsl exec --env DEBUG=1 --cwd /srv web -- ./report

The command is behind the same walls as the sandbox's program: its namespaces, cgroups, ids, capabilities, no_new_privs, Landlock rules, resource \
limits and system call filter, all put in force before it starts. What the filter forbids there, such as reading a directory, is forbidden \
here. It ends with the sandbox.

Exit status:
  that of the command, or 128 + N where signal N ended it
  2         there is no such sandbox, or it has ended
  125       the command could not be put into the sandbox
  126, 127  it could not be executed, or was not found in the sandbox";

/// Run a command in a sandbox that runs, with no more rights than its program
///
/// The command is looked for in the sandbox's own tree, and is given the environment of its policy and nothing of the caller's.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct Exec {
    /// Give the command a variable, as `NAME=VALUE`, beside those of the policy.
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<OsString>,
    /// Start it in this directory of the sandbox, instead of the policy's `cwd`.
    #[arg(long, value_name = "DIR", value_parser = directory)]
    cwd: Option<String>,
    /// Give it a terminal of its own in the sandbox, connected to this one: for a shell with job control, an editor. Where the policy says
    /// `tty = new` it has one anyway.
    #[arg(long, short)]
    tty: bool,
    #[command(flatten)]
    run: runs::Name,
    /// The command and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

fn variable(text: &str) -> Result<OsString, String> {
    match text.split_once('=') {
        Some((name, _)) if !name.is_empty() => Ok(text.into()),
        _ => Err("write NAME=VALUE, as in `--env DEBUG=1`".to_string()),
    }
}

fn directory(text: &str) -> Result<String, String> {
    if text.starts_with('/') { Ok(text.to_string()) } else { Err("it has to be an absolute path".to_string()) }
}

pub fn main(args: &Exec) -> i32 {
    if args.tty && !std::io::stdin().is_terminal() {
        let finding =
            Diagnostic::error("usage", "`--tty` connects this terminal to one in the sandbox, and here is none");
        return runs::refuse(
            finding.help("run it in a terminal, or leave `--tty` out: input and output are then as they are here"),
        );
    }
    let found =
        args.run.find().and_then(|entry| control::enterable(&entry).map(|(record, plan)| (record.clone(), plan)));
    let (record, plan) = match found {
        Ok(found) => found,
        Err(finding) => return runs::refuse(finding),
    };
    let bytes = |list: &[OsString]| list.iter().cloned().map(Into::into).collect();
    let guest = Guest { argv: bytes(&args.command), env: bytes(&args.env), cwd: args.cwd.clone(), tty: args.tty };
    match execute::enter(&record, &plan, &guest) {
        Ok(status) => status,
        Err((finding, status)) => {
            runs::refuse(finding);
            status
        }
    }
}
