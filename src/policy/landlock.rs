//! The second wall.

use serde::{Deserialize, Serialize};

use super::{Port, Traced};

/// landlock(7): what the program and all that it starts can never do again, whatever privilege they gain.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Landlock {
    /// `files = tree`: rights on files as the tree of `mnt` grants them, and no mounts any more.
    pub files: Option<Traced<()>>,
    /// `tcp.bind`: the ports that can be bound, and no others.
    pub tcp_bind: Option<Traced<Vec<Port>>>,
    /// `tcp.connect`: the ports that can be connected to, and no others.
    pub tcp_connect: Option<Traced<Vec<Port>>>,
    /// `scope`: what cannot be reached outside of the sandbox.
    pub scope: Option<Traced<Vec<Scope>>>,
}

/// An ABI of Landlock, and the kernel that brought it: landlock(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LandlockAbi {
    /// Its number.
    pub number: u32,
    /// `5.19`
    pub since: &'static str,
}

impl Landlock {
    /// What `files` needs: with less, nothing could be renamed from one directory to another.
    pub const FILES: LandlockAbi = LandlockAbi { number: 2, since: "5.19" };
    /// What `tcp.bind` and `tcp.connect` need.
    pub const TCP: LandlockAbi = LandlockAbi { number: 4, since: "6.7" };
    /// What `scope` needs.
    pub const SCOPE: LandlockAbi = LandlockAbi { number: 6, since: "6.12" };
}

/// What Landlock keeps inside: Linux 6.12.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Signals to processes outside.
    Signal,
    /// Connections to abstract UNIX sockets that were made outside: unix(7).
    AbstractUnixSocket,
}

impl Scope {
    /// The word of the language.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Signal => "signal",
            Scope::AbstractUnixSocket => "abstract-unix-socket",
        }
    }
}
