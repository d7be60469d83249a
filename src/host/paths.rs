//! What is at the paths that a policy names.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{StatVfsMountFlags, statvfs};

use super::mounts::{Mount, below};
use super::{PathFact, PathKind, elf, namespaces};
use crate::policy::NsKind;

/// What is at a path, symbolic links followed.
pub(super) fn find(path: &str, mounts: &[Mount]) -> PathFact {
    // To look first is one system call where nothing is, as at most of the well-known places, instead of one for each part of the path.
    let found =
        fs::metadata(path).and_then(|_| fs::canonicalize(path)).and_then(|real| Ok((fs::metadata(&real)?, real)));
    let (meta, real) = match found {
        Ok((meta, real)) => (meta, real.to_string_lossy().into_owned()),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return nothing(PathKind::Forbidden),
        Err(_) => return nothing(PathKind::Missing),
    };
    let kind = kind(&meta);
    let submounts = mounts.iter().filter(|it| below(&it.point, &real).is_some()).map(|it| it.point.clone());
    PathFact {
        kind,
        mode: meta.mode() & 0o7777,
        uid: meta.uid(),
        gid: meta.gid(),
        submounts: if kind == PathKind::Dir { submounts.collect() } else { Vec::new() },
        mount_flags: mount_flags(&real),
        namespace: namespace(&real, mounts),
        propagation: propagation(&real, mounts),
        libraries: Vec::new(),
        interpreter_links: Vec::new(),
        interpreter: (kind == PathKind::File && meta.mode() & 0o111 != 0).then(|| interpreter(&real)).flatten(),
        real,
    }
}

fn nothing(kind: PathKind) -> PathFact {
    PathFact {
        kind,
        real: String::new(),
        mode: 0,
        uid: 0,
        gid: 0,
        submounts: Vec::new(),
        mount_flags: Vec::new(),
        namespace: None,
        propagation: String::new(),
        interpreter: None,
        libraries: Vec::new(),
        interpreter_links: Vec::new(),
    }
}

fn kind(meta: &Metadata) -> PathKind {
    let file_type = meta.file_type();
    match () {
        () if file_type.is_file() => PathKind::File,
        () if file_type.is_dir() => PathKind::Dir,
        () if file_type.is_socket() => PathKind::Socket,
        () if file_type.is_char_device() || file_type.is_block_device() => PathKind::Device,
        () => PathKind::Other,
    }
}

/// Of the mount that a path is on: the longest that has it, and of several at one place the last, which covers the others.
fn propagation(real: &str, mounts: &[Mount]) -> String {
    let has = |it: &&Mount| it.point == real || below(real, &it.point).is_some();
    let found = mounts.iter().filter(has).max_by_key(|it| it.point.len());
    found.map_or(String::new(), |it| it.propagation.to_string())
}

/// proc_pid_mountinfo(5): the root of a mount of nsfs is the namespace.
fn namespace(real: &str, mounts: &[Mount]) -> Option<NsKind> {
    let pin = mounts.iter().rfind(|it| it.point == real && it.fs == "nsfs")?;
    namespaces::parse(Path::new(&pin.root)).map(|it| it.0)
}

fn mount_flags(real: &str) -> Vec<String> {
    let Ok(stat) = statvfs(real) else { return Vec::new() };
    let rows = [
        (StatVfsMountFlags::RDONLY, "ro"),
        (StatVfsMountFlags::NOSUID, "nosuid"),
        (StatVfsMountFlags::NODEV, "nodev"),
        (StatVfsMountFlags::NOEXEC, "noexec"),
    ];
    rows.iter().filter(|(flag, _)| stat.f_flag.contains(*flag)).map(|(_, name)| name.to_string()).collect()
}

/// The program that the kernel starts instead of a script, or beside a dynamic executable.
fn interpreter(real: &str) -> Option<String> {
    // A path can become a FIFO between two looks; opening one must not wait.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(real).ok()?;
    let head = head(&file)?;
    if head.starts_with(b"#!") { script_interpreter(&head) } else { elf::needs(&file)?.interpreter }
}

/// What the kernel looks at to tell what a file is.
pub(super) fn head(file: &File) -> Option<Vec<u8>> {
    let mut head = vec![0; 256];
    let length = file.read_at(&mut head, 0).ok()?;
    head.truncate(length);
    Some(head)
}

/// The program behind `#!`: execve(2).
pub(super) fn script_interpreter(head: &[u8]) -> Option<String> {
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let text = String::from_utf8_lossy(line);
    text.split([' ', '\t']).find(|word| !word.is_empty()).map(str::to_string)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn stage() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary folder")
    }

    fn program(dir: &tempfile::TempDir, bytes: &[u8]) -> PathFact {
        let path = dir.path().join("program");
        fs::write(&path, bytes).expect("our own folder");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("our own file");
        find(&path.to_string_lossy(), &[])
    }

    #[test]
    fn follows_links_and_knows_kinds() {
        let dir = stage();
        symlink("/dev/null", dir.path().join("link")).expect("our own folder");
        let fact = find(&dir.path().join("link").to_string_lossy(), &[]);
        assert_eq!((fact.kind, fact.real.as_str()), (PathKind::Device, "/dev/null"));
        assert_eq!(find("/nonexistent/x", &[]).kind, PathKind::Missing);
        assert_eq!(find("/etc/passwd/x", &[]).kind, PathKind::Missing);
    }

    #[test]
    fn names_mounts_below() {
        let mounts =
            super::super::mounts::parse("1 0 0:1 / /proc rw - proc p rw\n2 1 0:2 / /proc/sys ro - proc p rw\n");
        assert_eq!(find("/proc", &mounts).submounts, ["/proc/sys"]);
        assert_eq!(find("/", &mounts).submounts, ["/proc", "/proc/sys"]);
    }

    #[test]
    fn reads_the_interpreter_of_scripts() {
        let dir = stage();
        assert_eq!(program(&dir, b"#! /usr/bin/env -S python3\nx").interpreter.as_deref(), Some("/usr/bin/env"));
        assert_eq!(program(&dir, b"#!\n").interpreter, None);
        assert_eq!(program(&dir, b"").interpreter, None);
    }

    #[test]
    fn reads_the_interpreter_of_executables() {
        let own = std::env::current_exe().expect("this test is a file");
        let fact = find(&own.to_string_lossy(), &[]);
        assert!(fact.interpreter.is_none_or(|it| it.contains("ld")));
        let dir = stage();
        let mut wild = vec![0x7f, b'E', b'L', b'F', 2, 1];
        wild.resize(64, 0xff);
        assert_eq!(program(&dir, &wild).interpreter, None);
        wild.truncate(20);
        assert_eq!(program(&dir, &wild).interpreter, None);
    }
}
