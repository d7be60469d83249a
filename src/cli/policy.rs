//! The arguments that name a policy, and the way from them to a sandbox that can be planned.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use nsl::host::{self, HostFacts, Probe};
use nsl::report::{Diagnostic, Severity};
use nsl::resolve::{Inputs, UserDatabase};
use nsl::source::{Disk, Files};
use nsl::{Chosen, Loaded, plan};

use super::terminal;

/// `--set`, for every command that resolves policies.
#[derive(Args, Debug)]
pub struct Settings {
    /// Give a parameter of the policy a value, as typed in a policy: `--set port=8080/tcp`.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_string(), value.to_string())),
        _ => Err("write NAME=VALUE, as in `--set port=8081/tcp`".to_string()),
    }
}

fn handed(text: &str) -> Result<(String, i32), String> {
    let parts = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let number = parts.and_then(|(name, number)| Some((name.to_string(), number.parse().ok()?)));
    match number {
        Some((_, ..=2)) => Err("0, 1 and 2 are the program's already; hand over 3 or more".to_string()),
        Some(found) => Ok(found),
        None => Err("write NAME=N, as in `--fd listener=3`".to_string()),
    }
}

impl Settings {
    /// What comes into a policy from outside, for this caller.
    pub fn inputs(&self, facts: &HostFacts) -> Result<Inputs, Diagnostic> {
        let mut params = BTreeMap::new();
        for (name, value) in &self.set {
            if params.insert(name.clone(), value.clone()).is_some_and(|before| before != *value) {
                return Err(Diagnostic::error("usage", format!("`--set {name}=…` is given twice, with two values"))
                    .help("give each parameter one value"));
            }
        }
        let database = UserDatabase { uid: host::uid_of, gid: host::gid_of };
        Ok(Inputs { cwd: self.cwd()?, params, caller: nsl::caller_names(facts), open: false, database })
    }

    /// The working directory. Where there is none any more, what is absolute still works.
    fn cwd(&self) -> Result<String, Diagnostic> {
        let path = std::env::current_dir().ok().and_then(|path| path.into_os_string().into_string().ok());
        let relative = self.set.iter().find(|(_, value)| value.contains("./"));
        match (path, relative) {
            (Some(path), _) => Ok(path),
            (None, None) => Ok("/".to_string()),
            (None, Some((name, value))) => Err(Diagnostic::error(
                "usage",
                format!("`--set {name}={value}` starts at the working directory, which cannot be found"),
            )
            .help("it was removed, or has a name that is not UTF-8: write an absolute path")),
        }
    }
}

/// The arguments of `run` and `plan`.
#[derive(Args, Debug)]
pub struct Choice {
    /// The policy.
    pub file: PathBuf,
    /// The sandbox, where the file declares several.
    pub name: Option<String>,
    #[command(flatten)]
    pub settings: Settings,
    /// The cgroup in which the sandbox gets its own, for callers that may not write to their own cgroup: one that was delegated to you.
    #[arg(long, value_name = "PATH")]
    pub cgroup_parent: Option<String>,
    /// Hand over an open descriptor by its number, to a sandbox that says `fd NAME = …`: `--fd listener=3`.
    #[arg(long = "fd", value_name = "NAME=N", value_parser = handed)]
    pub fds: Vec<(String, i32)>,
    /// What is appended to the sandbox's `run`; its whole command where it has none.
    #[arg(last = true, value_name = "ARGS")]
    pub args: Vec<OsString>,
}

/// A plan with the texts that its places point into.
pub struct Ready {
    pub files: Files,
    pub plan: Planned,
}

/// The plan of what was chosen.
pub enum Planned {
    Sandbox(plan::Plan),
    Pod(plan::PodPlan),
}

impl Planned {
    /// What it is called in the policy.
    pub fn name(&self) -> &str {
        match self {
            Planned::Sandbox(plan) => &plan.name,
            Planned::Pod(pod) => &pod.name,
        }
    }

    /// The plan of a sandbox; of a pod, that of what is called so in it.
    pub fn of(&self, name: &str) -> Result<&plan::Plan, Diagnostic> {
        let pod = match self {
            Planned::Sandbox(plan) => return Ok(plan),
            Planned::Pod(pod) => pod,
        };
        let mut plans = pod.containers.iter().map(|it| &it.plan).chain([&pod.holder]);
        plans.find(|it| it.name == name).ok_or_else(|| {
            let names: Vec<String> =
                pod.containers.iter().map(|it| format!("`{}.{}`", pod.name, it.plan.name)).collect();
            Diagnostic::error("whole-pod", format!("`{name}` is none of the containers of the pod `{}`", pod.name))
                .help(format!("name one of them, as `nsl ps` does: {}", names.join(", ")))
        })
    }
}

impl Choice {
    /// The only sandbox of a file, with nothing set.
    pub fn of(file: &std::path::Path) -> Choice {
        Choice {
            file: file.to_path_buf(),
            name: None,
            settings: Settings { set: Vec::new() },
            cgroup_parent: None,
            fds: Vec::new(),
            args: Vec::new(),
        }
    }

    /// The plan for this host, or what stands in its way; and warnings either way.
    pub fn plan(&self) -> Result<(Ready, Vec<Diagnostic>), (Files, Vec<Diagnostic>)> {
        self.plan_with(self.fds.iter().map(|(name, _)| name.clone()).collect())
    }

    /// The same with descriptors of these names.
    pub fn plan_with(&self, fds: Vec<String>) -> Result<(Ready, Vec<Diagnostic>), (Files, Vec<Diagnostic>)> {
        if self.file.as_os_str() == "-" {
            let finding = Diagnostic::error("usage", "the standard input is the program's, no policy is read from it")
                .help("name a file; `nsl check -` reads the standard input");
            return Err((Files::new(), vec![finding]));
        }
        let probe = Probe::new();
        let mut facts = probe.facts();
        let inputs = self.settings.inputs(&facts).map_err(|error| (Files::new(), vec![error]))?;
        let loaded = nsl::load(&self.file, &inputs, &Disk);
        let result = self.plan_loaded(&loaded, &probe, &mut facts, fds);
        match result {
            Ok((plan, findings)) => Ok((Ready { files: loaded.files, plan }, findings)),
            Err(findings) => Err((loaded.files, findings)),
        }
    }

    fn plan_loaded(
        &self,
        loaded: &Loaded,
        probe: &Probe,
        facts: &mut HostFacts,
        fds: Vec<String>,
    ) -> Result<(Planned, Vec<Diagnostic>), Vec<Diagnostic>> {
        let mut findings = nsl::findings(loaded);
        // What the host says about half a policy would be about something that nobody wrote.
        if findings.iter().any(Diagnostic::is_error) {
            return Err(findings);
        }
        let chosen = nsl::select(loaded, self.name.as_deref());
        let only = chosen.as_ref().ok().copied();
        if let Some(parent) = &self.cgroup_parent {
            let missing = facts.set_cgroup_parent(parent).err();
            findings.extend(missing.map(|_| nsl::unknown_cgroup(parent, only)));
        }
        findings.extend(nsl::host_findings(loaded, only, probe, facts));
        // Advice is for who writes a policy, not for who runs it.
        findings.retain(|it| it.severity != Severity::Advice);
        let chosen = match chosen {
            Ok(chosen) => chosen,
            Err(error) => {
                findings.push(error);
                return Err(findings);
            }
        };
        if findings.iter().any(Diagnostic::is_error) {
            return Err(findings);
        }
        let options = plan::Options { args: self.args.clone(), env: std::env::vars_os().collect(), fds };
        let planned = match chosen {
            Chosen::Sandbox(sandbox) => plan::plan(sandbox, facts, &options).map(Planned::Sandbox),
            Chosen::Pod(_) if !self.args.is_empty() => Err(vec![
                Diagnostic::error("usage", "a pod has several programs, and none gets what stands behind `--`")
                    .help("delete the arguments, or give the pod a `param` that its containers use"),
            ]),
            Chosen::Pod(pod) => plan::plan_pod(pod, facts, &options).map(Planned::Pod),
        };
        match planned {
            Ok(plan) => Ok((plan, findings)),
            Err(errors) => {
                findings.extend(errors);
                Err(findings)
            }
        }
    }
}

/// Says what stands in the way; the result is the exit status.
pub fn refuse(files: &Files, findings: &[Diagnostic]) -> i32 {
    terminal::say_findings(files, findings);
    super::REFUSED
}
