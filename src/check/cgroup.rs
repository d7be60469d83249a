//! Limits that mean nothing, or too little to start with.

use super::cgroup_shares;
use super::text::bytes;
use crate::policy::{How, Mode, Sandbox};
use crate::report::Diagnostic;

/// Thousandths of one CPU: CONFIG_NR_CPUS is 8192 at the most.
const MANY_CPUS: u64 = 8192 * 1000;

pub(super) fn check(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let cgroup = &sandbox.cgroup;
    if let (Mode::Join(_), Some(limit)) = (&cgroup.mode.value, cgroup.limits().first()) {
        out.push(
            Diagnostic::error("limits-on-join", "these limits would be those of somebody else's cgroup")
                .label(limit.origin.span, "a limit")
                .label(cgroup.mode.span(), "the cgroup namespace of somebody else")
                .help("write `cgroup new`, or delete the limits"),
        );
    }
    if let Some(memory) = &cgroup.memory_max {
        if memory.value < 1 << 20 {
            out.push(
                Diagnostic::error(
                    "memory-too-small",
                    format!("{} is less than starting a process needs", bytes(memory.value)),
                )
                .label(memory.span(), "all the memory it has")
                .help("write 8MiB at the least"),
            );
        } else if memory.value < 8 << 20 {
            out.push(
                Diagnostic::warning("memory-tight", "few programs start with so little memory")
                    .label(memory.span(), "all the memory it has")
                    .help("write 8MiB at the least"),
            );
        }
        // What a profile has for want of anything better is not for those to mend who use it.
        let of_profile = memory.origin.how == How::Default && !memory.origin.via.is_empty();
        if cgroup.memory_swap_max.is_none() && !of_profile {
            out.push(
                Diagnostic::advice("memory-without-swap", "beyond its memory the sandbox may fill the host's swap")
                    .label(memory.span(), "limits memory, not swap")
                    .help("add `memory.swap.max = 0B`"),
            );
        }
    }
    cgroup_shares::check(cgroup, out);
    let needed = 1 + u64::from(sandbox.pid.init.value);
    if let Some(pids) = cgroup.pids_max.as_ref().filter(|it| it.value < needed) {
        out.push(
            Diagnostic::error(
                "pids-too-few",
                format!("{} is fewer than init and the program, which are {needed}", pids.value),
            )
            .label(pids.span(), "processes in all")
            .help(format!("write {needed} at the least")),
        );
    }
    if let Some(cpu) = cgroup.cpu_max.as_ref().filter(|it| it.value > MANY_CPUS) {
        out.push(
            Diagnostic::advice("cpu-quota-huge", format!("{} CPUs are more than any host has", cpu.value / 1000))
                .label(cpu.span(), "100% is one CPU")
                .help("write 100% for each CPU that the program may use, or delete the line"),
        );
    }
    if let (Some(swap), None) = (&cgroup.memory_swap_max, &cgroup.memory_max) {
        out.push(
            Diagnostic::warning("swap-without-memory", "a limit of swap alone is one that cgroup v1 cannot have")
                .label(swap.span(), "without `memory.max`")
                .help("add `memory.max = …`"),
        );
    }
}
