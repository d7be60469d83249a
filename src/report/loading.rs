//! Texts that cannot be had.

use super::Diagnostic;
use crate::source::{LoadError, MAX_SIZE};

/// The finding for a text that cannot be had. Who has a statement that asked for it adds that as label.
pub fn unreadable(name: &str, error: &LoadError) -> Diagnostic {
    match error {
        LoadError::Missing => Diagnostic::error("file-missing", format!("there is no file `{name}`")).help(
            "check the path; a relative one starts at the working directory, in `use` at the file with the `use`",
        ),
        LoadError::Directory => Diagnostic::error("file-not-regular", format!("`{name}` is a directory"))
            .help(format!("name a file in it, or `nsl check {name}` to check all of them")),
        LoadError::NotRegular => {
            Diagnostic::error("file-not-regular", format!("`{name}` is a device, a FIFO or a socket"))
                .help("name a file; `nsl check -` reads the standard input")
        }
        LoadError::TooLarge => {
            Diagnostic::error("file-too-large", format!("`{name}` is longer than {} MiB", MAX_SIZE >> 20))
                .help("is it a policy? Move what several policies share to a module of its own, and `use` that")
        }
        LoadError::NotUtf8(offset) => {
            Diagnostic::error("file-not-utf8", format!("`{name}` is not UTF-8 text: byte {} is wrong", offset + 1))
                .help(format!("`iconv -f LATIN1 -t UTF-8 {name}` converts the most common other encoding"))
        }
        LoadError::Io(reason) => Diagnostic::error("file-unreadable", format!("`{name}` cannot be read: {reason}"))
            .help(format!("`ls -l {name}` shows who may read it")),
    }
}
