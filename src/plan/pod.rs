//! The plan of a pod: one for the process that holds its namespaces, and one for each container.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::build::{Builder, Options};
use super::identity::{Identity, PodIds};
use super::{Action, CgroupDir, Plan, Probe, Stage, cgroup, identity, join, keep, net, program, sources, tree};
use crate::host::HostFacts;
use crate::policy::{Mode, MountSource, Pod, Restart, Sandbox};
use crate::report::Diagnostic;
use crate::source::Span;

/// Everything that a run of a pod does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PodPlan {
    /// The pod.
    pub name: String,
    /// Its declaration.
    pub span: Span,
    /// The process that holds the namespaces of the pod, and the cgroup that its containers are in.
    pub holder: Plan,
    /// The containers, in the order in which they are started; the reverse is the order in which they are stopped.
    pub containers: Vec<ContainerPlan>,
}

/// One container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContainerPlan {
    /// How it is put together, every time that it is started.
    pub plan: Plan,
    /// The containers that must be ready before it starts.
    pub after: Vec<String>,
    /// How one knows that it is ready; where `None`, it is when its program was started.
    pub ready: Option<Readiness>,
    /// When it is started again.
    pub restart: Option<Restarting>,
    /// Whether its end is the end of the pod.
    pub essential: bool,
}

/// How one knows that a container is ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// What is tried, inside, until it succeeds.
    pub probe: Probe,
    /// How long it may take from the start of the program, nanoseconds.
    pub within: u64,
    /// The statement.
    pub span: Span,
}

/// When a container is started again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restarting {
    /// Whether it is after success too.
    pub always: bool,
    /// How often; `None`: without end.
    pub max: Option<u32>,
    /// The pause before the first time, nanoseconds; it doubles each time.
    pub backoff: u64,
    /// The statement.
    pub span: Span,
}

impl Restarting {
    fn of(restart: &Restart, span: Span) -> Option<Restarting> {
        let Restart { always, never, max, backoff } = restart.clone();
        (!never).then_some(Restarting { always, max, backoff, span })
    }
}

/// What a container's plan takes from its pod.
#[derive(Clone, Default)]
pub(super) struct Ground {
    /// Who the program of a container is, where it says nothing else; `None` without a user namespace of the pod's own.
    pub(super) ids: Option<PodIds>,
    /// The pod's cgroups, and whether each is required.
    pub(super) cgroups: Vec<(CgroupDir, bool)>,
}

/// The steps that put a pod together. Errors are what only a plan can know.
pub fn plan_pod(pod: &Pod, facts: &HostFacts, options: &Options) -> Result<PodPlan, Vec<Diagnostic>> {
    let mut errors = Vec::new();
    let (holder, ground) = holder(pod, facts).map_err(|found| errors.extend(found)).ok().unzip();
    let ground = ground.unwrap_or_default();
    let mut containers = Vec::new();
    for sandbox in in_order(&pod.containers) {
        let mut builder = Builder::new(sandbox, facts);
        builder.ground = Some(&ground);
        match builder.plan(options).and_then(without_terminal) {
            Ok(plan) => containers.push(container(sandbox, plan)),
            Err(found) => errors.extend(found),
        }
    }
    match holder {
        Some(holder) if errors.is_empty() => {
            let name = &pod.base.name;
            Ok(PodPlan { name: name.value.clone(), span: name.span(), holder, containers })
        }
        _ => Err(errors),
    }
}

/// There is one terminal, and it is read by nobody: every container's output is led through the pod's supervisor.
fn without_terminal(plan: Plan) -> Result<Plan, Vec<Diagnostic>> {
    match plan.steps.iter().find(|step| step.action == Action::CallerTerminal) {
        Some(step) => Err(vec![
            Diagnostic::error(
                "pod-terminal",
                format!("`{}` cannot have a terminal, as a container of a pod", plan.name),
            )
            .label(step.span, "asks for one")
            .help("delete the line; `nsl exec POD.CONTAINER -- sh` gets a terminal where one is needed"),
        ]),
        None => Ok(plan),
    }
}

fn container(sandbox: &Sandbox, plan: Plan) -> ContainerPlan {
    let ready = sandbox.ready.as_ref();
    ContainerPlan {
        plan,
        after: sandbox.after.as_ref().map_or(Vec::new(), |it| it.value.clone()),
        ready: ready.map(|it| Readiness { probe: it.value.probe.clone(), within: it.value.within, span: it.span() }),
        restart: sandbox.restart.as_ref().and_then(|it| Restarting::of(&it.value, it.span())),
        essential: sandbox.essential.as_ref().is_some_and(|it| it.value),
    }
}

/// Each after those that it waits for; otherwise in the order of the file.
fn in_order(containers: &[Sandbox]) -> Vec<&Sandbox> {
    let mut placed: BTreeSet<&str> = BTreeSet::new();
    let mut order = Vec::with_capacity(containers.len());
    while order.len() < containers.len() {
        let waits = |it: &Sandbox| it.after.iter().flat_map(|it| &it.value).any(|name| !placed.contains(name.as_str()));
        let free = |it: &&Sandbox| !placed.contains(it.name.value.as_str());
        let next = containers.iter().find(|it| free(it) && !waits(it));
        // A circle is an error that the checker has told; here it must only end.
        let Some(next) = next.or_else(|| containers.iter().find(free)) else { break };
        placed.insert(&next.name.value);
        order.push(next);
    }
    order
}

/// Permission bits of a volume: as those of /tmp, for containers of whatever ids.
const VOLUME_MODE: u32 = 0o1777;

/// What the containers share in memory. What is bound from the host each of them opens itself.
fn volumes(builder: &mut Builder, identity: &Identity) {
    let sandbox = builder.sandbox;
    let privilege = (!builder.own_user()).then_some("CAP_SYS_ADMIN");
    for volume in &sandbox.volumes {
        let MountSource::Tmpfs { size, inodes, mode, flags } = &volume.value.source else { continue };
        let (size, inodes) = tree::room(*size, *inodes);
        let action = Action::MakeVolume {
            name: volume.value.name.clone(),
            size,
            inodes,
            mode: mode.unwrap_or(VOLUME_MODE),
            owner: (identity.uid, identity.gid),
            noexec: flags.noexec,
        };
        builder.push(Stage::Admit, action, volume.span(), volume.origin.key.to_string(), privilege, true);
    }
}

/// The process that holds the namespaces: as a sandbox without a program.
fn holder(pod: &Pod, facts: &HostFacts) -> Result<(Plan, Ground), Vec<Diagnostic>> {
    let mut builder = Builder::new(&pod.base, facts);
    builder.members = &pod.containers;
    let sandbox = builder.sandbox;
    join::refuse_unknown(&mut builder);
    let identity = identity::resolve(&mut builder);
    join::open(&mut builder);
    sources::open(&mut builder);
    program::publish(&mut builder);
    keep::make(&mut builder);
    let cgroups = cgroup::create(&mut builder);
    join::enter(&mut builder);
    builder.clone_step(None);
    if let Some(identity) = &identity {
        identity::admit(&mut builder, identity);
        sources::admit(&mut builder);
        volumes(&mut builder, identity);
    }
    net::links(&mut builder);
    net::uplink(&mut builder);
    net::resolver(&mut builder);
    if program::time_namespace(&mut builder) {
        let origin = sandbox.time.mode.origin.clone();
        let privilege = (!builder.own_user()).then_some("CAP_SYS_ADMIN");
        builder.push(Stage::Child, Action::EnterTime, origin.span, origin.key.to_string(), privilege, true);
    }
    program::host_names(&mut builder);
    net::inside(&mut builder);
    keep::pin(&mut builder);
    if let Some(identity) = &identity {
        identity::assume(&mut builder, identity);
    }
    tree::build(&mut builder);
    let span = builder.span();
    builder.rule(Stage::Program, Action::HoldPod, span, "the pod's namespaces outlive each of its containers");
    let required = |dir: &CgroupDir| {
        let of_dir = |step: &&super::Step| matches!(&step.action, Action::CreateCgroup(it) if it == dir);
        builder.steps.iter().find(of_dir).is_some_and(|step| step.required)
    };
    let cgroups = cgroups.all().map(|dir| (dir.clone(), required(dir))).collect();
    let own_user = sandbox.user.mode.value != Mode::Host;
    let ids = identity.filter(|_| own_user).map(|it| it.for_containers());
    Ok((builder.finish()?, Ground { ids, cgroups }))
}
