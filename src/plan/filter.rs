//! The filter of a policy, call by call.

use super::FilterSpec;
use crate::policy::Seccomp;

/// What every call of an architecture gets.
pub fn filter_spec(seccomp: &Seccomp, arch: &str) -> FilterSpec {
    FilterSpec { arch: arch.to_string(), otherwise: seccomp.otherwise.value, calls: Vec::new() }
}
