//! A process that outlives nsl for one purpose: to remove the sandbox's cgroups when nsl is killed.
//!
//! Everything else of a sandbox dies with its supervisor by itself; directories of the cgroup file system do not.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;

use nix::sys::signal::SIGKILL;
use nix::unistd::{ForkResult, Pid};

use super::failure::{Context, Done};
use super::{cgroup, sys};

/// The janitor of a run. It acts when its pipe is closed, however that comes about.
pub struct Janitor {
    pid: Pid,
    paths: Vec<PathBuf>,
    _pipe: OwnedFd,
}

impl Janitor {
    /// Starts a janitor for cgroups that do not exist yet, so that there is no moment without one.
    pub fn start(paths: Vec<PathBuf>) -> Done<Janitor> {
        let what = || "starting the process that removes the cgroups".to_string();
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).context(what)?;
        match sys::fork().context(what)? {
            ForkResult::Parent { child } => Ok(Janitor { pid: child, paths, _pipe: write }),
            ForkResult::Child => {
                // A session of its own: no signal of a terminal or a process group reaches it. Signals are
                // blocked in all of nsl.
                let _ = nix::unistd::setsid();
                let _ = rustix::thread::set_name(c"nsl-janitor");
                sys::wipe_command_line();
                let kept = read.as_raw_fd();
                let _ = sys::close_range(0, kept - 1);
                let _ = sys::close_range(kept + 1, i32::MAX);
                let mut byte = [0];
                while matches!(rustix::io::read(&read, &mut byte), Err(rustix::io::Errno::INTR)) {}
                for path in &paths {
                    cgroup::remove(path);
                }
                sys::exit_now(0)
            }
        }
    }

    /// Removes the cgroups, and the janitor with them. Says which cgroups would not go.
    pub fn finish(self) -> Vec<PathBuf> {
        let left: Vec<PathBuf> = self.paths.iter().filter(|path| !cgroup::remove(path)).cloned().collect();
        let _ = nix::sys::signal::kill(self.pid, SIGKILL);
        let _ = nix::sys::wait::waitpid(self.pid, None);
        left
    }
}
