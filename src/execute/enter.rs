//! One more program in a sandbox that runs: behind the same walls as the one that it was made for.
//!
//! The **guest** is not started in the sandbox, it is moved there: a process in between joins its namespaces (setns(2)) and makes a child, which is
//! born in its PID namespace, and in that child the very steps of the plan that the sandbox's own program went through: ids, limits,
//! capabilities, no_new_privs, Landlock, filter. What cannot be done ends it before execve(2).

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rustix::fs::{Mode, OFlags};

use super::child::{self, Birth};
use super::descriptors::Descriptors;
use super::failure::{Context, Done, Failure, Notice};
use super::janitor::Janitor;
use super::join::{self, Opened};
use super::notices::Word;
use super::outcome::{Clock, Ended};
use super::program::Command;
use super::sources::Sources;
use super::spawn::Running;
use super::supervise::{self, Watched};
use super::terminal::{self, Inside, Settings, Terminal};
use super::{attributes, cgroup, filter, init, labels, sys};
use crate::plan::{Action, Attribute, Bytes, Ending, NsKind, Plan, Signal, Stage, Step};
use crate::report::Diagnostic;
use crate::state::{Process, Record};

/// What is to be run beside the program of a sandbox.
#[derive(Clone, Debug, Default)]
pub struct Guest {
    /// The program and its arguments.
    pub argv: Vec<Bytes>,
    /// Variables beside those of the policy, `NAME=value`; they come first.
    pub env: Vec<Bytes>,
    /// The working directory inside, instead of the policy's.
    pub cwd: Option<String>,
    /// Whether it gets a terminal of its own in the sandbox, also where the policy gives its program none.
    pub tty: bool,
}

/// The order in which the kernel takes them: `user` gives the rights for the others, and behind `mnt` no path of the host is left.
const ORDER: [NsKind; 8] =
    [NsKind::User, NsKind::Cgroup, NsKind::Ipc, NsKind::Uts, NsKind::Net, NsKind::Time, NsKind::Pid, NsKind::Mnt];

/// Runs a guest to its end. The result is the exit status, or why it was not let in with the status that nsl ends with: 127 and 126
/// as shells use them, 125 for the rest.
///
/// The process must have one thread. All signals stay blocked afterwards: the process is expected to exit.
pub fn enter(record: &Record, plan: &Plan, guest: &Guest) -> Result<i32, (Diagnostic, i32)> {
    let mut plan = guests_plan(plan, guest);
    sys::default_sigchld();
    let doors = doors(record).map_err(|failure| Notice { step: Notice::NO_STEP, failure, fatal: true });
    let ended = doors.and_then(|doors| {
        plan.steps.splice(0..0, doors.iter().map(|door| joining(door.kind, &plan)).collect::<Vec<_>>());
        attempt(record, &plan, &doors)
    });
    let ended = match ended {
        Ok(watched) => watched.ended,
        Err(notice) => Ended::Failed(notice),
    };
    match ended {
        Ended::Exited(status) => Ok(status),
        Ended::Signaled(signal) => Ok(128 + signal),
        Ended::Failed(notice) => Err((explain(record, &plan, &notice), super::explain::exit_code(&plan, &notice))),
    }
}

/// What is to be run in namespaces of a process.
#[derive(Clone, Debug, Default)]
pub struct Visit {
    /// The kinds to enter; none: all that are not the caller's own.
    pub kinds: Vec<NsKind>,
    /// The program and its arguments.
    pub argv: Vec<Bytes>,
    /// The environment, `NAME=value`.
    pub env: Vec<Bytes>,
}

/// Runs a program in namespaces of a process with the caller's rights, as nsenter(1) does: no walls of a sandbox are put up. The result is as that
/// of [`enter`].
pub fn visit(process: Process, visit: &Visit) -> Result<i32, (Diagnostic, i32)> {
    sys::default_sigchld();
    let wanted = |kind: &str| visit.kinds.is_empty() || visit.kinds.iter().any(|it| it.name() == kind);
    let mut namespaces = process.namespaces();
    namespaces.retain(|kind, _| wanted(kind));
    let refuse = |finding: Diagnostic| Err((finding, 125));
    let who = format!("process {}", process.pid);
    if namespaces.is_empty() {
        let message = format!("the namespaces of {who} may not be looked at");
        return refuse(Diagnostic::error("process-hidden", message).help(crate::host::HIDDEN_HELP));
    }
    let record = Record {
        name: who.clone(),
        supervisor: process,
        program: Some(process),
        init: None,
        namespaces,
        cgroups: Vec::new(),
        ..Record::default()
    };
    let ending =
        Ending { signal: Signal { name: "TERM".into(), number: 15 }, timeout: 0, after: None, after_span: None };
    let mut plan = Plan { name: who, steps: Vec::new(), degraded: Vec::new(), ending };
    let result = doors(&record).map_err(|failure| Notice { step: Notice::NO_STEP, failure, fatal: true });
    let ended = result.and_then(|doors| {
        plan.steps.extend(doors.iter().map(|door| joining(door.kind, &plan)).collect::<Vec<_>>());
        let own = |stage, action| Step { stage, action, ..joining(NsKind::User, &plan) };
        let mut last = Vec::new();
        if doors.iter().any(|door| door.kind == NsKind::User) {
            // Who enters has every capability there, but no id of its own.
            let (uid, gid) = first_ids(process);
            last.push(own(Stage::Child, Action::SetIds { uid, gid, groups: None }));
        }
        last.push(own(Stage::Program, Action::CloseFds { keep: Default::default() }));
        last.push(own(Stage::Program, Action::Exec { argv: visit.argv.clone(), env: visit.env.clone() }));
        plan.steps.extend(last);
        attempt(&record, &plan, &doors)
    });
    match ended.map(|watched| watched.ended) {
        Ok(Ended::Exited(status)) => Ok(status),
        Ok(Ended::Signaled(signal)) => Ok(128 + signal),
        Ok(Ended::Failed(notice)) | Err(notice) => {
            let status = super::explain::exit_code(&plan, &notice);
            if status != 125 {
                let help = "name the program by its path where it is run: in the mount namespace that was entered";
                return Err((not_executed(&plan, &notice, help), status));
            }
            let message = format!("{} cannot be entered: {}", record.name, notice.failure);
            refuse(Diagnostic::error("ns-enter-failed", message).help(
                "entering takes CAP_SYS_ADMIN in the user namespace that owns the namespace (`nsl ns` shows which): its maker has it, and root",
            ))
        }
    }
}

/// Root inside where the maps have it, and else the first id of each.
fn first_ids(process: Process) -> (u32, u32) {
    let first = |file: &str| {
        let text = std::fs::read_to_string(format!("/proc/{}/{file}", process.pid)).unwrap_or_default();
        let inside = text.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok());
        inside.min().unwrap_or(0)
    };
    (first("uid_map"), first("gid_map"))
}

/// The step of the process in between that joins a namespace.
fn joining(kind: NsKind, plan: &Plan) -> Step {
    Step {
        stage: Stage::Join,
        action: Action::JoinNamespace(kind),
        span: plan.steps.first().map(|it| it.span).unwrap_or_default(),
        why: "a guest is where the sandbox is".to_string(),
        privilege: None,
        required: true,
        via: Vec::new(),
    }
}

/// The steps of the program's own stage, and those that make its ids, for another program.
fn guests_plan(plan: &Plan, guest: &Guest) -> Plan {
    let own = |step: &&Step| match step.action {
        Action::SetIds { .. } => true,
        // The streams and descriptors of the program are its own; the guest has those of its caller.
        Action::SetFd { .. } | Action::ListenFds { .. } => false,
        // What nsl does to the child it does to the guest: it counts among the sandbox's own.
        Action::SetAttribute(_) => true,
        _ => step.stage == Stage::Program,
    };
    let mut steps: Vec<Step> = plan.steps.iter().filter(own).cloned().collect();
    for step in &mut steps {
        match &mut step.action {
            Action::Exec { argv, env } => {
                argv.clone_from(&guest.argv);
                env.splice(0..0, guest.env.iter().cloned());
            }
            Action::CloseFds { keep } => keep.clear(),
            Action::ChangeDir(path) => {
                if let Some(cwd) = &guest.cwd {
                    path.clone_from(cwd);
                }
            }
            _ => {}
        }
    }
    let has_terminal = steps.iter().any(|step| step.action == Action::NewTerminal);
    if let Some(at) =
        steps.iter().position(|step| step.action == Action::NewSession).filter(|_| guest.tty && !has_terminal)
    {
        let step = Step { action: Action::NewTerminal, ..steps[at].clone() };
        steps.insert(at + 1, step);
    }
    let mut ending = plan.ending.clone();
    // The time limit is that of the sandbox, which ends the guest too.
    ending.after = None;
    Plan { steps, ending, ..plan.clone() }
}

fn attempt(record: &Record, plan: &Plan, doors: &[Opened]) -> Result<Watched, Notice> {
    let before = |failure| Notice { step: Notice::NO_STEP, failure, fatal: true };
    let signals = supervise::signals().map_err(before)?;
    // Held while the guest is there: where no PID namespace ends it with the sandbox, this does.
    let lease = record.supervisor.open().ok_or_else(|| before(Failure::refused("it has ended")))?;
    let limits = limits_of(record.supervisor).map_err(before)?;
    let own_pids = doors.iter().any(|it| it.kind == NsKind::Pid);
    let host_pids = init::host_pids(if own_pids { libc::CLONE_NEWPID as u64 } else { 0 }).map_err(before)?;
    let pipe = || {
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
            .context(|| "making a pipe".to_string())
            .map_err(before)
    };
    let ((notices, notices_write), (status, status_write), (gate_read, gate)) = (pipe()?, pipe()?, pipe()?);
    let supervisor_fd = rustix::process::pidfd_open(rustix::process::getpid(), rustix::process::PidfdFlags::empty())
        .context(|| "opening a descriptor of this process".to_string())
        .map_err(before)?;
    for step in admitted(plan) {
        if let Action::SetAttribute(attribute @ (Attribute::OomScoreAdj(_) | Attribute::OwnCores)) = &step.action {
            // The guest is not dumpable from its first moment on, which closes these of it to all but root: it inherits them.
            set_attribute(step, attribute, nix::unistd::getpid()).map_err(before)?;
        }
    }
    let (janitor, terminal, inside) = match guests_terminal(plan).map_err(before)? {
        Some((janitor, terminal, inside)) => (Some(janitor), Some(terminal), Some(inside)),
        None => (None, None, None),
    };
    let birth = Birth {
        plan,
        descriptors: Descriptors::default(),
        hand_over: None,
        terminal: inside,
        sources: Sources::default(),
        filters: filters(plan).map_err(before)?,
        command: Some(command(plan).map_err(before)?),
        notices: notices_write,
        watched: false,
        status: status_write,
        asks: None,
        gate: gate_read,
        supervisor_fd,
        proc: None,
        host_proc: labels::host_proc(plan).map_err(before)?,
        janitor: None,
    };
    let Some((pid, pidfd)) = join::clone_child(plan, doors, (Notice::NO_STEP, 0), None)? else {
        drop((notices, status, gate));
        born(birth, &limits)
    };
    drop(birth);
    let mut running = Running {
        inside: Vec::new(),
        pid,
        pidfd,
        notices,
        status,
        gate,
        relay: None,
        resolver: None,
        refused: None,
        host_pids,
        terminal,
        parent: None,
        init: false,
        lease: Some(lease),
    };
    if let Err(failure) = admit(record, plan, &running) {
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::SIGKILL);
        let _ = nix::sys::wait::waitpid(pid, None);
        return Err(before(failure));
    }
    let watched = supervise::watch(plan, &mut running, &signals, Vec::new(), &[], &mut Clock::start(), &mut |_| {});
    drop(running);
    janitor.map(Janitor::finish);
    Ok(watched)
}

/// A terminal for the guest, where the plan has one and so has the caller; and who sets the caller's back if nsl is killed.
fn guests_terminal(plan: &Plan) -> Done<Option<(Janitor, Terminal, Inside)>> {
    let wanted = plan.steps.iter().any(|step| step.action == Action::NewTerminal);
    let Some(settings) = wanted.then(|| Settings::of_caller().ok()).flatten() else { return Ok(None) };
    let janitor = Janitor::start(Vec::new(), &BTreeMap::new(), &[], Some(settings.clone()))?;
    let (terminal, inside) = terminal::pair(settings, janitor.pipe().as_fd())?;
    Ok(Some((janitor, terminal, inside)))
}

/// The guest, from its birth in the namespaces. Never returns.
fn born(birth: Birth, limits: &[Limit]) -> ! {
    let _ = rustix::thread::set_name(c"nsl-exec");
    sys::wipe_command_line();
    // It is a copy of an nsl of the host, and visible inside from now on.
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    for limit in limits {
        if let Err(failure) = limit.lower() {
            Word::Failed(Notice { step: Notice::NO_STEP, failure, fatal: true }).send(&birth.notices);
            sys::exit_now(125)
        }
    }
    child::run(birth)
}

/// Puts the guest into the cgroups of the sandbox, where it counts for its limits, lets it be scheduled as that is, and lets it go on.
fn admit(record: &Record, plan: &Plan, running: &Running) -> Done {
    for path in &record.cgroups {
        cgroup::enter(path, running.pid.as_raw())?;
    }
    for step in admitted(plan) {
        match &step.action {
            Action::SetAttribute(Attribute::OomScoreAdj(_) | Attribute::OwnCores) => {}
            Action::SetAttribute(attribute) => set_attribute(step, attribute, running.pid)?,
            _ => {}
        }
    }
    rustix::io::write(&running.gate, &[1]).context(|| "letting the program go on".to_string()).map(drop)
}

/// What nsl does to the child, and so to a guest.
fn admitted(plan: &Plan) -> impl Iterator<Item = &Step> {
    plan.steps.iter().filter(|it| it.stage == Stage::Admit)
}

/// What the sandbox itself could do without, its guest can.
fn set_attribute(step: &Step, attribute: &Attribute, of: nix::unistd::Pid) -> Done {
    attributes::set_of_child(attribute, of).or_else(|failure| if step.required { Err(failure) } else { Ok(()) })
}

/// The namespaces that are not the caller's own, each verified to be the one that was written down when the program was started: the process may
/// have gone elsewhere since, or its id may be somebody else's.
fn doors(record: &Record) -> Done<Vec<Opened>> {
    if record.namespaces.is_empty() {
        return Err(Failure::refused("which namespaces are its own was never known: its program ended at once"));
    }
    let others = record.init.map(Process::children).unwrap_or_default();
    let mut refused = Failure::refused("no process of it is left");
    let known = record.init.into_iter().chain(record.program);
    for process in known.chain(others.into_iter().filter_map(Process::of)) {
        match doors_of(process, record) {
            Ok(doors) => return Ok(doors),
            Err(failure) => refused = failure,
        }
    }
    Err(refused)
}

fn doors_of(process: Process, record: &Record) -> Done<Vec<Opened>> {
    let gone = || Failure::refused("no process of it is left");
    let pidfd = process.open().ok_or_else(gone)?;
    let own = Process::own().ok_or_else(gone)?.namespaces();
    let mut doors = Vec::new();
    for kind in ORDER {
        let Some(wanted) = record.namespaces.get(kind.name()).filter(|it| own.get(kind.name()) != Some(it)) else {
            continue;
        };
        let path = format!("/proc/{}/ns/{}", process.pid, kind.name());
        let door = rustix::fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .context(|| format!("opening {path}"))?;
        let inode = rustix::fs::fstat(&door).context(|| format!("looking at {path}"))?.st_ino;
        if inode != *wanted {
            return Err(Failure::refused(format!("process {} has left its {} namespace", process.pid, kind.name())));
        }
        doors.push(Opened { kind, fd: door });
    }
    // What was opened was that process's only if it has lived until now.
    if join::has_ended(&pidfd) {
        return Err(gone());
    }
    Ok(doors)
}

/// A resource limit of the sandbox's supervisor, which all in the sandbox have inherited.
struct Limit {
    resource: Resource,
    soft: u64,
    hard: u64,
}

impl Limit {
    /// Takes the limit where it is the lower one. The caller of `nsl exec` may be allowed more than the sandbox was.
    fn lower(&self) -> Done {
        let what = || format!("setrlimit {:?}", self.resource);
        let (soft, hard) = getrlimit(self.resource).context(what)?;
        let hard = hard.min(self.hard);
        setrlimit(self.resource, soft.min(self.soft).min(hard), hard).context(what)
    }
}

/// The names of /proc/PID/limits: proc_pid_limits(5).
const LIMITS: [(&str, Resource); 15] = [
    ("Max cpu time", Resource::RLIMIT_CPU),
    ("Max file size", Resource::RLIMIT_FSIZE),
    ("Max data size", Resource::RLIMIT_DATA),
    ("Max stack size", Resource::RLIMIT_STACK),
    ("Max core file size", Resource::RLIMIT_CORE),
    ("Max resident set", Resource::RLIMIT_RSS),
    ("Max processes", Resource::RLIMIT_NPROC),
    ("Max open files", Resource::RLIMIT_NOFILE),
    ("Max locked memory", Resource::RLIMIT_MEMLOCK),
    ("Max address space", Resource::RLIMIT_AS),
    ("Max file locks", Resource::RLIMIT_LOCKS),
    ("Max pending signals", Resource::RLIMIT_SIGPENDING),
    ("Max msgqueue size", Resource::RLIMIT_MSGQUEUE),
    ("Max nice priority", Resource::RLIMIT_NICE),
    ("Max realtime priority", Resource::RLIMIT_RTPRIO),
];

fn limits_of(process: Process) -> Done<Vec<Limit>> {
    let path = format!("/proc/{}/limits", process.pid);
    let text = std::fs::read_to_string(&path).context(|| format!("reading {path}"))?;
    let limit = |line: &str| {
        let (name, resource) = LIMITS.iter().find(|(name, _)| line.starts_with(name))?;
        let mut values = line[name.len()..].split_whitespace().map(|it| it.parse().unwrap_or(u64::MAX));
        Some(Limit { resource: *resource, soft: values.next()?, hard: values.next()? })
    };
    Ok(text.lines().filter_map(limit).collect())
}

fn filters(plan: &Plan) -> Done<Vec<(usize, Vec<libc::sock_filter>)>> {
    let specs = plan.steps.iter().enumerate().filter_map(|(index, step)| match &step.action {
        Action::InstallFilter(spec) => Some((index, spec)),
        _ => None,
    });
    let compile = |(index, spec)| match filter::compile(spec) {
        Ok(program) => Ok((index, program)),
        Err(error) => Err(Failure::refused(error.to_string())),
    };
    specs.map(compile).collect()
}

fn command(plan: &Plan) -> Done<Command> {
    plan.steps
        .iter()
        .find_map(|step| match &step.action {
            Action::Exec { argv, env } => Some(Command::new(argv, env)),
            _ => None,
        })
        .unwrap_or_else(|| Err(Failure::refused("the plan has no program")))
}

/// Why a program was not executed that no policy names.
fn not_executed(plan: &Plan, notice: &Notice, help: &str) -> Diagnostic {
    let mut finding = super::explain(plan, notice);
    finding.labels.clear();
    // What else can be wrong (it is not executable, its interpreter is missing) is so wherever its name comes from.
    if notice.failure.errno == libc::ENOENT { finding.help(help) } else { finding }
}

/// Why a guest was not let in. There is no line of a policy to point to: the text may be another one by now.
fn explain(record: &Record, plan: &Plan, notice: &Notice) -> Diagnostic {
    let name = &record.name;
    if let Some(step) = plan.steps.get(notice.step)
        && matches!(step.action, Action::Exec { .. })
    {
        return not_executed(
            plan,
            notice,
            "name the command by its path in the sandbox, or have it found in the PATH there (`--env PATH=…`)",
        );
    }
    if !Path::new(&format!("/proc/{}", record.supervisor.pid)).exists() || !record.supervisor.lives() {
        return Diagnostic::error("sandbox-stopped", format!("the sandbox `{name}` has ended: nothing of it runs"))
            .help("start it again; `nsl ps` lists what runs");
    }
    let errno = notice.failure.errno_text();
    let errno = if errno.is_empty() { errno } else { format!(": {errno}") };
    let message = format!("no program can be put into the sandbox `{name}`: {}{errno}", notice.failure.detail);
    let help = match Errno::from_raw(notice.failure.errno) {
        Errno::EACCES | Errno::EPERM if notice.failure.detail.contains("cgroup") => {
            "the limits of the sandbox would not hold for it. Moving a process into a cgroup takes the right to write to what that has in \
             common with the caller's: run `nsl exec` from inside the cgroup that was delegated to you"
        }
        Errno::EACCES | Errno::EPERM => {
            "its namespaces can be entered by who started it, and by root; a program that nobody may read, or that has changed \
             its ids, hides its namespaces from everybody but root"
        }
        _ if plan.steps.get(notice.step).is_some_and(|step| step.action == Action::NewTerminal) => {
            "a terminal of its own takes a /dev of the sandbox's own (`mount /dev = dev`), which it has not: leave `--tty` out"
        }
        _ if plan.steps.get(notice.step).is_some_and(|step| matches!(step.action, Action::ChangeDir(_))) => {
            "`--cwd PATH` names another directory, as it is called in the sandbox"
        }
        _ => "`nsl inspect` shows what there is of it",
    };
    Diagnostic::error("enter-failed", message).help(help)
}
