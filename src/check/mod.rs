//! Rules over the policy and the facts of a host, one file a family; every finding a coded diagnostic.
//!
//! Nothing here does IO. A rule about the file alone sees one sandbox; a rule about a host sees its facts too.

mod binds;
mod cgroup;
mod cgroup_shares;
mod firewall;
mod host;
mod host_binds;
mod host_net;
mod host_paths;
mod host_sources;
mod identity;
mod joins;
mod keep;
mod labels;
mod landlock;
mod layers;
mod lifecycle;
mod links;
mod mnt;
mod namespaces;
mod net;
mod pods;
mod process;
mod propagation;
mod provenance;
mod seccomp;
mod seccomp_abi;
mod seccomp_rules;
mod special;
mod stdio;
mod sysctl;
mod text;
mod tree;

use crate::host::HostFacts;
use crate::policy::{Policy, Sandbox, Strength, Traced};
use crate::report::Diagnostic;

pub use host_paths::{wanted_libraries, wanted_paths};
pub use joins::wanted_joins;
pub use keep::wants_mounting;
pub use labels::wants_profiles;
pub use net::wants_name_search;

/// What can be said from the file alone; the same everywhere.
pub fn check_policy(policy: &Policy) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for sandbox in &policy.sandboxes {
        check_sandbox(sandbox, &mut out);
    }
    for pod in &policy.pods {
        pods::check(pod, &mut out);
        keep::check_pod(pod, &mut out);
        check_shared(&pod.base, &mut out);
        for container in &pod.containers {
            check_sandbox(container, &mut out);
        }
    }
    out
}

/// What a pod itself makes: namespaces, and a budget, but no program and no files.
fn check_shared(base: &Sandbox, out: &mut Vec<Diagnostic>) {
    namespaces::check_shared(base, out);
    keep::check(base, out);
    identity::check_shared(base, out);
    net::check(base, out);
    cgroup::check(base, out);
}

fn check_sandbox(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let before = out.len();
    namespaces::check(sandbox, out);
    keep::check(sandbox, out);
    identity::check(sandbox, out);
    mnt::check(sandbox, out);
    special::check(sandbox, out);
    net::check(sandbox, out);
    net::name_files(sandbox, out);
    cgroup::check(sandbox, out);
    privileges(sandbox, out);
    seccomp::check(sandbox, out);
    landlock::check(sandbox, out);
    lifecycle::check(sandbox, out);
    stdio::check(sandbox, out);
    process::check(sandbox, out);
    labels::check(sandbox, out);
    propagation::check(sandbox, out);
    sysctl::check(sandbox, out);
    provenance::tell(sandbox, &mut out[before..]);
}

/// prctl(2), PR_SET_NO_NEW_PRIVS. Without a filter: with one, `seccomp` has more to say.
fn privileges(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    if !sandbox.no_new_privs.value && sandbox.seccomp.is_none() {
        out.push(
            Diagnostic::warning(
                "new-privs",
                "set-user-id programs and file capabilities give the program more than it has",
            )
            .label(sandbox.no_new_privs.span(), "privileges can be gained inside")
            .help("delete the line: a program that needs a capability is given it with `caps { keep … }`"),
        );
    }
}

/// A statement without which the run does not begin.
fn required<T>(stated: &Option<Traced<T>>) -> Option<&Traced<T>> {
    stated.as_ref().filter(|it| it.strength != Strength::Prefer)
}

/// What needs to know the host.
pub fn check_host(policy: &Policy, facts: &HostFacts) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    let containers = policy.pods.iter().flat_map(|it| &it.containers);
    for sandbox in policy.sandboxes.iter().chain(containers) {
        let before = out.len();
        host::check(sandbox, facts, &mut out);
        process::check_host(sandbox, facts, &mut out);
        labels::check_host(sandbox, facts, &mut out);
        propagation::check_host(sandbox, facts, &mut out);
        landlock::check_host(sandbox, facts, &mut out);
        cgroup_shares::check_host(sandbox, facts, &mut out);
        seccomp_abi::check_host(sandbox, facts, &mut out);
        host_paths::check(sandbox, facts, &mut out);
        host_binds::check(sandbox, facts, &mut out);
        joins::check(sandbox, facts, &mut out);
        keep::check_host(sandbox, facts, &mut out);
        layers::check_kernel(sandbox, facts, &mut out);
        special::check_host(sandbox, facts, &mut out);
        sysctl::check_host(sandbox, facts, &mut out);
        provenance::tell(sandbox, &mut out[before..]);
    }
    for pod in &policy.pods {
        let before = out.len();
        host::check(&pod.base, facts, &mut out);
        joins::check(&pod.base, facts, &mut out);
        keep::check_host(&pod.base, facts, &mut out);
        provenance::tell(&pod.base, &mut out[before..]);
    }
    out
}
