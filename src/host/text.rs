//! Small files, each in one read.

use std::fs::File;
use std::io::Read;

/// Longer than nearly every file that is read here: `std::fs::read` would begin with 32 bytes for files that state no
/// size, as those of /proc, and the kernel makes the text anew for each read.
const USUAL: usize = 8192;

/// The text of a file; empty where it cannot be read, as most of these files are missing on some kernels.
pub(super) fn text(path: &str) -> String {
    let mut bytes = Vec::with_capacity(USUAL);
    let read = File::open(path).and_then(|mut file| file.read_to_end(&mut bytes));
    match read {
        Ok(_) => {
            String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
        }
        Err(_) => String::new(),
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
