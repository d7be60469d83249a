//! A process that outlives nsl for one purpose: to remove from the host what the sandbox had there, when nsl is killed.
//!
//! Everything else of a sandbox dies with its supervisor by itself; directories of the cgroup file system, the placeholders of what is
//! covered, and namespaces that files keep although no program ever ran in them, do not.

use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

use nix::sys::signal::SIGKILL;
use nix::unistd::{ForkResult, Pid};

use super::failure::{Context, Done};
use super::pins::{self, PinSpot};
use super::placeholders::{self, Placeholder};
use super::terminal::Settings;
use super::{cgroup, sys};

/// The janitor of a run. It acts when its pipe is closed, however that comes about: init holds the pipe too, so that nothing
/// is removed below a sandbox that is still dying.
pub struct Janitor {
    pid: Pid,
    /// `None` for one that turned out not to be ours.
    paths: Vec<Option<PathBuf>>,
    placeholders: Vec<Placeholder>,
    pipe: OwnedFd,
}

/// Where placeholders may be made.
#[derive(Clone, Copy)]
pub struct Spot<'a> {
    /// An open directory.
    pub root: BorrowedFd<'a>,
    /// The path below it.
    pub path: &'a str,
}

/// All of a plan, by step.
pub type Spots<'a> = BTreeMap<usize, Spot<'a>>;

/// What the janitor is told, six bytes at a time: what, which, and how deep.
const FORGET: u8 = b'-';
const MAKING: u8 = b'+';
const TERMINAL: u8 = b't';
const PINNING: u8 = b'p';
const PINS_STAY: u8 = b's';
const MESSAGE: usize = 6;

/// How often the pipe may fail to be read before that is taken for its end.
const MOST_DEAF: u32 = 100;

fn message(what: u8, which: usize, depth: u8) -> [u8; MESSAGE] {
    let [a, b, c, d] = (which as u32).to_ne_bytes();
    [what, a, b, c, d, depth]
}

/// Tells whether the caller's terminal is raw, and to be set back if nsl is killed.
pub fn tell_raw(pipe: &OwnedFd, raw: bool) {
    let _ = rustix::io::write(pipe, &message(TERMINAL, 0, u8::from(raw)));
}

impl Janitor {
    /// Starts a janitor for cgroups, placeholders and pins that do not exist yet, so that there is no moment without one.
    pub fn start(paths: Vec<PathBuf>, spots: &Spots, pins: &[PinSpot], terminal: Option<Settings>) -> Done<Janitor> {
        let what = || "starting the process that cleans up".to_string();
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).context(what)?;
        match sys::fork().context(what)? {
            ForkResult::Parent { child } => {
                let paths = paths.into_iter().map(Some).collect();
                Ok(Janitor { pid: child, paths, placeholders: Vec::new(), pipe: write })
            }
            ForkResult::Child => {
                // A session of its own: no signal of a terminal or a process group reaches it. Signals are
                // blocked in all of nsl.
                let _ = nix::unistd::setsid();
                let _ = rustix::thread::set_name(c"nsl-janitor");
                sys::wipe_command_line();
                let mut kept: Vec<RawFd> = spots.values().map(|it| it.root.as_raw_fd()).collect();
                kept.extend(pins.iter().map(|it| it.dir.as_raw_fd()));
                kept.push(read.as_raw_fd());
                if terminal.is_some() {
                    kept.push(rustix::stdio::stdin().as_raw_fd());
                }
                sys::close_all_but(kept);
                keep(&read, paths, (spots, pins), terminal);
                sys::exit_now(0)
            }
        }
    }

    /// Leaves a cgroup alone that could not be made: one of that name may be there already, and somebody else's, such as
    /// an nsl's of another PID namespace. Removing it would kill what is in it.
    pub fn forget(&mut self, path: &Path) {
        let known = self.paths.iter_mut().enumerate().find(|(_, it)| it.as_deref() == Some(path));
        let Some((index, known)) = known else { return };
        *known = None;
        let _ = rustix::io::write(&self.pipe, &message(FORGET, index, 0));
    }

    /// Makes what is missing at the spot of a step.
    pub fn make_placeholder(&mut self, step: usize, spot: Spot, dir: bool) -> Done {
        let pipe = &self.pipe;
        let mut before = |depth: u8| {
            let told = rustix::io::write(pipe, &message(MAKING, step, depth));
            told.map(drop).context(|| "telling the process that cleans up".to_string())
        };
        self.placeholders.extend(placeholders::make(spot.root, spot.path, dir, &mut before)?);
        Ok(())
    }

    /// A file is about to be made for a pin, by this step.
    pub fn making_pin(&mut self, step: usize) -> Done {
        let told = rustix::io::write(&self.pipe, &message(PINNING, step, 0));
        told.map(drop).context(|| "telling the process that cleans up".to_string())
    }

    /// The pins are no longer its business: they stay, or are gone already.
    pub fn forget_pins(&mut self) {
        let _ = rustix::io::write(&self.pipe, &message(PINS_STAY, 0, 0));
    }

    /// What init holds for as long as it lives.
    pub fn pipe(&self) -> &OwnedFd {
        &self.pipe
    }

    /// Removes everything, and the janitor with it, but for placeholders that another sandbox shares: the janitor waits for
    /// that one's end. Says which cgroups would not go.
    pub fn finish(self) -> Vec<PathBuf> {
        let left: Vec<PathBuf> = self.paths.into_iter().flatten().filter(|path| !cgroup::remove(path)).collect();
        if placeholders::remove(self.placeholders) {
            let _ = nix::sys::signal::kill(self.pid, SIGKILL);
            // Whoever could not be killed ends with the pipe.
            drop(self.pipe);
            let _ = nix::sys::wait::waitpid(self.pid, None);
        }
        left
    }
}

/// Listens until the pipe is closed, and cleans up.
fn keep(read: &OwnedFd, paths: Vec<PathBuf>, (spots, pins): (&Spots, &[PinSpot]), terminal: Option<Settings>) {
    let (mut raw, mut deaf) = (false, 0);
    let mut pinned: Vec<usize> = Vec::new();
    let mut paths: Vec<Option<PathBuf>> = paths.into_iter().map(Some).collect();
    let mut made: Vec<(usize, u8)> = Vec::new();
    let mut told = [0; MESSAGE];
    loop {
        match rustix::io::read(read, &mut told) {
            Ok(MESSAGE) => {
                let [what, a, b, c, d, depth] = told;
                let which = u32::from_ne_bytes([a, b, c, d]) as usize;
                match what {
                    TERMINAL => raw = depth != 0,
                    PINNING => pinned.push(which),
                    PINS_STAY => pinned.clear(),
                    FORGET => drop(paths.get_mut(which).and_then(Option::take)),
                    _ => made.push((which, depth)),
                }
            }
            Err(rustix::io::Errno::INTR) => {}
            // Whoever takes a failure for the end removes things from under a sandbox that runs.
            Err(_) if deaf < MOST_DEAF => deaf += 1,
            _ => break,
        }
    }
    // Another session's terminal, so no signal comes of it: credentials(7), tcsetattr(3).
    if let Some(settings) = terminal.filter(|_| raw) {
        settings.restore();
    }
    pins.iter().filter(|it| pinned.contains(&it.step)).for_each(|it| pins::remove(*it));
    for path in paths.iter().flatten() {
        cgroup::remove(path);
    }
    for (step, depth) in made.into_iter().rev() {
        if let Some(Spot { root, path }) = spots.get(&step) {
            placeholders::remove_at(*root, path, depth);
        }
    }
}
