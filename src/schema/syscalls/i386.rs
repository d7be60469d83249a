//! The 32-bit ABI of x86_64: which call of the language each of its calls is.
//!
//! A policy names calls as 64-bit programs make them. Many of those have other names on i386, some take their arguments
//! elsewhere, and two hide what they do behind a pointer: a rule must mean the same there, or be refused.

use super::number;

/// What it is called in a policy, and what `uname -m` of `linux32` says of the processor.
pub const NAME: &str = "i386";

/// The architecture on which programs of this ABI run.
pub const HOST: &str = "x86_64";

/// Calls of i386 alone, and the call whose rules they take.
const SAME: &[(&str, &str)] = &[
    ("_llseek", "lseek"),
    ("_newselect", "select"),
    ("chown32", "chown"),
    ("clock_adjtime64", "clock_adjtime"),
    ("clock_getres_time64", "clock_getres"),
    ("clock_gettime64", "clock_gettime"),
    ("clock_nanosleep_time64", "clock_nanosleep"),
    ("clock_settime64", "clock_settime"),
    ("fadvise64_64", "fadvise64"),
    ("fchown32", "fchown"),
    ("fcntl64", "fcntl"),
    ("fstat64", "fstat"),
    ("fstatat64", "newfstatat"),
    ("fstatfs64", "fstatfs"),
    ("ftruncate64", "ftruncate"),
    ("futex_time64", "futex"),
    ("getegid32", "getegid"),
    ("geteuid32", "geteuid"),
    ("getgid32", "getgid"),
    ("getgroups32", "getgroups"),
    ("getresgid32", "getresgid"),
    ("getresuid32", "getresuid"),
    ("getuid32", "getuid"),
    ("io_pgetevents_time64", "io_pgetevents"),
    ("lchown32", "lchown"),
    ("lstat64", "lstat"),
    ("mmap2", "mmap"),
    ("mq_timedreceive_time64", "mq_timedreceive"),
    ("mq_timedsend_time64", "mq_timedsend"),
    ("nice", "setpriority"),
    ("oldfstat", "fstat"),
    ("oldlstat", "lstat"),
    ("oldolduname", "uname"),
    ("oldstat", "stat"),
    ("olduname", "uname"),
    ("ppoll_time64", "ppoll"),
    ("pselect6_time64", "pselect6"),
    ("readdir", "getdents"),
    ("recvmmsg_time64", "recvmmsg"),
    ("rt_sigtimedwait_time64", "rt_sigtimedwait"),
    ("sched_rr_get_interval_time64", "sched_rr_get_interval"),
    ("semtimedop_time64", "semtimedop"),
    ("sendfile64", "sendfile"),
    ("setfsgid32", "setfsgid"),
    ("setfsuid32", "setfsuid"),
    ("setgid32", "setgid"),
    ("setgroups32", "setgroups"),
    ("setregid32", "setregid"),
    ("setresgid32", "setresgid"),
    ("setresuid32", "setresuid"),
    ("setreuid32", "setreuid"),
    ("setuid32", "setuid"),
    ("sgetmask", "rt_sigprocmask"),
    ("sigaction", "rt_sigaction"),
    ("signal", "rt_sigaction"),
    ("sigpending", "rt_sigpending"),
    ("sigprocmask", "rt_sigprocmask"),
    ("sigreturn", "rt_sigreturn"),
    ("sigsuspend", "rt_sigsuspend"),
    ("ssetmask", "rt_sigprocmask"),
    ("stat64", "stat"),
    ("statfs64", "statfs"),
    ("stime", "clock_settime"),
    ("timer_gettime64", "timer_gettime"),
    ("timer_settime64", "timer_settime"),
    ("timerfd_gettime64", "timerfd_gettime"),
    ("timerfd_settime64", "timerfd_settime"),
    ("truncate64", "truncate"),
    ("ugetrlimit", "getrlimit"),
    ("umount", "umount2"),
    ("utimensat_time64", "utimensat"),
    ("waitpid", "wait4"),
];

/// Calls of i386 whose arguments stand elsewhere than on x86_64: a 64-bit number takes two places, a pointer leads to all of them
/// (old mmap and select), or the call is another one.
const MOVED: &[&str] = &[
    "_llseek",
    "fadvise64",
    "fadvise64_64",
    "fallocate",
    "fanotify_mark",
    "ftruncate64",
    "mmap",
    "nice",
    "pread64",
    "preadv",
    "preadv2",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "readahead",
    "readdir",
    "select",
    "sgetmask",
    "ssetmask",
    "signal",
    "stime",
    "sync_file_range",
    "truncate64",
    "umount",
    "waitpid",
];

/// socketcall(2), ipc(2): one call for these, whose number and arguments it takes behind a pointer or beside it.
pub const MULTIPLEXERS: [(&str, &[&str]); 2] = [
    (
        "socketcall",
        &[
            "socket",
            "bind",
            "connect",
            "listen",
            "accept",
            "getsockname",
            "getpeername",
            "socketpair",
            "sendto",
            "recvfrom",
            "shutdown",
            "setsockopt",
            "getsockopt",
            "sendmsg",
            "recvmsg",
            "accept4",
            "recvmmsg",
            "sendmmsg",
        ],
    ),
    (
        "ipc",
        &[
            "semop",
            "semget",
            "semctl",
            "semtimedop",
            "msgsnd",
            "msgrcv",
            "msgget",
            "msgctl",
            "shmat",
            "shmdt",
            "shmget",
            "shmctl",
        ],
    ),
];

/// The call of the language whose rules a call of i386 takes: mostly the one of its name. `None` for calls that only i386
/// has: they take rules of their own.
pub fn same(name: &str) -> Option<&str> {
    match SAME.binary_search_by(|(known, _)| (*known).cmp(name)) {
        Ok(at) => Some(SAME[at].1),
        Err(_) => number(HOST, name).map(|_| name),
    }
}

/// Whether the arguments of a call of i386 stand where those of the call of the language do.
pub fn keeps_arguments(name: &str) -> bool {
    !MOVED.contains(&name)
}

/// The calls of i386 that take the rules of a call of the language.
pub fn calls_of(name: &str) -> impl Iterator<Item = &'static str> {
    super::table(NAME).iter().map(|(call, _)| *call).filter(move |call| same(call) == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::syscalls::table;

    #[test]
    fn every_call_has_a_meaning() {
        assert!(SAME.is_sorted());
        for (name, same) in SAME {
            assert!(number(NAME, name).is_some(), "{name}");
            assert!(number(HOST, same).is_some(), "{same}");
        }
        for name in MOVED {
            assert!(number(NAME, name).is_some(), "{name}");
        }
        let own: Vec<&str> = table(NAME).iter().map(|(name, _)| *name).filter(|it| same(it).is_none()).collect();
        assert_eq!(own, ["bdflush", "ipc", "socketcall", "vm86", "vm86old"]);
        for (name, members) in MULTIPLEXERS {
            assert!(number(NAME, name).is_some() && members.iter().all(|it| number(HOST, it).is_some()), "{name}");
        }
        assert_eq!(calls_of("stat").collect::<Vec<_>>(), ["oldstat", "stat", "stat64"]);
    }

    #[test]
    fn numbers_are_those_of_the_header() {
        let all = ["exit", "read", "getpid", "mmap", "socketcall", "mmap2", "stat64", "openat", "clone3"];
        assert_eq!(all.map(|name| number(NAME, name)), [1, 3, 20, 90, 102, 192, 195, 295, 435].map(Some));
    }
}
