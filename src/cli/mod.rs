//! The command line: arguments in, a call of the library, output. Nothing is decided here.

mod check;
mod complete;
mod completions;
mod doctor;
mod drift;
mod edits;
mod exec;
mod expand;
mod explain;
mod fmt;
mod freeze;
mod inputs;
mod inspect;
mod kill;
mod listen;
mod live;
mod logs;
mod lsp;
mod man;
mod ns;
mod plan;
mod pod;
mod policy;
mod ps;
mod record;
mod rm;
mod run;
mod runs;
mod stop;
mod terminal;
mod trace;
mod usage;
mod voice;
mod wait;
mod why;

use std::ffi::OsString;

use clap::{Args, ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand};

/// The status for command lines and policies that are refused.
const REFUSED: i32 = 2;
/// The status where nsl itself fails.
const FAILED: i32 = 125;

/// The widest that help is set, columns.
const WIDEST_HELP: usize = 110;

const ABOUT: &str = "Runs programs in sandboxes that are written down as policies.";

const LONG_ABOUT: &str = "\
Runs programs in sandboxes that are written down as policies.

A policy says what a program may see, use and do: namespaces, paths, network, limits, capabilities, system calls. What it \
does not grant, the program does not have. Nothing is started unless the whole policy can be put in force.";

const AFTER_HELP: &str = "\
Examples:
  nsl check web.nsl                   is it right?
  nsl plan web.nsl                    what would be done, step by step, and why
  nsl run web.nsl                     do it
  nsl expand web.nsl                  what it comes to, without its profiles
  nsl why syscall ptrace web.nsl      what its filter does with a call, and which rule says so
  nsl fmt web.nsl                     lay its text out as every policy's
  nsl run job.nsl --set in=./a.py -- -v    with a parameter, and arguments for the program
  nsl ps                              what runs; `nsl exec`, `nsl stop` and others take its name
  nsl explain hostname-without-uts    the page behind a diagnostic
  nsl doctor                          what this machine lets you do, and how to change it

Exit status:
  of `run`:       that of the program, or 128 + N where signal N ended it
    125           the sandbox could not be built (nothing was started)
    126, 127      the program could not be executed, or was not found in the sandbox
  of `check`:     0 clean, 1 warnings with `--deny warnings`, 2 errors
  of `fmt`:       0 done, 1 with `--check` where a file would change, 2 errors
  of every command: 2 where the command line is wrong, or the policy does not parse or check (nothing was started)

Environment:
  NO_COLOR, FORCE_COLOR, TERM=dumb, COLUMNS and the locale (LC_ALL, LANG) decide how output looks, and nothing else;
  NO_GRAPHICS=1 is for those who have it read aloud. XDG_RUNTIME_DIR is where it is written down what runs (for root: /run);
  NSL_STATE_DIR names another directory for that.";

/// The command line.
#[derive(Parser)]
#[command(name = "nsl", version, about = ABOUT, long_about = LONG_ABOUT, after_long_help = AFTER_HELP)]
#[command(after_help = "`nsl --help` has examples and the exit statuses.", disable_help_subcommand = false)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Run),
    Ps(ps::Ps),
    Top(live::Top),
    Inspect(inspect::Inspect),
    Drift(drift::DriftOf),
    Ns(ns::Ns),
    Exec(exec::Exec),
    Logs(logs::Logs),
    Stop(stop::Stop),
    Kill(kill::Kill),
    Wait(wait::Wait),
    Freeze(freeze::Freeze),
    Thaw(freeze::Thaw),
    Rm(rm::Rm),
    Check(check::Check),
    Plan(plan::Plan),
    Expand(expand::Expand),
    Fmt(fmt::Fmt),
    Explain(explain::Explain),
    Why(why::Why),
    Doctor(doctor::Doctor),
    Lsp(lsp::Lsp),
    Man(man::Man),
    Completions(completions::Completions),
    #[command(name = "__tab", hide = true)]
    Complete(complete::Complete),
}

/// Performs a command line; the result is the exit status.
pub fn main(args: impl Iterator<Item = OsString>) -> i32 {
    std::panic::set_hook(Box::new(|panic| {
        // The status of a panic would be taken for one of the program's.
        terminal::say(&format!("nsl: internal error, please report it: {panic}\n"));
        std::process::exit(FAILED);
    }));
    match parse(args) {
        Ok(Command::Run(it)) => run::main(&it),
        Ok(Command::Ps(it)) => ps::main(&it),
        Ok(Command::Top(it)) => live::main(&it),
        Ok(Command::Inspect(it)) => inspect::main(&it),
        Ok(Command::Drift(it)) => drift::main(&it),
        Ok(Command::Ns(it)) => ns::main(&it),
        Ok(Command::Exec(it)) => exec::main(&it),
        Ok(Command::Logs(it)) => logs::main(&it),
        Ok(Command::Stop(it)) => stop::main(&it),
        Ok(Command::Kill(it)) => kill::main(&it),
        Ok(Command::Wait(it)) => wait::main(&it),
        Ok(Command::Freeze(it)) => freeze::freeze(&it),
        Ok(Command::Thaw(it)) => freeze::thaw(&it),
        Ok(Command::Rm(it)) => rm::main(&it),
        Ok(Command::Check(it)) => check::main(&it),
        Ok(Command::Plan(it)) => plan::main(&it),
        Ok(Command::Expand(it)) => expand::main(&it),
        Ok(Command::Fmt(it)) => fmt::main(&it),
        Ok(Command::Explain(it)) => explain::main(&it),
        Ok(Command::Why(it)) => why::main(&it),
        Ok(Command::Doctor(it)) => doctor::main(&it),
        Ok(Command::Lsp(it)) => lsp::main(&it),
        Ok(Command::Man(it)) => man::main(&it),
        Ok(Command::Completions(it)) => completions::main(&it),
        Ok(Command::Complete(it)) => complete::main(&it),
        Err(status) => status,
    }
}

/// The command, or the status after help or what is wrong was printed.
fn parse(args: impl Iterator<Item = OsString>) -> Result<Command, i32> {
    let args: Vec<OsString> = args.collect();
    if let Some(run) = parse_run(&args) {
        return Ok(Command::Run(run));
    }
    let style = terminal::stdout_style();
    let color = if style.color { ColorChoice::Always } else { ColorChoice::Never };
    let command = Cli::command().color(color).term_width(style.width.min(WIDEST_HELP));
    let parsed = command.try_get_matches_from(args).and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.map(|cli| cli.command).map_err(|error| usage::answer(&error))
}

/// The arguments of `nsl run`, where they are right. To describe all commands takes longer than to read a policy, and whoever starts a
/// program waits for it; so this one is read by its own description, the very one that the whole has. What is wrong with them, and help, is
/// for the whole to say.
fn parse_run(args: &[OsString]) -> Option<run::Run> {
    let [_, name, rest @ ..] = args else { return None };
    let command = run::Run::augment_args(clap::Command::new("run").no_binary_name(true));
    let matches = (name == "run").then(|| command.try_get_matches_from(rest))?.ok()?;
    run::Run::from_arg_matches(&matches).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_makes_sense() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_run_is_the_same_however_its_arguments_are_read() {
        for line in [
            "run a.nsl",
            "run a.nsl b --name c -- x --y",
            "run --set a=b -dv a.nsl",
            "run",
            "run -d -v a.nsl",
            "run --help",
            "ps",
        ] {
            let args: Vec<OsString> = std::iter::once("nsl").chain(line.split(' ')).map(OsString::from).collect();
            let whole = match Cli::try_parse_from(&args).map(|it| it.command) {
                Ok(Command::Run(run)) => Some(run),
                _ => None,
            };
            let shown = |run: Option<run::Run>| run.map(|it| format!("{it:?}"));
            assert_eq!(shown(parse_run(&args)), shown(whole), "{line}");
        }
    }
}
