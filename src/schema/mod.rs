//! THE table of what can be written: blocks, fields, types, units, docs, kernel needs; and the words of the
//! kernel that values are made of.

pub mod constants;
pub mod names;
mod sorted;
pub mod syscalls;
