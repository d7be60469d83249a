//! What steps say of descriptors.

use serde::{Deserialize, Serialize};

use crate::policy::Stream;

/// One of the three standard streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum StdStream {
    Stdin,
    Stdout,
    Stderr,
}

impl StdStream {
    /// All three, by their number.
    pub const ALL: [StdStream; 3] = [StdStream::Stdin, StdStream::Stdout, StdStream::Stderr];

    /// Its number.
    pub fn number(self) -> u32 {
        self as u32
    }

    /// Its name in the language.
    pub fn name(self) -> &'static str {
        match self {
            StdStream::Stdin => "stdin",
            StdStream::Stdout => "stdout",
            StdStream::Stderr => "stderr",
        }
    }
}

/// What a descriptor of the program is a copy of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FdSource {
    /// What was opened for a standard stream.
    Opened(StdStream),
    /// Another descriptor of the program.
    Copy(u32),
    /// What the caller handed over under this name.
    Named(String),
}

/// What is opened for a standard stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenStream {
    /// Which.
    pub stream: StdStream,
    /// `null` or a file.
    pub to: Stream,
}
