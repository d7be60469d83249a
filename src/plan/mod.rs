//! Policy + host facts -> an ordered list of steps.
//!
//! The plan is the only thing that is performed: `nsl plan` prints these very steps, `execute` performs these
//! very steps. A step carries all that it needs, so the printed plan is the whole truth about a run.

mod step;

pub use step::*;
