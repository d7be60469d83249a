//! `nsl run -d`: a supervisor that nobody waits for.
//!
//! The nsl that was called forks; what becomes the supervisor leaves the session, and tells the caller through a pipe what is to be said until
//! the program runs, and then that it does. Its output goes through a third process, which keeps the log short.

use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::unistd::{ForkResult, Pid};
use rustix::fs::{Mode, OFlags};

use super::failure::{Context, Done};
use super::sys;
use crate::state::LogWriter;

/// The two that there are after [`detach`].
pub enum Side {
    /// Who was called, and waits for the start.
    Caller(Caller),
    /// Who goes on in the background.
    Background(Background),
}

/// Waits for the start.
pub struct Caller {
    pipe: OwnedFd,
}

/// Goes on in the background.
pub struct Background {
    pipe: Option<OwnedFd>,
    log: Option<Pid>,
}

/// What the caller is told.
pub struct Start {
    /// What is to be said: findings.
    pub said: String,
    /// The name of the sandbox that runs, or the exit status where none does.
    pub result: Result<String, i32>,
}

/// Divides this process. It must have one thread.
pub fn detach() -> Done<Side> {
    let what = || "going to the background".to_string();
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).context(what)?;
    match sys::fork().context(what)? {
        ForkResult::Parent { .. } => Ok(Side::Caller(Caller { pipe: read })),
        ForkResult::Child => {
            // No terminal's signals, and no directory that cannot be unmounted because of it.
            nix::unistd::setsid().context(what)?;
            rustix::process::chdir("/").context(what)?;
            Ok(Side::Background(Background { pipe: Some(write), log: None }))
        }
    }
}

impl Caller {
    /// Waits until the program runs or will not.
    pub fn wait(self) -> Start {
        let mut told = Vec::new();
        let _ = std::fs::File::from(self.pipe).read_to_end(&mut told);
        let told = String::from_utf8_lossy(&told).into_owned();
        let (said, result) = match told.rsplit_once('\0') {
            Some((said, result)) => match result.strip_prefix('=') {
                Some(name) => (said, Ok(name.to_string())),
                None => (said, Err(result.parse().unwrap_or(125))),
            },
            None => (told.as_str(), Err(125)),
        };
        Start { said: said.to_string(), result }
    }
}

impl Background {
    /// Says something: to the caller as long as it waits, and then into the log.
    pub fn say(&self, text: &str) {
        match &self.pipe {
            // A zero byte separates what is said from how it ends.
            Some(pipe) => drop(rustix::io::write(pipe, text.replace('\0', "").as_bytes())),
            None => drop(std::io::stderr().write_all(text.as_bytes())),
        }
    }

    /// Whether the caller waits.
    pub fn is_waited_for(&self) -> bool {
        self.pipe.is_some()
    }

    /// Tells the caller that the program runs.
    pub fn runs(&mut self, name: &str) {
        self.last_word(&format!("\0={name}"));
    }

    /// Tells the caller, if it still waits, that there is nothing to wait for.
    pub fn ends(&mut self, status: i32) {
        self.last_word(&format!("\0{status}"));
    }

    fn last_word(&mut self, text: &str) {
        if let Some(pipe) = self.pipe.take() {
            let _ = rustix::io::write(&pipe, text.as_bytes());
        }
    }

    /// Leads the output of this process, and of all that it starts, into a log. The standard input is empty from now on.
    pub fn log_to(&mut self, log: LogWriter) -> Done {
        let what = || "leading the output into a log".to_string();
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).context(what)?;
        match sys::fork().context(what)? {
            ForkResult::Parent { child } => self.log = Some(child),
            ForkResult::Child => keep(read, log),
        }
        let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).context(what)?;
        rustix::stdio::dup2_stdin(&null).context(what)?;
        rustix::stdio::dup2_stdout(&write).context(what)?;
        rustix::stdio::dup2_stderr(&write).context(what)
    }

    /// Waits until everything that was said is in the log.
    pub fn finish(self) {
        let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty());
        if let (Some(log), Ok(null)) = (self.log, null) {
            let _ = rustix::stdio::dup2_stdout(&null);
            let _ = rustix::stdio::dup2_stderr(&null);
            let _ = nix::sys::wait::waitpid(log, None);
        }
    }
}

/// Copies what comes until nobody can write any more. Never returns.
fn keep(read: OwnedFd, mut log: LogWriter) -> ! {
    let _ = rustix::thread::set_name(c"nsl-log");
    sys::wipe_command_line();
    let _ = nix::sys::signal::SigSet::all().thread_block();
    let mut kept = vec![read.as_raw_fd()];
    kept.extend(log.descriptors());
    sys::close_all_but(kept);
    let mut buffer = [0; 16 << 10];
    loop {
        match rustix::io::read(&read, &mut buffer) {
            Ok(0) => sys::exit_now(0),
            // A full disk costs lines of the log; a program that cannot write would be worse.
            Ok(count) => drop(log.write_all(&buffer[..count])),
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => sys::exit_now(1),
        }
    }
}
