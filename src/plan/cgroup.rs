//! Limits of the whole sandbox.

use super::build::Builder;
use super::{Action, CgroupDir, CgroupLimit, Stage};
use crate::host::{CgroupPlace, NoPlace, SCOPE};
use crate::policy::{Cgroup, HugetlbMax, IoMax, Sandbox, StatedLimit, Strength, Traced};
use crate::report::Diagnostic;

/// The period of cpu.max where none is stated, microseconds: the kernel's own.
const PERIOD: u64 = 100_000;

/// The cgroups of a sandbox.
#[derive(Default)]
pub(super) struct Cgroups {
    /// Cgroup v2: the child is cloned into it.
    pub(super) born_in: Option<CgroupDir>,
    /// Cgroups v1: the child is moved into them while it waits.
    entered: Vec<CgroupDir>,
}

/// The controller of v1 that counts CPU time, and its file; every cgroup v2 does.
const COUNTING: &str = "cpuacct";
const COUNTED: &str = "cpuacct.usage";

/// One limit that the policy states.
struct Wanted<'a> {
    stated: StatedLimit<'a>,
    limit: CgroupLimit,
}

impl Wanted<'_> {
    fn controller(&self) -> &'static str {
        self.stated.name.split('.').next().unwrap_or_default()
    }

    fn required(&self) -> bool {
        self.stated.strength != Strength::Prefer
    }

    /// Whether it is a limit of this cgroup: on v2 there is one for all controllers.
    fn is_in(&self, dir: &CgroupDir) -> bool {
        dir.version == 2 || self.controller() == dir.controller
    }
}

pub(super) fn create(builder: &mut Builder) -> Cgroups {
    let wanted = wanted(builder.sandbox);
    let mut cgroups = Cgroups::default();
    let mut limits = Vec::new();
    let mut refused: Vec<(&StatedLimit, NoPlace)> = Vec::new();
    for wish in &wanted {
        match place(builder, wish.stated.name) {
            Ok(place) => {
                let dir = cgroups.dir(builder, &place, wish.controller());
                limits.push((dir, wish));
            }
            Err(none) if !wish.required() => builder.degrade_at(wish.stated.origin, none.reason),
            Err(none) => refused.push((&wish.stated, none)),
        }
    }
    for finding in refusals(&refused) {
        builder.errors.push(finding);
    }
    // What holds a pod makes the cgroup that the containers' own are in.
    let members: Vec<Wanted> = builder.members.iter().flat_map(self::wanted).collect();
    let mut granted: Vec<&Wanted> = limits.iter().map(|(_, wish)| *wish).collect();
    for wish in &members {
        if let Ok(place) = place(builder, wish.stated.name) {
            cgroups.dir(builder, &place, wish.controller());
            granted.push(wish);
        }
    }
    let ground = builder.ground.map_or(&[][..], |it| &it.cgroups);
    for (pod, _) in ground {
        cgroups.below(builder, pod);
    }
    // The directory of v2 learns of its controllers one by one, so steps are made when all are known.
    for dir in cgroups.all() {
        if dir.parent == SCOPE {
            scope(builder, dir, &granted);
        }
        let action = Action::CreateCgroup(dir.clone());
        match granted.iter().find(|wish| wish.is_in(dir)) {
            Some(wish) => builder.step(Stage::Prepare, action, wish.stated.origin),
            None => builder.rule(Stage::Prepare, action, builder.span(), "what the pod has holds for its containers"),
        }
        if let Some(step) = builder.steps.last_mut() {
            let of_pod = ground
                .iter()
                .any(|(pod, required)| *required && (pod.version, &pod.controller) == (dir.version, &dir.controller));
            step.required = of_pod || granted.iter().any(|wish| wish.is_in(dir) && wish.required());
        }
    }
    for (dir, wish) in limits {
        let dir = cgroups.all().find(|it| it.version == dir.version && it.controller == dir.controller).cloned();
        let Some(dir) = dir else { continue };
        let action = Action::LimitCgroup { dir, limit: wish.limit.clone() };
        builder.step(Stage::Prepare, action, wish.stated.origin);
        if let Some(step) = builder.steps.last_mut() {
            step.required = wish.required();
        }
    }
    cgroups
}

/// What makes the parent of a cgroup.
fn scope(builder: &mut Builder, dir: &CgroupDir, granted: &[&Wanted]) {
    let Some(manager) = &*builder.facts.service_manager else { return };
    let name = format!("nsl-{}-PID.scope", builder.sandbox.name.value);
    let action = Action::RequestScope { socket: manager.socket.clone(), name, mount: dir.mount.clone() };
    let Some(wish) = granted.iter().find(|wish| wish.is_in(dir)) else { return };
    let required = granted.iter().any(|wish| wish.is_in(dir) && wish.required());
    let origin = wish.stated.origin;
    builder.push(Stage::Prepare, action, origin.span, origin.key.to_string(), None, required);
}

fn place(builder: &Builder, limit: &str) -> Result<CgroupPlace, NoPlace> {
    let place = any_place(builder, limit)?;
    // The processes of a pod are children of one another, and each would be put into a scope of its own.
    if place.parent == SCOPE && (builder.ground.is_some() || !builder.members.is_empty()) {
        let reason = "the scope of a service manager is for one sandbox, and this is a pod: start it in a cgroup that was delegated";
        return Err(NoPlace { reason: reason.to_string(), by_version: false });
    }
    Ok(place)
}

fn any_place(builder: &Builder, limit: &str) -> Result<CgroupPlace, NoPlace> {
    match limit {
        COUNTED => builder.facts.cpu_accounting_place().map_err(|reason| NoPlace { reason, by_version: false }),
        limit => builder.facts.cgroup_limit_place(limit),
    }
}

pub(super) fn enter(builder: &mut Builder, cgroups: &Cgroups) {
    for dir in &cgroups.entered {
        let created = builder.steps.iter().find(|step| matches!(&step.action, Action::CreateCgroup(it) if it == dir));
        let Some((span, required)) = created.map(|step| (step.span, step.required)) else { continue };
        let action = Action::EnterCgroup(dir.clone());
        builder.push(Stage::Admit, action, span, "limits hold before the program starts".into(), None, required);
    }
}

fn wanted(sandbox: &Sandbox) -> Vec<Wanted<'_>> {
    let cgroup = &sandbox.cgroup;
    let (mut disks, mut pages) = (cgroup.io_max.iter(), cgroup.hugetlb_max.iter());
    let limits = cgroup.limits().into_iter();
    limits
        .filter_map(|stated| Some(Wanted { limit: limit(cgroup, stated.name, &mut disks, &mut pages)?, stated }))
        .chain(sandbox.stop.cpu.iter().map(|stated| Wanted {
            limit: CgroupLimit::CpuTime(stated.value),
            stated: StatedLimit { name: COUNTED, origin: &stated.origin, strength: stated.strength },
        }))
        .collect()
}

/// The limit of a name; of those that can be there several times, the next one.
fn limit<'a>(
    cgroup: &Cgroup,
    name: &str,
    disks: &mut impl Iterator<Item = &'a Traced<IoMax>>,
    pages: &mut impl Iterator<Item = &'a Traced<HugetlbMax>>,
) -> Option<CgroupLimit> {
    let number = |of: &Option<Traced<u64>>| of.as_ref().map(|it| it.value);
    let list = |of: &Option<Traced<Vec<u32>>>| of.as_ref().map(|it| it.value.clone());
    Some(match name {
        "memory.max" => CgroupLimit::MemoryMax(number(&cgroup.memory_max)?),
        "memory.high" => CgroupLimit::MemoryHigh(number(&cgroup.memory_high)?),
        "memory.low" => CgroupLimit::MemoryLow(number(&cgroup.memory_low)?),
        "memory.min" => CgroupLimit::MemoryMin(number(&cgroup.memory_min)?),
        "memory.swap.max" => {
            CgroupLimit::SwapMax { swap: number(&cgroup.memory_swap_max)?, memory: number(&cgroup.memory_max) }
        }
        "memory.oom.group" => CgroupLimit::OomGroup(cgroup.memory_oom_group.as_ref()?.value),
        "pids.max" => CgroupLimit::PidsMax(number(&cgroup.pids_max)?),
        "cpu.max" => CgroupLimit::CpuMax {
            thousandths: number(&cgroup.cpu_max)?,
            period: number(&cgroup.cpu_period).unwrap_or(PERIOD),
        },
        "cpu.weight" => CgroupLimit::CpuWeight(number(&cgroup.cpu_weight)?),
        "cpuset.cpus" => CgroupLimit::CpusetCpus(list(&cgroup.cpuset_cpus)?),
        "cpuset.mems" => CgroupLimit::CpusetMems(list(&cgroup.cpuset_mems)?),
        "io.max" => CgroupLimit::IoMax(disks.next()?.value.clone()),
        "io.weight" => CgroupLimit::IoWeight(number(&cgroup.io_weight)?),
        "hugetlb.max" => CgroupLimit::HugetlbMax(pages.next()?.value),
        _ => return None,
    })
}

/// One finding for all required limits that cannot be had for the same reason.
fn refusals(refused: &[(&StatedLimit, NoPlace)]) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for by_version in [false, true] {
        let these: Vec<_> = refused.iter().filter(|(_, none)| none.by_version == by_version).collect();
        let Some((_, none)) = these.first() else { continue };
        let names: Vec<String> = these.iter().map(|(stated, _)| format!("`{}`", stated.name)).collect();
        let message = format!("{} cannot be enforced, because {}", names.join(", "), none.reason);
        let mut finding = match by_version {
            false => Diagnostic::error("cgroup-not-delegated", message).help(
                "run as root, name a cgroup that was delegated to you with `--cgroup-parent PATH`, or write `prefer` before \
                 the limits to go on without them",
            ),
            true => Diagnostic::error("cgroup-version", message).help(
                "boot with cgroup v2 alone (systemd.unified_cgroup_hierarchy=1), or write `prefer` before the limits to go on \
                 without them",
            ),
        };
        for (stated, _) in these {
            finding = finding.label(stated.origin.span, "required");
        }
        findings.push(finding);
    }
    findings
}

impl Cgroups {
    pub(super) fn all(&self) -> impl Iterator<Item = &CgroupDir> {
        self.born_in.iter().chain(&self.entered)
    }

    /// The cgroup of a container in one of its pod.
    fn below(&mut self, builder: &Builder, pod: &CgroupDir) {
        let place = CgroupPlace { version: pod.version, mount: pod.mount.clone(), parent: pod.parent.clone() };
        match pod.version {
            2 => pod.enable.iter().for_each(|it| drop(self.dir(builder, &place, it))),
            _ => drop(self.dir(builder, &place, &pod.controller)),
        }
    }

    fn dir(&mut self, builder: &Builder, place: &CgroupPlace, controller: &str) -> CgroupDir {
        let name = &builder.sandbox.name.value;
        let pod = builder.ground.and_then(|it| {
            it.cgroups
                .iter()
                .map(|it| &it.0)
                .find(|it| it.version == place.version && (it.version == 2 || it.controller == controller))
        });
        let name = if pod.is_some() { name.clone() } else { format!("nsl-{name}-PID") };
        let pod = pod.map(|it| it.name.clone());
        let make = |controller: &str| CgroupDir {
            version: place.version,
            controller: controller.to_string(),
            mount: place.mount.clone(),
            parent: place.parent.clone(),
            pod,
            name,
            enable: Vec::new(),
        };
        if place.version == 2 {
            let dir = self.born_in.get_or_insert_with(|| make(""));
            // Every cgroup v2 counts CPU time, with or without controllers.
            if controller != COUNTING && !dir.enable.iter().any(|it| it == controller) {
                dir.enable.push(controller.to_string());
            }
            return dir.clone();
        }
        if let Some(dir) = self.entered.iter().find(|it| it.controller == controller) {
            return dir.clone();
        }
        let dir = make(controller);
        self.entered.push(dir.clone());
        dir
    }
}
