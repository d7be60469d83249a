//! The section `time`.

use super::read::*;
use super::*;

impl Lower<'_, '_> {
    pub(super) fn time(&mut self) -> Time {
        if let Some(found) = self.settled.get("time.realtime") {
            let span = found.origin.span;
            self.cx.report(
                Diagnostic::error("no-realtime-offset", "the calendar clock is not part of time namespaces")
                    .label(span, "the kernel has no such offset")
                    .help("delete the line: only `monotonic` and `boottime` have offsets (time_namespaces(7))"),
            );
        }
        Time {
            mode: self.mode("time"),
            monotonic: self.setting("time.monotonic", duration),
            boottime: self.setting("time.boottime", duration),
        }
    }
}
