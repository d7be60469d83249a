//! Rules over the policy and the facts of a host, one file a family; every finding a coded diagnostic.
//!
//! Nothing here does IO. A rule about the file alone sees one sandbox; a rule about a host sees its facts too.

mod cgroup;
mod host;
mod host_paths;
mod identity;
mod mnt;
mod namespaces;
mod net;
mod pods;
mod seccomp;
mod tree;

use crate::host::HostFacts;
use crate::policy::{Policy, Sandbox};
use crate::report::Diagnostic;

pub use host_paths::wanted_paths;

/// What can be said from the file alone; the same everywhere.
pub fn check_policy(policy: &Policy) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for sandbox in &policy.sandboxes {
        check_sandbox(sandbox, &mut out);
    }
    for pod in &policy.pods {
        pods::check(pod, &mut out);
        for container in &pod.containers {
            check_sandbox(container, &mut out);
        }
    }
    out
}

fn check_sandbox(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    namespaces::check(sandbox, out);
    identity::check(sandbox, out);
    mnt::check(sandbox, out);
    net::check(sandbox, out);
    cgroup::check(sandbox, out);
    seccomp::check(sandbox, out);
}

/// What needs to know the host.
pub fn check_host(policy: &Policy, facts: &HostFacts) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    let containers = policy.pods.iter().flat_map(|it| &it.containers);
    for sandbox in policy.sandboxes.iter().chain(containers) {
        host::check(sandbox, facts, &mut out);
        host_paths::check(sandbox, facts, &mut out);
    }
    out
}
