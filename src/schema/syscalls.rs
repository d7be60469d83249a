//! The system calls of x86_64, of its 32-bit ABI i386, and of aarch64: names, numbers, names of arguments.

mod arguments;
pub mod i386;

use super::sorted::{before, entry, find, sorted};

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

/// The architectures whose calls are known, as `uname -m` says them.
pub const ARCHES: &[&str] = &["x86_64", "aarch64"];

/// The number of a call on an architecture (`x86_64`, `aarch64`) or in an ABI (`i386`).
pub fn number(arch: &str, name: &str) -> Option<u32> {
    find(table(arch), name)
}

/// The name of a call on an architecture by its number.
pub fn name(arch: &str, number: u32) -> Option<&'static str> {
    table(arch).iter().find(|(_, known)| *known == number).map(|(name, _)| *name)
}

/// Whether any architecture has a call of this name, or i386 has.
pub fn is_known(name: &str) -> bool {
    known(name).is_some()
}

/// The name of a call that any architecture has, or i386, as the tables have it.
pub fn known(name: &str) -> Option<&'static str> {
    let mut tables = ARCHES.iter().copied().chain([i386::NAME]).map(table);
    tables.find_map(|it| entry(it, name)).map(|it| it.0)
}

/// The highest number of a call that is known on an architecture: file_setattr(2), Linux 6.17. Linux 6.18 added none.
pub fn last(arch: &str) -> Option<u32> {
    table(arch).iter().map(|(_, number)| *number).max()
}

/// The arguments of a call that a condition may name.
pub fn arguments(name: &str) -> &'static [Argument] {
    find(arguments::ARGUMENTS, name).unwrap_or(&[])
}

/// The names of all calls of all architectures, sorted.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = ARCHES.iter().flat_map(|arch| table(arch)).map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Name and number of every call of an architecture or an ABI, sorted by name.
pub fn table(arch: &str) -> &'static [(&'static str, u32)] {
    match arch {
        "x86_64" => &X86_64,
        "aarch64" => &AARCH64,
        i386::NAME => &X86,
        _ => &[],
    }
}

/// The table of the `syscalls` crate for an architecture, without what is no call there, with what it lacks.
macro_rules! calls {
    ($arch:ident, drop: $drop:expr, add: $add:expr) => {{
        use syscalls::$arch::Sysno;
        const DROP: &[&str] = $drop;
        const ADD: &[(&str, u32)] = $add;
        let mut table = [("", 0); Sysno::count() - DROP.len() + ADD.len()];
        let (mut at, mut id) = (0, 0);
        while id < Sysno::table_size() {
            if let Some(call) = Sysno::new(id) {
                if !listed(DROP, call.name()) {
                    table[at] = (call.name(), id as u32);
                    at += 1;
                }
            }
            id += 1;
        }
        let mut extra = 0;
        while extra < ADD.len() {
            table[at] = ADD[extra];
            at += 1;
            extra += 1;
        }
        assert!(at == table.len(), "a call to drop is not in the table");
        sorted(table)
    }};
}

const fn listed(words: &[&str], word: &str) -> bool {
    let mut at = 0;
    while at < words.len() {
        if !before(words[at], word) && !before(word, words[at]) {
            return true;
        }
        at += 1;
    }
    false
}

/// `_sysctl` is no word of the language, and no call since Linux 5.5.
static X86_64: [(&str, u32); 382] = calls!(x86_64, drop: &["_sysctl"], add: &[]);

/// i386 has a compatible ABI on x86_64; `_sysctl` and what was never implemented are calls by name only.
static X86: [(&str, u32); 445] = calls!(
    x86,
    drop: &[
        "_sysctl", "r#break", "afs_syscall", "getpmsg", "putpmsg", "gtty", "stty", "lock", "mpx", "prof", "profil", "ftime",
        "ulimit", "idle",
    ],
    add: &[]
);

/// The crate reads asm-generic/unistd.h for 32 bits too: aarch64 has no time64 calls, and its call 79 is newfstatat.
static AARCH64: [(&str, u32); 325] = calls!(
    aarch64,
    drop: &[
        "fstatat",
        "clock_adjtime64", "clock_getres_time64", "clock_gettime64", "clock_nanosleep_time64", "clock_settime64",
        "futex_time64", "io_pgetevents_time64", "mq_timedreceive_time64", "mq_timedsend_time64", "ppoll_time64",
        "pselect6_time64", "recvmmsg_time64", "rt_sigtimedwait_time64", "sched_rr_get_interval_time64",
        "semtimedop_time64", "timer_gettime64", "timer_settime64", "timerfd_gettime64", "timerfd_settime64",
        "utimensat_time64",
    ],
    add: &[("newfstatat", 79)]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_libc() {
        for (name, here) in [
            ("read", libc::SYS_read),
            ("execve", libc::SYS_execve),
            ("clone3", libc::SYS_clone3),
            ("newfstatat", libc::SYS_newfstatat),
            ("seccomp", libc::SYS_seccomp),
            ("landlock_restrict_self", libc::SYS_landlock_restrict_self),
        ] {
            assert_eq!(number(std::env::consts::ARCH, name).map(i64::from), Some(here), "{name}");
        }
        let both = |name| (number("x86_64", name), number("aarch64", name));
        assert_eq!(both("read"), (Some(0), Some(63)));
        assert_eq!(both("newfstatat"), (Some(262), Some(79)));
        assert_eq!(both("open"), (Some(2), None));
        assert_eq!(both("file_setattr"), (Some(469), Some(469)));
        assert_eq!(both("uprobe"), (Some(336), None));
        assert_eq!(both("futex_time64"), (None, None));
        assert_eq!((number("riscv64", "read"), last("riscv64"), last("x86_64")), (None, None, Some(469)));
    }

    #[test]
    fn every_number_has_one_name() {
        for arch in ARCHES {
            for (call, known) in table(arch) {
                assert_eq!(name(arch, *known), Some(*call));
                assert_eq!(number(arch, call), Some(*known));
                assert!(is_known(call));
            }
        }
        assert_eq!(name("x86_64", 400), None);
        assert!(names().len() > 380);
    }

    #[test]
    fn arguments_are_of_known_calls() {
        for (call, arguments) in arguments::ARGUMENTS.iter() {
            assert!(is_known(call), "{call}");
            assert!(!arguments.is_empty(), "{call}");
            for pair in arguments.windows(2) {
                assert!(pair[0].index < pair[1].index && pair[1].index < 6, "{call}");
            }
        }
        for pair in arguments::ARGUMENTS.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{} is there twice", pair[0].0);
        }
    }

    #[test]
    fn arguments_have_their_places() {
        let named = |call, name| arguments(call).iter().find(|it| it.name == name).copied();
        assert_eq!(named("socket", "family"), Some(Argument { name: "family", index: 0, dword: true }));
        assert_eq!(named("ioctl", "request"), Some(Argument { name: "request", index: 1, dword: true }));
        assert_eq!(named("openat", "flags"), Some(Argument { name: "flags", index: 2, dword: true }));
        assert_eq!(named("prctl", "arg2"), Some(Argument { name: "arg2", index: 1, dword: false }));
        assert_eq!(named("mmap", "prot"), Some(Argument { name: "prot", index: 2, dword: true }));
        assert_eq!(arguments("clone3"), []);
        assert_eq!(arguments("no_such_call"), []);
    }
}
