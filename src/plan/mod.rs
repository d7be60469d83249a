//! Policy + host facts -> an ordered list of steps.
//!
//! The plan is the only thing that is performed: `nsl plan` prints these very steps, `execute` performs these
//! very steps. A step carries all that it needs, so the printed plan is the whole truth about a run.
//!
//! Nothing here does IO: the same policy, facts and options give the same plan, byte for byte.

mod build;
mod cgroup;
mod filter;
mod filter_text;
mod identity;
mod join;
mod keep;
mod labels;
mod landlock;
mod limit_text;
mod net;
mod net_text;
mod pod;
mod print;
mod process;
mod program;
mod sources;
mod stdio;
mod step;
mod tree;
mod tree_text;
pub mod why;

pub use crate::policy::{
    Access, Action as SyscallAction, Cidr, CompareOp, Condition, Direction, HugetlbMax, IoMax, IoPriority, LinkKind,
    MacvlanMode, MountFlags, NextHop, NsKind, Peer, Port, Ports, Probe, ProcOptions, Propagation, Protocol, RESOLVER,
    SchedPolicy, Scheduling, Scope, SecretFrom, SecurityModule, Signal, Stream, Veth,
};
pub use build::{Options, plan};
pub use filter::{By, Decision, abis, decisions, filter_spec};
pub use filter_text::{action as action_text, condition_list};
pub use identity::allotted_id;
pub use limit_text::{number_list, page_name};
pub use pod::{ContainerPlan, PodPlan, Readiness, Restarting, plan_pod};
pub use print::{describe, print, print_pod};
pub use step::*;
