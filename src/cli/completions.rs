//! `nsl completions`

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::terminal;

const AFTER_HELP: &str = "\
Examples:
  nsl completions bash > ~/.local/share/bash-completion/completions/nsl
  nsl completions zsh  > ~/.zfunc/_nsl          with ~/.zfunc in $fpath
  nsl completions fish > ~/.config/fish/completions/nsl.fish";

/// Print a script that completes `nsl` command lines in a shell
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct Completions {
    /// The shell.
    shell: Shell,
}

pub fn main(args: &Completions) -> i32 {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "nsl", &mut script);
    terminal::print(&String::from_utf8_lossy(&script))
}
