//! What this machine, its kernel and the caller can do, as plain data.
//!
//! [`HostFacts`] comes from [`probe`], or from a file: `check` and `plan` cannot tell the two apart, so a
//! policy can be checked for a machine one is not on, and no test of theirs depends on where it runs.

mod cgroups;
mod facts;

pub use cgroups::CgroupPlace;
pub use facts::*;
