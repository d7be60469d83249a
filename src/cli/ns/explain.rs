//! `nsl ns explain`

use clap::Args;
use nsl::inspect;
use nsl::plan::NsKind;

use super::super::terminal;

/// Explain a kind of namespace: what it does, what it does not, and how a policy says it
#[derive(Args)]
pub struct Explain {
    /// `user`, `mnt`, `pid`, `net`, `ipc`, `uts`, `cgroup` or `time`.
    #[arg(value_name = "KIND", value_parser = super::kind)]
    kind: NsKind,
}

pub fn main(args: &Explain) -> i32 {
    let Some(kind) = inspect::kind(args.kind.name()) else { return super::super::FAILED };
    let width = terminal::stdout_style().width.clamp(40, 100);
    let paragraphs = kind.page.split("\n\n").map(|it| textwrap::fill(it, width)).collect::<Vec<_>>().join("\n\n");
    let two = format!("Two processes in one: {}.\nIn two: {}.", kind.shared, kind.apart);
    let two = two.lines().map(|it| textwrap::fill(it, width)).collect::<Vec<_>>().join("\n");
    terminal::print(&format!("{paragraphs}\n\n{two}\n"))
}
