//! PID 1 of a sandbox: reaps, forwards signals, passes on how the program ended, and is otherwise nobody.

use std::collections::BTreeSet;
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use rustix::fs::{Mode, OFlags};

use super::failure::{Context, Done};
use super::{identity, join, sys};

/// What has to hold of init before the program is there: from its first moment on the program may start others, end, and be left
/// by nsl, and init may not have been given the CPU since the fork.
///
/// PID 1 is the parent of orphans anyhow, and its end is that of all.
pub fn prepare(supervisor: &OwnedFd) -> Done {
    if is_pid1() {
        return Ok(());
    }
    // With the host's PID namespace orphans would go to the host's init, with a joined one to the init of that; this keeps them ours.
    rustix::process::set_child_subreaper(Some(rustix::process::Pid::INIT))
        .context(|| "prctl(PR_SET_CHILD_SUBREAPER)".to_string())?;
    // And the supervisor's death must reach what the program has started too: a signal that nobody
    // forwards, instead of SIGKILL. It waits in the queue until init looks.
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::IO))
        .context(|| "asking to be told of the supervisor's end".to_string())?;
    // Its pidfd, not getppid(2), which says 0 of a parent in another PID namespace.
    if join::has_ended(supervisor) {
        sys::exit_now(125);
    }
    Ok(())
}

/// Whether this process is the first one of its PID namespace.
pub fn is_pid1() -> bool {
    nix::unistd::getpid() == Pid::from_raw(1)
}

/// Shows nothing of this process's memory to the sandbox, neither as memory nor as its command line and environment.
pub fn seal() {
    sys::wipe_command_line();
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Waits for the program and everything that it leaves behind, once [`prepare`] and [`seal`] are done. Never returns.
///
/// Signals are blocked since before the fork, so none is lost; the kernel queues what init blocks although it
/// would drop what init ignores: pid_namespaces(7), signal(7).
///
/// `proc` is the host's /proc, where the PID namespace is the host's: the tree inside may have none, or a false one.
///
/// `janitor` is the pipe of the process that cleans up, which waits for the end of init as well.
pub fn run(program: Pid, status: &OwnedFd, proc: Option<&OwnedFd>, janitor: Option<&OwnedFd>) -> ! {
    let _ = rustix::thread::set_name(c"nsl-init");
    // Out of the terminal's foreground group: a Ctrl-C comes from the supervisor, and once.
    let _ = nix::unistd::setsid();
    let end = || {
        if let Some(proc) = proc {
            end_descendants(proc, &BTreeSet::new(), true);
        }
    };
    identity::drop_own_capabilities();
    sys::close_all_but(proc.into_iter().chain(janitor).chain([status]).map(|it| it.as_raw_fd()).collect());
    let signals = SigSet::all();
    loop {
        match sys::wait_signal(&signals) {
            Ok(Signal::SIGCHLD) => {
                if let Some(code) = reap(program) {
                    let _ = rustix::io::write(status, &code.to_ne_bytes());
                    if !is_pid1() {
                        end();
                    }
                    sys::exit_now(0);
                }
            }
            Ok(Signal::SIGIO) if !is_pid1() => {
                end();
                sys::exit_now(125)
            }
            // From the supervisor, which is being stopped or continued. A stop that the program asks for itself is the program's.
            Ok(Signal::SIGTSTP) => everybody(proc, Signal::SIGSTOP),
            Ok(Signal::SIGCONT) => everybody(proc, Signal::SIGCONT),
            Ok(signal) => {
                let _ = kill(program, signal);
            }
            Err(Errno::EINTR) => {}
            Err(_) => {
                // A real-time signal has no name here; it was taken from the queue, and nobody asked for it.
            }
        }
    }
}

/// Sends a signal to the program and all that it has started.
fn everybody(proc: Option<&OwnedFd>, signal: Signal) {
    if is_pid1() {
        // All of the namespace but this process: kill(2).
        let _ = kill(Pid::from_raw(-1), signal);
        return;
    }
    for pid in proc.map(|it| descendants(it, &BTreeSet::new())).unwrap_or_default() {
        let _ = kill(Pid::from_raw(pid), signal);
    }
}

/// Holds the namespaces of a pod until the supervisor is gone: prctl(2) PR_SET_PDEATHSIG was set when the child was let in. Never
/// returns.
pub fn hold(janitor: Option<&OwnedFd>, supervisor: &OwnedFd) -> ! {
    let _ = rustix::thread::set_name(c"nsl-pod");
    let _ = nix::unistd::setsid();
    seal();
    identity::drop_own_capabilities();
    let _ = rustix::thread::set_no_new_privs(true);
    // Ids that changed have cleared the signal, and so would have an unseen end: prctl(2).
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    if join::has_ended(supervisor) {
        sys::exit_now(125);
    }
    sys::close_all_but(janitor.into_iter().map(|it| it.as_raw_fd()).collect());
    let signals = SigSet::all();
    loop {
        // As PID 1 of a shared PID namespace it is the parent of orphans; nothing else concerns it.
        if sys::wait_signal(&signals) == Ok(Signal::SIGCHLD) {
            while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG))
                && status != WaitStatus::StillAlive
            {}
        }
    }
}

/// Reaps whatever has ended; the wait status of the program in the kernel's form, once it has.
fn reap(program: Pid) -> Option<i32> {
    let mut ended = None;
    let mut attempts = 3;
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) if pid == program => ended = Some((code & 0xff) << 8),
            Ok(WaitStatus::Signaled(pid, signal, core)) if pid == program => {
                ended = Some(signal as i32 | if core { 0x80 } else { 0 })
            }
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return ended,
            Ok(_) | Err(Errno::EINTR) => {}
            // Nothing else is documented; but to miss the end of the program would be to wait for ever.
            Err(_) if attempts > 0 => attempts -= 1,
            Err(_) => return ended,
        }
    }
}

/// The processes of the host, as they were before the child.
pub struct HostPids {
    /// The host's /proc.
    pub proc: OwnedFd,
    /// Descendants of this process from before.
    pub earlier: BTreeSet<i32>,
}

/// Where the PID namespace is the host's: becomes the one to whom orphans go when init, which the program can kill
/// there, is gone or was not asked for.
pub fn host_pids(namespaces: u64) -> Done<Option<HostPids>> {
    if namespaces & libc::CLONE_NEWPID as u64 != 0 {
        return Ok(None);
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let proc = rustix::fs::open("/proc", flags, Mode::empty()).context(|| "opening /proc".to_string())?;
    rustix::process::set_child_subreaper(Some(rustix::process::Pid::INIT))
        .context(|| "prctl(PR_SET_CHILD_SUBREAPER)".to_string())?;
    let earlier = descendants(&proc, &BTreeSet::new());
    Ok(Some(HostPids { proc, earlier }))
}

/// Without a PID namespace nobody kills what the program leaves behind; as their subreaper we can name them.
///
/// `spared` are children from before, with all that is theirs: a caller that becomes nsl by execve(2) has its own.
/// `reap_all`: whether this process has no child that somebody else waits for.
pub fn end_descendants(proc: &OwnedFd, spared: &BTreeSet<i32>, reap_all: bool) {
    for _ in 0..1000 {
        let found = descendants(proc, spared);
        if found.is_empty() {
            return;
        }
        let own = own_number(proc);
        for pid in &found {
            end(proc, *pid, |parent| parent == own || found.contains(&parent));
        }
        if reap_all {
            while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG))
                && status != WaitStatus::StillAlive
            {}
        }
        for pid in found {
            let _ = waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG));
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// Kills a process by its number in this /proc, which need not be its number where this process is: pidfd_send_signal(2) takes
/// a directory of /proc too. The number may be another's by now, who has not such a parent; the directory stays that of one process.
fn end(proc: &OwnedFd, pid: i32, is_parent: impl Fn(i32) -> bool) {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    if let Ok(process) = rustix::fs::openat(proc, pid.to_string(), flags, Mode::empty())
        && parent_in(&process, "stat").is_some_and(is_parent)
    {
        let _ = rustix::process::pidfd_send_signal(&process, rustix::process::Signal::KILL);
    }
}

/// The number of this process in this /proc.
fn own_number(proc: &OwnedFd) -> i32 {
    let link = rustix::fs::readlinkat(proc, "self", Vec::new()).ok();
    let number = link.and_then(|it| it.to_str().ok()?.parse().ok());
    number.unwrap_or_else(|| nix::unistd::getpid().as_raw())
}

/// The processes below this one, but for those that are spared and what is below them.
pub fn descendants(proc: &OwnedFd, spared: &BTreeSet<i32>) -> BTreeSet<i32> {
    let own = own_number(proc);
    let parents: Vec<(i32, i32)> = rustix::fs::Dir::read_from(proc)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str().ok()?.parse().ok())
        .filter(|pid| !spared.contains(pid))
        .filter_map(|pid: i32| Some((pid, parent_of(proc, pid)?)))
        .collect();
    let mut found = BTreeSet::from([own]);
    loop {
        let before = found.len();
        found.extend(
            parents.iter().filter(|(_, parent)| found.contains(parent)).map(|(pid, _)| *pid).collect::<Vec<_>>(),
        );
        if found.len() == before {
            found.remove(&own);
            return found;
        }
    }
}

fn parent_of(proc: &OwnedFd, pid: i32) -> Option<i32> {
    parent_in(proc, &format!("{pid}/stat"))
}

/// proc_pid_stat(5), from a file below a directory.
fn parent_in(dir: &OwnedFd, stat: &str) -> Option<i32> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(dir, stat, flags, Mode::empty()).ok()?;
    let mut stat = Vec::new();
    std::fs::File::from(file).read_to_end(&mut stat).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
