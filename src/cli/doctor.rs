//! `nsl doctor`

use clap::Args;
use nsl::host::{self, Offer, Probe, Recorded};

use super::terminal;

const AFTER_HELP: &str = "\
Examples:
  nsl doctor           what this machine offers to you, and how to change what it does not
  nsl doctor --json    the same facts as data

Nothing is changed. What is missing is no failure: the exit status is 0.";

/// Show what this machine lets you do, and how to change what it does not
///
/// Namespaces and what restricts them, cgroups and where limits can be put, Landlock, seccomp, subordinate ids, and the programs that help
/// unprivileged callers: for the user who asks.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct Doctor {
    /// Print the facts as JSON.
    #[arg(long)]
    json: bool,
}

pub fn main(args: &Doctor) -> i32 {
    let facts = Probe::new().thorough();
    if args.json {
        return terminal::print_json(&Recorded { format: Recorded::FORMAT, facts });
    }
    let style = terminal::stdout_style();
    let kernel = &facts.kernel;
    let mut out = format!(
        "Linux {} on {}, for {} (uid {})\n\n",
        kernel.release, kernel.arch, facts.caller.user, facts.caller.uid
    );
    let offers = host::offers(&facts);
    for (index, offer) in offers.iter().enumerate() {
        out.push_str(&line(offer, style.color, style.width));
        // Several limits that one cgroup would give are followed by one remedy.
        let next = offers.get(index + 1).and_then(|next| next.remedy.as_ref());
        if let Some(remedy) = offer.remedy.as_ref().filter(|remedy| Some(*remedy) != next) {
            // In one piece, as it is to be copied.
            out.push_str(&format!("       to change it: {remedy}\n"));
        }
    }
    terminal::print(&out)
}

/// Where the texts begin, columns.
const TEXT: usize = 29;

fn line(offer: &Offer, color: bool, width: usize) -> String {
    let (word, code) = if offer.available { ("yes", "32") } else { ("no", "31") };
    let padding = " ".repeat(3 - word.len());
    let word = if color { format!("\x1b[{code}m{word}\x1b[0m") } else { word.to_string() };
    let hang = " ".repeat(TEXT);
    let options = textwrap::Options::new(width.clamp(60, 110))
        .initial_indent(&hang)
        .subsequent_indent(&hang)
        .break_words(false)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    let text = textwrap::fill(&offer.text, &options);
    format!("  {word}{padding}  {:<22}{}\n", offer.topic, text.trim_start())
}
