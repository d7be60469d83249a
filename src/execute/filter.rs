//! A filter as a program of the kernel's.

use crate::plan::FilterSpec;

/// Compiles a filter.
pub fn compile(_spec: &FilterSpec) -> Result<Vec<libc::sock_filter>, String> {
    Err("not yet".to_string())
}
