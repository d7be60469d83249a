//! The output of a sandbox in the background: two files, of which the older one is given up when the newer one has grown to half of
//! what there may be. The room is mostly in memory (tmpfs(5)), so a log has to have an end.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use rustix::fs::{Mode, OFlags, openat, renameat};

use super::guard::{LOG, OLD_LOG};
use super::list::Entry;

/// What is kept at the most, bytes.
pub const LOG_SIZE: u64 = 4 << 20;

/// Writes a log.
#[derive(Debug)]
pub struct LogWriter {
    dir: OwnedFd,
    file: File,
    written: u64,
    half: u64,
}

impl LogWriter {
    /// Begins a log in a directory. `size` is what is kept at the most, bytes.
    pub(super) fn create(dir: OwnedFd, size: u64) -> io::Result<LogWriter> {
        let file = create(&dir)?;
        Ok(LogWriter { dir, file, written: 0, half: size / 2 })
    }

    /// The descriptors that it needs.
    pub fn descriptors(&self) -> [std::os::fd::RawFd; 2] {
        use std::os::fd::AsRawFd;
        [self.dir.as_raw_fd(), self.file.as_raw_fd()]
    }
}

fn create(dir: &OwnedFd) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(File::from(openat(dir, LOG, flags, Mode::RUSR | Mode::WUSR)?))
}

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.written > 0 && self.written + bytes.len() as u64 > self.half {
            renameat(&self.dir, LOG, &self.dir, OLD_LOG)?;
            self.file = create(&self.dir)?;
            self.written = 0;
        }
        let count = self.file.write(bytes)?;
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How often a log is looked at that somebody follows.
const PAUSE: Duration = Duration::from_millis(100);

/// Copies the log of a sandbox; with `follow` until the sandbox has ended. `None` where it has none, as it runs in the foreground.
pub fn copy_log(entry: &Entry, follow: bool, out: &mut dyn Write) -> Option<io::Result<()>> {
    let dir = entry.directory();
    let open = |name: &str| {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat(dir, name, flags, Mode::empty()).ok().map(File::from)
    };
    let older = open(OLD_LOG);
    let newer = open(LOG)?;
    Some((|| {
        if let Some(mut older) = older {
            io::copy(&mut older, out)?;
        }
        let mut file = newer;
        loop {
            // Asked before the end of the file is reached: what is written after that was written by one that still ran.
            let goes_on = follow && entry.held();
            copy(&mut file, out)?;
            let next = open(LOG).filter(|next| inode(next) != inode(&file));
            match next {
                Some(next) => {
                    copy(&mut file, out)?;
                    file = next;
                }
                None if goes_on => std::thread::sleep(PAUSE),
                None => return Ok(()),
            }
        }
    })())
}

fn inode(file: &File) -> Option<u64> {
    file.metadata().ok().map(|it| it.ino())
}

fn copy(file: &mut File, out: &mut dyn Write) -> io::Result<()> {
    let mut buffer = [0; 16 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return out.flush(),
            count => out.write_all(&buffer[..count])?,
        }
    }
}

/// A directory again, without the lock of the first descriptor.
pub(super) fn reopen(dir: &impl AsFd) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(openat(dir, ".", flags, Mode::empty())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_has_an_end() {
        let base = tempfile::tempdir().unwrap();
        let mut log = LogWriter::create(reopen(&File::open(base.path()).unwrap()).unwrap(), 100).unwrap();
        for number in 0..100 {
            writeln!(log, "line {number}").unwrap();
        }
        let read = |name: &str| std::fs::read_to_string(base.path().join(name)).unwrap();
        let kept = read(OLD_LOG) + &read(LOG);
        assert!(kept.len() <= 100 && kept.ends_with("line 98\nline 99\n"), "{kept}");
    }
}
