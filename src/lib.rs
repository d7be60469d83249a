//! NSL: sandboxes as code.
//!
//! A policy goes one way: text -> [`syntax`] -> [`resolve`] -> [`policy`] -> [`check`] -> [`plan`] -> [`execute`].
//! Each arrow is one pure function but the last. [`source`] and [`report`] carry places and findings,
//! [`schema`] is the one table of what can be written, [`host`] says what the machine offers.
//!
//! [`load`], [`findings`], [`select`] and [`host_findings`] are the way from a path to a sandbox that can be planned.
#![deny(unsafe_code)]

pub mod check;
pub mod control;
pub mod execute;
pub mod fix;
pub mod format;
pub mod host;
pub mod ide;
pub mod inspect;
pub mod lsp;
pub mod plan;
pub mod policy;
pub mod report;
pub mod resolve;
pub mod schema;
pub mod source;
pub mod state;
pub mod syntax;

use std::borrow::Cow;
use std::path::Path;

use host::{HostFacts, Probe};
use policy::{JoinTarget, Pod, Policy, Sandbox};
use report::Diagnostic;
use resolve::{CallerNames, Inputs, Resolved};
use source::{Files, Loader};

/// A policy with the texts that it came from.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Every file that was read; findings point into it.
    pub files: Files,
    /// The policy, and what is wrong with the texts.
    pub resolved: Resolved,
}

/// Reads and resolves the file at `path`. A file that cannot be read gives an empty policy with that finding.
pub fn load(path: &Path, inputs: &Inputs, loader: &dyn Loader) -> Loaded {
    let name = path.to_string_lossy().into_owned();
    match loader.load(path) {
        Ok(text) => load_text(&name, text, inputs, loader),
        Err(error) => {
            let mut loaded = Loaded::default();
            loaded.resolved.findings.push(report::unreadable(&name, &error));
            loaded
        }
    }
}

/// What every sandbox, pod and container of the file at `path` comes to, as statements, beside the policy.
pub fn expand(
    path: &Path,
    inputs: &Inputs,
    loader: &dyn Loader,
) -> Result<(Files, Resolved, Vec<resolve::Expanded>), Diagnostic> {
    let name = path.to_string_lossy().into_owned();
    let text = loader.load(path).map_err(|error| report::unreadable(&name, &error))?;
    let mut files = Files::new();
    let root = files.add(name, text);
    let (resolved, all) = resolve::expand(&mut files, root, inputs, loader);
    Ok((files, resolved, all))
}

/// Resolves a text that is there already. Where `name` is a path, what the text uses is found relative to it.
pub fn load_text(name: &str, text: impl Into<Cow<'static, str>>, inputs: &Inputs, loader: &dyn Loader) -> Loaded {
    let mut files = Files::new();
    let root = files.add(name, text);
    let resolved = resolve::resolve(&mut files, root, inputs, loader);
    Loaded { files, resolved }
}

/// What a policy may know of the caller of these facts.
pub fn caller_names(facts: &HostFacts) -> CallerNames {
    let caller = &facts.caller;
    CallerNames { uid: caller.uid, gid: caller.gid, user: caller.user.clone(), home: caller.home.clone() }
}

/// All findings about a policy, sorted by place: those of its texts, and those of the policy as such.
pub fn findings(loaded: &Loaded) -> Vec<Diagnostic> {
    let mut findings = loaded.resolved.findings.clone();
    // Of a file that could not be read nothing can be said but that.
    if loaded.files.iter().next().is_some() {
        let broken = findings.iter().any(Diagnostic::is_error);
        let mut found = check::check_policy(&loaded.resolved.policy);
        // What could not be resolved may be the boundary.
        found.retain(|it| !(broken && it.code == "no-boundary"));
        findings.extend(found);
    }
    let allows = &loaded.resolved.allows;
    let (mut findings, used) = report::allow::silence(findings, allows);
    if !findings.iter().any(Diagnostic::is_error) {
        let unused = allows.iter().zip(used).filter(|(allow, used)| !used && allow.is_judged_by_file());
        findings.extend(unused.map(|(allow, _)| report::allow::unused(allow)));
    }
    sorted(findings)
}

/// What stands in the way of a policy, or of one of its sandboxes, on a host. Looks at the paths of this machine that
/// the policy names, and adds what is there to the facts.
pub fn host_findings(loaded: &Loaded, only: Option<Chosen>, probe: &Probe, facts: &mut HostFacts) -> Vec<Diagnostic> {
    let whole = &loaded.resolved.policy;
    let several = whole.sandboxes.len() + whole.pods.len() > 1;
    let of_one = only.filter(|_| several).map(Chosen::alone);
    let policy = of_one.as_ref().unwrap_or(whole);
    probe.paths(facts, &check::wanted_paths(policy));
    if check::wants_profiles(policy) {
        probe.profiles(facts);
    }
    if check::wants_name_search(policy) {
        probe.name_search(facts);
    }
    if check::wants_mounting(policy) {
        probe.mounting(facts);
    }
    probe.joins(facts, &check::wanted_joins(policy), &running);
    probe.libraries(facts, &check::wanted_libraries(policy));
    let findings = check::check_host(policy, facts);
    sorted(report::allow::silence(findings, &loaded.resolved.allows).0)
}

/// What stands in the way of a policy on a host that one is not on. Nothing is said about paths.
pub fn target_findings(loaded: &Loaded, facts: &HostFacts) -> Vec<Diagnostic> {
    let findings = check::check_host(&loaded.resolved.policy, facts);
    sorted(report::allow::silence(findings, &loaded.resolved.allows).0)
}

/// The same for several hosts: what is said of more than one is said once, with their names.
pub fn findings_of_targets(loaded: &Loaded, targets: &[HostFacts]) -> Vec<Diagnostic> {
    let mut found: Vec<(Diagnostic, Vec<&str>)> = Vec::new();
    for host in targets {
        for finding in target_findings(loaded, host) {
            match found.iter_mut().find(|(known, _)| *known == finding) {
                Some((_, hosts)) => hosts.push(&host.name),
                None => found.push((finding, vec![&host.name])),
            }
        }
    }
    let named = found.into_iter().map(|(mut finding, hosts)| {
        // Many messages say it already.
        if targets.len() > 1 && !hosts.iter().all(|name| finding.message.contains(*name)) {
            finding.message = format!("{} (on {})", finding.message, hosts.join(", "));
        }
        finding
    });
    sorted(named.collect())
}

fn sorted(mut findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    findings.sort_by_key(|finding| finding.labels.first().map(|label| (label.span.file, label.span.start)));
    findings
}

/// What of a file is run.
#[derive(Clone, Copy, Debug)]
pub enum Chosen<'a> {
    /// A sandbox.
    Sandbox(&'a Sandbox),
    /// A pod, with all of its containers.
    Pod(&'a Pod),
}

impl<'a> Chosen<'a> {
    /// The sandbox; a pod is refused, as what is asked is about one program.
    pub fn sandbox(self) -> Result<&'a Sandbox, Diagnostic> {
        let pod = match self {
            Chosen::Sandbox(sandbox) => return Ok(sandbox),
            Chosen::Pod(pod) => pod,
        };
        let name = &pod.base.name.value;
        let containers: Vec<String> = pod.containers.iter().map(|it| format!("`{name}.{}`", it.name.value)).collect();
        Err(Diagnostic::error("which-sandbox", format!("`{name}` is a pod, and this is about one program"))
            .label(pod.base.name.span(), "it has several containers")
            .help(format!("name one of them: {}", containers.join(", "))))
    }

    /// As a policy of nothing else.
    fn alone(self) -> Policy {
        match self {
            Chosen::Sandbox(sandbox) => Policy { sandboxes: vec![sandbox.clone()], pods: Vec::new() },
            Chosen::Pod(pod) => Policy { sandboxes: Vec::new(), pods: vec![pod.clone()] },
        }
    }
}

/// The sandbox or the pod with this name, or the only one of the file. A container is known as `POD.CONTAINER`, to those who
/// want to know something of it alone.
pub fn select<'a>(loaded: &'a Loaded, name: Option<&str>) -> Result<Chosen<'a>, Diagnostic> {
    let policy = &loaded.resolved.policy;
    let sandboxes = policy.sandboxes.iter().map(|it| (it.name.value.as_str(), Chosen::Sandbox(it)));
    let pods = policy.pods.iter().map(|it| (it.base.name.value.as_str(), Chosen::Pod(it)));
    let all: Vec<(&str, Chosen)> = sandboxes.chain(pods).collect();
    let names = || all.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match (name, all.as_slice()) {
        (_, []) => Err(resolve::no_sandbox()),
        (None, [(_, only)]) => Ok(*only),
        (None, _) => Err(Diagnostic::error("which-sandbox", "this file declares several sandboxes")
            .help(format!("put one of their names behind the file: {}", names()))),
        (Some(name), all) => all.iter().find(|(it, _)| *it == name).map(|(_, found)| *found).ok_or_else(|| {
            let near = schema::suggest::nearest(name, all.iter().map(|(name, _)| *name));
            let near = near.map_or(String::new(), |near| format!("did you mean `{near}`? "));
            Diagnostic::error("unknown-sandbox", format!("this file declares no sandbox `{name}`"))
                .help(format!("{near}it declares {}; arguments for the program stand behind `--`", names()))
        }),
    }
}

/// The sandbox with this name, the container with this name as `POD.CONTAINER`, or the only sandbox of the file.
pub fn select_sandbox<'a>(loaded: &'a Loaded, name: Option<&str>) -> Result<&'a Sandbox, Diagnostic> {
    let container = name.and_then(|name| name.split_once('.')).and_then(|(pod, name)| {
        let pod = loaded.resolved.policy.pods.iter().find(|it| it.base.name.value == pod)?;
        pod.containers.iter().find(|it| it.name.value == name)
    });
    container.map_or_else(|| select(loaded, name)?.sandbox(), Ok)
}

/// Finds the process behind the name of a sandbox or a pod that runs, for joins; nothing for other targets.
fn running(target: &JoinTarget) -> Option<host::Running> {
    let room = state::Room::open().ok()?;
    let found = |entry: &state::Entry, kinds| {
        let program = entry.record.as_ref()?.living_program()?;
        Some(host::Running { process: host::Process { pid: program.pid as u32, start: program.start }, kinds })
    };
    match target {
        JoinTarget::Sandbox(name) => found(&state::find(&room, name).ok()?, None),
        // What holds a pod cannot be looked at; each of its containers is in what the pod shares.
        JoinTarget::Pod(name) => state::list(&room).iter().find_map(|entry| {
            let of_pod = entry.record.as_ref()?.pod.as_deref() == Some(name);
            of_pod.then(|| found(entry, Some(shared_kinds(&entry.plan()?))))?
        }),
        JoinTarget::Pid(_) | JoinTarget::Path(_) => None,
    }
}

/// The kinds of namespaces that a container has from its pod.
fn shared_kinds(plan: &plan::Plan) -> Vec<policy::NsKind> {
    let shared = |step: &plan::Step| match &step.action {
        plan::Action::OpenNamespace { kind, from: plan::NamespaceFrom::Pod, .. } => Some(*kind),
        _ => None,
    };
    plan.steps.iter().filter_map(shared).collect()
}

/// `--cgroup-parent` names nothing; the limits of the sandbox are what it is for.
pub fn unknown_cgroup(path: &str, chosen: Option<Chosen>) -> Diagnostic {
    let finding = Diagnostic::error("unknown-cgroup", format!("`--cgroup-parent {path}`: there is no such cgroup"))
        .help("name a cgroup that exists, as in /proc/self/cgroup or by its directory below /sys/fs/cgroup");
    let limit = chosen.and_then(|it| {
        let cgroup = match it {
            Chosen::Sandbox(sandbox) => &sandbox.cgroup,
            Chosen::Pod(pod) => &pod.base.cgroup,
        };
        cgroup.limits().first().map(|it| it.origin.span)
    });
    match limit {
        Some(limit) => finding.label(limit, "the cgroup is for this limit"),
        None => finding,
    }
}
