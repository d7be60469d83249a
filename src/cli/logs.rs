//! `nsl logs`

use clap::Args;
use nsl::report::Diagnostic;
use nsl::state;

use super::runs;

const AFTER_HELP: &str = "\
Examples:
  nsl logs web         what it has written so far
  nsl logs -f web      and what it goes on to write, until it ends

The standard output and the standard error of a sandbox in the background are in one log, together with what nsl has to say about its end. The last \
2 to 4 MiB are kept, also after the end, until the name is used again or `nsl rm` forgets it.

Exit status: 0, or 2 where there is no log.";

/// Show what a sandbox in the background has written
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct Logs {
    /// Go on until the sandbox ends.
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    run: runs::Name,
}

pub fn main(args: &Logs) -> i32 {
    let entry = match args.run.find() {
        Ok(entry) => entry,
        Err(finding) => return runs::refuse(finding),
    };
    match state::copy_log(&entry, args.follow, &mut std::io::stdout()) {
        Some(Ok(())) => 0,
        // A reader that has gone away wants no more.
        Some(Err(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => 0,
        Some(Err(error)) => {
            super::terminal::say(&format!("nsl: the log cannot be copied: {error}\n"));
            super::FAILED
        }
        None => {
            let pod = entry.record.as_ref().and_then(|it| it.pod.as_ref());
            runs::refuse(
                Diagnostic::error("no-log", format!("the sandbox `{}` has no log", entry.name)).help(match pod {
                    Some(pod) => format!("its output is in that of its pod, each line with its name: `nsl logs {pod}`"),
                    None => {
                        "it runs in the foreground, and its output is where its nsl was started; `nsl run -d` keeps one"
                            .to_string()
                    }
                }),
            )
        }
    }
}
