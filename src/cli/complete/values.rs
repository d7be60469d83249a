//! The values of an argument.

use clap::{Arg, ValueHint};
use nsl::host::target_names;
use nsl::plan::NsKind;
use nsl::plan::why::arguments;
use nsl::report::pages;
use nsl::schema::{constants, meanings, syscalls};
use nsl::state::{self, Entry, Phase, Room};

use super::line::Line;
use super::policy::Policy;
use super::{Answer, Paths};

/// What may be given for an argument.
pub fn of(line: &Line, arg: &Arg) -> Vec<Answer> {
    let command = line.path.join(" ");
    let policy = || Policy::read(line.first("file")?);
    match (command.as_str(), arg.get_id().as_str()) {
        (_, "file") => vec![paths(Paths::Policies)],
        ("check" | "fmt", "paths") => vec![paths(Paths::Policies)],
        (_, "name") if line.takes("file") => named(policy().map(|it| it.names(command == "expand"))),
        (_, "name") => running(&command),
        (_, "set") => settings(line, &policies_of(line, &command)),
        (_, "fds") => {
            let names = policy().map_or(Vec::new(), |it| it.descriptors());
            names.into_iter().map(|it| Answer::word(format!("{it}="), "the number of a descriptor")).collect()
        }
        (_, "cgroup_parent") => vec![paths(Paths::Directories)],
        ("check", "target") => {
            let mut found: Vec<Answer> = target_names().into_iter().map(|it| Answer::word(it, "built in")).collect();
            found.push(paths(Paths::Files));
            found
        }
        ("expand", "why") => keys(policy().map_or(Vec::new(), |it| it.keys(line.first("name"))), &line.word),
        ("explain", "code") => pages::all().map(|it| Answer::word(it.code, it.title)).collect(),
        ("why syscall", "call") => calls(),
        ("why syscall", "abi") => abis(),
        ("why syscall", "rest") => rest(line),
        ("kill", "signal") => signals(),
        ("drift", "run") | ("ns" | "ns enter", "target") => running(&command),
        ("ns diff", "first" | "second") => {
            let mut found = running(&command);
            found.push(paths(Paths::Policies));
            found
        }
        (_, "kind") => NsKind::ALL.iter().map(|it| Answer::word(it.name(), "")).collect(),
        _ => general(arg),
    }
}

fn paths(which: Paths) -> Answer {
    Answer::Paths(which, String::new())
}

fn named(found: Option<Vec<(String, String)>>) -> Vec<Answer> {
    found.into_iter().flatten().map(|(name, meaning)| Answer::word(name, meaning)).collect()
}

/// Keys, also without their section where that is how the word begins.
fn keys(all: Vec<(String, String)>, word: &str) -> Vec<Answer> {
    let begins = |(key, value): &(String, String)| match key.split_once('.') {
        Some((_, rest)) if !key.starts_with(word) => Answer::word(rest, value),
        _ => Answer::word(key, value),
    };
    all.iter().map(begins).collect()
}

/// What the definition of the argument says itself.
fn general(arg: &Arg) -> Vec<Answer> {
    let possible = arg.get_possible_values();
    if !possible.is_empty() {
        let possible = possible.into_iter().filter(|it| !it.is_hide_set());
        return possible.map(|it| Answer::word(it.get_name(), super::first_line(it.get_help()))).collect();
    }
    match arg.get_value_hint() {
        ValueHint::FilePath | ValueHint::AnyPath => vec![paths(Paths::Files)],
        ValueHint::DirPath => vec![paths(Paths::Directories)],
        _ => Vec::new(),
    }
}

/// The sandboxes that a command can be about.
fn running(command: &str) -> Vec<Answer> {
    let is_meant = |it: &Entry| match command {
        "rm" => matches!(it.phase, Phase::Ended(_)),
        "logs" => matches!(it.phase, Phase::Ended(_)) || it.record.as_ref().is_some_and(|it| it.detached),
        "wait" => true,
        _ => !matches!(it.phase, Phase::Ended(_)),
    };
    let Ok(room) = Room::open() else { return Vec::new() };
    let found = state::list(&room).into_iter().filter(is_meant);
    found
        .map(|it| {
            let of = it.record.as_ref().map(|it| it.policy.display().to_string()).unwrap_or_default();
            let over = if matches!(it.phase, Phase::Ended(_)) { "ended, " } else { "" };
            Answer::word(it.name, format!("{over}{of}"))
        })
        .collect()
}

/// The policies whose parameters `--set` gives.
fn policies_of(line: &Line, command: &str) -> Vec<Policy> {
    let named: Vec<&str> = match command {
        "check" => line.all("paths").collect(),
        "why syscall" => line.all("rest").filter(|it| !it.contains('=')).take(1).collect(),
        _ => line.first("file").into_iter().collect(),
    };
    named.into_iter().filter_map(Policy::read).collect()
}

fn settings(line: &Line, policies: &[Policy]) -> Vec<Answer> {
    let params = policies.iter().flat_map(Policy::parameters);
    let Some((name, _)) = line.word.split_once('=') else {
        let set: Vec<&str> = line.all("set").filter_map(|it| it.split_once('=').map(|it| it.0)).collect();
        let free = params.filter(|it| !set.contains(&it.name.as_str()));
        return free
            .map(|it| {
                let default = it.default.map_or(String::new(), |it| format!(" = {it}"));
                let docs = if it.docs.is_empty() { String::new() } else { format!(": {}", it.docs) };
                Answer::word(format!("{}=", it.name), format!("{}{default}{docs}", it.ty))
            })
            .collect();
    };
    let mut found = Vec::new();
    for it in params.filter(|it| it.name == name) {
        let value = |value: &str, meaning: &str| Answer::word(format!("{name}={value}"), meaning);
        if it.ty == "bool" {
            found.extend(["true", "false"].map(|word| value(word, "")));
        } else {
            found.extend(it.default.iter().map(|it| value(it, "the default")));
        }
        if it.ty == "path" {
            found.push(Answer::Paths(Paths::Files, format!("{name}=")));
        }
    }
    found
}

fn calls() -> Vec<Answer> {
    syscalls::names().into_iter().map(|it| Answer::word(it, meanings::call(it).unwrap_or_default())).collect()
}

fn abis() -> Vec<Answer> {
    let mut found: Vec<Answer> = syscalls::ARCHES.iter().map(|it| Answer::word(*it, "a machine")).collect();
    found.push(Answer::word("i386", "as a 32-bit program makes it"));
    found
}

fn signals() -> Vec<Answer> {
    let names = constants::signal_names().into_iter();
    names.map(|it| Answer::word(it, meanings::signal(it).unwrap_or_default())).collect()
}

/// `NAME=VALUE… FILE SANDBOX`
fn rest(line: &Line) -> Vec<Answer> {
    let file = line.all("rest").find(|it| !it.contains('='));
    if let Some(file) = file {
        return named(Policy::read(file).map(|it| it.names(true)));
    }
    let call = line.first("call").unwrap_or_default();
    let names = arguments(std::env::consts::ARCH, call).iter();
    let mut found: Vec<Answer> = names.map(|it| Answer::word(format!("{}=", it.name), "an argument")).collect();
    found.push(paths(Paths::Policies));
    found
}
