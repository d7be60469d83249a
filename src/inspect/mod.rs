//! Looks at what runs, and says it as data; nothing is changed here.

mod ps;
mod usage;

pub use ps::{Row, cpu_share, duration, rows, size, table};
pub use usage::{Table, Usage, usage};
