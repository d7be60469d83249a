//! The supervisor of one container.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

use nix::unistd::{ForkResult, Pid};
use rustix::pipe::PipeFlags;
use rustix::process::PidfdFlags;

use super::probe::{self, Inside};
use super::{PodHooks, Shared};
use crate::execute::failure::{Context, Done};
use crate::execute::join;
use crate::execute::spawn::Prepared;
use crate::execute::{Event, run_prepared, sys};
use crate::plan::{ContainerPlan, NsKind, Probe};

/// What a member says, one byte each; [`ENDED`] is followed by the status.
pub const STARTED: u8 = b's';
/// The probe has succeeded.
pub const READY: u8 = b'r';
/// The container has ended.
pub const ENDED: u8 = b'e';

/// A member that runs.
pub struct Member {
    /// Its process id.
    pub pid: Pid,
    /// The same, safe against reuse.
    pub pidfd: OwnedFd,
    /// What it says.
    pub control: OwnedFd,
    /// The standard output and the standard error of the container.
    pub output: [OwnedFd; 2],
}

/// Starts a container: forks the process that will supervise it.
pub fn start(
    container: &ContainerPlan,
    index: usize,
    (owner, watched): (u32, bool),
    shared: &Shared,
    hooks: &mut dyn PodHooks,
) -> Done<Member> {
    let pipe = |flags| rustix::pipe::pipe_with(flags | PipeFlags::CLOEXEC).context(|| "making a pipe".to_string());
    let (control, control_write) = pipe(PipeFlags::empty())?;
    let (out, out_write) = pipe(PipeFlags::empty())?;
    let (err, err_write) = pipe(PipeFlags::empty())?;
    let supervisor = rustix::process::pidfd_open(rustix::process::getpid(), PidfdFlags::empty())
        .context(|| "opening a descriptor of this process".to_string())?;
    match sys::fork().context(|| "fork of a container's supervisor".to_string())? {
        ForkResult::Child => {
            drop((control, out, err));
            let _ = rustix::thread::set_name(c"nsl-member");
            // A session of its own: what a terminal sends goes to the pod's supervisor, once.
            let _ = nix::unistd::setsid();
            let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
            if join::has_ended(&supervisor) {
                sys::exit_now(125);
            }
            drop(supervisor);
            hooks.forked();
            let status = match redirect(out_write, err_write).and_then(|()| shared.copy()) {
                Ok(Shared { namespaces, volumes }) => {
                    let prepared = Prepared::of_container(namespaces, volumes, owner);
                    run(container, index, (prepared, watched), &control_write, hooks)
                }
                Err(_) => 125,
            };
            let mut message = vec![ENDED];
            message.extend(status.to_ne_bytes());
            let _ = rustix::io::write(&control_write, &message);
            sys::exit_now(0)
        }
        ForkResult::Parent { child } => {
            let pid = rustix::process::Pid::from_raw(child.as_raw()).unwrap_or(rustix::process::Pid::INIT);
            // Our own child, which nobody else waits for.
            let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty())
                .context(|| "opening a descriptor of a container's supervisor".to_string())?;
            for fd in [&control, &out, &err] {
                rustix::io::ioctl_fionbio(fd, true).context(|| "preparing a pipe".to_string())?;
            }
            Ok(Member { pid: child, pidfd, control, output: [out, err] })
        }
    }
}

/// The container's output, and nothing to read.
fn redirect(out: OwnedFd, err: OwnedFd) -> Done {
    let null = File::open("/dev/null").context(|| "opening /dev/null".to_string())?;
    let what = || "redirecting the output".to_string();
    rustix::stdio::dup2_stdin(&null).context(what)?;
    rustix::stdio::dup2_stdout(&out).context(what)?;
    rustix::stdio::dup2_stderr(&err).context(what)
}

fn run(
    container: &ContainerPlan,
    index: usize,
    (mut prepared, watched): (Prepared, bool),
    control: &OwnedFd,
    hooks: &mut dyn PodHooks,
) -> i32 {
    let plan = &container.plan;
    if let Some(ready) = &container.ready {
        let kinds = inside_kinds(container);
        prepared.open_inside = match ready.probe {
            Probe::Tcp { .. } => kinds.into_iter().filter(|it| matches!(it, NsKind::User | NsKind::Net)).collect(),
            Probe::File(_) => kinds.into_iter().filter(|it| matches!(it, NsKind::User | NsKind::Mnt)).collect(),
            Probe::Exec(_) => kinds,
        };
    }
    let report = run_prepared(plan, watched, prepared, &mut |event, inside| {
        let started = match event {
            Event::Performed(step, took) => return hooks.performed(Some(index), step, took),
            Event::Started(started) => started,
        };
        hooks.started(index, started);
        let _ = rustix::io::write(control, &[STARTED]);
        let Some(ready) = &container.ready else {
            let _ = rustix::io::write(control, &[READY]);
            return;
        };
        let inside = Inside { namespaces: inside, cgroups: started.cgroups };
        // A probe that cannot be started never succeeds, and then the time is over.
        let _ = probe::start(ready, plan, inside, control.as_fd());
    });
    let status = report.exit_code(plan);
    hooks.ended(index, &report);
    status
}

/// The namespaces in which a container is not where its supervisor is. Those of cgroups and time it makes itself, later.
fn inside_kinds(container: &ContainerPlan) -> Vec<NsKind> {
    use crate::plan::Action;
    let mut kinds = Vec::new();
    for step in &container.plan.steps {
        match &step.action {
            Action::Clone { namespaces, .. } => kinds.extend(namespaces),
            Action::JoinNamespace(kind) => kinds.push(*kind),
            _ => {}
        }
    }
    NsKind::ALL.into_iter().filter(|kind| kinds.contains(kind)).collect()
}
