//! Text -> tree. Nobody else sees a pest `Rule`; parsing never fails, it yields errors as nodes.
//!
//! A text goes through three hands: [`braces`] balances its brackets, so that one that is missing is blamed where it was opened
//! and cannot swallow the rest; the grammar (`grammar/nsl.pest`) reads it line by line, and what it cannot read becomes
//! junk; [`explain`] says what is wrong with each piece of junk.

pub mod ast;
mod braces;
mod explain;
mod lower;
mod outline;
mod parse;

pub use outline::{Outline, outline};
pub use parse::{parse, parse_range, parse_value};
