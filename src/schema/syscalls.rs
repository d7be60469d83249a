//! The system calls of x86_64 and aarch64: names, numbers, names of arguments.

/// One argument of a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argument {
    /// As in its man page, such as `family`.
    pub name: &'static str,
    /// Its position, 0 to 5.
    pub index: u8,
    /// Whether the kernel takes an int there, so that only the low 32 bits count.
    pub dword: bool,
}

/// The number of a call on an architecture (`x86_64`, `aarch64`).
pub fn number(_arch: &str, _name: &str) -> Option<u32> {
    None
}

/// Whether any architecture has a call of this name.
pub fn is_known(name: &str) -> bool {
    number("x86_64", name).is_some() || number("aarch64", name).is_some()
}

/// The arguments of a call that a condition may name.
pub fn arguments(_name: &str) -> &'static [Argument] {
    &[]
}

/// The names of all calls of all architectures, sorted.
pub fn names() -> Vec<&'static str> {
    Vec::new()
}
