//! The last steps: what the program itself is given, and execve(2).

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::failure::{Done, Failure};
use super::sys;
use crate::plan::Bytes;

/// Where a program without a slash is looked for, where the policy names no PATH.
const DEFAULT_PATH: &[u8] = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// setrlimit(2) by name.
pub fn set_rlimit(resource: &str, value: Option<u64>) -> Done {
    let number = match resource {
        "as" => libc::RLIMIT_AS,
        "core" => libc::RLIMIT_CORE,
        "cpu" => libc::RLIMIT_CPU,
        "data" => libc::RLIMIT_DATA,
        "fsize" => libc::RLIMIT_FSIZE,
        "locks" => libc::RLIMIT_LOCKS,
        "memlock" => libc::RLIMIT_MEMLOCK,
        "msgqueue" => libc::RLIMIT_MSGQUEUE,
        "nice" => libc::RLIMIT_NICE,
        "nofile" => libc::RLIMIT_NOFILE,
        "nproc" => libc::RLIMIT_NPROC,
        "rss" => libc::RLIMIT_RSS,
        "rtprio" => libc::RLIMIT_RTPRIO,
        "rttime" => libc::RLIMIT_RTTIME,
        "sigpending" => libc::RLIMIT_SIGPENDING,
        "stack" => libc::RLIMIT_STACK,
        _ => return Err(Failure::refused(format!("this version knows no resource limit `{resource}`"))),
    };
    sys::setrlimit(number, value.unwrap_or(u64::MAX))
        .map_err(|errno| Failure { errno: errno as i32, detail: format!("setrlimit {resource}") })
}

/// What execve(2) takes, made before the filter is in force.
pub struct Command {
    argv: Vec<CString>,
    env: Vec<CString>,
    /// The candidates for the program, in the order of PATH.
    paths: Vec<CString>,
}

impl Command {
    /// Prepares a command. A NUL byte, which the kernel cannot take, is refused.
    pub fn new(argv: &[Bytes], env: &[Bytes]) -> Done<Command> {
        let strings = |list: &[Bytes]| -> Done<Vec<CString>> {
            list.iter()
                .map(|it| CString::new(it.as_bytes()).map_err(|_| Failure::refused("an argument holds a NUL byte")))
                .collect()
        };
        let (argv, env) = (strings(argv)?, strings(env)?);
        let Some(program) = argv.first().map(|it| it.to_bytes()) else {
            return Err(Failure::refused("there is no program to run"));
        };
        let paths = if program.contains(&b'/') {
            vec![argv[0].clone()]
        } else {
            let path = env.iter().find_map(|it| it.to_bytes().strip_prefix(b"PATH=")).unwrap_or(DEFAULT_PATH);
            let candidate = |dir: &[u8]| CString::new([dir, b"/", program].concat()).ok();
            path.split(|byte| *byte == b':').filter(|dir| !dir.is_empty()).filter_map(candidate).collect()
        };
        Ok(Command { argv, env, paths })
    }

    /// Adds a variable that the environment does not have yet.
    pub fn set(&mut self, name: &str, value: &str) -> Done {
        let variable = CString::new(format!("{name}={value}"));
        self.env.push(variable.map_err(|_| Failure::refused(format!("the value of {name} holds a NUL byte")))?);
        Ok(())
    }

    /// execve(2) of the first candidate that is there. Returns only when none can be executed.
    pub fn exec(&self) -> (nix::errno::Errno, &CStr) {
        let mut result = (nix::errno::Errno::ENOENT, self.argv[0].as_c_str());
        for path in &self.paths {
            let errno = sys::execve(path, &self.argv, &self.env);
            let missing = matches!(errno, nix::errno::Errno::ENOENT | nix::errno::Errno::ENOTDIR);
            if !missing || self.paths.len() == 1 {
                result = (errno, path.as_c_str());
            }
            // As execvp(3): a candidate that may not be executed does not end the search.
            if !missing && errno != nix::errno::Errno::EACCES {
                break;
            }
        }
        result
    }
}

/// Why a program cannot be executed, as far as a look at it tells: ENOENT may mean its interpreter.
pub fn diagnose(program: &CStr, errno: nix::errno::Errno) -> String {
    let path = Path::new(std::ffi::OsStr::from_bytes(program.to_bytes()));
    let shown = path.display();
    let Ok(mut file) = File::open(path) else {
        return match errno {
            nix::errno::Errno::ENOENT => format!("{shown} does not exist in the sandbox"),
            _ => format!("{shown} cannot be opened in the sandbox"),
        };
    };
    if path.is_dir() {
        return format!("{shown} is a directory");
    }
    let mut head = vec![0; 4096];
    let length = file.read(&mut head).unwrap_or(0);
    head.truncate(length);
    if errno == nix::errno::Errno::EACCES {
        return format!("{shown} is not executable for this user, or lies on a `noexec` mount");
    }
    if let Some(interpreter) = interpreter(&head, &file) {
        let missing = !Path::new(std::ffi::OsStr::from_bytes(&interpreter)).exists();
        let interpreter = String::from_utf8_lossy(&interpreter).into_owned();
        if missing {
            return format!("{shown} needs the interpreter {interpreter}, which does not exist in the sandbox");
        }
    }
    match errno {
        nix::errno::Errno::ENOEXEC => format!("{shown} is no program: neither ELF nor a script that begins with #!"),
        _ => format!("{shown} exists"),
    }
}

/// The ELF interpreter (elf(5), PT_INTERP), or what follows `#!` (execve(2)).
fn interpreter(head: &[u8], file: &File) -> Option<Vec<u8>> {
    if let Some(line) = head.strip_prefix(b"#!") {
        let line = line.split(|byte| *byte == b'\n').next()?;
        let word = line.split(|byte| *byte == b' ' || *byte == b'\t').find(|it| !it.is_empty())?;
        return Some(word.to_vec());
    }
    if !head.starts_with(b"\x7fELF\x02") {
        return None;
    }
    let number = |at: usize, size: usize| -> Option<u64> {
        let bytes = head.get(at..at + size)?;
        Some(bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    };
    let (table, entry_size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    for index in 0..count {
        let entry = usize::try_from(table + index * entry_size).ok()?;
        if number(entry, 4)? == 3 {
            let (offset, size) = (number(entry + 8, 8)?, number(entry + 32, 8)?.min(4096));
            let mut text = vec![0; size as usize];
            std::os::unix::fs::FileExt::read_exact_at(file, &mut text, offset).ok()?;
            text.retain(|byte| *byte != 0);
            return Some(text);
        }
    }
    None
}
