//! What is written down of a sandbox that runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::process::{self, Process};
use crate::plan::{Action, Plan};

/// The version of what is written; another one is not understood.
pub const FORMAT: u32 = 1;

/// How a sandbox ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// What nsl ended with: the program's status, 128 + signal, or 125, 126, 127.
    pub exit_status: i32,
    /// The signal that ended the program.
    pub signal: Option<i32>,
    /// When, in seconds since 1970.
    pub at: u64,
}

impl End {
    /// An end of this moment.
    pub fn now(exit_status: i32, signal: Option<i32>) -> End {
        End { exit_status, signal, at: now() }
    }
}

/// What the executor knows of a sandbox once its program runs.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The process that was cloned: init, or the program where there is no init.
    pub child: i32,
    /// The directories of its cgroups.
    pub cgroups: Vec<PathBuf>,
}

/// One sandbox. The names of the fields are part of the interface of `nsl ps --json` and `nsl inspect --json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// [`FORMAT`]
    pub format: u32,
    /// What it is called while it runs: unique for its user.
    pub name: String,
    /// What the policy calls it.
    pub sandbox: String,
    /// The pod that it is a container of, as it is called while it runs.
    pub pod: Option<String>,
    /// The absolute path of the policy.
    pub policy: PathBuf,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// When the program was started, in seconds since 1970.
    pub since: u64,
    /// Whether it runs in the background, with its output in a log.
    pub detached: bool,
    /// The nsl that holds it.
    pub supervisor: Process,
    /// Its PID 1; absent where it has none.
    pub init: Option<Process>,
    /// The program; absent where it had ended before it could be looked at.
    pub program: Option<Process>,
    /// The inode numbers of its namespaces, by kind.
    pub namespaces: BTreeMap<String, u64>,
    /// The directories of its cgroups.
    pub cgroups: Vec<PathBuf>,
}

impl Record {
    /// Looks at a sandbox whose program has just been started. `None` where not even nsl itself can be looked at.
    pub fn observe(name: &str, plan: &Plan, policy: &Path, seen: &Seen) -> Option<Record> {
        let child = Process::of(seen.child);
        let has_init = plan.steps.iter().any(|step| step.action == Action::ForkInit);
        let (init, program) = match has_init {
            // The first child is the program; others are what it left to init.
            true => (child, child.and_then(|it| it.children().first().copied()).and_then(Process::of)),
            false => (None, child),
        };
        Some(Record {
            format: FORMAT,
            name: name.to_string(),
            sandbox: plan.name.clone(),
            pod: None,
            policy: std::path::absolute(policy).unwrap_or_else(|_| policy.to_path_buf()),
            command: command(plan),
            since: now(),
            detached: false,
            supervisor: Process::own()?,
            init,
            program,
            // Init is not dumpable, so only root may look at it.
            namespaces: program.or(init).map(namespaces).unwrap_or_default(),
            cgroups: seen.cgroups.clone(),
        })
    }

    /// Whether it is what holds the namespaces of a pod, which runs no program itself.
    pub fn is_pod(&self) -> bool {
        self.command.is_empty()
    }

    /// Every process of the sandbox that can be found: what is below its init or its program, and what is in its PID namespace without
    /// being below, as the commands of `nsl exec` are.
    pub fn processes(&self) -> Vec<i32> {
        let root = self.init.or(self.program).filter(|it| it.lives());
        let mut found: Vec<i32> = root.map(|it| it.pid).into_iter().collect();
        let mut next = 0;
        while let Some(pid) = found.get(next).copied() {
            next += 1;
            let children = Process { pid, start: 0 }.children();
            found.extend(children.into_iter().filter(|it| !found.contains(it)).collect::<Vec<_>>());
        }
        let own = process::namespace(std::process::id() as i32, "pid");
        let Some(inode) = self.namespaces.get("pid").copied().filter(|it| Some(*it) != own) else { return found };
        let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let all = all.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let guests: Vec<i32> =
            all.filter(|pid| !found.contains(pid) && process::namespace(*pid, "pid") == Some(inode)).collect();
        found.extend(guests);
        found
    }

    /// The program, where it is still the one that was started.
    pub fn living_program(&self) -> Option<Process> {
        self.program.filter(|it| it.lives())
    }
}

fn command(plan: &Plan) -> Vec<String> {
    let argv = plan.steps.iter().find_map(|step| match &step.action {
        Action::Exec { argv, .. } => Some(argv),
        _ => None,
    });
    argv.into_iter().flatten().map(|arg| String::from_utf8_lossy(arg.as_bytes()).into_owned()).collect()
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs())
}

/// The namespaces of a program that was started just now. It is heard of when execve(2) closes what it must not inherit, a moment before
/// others than root may look at it; a program that may not be read at all stays hidden, and is not waited for any longer.
fn namespaces(of: Process) -> BTreeMap<String, u64> {
    let until = Instant::now() + Duration::from_millis(100);
    // Mostly it takes some microseconds, and the run waits for it.
    let mut pause = Duration::from_micros(20);
    loop {
        let found = of.namespaces();
        if !found.is_empty() || !of.lives() || Instant::now() >= until {
            return found;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(2));
    }
}
