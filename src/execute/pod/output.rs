//! The output of a container, line by line.

use std::os::fd::OwnedFd;

use super::{PodHooks, Stream};

/// The longest line that is kept together, bytes.
const LONGEST: usize = 16 << 10;

/// One stream.
pub struct Lines {
    stream: Stream,
    /// The beginning of a line whose end has not come yet.
    rest: Vec<u8>,
    /// Whether there is nothing more to come.
    pub ended: bool,
}

impl Lines {
    /// Nothing was read yet.
    pub fn new(stream: Stream) -> Lines {
        Lines { stream, rest: Vec::new(), ended: false }
    }

    /// Reads what is there, and hands on whole lines. Not more than a few times: a container that never stops talking must not keep
    /// the pod from its other duties.
    pub fn read(&mut self, pipe: &OwnedFd, container: usize, hooks: &mut dyn PodHooks) {
        for _ in 0..4 {
            let mut buffer = [0; 4096];
            match rustix::io::read(pipe, &mut buffer) {
                Ok(0) => {
                    self.ended = true;
                    return self.flush(container, hooks);
                }
                Ok(count) => self.take(&buffer[..count], container, hooks),
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => return,
                Err(_) => {
                    self.ended = true;
                    return;
                }
            }
        }
    }

    /// Reads all that is there now, after the container has ended.
    pub fn drain(&mut self, pipe: &OwnedFd, container: usize, hooks: &mut dyn PodHooks) {
        let mut polled = [rustix::event::PollFd::new(pipe, rustix::event::PollFlags::IN)];
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        while !self.ended && rustix::event::poll(&mut polled, Some(&now)).is_ok_and(|count| count > 0) {
            self.read(pipe, container, hooks);
        }
        self.flush(container, hooks);
    }

    fn take(&mut self, mut bytes: &[u8], container: usize, hooks: &mut dyn PodHooks) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(&bytes[..end]);
            hooks.line(container, self.stream, &self.rest);
            self.rest.clear();
            bytes = &bytes[end + 1..];
        }
        self.rest.extend_from_slice(bytes);
        if self.rest.len() >= LONGEST {
            self.flush(container, hooks);
        }
    }

    fn flush(&mut self, container: usize, hooks: &mut dyn PodHooks) {
        if !self.rest.is_empty() {
            hooks.line(container, self.stream, &self.rest);
            self.rest.clear();
        }
    }
}
