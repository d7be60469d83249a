//! What system calls get.

use super::*;

/// `libc.syscall(…)` and the errno it left, or 0.
const PRELUDE: &str = r#"
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    ctypes.set_errno(0)
    libc.syscall(ctypes.c_long(number), *[ctypes.c_ulong(it) for it in args])
    return ctypes.get_errno()
"#;

/// A filter's lines, a program, and what it prints or how it ends.
struct Case {
    name: &'static str,
    rules: &'static [&'static str],
    program: &'static str,
    ends: i32,
    prints: &'static str,
}

const CASES: &[Case] = &[
    Case {
        name: "a denied call gives its errno",
        rules: &["otherwise = allow", "deny mkdir = errno(EXDEV)", "deny mkdirat = errno(EXDEV)"],
        program: "try: os.mkdir('/tmp/x')\nexcept OSError as e: print(e.errno)",
        ends: 0,
        prints: "18",
    },
    Case {
        name: "a denied call gives EPERM where nothing is said",
        rules: &["otherwise = allow", "deny mkdir", "deny mkdirat"],
        program: "try: os.mkdir('/tmp/x')\nexcept OSError as e: print(e.errno)",
        ends: 0,
        prints: "1",
    },
    Case {
        name: "kill",
        rules: &["otherwise = allow", "deny getppid = kill"],
        program: "print('before', flush=True); os.getppid(); print('after')",
        ends: 159,
        prints: "before",
    },
    Case {
        name: "trap",
        rules: &["otherwise = allow", "deny getppid = trap"],
        program: "import signal\nsignal.signal(signal.SIGSYS, lambda *_: print('trapped', flush=True))\nos.getppid()",
        ends: 0,
        prints: "trapped",
    },
    Case {
        name: "a trap that nobody handles",
        rules: &["otherwise = allow", "deny getppid = trap"],
        program: "os.getppid()",
        ends: 159,
        prints: "",
    },
    Case {
        name: "log allows",
        rules: &["otherwise = allow", "deny getppid = log"],
        program: "print(os.getppid() >= 0)",
        ends: 0,
        prints: "True",
    },
    Case {
        name: "a condition on an argument",
        rules: &["otherwise = allow", "deny socket(family != AF_UNIX) = errno(EAFNOSUPPORT)"],
        program: "socket.socket(socket.AF_UNIX)\ntry: socket.socket(socket.AF_INET)\nexcept OSError as e: print(e.errno)",
        ends: 0,
        prints: "97",
    },
    Case {
        name: "an int argument is compared as the kernel takes it",
        rules: &["otherwise = allow", "deny socket(family == AF_INET) = errno(EAFNOSUPPORT)"],
        program: "print(call(41 if os.uname().machine == 'x86_64' else 198, (1 << 32) | 2, 1, 0))",
        ends: 0,
        prints: "97",
    },
    Case {
        name: "a rule with a condition beats one without",
        rules: &["otherwise = allow", "deny socket", "allow socket(family == AF_UNIX)"],
        program: "socket.socket(socket.AF_UNIX)\ntry: socket.socket(socket.AF_INET)\nexcept OSError as e: print(e.errno)",
        ends: 0,
        prints: "1",
    },
    Case {
        name: "a rule for a call beats one for a group",
        rules: &[
            "otherwise = errno(EPERM)",
            "allow @basic",
            "allow @file",
            "allow @process",
            "deny getppid = errno(ENOTTY)",
        ],
        program: "ctypes.set_errno(0); print(call(110 if os.uname().machine == 'x86_64' else 173))",
        ends: 0,
        prints: "25",
    },
    Case {
        name: "what nobody names",
        rules: &["otherwise = errno(EACCES)", "allow @basic", "allow @file", "allow @process"],
        program: "print(call(165 if os.uname().machine == 'x86_64' else 40, 0, 0, 0, 0, 0))",
        ends: 0,
        prints: "13",
    },
    Case {
        name: "a call newer than the policy does not exist",
        rules: &["otherwise = errno(EPERM)", "allow @basic", "allow @file", "allow @process"],
        program: "print(call(9999))",
        ends: 0,
        prints: "38",
    },
    Case {
        name: "the filter is there before the first instruction",
        rules: &["otherwise = allow", "deny ptrace = kill"],
        program: "print([line.split()[1] for line in open('/proc/self/status') if line.startswith('Seccomp:')][0])",
        ends: 0,
        prints: "2",
    },
    Case {
        name: "no second filter is needed to see the first",
        rules: &["otherwise = errno(EPERM)", "allow @service"],
        program: "print('ran')",
        ends: 0,
        prints: "ran",
    },
];

fn stage(who: Who, rules: &[&str]) -> Stage {
    rules.iter().fold(Stage::new(who), |stage, rule| stage.line("seccomp", rule))
}

both! {
    fn verdicts(who) {
        let mut wrong = Vec::new();
        for case in CASES {
            let outcome = stage(who, case.rules).python(&format!("{PRELUDE}{}", case.program));
            let printed = String::from_utf8_lossy(outcome.bytes()).trim_end().to_string();
            if printed != case.prints || outcome.code() != case.ends {
                wrong.push(format!("{}: expected {} and\n{}\n{outcome:?}", case.name, case.ends, case.prints));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    }

    /// Calls of other instruction sets have other numbers, so a filter that let them through would be none.
    fn foreign_instruction_sets(who) {
        if !cfg!(target_arch = "x86_64") {
            return;
        }
        let rules = ["otherwise = allow", "deny ptrace = kill"];
        let x32 = stage(who, &rules).python(&format!("{PRELUDE}print(call(0x40000000 | 39))"));
        assert!(x32.code() == 159 || x32.out() != "0", "{x32:?}");
        // mov eax, 20 (getpid); int 0x80; ret
        let program = r#"
import ctypes, mmap
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
print(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))())
"#;
        let i386 = stage(who, &rules).python(program);
        assert!(i386.code() == 159 || i386.out().starts_with('-'), "{i386:?}");
    }

    /// `abi i386` lets 32-bit calls in, under the same rules by their own numbers.
    fn foreign_instruction_set_by_name(who) {
        if !cfg!(target_arch = "x86_64") {
            return;
        }
        // mov eax, NUMBER; int 0x80; ret
        let program = r#"
import ctypes, mmap
def i386(number):
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\xb8" + number.to_bytes(4, "little") + b"\xcd\x80\xc3")
    return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
print(i386(20) > 0, i386(64), i386(470))
"#;
        let outcome = stage(who, &["otherwise = errno(EPERM)", "allow @service", "deny getppid = errno(ENOTTY)", "abi i386"]).python(program);
        if outcome.code() == 139 {
            skip("filter::foreign_instruction_set_by_name", "this kernel runs no 32-bit calls (CONFIG_IA32_EMULATION)");
            return;
        }
        assert_eq!(outcome.out(), "True -25 -38", "{outcome:?}");
    }
}
