//! What the child does, from its birth in the new namespaces to the program.
//!
//! It performs the steps of its two stages and nothing else. It never prints: what fails goes through a pipe to the
//! supervisor, which knows the policy's text.

use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::time::SystemTime;

use nix::unistd::ForkResult;
use rustix::event::{PollFd, PollFlags};

use super::covers::Missing;
use super::descriptors::{self, Descriptors};
use super::failure::{Context, Done, Failure, Notice};
use super::join::{self, Opened};
use super::notices::Word;
use super::program::Command;
use super::sources::Sources;
use super::terminal::Inside;
use super::tree::Tree;
use super::{attributes, identity, init, labels, landlock, links, nftables, passing, pins, program, sys, sysctl};
use crate::plan::{Action, FdSource, NsKind, Plan, Stage, Step};

/// What a child takes over from the supervisor.
pub struct Birth<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The sources that were opened.
    pub sources: Sources,
    /// The filters that were compiled, by step.
    pub filters: Vec<(usize, Vec<libc::sock_filter>)>,
    /// The command, made ready for execve(2).
    pub command: Option<Command>,
    /// What the program is given beside its standard streams, or in their place.
    pub descriptors: Descriptors,
    /// Where namespaces go that the supervisor cannot open itself, in what holds a pod.
    pub hand_over: Option<OwnedFd>,
    /// Where its terminal goes, if it is to have one.
    pub terminal: Option<Inside>,
    /// Frames of [`Word`]; closed by execve(2).
    pub notices: OwnedFd,
    /// Whether somebody wants to know of every step.
    pub watched: bool,
    /// The status of the program, written by init.
    pub status: OwnedFd,
    /// Where it asks for its namespaces to be pinned, if any are.
    pub asks: Option<OwnedFd>,
    /// The child reads one byte here before it goes on, and the answers to what it asks; end of file means that the supervisor is gone.
    pub gate: OwnedFd,
    /// A descriptor of the supervisor, which can be read from when it is dead.
    pub supervisor_fd: OwnedFd,
    /// The host's /proc, where the PID namespace is the host's: init finds there what the program leaves behind.
    pub proc: Option<OwnedFd>,
    /// The host's /proc, where the program gets a label.
    pub host_proc: Option<OwnedFd>,
    /// The pipe of the process that cleans up, which init holds.
    pub janitor: Option<&'a OwnedFd>,
}

/// Ends the child when the supervisor is gone. prctl(2) PR_SET_PDEATHSIG, and a look at the supervisor's pidfd that closes the
/// gap between its death and that call. (The end of the gate would not tell: the relay may hold it a moment longer.)
pub fn die_with_supervisor(supervisor: &OwnedFd) -> Done {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .context(|| "asking to die with the supervisor".to_string())?;
    let mut polled = [PollFd::new(supervisor, PollFlags::IN)];
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    let _ = rustix::event::poll(&mut polled, Some(&now));
    if !polled[0].revents().is_empty() {
        sys::exit_now(125);
    }
    Ok(())
}

/// Runs the child. Never returns.
pub fn run(birth: Birth) -> ! {
    let mut child = Child { birth, tree: Some(Tree::default()), complete: false, told: false, beside_init: false };
    let (step, failure) = child.perform();
    child.give_up(step, failure)
}

struct Child<'a> {
    birth: Birth<'a>,
    /// `None` once it was entered.
    tree: Option<Tree>,
    /// Whether it has said that nothing is left to do but to become the program.
    complete: bool,
    /// Whether it has told of its namespaces.
    told: bool,
    /// Whether this is the memory of init, which sleeps meanwhile.
    beside_init: bool,
}

impl Child<'_> {
    /// Performs the steps; returns only when one fails, with its index.
    fn perform(&mut self) -> (usize, Failure) {
        let plan = self.birth.plan;
        let first = plan.steps.iter().position(|step| step.stage >= Stage::Child).unwrap_or(0);
        if let Err(failure) = self.admitted() {
            return (first, failure);
        }
        if let Err(failed) = self.birth.sources.copy_in_child() {
            return failed;
        }
        self.perform_from(first)
    }

    fn perform_from(&mut self, first: usize) -> (usize, Failure) {
        let plan = self.birth.plan;
        for (index, step) in plan.steps.iter().enumerate().skip(first) {
            if step.stage < Stage::Child {
                continue;
            }
            if step.action == Action::PivotRoot
                && let Err(failed) = self.cover_finally()
            {
                return failed;
            }
            if self.birth.watched
                && !self.told
                && matches!(step.action, Action::PivotRoot | Action::ForkInit | Action::NewSession)
            {
                self.tell_namespaces();
                self.told = true;
            }
            if !self.complete && matches!(step.action, Action::InstallFilter(_) | Action::Exec { .. } | Action::HoldPod)
            {
                self.end_preparations();
            }
            let begun = SystemTime::now();
            if let Err(failure) = self.step(index, &step.action) {
                if step.required {
                    return (index, failure);
                }
                Word::Failed(Notice { step: index, failure, fatal: false }).send(&self.birth.notices);
            } else if self.birth.watched && !self.complete {
                // The calendar clock, as the others begin anew in a time namespace.
                let took = begun.elapsed().unwrap_or_default();
                Word::Performed { step: index, took }.send(&self.birth.notices);
            }
        }
        (plan.steps.len().saturating_sub(1), Failure::refused("the plan ends without a program"))
    }

    /// Nothing is left to do but to become the program.
    fn end_preparations(&mut self) {
        if self.beside_init {
            // From the first moment of the program on init can be looked at, and it may still sleep then.
            init::seal();
        }
        Word::Complete.send(&self.birth.notices);
        self.complete = true;
    }

    fn give_up(&self, step: usize, failure: Failure) -> ! {
        Word::Failed(Notice { step, failure, fatal: true }).send(&self.birth.notices);
        sys::exit_now(125)
    }

    /// Waits until the supervisor has written the maps and moved the child into its cgroups.
    fn admitted(&self) -> Done {
        die_with_supervisor(&self.birth.supervisor_fd)?;
        // For the program, while there is nothing else to do. Every signal is blocked, so that none is handled here.
        sys::default_signals();
        let mut byte = [0];
        loop {
            match rustix::io::read(&self.birth.gate, &mut byte) {
                Ok(1) => return Ok(()),
                Ok(_) => sys::exit_now(125),
                Err(rustix::io::Errno::INTR) => continue,
                Err(errno) => return Err(errno).context(|| "waiting for the supervisor".to_string()),
            }
        }
    }

    fn tree(&mut self) -> Done<&mut Tree> {
        self.tree.as_mut().ok_or_else(|| Failure::refused("the tree was entered already"))
    }

    fn step(&mut self, index: usize, action: &Action) -> Done {
        match action {
            Action::UnshareCgroup => unshare(libc::CLONE_NEWCGROUP),
            Action::UnshareTime => unshare(libc::CLONE_NEWTIME),
            Action::EnterTime => self.enter_time(),
            Action::PinNamespace { kind, path } => pins::ask(self.birth.asks.as_ref(), &self.birth.gate, *kind, path),
            Action::TimeOffset { clock, offset } => time_offset(clock, *offset),
            Action::Sysctl { name, value } => sysctl::set(name, value),
            Action::SetHostname(name) => nix::unistd::sethostname(name).context(|| "sethostname".to_string()),
            Action::SetDomainname(name) => sys::setdomainname(name).context(|| "setdomainname".to_string()),
            Action::LoopbackUp => loopback_up(),
            Action::MakeBridge { name, mtu } => links::bridge(name, *mtu),
            Action::AddAddress { link, address } => links::add_address(link, *address),
            Action::LinkUp { link } => links::set_up(link),
            Action::AddRoute(route) => links::add_route(route),
            Action::InstallFirewall(firewall) => nftables::install(firewall),
            Action::SetIds { uid, gid, groups } => {
                identity::set_ids(*uid, *gid, groups.as_deref())?;
                // The kernel forgets the death signal when ids change: prctl(2).
                die_with_supervisor(&self.birth.supervisor_fd)
            }
            Action::PrivateMounts => private_mounts(),
            Action::StageTree => self.tree()?.stage(),
            Action::MountRoot(source) => {
                let sources = &mut self.birth.sources;
                self.tree.as_mut().ok_or_else(|| Failure::refused("no tree"))?.mount_root(source, sources)
            }
            Action::Mount { target, source } => {
                let sources = &mut self.birth.sources;
                self.tree.as_mut().ok_or_else(|| Failure::refused("no tree"))?.mount(target, source, sources)
            }
            Action::Hide { target } => self.tree()?.hide(target),
            Action::Protect { target, may_be_missing, dir } => {
                self.tree()?.protect(target, Missing::of(*may_be_missing, *dir))
            }
            Action::Link { path, target } => self.tree()?.link(path, target),
            Action::Mkdir { path, mode } => self.tree()?.mkdir(path, *mode),
            Action::SealRoot => self.tree()?.seal_root(),
            Action::PivotRoot => self.tree.take().ok_or_else(|| Failure::refused("no tree"))?.enter(),
            Action::ForkInit => self.fork_init(index),
            Action::NewSession => nix::unistd::setsid().map(drop).context(|| "setsid".to_string()),
            // Without one of the caller's there is none to connect it to, which was told already.
            Action::NewTerminal => self.birth.terminal.as_ref().map_or(Ok(()), Inside::open),
            Action::SetFd { number, from } => self.set_fd(*number, from),
            Action::NewKeyring => new_keyring(),
            Action::ChangeDir(path) => rustix::process::chdir(path).context(|| format!("entering {path}")),
            Action::SetAttribute(attribute) => attributes::set_own(attribute),
            Action::SetLabel { module, label } => labels::set(self.birth.host_proc.as_ref(), *module, label),
            Action::SetRlimit { resource, value } => program::set_rlimit(resource, *value),
            Action::SetCapabilities { keep, ambient } => {
                let no_new_privs =
                    self.birth.plan.steps.iter().any(|it| it.required && it.action == Action::NoNewPrivs);
                identity::set_capabilities(keep, ambient, no_new_privs)
            }
            Action::NoNewPrivs => {
                rustix::thread::set_no_new_privs(true).context(|| "prctl(PR_SET_NO_NEW_PRIVS)".to_string())
            }
            Action::RestrictLandlock(spec) => landlock::restrict(spec),
            Action::ListenFds { names } => self.tell_of_descriptors(names),
            Action::CloseFds { keep } => close_fds(keep),
            Action::InstallFilter(_) => self.install_filter(index),
            Action::HoldPod => init::hold(self.birth.janitor, &self.birth.supervisor_fd),
            Action::Exec { .. } => self.exec(index),
            _ => Err(Failure::refused("this step is not the child's to perform")),
        }
    }

    /// Looks at every path that is hidden or protected once more, in the tree as it is at last. Fails with the step that
    /// asked for it.
    fn cover_finally(&mut self) -> Result<(), (usize, Failure)> {
        let steps = &self.birth.plan.steps;
        for (index, step) in steps.iter().enumerate() {
            let done = match &step.action {
                Action::Hide { target } => {
                    let holds = holds(steps, target);
                    self.tree().and_then(|tree| tree.hide_finally(target, holds))
                }
                Action::Protect { target, may_be_missing, dir } => {
                    self.tree().and_then(|tree| tree.protect(target, Missing::of(*may_be_missing, *dir)))
                }
                _ => continue,
            };
            if let Err(failure) = done {
                if step.required {
                    return Err((index, failure));
                }
                Word::Failed(Notice { step: index, failure, fatal: false }).send(&self.birth.notices);
            }
        }
        Ok(())
    }

    /// The namespaces that the program will be in, while the host's /proc is still there to tell. The new time namespace is that
    /// of the children until execve(2) or fork(2).
    fn tell_namespaces(&self) {
        for kind in NsKind::ALL {
            let file = if kind == NsKind::Time { "time_for_children" } else { kind.name() };
            if let Ok(stat) = rustix::fs::stat(format!("/proc/self/ns/{file}")) {
                Word::Namespace(kind, stat.st_ino).send(&self.birth.notices);
            }
        }
    }

    /// This process becomes init and never returns from here; its child goes on with the program's steps behind this one.
    fn fork_init(&mut self, index: usize) -> Done {
        let init = nix::unistd::getpid();
        init::prepare(&self.birth.supervisor_fd)?;
        if init::is_pid1() {
            match self.fork_in_place(index) {
                // Before Linux 6.3 a child in the same memory cannot be one in another time namespace.
                nix::errno::Errno::EINVAL => {}
                errno => return Err(errno).context(|| "fork of the program".to_string()),
            }
        }
        // Of what nsl was started with, a program that is quicker than init sees nothing.
        sys::wipe_command_line();
        match sys::fork().context(|| "fork of the program".to_string())? {
            ForkResult::Parent { child } => {
                let birth = &self.birth;
                init::seal();
                init::run(child, &birth.status, birth.proc.as_ref(), birth.janitor)
            }
            ForkResult::Child => {
                // If init dies, so does the program: in a PID namespace the kernel sees to it, elsewhere this does.
                rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
                    .context(|| "asking to die with init".to_string())?;
                // An init that died before that call sends no signal.
                if nix::unistd::getppid() != init {
                    sys::exit_now(125);
                }
                Ok(())
            }
        }
    }

    /// The same where init is PID 1, without the copy of the memory, which would take longer than all that the child has to do: init sleeps
    /// until its child has become the program or has ended. If it is killed in its sleep, the kernel ends its child with the namespace.
    /// Returns only where there is no child.
    fn fork_in_place(&mut self, index: usize) -> nix::errno::Errno {
        let child = sys::fork_in_place(&mut || {
            self.beside_init = true;
            let (step, failure) = self.perform_from(index + 1);
            self.give_up(step, failure)
        });
        match child {
            // What the child has moved or closed were descriptors of its own, and none of these.
            Ok(child) => init::run(child, &self.birth.status, self.birth.proc.as_ref(), self.birth.janitor),
            Err(errno) => errno,
        }
    }

    /// The supervisor may not open namespaces of a process that has changed its ids.
    fn enter_time(&self) -> Done {
        let path = "/proc/self/ns/time_for_children";
        let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, rustix::fs::Mode::empty()).context(|| format!("opening {path}"))?;
        let time = Opened { kind: NsKind::Time, fd };
        join::enter(&time)?;
        match &self.birth.hand_over {
            Some(socket) => {
                passing::send(socket.as_fd(), &[time.as_fd()]).context(|| "handing the time namespace over".to_string())
            }
            None => Err(Failure::refused("nobody takes the time namespace over")),
        }
    }

    fn set_fd(&mut self, number: u32, from: &FdSource) -> Done {
        let numbers = self.birth.plan.steps.iter().filter_map(|step| match &step.action {
            Action::SetFd { number, .. } => Some(*number),
            _ => None,
        });
        let highest = numbers.max().unwrap_or(number).max(2);
        self.birth.descriptors.move_aside(highest, &mut [&mut self.birth.notices])?;
        self.birth.descriptors.set(number, from)
    }

    fn install_filter(&mut self, index: usize) -> Done {
        let filter = self.birth.filters.iter().find(|(step, _)| *step == index);
        let Some((_, program)) = filter else { return Err(Failure::refused("the filter was never compiled")) };
        sys::unblock_signals();
        sys::seccomp_filter(program).context(|| format!("installing a filter of {} instructions", program.len()))
    }

    /// Only who becomes the program knows its number.
    fn tell_of_descriptors(&mut self, names: &[String]) -> Done {
        let Some(command) = &mut self.birth.command else { return Err(Failure::refused("the plan has no program")) };
        command.set("LISTEN_FDS", &names.len().to_string())?;
        command.set("LISTEN_FDNAMES", &names.join(":"))?;
        command.set("LISTEN_PID", &nix::unistd::getpid().to_string())
    }

    fn exec(&mut self, index: usize) -> Done {
        if self.birth.filters.is_empty() {
            sys::unblock_signals();
        }
        let Some(command) = &self.birth.command else { return Err(Failure::refused("the plan has no program")) };
        let (errno, program) = command.exec();
        // What the filter may refuse comes second: the look that explains the failure.
        let shown = program.to_string_lossy();
        let failure = Failure { errno: errno as i32, detail: format!("execve {shown}") };
        Word::Failed(Notice { step: index, failure: failure.clone(), fatal: true }).send(&self.birth.notices);
        let detail = program::diagnose(program, errno);
        let failure = Failure { detail, ..failure };
        Word::Failed(Notice { step: index, failure, fatal: true }).send(&self.birth.notices);
        sys::exit_now(if errno == nix::errno::Errno::ENOENT { 127 } else { 126 })
    }
}

/// Whether something of the policy stands below a path.
fn holds(steps: &[Step], target: &str) -> bool {
    steps.iter().any(|it| match &it.action {
        Action::Mount { target: path, .. } | Action::Link { path, .. } | Action::Mkdir { path, .. } => {
            path.strip_prefix(target).is_some_and(|rest| rest.starts_with('/'))
        }
        _ => false,
    })
}

fn unshare(flag: i32) -> Done {
    let flags = nix::sched::CloneFlags::from_bits_retain(flag);
    nix::sched::unshare(flags).context(|| "unshare".to_string())
}

/// time_namespaces(7): before the first process enters the namespace.
fn time_offset(clock: &str, offset: i64) -> Done {
    const NANOSECONDS: i64 = 1_000_000_000;
    let line = format!("{clock} {} {}\n", offset.div_euclid(NANOSECONDS), offset.rem_euclid(NANOSECONDS));
    let path = "/proc/self/timens_offsets";
    let result = std::fs::OpenOptions::new().write(true).open(path).and_then(|mut it| it.write_all(line.as_bytes()));
    result.context(|| format!("writing {:?} to {path}", line.trim_end()))
}

pub fn loopback_up() -> Done {
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
    let what = || "bringing lo up".to_string();
    let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None).context(what)?;
    sys::loopback_up(socket.as_fd()).context(what)
}

pub(super) fn private_mounts() -> Done {
    let flags = rustix::mount::MountPropagationFlags::PRIVATE | rustix::mount::MountPropagationFlags::REC;
    rustix::mount::mount_change("/", flags).context(|| "making every mount private".to_string())
}

fn new_keyring() -> Done {
    match sys::new_session_keyring() {
        // A kernel without keyrings has none to leak.
        Err(nix::errno::Errno::ENOSYS) => Ok(()),
        result => result.context(|| "joining a new session keyring".to_string()),
    }
}

/// Marks every descriptor to be closed by execve(2), from 3 on, but for those that the program is given.
fn close_fds(keep: &[u32]) -> Done {
    descriptors::refuse_directories()?;
    let mut first = 3;
    for last in keep.iter().copied().chain([u32::MAX]) {
        if last > first {
            // Up to the one that is kept, or to the end of all.
            let last = if last == u32::MAX { last } else { last - 1 };
            match sys::close_on_exec(first, last) {
                // Below Linux 5.11 there is no such flag; every descriptor of ours is marked already, and those that nsl was
                // given are closed when it starts.
                Err(nix::errno::Errno::EINVAL | nix::errno::Errno::ENOSYS) => {
                    return Err(Failure::refused(
                        "this kernel cannot mark all descriptors to be closed (close_range(2) with CLOEXEC: Linux 5.11)",
                    ));
                }
                result => result.context(|| "marking every descriptor to be closed".to_string())?,
            }
        }
        first = last.saturating_add(1);
    }
    Ok(())
}
