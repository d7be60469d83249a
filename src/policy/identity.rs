//! Who the program is inside, and who that is outside.

use serde::Serialize;

use super::{Mode, Traced};

/// user_namespaces(7)
#[derive(Clone, Debug, Serialize)]
pub struct User {
    /// Where the namespace comes from.
    pub mode: Traced<Mode>,
    /// `map uid IN = OUT`
    pub uid_map: Vec<Traced<IdMap>>,
    /// `map gid IN = OUT`
    pub gid_map: Vec<Traced<IdMap>>,
    /// `as = UID`: the id the program has inside. Where not stated: the first mapped one.
    pub uid: Option<Traced<u32>>,
    /// `group = GID`. Where not stated: the number of `as` where that is a mapped gid, or the first mapped one.
    pub gid: Option<Traced<u32>>,
    /// `groups = [GID]`: supplementary groups; none where not stated.
    pub groups: Option<Traced<Vec<u32>>>,
    /// `setgroups = allow | deny`, as in /proc/PID/setgroups; the kernel's needs decide where not stated.
    pub setgroups: Option<Traced<bool>>,
}

/// One line of a map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IdMap {
    /// The first id inside.
    pub inside: u32,
    /// What it is outside.
    pub outside: Outside,
}

/// What an id is outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outside {
    /// The caller's own id.
    Caller,
    /// The caller's own id, or, when the caller is root, one allotted from a subordinate range.
    Unprivileged,
    /// The caller's subordinate ids (subuid(5), subgid(5)), this many, from the first.
    Subid {
        /// How many.
        count: u32,
    },
    /// Ids by number.
    Outer {
        /// The first id outside.
        id: u32,
        /// How many.
        count: u32,
    },
}

impl Outside {
    /// How many ids it covers.
    pub fn count(&self) -> u32 {
        match self {
            Outside::Caller | Outside::Unprivileged => 1,
            Outside::Subid { count } | Outside::Outer { count, .. } => *count,
        }
    }
}

/// capabilities(7)
#[derive(Clone, Debug, Default, Serialize)]
pub struct Caps {
    /// `keep NAME`: canonical names without `CAP_`, lower case (`net_raw`). None is kept that is not named.
    pub keep: Vec<Traced<String>>,
    /// `ambient NAME`: kept and raised in the ambient set.
    pub ambient: Vec<Traced<String>>,
    /// `keep none`, where it is written.
    pub none: Option<Traced<()>>,
}
