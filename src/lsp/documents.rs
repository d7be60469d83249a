//! The texts that are open in the editor, in front of those on disk.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use lsp_types::{TextDocumentContentChangeEvent, Uri};

use super::positions::{Encoding, Lines};
use crate::ide::{Entry, Folders};
use crate::source::{Disk, LoadError, Loader, MAX_SIZE};

/// An open text.
#[derive(Clone, Debug)]
pub struct Document {
    /// As the editor calls it.
    pub uri: Uri,
    /// Its number, which the editor counts up.
    pub version: i32,
    /// The text.
    pub text: String,
}

/// All open texts, by path.
#[derive(Debug, Default)]
pub struct Documents {
    open: RefCell<BTreeMap<String, Document>>,
}

impl Documents {
    /// A text was opened.
    pub fn open(&self, path: &str, document: Document) {
        self.open.borrow_mut().insert(path.to_string(), document);
    }

    /// A text was closed: what is on disk counts again.
    pub fn close(&self, path: &str) {
        self.open.borrow_mut().remove(path);
    }

    /// A text was changed, in whole or in parts, one after the other.
    pub fn change(&self, path: &str, version: i32, changes: Vec<TextDocumentContentChangeEvent>, encoding: Encoding) {
        let mut open = self.open.borrow_mut();
        let Some(document) = open.get_mut(path) else { return };
        document.version = version;
        for change in changes {
            match change.range {
                None => document.text = change.text,
                Some(range) => {
                    let lines = Lines::new(&document.text, encoding);
                    let (start, end) = (lines.offset(range.start), lines.offset(range.end));
                    document.text.replace_range(start.min(end)..end.max(start), &change.text);
                }
            }
        }
    }

    /// The paths of all open texts.
    pub fn paths(&self) -> Vec<String> {
        self.open.borrow().keys().cloned().collect()
    }

    /// An open text.
    pub fn get(&self, path: &str) -> Option<Document> {
        self.open.borrow().get(path).cloned()
    }
}

impl Loader for Documents {
    fn load(&self, path: &Path) -> Result<String, LoadError> {
        if let Some(document) = path.to_str().and_then(|path| self.get(path)) {
            let too_large = document.text.len() as u64 > MAX_SIZE;
            return if too_large { Err(LoadError::TooLarge) } else { Ok(document.text) };
        }
        Disk.load(path)
    }
}

impl Folders for Documents {
    fn list(&self, dir: &Path) -> Vec<Entry> {
        crate::source::entries(dir).into_iter().map(|(name, is_dir)| Entry { name, is_dir }).collect()
    }
}
