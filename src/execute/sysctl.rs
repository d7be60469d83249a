//! Kernel parameters of the sandbox's own namespaces: sysctl(8).

use std::fs::File;
use std::io::{Read, Seek, Write};

use nix::errno::Errno;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Uid, setresuid};

use super::failure::{Context, Done, Failure};
use super::sys;

/// Longer than nearly every parameter, bytes.
const USUAL: usize = 256;

/// Writes a parameter and reads it back: what the kernel makes of a value must be what was written. A `/` in a name stands for a dot of
/// an interface's.
pub fn set(name: &str, value: &str) -> Done {
    let swapped = |it: char| match it {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    let path = format!("/proc/sys/{}", name.chars().map(swapped).collect::<String>());
    let written = match write(&path, value) {
        Err(error) if is_refused(error) => as_root_of_the_namespace(&path, value).unwrap_or(Err(error)).map(|()| None),
        written => written.map(Some),
    };
    let found = match written.context(|| format!("writing {value} to {path}"))? {
        Some(mut file) => read_back(&mut file).context(|| format!("reading {path}"))?,
        None => std::fs::read_to_string(&path).context(|| format!("reading {path}"))?,
    };
    if found.split_whitespace().eq(value.split_whitespace()) {
        return Ok(());
    }
    Err(Failure::refused(format!("{path} reads `{}` after `{value}` was written", found.trim())))
}

/// Writes, and keeps the file open to be read: to look a parameter up by its path takes longer than all the rest.
fn write(path: &str, value: &str) -> Result<File, Errno> {
    let opened = File::options().read(true).write(true).open(path);
    let written = opened.and_then(|mut it| it.write_all(value.as_bytes()).map(|()| it));
    written.map_err(|it| Errno::from_raw(it.raw_os_error().unwrap_or(libc::EIO)))
}

fn read_back(file: &mut File) -> std::io::Result<String> {
    file.rewind()?;
    let mut text = String::with_capacity(USUAL);
    file.read_to_string(&mut text)?;
    Ok(text)
}

fn is_refused(error: Errno) -> bool {
    matches!(error, Errno::EACCES | Errno::EPERM)
}

/// Since Linux 6.10 the parameters of an IPC namespace belong to uid 0 of the user namespace around it, and no capability makes up for
/// another id. A sandbox that root has started is not that uid, nor any other inside, until it becomes the program's; and it could not
/// come back from it. So this is done by a process of its own. `None` where there is no such uid, or no such process.
fn as_root_of_the_namespace(path: &str, value: &str) -> Option<Result<(), Errno>> {
    let root = Uid::from_raw(0);
    match sys::fork().ok()? {
        ForkResult::Child => {
            let result =
                setresuid(root, root, root).map_err(|_| Errno::EACCES).and_then(|()| write(path, value).map(drop));
            sys::exit_now(result.err().map_or(0, |it| it as i32))
        }
        ForkResult::Parent { child } => loop {
            match waitpid(child, None) {
                Err(Errno::EINTR) => {}
                Ok(WaitStatus::Exited(_, 0)) => return Some(Ok(())),
                Ok(WaitStatus::Exited(_, errno)) => return Some(Err(Errno::from_raw(errno))),
                _ => return None,
            }
        },
    }
}
