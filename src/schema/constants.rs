//! Named numbers of the kernel: errnos, signals, and the constants that conditions of system calls use.

mod table;

use super::sorted::find;
use table::CONSTANTS;

/// The value of a constant such as `AF_UNIX`, `CLONE_NEWUSER`, `TCGETS`, on the architecture that nsl is built for
/// (`O_DIRECTORY` and few others differ between x86_64 and aarch64). An int is zero-extended, also a negative one.
pub fn constant(name: &str) -> Option<u64> {
    find(&CONSTANTS, name)
}

/// The number of an errno such as `EPERM`.
pub fn errno(name: &str) -> Option<u16> {
    let canonical = match name {
        "" => return None,
        "EWOULDBLOCK" => "EAGAIN",
        "EDEADLOCK" => "EDEADLK",
        "ENOTSUP" => "EOPNOTSUPP",
        name => name,
    };
    ERRNOS.iter().position(|known| *known == canonical).and_then(|number| u16::try_from(number).ok())
}

/// The name of an errno.
pub fn errno_name(number: i32) -> Option<&'static str> {
    named(ERRNOS, number)
}

/// The number of a signal such as `TERM` (or `SIGTERM`).
pub fn signal(name: &str) -> Option<i32> {
    let canonical = match name.strip_prefix("SIG").unwrap_or(name) {
        "" => return None,
        "IOT" => "ABRT",
        "CLD" => "CHLD",
        "POLL" => "IO",
        name => name,
    };
    SIGNALS.iter().position(|known| *known == canonical).and_then(|number| i32::try_from(number).ok())
}

/// The name of a signal, without `SIG`.
pub fn signal_name(number: i32) -> Option<&'static str> {
    named(SIGNALS, number)
}

/// All names that [`constant`] knows, sorted.
pub fn constant_names() -> Vec<&'static str> {
    CONSTANTS.iter().map(|(name, _)| *name).collect()
}

/// All names that [`errno`] knows, sorted.
pub fn errno_names() -> Vec<&'static str> {
    words(ERRNOS, &["EDEADLOCK", "ENOTSUP", "EWOULDBLOCK"])
}

/// All names that [`signal`] knows without `SIG`, sorted.
pub fn signal_names() -> Vec<&'static str> {
    words(SIGNALS, &["CLD", "IOT", "POLL"])
}

fn named(table: &[&'static str], number: i32) -> Option<&'static str> {
    table.get(usize::try_from(number).ok()?).copied().filter(|name| !name.is_empty())
}

fn words(table: &[&'static str], aliases: &[&'static str]) -> Vec<&'static str> {
    let mut words: Vec<_> = table.iter().chain(aliases).copied().filter(|name| !name.is_empty()).collect();
    words.sort_unstable();
    words
}

/// By number, as in asm-generic/errno.h, which x86_64 and aarch64 share; 0, 41 and 58 mean nothing.
#[rustfmt::skip]
const ERRNOS: &[&str] = &[
    "", "EPERM", "ENOENT", "ESRCH", "EINTR", "EIO", "ENXIO", "E2BIG", "ENOEXEC", "EBADF", "ECHILD", "EAGAIN",
    "ENOMEM", "EACCES", "EFAULT", "ENOTBLK", "EBUSY", "EEXIST", "EXDEV", "ENODEV", "ENOTDIR", "EISDIR", "EINVAL",
    "ENFILE", "EMFILE", "ENOTTY", "ETXTBSY", "EFBIG", "ENOSPC", "ESPIPE", "EROFS", "EMLINK", "EPIPE", "EDOM",
    "ERANGE", "EDEADLK", "ENAMETOOLONG", "ENOLCK", "ENOSYS", "ENOTEMPTY", "ELOOP", "", "ENOMSG", "EIDRM", "ECHRNG",
    "EL2NSYNC", "EL3HLT", "EL3RST", "ELNRNG", "EUNATCH", "ENOCSI", "EL2HLT", "EBADE", "EBADR", "EXFULL", "ENOANO",
    "EBADRQC", "EBADSLT", "", "EBFONT", "ENOSTR", "ENODATA", "ETIME", "ENOSR", "ENONET", "ENOPKG", "EREMOTE",
    "ENOLINK", "EADV", "ESRMNT", "ECOMM", "EPROTO", "EMULTIHOP", "EDOTDOT", "EBADMSG", "EOVERFLOW", "ENOTUNIQ",
    "EBADFD", "EREMCHG", "ELIBACC", "ELIBBAD", "ELIBSCN", "ELIBMAX", "ELIBEXEC", "EILSEQ", "ERESTART", "ESTRPIPE",
    "EUSERS", "ENOTSOCK", "EDESTADDRREQ", "EMSGSIZE", "EPROTOTYPE", "ENOPROTOOPT", "EPROTONOSUPPORT",
    "ESOCKTNOSUPPORT", "EOPNOTSUPP", "EPFNOSUPPORT", "EAFNOSUPPORT", "EADDRINUSE", "EADDRNOTAVAIL", "ENETDOWN",
    "ENETUNREACH", "ENETRESET", "ECONNABORTED", "ECONNRESET", "ENOBUFS", "EISCONN", "ENOTCONN", "ESHUTDOWN",
    "ETOOMANYREFS", "ETIMEDOUT", "ECONNREFUSED", "EHOSTDOWN", "EHOSTUNREACH", "EALREADY", "EINPROGRESS", "ESTALE",
    "EUCLEAN", "ENOTNAM", "ENAVAIL", "EISNAM", "EREMOTEIO", "EDQUOT", "ENOMEDIUM", "EMEDIUMTYPE", "ECANCELED",
    "ENOKEY", "EKEYEXPIRED", "EKEYREVOKED", "EKEYREJECTED", "EOWNERDEAD", "ENOTRECOVERABLE", "ERFKILL", "EHWPOISON",
];

/// By number, as in signal(7) for x86_64 and aarch64; 0 is no signal. The real-time signals have no names of their own.
#[rustfmt::skip]
const SIGNALS: &[&str] = &[
    "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR",
    "SYS",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_sorted_and_single() {
        let names = constant_names();
        assert!(names.len() > 1200);
        for pair in names.windows(2) {
            assert!(pair[0] < pair[1], "{} {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn constants_have_the_kernels_values() {
        for (name, value) in [
            ("AF_UNIX", 1),
            ("CLONE_NEWUSER", 0x1000_0000),
            ("CLONE_IO", 0x8000_0000),
            ("CLONE_INTO_CGROUP", 0x2_0000_0000),
            ("TCGETS", 0x5401),
            ("TIOCSTI", 0x5412),
            ("TIOCLINUX", 0x541c),
            ("TIOCGWINSZ", 0x5413),
            ("AT_FDCWD", 0xffff_ff9c),
            ("MAP_ANONYMOUS", 0x20),
            ("S_IFBLK", 0o060_000),
            ("PR_SET_NO_NEW_PRIVS", 38),
            ("KEYCTL_JOIN_SESSION_KEYRING", 1),
            ("PER_LINUX32", 8),
            ("NETLINK_ROUTE", 0),
            ("IPPROTO_TCP", 6),
            ("SIGTERM", 15),
        ] {
            assert_eq!(constant(name), Some(value), "{name}");
        }
        assert_eq!(constant("AF_NOWHERE"), None);
    }

    #[test]
    fn errnos_are_those_of_libc() {
        for (name, number) in [("EPERM", libc::EPERM), ("ENOSYS", libc::ENOSYS), ("EAFNOSUPPORT", libc::EAFNOSUPPORT)] {
            assert_eq!(errno(name).map(i32::from), Some(number));
            assert_eq!(errno_name(number), Some(name));
        }
        assert_eq!(errno("EWOULDBLOCK"), errno("EAGAIN"));
        assert_eq!(
            (errno(""), errno("EVERYTHING"), errno_name(0), errno_name(41), errno_name(-1)),
            (None, None, None, None, None)
        );
        assert_eq!(errno_name(libc::EHWPOISON), Some("EHWPOISON"));
        for name in errno_names() {
            assert!(errno(name).is_some(), "{name}");
        }
    }

    #[test]
    fn signals_are_those_of_libc() {
        for (name, number) in
            [("TERM", libc::SIGTERM), ("SIGCHLD", libc::SIGCHLD), ("SYS", libc::SIGSYS), ("POLL", libc::SIGIO)]
        {
            assert_eq!(signal(name), Some(number));
        }
        assert_eq!((signal(""), signal("SIG"), signal("term"), signal_name(0)), (None, None, None, None));
        for number in 1..32 {
            let constant = signal_name(number).and_then(|name| constant(&format!("SIG{name}")));
            assert_eq!(constant, u64::try_from(number).ok());
        }
        for name in signal_names() {
            assert!(signal(name).is_some(), "{name}");
        }
    }
}
