//! Rules over the policy and the facts of a host, one file a family; every finding a coded diagnostic.

use crate::host::HostFacts;
use crate::policy::Policy;
use crate::report::Diagnostic;

/// What can be said from the file alone; the same everywhere.
pub fn check_policy(_policy: &Policy) -> Vec<Diagnostic> {
    Vec::new()
}

/// What needs to know the host.
pub fn check_host(_policy: &Policy, _facts: &HostFacts) -> Vec<Diagnostic> {
    Vec::new()
}

/// The paths of the host about which [`check_host`] wants to know ([`HostFacts::paths`]).
pub fn wanted_paths(_policy: &Policy) -> Vec<String> {
    Vec::new()
}
