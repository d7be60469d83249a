//! Pages: filters.

use super::{Page, advice, error, warning};

pub(super) const PAGES: &[Page] = &[
    error(
        "seccomp-no-exec",
        "a filter that cannot start the program",
        "The filter is in force when execve(2) is called.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  seccomp {\n    allow @file\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  seccomp {\n    allow @basic\n    allow @file\n  }\n}\n",
    ),
    warning(
        "seccomp-no-exit",
        "a filter under which hardly any program runs",
        "A dynamic linker maps files, and every program reads, writes, handles signals and ends.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  seccomp {\n    allow execve\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  seccomp {\n    allow @basic\n  }\n}\n",
    ),
    warning(
        "seccomp-needs-nnp",
        "a filter, and set-user-id bits that count",
        "Without no_new_privs the kernel asks for CAP_SYS_ADMIN to install a filter, and a set-user-id program runs under a filter that it does not expect.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  no-new-privs = false\n  seccomp {\n    allow @basic\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  seccomp {\n    allow @basic\n  }\n}\n",
    ),
    advice(
        "seccomp-no-effect",
        "a rule that changes nothing",
        "It says of one call what `otherwise` says of all.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  seccomp {\n    otherwise = allow\n    allow mount\n    deny ptrace\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  seccomp {\n    otherwise = allow\n    deny ptrace\n  }\n}\n",
    ),
    warning(
        "seccomp-abi-hidden",
        "a condition that cannot be tested in 32 bits",
        "With `abi i386` the rules hold for 32-bit programs too, by the names that their calls have: `stat64` takes the rules of `stat`, `mmap2` those of `mmap`. Some of them have their arguments elsewhere: a 64-bit offset takes two places, old `mmap` and `select` have all behind a pointer. A condition that would look at the wrong place is not compiled; the call answers ENOSYS, as if the kernel did not have it.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  seccomp {\n    allow @service\n    deny lseek(whence == SEEK_HOLE)\n    abi i386\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  seccomp {\n    allow @service\n    deny lseek(whence == SEEK_HOLE)\n  }\n}\n",
    ),
    warning(
        "seccomp-abi-missing",
        "a call of an ABI that is not let in",
        "A call of i386 kills the process unless the filter says `abi i386`, so a rule for a call that only i386 has says nothing. `socketcall` and `ipc` stand for many calls: without a rule of their own they get what all of those get, and do not exist where these get different answers.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  seccomp {\n    allow @basic\n    allow stat64\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  seccomp {\n    allow @basic\n    allow stat\n    abi i386\n  }\n}\n",
    ),
    warning(
        "seccomp-clone-gap",
        "namespaces are refused by one door and not by the others",
        "unshare, clone and clone3 all make namespaces. The flags of clone3 are behind a pointer, where no filter can look: it must answer ENOSYS, so that libc falls back to clone.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  seccomp {\n    otherwise = allow\n    deny unshare\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  seccomp {\n    otherwise = allow\n    deny unshare\n    deny clone3 = errno(ENOSYS)\n    deny clone = errno(EPERM)\n    deny @io-uring\n  }\n}\n",
    ),
    warning(
        "seccomp-uring-gap",
        "io_uring does what the filter refuses",
        "Operations of io_uring are no system calls, so no filter sees them.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  seccomp {\n    otherwise = allow\n    deny connect\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  seccomp {\n    otherwise = allow\n    deny connect\n    deny @io-uring\n  }\n}\n",
    ),
    error(
        "seccomp-conflict",
        "two rules for one call that contradict each other",
        "A rule for a call beats a rule for a group, one with conditions beats one without, and between groups the stricter wins: so a part can be taken out of a group. Two rules for the same call and the same case leave nothing that could be meant.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  seccomp {\n    allow @basic\n    allow socket(family == AF_UNIX)\n    deny socket(family == 1) = kill\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  seccomp {\n    allow @basic\n    allow socket(family == AF_UNIX)\n    deny socket(family != AF_UNIX) = kill\n  }\n}\n",
    ),
    warning(
        "seccomp-condition",
        "a condition that decides nothing",
        "The condition holds for every value of the argument, or for none. Most often the mask and the value do not go together: `flags & MASK == VALUE` can hold only where all bits of VALUE are in MASK. Two conditions of one rule must hold both.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  seccomp {\n    allow @basic\n    deny clone(flags & 0x10000000 == 0x20000000) = errno(EPERM)\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  seccomp {\n    allow @basic\n    deny clone(flags & 0x10000000 == 0x10000000) = errno(EPERM)\n  }\n}\n",
    ),
    advice(
        "seccomp-one-arch",
        "a call that one architecture does not have",
        "Newer architectures have only the newer calls: no `open`, but `openat`. On aarch64 the rule allows nothing, and the call that programs make instead gets what `otherwise` says. The groups of the standard library name both.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  seccomp {\n    allow @basic\n    allow mkdir\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  seccomp {\n    allow @basic\n    allow mkdir\n    allow mkdirat\n  }\n}\n",
    ),
];
