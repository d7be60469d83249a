//! What the supervisor does before the child may go on: everything that can fail without a sandbox, the one clone, the
//! maps and the cgroups.

use std::fs::File;
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use nix::unistd::Pid;
use rustix::fs::{Mode, OFlags};

use super::cgroup::Made;
use super::child::{self, Birth};
use super::descriptors::{Descriptors, Handed};
use super::failure::{Context, Done, Failure, Notice};
use super::init::{self, HostPids};
use super::janitor::{Janitor, Spot};
use super::join::{self, Opened};
use super::pins::{self, Pins};
use super::program::Command;
use super::relay;
use super::resolver;
use super::sources::{self, Sources};
use super::terminal::{self, Inside, Settings, Terminal};
use super::volumes::Volume;
use super::{attributes, cgroup, filter, identity, keeper, labels, limits, links, scope, sys};
use crate::plan::{Action, CgroupDir, LinkStep, NsKind, Plan, Port, Protocol, Stage, Step};

/// What is there before the child is.
#[derive(Default)]
pub struct Prepared {
    /// The namespaces of the pod that it is a container of.
    pub pod: Vec<Opened>,
    /// Where what holds a pod hands over namespaces.
    pub hand_over: Option<OwnedFd>,
    /// The volumes of the pod: of what holds it, once they are made.
    pub volumes: Vec<Volume>,
    /// The process id that names cgroups, where it is not this process's.
    owner: Option<u32>,
    /// Which namespaces of the child are to be opened, for those who have to enter it later.
    pub open_inside: Vec<NsKind>,
    sources: Sources,
    /// Namespaces that are joined.
    joined: Vec<Opened>,
    ports: Vec<relay::Port>,
    /// Ends the program that leads out.
    pub keeper: Option<keeper::Keeper>,
    /// Interfaces on the host that are to be removed.
    pub links: Vec<links::MadeLink>,
    filters: Vec<(usize, Vec<libc::sock_filter>)>,
    command: Option<Command>,
    descriptors: Descriptors,
    inside: Option<Inside>,
    /// The supervisor's descriptor for signals, which the child has no use for.
    pub signals: Option<RawFd>,
    /// Whom the sandbox ends with: a pidfd.
    pub parent: Option<OwnedFd>,
    /// The supervisor's side of the program's terminal.
    pub terminal: Option<Terminal>,
    /// Files that keep namespaces.
    pub pins: Pins,
    /// Removes the cgroups and the placeholders.
    pub janitor: Option<Janitor>,
    /// The cgroups.
    pub cgroups: Vec<Made>,
    /// Steps that failed and were not required.
    pub notices: Vec<Notice>,
    /// Locks of directories that one run at a time may change.
    held: Vec<OwnedFd>,
    /// The cgroup of the scope that the service manager has made, relative to the mount.
    scope: Option<String>,
    /// The host's /proc, for a label.
    host_proc: Option<OwnedFd>,
}

impl Prepared {
    /// For a container: the namespaces and the volumes of its pod, and the process id that names the pod's cgroups.
    pub fn of_container(pod: Vec<Opened>, volumes: Vec<Volume>, owner: u32) -> Prepared {
        Prepared { pod, volumes, owner: Some(owner), ..Prepared::default() }
    }

    /// The process id that names cgroups.
    pub fn owner(&self) -> u32 {
        self.owner.unwrap_or_else(std::process::id)
    }
}

/// A child that runs.
pub struct Running {
    /// Its namespaces, where they were asked for.
    pub inside: Vec<Opened>,
    /// Its process id: init's where there is one.
    pub pid: Pid,
    /// The same, safe against reuse.
    pub pidfd: OwnedFd,
    /// Frames of [`super::notices::Word`], until execve(2) closes it.
    pub notices: OwnedFd,
    /// The program's wait status, from init.
    pub status: OwnedFd,
    /// Closed when the supervisor is gone. Held for that alone.
    pub gate: OwnedFd,
    /// The relay of published ports.
    pub relay: Option<Pid>,
    /// Who answers for names.
    pub resolver: Option<Pid>,
    /// Where that one notes which names it has refused.
    pub refused: Option<File>,
    /// The program's terminal, if it has one.
    pub terminal: Option<Terminal>,
    /// Whom the sandbox ends with: a pidfd.
    pub parent: Option<OwnedFd>,
    /// Whether an init stands between nsl and the program.
    pub init: bool,
    /// What is to be known to end the program's processes, where no PID namespace does it.
    pub host_pids: Option<HostPids>,
    /// Ends the child when it can be read from: a pidfd of whom it must not outlive.
    pub lease: Option<OwnedFd>,
}

/// Performs the steps before the clone.
pub fn prepare(plan: &Plan, prepared: &mut Prepared, performed: &mut dyn FnMut(usize, Duration)) -> Result<(), Notice> {
    let label = plan.steps.iter().position(|it| matches!(it.action, Action::SetLabel { .. })).unwrap_or(0);
    prepared.host_proc = labels::host_proc(plan).map_err(|failure| Notice { step: label, failure, fatal: true })?;
    prepared.pins = Pins::of(plan);
    for (index, step) in plan.steps.iter().enumerate() {
        if prepared.janitor.is_none() && needs_janitor(&step.action) {
            let janitor = janitor(plan, prepared);
            prepared.janitor = Some(janitor.map_err(|failure| Notice { step: index, failure, fatal: true })?);
        }
        let begun = Instant::now();
        if let Err(failure) = prepared.step(index, &step.action, step.required) {
            let notice = Notice { step: index, failure, fatal: step.required };
            if step.required {
                return Err(notice);
            }
            prepared.notices.push(notice);
        } else if step.stage == Stage::Prepare {
            performed(index, begun.elapsed());
        }
    }
    Ok(())
}

/// Whether it makes something that does not go with nsl.
fn needs_janitor(action: &Action) -> bool {
    matches!(
        action,
        Action::CreateCgroup(_) | Action::Placeholder { .. } | Action::CallerTerminal | Action::MakePin { .. }
    )
}

/// Starts the janitor. Every source is open by then: the plan opens them first.
fn janitor(plan: &Plan, prepared: &Prepared) -> Done<Janitor> {
    let (sources, pid, scope) = (&prepared.sources, prepared.owner(), prepared.scope.as_deref());
    let paths = plan.steps.iter().filter_map(|step| match &step.action {
        Action::CreateCgroup(dir) => Some(cgroup::path_of(dir, pid, scope)),
        _ => None,
    });
    // A source that is optional and missing has none.
    let spots = plan.steps.iter().enumerate().filter_map(|(index, step)| match &step.action {
        Action::Placeholder { id, path, .. } => Some((index, Spot { root: sources.place(*id)?, path })),
        _ => None,
    });
    let has_terminal = plan.steps.iter().any(|step| step.action == Action::CallerTerminal);
    let terminal = has_terminal.then(|| Settings::of_caller().ok()).flatten();
    Janitor::start(paths.collect(), &spots.collect(), &prepared.pins.spots(), terminal)
}

impl Prepared {
    /// Nothing, but for what the caller handed over.
    pub fn new(handed: Vec<Handed>) -> Prepared {
        Prepared { descriptors: Descriptors::new(handed), ..Prepared::default() }
    }

    fn step(&mut self, index: usize, action: &Action, required: bool) -> Done {
        match action {
            Action::Placeholder { id, path, dir } => match (self.sources.place(*id), &mut self.janitor) {
                (Some(root), Some(janitor)) => janitor.make_placeholder(index, Spot { root, path }, *dir),
                _ => Ok(()),
            },
            Action::MakePin { .. } => self.pins.make(index, self.janitor.as_mut()),
            Action::OpenImage { path, digest, .. } => self.sources.open_image(index, path, digest.as_deref()),
            Action::OpenSecret { from, .. } => self.sources.open_secret(index, from, required),
            Action::OpenVolume { name, .. } => {
                let volume = self.volumes.iter().find(|it| it.name == *name);
                let volume = volume.ok_or_else(|| Failure::refused(format!("no pod has a volume {name}")))?;
                let mount = volume.open(self.pod.iter().find(|it| it.kind == NsKind::User))?;
                self.sources.put_volume(index, name, mount);
                Ok(())
            }
            Action::Hold { id, name } => match self.sources.place(*id) {
                Some(source) => {
                    self.held.push(sources::hold(source, name)?);
                    Ok(())
                }
                None => Ok(()),
            },
            Action::OpenSource { path, recursive, in_child, propagation, .. } => {
                self.sources.open(index, path, (*recursive, *in_child, *propagation), required)
            }
            Action::OpenNamespace { kind, from, id } => {
                self.joined.push(join::open(*kind, from, *id, &self.pod)?);
                Ok(())
            }
            Action::Publish { address, outer, inner } => {
                self.ports.push(relay::Port { outer: listen(*address, *outer)?, inner: inner.number });
                Ok(())
            }
            Action::OpenStream(open) => self.descriptors.open(open),
            Action::WatchParent => {
                self.parent = Some(join::parent()?);
                Ok(())
            }
            Action::CallerTerminal => {
                let janitor = self.janitor.as_ref().ok_or_else(|| Failure::refused("there is no janitor"))?;
                let (terminal, inside) = terminal::pair(Settings::of_caller()?, janitor.pipe().as_fd())?;
                (self.terminal, self.inside) = (Some(terminal), Some(inside));
                Ok(())
            }
            Action::RequestScope { socket, name, mount } => {
                let name = name.replace("PID", &self.owner().to_string());
                self.scope = Some(scope::request(socket, &name, mount)?);
                Ok(())
            }
            Action::CreateCgroup(dir) => {
                let path = cgroup::path_of(dir, self.owner(), self.scope.as_deref());
                let made = cgroup::create(dir, &path);
                if let (Err(_), Some(janitor)) = (&made, &mut self.janitor) {
                    janitor.forget(&path);
                }
                made?;
                self.cgroups.push(Made { dir: dir.clone(), path });
                Ok(())
            }
            Action::LimitCgroup { dir, limit } => match self.made(dir) {
                Some(made) => limits::put(dir, &made.path, limit),
                None => Ok(()),
            },
            Action::InstallFilter(spec) => {
                let program = filter::compile(spec).map_err(|error| Failure::refused(error.to_string()))?;
                self.filters.push((index, program));
                Ok(())
            }
            Action::Exec { argv, env } => {
                self.command = Some(Command::new(argv, env)?);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn made(&self, dir: &CgroupDir) -> Option<&Made> {
        self.cgroups.iter().find(|made| made.dir == *dir)
    }
}

/// The host's end of a published port.
fn listen(address: IpAddr, port: Port) -> Done<relay::Outer> {
    let socket = match port.protocol {
        Protocol::Tcp => TcpListener::bind((address, port.number)).map(relay::Outer::Stream),
        Protocol::Udp => UdpSocket::bind((address, port.number)).map(relay::Outer::Datagram),
    };
    socket.context(|| format!("listening on {address} port {port}"))
}

/// Makes the child, lets it in, and starts the relay.
pub fn launch(
    plan: &Plan,
    prepared: &mut Prepared,
    watched: bool,
    performed: &mut dyn FnMut(usize, Duration),
) -> Result<Running, Notice> {
    let begun = Instant::now();
    let (clone_index, flags, into) = clone_step(plan).ok_or_else(|| refused(0, "the plan makes no child"))?;
    let at_clone = |failure| Notice { step: clone_index, failure, fatal: true };
    let pipe = || {
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
            .context(|| "making a pipe".to_string())
            .map_err(at_clone)
    };
    let (notices, notices_write) = pipe()?;
    let (status, status_write) = pipe()?;
    let (gate_read, gate) = pipe()?;
    let asks = plan.steps.iter().any(|step| matches!(step.action, Action::PinNamespace { .. }));
    let (asks, asks_write) = asks.then(pipe).transpose()?.unzip();
    let command = prepared.command.take();
    let cgroup =
        into.and_then(|dir| prepared.made(dir)).map(|made| open_dir(&made.path)).transpose().map_err(at_clone)?;
    let supervisor_fd = rustix::process::pidfd_open(rustix::process::getpid(), rustix::process::PidfdFlags::empty())
        .context(|| "opening a descriptor of this process".to_string())
        .map_err(at_clone)?;
    let host_pids = init::host_pids(flags).map_err(at_clone)?;
    let into = cgroup.as_ref().map(|it| it.as_fd());
    let joins = plan.steps.iter().any(|step| step.stage == Stage::Join);
    let cloned = if joins {
        join::clone_child(plan, &prepared.joined, (clone_index, flags), into)?
    } else {
        sys::clone3(flags, into).context(|| "clone3".to_string()).map_err(at_clone)?
    };
    let Some((pid, pidfd)) = cloned else {
        // The child. The write end of its own gate would keep the gate open after the supervisor's death.
        drop((gate, notices, status, asks));
        // Descriptors may be few, and its owner is in the supervisor's part of the stack, which the child never returns to.
        let _ = prepared.signals.map(|signals| sys::close_range(signals, signals));
        prepared.joined.clear();
        prepared.pins = Pins::default();
        child::run(Birth {
            plan,
            sources: std::mem::take(&mut prepared.sources),
            filters: std::mem::take(&mut prepared.filters),
            command,
            descriptors: std::mem::take(&mut prepared.descriptors),
            hand_over: prepared.hand_over.take(),
            terminal: prepared.inside.take(),
            notices: notices_write,
            watched,
            status: status_write,
            asks: asks_write,
            gate: gate_read,
            supervisor_fd,
            proc: host_pids.map(|it| it.proc),
            host_proc: prepared.host_proc.take(),
            janitor: prepared.janitor.as_ref().map(Janitor::pipe),
        })
    };
    drop((notices_write, status_write, gate_read, asks_write));
    // The process in between joins, and tells of nothing but failures: its time is that of the clone.
    let joined = plan.steps.iter().enumerate().filter(|(_, step)| step.stage == Stage::Join);
    joined.for_each(|(index, _)| performed(index, Duration::ZERO));
    performed(clone_index, begun.elapsed());
    prepared.descriptors = Descriptors::default();
    prepared.inside = None;
    prepared.hand_over = None;
    prepared.host_proc = None;
    prepared.joined.clear();
    let (terminal, parent) = (prepared.terminal.take(), prepared.parent.take());
    let init = plan.steps.iter().any(|step| step.action == Action::ForkInit);
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
        parent,
        init,
        lease: None,
    };
    let admitted = admit(plan, prepared, &mut running, performed).and_then(|()| match &asks {
        Some(asks) => pins::serve(plan, &mut prepared.pins, asks, &running.gate, running.pid)
            .map_err(|(step, failure)| Notice { step, failure, fatal: true }),
        None => Ok(()),
    });
    prepared.sources = Sources::default();
    match admitted {
        Ok(()) => Ok(running),
        Err(notice) => {
            for pid in [Some(running.pid), running.relay, running.resolver].into_iter().flatten() {
                let _ = nix::sys::signal::kill(pid, nix::sys::signal::SIGKILL);
                let _ = nix::sys::wait::waitpid(pid, None);
            }
            Err(notice)
        }
    }
}

fn refused(step: usize, detail: &str) -> Notice {
    Notice { step, failure: Failure::refused(detail), fatal: true }
}

fn clone_step(plan: &Plan) -> Option<(usize, u64, Option<&CgroupDir>)> {
    plan.steps.iter().enumerate().find_map(|(index, step)| match &step.action {
        Action::Clone { namespaces, into } => {
            let flags = namespaces.iter().map(|kind| clone_flag(*kind)).fold(0, |flags, flag| flags | flag);
            Some((index, flags, into.as_ref()))
        }
        _ => None,
    })
}

/// The CLONE_NEW* flag of a kind.
pub fn clone_flag(kind: NsKind) -> u64 {
    let flag = match kind {
        NsKind::User => libc::CLONE_NEWUSER,
        NsKind::Mnt => libc::CLONE_NEWNS,
        NsKind::Pid => libc::CLONE_NEWPID,
        NsKind::Net => libc::CLONE_NEWNET,
        NsKind::Ipc => libc::CLONE_NEWIPC,
        NsKind::Uts => libc::CLONE_NEWUTS,
        NsKind::Cgroup => libc::CLONE_NEWCGROUP,
        NsKind::Time => libc::CLONE_NEWTIME,
    };
    flag as u32 as u64
}

fn open_dir(path: &std::path::Path) -> Done<OwnedFd> {
    rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .context(|| format!("opening the cgroup {}", path.display()))
}

/// The child holds the same mounts, attached nowhere yet.
fn map_owners(prepared: &Prepared, id: u32, pid: Pid) -> Done {
    let path = format!("/proc/{pid}/ns/user");
    let user = rustix::fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    prepared.sources.map_owners(id, user.context(|| format!("opening {path}"))?.as_fd())
}

fn admit(
    plan: &Plan,
    prepared: &mut Prepared,
    running: &mut Running,
    performed: &mut dyn FnMut(usize, Duration),
) -> Result<(), Notice> {
    for (index, step) in plan.steps.iter().enumerate().filter(|(_, step)| step.stage == Stage::Admit) {
        let begun = Instant::now();
        let result = match &step.action {
            Action::MapOwners { id } => map_owners(prepared, *id, running.pid),
            Action::MakeVolume { .. } => make_volume(plan, &step.action, running.pid, &mut prepared.volumes),
            Action::DenySetgroups => identity::deny_setgroups(running.pid),
            Action::MapUids(mapping) => identity::write_map(running.pid, "uid_map", mapping),
            Action::MapGids(mapping) => identity::write_map(running.pid, "gid_map", mapping),
            Action::StartUplink { program, arguments } => {
                let child = running.pid.to_string();
                let arguments: Vec<String> = arguments.iter().map(|it| it.replace("CHILD", &child)).collect();
                keeper::start(program, &arguments).map(|keeper| prepared.keeper = Some(keeper))
            }
            Action::SetAttribute(attribute) => attributes::set_of_child(attribute, running.pid),
            Action::StartResolver(step) => relay_entry(plan, running.pid)
                .and_then(|entry| resolver::start(step, entry))
                .map(|(pid, memory)| (running.resolver, running.refused) = (Some(pid), Some(memory))),
            Action::MakeLink(step) => make_link(step, running.pid, &mut prepared.links),
            Action::EnterCgroup(dir) => match prepared.made(dir) {
                Some(made) => cgroup::enter(&made.path, running.pid.as_raw()),
                None => Ok(()),
            },
            _ => Err(Failure::refused("this step is not performed while the child waits")),
        };
        if let Err(failure) = result {
            let notice = Notice { step: index, failure, fatal: step.required };
            if step.required {
                return Err(notice);
            }
            prepared.notices.push(notice);
        } else {
            performed(index, begun.elapsed());
        }
    }
    let opened = join::of_child(running.pid, &prepared.open_inside);
    running.inside = opened.map_err(|failure| Notice { step: 0, failure, fatal: true })?;
    if !prepared.ports.is_empty() {
        let ports = std::mem::take(&mut prepared.ports);
        let step = plan.steps.iter().position(|step| matches!(step.action, Action::Publish { .. })).unwrap_or(0);
        let relay = relay_entry(plan, running.pid).and_then(|entry| relay::start(ports, entry));
        running.relay = Some(relay.map_err(|failure| Notice { step, failure, fatal: true })?);
    }
    rustix::io::write(&running.gate, &[1])
        .context(|| "letting the child go on".to_string())
        .map(drop)
        .map_err(|failure| Notice { step: plan.steps.len().saturating_sub(1), failure, fatal: true })
}

fn make_volume(plan: &Plan, action: &Action, child: Pid, made: &mut Vec<Volume>) -> Done {
    let user = match has_user(plan) {
        true => join::of_child(child, &[NsKind::User])?.pop(),
        false => None,
    };
    made.push(Volume::make(action, user.as_ref())?);
    Ok(())
}

/// Whether the child is in a user namespace that the supervisor is not in.
fn has_user(plan: &Plan) -> bool {
    let is_new =
        |step: &Step| matches!(&step.action, Action::Clone { namespaces, .. } if namespaces.contains(&NsKind::User));
    plan.steps.iter().any(is_new) || join::joins_user(plan)
}

fn make_link(step: &LinkStep, child: Pid, made: &mut Vec<links::MadeLink>) -> Done {
    let inside = links::namespace_of(child)?;
    made.extend(links::make(step, inside.as_fd())?);
    Ok(())
}

/// Opened while the child waits: once it has changed its ids it is not dumpable, and its namespaces cannot be
/// opened by a caller without CAP_SYS_PTRACE.
fn relay_entry(plan: &Plan, pid: Pid) -> Done<relay::Entry> {
    let open = |kind: NsKind| {
        let path = format!("/proc/{pid}/ns/{}", kind.name());
        rustix::fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).context(|| format!("opening {path}"))
    };
    let own_user = has_user(plan);
    let ids = plan.steps.iter().find_map(|step| match &step.action {
        Action::SetIds { uid, gid, .. } => Some((*uid, *gid)),
        _ => None,
    });
    Ok(relay::Entry { user: own_user.then(|| open(NsKind::User)).transpose()?, net: open(NsKind::Net)?, ids })
}
