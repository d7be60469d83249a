//! Limits for people, and in the spelling of the kernel's files.

use super::CgroupLimit;

/// The file of cgroup v2 and what is written to it.
pub(super) fn describe(limit: &CgroupLimit) -> String {
    match limit {
        CgroupLimit::MemoryMax(bytes) => format!("memory.max {bytes}"),
        CgroupLimit::MemoryHigh(bytes) => format!("memory.high {bytes}"),
        CgroupLimit::MemoryLow(bytes) => format!("memory.low {bytes}"),
        CgroupLimit::MemoryMin(bytes) => format!("memory.min {bytes}"),
        CgroupLimit::SwapMax { swap, .. } => format!("memory.swap.max {swap}"),
        CgroupLimit::OomGroup(together) => format!("memory.oom.group {}", u8::from(*together)),
        CgroupLimit::PidsMax(count) => format!("pids.max {count}"),
        CgroupLimit::CpuMax { thousandths, period: 100_000 } => format!("cpu.max {}%", *thousandths as f64 / 10.0),
        CgroupLimit::CpuMax { thousandths, period } => {
            format!("cpu.max {}% of {} ms", *thousandths as f64 / 10.0, *period as f64 / 1000.0)
        }
        CgroupLimit::CpuWeight(weight) => format!("cpu.weight {weight}"),
        CgroupLimit::CpusetCpus(cpus) => format!("cpuset.cpus {}", number_list(cpus)),
        CgroupLimit::CpusetMems(nodes) => format!("cpuset.mems {}", number_list(nodes)),
        CgroupLimit::IoMax(limit) => {
            let rates = [("rbps", limit.rbps), ("wbps", limit.wbps), ("riops", limit.riops), ("wiops", limit.wiops)];
            let rates = rates.into_iter().filter_map(|(name, rate)| Some(format!(" {name}={}", rate?)));
            format!("io.max {}{}", limit.device, rates.collect::<String>())
        }
        CgroupLimit::IoWeight(weight) => format!("io.weight {weight}"),
        CgroupLimit::CpuTime(time) => format!("CPU time {} ns", time),
        CgroupLimit::HugetlbMax(limit) => format!("hugetlb.{}.max {}", page_name(limit.page), limit.max),
    }
}

/// `0-3,8`: cpuset(7), "List format". The list is sorted.
pub fn number_list(numbers: &[u32]) -> String {
    let mut parts: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => parts.push((*number, *number)),
        }
    }
    let part = |(first, last): (u32, u32)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    parts.into_iter().map(part).collect::<Vec<_>>().join(",")
}

/// The size of a huge page as files have it: `2MB` for 2 MiB (mem_fmt in mm/hugetlb_cgroup.c).
pub fn page_name(page: u64) -> String {
    match page {
        page if page >= 1 << 30 => format!("{}GB", page >> 30),
        page if page >= 1 << 20 => format!("{}MB", page >> 20),
        page => format!("{}KB", page >> 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_listed_as_the_kernel_does() {
        assert_eq!(number_list(&[0]), "0");
        assert_eq!(number_list(&[0, 1, 2, 5, 8, 9]), "0-2,5,8-9");
        assert_eq!([64 << 10, 2 << 20, 1 << 30].map(page_name), ["64KB", "2MB", "1GB"]);
    }
}
