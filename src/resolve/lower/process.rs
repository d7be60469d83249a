//! What the process is given beside its limits.

use super::read::*;
use super::*;

impl Lower<'_, '_> {
    pub(super) fn attributes(&mut self) -> Attributes {
        let number = |val: &Val| match val.value {
            Value::Int(it) => i32::try_from(it).ok(),
            _ => None,
        };
        let bits = |val: &Val| count(val).and_then(|it| u32::try_from(it).ok());
        Attributes {
            nice: self.setting("nice", number),
            ionice: self.setting("ionice", io_priority),
            scheduling: self.setting("scheduling", scheduling),
            cpu_affinity: self.numbers("cpu-affinity"),
            core_scheduling: self.setting("core-scheduling", |_| Some(())),
            oom_score_adj: self.setting("oom-score-adj", number),
            timer_slack: self.setting("timer-slack", |it| duration(it).and_then(|it| u64::try_from(it).ok())),
            umask: self.setting("umask", bits),
            personality: self.setting("personality", strings),
        }
    }
}

impl Lower<'_, '_> {
    pub(super) fn labels(&mut self) -> Labels {
        Labels { apparmor: self.setting("apparmor", text), selinux: self.setting("selinux", text) }
    }
}

fn io_priority(val: &Val) -> Option<IoPriority> {
    let (name, level) = variant(val, "level")?;
    let class = [IoClass::Realtime, IoClass::BestEffort, IoClass::Idle].into_iter().find(|it| it.name() == name)?;
    // Without one the kernel takes the middle, as for a process of nice value 0; `idle` has none.
    let middle = if class == IoClass::Idle { 0 } else { 4 };
    Some(IoPriority { class, level: level.unwrap_or(middle) })
}

fn scheduling(val: &Val) -> Option<Scheduling> {
    use SchedPolicy::{Batch, Fifo, Idle, Other, Rr};
    let (name, priority) = variant(val, "priority")?;
    let policy = [Other, Batch, Idle, Fifo, Rr].into_iter().find(|it| it.name() == name)?;
    Some(Scheduling { policy, priority: priority.unwrap_or(0) })
}

/// The name of a variant, and its argument.
fn variant<'v>(val: &'v Val, name: &str) -> Option<(&'v str, Option<u8>)> {
    match &val.value {
        Value::Variant(word, args) => {
            Some((word, argument(args, name).and_then(count).and_then(|it| u8::try_from(it).ok())))
        }
        Value::Symbol(word) => Some((word, None)),
        _ => None,
    }
}
