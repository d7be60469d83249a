//! The standard library, and pages, as files that an editor can open.
//!
//! The library is embedded in the binary, and editors open files: it is written to the user's cache when it is asked for.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::ide::{page, standard_text};

/// Where such files go.
#[derive(Clone, Debug)]
pub struct Library {
    root: Option<PathBuf>,
    /// What was written or found by this server, by name.
    there: RefCell<BTreeMap<String, Option<String>>>,
}

impl Library {
    /// Below the user's cache directory, where there is one; the version keeps old texts apart.
    pub fn new(cache: Option<PathBuf>) -> Library {
        let root = cache.map(|it| it.join("nsl").join(env!("CARGO_PKG_VERSION")));
        Library { root, there: RefCell::default() }
    }

    /// The file that holds a module of the standard library (`std/NAME.nsl`); it is written where it is not there.
    pub fn file(&self, module: &str) -> Option<String> {
        let text = standard_text(module)?;
        self.once(module, || Some(text.to_string()))
    }

    /// The file that holds the page of a code.
    pub fn page(&self, code: &str) -> Option<String> {
        self.once(&format!("codes/{code}.md"), || page(code))
    }

    /// A file whose text never changes.
    fn once(&self, name: &str, text: impl FnOnce() -> Option<String>) -> Option<String> {
        if let Some(known) = self.there.borrow().get(name) {
            return known.clone();
        }
        let path = text().and_then(|text| self.put(name, &text));
        self.there.borrow_mut().insert(name.to_string(), path.clone());
        path
    }

    /// A file with this text, below the cache; `None` where nothing can be written.
    pub fn put(&self, name: &str, text: &str) -> Option<String> {
        let path = self.root.as_ref()?.join(name);
        if fs::read_to_string(&path).is_ok_and(|there| there == text) {
            return path.into_os_string().into_string().ok();
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path.parent()?).ok()?;
        // Another server may read it at this moment.
        let beside = path.with_extension(format!("{}.new", std::process::id()));
        let _ = fs::remove_file(&beside);
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o444).open(&beside).ok()?;
        let written = std::io::Write::write_all(&mut &file, text.as_bytes()).and_then(|()| fs::rename(&beside, &path));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
            return None;
        }
        path.into_os_string().into_string().ok()
    }

    /// The module of the standard library that a file holds.
    pub fn module(&self, path: &str) -> Option<String> {
        let rest = Path::new(path).strip_prefix(self.root.as_ref()?).ok()?.to_str()?;
        standard_text(rest).map(|_| rest.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_become_files_and_files_modules() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let library = Library::new(Some(dir.path().to_path_buf()));
        let path = library.file("std/service.nsl").expect("it can be written");
        assert_eq!(fs::read_to_string(&path).ok().as_deref(), standard_text("std/service.nsl"));
        assert_eq!(library.file("std/service.nsl").as_deref(), Some(path.as_str()));
        assert_eq!(library.module(&path).as_deref(), Some("std/service.nsl"));
        assert_eq!(library.module("/etc/passwd"), None);
        assert_eq!(library.file("std/nothing.nsl"), None);
        assert_eq!(Library::new(None).file("std/service.nsl"), None);
    }
}
