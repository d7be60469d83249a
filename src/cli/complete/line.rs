//! A command line that is being typed: what its last word is, by the definitions of the commands.

use clap::{Arg, ArgAction, Command};

/// What the last word of a command line may become.
pub enum At<'c> {
    /// A value of this argument.
    Value(&'c Arg),
    /// The name of an option.
    Option,
    /// A command, or the first argument where there is one.
    Command(Option<&'c Arg>),
    /// Nothing that is known here.
    Nothing,
}

/// A command line as far as it is typed.
pub struct Line<'c> {
    /// The command that it is for.
    pub command: &'c Command,
    /// The names of its commands: `ns`, `diff`.
    pub path: Vec<String>,
    /// What its last word may become.
    pub at: At<'c>,
    /// That part of the last word that is completed.
    pub word: String,
    /// What stands before it in the same word: `--set=`.
    pub before: String,
    /// What was given before, by the argument's id.
    given: Vec<(String, String)>,
}

impl<'c> Line<'c> {
    /// Reads the words behind `nsl`; the last one is where the cursor stands. `root` was built.
    pub fn read(root: &'c Command, words: &[String]) -> Line<'c> {
        let (last, before) = words.split_last().map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
        let mut it = Reader { line: Line::empty(root), open: None, escaped: false, positionals: 0 };
        before.iter().for_each(|word| it.take(word));
        it.finish(last)
    }

    fn empty(root: &'c Command) -> Line<'c> {
        Line {
            command: root,
            path: Vec::new(),
            at: At::Nothing,
            word: String::new(),
            before: String::new(),
            given: Vec::new(),
        }
    }

    /// All values of an argument that were given, in order.
    pub fn all<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a str> {
        self.given.iter().filter(move |(known, _)| known == id).map(|(_, value)| value.as_str())
    }

    /// The first value of an argument that was given.
    pub fn first(&self, id: &str) -> Option<&str> {
        self.given.iter().find(|(known, _)| known == id).map(|(_, value)| value.as_str())
    }

    /// Whether the command takes an argument of this id.
    pub fn takes(&self, id: &str) -> bool {
        self.command.get_arguments().any(|it| it.get_id() == id)
    }

    /// The options that may still be given.
    pub fn options(&self) -> impl Iterator<Item = &'c Arg> {
        let again = |arg: &Arg| matches!(arg.get_action(), ArgAction::Append | ArgAction::Count);
        let options = self.command.get_arguments().filter(|it| !it.is_positional() && !it.is_hide_set());
        options.filter(move |it| again(it) || self.first(it.get_id().as_str()).is_none())
    }
}

struct Reader<'c> {
    line: Line<'c>,
    /// The option that waits for its value.
    open: Option<&'c Arg>,
    /// Whether only arguments follow.
    escaped: bool,
    /// How many arguments there were.
    positionals: usize,
}

impl<'c> Reader<'c> {
    /// A word before the last.
    fn take(&mut self, word: &str) {
        if let Some(arg) = self.open.take() {
            return self.give(arg, word);
        }
        if !self.escaped && word == "--" {
            self.escaped = true;
        } else if let Some(long) = word.strip_prefix("--").filter(|_| !self.escaped) {
            let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            self.option(|arg| arg.get_long() == Some(name), value);
        } else if let Some(letters) = self.letters(word) {
            for (at, letter) in letters.char_indices() {
                let rest = &letters[at + letter.len_utf8()..];
                if self.option(|arg| arg.get_short() == Some(letter), Some(rest).filter(|it| !it.is_empty())) {
                    break;
                }
            }
        } else if let Some(command) = self.line.command.find_subcommand(word).filter(|_| self.may_be_command()) {
            self.line.command = command;
            self.line.path.push(command.get_name().to_string());
        } else if let Some(arg) = self.positional() {
            self.give(arg, word);
            self.positionals += 1;
            self.escaped |= arg.is_trailing_var_arg_set();
        }
    }

    /// The short options of a word.
    fn letters<'w>(&self, word: &'w str) -> Option<&'w str> {
        word.strip_prefix('-').filter(|it| !it.is_empty() && !self.escaped)
    }

    /// Takes an option with the value that stands in the same word; whether it has one, here or in the next.
    fn option(&mut self, is_it: impl Fn(&Arg) -> bool, value: Option<&str>) -> bool {
        let Some(arg) = self.line.command.get_arguments().find(|arg| is_it(arg)) else { return false };
        match value {
            _ if !takes_value(arg) => self.give(arg, ""),
            Some(value) => self.give(arg, value),
            None => self.open = Some(arg),
        }
        takes_value(arg)
    }

    fn give(&mut self, arg: &Arg, value: &str) {
        self.line.given.push((arg.get_id().to_string(), value.to_string()));
    }

    fn may_be_command(&self) -> bool {
        !self.escaped && self.positionals == 0
    }

    /// The argument that the next word is for.
    fn positional(&self) -> Option<&'c Arg> {
        let mut all = self.line.command.get_positionals();
        if self.escaped
            && let Some(last) = self.line.command.get_positionals().find(|it| it.is_last_set())
        {
            return Some(last);
        }
        let several = |arg: &Arg| arg.get_num_args().is_some_and(|it| it.max_values() > 1);
        all.find(|arg| !arg.is_last_set() && (several(arg) || arg.get_index().is_some_and(|at| at > self.positionals)))
    }

    /// The last word.
    fn finish(mut self, word: &str) -> Line<'c> {
        self.line.word = word.to_string();
        self.line.at = self.place(word);
        self.line
    }

    fn place(&mut self, word: &str) -> At<'c> {
        if let Some(arg) = self.open {
            return At::Value(arg);
        }
        if !self.escaped && word.starts_with('-') {
            let Some((name, value)) = word.strip_prefix("--").and_then(|it| it.split_once('=')) else {
                return At::Option;
            };
            let arg = self.line.command.get_arguments().find(|it| it.get_long() == Some(name) && takes_value(it));
            self.line.word = value.to_string();
            self.line.before = format!("--{name}=");
            return arg.map_or(At::Nothing, At::Value);
        }
        let argument = self.positional();
        match (argument, self.may_be_command() && self.line.command.has_subcommands()) {
            (argument, true) => At::Command(argument),
            (Some(argument), false) => At::Value(argument),
            // Where nothing else can stand, an option can.
            (None, false) if !self.escaped => At::Option,
            (None, false) => At::Nothing,
        }
    }
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}
