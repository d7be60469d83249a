//! `nsl ns enter`

use std::ffi::OsString;

use clap::Args;
use nsl::execute;
use nsl::plan::NsKind;

use super::super::runs;

const AFTER_HELP: &str = "\
Examples:
  nsl ns enter 4711                         a shell in all of its namespaces
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
    /// The same as `--kind user`, and so on.
    #[arg(long)]
    user: bool,
    #[arg(long, hide_short_help = true)]
    pid: bool,
    #[arg(long, hide_short_help = true)]
    net: bool,
    #[arg(long, hide_short_help = true)]
    mnt: bool,
    #[arg(long, hide_short_help = true)]
    ipc: bool,
    #[arg(long, hide_short_help = true)]
    uts: bool,
    #[arg(long, hide_short_help = true)]
    cgroup: bool,
    #[arg(long, hide_short_help = true)]
    time: bool,
    /// The command and its arguments; the shell of the caller's `SHELL`, or /bin/sh, where there is none.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Enter {
    fn kinds(&self) -> Vec<NsKind> {
        let flags = [
            (self.user, NsKind::User),
            (self.pid, NsKind::Pid),
            (self.net, NsKind::Net),
            (self.mnt, NsKind::Mnt),
            (self.ipc, NsKind::Ipc),
            (self.uts, NsKind::Uts),
            (self.cgroup, NsKind::Cgroup),
            (self.time, NsKind::Time),
        ];
        let flags = flags.into_iter().filter(|(given, _)| *given).map(|(_, kind)| kind);
        self.kind.iter().copied().chain(flags).collect()
    }

    fn argv(&self) -> Vec<OsString> {
        match self.command.is_empty() {
            true => vec![std::env::var_os("SHELL").filter(|it| !it.is_empty()).unwrap_or("/bin/sh".into())],
            false => self.command.clone(),
        }
    }
}

pub fn main(args: &Enter) -> i32 {
    let process = match super::process(&args.target) {
        Ok(process) => process,
        Err(finding) => return runs::refuse(finding),
    };
    let bytes = |text: &OsString| text.clone().into();
    let environment = std::env::vars_os().map(|(name, value)| {
        let mut text = name;
        text.push("=");
        text.push(value);
        text.into()
    });
    let visit = execute::Visit {
        kinds: args.kinds(),
        argv: args.argv().iter().map(bytes).collect(),
        env: environment.collect(),
    };
    execute::visit(process, &visit).unwrap_or_else(|(finding, status)| {
        runs::refuse(finding);
        status
    })
}
