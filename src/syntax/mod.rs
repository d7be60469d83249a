//! Text -> tree. Nobody else sees a pest `Rule`; parsing never fails, it yields errors as nodes.
//!
//! A text goes through three hands: `repair` sees to it that every bracket and quote has its partner, so that one that is
//! missing is blamed where it was opened and cannot swallow the rest; the grammar (`grammar/nsl.pest`) reads it line by line;
//! `lower` and `value` make the tree. The grammar reads common slips as if they were right, and `slips` reports them; what it
//! cannot read at all is left to `explain`.

pub mod ast;
mod balance;
mod characters;
mod expected;
mod explain;
mod kept;
mod lower;
mod number;
mod outline;
mod parse;
mod place;
mod quotes;
mod repair;
mod slips;
mod spans;
mod splice;
mod tokens;
mod value;

pub use kept::keep;
pub use outline::{Outline, outline};
pub use parse::{parse, parse_range, parse_value};
pub use tokens::{Token, TokenKind, tokens};
