//! `tty = new`: a pseudo-terminal in the sandbox's own devpts, and nsl between it and the caller's.
//!
//! The child makes it, so that ttyname(3) works inside, and hands the master over a socket. The caller's terminal is made raw for as
//! long as the program runs: every key, Ctrl-C and Ctrl-Z included, is the program's. It is set back when the run ends, when nsl
//! is stopped, and by the janitor when nsl is killed.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::pty::OpenptFlags;
use rustix::termios::{OptionalActions, Termios, Winsize};

use super::failure::{Context, Done};
use super::{janitor, passing, sys};

/// As much as a pseudo-terminal takes at once.
const CHUNK: usize = 4096;
/// More than this is not read ahead of what the other side takes.
const MOST: usize = 16 * CHUNK;
/// How long output may wait for the caller's terminal once the program has ended.
const LAST_WORDS: rustix::event::Timespec = rustix::event::Timespec { tv_sec: 2, tv_nsec: 0 };

/// How the caller's terminal is set.
#[derive(Clone)]
pub struct Settings {
    modes: Termios,
    size: Winsize,
}

impl Settings {
    /// Those of the standard input. ENOTTY where it is no terminal.
    pub fn of_caller() -> Done<Settings> {
        let stdin = rustix::stdio::stdin();
        let what = || "looking at the standard input as a terminal".to_string();
        let modes = rustix::termios::tcgetattr(stdin).context(what)?;
        let size = rustix::termios::tcgetwinsize(stdin).context(what)?;
        Ok(Settings { modes, size })
    }

    /// Sets the caller's terminal back.
    pub fn restore(&self) {
        let _ = rustix::termios::tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &self.modes);
    }
}

/// What the child needs.
pub struct Inside {
    /// Where the master goes.
    pub socket: OwnedFd,
    /// What the new terminal begins with.
    pub settings: Settings,
}

impl Inside {
    /// Makes the terminal, in the session of this process, and its 0, 1 and 2.
    pub fn open(&self) -> Done {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let master = rustix::fs::open("/dev/ptmx", flags, Mode::empty()).context(|| "opening /dev/ptmx".to_string())?;
        rustix::pty::unlockpt(&master).context(|| "unlocking a pseudo-terminal".to_string())?;
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let slave = rustix::pty::ioctl_tiocgptpeer(&master, flags).context(|| "ioctl TIOCGPTPEER".to_string())?;
        let what = || "setting up a pseudo-terminal".to_string();
        rustix::termios::tcsetattr(&slave, OptionalActions::Now, &self.settings.modes).context(what)?;
        rustix::termios::tcsetwinsize(&slave, self.settings.size).context(what)?;
        rustix::process::ioctl_tiocsctty(&slave).context(|| "ioctl TIOCSCTTY".to_string())?;
        for number in 0..=2 {
            sys::dup_to(slave.as_fd(), number).context(|| format!("dup2 to {number}"))?;
        }
        let fds = [master.as_fd(), slave.as_fd()];
        passing::send(self.socket.as_fd(), &fds).context(|| "handing the pseudo-terminal over".to_string())
    }
}

/// The supervisor's side.
pub struct Terminal {
    settings: Settings,
    socket: OwnedFd,
    /// Both ends of the program's. The slave is held so that the master is not at its end while nobody inside has it open.
    ends: Option<(OwnedFd, Option<OwnedFd>)>,
    /// The janitor, which sets the caller's terminal back if nsl is killed.
    janitor: OwnedFd,
    /// The standard output, such that a slow reader holds nobody up, where it can be opened so.
    output: OwnedFd,
    /// The standard input is at its end, or not ours for now.
    deaf: bool,
    raw: bool,
    to_program: Vec<u8>,
    to_caller: Vec<u8>,
}

/// Both sides of a terminal to be.
pub fn pair(settings: Settings, janitor: BorrowedFd) -> Done<(Terminal, Inside)> {
    let what = || "making the socket for a terminal".to_string();
    let (socket, inside) = passing::pair().context(what)?;
    // Opened anew, the flag is ours alone; the caller's own descriptor stays as it is.
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let stdout = rustix::stdio::stdout();
    let kind = rustix::fs::fstat(stdout).map(|it| FileType::from_raw_mode(it.st_mode));
    let opened = match kind {
        Ok(FileType::CharacterDevice | FileType::Fifo) => {
            rustix::fs::open("/proc/self/fd/1", flags, Mode::empty()).ok()
        }
        // A file has a place in it, which is shared with whoever else writes there.
        _ => None,
    };
    let output = opened.map_or_else(|| stdout.try_clone_to_owned().context(what), Ok)?;
    let terminal = Terminal {
        settings: settings.clone(),
        socket,
        ends: None,
        janitor: janitor.try_clone_to_owned().context(what)?,
        output,
        deaf: false,
        raw: false,
        to_program: Vec::new(),
        to_caller: Vec::new(),
    };
    Ok((terminal, Inside { socket: inside, settings }))
}

impl Terminal {
    /// What is waited for.
    pub fn polls<'a>(&'a self, fds: &mut Vec<PollFd<'a>>) {
        let Some((master, _)) = &self.ends else {
            return fds.push(PollFd::new(&self.socket, PollFlags::IN));
        };
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, self.to_caller.len() < MOST);
        flags.set(PollFlags::OUT, !self.to_program.is_empty());
        if !flags.is_empty() {
            fds.push(PollFd::new(master, flags));
        }
        if !self.deaf && self.to_program.len() < MOST {
            fds.push(PollFd::from_borrowed_fd(rustix::stdio::stdin(), PollFlags::IN));
        }
        if !self.to_caller.is_empty() {
            fds.push(PollFd::new(&self.output, PollFlags::OUT));
        }
    }

    /// Moves what can be moved.
    pub fn serve(&mut self) {
        match self.ends {
            None => self.accept(),
            Some(_) => {
                self.hear();
                self.pump();
            }
        }
    }

    fn accept(&mut self) {
        let Ok(fds) = passing::receive(self.socket.as_fd()) else { return };
        let mut fds = fds.into_iter();
        self.ends = fds.next().map(|master| (master, fds.next()));
        if let Some((master, _)) = &self.ends {
            let flags = rustix::fs::fcntl_getfl(master).unwrap_or(OFlags::empty());
            let _ = rustix::fs::fcntl_setfl(master, flags | OFlags::NONBLOCK);
        }
        self.resume();
    }

    /// From the caller to the program. In the background the terminal is somebody else's.
    fn hear(&mut self) {
        let stdin = rustix::stdio::stdin();
        if self.deaf || self.to_program.len() >= MOST || !ready(stdin) {
            return;
        }
        let mut buffer = [0; CHUNK];
        match rustix::io::read(stdin, &mut buffer) {
            Ok(0) | Err(Errno::IO) => self.deaf = true,
            Ok(count) => self.to_program.extend_from_slice(&buffer[..count]),
            Err(_) => {}
        }
    }

    /// Between the master and the two buffers. False when the master is at its end.
    fn pump(&mut self) -> bool {
        let Some((master, _)) = &self.ends else { return false };
        put(master.as_fd(), &mut self.to_program);
        let mut open = true;
        let mut buffer = [0; CHUNK];
        while self.to_caller.len() < MOST {
            match rustix::io::read(master, &mut buffer) {
                Ok(count) if count > 0 => self.to_caller.extend_from_slice(&buffer[..count]),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                // EIO: the session of the program is over.
                _ => {
                    open = false;
                    break;
                }
            }
        }
        put(self.output.as_fd(), &mut self.to_caller);
        open
    }

    /// The caller's window has changed.
    pub fn resize(&self) {
        if let (Some((master, _)), Ok(size)) = (&self.ends, rustix::termios::tcgetwinsize(rustix::stdio::stdin())) {
            let _ = rustix::termios::tcsetwinsize(master, size);
        }
    }

    /// nsl is about to be stopped.
    pub fn suspend(&mut self) {
        if std::mem::take(&mut self.raw) {
            self.settings.restore();
            janitor::tell_raw(&self.janitor, false);
        }
    }

    /// nsl runs, in the foreground or not.
    pub fn resume(&mut self) {
        let stdin = rustix::stdio::stdin();
        let foreground = rustix::termios::tcgetpgrp(stdin).is_ok_and(|group| group == rustix::process::getpgrp());
        self.deaf = !foreground;
        if foreground && self.ends.is_some() && !self.raw {
            let mut raw = self.settings.modes.clone();
            raw.make_raw();
            janitor::tell_raw(&self.janitor, true);
            self.raw = rustix::termios::tcsetattr(stdin, OptionalActions::Drain, &raw).is_ok();
        }
        self.resize();
    }

    /// The program has ended: its last words, and the caller's terminal as it was.
    pub fn finish(&mut self) {
        if self.ends.is_none() {
            self.accept();
        }
        // As long as somebody has the slave open, the kernel may take its time with what was written to it.
        if let Some((_, slave)) = &mut self.ends {
            *slave = None;
        }
        loop {
            let open = self.pump();
            if self.to_caller.is_empty() {
                // Once more where a full buffer held the rest back.
                if !open || self.ends.as_ref().is_none_or(|(it, _)| !ready(it.as_fd())) {
                    break;
                }
                continue;
            }
            let mut polled = [PollFd::new(&self.output, PollFlags::OUT)];
            if !matches!(rustix::event::poll(&mut polled, Some(&LAST_WORDS)), Ok(1)) {
                break;
            }
        }
        self.suspend();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.suspend();
    }
}

fn ready(fd: BorrowedFd) -> bool {
    let mut polled = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    matches!(rustix::event::poll(&mut polled, Some(&now)), Ok(1)) && polled[0].revents().contains(PollFlags::IN)
}

/// Writes as much as is taken. What nobody will ever take is thrown away.
fn put(fd: BorrowedFd, bytes: &mut Vec<u8>) {
    while !bytes.is_empty() {
        match rustix::io::write(fd, bytes) {
            Ok(count) => drop(bytes.drain(..count)),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return,
            Err(_) => bytes.clear(),
        }
    }
}
