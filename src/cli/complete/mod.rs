//! `nsl __tab`: what the scripts of `nsl completions` ask at every Tab.
//!
//! A line of the answer is a word, a tab, and what it means; or one of [`Paths`], by which the shell completes paths as it always
//! does. What cannot be read is not there: a prompt is no place for messages.

mod line;
mod policy;
mod quotes;
mod values;

use clap::builder::StyledStr;
use clap::{Arg, Args, CommandFactory};

use self::line::{At, Line};
use super::terminal;

/// Answer a shell that completes a command line
#[derive(Args)]
pub struct Complete {
    /// The words are as typed, with their quotes.
    #[arg(long)]
    quoted: bool,
    /// The words behind `nsl`, up to the cursor; the last one may be empty.
    #[arg(last = true)]
    words: Vec<std::ffi::OsString>,
}

/// What a word may become.
enum Answer {
    /// This, and what it means.
    Word(String, String),
    /// A path behind this part of the word.
    Paths(Paths, String),
}

/// Which paths.
#[derive(Clone, Copy)]
enum Paths {
    Policies,
    Files,
    Directories,
}

impl Answer {
    fn word(word: impl Into<String>, meaning: impl Into<String>) -> Answer {
        Answer::Word(word.into(), meaning.into())
    }

    fn line(&self, before: &str) -> String {
        match self {
            Answer::Word(word, meaning) => format!("{before}{word}\t{}\n", meaning.replace(['\n', '\t'], " ")),
            Answer::Paths(paths, part) => {
                let kind = match paths {
                    Paths::Policies => "policies",
                    Paths::Files => "files",
                    Paths::Directories => "directories",
                };
                format!(":{kind}\t{before}{part}\n")
            }
        }
    }
}

pub fn main(args: &Complete) -> i32 {
    // Whatever goes wrong, nobody wants to read it while typing.
    std::panic::set_hook(Box::new(|_| std::process::exit(super::FAILED)));
    let words = args.words.iter().map(|it| it.to_string_lossy());
    let words: Vec<String> = match args.quoted {
        true => words.map(|it| quotes::removed(&it)).collect(),
        false => words.map(Into::into).collect(),
    };
    let mut root = super::Cli::command();
    root.build();
    let line = Line::read(&root, &words);
    let fits = |it: &Answer| match it {
        Answer::Word(word, _) => word.starts_with(&line.word),
        Answer::Paths(..) => true,
    };
    let found = answers(&line).into_iter().filter(fits);
    terminal::print(&found.map(|it| it.line(&line.before)).collect::<String>())
}

fn answers(line: &Line) -> Vec<Answer> {
    match line.at {
        At::Value(arg) => values::of(line, arg),
        At::Option => options(line),
        At::Command(argument) => {
            let mut found = commands(line);
            found.extend(argument.iter().flat_map(|it| values::of(line, it)));
            found
        }
        At::Nothing => Vec::new(),
    }
}

fn commands(line: &Line) -> Vec<Answer> {
    let commands = line.command.get_subcommands().filter(|it| !it.is_hide_set());
    commands.map(|it| Answer::word(it.get_name(), first_line(it.get_about()))).collect()
}

fn options(line: &Line) -> Vec<Answer> {
    let long = |arg: &Arg| arg.get_long().map(|it| format!("--{it}"));
    let short = |arg: &Arg| arg.get_short().map(|it| format!("-{it}"));
    line.options()
        .filter_map(|arg| Some(Answer::word(long(arg).or_else(|| short(arg))?, first_line(arg.get_help()))))
        .collect()
}

fn first_line(text: Option<&StyledStr>) -> String {
    let text = text.map(ToString::to_string).unwrap_or_default();
    // Lists of a shell have room for one sentence.
    let line = text.lines().next().unwrap_or_default();
    line.split_once(". ").map_or(line, |(first, _)| first).trim_end_matches('.').to_string()
}
