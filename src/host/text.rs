//! Small files, each in one read.

use rustix::buffer::spare_capacity;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

/// Longer than nearly every file that is read here: `std::fs::read` would begin with 32 bytes for files that state no
/// size, as those of /proc, and the kernel makes the text anew for each read.
const USUAL: usize = 8192;

/// The text of a file; empty where it cannot be read, as most of these files are missing on some kernels.
pub(super) fn text(path: &str) -> String {
    match bytes(path) {
        Ok(bytes) => {
            String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
        }
        Err(_) => String::new(),
    }
}

/// Without asking how long it is, which files of /proc do not say.
fn bytes(path: &str) -> Result<Vec<u8>, Errno> {
    let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut bytes = Vec::with_capacity(USUAL);
    loop {
        match rustix::io::read(&file, spare_capacity(&mut bytes)) {
            Ok(0) => return Ok(bytes),
            Ok(_) => bytes.reserve(USUAL / 2),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// The words of a file.
pub(super) fn words(path: &str) -> Vec<String> {
    text(path).split_whitespace().map(str::to_string).collect()
}

/// The number that a file holds.
pub(super) fn number<T: std::str::FromStr>(path: &str) -> Option<T> {
    text(path).trim().parse().ok()
}
