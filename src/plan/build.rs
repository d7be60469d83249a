//! The order of a run.

use std::ffi::OsString;

use super::pod::Ground;
use super::{
    Action, Degraded, Ending, Plan, Stage, Step, cgroup, filter, identity, join, keep, net, process, program, sources,
    stdio, tree,
};
use crate::host::HostFacts;
use crate::policy::{NsKind, Origin, Sandbox, Strength, Traced};
use crate::report::Diagnostic;
use crate::source::Span;

/// What a run adds to policy and host.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What stands behind `--` on the command line.
    pub args: Vec<OsString>,
    /// The caller's environment, for `env NAME = inherit`.
    pub env: Vec<(OsString, OsString)>,
    /// The names of the descriptors that are handed over.
    pub fds: Vec<String>,
}

/// The steps that put a sandbox together, in order. Errors are what only a plan can know: no program to run, a
/// map that this caller's subordinate ids cannot give, a namespace mode that is not built yet.
pub fn plan(sandbox: &Sandbox, facts: &HostFacts, options: &Options) -> Result<Plan, Vec<Diagnostic>> {
    Builder::new(sandbox, facts).plan(options)
}

/// A plan in the making.
pub(super) struct Builder<'a> {
    pub(super) sandbox: &'a Sandbox,
    pub(super) facts: &'a HostFacts,
    pub(super) steps: Vec<Step>,
    pub(super) degraded: Vec<Degraded>,
    pub(super) errors: Vec<Diagnostic>,
    /// How many sources are opened so far: the number of the next.
    pub(super) sources: u32,
    /// What the pod gives, in the plan of a container.
    pub(super) ground: Option<&'a Ground>,
    /// The containers, in the plan of what holds a pod.
    pub(super) members: &'a [Sandbox],
}

impl<'a> Builder<'a> {
    pub(super) fn new(sandbox: &'a Sandbox, facts: &'a HostFacts) -> Builder<'a> {
        Builder {
            sandbox,
            facts,
            steps: Vec::new(),
            degraded: Vec::new(),
            errors: Vec::new(),
            sources: 0,
            ground: None,
            members: &[],
        }
    }

    /// The steps of a sandbox, or of a container.
    pub(super) fn plan(mut self, options: &Options) -> Result<Plan, Vec<Diagnostic>> {
        let builder = &mut self;
        join::refuse_unknown(builder);
        let identity = identity::resolve(builder);
        join::open(builder);
        sources::open(builder);
        stdio::open(builder, options);
        program::publish(builder);
        keep::make(builder);
        let cgroups = cgroup::create(builder);
        join::enter(builder);
        builder.clone_step(cgroups.born_in.clone());
        if let Some(identity) = &identity {
            identity::admit(builder, identity);
            sources::admit(builder);
        }
        cgroup::enter(builder, &cgroups);
        process::admit(builder);
        net::links(builder);
        net::uplink(builder);
        net::resolver(builder);
        program::kernel_namespaces(builder);
        net::inside(builder);
        program::sysctls(builder);
        keep::pin(builder);
        if let Some(identity) = &identity {
            identity::assume(builder, identity);
        }
        tree::build(builder);
        program::start(builder, options);
        self.finish()
    }

    /// Adds a required step that a statement asked for.
    pub(super) fn step(&mut self, stage: Stage, action: Action, origin: &Origin) {
        self.push(stage, action, origin.span, origin.key.to_string(), None, true);
    }

    /// Adds a step that a statement asked for, required unless the statement says `prefer`.
    pub(super) fn step_of<T>(&mut self, stage: Stage, action: Action, value: &Traced<T>) {
        let required = value.strength != Strength::Prefer;
        self.push(stage, action, value.span(), value.origin.key.to_string(), None, required);
    }

    /// Adds a required step that follows from a rule.
    pub(super) fn rule(&mut self, stage: Stage, action: Action, span: Span, rule: &str) {
        self.push(stage, action, span, rule.to_string(), None, true);
    }

    pub(super) fn push(
        &mut self,
        stage: Stage,
        action: Action,
        span: Span,
        why: String,
        privilege: Option<&str>,
        required: bool,
    ) {
        let privilege = privilege.map(str::to_string);
        let via = self.sandbox.via(span).to_vec();
        self.steps.push(Step { stage, action, span, via, why, privilege, required });
    }

    /// Notes a preference that cannot be met.
    pub(super) fn degrade<T>(&mut self, value: &Traced<T>, reason: String) {
        self.degrade_at(&value.origin, reason);
    }

    /// Notes that what a statement prefers cannot be had.
    pub(super) fn degrade_at(&mut self, origin: &Origin, reason: String) {
        self.degraded.push(Degraded { span: origin.span, key: origin.key.to_string(), reason });
    }

    /// The place of the sandbox itself, for what nobody wrote.
    pub(super) fn span(&self) -> Span {
        self.sandbox.name.span()
    }

    /// Whether the new namespaces belong to a user namespace that is not the caller's.
    pub(super) fn own_user(&self) -> bool {
        self.sandbox.is_new_or_pods(NsKind::User) || join::user_of(self).is_some()
    }

    pub(super) fn clone_step(&mut self, into: Option<super::CgroupDir>) {
        // A time namespace cannot be given its offsets once a process is in it, and a cgroup namespace must
        // be made after the cgroup is entered: the child unshares these two itself.
        let later = [NsKind::Time, NsKind::Cgroup];
        let namespaces: Vec<NsKind> =
            NsKind::ALL.into_iter().filter(|kind| self.sandbox.is_new(*kind) && !later.contains(kind)).collect();
        let privilege = (!self.own_user() && !namespaces.is_empty()).then_some("CAP_SYS_ADMIN");
        let asked = namespaces.first().map(|kind| self.sandbox.mode(*kind).span());
        let span = asked.unwrap_or_else(|| self.span());
        let why = namespaces.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(" ");
        self.push(Stage::Clone, Action::Clone { namespaces, into }, span, why, privilege, true);
    }

    pub(super) fn finish(self) -> Result<Plan, Vec<Diagnostic>> {
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        let stop = &self.sandbox.stop;
        Ok(Plan {
            name: self.sandbox.name.value.clone(),
            steps: self.steps,
            degraded: self.degraded,
            ending: Ending {
                signal: stop.signal.value.clone(),
                timeout: stop.timeout.value,
                after: stop.after.as_ref().map(|it| it.value),
                after_span: stop.after.as_ref().map(Traced::span),
            },
        })
    }
}

/// The filter of a sandbox, as a step.
pub(super) fn filter_step(builder: &mut Builder) {
    let Some(seccomp) = &builder.sandbox.seccomp else { return };
    let spec = filter::filter_spec(seccomp, &builder.facts.kernel.arch);
    let origin = &seccomp.otherwise.origin;
    builder.step(Stage::Program, Action::InstallFilter(spec), origin);
}
