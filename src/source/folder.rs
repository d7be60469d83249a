//! The policies below a directory.

use std::fs;
use std::path::{Path, PathBuf};

use super::LoadError;
use super::disk::failure;

/// Every file below `dir` whose name ends in `.nsl`, sorted. Hidden directories are left out, and so are
/// symbolic links to directories, which could lead in circles. What cannot be read is an error, with its path.
pub fn find_policies(dir: &Path) -> Result<Vec<PathBuf>, (PathBuf, LoadError)> {
    let mut found = Vec::new();
    let mut left = vec![dir.to_path_buf()];
    while let Some(dir) = left.pop() {
        let entries = fs::read_dir(&dir).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        for entry in entries.map_err(|error| (dir.clone(), failure(error)))? {
            let path = entry.path();
            let kind = entry.file_type().map_err(|error| (path.clone(), failure(error)))?;
            let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if kind.is_dir() && !hidden {
                left.push(path);
            } else if !kind.is_dir() && path.extension().is_some_and(|it| it == "nsl") && !path.is_dir() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// More entries of a directory than this are of no use to anybody who is typing.
const MOST_ENTRIES: usize = 2000;

/// The names in a directory, sorted, and whether each is a directory or leads to one. None where it cannot be read; names that
/// are not UTF-8 are left out.
pub fn entries(dir: &Path) -> Vec<(String, bool)> {
    let Ok(read) = fs::read_dir(dir) else { return Vec::new() };
    let named = read.flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let kind = entry.file_type().ok()?;
        let is_dir = kind.is_dir() || kind.is_symlink() && entry.path().is_dir();
        Some((name, is_dir))
    });
    let mut found: Vec<(String, bool)> = named.take(MOST_ENTRIES).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn finds_what_is_visible_and_does_not_go_in_circles() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| dir.path().join(name);
        for folder in ["b/c", ".git", "d.nsl"] {
            fs::create_dir_all(path(folder)).expect("our own folder");
        }
        for file in ["b/c/one.nsl", "a.nsl", ".git/hidden.nsl", "b/readme", ".rc.nsl"] {
            fs::write(path(file), "").expect("our own folder");
        }
        symlink(dir.path(), path("b/again.nsl")).expect("our own folder");
        symlink("a.nsl", path("link.nsl")).expect("our own folder");
        let found = find_policies(dir.path()).expect("all can be read");
        let names: Vec<_> = found.iter().map(|it| it.strip_prefix(dir.path()).expect("below").to_path_buf()).collect();
        assert_eq!(names, [".rc.nsl", "a.nsl", "b/c/one.nsl", "link.nsl"].map(PathBuf::from));
        assert_eq!(find_policies(&path("none")), Err((path("none"), LoadError::Missing)));
    }
}
