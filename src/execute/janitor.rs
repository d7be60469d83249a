//! A process that outlives nsl for one purpose: to remove from the host what the sandbox had there, when nsl is killed.
//!
//! Everything else of a sandbox dies with its supervisor by itself; directories of the cgroup file system, and the
//! placeholders of what is covered, do not.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

use nix::sys::signal::SIGKILL;
use nix::unistd::{ForkResult, Pid};

use super::failure::{Context, Done};
use super::placeholders::{self, Placeholder};
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

/// Where placeholders may be made: an open directory, and the path below it.
pub type Spot<'a> = (BorrowedFd<'a>, &'a str);

/// What the janitor is told, four bytes at a time: what, which, and how deep.
const FORGET: u8 = b'-';
const MAKING: u8 = b'+';

impl Janitor {
    /// Starts a janitor for cgroups and placeholders that do not exist yet, so that there is no moment without one.
    pub fn start(paths: Vec<PathBuf>, spots: &[Spot]) -> Done<Janitor> {
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
                let mut kept: Vec<RawFd> = spots.iter().map(|it| it.0.as_raw_fd()).collect();
                kept.push(read.as_raw_fd());
                sys::close_all_but(kept);
                keep(&read, paths, spots);
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
        let _ = rustix::io::write(&self.pipe, &[FORGET, index as u8, 0, 0]);
    }

    /// Makes what is missing at the spot with this number.
    pub fn make_placeholder(&mut self, number: u16, spot: Spot, dir: bool) -> Done {
        let [low, high] = number.to_le_bytes();
        let pipe = &self.pipe;
        let mut before = |depth: u8| {
            let told = rustix::io::write(pipe, &[MAKING, low, high, depth]);
            told.map(drop).context(|| "telling the process that cleans up".to_string())
        };
        self.placeholders.extend(placeholders::make(spot.0, spot.1, dir, &mut before)?);
        Ok(())
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
            let _ = nix::sys::wait::waitpid(self.pid, None);
        }
        left
    }
}

/// Listens until the pipe is closed, and cleans up.
fn keep(read: &OwnedFd, paths: Vec<PathBuf>, spots: &[Spot]) {
    let mut paths: Vec<Option<PathBuf>> = paths.into_iter().map(Some).collect();
    let mut made: Vec<(usize, u8)> = Vec::new();
    let mut message = [0; 4];
    loop {
        match rustix::io::read(read, &mut message) {
            Ok(4) if message[0] == FORGET => drop(paths.get_mut(usize::from(message[1])).and_then(Option::take)),
            Ok(4) => made.push((usize::from(u16::from_le_bytes([message[1], message[2]])), message[3])),
            Err(rustix::io::Errno::INTR) => {}
            _ => break,
        }
    }
    for path in paths.iter().flatten() {
        cgroup::remove(path);
    }
    for (number, depth) in made.into_iter().rev() {
        if let Some((root, path)) = spots.get(number) {
            placeholders::remove_at(*root, path, depth);
        }
    }
}
