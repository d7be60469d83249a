//! `nsl ns`

mod diff;
mod enter;
mod explain;
mod release;

use clap::{Args, Subcommand, ValueEnum};
use nsl::host;
use nsl::inspect::{self, Branches, ProcessFacts};
use nsl::plan::NsKind;
use nsl::report::Diagnostic;
use nsl::state::{self, Process, Room};

use super::{runs, terminal};

const AFTER_HELP: &str = "\
Examples:
  nsl ns                      every namespace that you may see, and what keeps it
  nsl ns --kind net           of one kind
  nsl ns --tree owner         below each user namespace those that it owns
  nsl ns 4711                 those of a process
  nsl ns web                  those of a sandbox that runs
  nsl ns diff 4711 web        what two have in common, and what it means
  nsl ns enter 4711 --net -- ss -tln
  nsl ns explain user         what a kind is, for people who learn
  nsl ns release /run/netns/web   lets go of what a file keeps

A namespace lives as long as a process, a mount (`pinned by`), a descriptor (`held by`) or another namespace needs it. OWNER is the user namespace \
in which capabilities give rights over it.

Exit status: 0, or 2.";

/// Show namespaces: all, or those of a process; compare, enter, explain and release them
#[derive(Args)]
#[command(after_long_help = AFTER_HELP, args_conflicts_with_subcommands = true, subcommand_precedence_over_arg = true)]
pub struct Ns {
    #[command(subcommand)]
    command: Option<Command>,
    /// A process id, or the name of a sandbox that runs.
    #[arg(value_name = "PID|NAME")]
    target: Option<String>,
    /// Only those of this kind.
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<NsKind>,
    /// Show them as a tree.
    #[arg(long, value_name = "BY", conflicts_with = "json")]
    tree: Option<Tree>,
    /// Print them as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Tree {
    Owner,
    Parent,
}

#[derive(Subcommand)]
enum Command {
    Diff(diff::Diff),
    Enter(enter::Enter),
    Explain(explain::Explain),
    Release(release::Release),
}

/// A kind by its word.
pub fn kind(text: &str) -> Result<NsKind, String> {
    let found = NsKind::ALL.into_iter().find(|it| it.name() == text);
    found.ok_or_else(|| format!("one of {}", NsKind::ALL.map(NsKind::name).join(", ")))
}

/// The process that an argument means: a number, or the program of a sandbox that runs.
pub fn process(text: &str) -> Result<Process, Diagnostic> {
    if let Ok(pid) = text.parse::<i32>() {
        return Process::of(pid).ok_or_else(|| {
            Diagnostic::error("no-process", format!("there is no process {pid}"))
                .help("`ps` lists those that there are")
        });
    }
    let room = Room::open().map_err(|unseen| unseen.finding())?;
    let entry = state::find(&room, text)?;
    let record = entry.running()?;
    let found = record.living_program().or(record.init);
    // What holds a pod is not dumpable, as nothing of it is anybody's business but its namespaces.
    if record.is_pod() && found.is_some_and(|it| facts(it).is_err()) {
        let message = format!("what holds the namespaces of the pod `{text}` may be looked at by root alone");
        return Err(Diagnostic::error("process-hidden", message)
            .help(format!("name one of its containers, which are in them: `{text}.CONTAINER`")));
    }
    record.living_program().or(record.init).ok_or_else(|| {
        Diagnostic::error("no-process", format!("no process of the sandbox `{text}` is left"))
            .help("`nsl ps` lists what runs")
    })
}

/// What the kernel says of a process.
pub fn facts(process: Process) -> Result<ProcessFacts, Diagnostic> {
    let forbidden = || {
        Diagnostic::error("process-hidden", format!("the namespaces of process {} may not be looked at", process.pid))
            .help(host::HIDDEN_HELP)
    };
    ProcessFacts::read(process).filter(|it| !it.namespaces.is_empty()).ok_or_else(forbidden)
}

pub fn main(args: &Ns) -> i32 {
    match &args.command {
        Some(Command::Diff(it)) => return diff::main(it),
        Some(Command::Enter(it)) => return enter::main(it),
        Some(Command::Explain(it)) => return explain::main(it),
        Some(Command::Release(it)) => return release::main(it),
        None => {}
    }
    let mut census = host::namespaces();
    if let Some(target) = &args.target {
        let facts = match process(target).and_then(facts) {
            Ok(facts) => facts,
            Err(finding) => return runs::refuse(finding),
        };
        census.hidden = 0;
        census.namespaces.retain(|it| facts.namespaces.get(it.kind.name()) == Some(&it.id));
    }
    census.namespaces.retain(|it| args.kind.is_none_or(|kind| it.kind == kind));
    if args.json {
        return terminal::print_json(&census);
    }
    terminal::print(&match args.tree {
        None => inspect::namespaces_table(&census, terminal::table_width()),
        Some(Tree::Owner) => inspect::namespaces_tree(&census, Branches::Owner),
        Some(Tree::Parent) => inspect::namespaces_tree(&census, Branches::Parent),
    })
}
