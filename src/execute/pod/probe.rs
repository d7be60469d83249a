//! Whether a container is ready: asked from inside its namespaces, by a process that is gone afterwards.

use std::net::{SocketAddr, TcpStream};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::ForkResult;
use rustix::process::PidfdFlags;

use super::member::READY;
use crate::execute::child::{self, Birth};
use crate::execute::failure::{Context, Done, Failure};
use crate::execute::join::{self, Opened};
use crate::execute::notices::Word;
use crate::execute::program::Command;
use crate::execute::{attributes, cgroup, filter, identity, labels, sys};
use crate::plan::{Action, Bytes, Plan, Probe, Readiness, Stage};

/// How long a probe that failed waits before it tries again.
const PAUSE: Duration = Duration::from_millis(50);
/// The same of a program, which costs more.
const PROGRAM_PAUSE: Duration = Duration::from_millis(250);
/// How long one connection may take.
const CONNECTING: Duration = Duration::from_secs(1);

/// What is needed to enter a container.
pub struct Inside<'a> {
    /// Its namespaces, in the order in which they are entered.
    pub namespaces: &'a [Opened],
    /// Its cgroups.
    pub cgroups: &'a [PathBuf],
}

/// Forks the process that asks, and says so through `control` when it is answered. It dies with this one.
pub fn start(ready: &Readiness, plan: &Plan, inside: Inside, control: BorrowedFd) -> Done {
    let supervisor = rustix::process::pidfd_open(rustix::process::getpid(), PidfdFlags::empty())
        .context(|| "opening a descriptor of this process".to_string())?;
    match sys::fork().context(|| "fork of a probe".to_string())? {
        ForkResult::Parent { .. } => Ok(()),
        ForkResult::Child => {
            let _ = rustix::thread::set_name(c"nsl-probe");
            let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
            if join::has_ended(&supervisor) {
                sys::exit_now(1);
            }
            match ask(ready, plan, &inside) {
                Ok(true) => drop(rustix::io::write(control, &[READY])),
                Ok(false) => {}
                Err(failure) => say(&failure),
            }
            sys::exit_now(0)
        }
    }
}

/// Tells whoever reads the container's output that the question could not even be put: all else that is seen of that is an answer that
/// never came.
fn say(failure: &Failure) {
    let line = format!("nsl: whether this is ready could not be asked: {failure}\n");
    let _ = rustix::io::write(rustix::stdio::stderr(), line.as_bytes());
}

/// Asks until the answer is yes, or the time is over. The supervisor of the pod keeps the time; this only ends.
fn ask(ready: &Readiness, plan: &Plan, inside: &Inside) -> Done<bool> {
    let until = Instant::now() + Duration::from_nanos(ready.within);
    let filters = match &ready.probe {
        Probe::Exec(_) => compiled(plan)?,
        _ => Vec::new(),
    };
    // Only a program of the policy's uses what the container may use; what asks for it is nsl's own.
    if matches!(ready.probe, Probe::Exec(_)) {
        for path in inside.cgroups {
            cgroup::enter(path, nix::unistd::getpid().as_raw())?;
        }
        attributes::be_as_admitted(plan)?;
    }
    let host_proc = labels::host_proc(plan)?;
    inside.namespaces.iter().try_for_each(join::enter)?;
    match &ready.probe {
        Probe::Tcp { address, port } => {
            identity::drop_own_capabilities();
            let address = SocketAddr::new(*address, *port);
            Ok(again(until, PAUSE, || TcpStream::connect_timeout(&address, CONNECTING).is_ok()))
        }
        Probe::File(path) => Ok(again(until, PAUSE, || std::fs::symlink_metadata(path).is_ok())),
        Probe::Exec(argv) => {
            let asking = asking(plan, argv);
            // Once is enough; and the program may come to be there.
            let mut said = false;
            Ok(again(until, PROGRAM_PAUSE, || match succeeds(&asking, &filters, host_proc.as_ref()) {
                Ok(succeeds) => succeeds,
                Err(failure) => {
                    if !std::mem::replace(&mut said, true) {
                        say(&failure);
                    }
                    false
                }
            }))
        }
    }
}

/// Whether it succeeds before the time is over.
fn again(until: Instant, pause: Duration, mut succeeds: impl FnMut() -> bool) -> bool {
    while !succeeds() {
        if Instant::now() + pause > until {
            return false;
        }
        std::thread::sleep(pause);
    }
    true
}

/// The plan of a program beside the container's own: the same ids, limits, capabilities and filter.
fn asking(plan: &Plan, argv: &[String]) -> Plan {
    let mut asking = plan.clone();
    for step in &mut asking.steps {
        // It is in every namespace already, and needs no init.
        let done = step.stage < Stage::Program && !matches!(step.action, Action::SetIds { .. });
        if done || step.action == Action::ForkInit {
            step.stage = Stage::Prepare;
        }
        if let Action::Exec { argv: program, .. } = &mut step.action {
            *program = argv.iter().map(|it| Bytes::Text(it.clone())).collect();
        }
    }
    asking
}

fn compiled(plan: &Plan) -> Done<Vec<(usize, Vec<libc::sock_filter>)>> {
    let mut filters = Vec::new();
    for (index, step) in plan.steps.iter().enumerate() {
        if let Action::InstallFilter(spec) = &step.action {
            filters.push((index, filter::compile(spec).map_err(|error| Failure::refused(error.to_string()))?));
        }
    }
    Ok(filters)
}

/// Runs the program once, and says whether it succeeded; a failure is that there was no program. Its output is the container's.
fn succeeds(plan: &Plan, filters: &[(usize, Vec<libc::sock_filter>)], host_proc: Option<&OwnedFd>) -> Done<bool> {
    let command = plan.steps.iter().find_map(|step| match &step.action {
        Action::Exec { argv, env } => Some(Command::new(argv, env)),
        _ => None,
    });
    let command = command.ok_or_else(|| Failure::refused("the plan has no program"))??;
    let pipe = || rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).context(|| "making a pipe".to_string());
    let ((heard, notices), (gate, open)) = (pipe()?, pipe()?);
    let (_status, status) = pipe()?;
    let supervisor_fd = rustix::process::pidfd_open(rustix::process::getpid(), PidfdFlags::empty());
    match sys::fork().context(|| "fork of a probe".to_string())? {
        ForkResult::Parent { child } => {
            drop((gate, notices, status));
            let _ = rustix::io::write(&open, &[1]);
            let ended = waitpid(child, None);
            match Word::failure(heard.into()) {
                Some(notice) => Err(notice.failure),
                None => Ok(matches!(ended, Ok(WaitStatus::Exited(_, 0)))),
            }
        }
        ForkResult::Child => {
            // In a PID namespace that was joined after this process was made, /proc/self may be nobody; a pidfd is not needed then.
            let Ok(supervisor_fd) = supervisor_fd else { sys::exit_now(125) };
            drop(open);
            child::run(Birth {
                plan,
                sources: Default::default(),
                filters: filters.to_vec(),
                command: Some(command),
                descriptors: Default::default(),
                hand_over: None,
                terminal: None,
                notices,
                watched: false,
                status,
                asks: None,
                gate,
                supervisor_fd,
                proc: None,
                host_proc: host_proc.and_then(|it| it.try_clone().ok()),
                janitor: None,
            })
        }
    }
}
