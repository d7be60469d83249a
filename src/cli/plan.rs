//! `nsl plan`

use clap::Args;
use nsl::plan;
use serde::Serialize;

use super::policy::{Choice, Planned, refuse};
use super::terminal;

const AFTER_HELP: &str = "\
Examples:
  nsl plan web.nsl                 the steps, each with the statement that asked for it
  nsl plan --json web.nsl          the same as data
  nsl plan --seccomp web.nsl       the compiled filter, instruction by instruction
  nsl plan hello.nsl -- ls -l /    with arguments for the program

`nsl run` performs these steps and no others, in this order. Nothing is changed by `nsl plan`.

Exit status: 0, or 2 where the policy does not parse or check here.";

/// Show what `nsl run` would do, step by step
///
/// The steps for this host and this caller, in their order, each with the statement that asked for it. What the policy prefers and this host
/// cannot is listed at the end.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct Plan {
    #[command(flatten)]
    choice: Choice,
    /// Print the plan as JSON. `span.file` is an index of `files`, `start` and `end` are offsets in bytes.
    #[arg(long)]
    json: bool,
    /// Print the seccomp filter as the kernel gets it: every instruction, what it costs, and which calls the kernel answers without it.
    #[arg(long, conflicts_with = "json")]
    seccomp: bool,
}

#[derive(Serialize)]
struct Document<'a, T> {
    files: Vec<&'a str>,
    #[serde(flatten)]
    plan: &'a T,
}

pub fn main(args: &Plan) -> i32 {
    let (ready, warnings) = match args.choice.plan() {
        Ok(ready) => ready,
        Err((files, findings)) => return refuse(&files, &findings),
    };
    terminal::say_findings(&ready.files, &warnings);
    let files: Vec<&str> = ready.files.iter().map(|(_, file)| file.name.as_str()).collect();
    match &ready.plan {
        Planned::Sandbox(plan) if args.json => terminal::print_json(&Document { files, plan }),
        Planned::Pod(plan) if args.json => terminal::print_json(&Document { files, plan }),
        Planned::Sandbox(plan) if args.seccomp => filter(plan),
        Planned::Pod(pod) if args.seccomp => pod.containers.iter().map(|it| filter(&it.plan)).max().unwrap_or_default(),
        Planned::Sandbox(plan) => terminal::print(&plan::print(plan, &ready.files)),
        Planned::Pod(plan) => terminal::print(&plan::print_pod(plan, &ready.files)),
    }
}

fn filter(plan: &plan::Plan) -> i32 {
    let spec = plan.steps.iter().find_map(|step| match &step.action {
        plan::Action::InstallFilter(spec) => Some(spec),
        _ => None,
    });
    let Some(spec) = spec else {
        return terminal::print(&format!("sandbox {} has no `seccomp`: every call is made\n", plan.name));
    };
    match nsl::execute::listing(spec) {
        Ok(text) => terminal::print(&format!("filter of sandbox {}: {text}", plan.name)),
        Err(error) => {
            terminal::say(&format!("nsl: the filter of sandbox {} cannot be compiled: {error}\n", plan.name));
            super::FAILED
        }
    }
}
