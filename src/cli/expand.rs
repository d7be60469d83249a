//! `nsl expand`

use std::path::PathBuf;

use clap::{Args, ValueHint};
use nsl::host;
use nsl::policy::Origin;
use nsl::report::Diagnostic;
use nsl::resolve::{self, Expanded, Inputs, Line, Resolved, Show};
use nsl::schema::suggest::nearest;
use nsl::source::{Disk, Files};
use serde::Serialize;

use super::policy::{Settings, refuse};
use super::terminal;

const AFTER_HELP: &str = "\
Examples:
  nsl expand web.nsl                     the whole policy, without profiles: what is in force
  nsl expand web.nsl --origins           with the place of every statement
  nsl expand web.nsl --why memory.max    every place that had a say in one value
  nsl expand shop.nsl shop.db            one container of a pod
  nsl expand web.nsl --json              for machines; the reference describes the fields

What is printed is a policy itself, and means the same.

Exit status: 0, or 2 where the policy does not parse or resolve, or nothing has that name or key.";

/// Show what a policy comes to, without its profiles
///
/// Prints the effective policy as NSL: every statement that holds, whichever profile it came through, and what holds although nobody states
/// it, marked `# default`.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct Expand {
    /// The policy.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// A sandbox or pod of the file, or POD.CONTAINER; all of them where none is named.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Print the places that made one value, the last first: `memory.max`, `mnt.mount[/tmp]`, `net`.
    #[arg(long, value_name = "KEY", conflicts_with_all = ["json", "origins"])]
    why: Option<String>,
    /// Behind every statement, where it comes from.
    #[arg(long, conflicts_with = "json")]
    origins: bool,
    /// Print the policy as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: Settings,
}

/// `file` in a span is an index of `files`.
#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    files: Vec<&'a str>,
    sandboxes: Vec<&'a nsl::policy::Sandbox>,
    pods: Vec<&'a nsl::policy::Pod>,
}

pub fn main(args: &Expand) -> i32 {
    let inputs = match args.settings.inputs(&host::probe()) {
        Ok(inputs) => inputs,
        Err(error) => return refuse(&Files::new(), &[error]),
    };
    let (files, resolved, all) = match nsl::expand(&args.file, &inputs, &Disk) {
        Ok(expanded) => expanded,
        Err(error) => return refuse(&Files::new(), &[error]),
    };
    let Resolved { policy, findings, .. } = &resolved;
    if findings.iter().any(Diagnostic::is_error) {
        return refuse(&files, findings);
    }
    let chosen = match resolve::pick(&all, args.name.as_deref()) {
        Ok(chosen) => chosen,
        Err(error) => return refuse(&files, &[error]),
    };
    if let Some(key) = &args.why {
        return match why(&files, &chosen, key, &inputs) {
            Ok(text) => terminal::print(&text),
            Err(error) => refuse(&files, &[error]),
        };
    }
    if args.json {
        let is_chosen = |name: &str| chosen.iter().any(|it| it.kind != "container" && it.name == name);
        return terminal::print_json(&Document {
            format: 1,
            files: files.iter().map(|(_, file)| file.name.as_str()).collect(),
            sandboxes: policy.sandboxes.iter().filter(|it| is_chosen(&it.name.value)).collect(),
            pods: policy.pods.iter().filter(|it| is_chosen(&it.base.name.value)).collect(),
        });
    }
    terminal::print(&resolve::text(&chosen, &files, Show { origins: args.origins, defaults: true }))
}

/// The chain of places behind a key, of every sandbox that has it, or had it before something was removed.
fn why(files: &Files, chosen: &[&Expanded], key: &str, inputs: &Inputs) -> Result<String, Diagnostic> {
    let is_it = |full: &str| full == key || full.strip_suffix(key).is_some_and(|rest| rest.ends_with('.'));
    let mut out = String::new();
    for one in chosen {
        for line in one.lines.iter().filter(|it| is_it(&it.origin.key)) {
            out.push_str(&chain(files, one, line, inputs));
        }
        for gone in one.removed.iter().filter(|it| is_it(&it.origin.key)) {
            out.push_str(&format!("{} {}: {} is removed\n", one.kind, one.name, gone.origin.key));
            out.push_str(&rows(origin_rows(files, &gone.origin, &gone.text)));
            out.push_str(&format!("  {:9} {}\n", "remove", gone.by.place(files)));
        }
    }
    if !out.is_empty() {
        return Ok(out);
    }
    let lines = chosen.iter().flat_map(|one| one.lines.iter().map(|it| &it.origin));
    let gone = chosen.iter().flat_map(|one| one.removed.iter().map(|it| &it.origin));
    let known: Vec<&str> = lines.chain(gone).map(|origin| &*origin.key).collect();
    // The section may be left out.
    let short = known.iter().filter_map(|it| it.split_once('.').map(|it| it.1));
    let near = nearest(key, known.iter().copied().chain(short));
    let finding = Diagnostic::error("unknown-policy-key", format!("nothing in this policy has the key `{key}`"));
    Err(match near {
        Some(near) => finding.help(format!("did you mean `{near}`? `nsl expand --origins` prints every statement")),
        None => finding.help("`nsl expand --origins` prints every statement; keys are as in `mnt.mount[/tmp]`"),
    })
}

fn chain(files: &Files, one: &Expanded, line: &Line, inputs: &Inputs) -> String {
    let origin = &line.origin;
    let mut out = format!("{} {}: {} = {}\n", one.kind, one.name, origin.key, line.shown());
    out.push_str(&rows(origin_rows(files, origin, "")));
    for it in resolve::behind(files, origin, &inputs.params) {
        out.push_str(&format!("  {:9} {}  {}\n", format!("${}", it.name), it.place, it.text));
    }
    for lost in &origin.replaced {
        if let Some(weaker) = &lost.weaker {
            out.push_str(&format!("  weaker    than that of {}: {weaker}\n", files.line_place(lost.span)));
        }
    }
    out
}

/// How, where and what: a value and those that it replaced, the first that was written first.
fn origin_rows(files: &Files, origin: &Origin, text: &str) -> Vec<(&'static str, String, String)> {
    let place = origin.place(files);
    // The word stands in front already.
    let place = place.strip_suffix(&format!(" ({})", origin.how.word())).unwrap_or(&place).to_string();
    let mut rows = vec![(origin.how.word(), place, text.to_string())];
    rows.extend(origin.replaced.iter().map(|lost| (lost.how.word(), lost.place(files), lost.text.clone())));
    rows.reverse();
    rows
}

fn rows(rows: Vec<(&str, String, String)>) -> String {
    let space = |text: &str| if text.is_empty() { "" } else { "  " };
    rows.iter().map(|(how, place, text)| format!("  {how:9} {place}{}{text}\n", space(text))).collect()
}
