//! Words of the kernel: capabilities, resource limits.

/// Capabilities by number, lower case without `CAP_`; the index is the number.
pub const CAPABILITIES: &[&str] = &[];

/// Resource limits of getrlimit(2), lower case without `RLIMIT_`.
pub const RLIMITS: &[&str] = &[];
