//! A process beside the supervisor for what does not die with it: the program that gives a sandbox its way out.
//!
//! It holds the reading end of a pipe whose other end is the supervisor's alone. When that is closed, whatever the reason, it ends the
//! program and itself.

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid};
use rustix::event::{PollFd, PollFlags};
use rustix::fs::{MemfdFlags, Mode, OFlags};

use super::failure::{Context, Done, Failure};
use super::sys;

/// The keeper of a run.
pub struct Keeper {
    pid: Pid,
    /// Held for its end alone.
    pipe: Option<OwnedFd>,
}

impl Keeper {
    /// Ends what is kept.
    pub fn finish(mut self) {
        drop(self.pipe.take());
        let _ = waitpid(self.pid, None);
    }
}

/// How long a way out may take to be there.
const PATIENCE: rustix::event::Timespec = rustix::event::Timespec { tv_sec: 15, tv_nsec: 0 };
/// The descriptor on which the program says that it is ready, by writing anything.
const READY: i32 = 3;

/// Starts a program that has nothing but its standard error and descriptor 3, and waits until it has said on that that it is
/// ready. What it says before it fails is the failure.
pub fn start(program: &str, arguments: &[String]) -> Done<Keeper> {
    let what = || format!("starting {program}");
    let strings = std::iter::once(program).chain(arguments.iter().map(String::as_str)).map(CString::new);
    let argv: Vec<CString> = strings.collect::<Result<_, _>>().map_err(|_| Failure::refused("a NUL byte"))?;
    let pipe = || rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).context(what);
    let (end, pipe_end) = pipe()?;
    let (ready, ready_write) = pipe()?;
    let said = rustix::fs::memfd_create("nsl-uplink", MemfdFlags::CLOEXEC).context(what)?;
    match sys::fork().context(what)? {
        ForkResult::Parent { child } => {
            drop((ready_write, end));
            let keeper = Keeper { pid: child, pipe: Some(pipe_end) };
            match wait_ready(&ready) {
                true => Ok(keeper),
                false => {
                    keeper.finish();
                    Err(Failure::refused(format!("{program} says: {}", last_words(said))))
                }
            }
        }
        ForkResult::Child => {
            drop((pipe_end, ready));
            keep(&argv, &end, ready_write, &said)
        }
    }
}

fn wait_ready(ready: &OwnedFd) -> bool {
    let mut polled = [PollFd::new(ready, PollFlags::IN)];
    let _ = rustix::event::poll(&mut polled, Some(&PATIENCE));
    matches!(rustix::io::read(ready, &mut [0_u8; 32]), Ok(1..) if !polled[0].revents().is_empty())
}

/// The lines that tell why, without those about a system logger that is not there.
fn last_words(said: OwnedFd) -> String {
    use std::io::{Read, Seek};
    let mut file = std::fs::File::from(said);
    let mut text = String::new();
    let _ = file.rewind();
    let _ = file.read_to_string(&mut text);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|it| !it.is_empty() && !it.contains("syslog")).collect();
    match lines.as_slice() {
        [] => "nothing, and it was not ready within 15 seconds".to_string(),
        lines => lines[lines.len().saturating_sub(3)..].join("; "),
    }
}

/// The keeper itself. Never returns.
fn keep(argv: &[CString], end: &OwnedFd, ready: OwnedFd, said: &OwnedFd) -> ! {
    // No signal of a terminal or a process group reaches it.
    let _ = nix::unistd::setsid();
    let _ = rustix::thread::set_name(c"nsl-keeper");
    let child = match sys::fork() {
        Ok(ForkResult::Child) => {
            run(argv, &ready, said);
            sys::exit_now(127)
        }
        Ok(ForkResult::Parent { child }) => child,
        Err(_) => sys::exit_now(1),
    };
    drop(ready);
    sys::wipe_command_line();
    sys::close_all_but(vec![end.as_raw_fd()]);
    let process = rustix::process::Pid::from_raw(child.as_raw())
        .and_then(|it| rustix::process::pidfd_open(it, rustix::process::PidfdFlags::empty()).ok());
    loop {
        let mut polled = vec![PollFd::new(end, PollFlags::IN)];
        polled.extend(process.as_ref().map(|it| PollFd::new(it, PollFlags::IN)));
        if rustix::event::poll(&mut polled, None).is_ok() && polled.iter().any(|it| !it.revents().is_empty()) {
            break;
        }
    }
    let _ = kill(child, Signal::SIGKILL);
    let _ = waitpid(child, None);
    sys::exit_now(0)
}

/// Becomes the program; returns when that fails.
fn run(argv: &[CString], ready: &OwnedFd, said: &OwnedFd) {
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    let Ok(null) = rustix::fs::open("/dev/null", flags, Mode::empty()) else { return };
    // Away from the numbers that are about to be given.
    let high = |fd: &OwnedFd| rustix::io::fcntl_dupfd_cloexec(fd, 10);
    let (Ok(null), Ok(said), Ok(ready)) = (high(&null), high(said), high(ready)) else { return };
    for (fd, number) in [(&null, 0), (&null, 1), (&said, 2), (&ready, READY)] {
        if sys::dup_to(fd.as_fd(), number).is_err() {
            return;
        }
    }
    let _ = sys::close_on_exec(READY as u32 + 1, u32::MAX);
    sys::default_signals();
    sys::unblock_signals();
    let _ = sys::execve(&argv[0], argv, &[CString::from(c"PATH=/usr/bin:/bin:/usr/sbin:/sbin")]);
}
