//! Named numbers of the kernel: errnos, signals, and the constants that conditions of system calls use.

/// The value of a constant such as `AF_UNIX`, `CLONE_NEWUSER`, `TCGETS`.
pub fn constant(_name: &str) -> Option<u64> {
    None
}

/// The number of an errno such as `EPERM`.
pub fn errno(_name: &str) -> Option<u16> {
    None
}

/// The name of an errno.
pub fn errno_name(_number: i32) -> Option<&'static str> {
    None
}

/// The number of a signal such as `TERM` (or `SIGTERM`).
pub fn signal(_name: &str) -> Option<i32> {
    None
}

/// The name of a signal, without `SIG`.
pub fn signal_name(_number: i32) -> Option<&'static str> {
    None
}

/// All names that [`constant`] knows, sorted.
pub fn constant_names() -> Vec<&'static str> {
    Vec::new()
}

/// All names that [`errno`] knows, sorted.
pub fn errno_names() -> Vec<&'static str> {
    Vec::new()
}

/// All names that [`signal`] knows without `SIG`, sorted.
pub fn signal_names() -> Vec<&'static str> {
    Vec::new()
}
