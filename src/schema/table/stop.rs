//! The rows of `stop`.

use super::*;

pub(super) const STOP: &[Field] = &[
    weaker(setting("stop", "after", Ty::Duration, "never", "the longest it may run"), "longer, or removed"),
    setting("stop", "signal", Ty::Signal, "TERM", "what the program is asked to end with"),
    setting("stop", "timeout", Ty::Duration, "10s", "how long it may take to end before it is killed"),
];
