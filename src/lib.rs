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
pub mod inspect;
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
use policy::{Policy, Sandbox};
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
pub fn host_findings(loaded: &Loaded, only: Option<&Sandbox>, probe: &Probe, facts: &mut HostFacts) -> Vec<Diagnostic> {
    let whole = &loaded.resolved.policy;
    let of_one = match only {
        Some(sandbox) if whole.sandboxes.len() + whole.pods.len() > 1 => {
            Some(Policy { sandboxes: vec![sandbox.clone()], pods: Vec::new() })
        }
        _ => None,
    };
    let policy = of_one.as_ref().unwrap_or(whole);
    probe.paths(facts, &check::wanted_paths(policy));
    probe.joins(facts, &check::wanted_joins(policy));
    probe.libraries(facts, &check::wanted_libraries(policy));
    let findings = check::check_host(policy, facts);
    sorted(report::allow::silence(findings, &loaded.resolved.allows).0)
}

/// What stands in the way of a policy on a host that one is not on. Nothing is said about paths.
pub fn target_findings(loaded: &Loaded, facts: &HostFacts) -> Vec<Diagnostic> {
    let findings = check::check_host(&loaded.resolved.policy, facts);
    sorted(report::allow::silence(findings, &loaded.resolved.allows).0)
}

fn sorted(mut findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    findings.sort_by_key(|finding| finding.labels.first().map(|label| (label.span.file, label.span.start)));
    findings
}

/// The sandbox with this name, or the only one of the file.
pub fn select<'a>(loaded: &'a Loaded, name: Option<&str>) -> Result<&'a Sandbox, Diagnostic> {
    let policy = &loaded.resolved.policy;
    let names = || {
        let names: Vec<String> = policy.sandboxes.iter().map(|it| format!("`{}`", it.name.value)).collect();
        names.join(", ")
    };
    let wanted = |pod: &&policy::Pod| match name {
        Some(name) => pod.base.name.value == name,
        None => policy.sandboxes.is_empty(),
    };
    if let Some(pod) = policy.pods.iter().find(wanted) {
        let name = &pod.base.name;
        let message = format!("the pod `{}` parses and checks, but this version cannot run it", name.value);
        return Err(Diagnostic::error("not-yet", message)
            .label(name.span(), "a pod is declared here")
            .help("run one `sandbox` at a time"));
    }
    match (name, policy.sandboxes.as_slice()) {
        (_, []) => Err(resolve::no_sandbox()),
        (None, [only]) => Ok(only),
        (None, _) => Err(Diagnostic::error("which-sandbox", "this file declares several sandboxes")
            .help(format!("put one of their names behind the file: {}", names()))),
        (Some(name), sandboxes) => sandboxes.iter().find(|it| it.name.value == name).ok_or_else(|| {
            let near = schema::suggest::nearest(name, sandboxes.iter().map(|it| it.name.value.as_str()));
            let near = near.map_or(String::new(), |near| format!("did you mean `{near}`? "));
            Diagnostic::error("unknown-sandbox", format!("this file declares no sandbox `{name}`"))
                .help(format!("{near}it declares {}; arguments for the program stand behind `--`", names()))
        }),
    }
}

/// `--cgroup-parent` names nothing; the limits of the sandbox are what it is for.
pub fn unknown_cgroup(path: &str, sandbox: Option<&Sandbox>) -> Diagnostic {
    let finding = Diagnostic::error("unknown-cgroup", format!("`--cgroup-parent {path}`: there is no such cgroup"))
        .help("name a cgroup that exists, as in /proc/self/cgroup or by its directory below /sys/fs/cgroup");
    let limits = sandbox.map(|it| {
        let cgroup = &it.cgroup;
        [&cgroup.memory_max, &cgroup.memory_swap_max, &cgroup.pids_max, &cgroup.cpu_max]
    });
    match limits.into_iter().flatten().flatten().next() {
        Some(limit) => finding.label(limit.span(), "the cgroup is for this limit"),
        None => finding,
    }
}
