//! `nsl completions`

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::terminal;

const AFTER_HELP: &str = "\
Examples:
  nsl completions bash > ~/.local/share/bash-completion/completions/nsl
  nsl completions zsh  > ~/.zfunc/_nsl          with ~/.zfunc in $fpath, before compinit
  nsl completions fish > ~/.config/fish/completions/nsl.fish

In bash, zsh and fish nsl itself is asked at every Tab, so that the file on the command line has a say: `nsl run web.nsl <Tab>` offers its \
sandboxes, `--set <Tab>` its parameters, `nsl stop <Tab>` what runs. Nothing is run or changed for that.";

/// Print a script that completes `nsl` command lines in a shell
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct Completions {
    /// The shell.
    shell: Shell,
}

pub fn main(args: &Completions) -> i32 {
    match args.shell {
        Shell::Bash => terminal::print(include_str!("nsl.bash")),
        Shell::Zsh => terminal::print(include_str!("_nsl")),
        Shell::Fish => terminal::print(include_str!("nsl.fish")),
        // Commands and options only.
        other => {
            let mut script = Vec::new();
            clap_complete::generate(other, &mut super::Cli::command(), "nsl", &mut script);
            terminal::print(&String::from_utf8_lossy(&script))
        }
    }
}
