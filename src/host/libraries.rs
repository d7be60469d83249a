//! The shared libraries that a program of this host needs, by the paths at which ld.so(8) finds them.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use super::elf;
use super::paths::{head, script_interpreter};
use super::text::text;

/// Where libraries are when nobody says anything else.
const USUAL: [&str; 4] = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"];
/// More libraries than any program loads at its start.
const MOST: usize = 512;
/// Scripts of scripts: the kernel takes five.
const MOST_SCRIPTS: usize = 5;

/// The libraries of a program, of what a script is for, and of the libraries themselves.
pub(super) fn find(program: &str) -> Vec<String> {
    let mut program = program.to_string();
    for _ in 0..MOST_SCRIPTS {
        let Some(file) = open(&program) else { return Vec::new() };
        match head(&file).as_deref().and_then(script_interpreter) {
            Some(interpreter) => program = interpreter,
            None => break,
        }
    }
    let usual = directories();
    let mut found = BTreeSet::new();
    let mut looked_at = vec![program];
    while let Some(path) = looked_at.pop() {
        let Some(needs) = open(&path).as_ref().and_then(elf::needs) else { continue };
        let own = needs.run_path.iter().map(|it| origin(it, &path));
        let places: Vec<String> = own.chain(usual.iter().cloned()).collect();
        for name in &needs.libraries {
            let Some(library) = places.iter().map(|it| format!("{it}/{name}")).find(|it| Path::new(it).exists()) else {
                continue;
            };
            if found.len() < MOST && found.insert(library.clone()) {
                looked_at.push(library);
            }
        }
    }
    found.into_iter().collect()
}

/// The absolute paths to which a path leads if it is a symbolic link, one after the other.
pub(super) fn links(path: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut path = path.to_string();
    while let Ok(target) = fs::read_link(&path) {
        // path_resolution(7) gives up after 40, and so does open(2).
        if found.len() == 40 {
            break;
        }
        let dir = Path::new(&path).parent().unwrap_or(Path::new("/")).join(target);
        path = absolute(&dir);
        found.push(path.clone());
    }
    found
}

/// Without `.` and `..`, by the names alone.
fn absolute(path: &Path) -> String {
    let mut whole = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::ParentDir => drop(whole.pop()),
            Component::Normal(name) => whole.push(name),
            _ => {}
        }
    }
    whole.to_string_lossy().into_owned()
}

/// A path can become a FIFO between two looks; opening one must not wait.
fn open(path: &str) -> Option<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path).ok()
}

/// `$ORIGIN` is the directory of the file that says it.
fn origin(path: &str, of: &str) -> String {
    let real = fs::canonicalize(of).unwrap_or_else(|_| of.into());
    let dir = real.parent().map_or("/".into(), |it| it.to_string_lossy().into_owned());
    path.replace("${ORIGIN}", &dir).replace("$ORIGIN", &dir).trim_end_matches('/').to_string()
}

/// The directories of /etc/ld.so.conf, and the usual ones.
fn directories() -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut configured = lines("/etc/ld.so.conf");
    let mut parts: Vec<_> =
        fs::read_dir("/etc/ld.so.conf.d").into_iter().flatten().flatten().map(|it| it.path()).collect();
    parts.sort();
    parts.retain(|it| it.extension().is_some_and(|it| it == "conf"));
    configured.extend(parts.iter().flat_map(|it| lines(&it.to_string_lossy())));
    found.extend(configured.into_iter().filter(|it| it.starts_with('/')));
    found.extend(USUAL.map(String::from));
    found
}

fn lines(path: &str) -> Vec<String> {
    text(path).lines().map(|it| it.trim().trim_end_matches('/').to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_needs_libc() {
        let libraries = find("/bin/sh");
        assert!(libraries.iter().any(|it| it.contains("libc.so")), "{libraries:?}");
        assert!(libraries.iter().all(|it| Path::new(it).exists()));
    }

    #[test]
    fn what_is_no_program_needs_nothing() {
        assert!(find("/etc/passwd").is_empty() && find("/nonexistent").is_empty() && find("/dev/null").is_empty());
    }

    #[test]
    fn the_origin_is_the_directory_of_the_file() {
        assert_eq!(origin("$ORIGIN/../lib/", "/usr/bin/nonexistent"), "/usr/bin/../lib");
    }
}
