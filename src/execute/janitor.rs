//! A process that outlives nsl for one purpose: to remove the sandbox's cgroups when nsl is killed.
//!
//! Everything else of a sandbox dies with its supervisor by itself; directories of the cgroup file system do not.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::sys::signal::SIGKILL;
use nix::unistd::{ForkResult, Pid};

use super::failure::{Context, Done};
use super::{cgroup, sys};

/// The janitor of a run. It acts when its pipe is closed, however that comes about.
pub struct Janitor {
    pid: Pid,
    /// `None` for one that turned out not to be ours.
    paths: Vec<Option<PathBuf>>,
    pipe: OwnedFd,
}

impl Janitor {
    /// Starts a janitor for cgroups that do not exist yet, so that there is no moment without one.
    pub fn start(paths: Vec<PathBuf>) -> Done<Janitor> {
        let what = || "starting the process that removes the cgroups".to_string();
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).context(what)?;
        match sys::fork().context(what)? {
            ForkResult::Parent { child } => {
                Ok(Janitor { pid: child, paths: paths.into_iter().map(Some).collect(), pipe: write })
            }
            ForkResult::Child => {
                // A session of its own: no signal of a terminal or a process group reaches it. Signals are
                // blocked in all of nsl.
                let _ = nix::unistd::setsid();
                let _ = rustix::thread::set_name(c"nsl-janitor");
                sys::wipe_command_line();
                let kept = read.as_raw_fd();
                let _ = sys::close_range(0, kept - 1);
                let _ = sys::close_range(kept + 1, i32::MAX);
                let mut paths: Vec<Option<PathBuf>> = paths.into_iter().map(Some).collect();
                let mut byte = [0];
                loop {
                    match rustix::io::read(&read, &mut byte) {
                        Ok(1) => drop(paths.get_mut(usize::from(byte[0])).and_then(Option::take)),
                        Err(rustix::io::Errno::INTR) => {}
                        _ => break,
                    }
                }
                for path in paths.iter().flatten() {
                    cgroup::remove(path);
                }
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
        let _ = rustix::io::write(&self.pipe, &[index as u8]);
    }

    /// Removes the cgroups, and the janitor with them. Says which cgroups would not go.
    pub fn finish(self) -> Vec<PathBuf> {
        let left: Vec<PathBuf> = self.paths.into_iter().flatten().filter(|path| !cgroup::remove(path)).collect();
        let _ = nix::sys::signal::kill(self.pid, SIGKILL);
        let _ = nix::sys::wait::waitpid(self.pid, None);
        left
    }
}
