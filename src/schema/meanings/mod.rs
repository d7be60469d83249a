//! The kernel's words in one line each: system calls, capabilities, errnos, signals.

mod calls;
mod capabilities;
mod errnos;
mod signals;

use super::sorted::find;

/// What a system call does: syscalls(2).
pub fn call(name: &str) -> Option<&'static str> {
    find(calls::CALLS, name)
}

/// What a capability allows; its name in lower case without `CAP_`: capabilities(7).
pub fn capability(name: &str) -> Option<&'static str> {
    find(capabilities::CAPABILITIES, name)
}

/// What an errno means: errno(3).
pub fn errno(name: &str) -> Option<&'static str> {
    find(errnos::ERRNOS, name)
}

/// What a signal is for; its name without `SIG`: signal(7).
pub fn signal(name: &str) -> Option<&'static str> {
    find(signals::SIGNALS, name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{constants, names, syscalls};

    #[test]
    fn everything_has_a_meaning() {
        let mut missing: Vec<String> = Vec::new();
        missing.extend(syscalls::names().iter().filter(|it| call(it).is_none()).map(|it| it.to_string()));
        missing.extend(names::CAPABILITIES.iter().filter(|it| capability(it).is_none()).map(|it| it.to_string()));
        missing.extend(constants::errno_names().iter().filter(|it| errno(it).is_none()).map(|it| it.to_string()));
        missing.extend(constants::signal_names().iter().filter(|it| signal(it).is_none()).map(|it| it.to_string()));
        assert_eq!(missing, [""; 0]);
    }

    #[test]
    fn nothing_else_has_one_and_all_are_sorted() {
        for table in [calls::CALLS, capabilities::CAPABILITIES, errnos::ERRNOS, signals::SIGNALS] {
            assert!(table.windows(2).all(|pair| pair[0].0 < pair[1].0));
            assert!(table.iter().all(|(_, text)| !text.ends_with('.') && text.len() < 120));
        }
        assert!(calls::CALLS.iter().all(|(name, _)| syscalls::is_known(name)));
    }
}
