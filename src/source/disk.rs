//! Texts of the disk.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::{LoadError, Loader, MAX_SIZE};

/// Longer than most policies, bytes.
const USUAL: usize = 8192;

/// Reads files; never waits for one, and never reads more than [`MAX_SIZE`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Loader for Disk {
    fn load(&self, path: &Path) -> Result<String, LoadError> {
        // Opening can do things (a tape rewinds, a watchdog starts), so look first; and look again at what was
        // opened, as the path can mean something else by then.
        check(&fs::metadata(path).map_err(failure)?)?;
        // O_NONBLOCK: a FIFO that took the file's place must not make us wait for a writer.
        let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(failure)?;
        check(&file.metadata().map_err(failure)?)?;
        read(file)
    }
}

/// The text of the standard input, which may be a pipe or a terminal.
pub fn load_stdin() -> Result<String, LoadError> {
    read(std::io::stdin().lock())
}

fn check(meta: &Metadata) -> Result<(), LoadError> {
    match () {
        () if meta.is_dir() => Err(LoadError::Directory),
        () if !meta.is_file() => Err(LoadError::NotRegular),
        () if meta.len() > MAX_SIZE => Err(LoadError::TooLarge),
        () => Ok(()),
    }
}

/// The size that a file states is not trusted: those of /proc state none, and a file can grow.
fn read(from: impl Read) -> Result<String, LoadError> {
    let mut bytes = Vec::with_capacity(USUAL);
    from.take(MAX_SIZE + 1).read_to_end(&mut bytes).map_err(failure)?;
    if bytes.len() as u64 > MAX_SIZE {
        return Err(LoadError::TooLarge);
    }
    String::from_utf8(bytes).map_err(|error| LoadError::NotUtf8(error.utf8_error().valid_up_to()))
}

pub(super) fn failure(error: std::io::Error) -> LoadError {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => LoadError::Missing,
        ErrorKind::IsADirectory => LoadError::Directory,
        ErrorKind::PermissionDenied => LoadError::Io("permission denied".to_string()),
        _ => LoadError::Io(words(&error)),
    }
}

/// The kernel's words without Rust's `(os error 5)`.
fn words(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    fn load(path: &str) -> Result<String, LoadError> {
        Disk.load(Path::new(path))
    }

    #[test]
    fn what_is_no_text_is_refused_at_once() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
        nix::unistd::mkfifo(&dir.path().join("fifo"), nix::sys::stat::Mode::S_IRWXU).expect("our own folder");
        fs::write(path("latin"), b"a = \"\xe9\"").expect("our own folder");
        File::create(path("large")).and_then(|file| file.set_len(100 << 20)).expect("our own folder");
        assert_eq!(load(&path("fifo")), Err(LoadError::NotRegular));
        assert_eq!(load(&path("latin")), Err(LoadError::NotUtf8(5)));
        assert_eq!(load(&path("large")), Err(LoadError::TooLarge));
        assert_eq!(load(&path("none")), Err(LoadError::Missing));
        assert_eq!(load(&path("latin/below")), Err(LoadError::Missing));
        assert_eq!(load(&path("")), Err(LoadError::Directory));
        assert_eq!(load("/dev/zero"), Err(LoadError::NotRegular));
        assert!(matches!(load("/proc/self/mem"), Err(LoadError::Io(_))));
        assert!(load("/proc/self/status").is_ok_and(|text| text.starts_with("Name:")));
    }

    #[test]
    fn an_endless_stream_is_too_large() {
        assert_eq!(read(std::io::repeat(b'a')), Err(LoadError::TooLarge));
        assert_eq!(read(&b"a"[..]), Ok("a".to_string()));
    }
}
