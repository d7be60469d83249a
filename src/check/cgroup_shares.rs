//! Limits of a cgroup beside its most memory: the protections below it, shares of CPUs and disks, huge pages.

use super::text::bytes;
use crate::host::{HostFacts, PathKind};
use crate::policy::{Cgroup, Sandbox};
use crate::report::Diagnostic;

/// The period of cpu.max where none is stated, microseconds.
const PERIOD: u64 = 100_000;
/// The shortest and the longest that the kernel takes, microseconds (kernel/sched/core.c).
const PERIODS: std::ops::RangeInclusive<u64> = 1_000..=1_000_000;
/// The least that it gives in a period, microseconds.
const LEAST_QUOTA: u64 = 1_000;

pub(super) fn check(cgroup: &Cgroup, out: &mut Vec<Diagnostic>) {
    memory(cgroup, out);
    cpu(cgroup, out);
    disks(cgroup, out);
    huge_pages(cgroup, out);
}

fn memory(cgroup: &Cgroup, out: &mut Vec<Diagnostic>) {
    if let (Some(high), Some(max)) = (&cgroup.memory_high, &cgroup.memory_max)
        && high.value >= max.value
    {
        out.push(
            Diagnostic::warning(
                "memory-high-above-max",
                format!("`memory.high` is never reached, as `memory.max` is {}", bytes(max.value)),
            )
            .label(high.span(), "slows down from here on")
            .label(max.span(), "kills from here on")
            .help(format!("write less than {}", bytes(max.value))),
        );
    }
    let most = [&cgroup.memory_high, &cgroup.memory_max].into_iter().flatten().min_by_key(|it| it.value);
    for kept in [&cgroup.memory_low, &cgroup.memory_min].into_iter().flatten() {
        let Some(most) = most.filter(|it| it.value < kept.value) else { continue };
        out.push(
            Diagnostic::warning(
                "memory-kept-above-max",
                format!("{} are kept for a sandbox that may have {}", bytes(kept.value), bytes(most.value)),
            )
            .label(kept.span(), "kept from others")
            .label(most.span(), "all it may have")
            .help(format!("keep {} at the most", bytes(most.value))),
        );
    }
    if let (Some(group), None) = (&cgroup.memory_oom_group, &cgroup.memory_max)
        && group.value
    {
        out.push(
            Diagnostic::advice(
                "oom-group-alone",
                "without `memory.max` the sandbox dies only when the host has no memory",
            )
            .label(group.span(), "all of it together")
            .help("add `memory.max = …`"),
        );
    }
}

fn cpu(cgroup: &Cgroup, out: &mut Vec<Diagnostic>) {
    let Some(cpu) = &cgroup.cpu_max else { return };
    let period = cgroup.cpu_period.as_ref().map_or(PERIOD, |it| it.value);
    if !PERIODS.contains(&period) {
        out.push(
            Diagnostic::error("cpu-period", "the kernel takes periods from 1 ms to 1 s")
                .label(cpu.span(), "another one is asked for here")
                .help("write `period: 100ms`, or leave it out"),
        );
    } else if cpu.value.saturating_mul(period) / 1000 < LEAST_QUOTA {
        let least = (LEAST_QUOTA * 100).div_ceil(period);
        out.push(
            Diagnostic::error("cpu-quota-tiny", format!("the kernel takes no share below {least}% of this period"))
                .label(cpu.span(), format!("less than 1 ms of {} ms", period as f64 / 1000.0))
                .help(format!("write `{least}%` at the least")),
        );
    }
    let cpus = cgroup.cpuset_cpus.as_ref().filter(|it| cpu.value > 1000 * it.value.len() as u64);
    if let Some(cpus) = cpus {
        out.push(
            Diagnostic::advice(
                "cpu-quota-above-cpus",
                format!("{}% are more than {} CPUs have", cpu.value / 10, cpus.value.len()),
            )
            .label(cpu.span(), "100% is one CPU")
            .label(cpus.span(), "the CPUs that it runs on")
            .help("write 100% for each of them at the most, or delete the line"),
        );
    }
}

fn disks(cgroup: &Cgroup, out: &mut Vec<Diagnostic>) {
    for limit in &cgroup.io_max {
        let rates = [limit.value.rbps, limit.value.wbps, limit.value.riops, limit.value.wiops];
        let message = match () {
            () if rates.iter().all(Option::is_none) => format!("nothing is said of {}", limit.value.device),
            // The kernel takes no 0: it would be a disk that answers never.
            () if rates.contains(&Some(0)) => "a disk cannot be limited to nothing".to_string(),
            () => continue,
        };
        out.push(
            Diagnostic::error("io-max-empty", message)
                .label(limit.span(), "limits what?")
                .help("write what may be moved in a second, as in `rates(rbps: 10MiB, wiops: 100)`"),
        );
    }
}

fn huge_pages(cgroup: &Cgroup, out: &mut Vec<Diagnostic>) {
    for limit in &cgroup.hugetlb_max {
        let page = limit.value.page;
        if !page.is_power_of_two() || page < 64 << 10 {
            out.push(
                Diagnostic::error("hugetlb-page", format!("no huge page has {}", bytes(page)))
                    .label(limit.span(), "the size of a page")
                    .help("write a size that /sys/kernel/mm/hugepages has, such as `2MiB` or `1GiB`"),
            );
        } else if limit.value.max % page != 0 {
            out.push(
                Diagnostic::warning("hugetlb-part", format!("{} are no whole pages", bytes(limit.value.max)))
                    .label(limit.span(), "the kernel rounds down")
                    .help(format!("write a multiple of {}", bytes(page))),
            );
        }
    }
}

/// Disks that this host does not have.
pub(super) fn check_host(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    for limit in &sandbox.cgroup.io_max {
        let device = &limit.value.device;
        let message = match facts.paths.get(device).map(|it| it.kind) {
            Some(PathKind::Missing) => format!("there is no {device} on {}", facts.name),
            Some(PathKind::Forbidden | PathKind::Device) | None => continue,
            Some(_) => format!("{device} is no device"),
        };
        let finding = match limit.strength {
            crate::policy::Strength::Prefer => Diagnostic::warning("io-device", message),
            _ => Diagnostic::error("io-device", message),
        };
        out.push(
            finding.label(limit.span(), "a disk to limit").help(
                "name a whole disk: `lsblk -d` lists them; limits of a file system are those of the disk below it",
            ),
        );
    }
}
