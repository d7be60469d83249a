//! How a process is scheduled, and what it inherits: set, and read back.

use std::num::NonZeroU64;

use nix::unistd::Pid;

use super::failure::{Context, Done, Failure};
use super::sys;
use crate::plan::{Action, Attribute, IoPriority, Plan, SchedPolicy, Scheduling, Stage, number_list};
use crate::schema::names::PERSONALITY_BITS;

/// Sets an attribute of the child, which waits: what may take a right on the host.
pub fn set_of_child(attribute: &Attribute, child: Pid) -> Done {
    match attribute {
        Attribute::Nice(nice) => set_nice(*nice, child),
        Attribute::IoPriority(priority) => set_io_priority(*priority, child),
        Attribute::Scheduling(scheduling) => set_scheduling(*scheduling, child),
        Attribute::CpuAffinity(cpus) => set_affinity(cpus, child),
        Attribute::OwnCores => sys::own_cores(child).context(|| "prctl(PR_SCHED_CORE)".to_string()),
        Attribute::OomScoreAdj(score) => set_oom_score(*score, child),
        Attribute::TimerSlack(_) | Attribute::Umask(_) | Attribute::Personality(_) => {
            Err(Failure::refused("only a process itself can set this"))
        }
    }
}

/// Gives this process everything that nsl gives the child of a plan. What the sandbox could do without, this one can.
pub fn be_as_admitted(plan: &Plan) -> Done {
    for step in plan.steps.iter().filter(|it| it.stage == Stage::Admit) {
        if let Action::SetAttribute(attribute) = &step.action {
            let done = set_of_child(attribute, nix::unistd::getpid());
            done.or_else(|failure| if step.required { Err(failure) } else { Ok(()) })?;
        }
    }
    Ok(())
}

/// Sets an attribute of this process, which becomes the program.
pub fn set_own(attribute: &Attribute) -> Done {
    match attribute {
        Attribute::TimerSlack(slack) => {
            let what = || format!("prctl(PR_SET_TIMERSLACK) {slack}");
            rustix::thread::set_current_timer_slack(NonZeroU64::new(*slack)).context(what)
        }
        Attribute::Umask(mask) => {
            rustix::process::umask(rustix::fs::Mode::from_raw_mode(*mask));
            Ok(())
        }
        Attribute::Personality(words) => set_personality(words),
        _ => Err(Failure::refused("this is not the program's to set")),
    }
}

/// What was set is what the kernel has, or the step has failed: it may have taken it in part.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, wanted: T, found: T) -> Done {
    match wanted == found {
        true => Ok(()),
        false => Err(Failure::refused(format!("{what} is {found:?} after {wanted:?} was set"))),
    }
}

fn set_nice(nice: i32, child: Pid) -> Done {
    let what = || format!("setpriority {nice}");
    let pid = rustix::process::Pid::from_raw(child.as_raw());
    rustix::process::setpriority_process(pid, nice).context(what)?;
    same("the nice value", nice, rustix::process::getpriority_process(pid).context(what)?)
}

fn set_io_priority(priority: IoPriority, child: Pid) -> Done {
    const CLASS_SHIFT: i32 = 13;
    let value = (priority.class as i32) << CLASS_SHIFT | i32::from(priority.level);
    let what = || format!("ioprio_set {}", priority.class.name());
    sys::ioprio_set(child, value).context(what)?;
    same("the I/O priority", value, sys::ioprio_get(child).context(what)?)
}

fn set_scheduling(scheduling: Scheduling, child: Pid) -> Done {
    let number = match scheduling.policy {
        SchedPolicy::Other => libc::SCHED_OTHER,
        SchedPolicy::Batch => libc::SCHED_BATCH,
        SchedPolicy::Idle => libc::SCHED_IDLE,
        SchedPolicy::Fifo => libc::SCHED_FIFO,
        SchedPolicy::Rr => libc::SCHED_RR,
    };
    let what = || format!("sched_setscheduler {}", scheduling.policy.name());
    let wanted = (number, i32::from(scheduling.priority));
    sys::sched_setscheduler(child, wanted.0, wanted.1).context(what)?;
    same("the policy", wanted, sys::sched_getscheduler(child).context(what)?)
}

fn set_affinity(cpus: &[u32], child: Pid) -> Done {
    let what = || format!("sched_setaffinity {}", number_list(cpus));
    sys::sched_setaffinity(child, cpus).context(what)?;
    let found = sys::sched_getaffinity(child).context(what)?;
    if found == cpus {
        return Ok(());
    }
    Err(Failure::refused(format!("of the CPUs {} it may run on {} only", number_list(cpus), number_list(&found))))
}

/// Through the /proc of the host: at this moment the child has no other.
fn set_oom_score(score: i32, child: Pid) -> Done {
    let path = format!("/proc/{child}/oom_score_adj");
    std::fs::write(&path, score.to_string()).context(|| format!("writing {score} to {path}"))?;
    let found = std::fs::read_to_string(&path).context(|| format!("reading {path}"))?;
    same("the OOM score", score.to_string().as_str(), found.trim())
}

fn set_personality(words: &[String]) -> Done {
    let bits = PERSONALITY_BITS.iter().filter(|(word, _)| words.iter().any(|it| it == word));
    let wanted = bits.fold(0, |bits, (_, bit)| bits | bit);
    let what = || format!("personality {}", words.join(" "));
    sys::set_personality(wanted).context(what)?;
    same("the personality", wanted, sys::personality().context(what)?)
}
