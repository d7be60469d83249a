//! What a sandbox uses: from its cgroups where they count it, and otherwise summed up over its processes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::state::Record;

/// Hundredths of a second: sysconf(_SC_CLK_TCK) is 100 on every architecture that is supported.
const TICKS_PER_SECOND: u64 = 100;

/// What a sandbox uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// CPU time, microseconds. Without a cgroup that counts it: that of processes which still live.
    pub cpu: u64,
    /// Memory, bytes: of the cgroup, or what its processes have resident, where shared pages count for each.
    pub memory: u64,
    /// Processes and threads.
    pub pids: u64,
}

/// The processes of a host by parent, read once for many sandboxes.
#[derive(Debug, Default)]
pub struct Table {
    children: BTreeMap<i32, Vec<i32>>,
}

impl Table {
    /// Looks at every process.
    pub fn read() -> Table {
        let mut table = Table::default();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|it| it.parse::<i32>().ok()) else { continue };
            let Some(parent) = stat(pid).and_then(|fields| fields.get(1).copied()) else { continue };
            table.children.entry(parent as i32).or_default().push(pid);
        }
        table
    }

    fn below(&self, root: i32) -> Vec<i32> {
        let mut found = vec![root];
        let mut next = 0;
        while let Some(pid) = found.get(next) {
            let children = self.children.get(pid).cloned().unwrap_or_default();
            found.extend(children);
            next += 1;
        }
        found
    }
}

/// What a sandbox uses now.
pub fn usage(record: &Record, table: &Table) -> Usage {
    let cgroups = || record.cgroups.iter();
    let cpu = cgroups().find_map(|dir| cpu_of(dir));
    let memory = cgroups()
        .find_map(|dir| number(&dir.join("memory.current")).or_else(|| number(&dir.join("memory.usage_in_bytes"))));
    let pids = cgroups().find_map(|dir| number(&dir.join("pids.current")));
    if let (Some(cpu), Some(memory), Some(pids)) = (cpu, memory, pids) {
        return Usage { cpu, memory, pids };
    }
    let Some(root) = record.init.or(record.program) else { return Usage::default() };
    let mut sum = Usage::default();
    for fields in table.below(root.pid).into_iter().filter_map(stat) {
        // proc_pid_stat(5), from field 3 on: utime is 14, stime 15, num_threads 20, rss 24.
        let field = |number: usize| fields.get(number - 3).copied().unwrap_or(0).max(0) as u64;
        sum.cpu += (field(14) + field(15)) * 1_000_000 / TICKS_PER_SECOND;
        sum.pids += field(20);
        sum.memory += field(24) * rustix::param::page_size() as u64;
    }
    Usage { cpu: cpu.unwrap_or(sum.cpu), memory: memory.unwrap_or(sum.memory), pids: pids.unwrap_or(sum.pids) }
}

/// cpu.stat of v2; cpuacct.usage of v1, which shares its hierarchy with cpu where it is there.
fn cpu_of(dir: &Path) -> Option<u64> {
    let stat = fs::read_to_string(dir.join("cpu.stat")).ok();
    let v2 = stat.and_then(|text| text.lines().find_map(|line| line.strip_prefix("usage_usec ")?.parse().ok()));
    v2.or_else(|| number(&dir.join("cpuacct.usage")).map(|it| it / 1000))
}

fn number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// The fields of proc_pid_stat(5) from the third on; the state, which is a letter, is 0.
fn stat(pid: i32) -> Option<Vec<i64>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(text.rsplit_once(')')?.1.split_whitespace().map(|it| it.parse().unwrap_or(0)).collect())
}
