//! How a sandbox ends, and the limits of each of its processes.

use super::text::{bytes, duration};
use crate::policy::{Rlimit, Sandbox, Traced};
use crate::report::Diagnostic;

/// Signals that end no program by themselves: signal(7).
const ENDS_NOTHING: [&str; 8] = ["CHLD", "CONT", "URG", "WINCH", "STOP", "TSTP", "TTIN", "TTOU"];

/// Below these a dynamically linked program does not come to its first line: resource, least value, what it is for.
const LEAST: [(&str, u64, &str); 4] = [
    ("as", 4 << 20, "a dynamic linker and a C library take some megabytes of address space"),
    ("data", 1 << 20, "a C library allocates before the program begins"),
    ("nofile", 4, "three descriptors are open already, and the dynamic linker opens libraries one by one"),
    ("stack", 128 << 10, "arguments and environment lie on the stack: execve(2)"),
];

pub(super) fn check(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    stop(sandbox, out);
    sandbox.limits.iter().for_each(|limit| rlimit(limit, out));
}

fn stop(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let stop = &sandbox.stop;
    for after in [&stop.after, &stop.cpu].into_iter().flatten().filter(|it| it.value == 0) {
        out.push(
            Diagnostic::error("stop-at-once", "the program would be ended before it starts")
                .label(after.span(), "no time at all")
                .help("write how long it may run, as in `after = 10s`, or delete the line"),
        );
    }
    let signal = &stop.signal;
    let name = signal.value.name.as_str();
    if ENDS_NOTHING.contains(&name) {
        out.push(
            Diagnostic::warning("stop-signal-harmless", format!("{name} ends no program by itself"))
                .label(
                    signal.span(),
                    format!("asked to end with this, and killed {} later", duration(stop.timeout.value)),
                )
                .help("write `signal = TERM`, or a signal that the program is known to end with"),
        );
    }
    if name == "KILL" && !signal.is_implied() && !stop.timeout.is_implied() {
        out.push(
            Diagnostic::advice("stop-timeout-unused", "KILL ends the program at once, so nothing is waited for")
                .label(stop.timeout.span(), "never waited for")
                .label(signal.span(), "cannot be handled")
                .help("delete `timeout`, or write `signal = TERM`"),
        );
    }
}

fn rlimit(limit: &Traced<Rlimit>, out: &mut Vec<Diagnostic>) {
    let Rlimit { resource, value } = &limit.value;
    if let Some((_, least, why)) = LEAST.iter().find(|(name, _, _)| name == resource)
        && value.is_some_and(|it| it < *least)
    {
        out.push(
            Diagnostic::warning("limit-too-small", format!("hardly any program starts with so little `{resource}`"))
                .label(limit.span(), *why)
                .help(format!("write `{resource} = {}` at the least", written(resource, *least))),
        );
    }
    if matches!(resource.as_str(), "locks" | "rss") {
        let instead = match resource.as_str() {
            "rss" => "delete the line, and limit memory with `memory.max` in `cgroup`",
            _ => "delete the line",
        };
        out.push(
            Diagnostic::warning("limit-without-effect", format!("no kernel since Linux 2.4 looks at `{resource}`"))
                .label(limit.span(), "limits nothing")
                .help(instead),
        );
    }
}

/// A value as it stands in a policy.
fn written(resource: &str, value: u64) -> String {
    if resource == "nofile" { value.to_string() } else { bytes(value) }
}
