//! Limits of the whole sandbox.

use super::build::Builder;
use super::{Action, CgroupDir, CgroupLimit, Stage};
use crate::host::CgroupPlace;
use crate::policy::{Cgroup, Strength, Traced};
use crate::report::Diagnostic;

/// The cgroups of a sandbox.
#[derive(Default)]
pub(super) struct Cgroups {
    /// Cgroup v2: the child is cloned into it.
    pub(super) born_in: Option<CgroupDir>,
    /// Cgroups v1: the child is moved into them while it waits.
    entered: Vec<CgroupDir>,
}

/// One limit that the policy states.
struct Wanted<'a> {
    controller: &'static str,
    limit: CgroupLimit,
    stated: &'a Traced<u64>,
}

pub(super) fn create(builder: &mut Builder) -> Cgroups {
    let wanted = wanted(&builder.sandbox.cgroup);
    let mut cgroups = Cgroups::default();
    let mut limits = Vec::new();
    let mut refused: Vec<(&Traced<u64>, String)> = Vec::new();
    for wish in &wanted {
        match builder.facts.cgroup_place(wish.controller) {
            Ok(place) => {
                let dir = cgroups.dir(builder, &place, wish.controller);
                limits.push((dir, wish));
            }
            Err(reason) if wish.stated.strength == Strength::Prefer => builder.degrade(wish.stated, reason),
            Err(reason) => refused.push((wish.stated, reason)),
        }
    }
    refuse(builder, &refused);
    // What holds a pod makes the cgroup that the containers' own are in.
    let members: Vec<Wanted> = builder.members.iter().flat_map(|it| self::wanted(&it.cgroup)).collect();
    for wish in &members {
        if let Ok(place) = builder.facts.cgroup_place(wish.controller) {
            cgroups.dir(builder, &place, wish.controller);
        }
    }
    let ground = builder.ground.map_or(&[][..], |it| &it.cgroups);
    for (pod, _) in ground {
        cgroups.below(builder, pod);
    }
    let wanted: Vec<&Wanted> = wanted.iter().chain(&members).collect();
    // The directory of v2 learns of its controllers one by one, so steps are made when all are known.
    for dir in cgroups.all() {
        let of_dir = |it: &&&Wanted| dir.version == 2 || it.controller == dir.controller;
        let action = Action::CreateCgroup(dir.clone());
        match wanted.iter().find(of_dir) {
            Some(stated) => builder.step_of(Stage::Prepare, action, stated.stated),
            None => builder.rule(Stage::Prepare, action, builder.span(), "what the pod has holds for its containers"),
        }
        if let Some(step) = builder.steps.last_mut() {
            let of_pod = ground
                .iter()
                .any(|(pod, required)| *required && (pod.version, &pod.controller) == (dir.version, &dir.controller));
            step.required = of_pod || wanted.iter().filter(of_dir).any(|it| it.stated.strength != Strength::Prefer);
        }
    }
    for (dir, wish) in limits {
        let dir = cgroups.all().find(|it| it.version == dir.version && it.controller == dir.controller).cloned();
        let Some(dir) = dir else { continue };
        builder.step_of(Stage::Prepare, Action::LimitCgroup { dir, limit: wish.limit }, wish.stated);
    }
    cgroups
}

pub(super) fn enter(builder: &mut Builder, cgroups: &Cgroups) {
    for dir in &cgroups.entered {
        let created = builder.steps.iter().find(|step| matches!(&step.action, Action::CreateCgroup(it) if it == dir));
        let Some((span, required)) = created.map(|step| (step.span, step.required)) else { continue };
        let action = Action::EnterCgroup(dir.clone());
        builder.push(Stage::Admit, action, span, "limits hold before the program starts".into(), None, required);
    }
}

fn wanted(cgroup: &Cgroup) -> Vec<Wanted<'_>> {
    let memory = cgroup.memory_max.as_ref().map(|it| it.value);
    fn row<'a>(
        controller: &'static str,
        limit: fn(u64) -> CgroupLimit,
        stated: &'a Option<Traced<u64>>,
    ) -> Option<Wanted<'a>> {
        stated.as_ref().map(|stated| Wanted { controller, limit: limit(stated.value), stated })
    }
    let swap = cgroup.memory_swap_max.as_ref().map(|stated| Wanted {
        controller: "memory",
        limit: CgroupLimit::SwapMax { swap: stated.value, memory },
        stated,
    });
    let rows = [
        row("memory", CgroupLimit::MemoryMax, &cgroup.memory_max),
        swap,
        row("pids", CgroupLimit::PidsMax, &cgroup.pids_max),
        row("cpu", CgroupLimit::CpuMax, &cgroup.cpu_max),
    ];
    rows.into_iter().flatten().collect()
}

/// One finding for all required limits that cannot be had: they have one cause.
fn refuse(builder: &mut Builder, refused: &[(&Traced<u64>, String)]) {
    let Some((_, reason)) = refused.first() else { return };
    let name = |stated: &Traced<u64>| stated.origin.key.trim_start_matches("cgroup.").to_string();
    let names: Vec<String> = refused.iter().map(|(stated, _)| format!("`{}`", name(stated))).collect();
    let message = format!("{} cannot be enforced, because {reason}", names.join(", "));
    let mut finding = Diagnostic::error("cgroup-not-delegated", message).help(
        "run as root, name a cgroup that was delegated to you with `--cgroup-parent PATH`, or write `prefer` before the \
         limits to go on without them",
    );
    for (stated, _) in refused {
        finding = finding.label(stated.span(), "required");
    }
    builder.errors.push(finding);
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
            if !dir.enable.iter().any(|it| it == controller) {
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
