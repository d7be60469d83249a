//! `nsl lsp`

use std::path::PathBuf;

use clap::Args;
use nsl::host;
use nsl::lsp::{Options, serve};
use nsl::report::Diagnostic;
use nsl::resolve::Inputs;
use nsl::source::Files;

use super::terminal;

const AFTER_HELP: &str = "\
An editor starts it and speaks the Language Server Protocol with it, over its standard input and output. It answers with findings
as one types, hover, completion, definitions and references, renaming, symbols, formatting, folding, colours, hints and fixes.

The editor's set-up is in `editors/README.md`. `initializationOptions.commands` may list commands that the editor performs itself
(`nsl.run`, `nsl.plan`, `nsl.check`, each with a URI and the name of a sandbox): they are offered above every sandbox.";

/// Answer an editor: the language server
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct Lsp {
    /// For editors that say so; it is what happens anyway.
    #[arg(long, hide = true)]
    stdio: bool,
}

pub fn main(_: &Lsp) -> i32 {
    // A panic is an answer here, and not the end.
    std::panic::set_hook(Box::new(|panic| terminal::say(&format!("nsl: internal error, please report it: {panic}\n"))));
    let cwd = std::env::current_dir().ok().and_then(|path| path.into_os_string().into_string().ok());
    let caller = nsl::caller_names(&host::probe());
    let inputs = Inputs { cwd: cwd.unwrap_or_else(|| "/".into()), caller, ..Inputs::default() };
    let (connection, threads) = lsp_server::Connection::stdio();
    let result = serve(&connection, Options { inputs, cache: cache() });
    // The thread that writes ends when nobody can send any more.
    drop(connection);
    match result {
        Ok(()) => {
            let _ = threads.join();
            0
        }
        Err(said) => {
            let finding =
                Diagnostic::error("lsp-broken-off", format!("the conversation with the editor broke off: {said}"));
            let help = "`nsl lsp` is started by an editor; `editors/README.md` says how to set one up";
            terminal::say_findings(&Files::new(), &[finding.help(help)]);
            1
        }
    }
}

/// The user's cache directory, as the XDG Base Directory Specification has it.
fn cache() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|it| it.is_absolute());
    absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|it| it.join(".cache")))
}
