//! What is known of a run when it is over.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::explain;
use super::failure::Notice;
use super::pins::Kept;
use super::resolver::RefusedNames;
use crate::plan::{NsKind, Plan};

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The program ended with this status.
    Exited(i32),
    /// The program was ended by this signal.
    Signaled(i32),
    /// The sandbox could not be built, or the program could not be started.
    Failed(Notice),
}

/// All that is known of a run when it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How it ended.
    pub ended: Ended,
    /// Whether the signal that ended the program left a core file: core(5).
    pub core_dumped: bool,
    /// Whether `stop { after = … }` ended it.
    pub timed_out: bool,
    /// Whether `stop { cpu = … }` ended it.
    pub cpu_over: bool,
    /// Whether it was ended with the process that had started nsl: `stop { with-parent = true }`.
    pub orphaned: bool,
    /// The system call for which the filter killed the program, where the kernel's log can be read and names it.
    pub refused: Option<RefusedCall>,
    /// The names that its resolver has refused; `None` where there was none.
    pub refused_names: Option<RefusedNames>,
    /// What its processes used; `None` where none was started.
    pub usage: Option<Usage>,
    /// What its cgroups counted.
    pub cgroups: CgroupUse,
    /// The inode numbers of the program's namespaces, where they were looked at.
    pub namespaces: Vec<(NsKind, u64)>,
    /// Namespaces that files keep from now on.
    pub kept: Vec<Kept>,
    /// Steps that failed and were only preferred.
    pub skipped: Vec<Notice>,
    /// How long what took.
    pub times: Times,
    /// Cgroups that could not be removed.
    pub left: Vec<PathBuf>,
}

impl Default for Report {
    /// A run of which nothing is known.
    fn default() -> Report {
        Report {
            ended: Ended::Failed(Notice::incomplete(String::new())),
            core_dumped: false,
            timed_out: false,
            cpu_over: false,
            orphaned: false,
            refused: None,
            refused_names: None,
            usage: None,
            cgroups: CgroupUse::default(),
            namespaces: Vec::new(),
            kept: Vec::new(),
            skipped: Vec::new(),
            times: Times::default(),
            left: Vec::new(),
        }
    }
}

impl Report {
    /// The status that nsl ends with: the program's, 128 + signal, or 125, 126, 127 where there was no program.
    pub fn exit_code(&self, plan: &Plan) -> i32 {
        match &self.ended {
            Ended::Exited(code) => *code,
            Ended::Signaled(signal) => 128 + signal,
            Ended::Failed(notice) => explain::exit_code(plan, notice),
        }
    }
}

/// A system call that the filter answered with the end of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedCall {
    /// Its number on the architecture that made it.
    pub number: u32,
    /// Its name, where the architecture is one that nsl knows.
    pub name: Option<&'static str>,
    /// AUDIT_ARCH of the caller: audit.h.
    pub arch: u32,
}

/// What the processes of a sandbox used together: getrusage(2), as wait4(2) tells it of init and all that init has waited for. A
/// process that was killed with its PID namespace, unwaited for, is not in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time in user mode.
    pub user: Duration,
    /// CPU time in the kernel, building the sandbox included.
    pub system: Duration,
    /// The largest resident set of any one process, bytes.
    pub max_rss: u64,
    /// Page faults without input or output.
    pub minor_faults: u64,
    /// Page faults that read from a disk.
    pub major_faults: u64,
    /// Context switches because a process waited.
    pub voluntary_switches: u64,
    /// Context switches because its time was over.
    pub involuntary_switches: u64,
}

/// What the cgroups of a sandbox counted, `None` where the kernel or the hierarchy does not count it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CgroupUse {
    /// Processes that the kernel killed because of the memory limit.
    pub oom_kills: u64,
    /// Forks that failed because of the limit of processes.
    pub fork_failures: u64,
    /// The most memory at once, bytes: memory.peak (Linux 5.19), or memory.max_usage_in_bytes of v1.
    pub memory_peak: Option<u64>,
    /// The most processes and threads at once: pids.peak (Linux 6.11).
    pub pids_peak: Option<u64>,
    /// CPU time of all processes: usage_usec of cpu.stat, or cpuacct.usage of v1.
    pub cpu: Option<Duration>,
    /// How often `cpu.max` made a process wait: nr_throttled of cpu.stat.
    pub throttled: Option<u64>,
}

/// How long the stages of a run took; `None` for one that was not reached or not left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Before the child existed: sources, cgroups, ports, filters.
    pub prepare: Option<Duration>,
    /// clone3(2), maps, cgroups v1.
    pub launch: Option<Duration>,
    /// The child, from there to execve(2).
    pub build: Option<Duration>,
    /// The program.
    pub run: Option<Duration>,
    /// Removing what was there for the run.
    pub clean: Duration,
    /// All of it.
    pub total: Duration,
}

/// Measures the stages of a run.
pub struct Clock {
    begun: Instant,
    last: Instant,
    times: Times,
}

impl Clock {
    /// Starts to measure.
    pub fn start() -> Clock {
        let now = Instant::now();
        Clock { begun: now, last: now, times: Times::default() }
    }

    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        let lap = now - self.last;
        self.last = now;
        lap
    }

    /// All is there that can be there without a child.
    pub fn prepared(&mut self) {
        self.times.prepare = Some(self.lap());
    }

    /// The child goes on by itself.
    pub fn launched(&mut self) {
        self.times.launch = Some(self.lap());
    }

    /// The program runs.
    pub fn started(&mut self) {
        self.times.build = Some(self.lap());
    }

    /// The program has ended, or there will be none.
    pub fn ended(&mut self) {
        let lap = self.lap();
        self.times.run = self.times.build.map(|_| lap);
    }

    /// All is clean.
    pub fn finish(mut self) -> Times {
        self.times.clean = self.lap();
        self.times.total = self.last - self.begun;
        self.times
    }
}
