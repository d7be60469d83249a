//! Namespaces of others: opened by the supervisor, entered by a process in between.
//!
//! setns(2) changes the process that calls it, and the supervisor has to stay what it is. So a process is forked that enters
//! what is joined and makes the child with CLONE_PARENT: the child is the supervisor's own, and the process in
//! between is gone before the child does anything.

use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sched::CloneFlags;
use nix::unistd::{ForkResult, Pid};
use rustix::event::{PollFd, PollFlags};
use rustix::fs::{Mode, OFlags};
use rustix::process::PidfdFlags;

use super::failure::{Context, Done, Failure, Notice};
use super::notices::Word;
use super::sys;
use crate::plan::{Action, NamespaceFrom, NsKind, Plan};

/// A namespace that was opened.
pub struct Opened {
    /// Its kind.
    pub kind: NsKind,
    /// Its descriptor.
    pub fd: OwnedFd,
}

/// Opens a namespace and makes sure that it is the one that is meant. `pod` are those of the pod.
pub fn open(kind: NsKind, from: &NamespaceFrom, id: Option<u64>, pod: &[Opened]) -> Done<Opened> {
    let fd = match from {
        NamespaceFrom::Process { pid, start } => of_process(kind, *pid, *start)?,
        NamespaceFrom::File(path) => open_file(path)?,
        NamespaceFrom::Pod => {
            let held = pod.iter().find(|it| it.kind == kind);
            let held = held.ok_or_else(|| Failure::refused(format!("no pod holds a {} namespace", kind.name())))?;
            held.fd.try_clone().context(|| "copying a descriptor".to_string())?
        }
    };
    let found = rustix::fs::fstat(&fd).context(|| format!("looking at the {} namespace", kind.name()))?.st_ino;
    match id {
        Some(id) if id != found => Err(Failure::refused(format!(
            "the {} namespace is {found} now, and was {id} when the plan was made",
            kind.name()
        ))),
        _ => Ok(Opened { kind, fd }),
    }
}

/// Opens a file of nsfs.
pub fn open_file(path: &str) -> Done<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    rustix::fs::open(path, flags, Mode::empty()).context(|| format!("opening {path}"))
}

/// The number of a process can be given to another at any time; its pidfd cannot. Whatever was opened by the number between
/// two looks at the same living process is that process's.
fn of_process(kind: NsKind, pid: u32, start: Option<u64>) -> Done<OwnedFd> {
    let gone = || Failure { errno: libc::ESRCH, detail: format!("process {pid} has ended") };
    let number = rustix::process::Pid::from_raw(pid as i32).ok_or_else(gone)?;
    let pidfd = rustix::process::pidfd_open(number, PidfdFlags::empty())
        .context(|| format!("opening a descriptor of process {pid}"))?;
    if start.is_some() && crate::host::start_time(pid) != start {
        return Err(Failure::refused(format!("process {pid} is another one now than when the plan was made")));
    }
    let fd = open_file(&format!("/proc/{pid}/ns/{}", kind.name()))?;
    if has_ended(&pidfd) { Err(gone()) } else { Ok(fd) }
}

/// pidfd_open(2): readable once the process has ended.
pub fn has_ended(pidfd: &OwnedFd) -> bool {
    let mut polled = [PollFd::new(pidfd, PollFlags::IN)];
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    let _ = rustix::event::poll(&mut polled, Some(&now));
    !polled[0].revents().is_empty()
}

/// The process that has started nsl, safe against reuse of its number. One that is gone already is init's to have, or a subreaper's:
/// that one is watched then, as prctl(2) PR_SET_PDEATHSIG would.
pub fn parent() -> Done<OwnedFd> {
    let what = || "opening the process that has started nsl".to_string();
    loop {
        let Some(pid) = rustix::process::getppid() else {
            return Err(Failure::refused("the process that has started nsl is not of this PID namespace"));
        };
        let opened = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty());
        // Between the two calls it may have ended, and its number be another's.
        if rustix::process::getppid() == Some(pid) {
            return opened.context(what);
        }
    }
}

/// setns(2) into a namespace of this kind.
pub fn enter(namespace: &Opened) -> Done {
    // A descriptor of another kind than the one that is meant is refused by the kernel.
    let flag = CloneFlags::from_bits_retain(super::spawn::clone_flag(namespace.kind) as i32);
    nix::sched::setns(&namespace.fd, flag).context(|| format!("setns {}", namespace.kind.name()))
}

/// Makes the child from inside the namespaces that the plan joins. Returns `None` in the child, as clone3(2) does.
pub fn clone_child(
    plan: &Plan,
    opened: &[Opened],
    (step, flags): (usize, u64),
    cgroup: Option<BorrowedFd>,
) -> Result<Option<(Pid, OwnedFd)>, Notice> {
    let fatal = |step: usize| move |failure: Failure| Notice { step, failure, fatal: true };
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
        .context(|| "making a pipe".to_string())
        .map_err(fatal(step))?;
    let between = match sys::fork().context(|| "fork of the process in between".to_string()).map_err(fatal(step))? {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            drop(read);
            let _ = rustix::thread::set_name(c"nsl-join");
            let made = enter_all(plan, opened).and_then(|()| {
                let made = sys::clone3(flags | libc::CLONE_PARENT as u64, cgroup);
                made.context(|| "clone3".to_string()).map_err(fatal(step))
            });
            match made {
                // The child; the supervisor waits for the end of the pipe.
                Ok(None) => return Ok(None),
                Ok(Some((pid, _))) => drop(rustix::io::write(&write, &pid.as_raw().to_ne_bytes())),
                Err(notice) => {
                    let _ = rustix::io::write(&write, &0_i32.to_ne_bytes());
                    Word::Failed(notice).send(&write);
                }
            }
            sys::exit_now(0)
        }
    };
    drop(write);
    let result = made_child(read, step);
    let _ = nix::sys::wait::waitpid(between, None);
    result.map(Some)
}

fn enter_all(plan: &Plan, opened: &[Opened]) -> Result<(), Notice> {
    for (index, step) in plan.steps.iter().enumerate() {
        let Action::JoinNamespace(kind) = step.action else { continue };
        let namespace = opened.iter().find(|it| it.kind == kind);
        let entered = namespace.map_or_else(|| Err(Failure::refused("it was never opened")), enter);
        entered.map_err(|failure| Notice { step: index, failure, fatal: true })?;
    }
    Ok(())
}

/// What the process in between says: a process id, or 0 and what went wrong.
fn made_child(read: OwnedFd, step: usize) -> Result<(Pid, OwnedFd), Notice> {
    let fatal = |failure: Failure| Notice { step, failure, fatal: true };
    let mut pipe = std::fs::File::from(read);
    let mut number = [0; 4];
    let told = pipe.read_exact(&mut number);
    told.context(|| "something ended the process in between".to_string()).map_err(fatal)?;
    let pid = i32::from_ne_bytes(number);
    let Some(process) = rustix::process::Pid::from_raw(pid) else {
        let silent = || fatal(Failure::refused("the process in between gave up"));
        return Err(Word::failure(pipe).unwrap_or_else(silent));
    };
    // Our own child, which nobody else can wait for: its number is not given away meanwhile.
    let pidfd = rustix::process::pidfd_open(process, PidfdFlags::empty())
        .context(|| "opening a descriptor of the child".to_string())
        .map_err(fatal)?;
    Ok((Pid::from_raw(pid), pidfd))
}

/// Whether the plan enters the user namespace of somebody else.
pub fn joins_user(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| step.action == Action::JoinNamespace(NsKind::User))
}

/// The namespaces of a child of ours that waits, by kind. Opened before it changes its ids: afterwards it is not dumpable, and a
/// caller without CAP_SYS_PTRACE could not.
pub fn of_child(pid: Pid, kinds: &[NsKind]) -> Done<Vec<Opened>> {
    let open = |kind: &NsKind| {
        let fd = open_file(&format!("/proc/{pid}/ns/{}", kind.name()))?;
        Ok(Opened { kind: *kind, fd })
    };
    kinds.iter().map(open).collect()
}

/// A descriptor for a borrower.
impl AsFd for Opened {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
