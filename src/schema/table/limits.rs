//! The rows of `limits`.

use super::*;

const fn rlimit(head: &'static str, ty: Ty, doc: &'static str) -> Field {
    weaker(setting("limits", head, ty, "the caller's", doc), "larger, or removed")
}

const SIZE_LIMIT: Ty = Ty::Any(&[Ty::Size, Ty::Symbol(&["unlimited"])]);
const COUNT_LIMIT: Ty = Ty::Any(&[Ty::Int(0, i64::MAX as i128), Ty::Symbol(&["unlimited"])]);
const TIME_LIMIT: Ty = Ty::Any(&[Ty::Duration, Ty::Symbol(&["unlimited"])]);

pub(super) const LIMITS: &[Field] = &[
    rlimit("as", SIZE_LIMIT, "address space"),
    rlimit("core", SIZE_LIMIT, "size of a core file"),
    rlimit("cpu", TIME_LIMIT, "CPU time"),
    rlimit("data", SIZE_LIMIT, "data segment"),
    rlimit("fsize", SIZE_LIMIT, "size of a file that is written"),
    rlimit("locks", COUNT_LIMIT, "file locks (no effect since Linux 2.4)"),
    rlimit("memlock", SIZE_LIMIT, "locked memory"),
    rlimit("msgqueue", SIZE_LIMIT, "POSIX message queues"),
    rlimit("nice", COUNT_LIMIT, "ceiling of the nice value, 20 minus it"),
    rlimit("nofile", COUNT_LIMIT, "file descriptors"),
    rlimit("nproc", COUNT_LIMIT, "processes of the user"),
    rlimit("rss", SIZE_LIMIT, "resident set (no effect since Linux 2.4)"),
    rlimit("rtprio", COUNT_LIMIT, "real-time priority"),
    rlimit("rttime", TIME_LIMIT, "real-time CPU time without a blocking call"),
    rlimit("sigpending", COUNT_LIMIT, "queued signals"),
    rlimit("stack", SIZE_LIMIT, "stack"),
];
