//! Limits that mean nothing, or too little to start with.

use crate::policy::Sandbox;
use crate::report::Diagnostic;

pub(super) fn check(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let cgroup = &sandbox.cgroup;
    if let Some(memory) = &cgroup.memory_max {
        if memory.value < 1 << 20 {
            out.push(
                Diagnostic::error(
                    "memory-too-small",
                    format!("{} bytes are less than starting a process needs", memory.value),
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
        if cgroup.memory_swap_max.is_none() && !memory.is_implied() {
            out.push(
                Diagnostic::advice("memory-without-swap", "beyond its memory the sandbox may fill the host's swap")
                    .label(memory.span(), "limits memory, not swap")
                    .help("add `memory.swap.max = 0B`"),
            );
        }
    }
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
    if let Some(cpu) = cgroup.cpu_max.as_ref().filter(|it| it.value < 10) {
        out.push(
            Diagnostic::error("cpu-quota-tiny", "the kernel takes no share below 1%")
                .label(cpu.span(), "less than 1 ms of 100 ms")
                .help("write `1%` at the least"),
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
