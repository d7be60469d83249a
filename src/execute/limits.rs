//! Limits of a cgroup: written through the controllers of cgroups-rs, and read back, on both versions of cgroups.
//!
//! cgroups-rs gives typed setters that report their errors; its `apply` and its builder swallow them, so neither is used. What it
//! has no setter for (memory.oom.group, io.weight of the cost model) or writes to another file than this kernel has is written here.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use cgroups_rs::fs::MaxValue;
use cgroups_rs::fs::blkio::BlkIoController;
use cgroups_rs::fs::cpu::CpuController;
use cgroups_rs::fs::cpuset::CpuSetController;
use cgroups_rs::fs::error::Error;
use cgroups_rs::fs::hugetlb::HugeTlbController;
use cgroups_rs::fs::memory::{MemController, SetMemory};
use cgroups_rs::fs::pid::PidController;

use super::cgroup::write;
use super::failure::{Context, Done, Failure};
use crate::host::listed;
use crate::plan::{CgroupDir, CgroupLimit, HugetlbMax, IoMax, number_list, page_name};

/// One cgroup of one version.
struct Place<'a> {
    v2: bool,
    path: &'a Path,
    root: PathBuf,
}

/// Writes a limit and reads it back: what the kernel rounded is fine, what it ignored is not.
pub fn put(dir: &CgroupDir, path: &Path, limit: &CgroupLimit) -> Done {
    let place = Place { v2: dir.version == 2, path, root: PathBuf::from(&dir.mount) };
    match limit {
        CgroupLimit::MemoryMax(bytes) => {
            let file = place.file("memory.max", "memory.limit_in_bytes");
            place.done(place.memory().set_limit(signed(*bytes)?), file, bytes)?;
            place.rounded(file, *bytes)
        }
        CgroupLimit::MemoryHigh(bytes) => place.protect("memory.high", *bytes, |set, value| set.high = Some(value)),
        CgroupLimit::MemoryLow(bytes) => place.protect("memory.low", *bytes, |set, value| set.low = Some(value)),
        CgroupLimit::MemoryMin(bytes) => place.protect("memory.min", *bytes, |set, value| set.min = Some(value)),
        CgroupLimit::SwapMax { swap, memory } => place.swap(*swap, *memory),
        CgroupLimit::OomGroup(together) => place.write("memory.oom.group", u64::from(*together)),
        CgroupLimit::PidsMax(count) => {
            let max = MaxValue::Value(signed(*count)?);
            let controller = PidController::new(place.path.into(), place.root.clone(), place.v2);
            place.done(controller.set_pid_max(max), "pids.max", count)?;
            place.rounded("pids.max", *count)
        }
        CgroupLimit::CpuMax { thousandths, period } => place.quota(*thousandths, *period),
        CgroupLimit::CpuWeight(weight) => place.cpu_weight(*weight),
        CgroupLimit::CpusetCpus(numbers) => place.cpuset("cpus", numbers),
        CgroupLimit::CpusetMems(numbers) => place.cpuset("mems", numbers),
        CgroupLimit::IoMax(limit) => place.io_max(limit),
        CgroupLimit::IoWeight(weight) => place.io_weight(*weight),
        CgroupLimit::HugetlbMax(limit) => place.hugetlb(*limit),
        CgroupLimit::CpuTime(_) => match super::cgroup::cpu_time(path) {
            Some(_) => Ok(()),
            None => Err(Failure::refused(format!("{} does not count CPU time", path.display()))),
        },
    }
}

impl Place<'_> {
    fn file(&self, v2: &'static str, v1: &'static str) -> &'static str {
        if self.v2 { v2 } else { v1 }
    }

    fn has(&self, file: &str) -> bool {
        self.path.join(file).exists()
    }

    fn read(&self, file: &str) -> Done<String> {
        let path = self.path.join(file);
        fs::read_to_string(&path).context(|| format!("reading {}", path.display()))
    }

    /// Writes a number that is kept as it is.
    fn write(&self, file: &str, value: u64) -> Done {
        write(&self.path.join(file), &value.to_string())?;
        let text = self.read(file)?;
        // `default 100` of io.weight.
        match text.split_whitespace().any(|it| it == value.to_string()) {
            true => Ok(()),
            false => Err(self.ignored(file, &text, &value.to_string())),
        }
    }

    /// What a setter of cgroups-rs says, with the errno at the bottom of it.
    fn done(&self, result: Result<(), Error>, file: &str, value: impl ToString) -> Done {
        let Err(error) = result else { return Ok(()) };
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        let mut errno = 0;
        while let Some(it) = cause {
            errno = it.downcast_ref::<std::io::Error>().and_then(|it| it.raw_os_error()).unwrap_or(errno);
            cause = it.source();
        }
        let path = self.path.join(file);
        Err(Failure { errno, detail: format!("writing {} to {}", value.to_string(), path.display()) })
    }

    fn ignored(&self, file: &str, text: &str, wanted: &str) -> Failure {
        let path = self.path.join(file);
        Failure::refused(format!("{} reads `{}` after {wanted} was written", path.display(), text.trim()))
    }

    /// The kernel counts memory in pages and rounds down.
    fn rounded(&self, file: &str, wanted: u64) -> Done {
        let text = self.read(file)?;
        let found: Option<u64> = text.split_whitespace().next().and_then(|it| it.parse().ok());
        match found {
            Some(found) if found <= wanted && wanted - found < 65536 => Ok(()),
            _ => Err(self.ignored(file, &text, &wanted.to_string())),
        }
    }

    fn memory(&self) -> MemController {
        MemController::new(self.path.into(), self.root.clone(), self.v2)
    }

    fn protect(&self, file: &str, bytes: u64, of: fn(&mut SetMemory, MaxValue)) -> Done {
        let mut set = SetMemory { low: None, high: None, min: None, max: None };
        of(&mut set, MaxValue::Value(signed(bytes)?));
        self.done(self.memory().set_mem(set), file, bytes)?;
        self.rounded(file, bytes)
    }

    fn swap(&self, swap: u64, memory: Option<u64>) -> Done {
        let (file, value) = match (self.v2, memory) {
            (true, _) => ("memory.swap.max", swap),
            (false, Some(memory)) => ("memory.memsw.limit_in_bytes", memory.saturating_add(swap)),
            // v1 counts memory and swap together, and takes that only on top of a limit of memory.
            (false, None) => {
                return Err(Failure::refused("cgroup v1 limits swap only together with `memory.max`"));
            }
        };
        self.done(self.memory().set_memswap_limit(signed(value)?), file, value)?;
        self.rounded(file, value)
    }

    fn cpu(&self) -> CpuController {
        CpuController::new(self.path.into(), self.root.clone(), self.v2)
    }

    fn quota(&self, thousandths: u64, period: u64) -> Done {
        let quota = thousandths.saturating_mul(period) / 1000;
        let file = self.file("cpu.max", "cpu.cfs_quota_us");
        if !self.v2 {
            // The period first: a quota may be too long for the one before, and both are checked together.
            self.done(self.cpu().set_cfs_period(period), "cpu.cfs_period_us", period)?;
        }
        self.done(self.cpu().set_cfs_quota_and_period(Some(signed(quota)?), Some(period)), file, quota)?;
        let text = if self.v2 {
            self.read(file)?
        } else {
            format!("{} {}", self.read(file)?.trim(), self.read("cpu.cfs_period_us")?)
        };
        let found: Vec<u64> = text.split_whitespace().filter_map(|it| it.parse().ok()).collect();
        if found == [quota, period] { Ok(()) } else { Err(self.ignored(file, &text, &format!("{quota} {period}"))) }
    }

    fn cpu_weight(&self, weight: u64) -> Done {
        // What everybody has is 100 on v2 and 1024 on v1; below 2 the kernel takes 2.
        let value = if self.v2 { weight } else { (weight * 1024 / 100).max(2) };
        let file = self.file("cpu.weight", "cpu.shares");
        self.done(self.cpu().set_shares(value), file, value)?;
        self.rounded(file, value)
    }

    fn cpuset(&self, which: &str, numbers: &[u32]) -> Done {
        let (file, list) = (format!("cpuset.{which}"), number_list(numbers));
        let controller = CpuSetController::new(self.path.into(), self.root.clone(), self.v2);
        let written = if which == "cpus" { controller.set_cpus(&list) } else { controller.set_mems(&list) };
        self.done(written, &file, &list)?;
        // v2 takes what the parent has not, and then gives all that the parent has: what counts is what is in effect.
        let file = if self.v2 { format!("{file}.effective") } else { file };
        let text = self.read(&file)?;
        let found = listed(&text);
        if !found.is_empty() && found.iter().all(|it| numbers.contains(it)) {
            return Ok(());
        }
        Err(Failure::refused(format!(
            "none of {list} can be had: {} is `{}`",
            self.path.join(file).display(),
            text.trim()
        )))
    }

    fn io_max(&self, limit: &IoMax) -> Done {
        let (major, minor) = whole_disk(&limit.device)?;
        let io = self.io();
        let device = format!("{major}:{minor}");
        let rows = [
            (
                "rbps",
                "blkio.throttle.read_bps_device",
                limit.rbps,
                BlkIoController::throttle_read_bps_for_device as Setter,
            ),
            ("wbps", "blkio.throttle.write_bps_device", limit.wbps, BlkIoController::throttle_write_bps_for_device),
            ("riops", "blkio.throttle.read_iops_device", limit.riops, BlkIoController::throttle_read_iops_for_device),
            ("wiops", "blkio.throttle.write_iops_device", limit.wiops, BlkIoController::throttle_write_iops_for_device),
        ];
        for (key, v1, value, set) in rows {
            let Some(value) = value else { continue };
            let file = if self.v2 { "io.max" } else { v1 };
            self.done(set(&io, major, minor, value), file, format!("{device} {key}={value}"))?;
            let text = self.read(file)?;
            let wanted = if self.v2 { format!("{key}={value}") } else { value.to_string() };
            let of_device = |line: &&str| line.split_whitespace().next() == Some(device.as_str());
            if !text.lines().find(of_device).is_some_and(|it| it.split_whitespace().any(|it| it == wanted)) {
                return Err(self.ignored(file, &text, &format!("{device} {wanted}")));
            }
        }
        Ok(())
    }

    fn io(&self) -> BlkIoController {
        BlkIoController::new(self.path.into(), self.root.clone(), self.v2)
    }

    /// io.weight is of the cost model, which has 1 to 10000; BFQ has 1 to 1000, CFQ had 10 to 1000. 100 is what everybody has.
    fn io_weight(&self, weight: u64) -> Done {
        let files = if self.v2 { ["io.weight", "io.bfq.weight"] } else { ["blkio.weight", "blkio.bfq.weight"] };
        let Some(file) = files.into_iter().find(|it| self.has(it)) else {
            return Err(Failure::refused(format!(
                "this kernel shares out no disk by weight: there is no {} (BFQ is not loaded, no cost model built in)",
                self.path.join(files[1]).display()
            )));
        };
        if file != "io.weight" && weight > 1000 {
            return Err(Failure::refused(format!("{file} takes 1000 at the most, and {weight} is asked for")));
        }
        match file {
            "io.bfq.weight" | "blkio.weight" => {
                self.done(self.io().set_weight(weight), file, weight)?;
                self.write(file, weight)
            }
            file => self.write(file, weight),
        }
    }

    fn hugetlb(&self, limit: HugetlbMax) -> Done {
        let page = page_name(limit.page);
        let file = if self.v2 { format!("hugetlb.{page}.max") } else { format!("hugetlb.{page}.limit_in_bytes") };
        if !self.has(&file) {
            return Err(Failure::refused(format!("this kernel has no huge pages of {page}: there is no {file}")));
        }
        let controller = HugeTlbController::new(self.path.into(), self.root.clone(), self.v2);
        self.done(controller.set_limit_in_bytes(&page, limit.max), &file, limit.max)?;
        let text = self.read(&file)?;
        let found: Option<u64> = text.trim().parse().ok();
        match found {
            // Whole pages, rounded down.
            Some(found) if found <= limit.max && limit.max - found < limit.page => Ok(()),
            _ => Err(self.ignored(&file, &text, &limit.max.to_string())),
        }
    }
}

type Setter = fn(&BlkIoController, u64, u64, u64) -> Result<(), Error>;

/// Major and minor number of a disk. The kernel limits disks, not their partitions.
fn whole_disk(device: &str) -> Done<(u64, u64)> {
    let meta = fs::metadata(device).context(|| format!("looking at {device}"))?;
    if !meta.file_type().is_block_device() {
        return Err(Failure::refused(format!("{device} is no block device: name the disk, as in /dev/vda")));
    }
    let (major, minor) = (rustix::fs::major(meta.rdev()), rustix::fs::minor(meta.rdev()));
    if Path::new(&format!("/sys/dev/block/{major}:{minor}/partition")).exists() {
        return Err(Failure::refused(format!(
            "{device} is a partition, and the kernel limits whole disks: name the disk"
        )));
    }
    Ok((u64::from(major), u64::from(minor)))
}

fn signed(value: u64) -> Done<i64> {
    i64::try_from(value).map_err(|_| Failure::refused(format!("{value} is more than the kernel takes")))
}
