//! What an editor asks and gets: `ide` through fixtures with a cursor, `nsl lsp` through a client of its own.

mod client;
mod complete;
mod conversation;
mod edits;
mod hover;
mod navigate;
mod robust;
mod shapes;

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use nsl::ide::{Entry, Folders, Inputs, Project};
use nsl::resolve::CallerNames;
use nsl::source::{LoadError, Loader};

/// Files that are nowhere.
#[derive(Default)]
pub struct Memory(BTreeMap<String, String>);

impl Loader for Memory {
    fn load(&self, path: &Path) -> Result<String, LoadError> {
        self.0.get(path.to_str().unwrap_or("")).cloned().ok_or(LoadError::Missing)
    }
}

impl Folders for Memory {
    fn list(&self, dir: &Path) -> Vec<Entry> {
        let dir = format!("{}/", dir.to_str().unwrap_or("").trim_end_matches("/.").trim_end_matches('/'));
        let mut found: Vec<Entry> = Vec::new();
        for rest in self.0.keys().filter_map(|it| it.strip_prefix(&dir)) {
            let (name, is_dir) = rest.split_once('/').map_or((rest, false), |(name, _)| (name, true));
            if !found.iter().any(|it| it.name == name) {
                found.push(Entry { name: name.to_string(), is_dir });
            }
        }
        found
    }
}

/// Where a cursor stands in a fixture.
pub const MARK: &str = "<|>";

/// The policy of a fixture.
pub const MAIN: &str = "/policies/main.nsl";

/// A project of one policy with a cursor, and modules beside it.
pub struct Fixture {
    pub project: Project,
    pub text: String,
    /// The cursor.
    pub at: usize,
    pub files: Vec<String>,
}

impl Fixture {
    pub fn new(text: &str, modules: &[(&str, &str)]) -> Fixture {
        let at = text.find(MARK).unwrap_or(0);
        let text = text.replacen(MARK, "", 1);
        let mut files: BTreeMap<String, String> =
            modules.iter().map(|(name, text)| (format!("/policies/{name}"), text.to_string())).collect();
        files.insert(MAIN.into(), text.clone());
        let paths = files.keys().cloned().collect();
        let memory = Rc::new(Memory(files));
        let caller = CallerNames { uid: 1000, gid: 1000, user: "ada".into(), home: "/home/ada".into() };
        let inputs = Inputs { caller, cwd: "/".into(), ..Inputs::default() };
        Fixture { project: Project::new(memory.clone(), memory, inputs), text, at, files: paths }
    }

    /// The text of a place, with its file where that is another one.
    pub fn show(&self, at: &nsl::ide::Location) -> String {
        let text = self.project.text(&at.path).unwrap_or_default();
        let line = text[..at.start].matches('\n').count() + 1;
        let slice = &text[at.start..at.end];
        match at.path.strip_prefix("/policies/") {
            Some("main.nsl") => format!("{line}: {slice}"),
            Some(name) => format!("{name}:{line}: {slice}"),
            None => format!("{}:{line}: {slice}", at.path),
        }
    }
}
