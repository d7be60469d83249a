//! The descriptors that a program starts with.

use serde::{Deserialize, Serialize};

use super::Traced;

/// What a program is given at 0, 1, 2 and above.
#[derive(Clone, Debug, Serialize)]
pub struct Stdio {
    /// `stdin`; `None`: the caller's.
    pub stdin: Option<Traced<Stream>>,
    /// `stdout`; `None`: the caller's.
    pub stdout: Option<Traced<Stream>>,
    /// `stderr`; `None`: the caller's.
    pub stderr: Option<Traced<Stream>>,
    /// `tty = new | none`; none where not stated.
    pub tty: Option<Traced<bool>>,
    /// `listen-fds`: whether the program is told of `fds` by the protocol of sd_listen_fds(3); no where not stated.
    pub listen_fds: Option<Traced<bool>>,
    /// `fd NAME = NUMBER`
    pub fds: Vec<Traced<PassedFd>>,
}

/// What a standard stream is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stream {
    /// The caller's own.
    Inherit,
    /// /dev/null of the host.
    Null,
    /// A file of the host.
    File {
        /// Its absolute path on the host.
        path: String,
        /// Whether it is written at its end (O_APPEND) and not emptied before.
        append: bool,
    },
    /// The same as the standard output.
    Stdout,
}

/// A descriptor that the caller hands over by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PassedFd {
    /// Its name on the command line.
    pub name: String,
    /// Its number inside, 3 or more.
    pub number: u32,
}
