//! The section `cgroup`.

use super::read::*;
use super::*;

/// CPUs and memory nodes have numbers below this: CONFIG_NR_CPUS and MAX_NUMNODES are 8192 and 1024 at the most.
const MOST: u32 = 8192;

impl Lower<'_, '_> {
    pub(super) fn cgroup(&mut self) -> Cgroup {
        Cgroup {
            mode: self.mode("cgroup"),
            memory_max: self.setting("cgroup.memory.max", size),
            memory_high: self.setting("cgroup.memory.high", size),
            memory_low: self.setting("cgroup.memory.low", size),
            memory_min: self.setting("cgroup.memory.min", size),
            memory_swap_max: self.setting("cgroup.memory.swap.max", size),
            memory_oom_group: self.setting("cgroup.memory.oom.group", boolean),
            pids_max: self.setting("cgroup.pids.max", count),
            cpu_max: self.setting("cgroup.cpu.max", quota),
            cpu_period: self.setting("cgroup.cpu.max", period),
            cpu_weight: self.setting("cgroup.cpu.weight", count),
            cpuset_cpus: self.numbers("cgroup.cpuset.cpus"),
            cpuset_mems: self.numbers("cgroup.cpuset.mems"),
            io_max: self.io_max(),
            io_weight: self.setting("cgroup.io.weight", count),
            hugetlb_max: self.hugetlb_max(),
        }
    }

    /// A list of CPUs or nodes: `"0-3,8"`, `[0, 1]`.
    pub(super) fn numbers(&mut self, key: &str) -> Option<Traced<Vec<u32>>> {
        let found = self.setting(key, |it| Some(it.clone()))?;
        match numbers(&found.value) {
            Ok(list) => Some(found.map(|_| list)),
            Err(reason) => {
                self.cx.report(
                    Diagnostic::error("bad-number-list", format!("this is no list of numbers: {reason}"))
                        .label(found.value.span, "of CPUs or memory nodes")
                        .help("write `\"0-3,8\"` as the kernel does (cpuset(7)), or `[0, 1]`"),
                );
                None
            }
        }
    }

    fn io_max(&mut self) -> Vec<Traced<IoMax>> {
        let mut limits = Vec::new();
        for found in self.entries("cgroup.io.max") {
            let (Some(device), Some(val)) = (found.payload.labels.first().and_then(text), &found.payload.value) else {
                continue;
            };
            let Value::Variant(_, args) = &val.value else { continue };
            let limit = IoMax {
                device,
                rbps: argument(args, "rbps").and_then(size),
                wbps: argument(args, "wbps").and_then(size),
                riops: argument(args, "riops").and_then(count),
                wiops: argument(args, "wiops").and_then(count),
            };
            limits.push(Traced { value: limit, origin: found.origin.clone(), strength: found.payload.strength });
        }
        limits
    }

    fn hugetlb_max(&mut self) -> Vec<Traced<HugetlbMax>> {
        let read = |found: &Candidate| {
            let page = found.payload.labels.first().and_then(size)?;
            let max = found.payload.value.as_deref().and_then(size)?;
            Some(Traced {
                value: HugetlbMax { page, max },
                origin: found.origin.clone(),
                strength: found.payload.strength,
            })
        };
        self.entries("cgroup.hugetlb.max").iter().filter_map(read).collect()
    }
}

/// `150%`, `quota(150%, period: 20ms)`
fn quota(val: &Val) -> Option<u64> {
    match &val.value {
        Value::Variant(_, args) => argument(args, "share").and_then(percent),
        _ => percent(val),
    }
}

/// Microseconds.
fn period(val: &Val) -> Option<u64> {
    match &val.value {
        Value::Variant(_, args) => u64::try_from(argument(args, "period").and_then(duration)?).ok().map(|it| it / 1000),
        _ => None,
    }
}

fn numbers(val: &Val) -> Result<Vec<u32>, String> {
    let mut list = Vec::new();
    let number = |text: &str| match text.parse::<u32>() {
        Ok(number) if number < MOST => Ok(number),
        Ok(number) => Err(format!("there is no number {number}, the highest is {}", MOST - 1)),
        Err(_) => Err(format!("`{text}` is no number")),
    };
    match &val.value {
        Value::List(items) => {
            for item in items {
                list.push(number(&count(item).unwrap_or(u64::MAX).to_string())?);
            }
        }
        _ => {
            for part in text(val).unwrap_or_default().split(',') {
                let (first, last) = part.split_once('-').unwrap_or((part, part));
                let (first, last) = (number(first.trim())?, number(last.trim())?);
                if first > last {
                    return Err(format!("`{}` counts down", part.trim()));
                }
                list.extend(first..=last);
            }
        }
    }
    list.sort_unstable();
    list.dedup();
    if list.is_empty() { Err("it is empty".to_string()) } else { Ok(list) }
}
