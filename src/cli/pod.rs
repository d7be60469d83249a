//! A pod that runs: what is said of it, and what its containers say.

use std::fs::File;
use std::io::{IsTerminal, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nsl::execute::{self, Ended, PodEvent, PodHooks, Report, Started, Stream};
use nsl::plan::{ContainerPlan, Plan, PodPlan};
use nsl::report::Diagnostic;
use nsl::source::Files;
use nsl::state::{End, Seat, Seen};

use super::record::{Ending, Record};
use super::run::{not_in_force, preferred, say_missing};
use super::terminal;
use super::trace::Trace;
use super::voice::Voice;

/// The colours of names, one after the other: ECMA-48.
const COLORS: [u8; 10] = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

/// How a pod is run, as the command line says.
pub struct Ways<'a> {
    /// What it is called while it runs.
    pub name: Option<&'a str>,
    /// Whether it goes to the background.
    pub detach: bool,
    /// Whether every step is told of.
    pub verbose: bool,
    /// Where its report goes.
    pub record: Option<Record>,
}

/// Runs a pod to its end; the result is the exit status.
pub fn run(plan: &PodPlan, files: &Files, policy: &Path, ways: Ways) -> i32 {
    let Ways { name, detach, verbose, mut record } = ways;
    // What a path is relative to is lost in the background.
    let policy = std::path::absolute(policy).unwrap_or_else(|_| policy.to_path_buf());
    for plan in std::iter::once(&plan.holder).chain(plan.containers.iter().map(|it| &it.plan)) {
        let missing = plan.degraded.iter().map(|it| not_in_force(files, plan, &it.key, &it.reason, it.span));
        say_missing(&missing.collect::<String>());
    }
    let mut voice = match Voice::of(detach) {
        Ok(voice) => voice,
        Err(status) => return status,
    };
    let taken = Seat::take(&plan.holder, name, &policy, detach).and_then(|seat| {
        voice.log(&seat)?;
        Ok(seat)
    });
    let seat = match taken {
        Ok(seat) => seat,
        Err(finding) => {
            if let Some(record) = &mut record {
                record.refused(&Files::new(), std::slice::from_ref(&finding));
            }
            voice.findings(&Files::new(), &[finding]);
            return voice.ends(super::REFUSED);
        }
    };
    let widest = plan.containers.iter().map(|it| it.plan.name.chars().count()).max().unwrap_or(0);
    let mut told = Told {
        plan,
        files,
        policy,
        color: [
            terminal::stdout_style().color && std::io::stdout().is_terminal(),
            terminal::stderr_style().color && std::io::stderr().is_terminal(),
        ],
        widest,
        seat,
        voice,
        of_container: None,
        held: false,
        trace: verbose.then(|| Trace::new(&plan.holder, files)),
        members: record.as_ref().and_then(|_| members()),
    };
    let (report, status) = execute::run_pod(plan, verbose || record.is_some(), &mut told);
    let findings = execute::aftermath(&plan.holder, &report);
    told.voice.findings(files, &findings);
    if let Some(name) = told.seat.name().filter(|_| told.held && told.voice.is_waited_for()) {
        // What its containers have said themselves is in the log alone.
        told.voice.say(&format!("nsl: `nsl logs {name}` shows the rest, until `nsl rm {name}`\n"));
    }
    if let Some(trace) = &told.trace {
        trace.ended(&report);
    }
    let status = told.voice.ends(status);
    if let Some(record) = &mut record {
        let members = told.members.take().map_or(String::new(), read);
        record.write_pod(plan, files, &report, Ending { status, said: &findings, members: &members });
    }
    told.seat.leave(End::now(status, None));
    status
}

/// Where the supervisors of containers write their reports, a line each: in memory, and of this process and those that it forks alone.
fn members() -> Option<File> {
    rustix::fs::memfd_create("nsl-report", rustix::fs::MemfdFlags::CLOEXEC).ok().map(File::from)
}

fn read(mut file: File) -> String {
    let mut text = String::new();
    let _ = file.rewind().and_then(|()| file.read_to_string(&mut text));
    text
}

struct Told<'a> {
    plan: &'a PodPlan,
    files: &'a Files,
    policy: PathBuf,
    /// Whether names are coloured, on the standard output and on the standard error.
    color: [bool; 2],
    /// The width of the longest name.
    widest: usize,
    seat: Seat,
    voice: Voice,
    /// In the supervisor of a container: its own.
    of_container: Option<Seat>,
    /// Whether the pod's namespaces were made, so that it was written down.
    held: bool,
    /// Where every step is told of: that of what holds the pod; in a member that of its container.
    trace: Option<Trace<'a>>,
    /// What the supervisors of containers report, where that is asked for.
    members: Option<File>,
}

impl Told<'_> {
    fn skipped(&self, plan: &Plan, started: &Started) {
        let missing = started.notices.iter().filter_map(|notice| preferred(self.files, plan, notice));
        self.voice.missing(&missing.collect::<String>());
    }

    fn container(&self, index: usize) -> &ContainerPlan {
        &self.plan.containers[index]
    }

    fn say(&self, text: &str) {
        self.voice.say(&format!("nsl: {}: {text}\n", self.plan.name));
    }
}

impl PodHooks for Told<'_> {
    fn performed(&mut self, container: Option<usize>, step: usize, took: Duration) {
        if let Some(trace) = &mut self.trace {
            match container {
                // Forked from the supervisor, whose steps these are not.
                Some(index) if !trace.is_of(&self.plan.containers[index].plan) => {
                    *trace = Trace::new(&self.plan.containers[index].plan, self.files);
                }
                _ => {}
            }
            trace.step(step, took);
        }
    }

    fn held(&mut self, started: Started) {
        if let Some(trace) = &mut self.trace {
            trace.started("the namespaces of the pod are held");
        }
        self.held = true;
        self.skipped(&self.plan.holder, &started);
        self.seat.started(&self.plan.holder, &Seen { child: started.child, cgroups: started.cgroups.to_vec() });
    }

    fn forked(&mut self) {
        // The caller of a pod in the background waits until nobody holds its pipe any more.
        self.voice = Voice::Foreground;
    }

    fn started(&mut self, container: usize, started: Started) {
        let plan = &self.plan.containers[container].plan;
        if let Some(trace) = &mut self.trace {
            trace.started("the program runs");
        }
        self.skipped(plan, &started);
        let seen = Seen { child: started.child, cgroups: started.cgroups.to_vec() };
        self.of_container = self.seat.name().and_then(|pod| Seat::of_container(plan, pod, &self.policy));
        if let Some(seat) = &mut self.of_container {
            seat.started(plan, &seen);
        }
    }

    fn ended(&mut self, container: usize, report: &Report) {
        let plan = &self.plan.containers[container].plan;
        let signal = match report.ended {
            Ended::Signaled(signal) => Some(signal),
            _ => None,
        };
        if let Some(seat) = self.of_container.take() {
            seat.leave(End::now(report.exit_code(plan), signal));
        }
        let findings = execute::aftermath(plan, report);
        terminal::say_findings(self.files, &findings);
        if let Some(trace) = self.trace.as_ref().filter(|it| it.is_of(plan)) {
            trace.ended(report);
        }
        if let Some(members) = &mut self.members {
            // One write, so that no two of them mix.
            let _ = members.write_all(Record::line(plan, self.files, report, &findings).as_bytes());
        }
    }

    fn event(&mut self, event: &PodEvent) {
        match event {
            // Who has started it in the background has waited for this.
            PodEvent::Ready => self.voice.runs(self.seat.name()),
            PodEvent::Restarts { container, status, count, pause } => {
                let container = self.container(*container);
                let most =
                    container.restart.as_ref().and_then(|it| it.max).map_or(String::new(), |it| format!(" of {it}"));
                let pause = *pause as f64 / 1e9;
                self.say(&format!(
                    "{} ended with status {status}, and is started again in {pause}s ({count}{most})",
                    container.plan.name
                ));
            }
            PodEvent::Ended { container, status, given_up } => {
                let container = self.container(*container);
                let then = match (container.essential, given_up) {
                    (true, _) => ", and so does the pod",
                    (false, true) => ", and is not started any more",
                    (false, false) => "",
                };
                self.say(&format!("{} ended with status {status}{then}", container.plan.name));
            }
            PodEvent::NotReady { container, ended } => {
                self.voice.findings(self.files, &[not_ready(self.plan, self.container(*container), *ended)]);
            }
            PodEvent::HolderGone => self.say("the process that holds the namespaces was killed, and so ends the pod"),
        }
    }

    fn line(&mut self, container: usize, stream: Stream, line: &[u8]) {
        let name = &self.container(container).plan.name;
        let color = self.color[usize::from(stream == Stream::Err)];
        let padded = format!("{name:<width$} |", width = self.widest);
        let mut text = match color {
            true => format!("\x1b[{}m{padded}\x1b[0m ", COLORS[container % COLORS.len()]),
            false => format!("{padded} "),
        }
        .into_bytes();
        text.extend_from_slice(line);
        text.push(b'\n');
        // Nobody to read it is no reason to end the pod.
        let _ = match stream {
            Stream::Out => std::io::stdout().lock().write_all(&text),
            Stream::Err => std::io::stderr().lock().write_all(&text),
        };
    }
}

fn not_ready(pod: &PodPlan, container: &ContainerPlan, ended: Option<i32>) -> Diagnostic {
    let name = &container.plan.name;
    match (ended, &container.ready) {
        (Some(status), ready) => {
            let message = format!("`{name}` ended with status {status} before it was ready, and the pod with it");
            Diagnostic::error("ended-before-ready", message)
                .label(ready.as_ref().map_or(pod.span, |it| it.span), "never came true")
                .help("its own output says why; `restart = on-failure(max: …)` would give it another chance")
        }
        (None, ready) => {
            let within = ready.as_ref().map_or(0.0, |it| it.within as f64 / 1e9);
            let message = format!("`{name}` was not ready within {within}s, and the pod ends");
            Diagnostic::error("not-ready", message)
                .label(ready.as_ref().map_or(pod.span, |it| it.span), "did not come true in time")
                .help("raise `within`, or probe what the program really does when it is ready")
        }
    }
}
