//! A compiled filter for people: what it costs, and every instruction with what it is for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::machine::{self, AND, ARGUMENTS, EQUAL, GREATER, LOAD, NOT_LESS, RETURN, SKIP};
use super::{FilterError, MOST_INSTRUCTIONS, OFFSET_ARCH, OFFSET_NUMBER, audit_arch, compile};
use crate::plan::{FilterSpec, SyscallAction, action_text};
use crate::schema::syscalls;

/// Names that fit behind an instruction.
const NAMES: usize = 5;

/// What is in the accumulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Holds {
    Nothing,
    Arch,
    Number,
    Argument,
}

/// Numbers of one ABI that reach an instruction, first and last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Reach {
    /// An index of the filter's ABIs; `None` before the architecture is known, or where it is another one.
    abi: Option<usize>,
    low: u32,
    high: u32,
    holds: Holds,
}

struct Listing<'a> {
    /// The names of the ABIs, and their AUDIT_ARCH.
    abis: Vec<(&'a str, u32)>,
    program: Vec<libc::sock_filter>,
    /// What reaches each instruction.
    reach: Vec<BTreeSet<Reach>>,
}

/// Compiles a filter and prints it: its size, what calls cost in it, and its instructions.
pub fn listing(spec: &FilterSpec) -> Result<String, FilterError> {
    let mut abis = Vec::new();
    for name in std::iter::once(&spec.arch).chain(spec.foreign.iter().map(|it| &it.abi)) {
        abis.push((name.as_str(), audit_arch(name)?));
    }
    let program = compile(spec)?;
    let mut listing = Listing { abis, reach: vec![BTreeSet::new(); program.len()], program };
    listing.follow();
    let mut out = format!(
        "{} instructions of {MOST_INSTRUCTIONS} that the kernel takes, {} bytes\n",
        listing.program.len(),
        listing.program.len() * size_of::<libc::sock_filter>()
    );
    for index in 0..listing.abis.len() {
        listing.costs(index, &mut out);
    }
    out.push('\n');
    for at in 0..listing.program.len() {
        let line = format!("{at:>5}  {:<44}  {}", listing.instruction(at), listing.note(at));
        let _ = writeln!(out, "{}", line.trim_end());
    }
    Ok(out)
}

impl Listing<'_> {
    /// Finds out which numbers reach which instruction.
    fn follow(&mut self) {
        let mut left = vec![(0, Reach { abi: None, low: 0, high: u32::MAX, holds: Holds::Nothing })];
        while let Some((at, mut state)) = left.pop() {
            if at >= self.program.len() || !self.reach[at].insert(state) {
                continue;
            }
            let it = self.program[at];
            let (yes, no) = (at + 1 + usize::from(it.jt), at + 1 + usize::from(it.jf));
            match u32::from(it.code) {
                RETURN => {}
                LOAD => {
                    state.holds = match it.k {
                        OFFSET_ARCH => Holds::Arch,
                        OFFSET_NUMBER => Holds::Number,
                        _ => Holds::Argument,
                    };
                    left.push((at + 1, state));
                }
                SKIP => left.push((at + 1 + it.k as usize, state)),
                EQUAL if state.holds == Holds::Arch => {
                    let abi = self.abis.iter().position(|(_, arch)| *arch == it.k);
                    left.extend([(yes, Reach { abi, ..state }), (no, state)]);
                }
                NOT_LESS if state.holds == Holds::Number => {
                    if state.high >= it.k {
                        left.push((yes, Reach { low: state.low.max(it.k), ..state }));
                    }
                    if state.low < it.k {
                        left.push((no, Reach { high: state.high.min(it.k - 1), ..state }));
                    }
                }
                EQUAL | GREATER | NOT_LESS => left.extend([(yes, state), (no, state)]),
                _ => left.push((at + 1, state)),
            }
        }
    }

    /// The fewest and the most instructions for a call, and whether it is allowed whatever its arguments are.
    fn cost(&self, abi: usize, number: u32) -> (usize, usize, bool) {
        let arguments = [0; 6];
        let call = machine::Call { arch: self.abis[abi].1, number, arguments };
        let Some(answer) = machine::run(&self.program, call) else { return (0, 0, false) };
        if !answer.saw_arguments {
            return (answer.steps, answer.steps, answer.action == SyscallAction::Allow);
        }
        let (least, most) = self.span(0, call, &mut BTreeMap::new());
        (least, most, false)
    }

    /// The shortest and the longest way from an instruction to an answer, whatever the arguments are.
    fn span(&self, at: usize, call: machine::Call, known: &mut BTreeMap<usize, (usize, usize)>) -> (usize, usize) {
        if let Some(found) = known.get(&at) {
            return *found;
        }
        let Some(it) = self.program.get(at) else { return (0, 0) };
        let (yes, no) = (at + 1 + usize::from(it.jt), at + 1 + usize::from(it.jf));
        let here = self.reach[at].iter().next().map_or(Holds::Nothing, |it| it.holds);
        let ways = match (u32::from(it.code), here) {
            (RETURN, _) => vec![],
            (SKIP, _) => vec![at + 1 + it.k as usize],
            (EQUAL, Holds::Arch) => vec![if call.arch == it.k { yes } else { no }],
            (NOT_LESS, Holds::Number) => vec![if call.number >= it.k { yes } else { no }],
            (EQUAL | GREATER | NOT_LESS, _) => vec![yes, no],
            _ => vec![at + 1],
        };
        let spans: Vec<(usize, usize)> = ways.into_iter().map(|way| self.span(way, call, known)).collect();
        let least = 1 + spans.iter().map(|it| it.0).min().unwrap_or(0);
        let most = 1 + spans.iter().map(|it| it.1).max().unwrap_or(0);
        known.insert(at, (least, most));
        (least, most)
    }

    fn costs(&self, abi: usize, out: &mut String) {
        let name = self.abis[abi].0;
        let (mut noted, mut plain, mut conditional) = (0, Vec::new(), Vec::new());
        for (call, number) in syscalls::table(name) {
            let (least, most, allowed) = self.cost(abi, *number);
            match (allowed, self.sees_arguments(abi, *number)) {
                (true, _) => noted += 1,
                (false, true) => conditional.push(format!("{call} {least} to {most}")),
                (false, false) => plain.push(most),
            }
        }
        let _ = writeln!(
            out,
            "{name}: {noted} calls are allowed whatever their arguments are: the kernel notes them in a bitmap, and does not run the \
             program for them (Linux 5.11)"
        );
        if let (Some(least), Some(most)) = (plain.iter().min(), plain.iter().max()) {
            let _ =
                writeln!(out, "{name}: {} calls get another answer after {least} to {most} instructions", plain.len());
        }
        if !conditional.is_empty() {
            let _ = writeln!(out, "{name}: by their arguments, after instructions: {}", conditional.join(", "));
        }
    }

    fn sees_arguments(&self, abi: usize, number: u32) -> bool {
        let call = machine::Call { arch: self.abis[abi].1, number, arguments: [0; 6] };
        machine::run(&self.program, call).is_some_and(|it| it.saw_arguments)
    }

    fn instruction(&self, at: usize) -> String {
        let it = self.program[at];
        let here = self.reach[at].iter().next().copied();
        let (yes, no) = (at + 1 + usize::from(it.jt), at + 1 + usize::from(it.jf));
        let test = |op: &str| {
            let value = self.value(here, it.k);
            match (yes == at + 1, no == at + 1) {
                (_, true) => format!("if {op} {value} go to {yes}"),
                (true, _) => format!("unless {op} {value} go to {no}"),
                _ => format!("if {op} {value} go to {yes}, else {no}"),
            }
        };
        match u32::from(it.code) {
            LOAD if it.k == OFFSET_ARCH => "load the ABI".to_string(),
            LOAD if it.k == OFFSET_NUMBER => "load the number".to_string(),
            LOAD => {
                let argument = (it.k - ARGUMENTS) / 8;
                let half = if it.k.is_multiple_of(8) { "low" } else { "high" };
                format!("load the {half} half of argument {argument}{}", self.argument_name(here, argument))
            }
            AND => format!("and {:#x}", it.k),
            SKIP => format!("go to {}", at + 1 + it.k as usize),
            EQUAL => test("=="),
            GREATER => test(">"),
            NOT_LESS => test(">="),
            RETURN => machine::action(it.k).map_or(format!("return {:#x}", it.k), action_text),
            code => format!("{code:#x} {:#x}", it.k),
        }
    }

    /// The name of an argument, where one call alone comes here.
    fn argument_name(&self, here: Option<Reach>, argument: u32) -> String {
        let name = here.filter(|it| it.low == it.high).and_then(|it| self.call_name(it.abi?, it.low));
        let known = name.map_or(&[][..], syscalls::arguments);
        let found = known.iter().find(|it| u32::from(it.index) == argument);
        found.map_or(String::new(), |it| format!(", {}", it.name))
    }

    fn value(&self, here: Option<Reach>, k: u32) -> String {
        match here {
            Some(Reach { holds: Holds::Arch, .. }) => {
                let abi = self.abis.iter().find(|(_, arch)| *arch == k);
                abi.map_or(format!("{k:#x}"), |(name, _)| name.to_string())
            }
            Some(Reach { holds: Holds::Number, abi: Some(abi), .. }) => match self.call_name(abi, k) {
                Some(name) => format!("{k} ({name})"),
                None if k < 1024 => k.to_string(),
                None => format!("{k:#x}"),
            },
            _ => format!("{k:#x}"),
        }
    }

    fn call_name(&self, abi: usize, number: u32) -> Option<&'static str> {
        syscalls::name(self.abis[abi].0, number)
    }

    /// Which calls end here, for instructions that answer.
    fn note(&self, at: usize) -> String {
        if u32::from(self.program[at].code) != RETURN {
            return String::new();
        }
        let mut names = Vec::new();
        let mut newer = false;
        for reach in &self.reach[at] {
            let Some(abi) = reach.abi else { return "every other ABI".to_string() };
            let (name, _) = self.abis[abi];
            let last = syscalls::last(name).unwrap_or(0);
            names.extend((reach.low..=reach.high.min(last)).filter_map(|it| self.call_name(abi, it)));
            newer |= reach.high > last;
        }
        let more = names.len().saturating_sub(NAMES);
        names.truncate(NAMES);
        let mut note = names.join(" ");
        if more > 0 {
            let _ = write!(note, " and {more} more");
        }
        match (names.is_empty(), newer) {
            (true, _) => "numbers that are no call".to_string(),
            (false, true) => format!("{note}, and numbers that are no call"),
            (false, false) => note,
        }
    }
}
