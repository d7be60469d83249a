//! THE table of what can be written: blocks, fields, types, units, docs, kernel needs; and the words of the
//! kernel that values are made of.

pub mod constants;
pub mod meanings;
pub mod names;
mod reference;
mod sorted;
pub mod suggest;
pub mod syscalls;
mod table;
mod types;
mod variants;

pub use reference::reference;
pub use table::{CONTAINERS, PODS, SECTIONS, Section, fields, fields_of, find, place, section};
pub use types::{ArgKind, ArgSpec, Field, Shape, Ty, Variant};
