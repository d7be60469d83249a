//! Looks at what runs, and says it as data; nothing is changed here.

mod differences;
mod drift;
mod kinds;
mod listing;
mod overview;
mod process;
mod ps;
mod usage;

pub use differences::{Difference, Side, differences};
pub use drift::{Drift, from_file, from_kernel};
pub use kinds::{KINDS, Kind, kind};
pub use listing::{Branches, namespaces_table, namespaces_tree};
pub use overview::{Overview, overview, overview_text};
pub use process::{MountFacts, ProcessFacts};
pub use ps::{Row, cpu_share, duration, rows, size, table};
pub use usage::{Table, Usage, usage};
