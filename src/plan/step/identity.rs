//! What steps say of id maps.

use serde::{Deserialize, Serialize};

/// A whole id map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdMapping {
    /// The lines of the map.
    pub lines: Vec<MapLine>,
    /// The absolute path of newuidmap or newgidmap, where it must write the map.
    pub helper: Option<String>,
}

/// One line of /proc/PID/uid_map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapLine {
    /// The first id inside.
    pub inside: u32,
    /// The first id outside.
    pub outside: u32,
    /// How many.
    pub count: u32,
}
