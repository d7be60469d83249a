//! What an editor asks about a policy, in byte offsets and plain data: findings, hover, completion, definitions.
//!
//! Nothing here knows a protocol or does IO: texts come through a [`Loader`], names of files through [`Folders`]. The trees
//! are those of `syntax`, the meanings those of `resolve` and `schema`: there is no second parser and no second table.

mod actions;
mod arguments;
mod complete;
mod findings;
mod folding;
mod hints;
mod hover;
mod lens;
mod locate;
mod names;
mod navigate;
mod offer;
mod ranges;
mod scope;
mod symbols;
mod tokens;
mod values;

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::rc::Rc;

use crate::Loaded;
use crate::report::Diagnostic;
use crate::resolve::{self, Expanded, Resolved};
use crate::source::{FileId, Files, Loader, Span};
use crate::syntax::ast::File;
use crate::syntax::{keep, parse};

pub use crate::resolve::Inputs;
pub use actions::{Action, actions};
pub use arguments::{Signature, signature};
pub use complete::{Completion, CompletionKind, complete};
pub use findings::{Finding, Related, findings, page};
pub use folding::{Fold, FoldKind, folds};
pub use hints::{Hint, hints};
pub use hover::{Hover, hover};
pub use lens::{Lens, lenses};
pub use names::{Kind, Occurrence, Symbol};
pub use navigate::{RenameError, definition, highlights, prepare_rename, references, rename};
pub use ranges::selection;
pub use symbols::{Outline, SymbolKind, outline};
pub use tokens::{TOKEN_TYPES, Token, tokens};

/// A place in a file: its absolute path, or `std/NAME.nsl` for the standard library.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The file.
    pub path: String,
    /// From where.
    pub start: usize,
    /// To where.
    pub end: usize,
}

/// A change of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty to insert.
    pub at: Location,
    /// What is put there.
    pub text: String,
}

/// An entry of a directory, for completing paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Whether it is a directory, or leads to one.
    pub is_dir: bool,
}

/// What directories hold: the disk in an editor, a list in tests.
pub trait Folders {
    /// The entries of a directory; none where it cannot be read.
    fn list(&self, dir: &Path) -> Vec<Entry>;
}

/// One file as it is written, with its tree. Spans of the tree are offsets of the text.
#[derive(Debug)]
pub struct Source {
    /// Its absolute path, or `std/NAME.nsl`.
    pub path: String,
    /// The text.
    pub text: String,
    /// The tree; what could not be read is in it as errors.
    pub tree: Rc<File>,
    /// Every name in it.
    occurrences: RefCell<Option<Rc<Vec<Occurrence>>>>,
}

impl Source {
    fn new(path: &str, text: String) -> Source {
        let mut files = Files::new();
        let file = files.add(path, text.clone());
        let tree = parse(&files, file);
        Source { path: path.to_string(), text, tree, occurrences: RefCell::default() }
    }

    /// The text of a span of the tree.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }
}

/// What a file comes to as the root of a policy.
#[derive(Debug)]
pub struct Analysis {
    /// All texts that it is made of; the root is the first.
    pub files: Files,
    /// All that is wrong with it.
    pub findings: Vec<Diagnostic>,
    /// What each of its sandboxes comes to.
    pub expanded: Vec<Expanded>,
}

impl Analysis {
    /// Whether a file is part of it.
    pub fn uses(&self, path: &str) -> bool {
        self.files.iter().any(|(_, file)| file.name == path)
    }

    /// The index of its root, which is the first text.
    pub fn root(&self) -> FileId {
        FileId(0)
    }
}

/// Trees that are kept of the files of one number, each a policy that is open with its modules: the text, the one with a word at the
/// cursor, and those of other policies.
const MOST_TREES: usize = 4;

/// The files of an editor: those that are open as they stand there, the others as on disk.
pub struct Project {
    loader: Rc<dyn Loader>,
    folders: Rc<dyn Folders>,
    inputs: Inputs,
    sources: RefCell<HashMap<String, Rc<Source>>>,
    analyses: RefCell<HashMap<String, Rc<Analysis>>>,
    /// What does not hold any more: to take apart what a policy came to takes longer than one who types is to wait for it.
    stale: RefCell<Vec<Rc<Analysis>>>,
}

impl Project {
    /// A project whose texts come from `loader`; `inputs` say what `$caller` means.
    pub fn new(loader: Rc<dyn Loader>, folders: Rc<dyn Folders>, inputs: Inputs) -> Project {
        // A policy that is being written is not about to run: its parameters are open.
        let inputs = Inputs { open: true, ..inputs };
        // A file and what it comes to are worked out one after the other, with the same modules after every key.
        keep(MOST_TREES);
        Project {
            loader,
            folders,
            inputs,
            sources: RefCell::default(),
            analyses: RefCell::default(),
            stale: RefCell::default(),
        }
    }

    /// The file at a path, parsed anew only where its text is another one than last time.
    pub fn source(&self, path: &str) -> Option<Rc<Source>> {
        if let Some(text) = standard_text(path) {
            let mut sources = self.sources.borrow_mut();
            let source = sources.entry(path.to_string());
            return Some(source.or_insert_with(|| Rc::new(Source::new(path, text.to_string()))).clone());
        }
        let text = self.loader.load(Path::new(path)).ok()?;
        if let Some(known) = self.sources.borrow().get(path).filter(|it| it.text == text) {
            return Some(known.clone());
        }
        let source = Rc::new(Source::new(path, text));
        self.sources.borrow_mut().insert(path.to_string(), source.clone());
        Some(source)
    }

    /// The text at a path.
    pub fn text(&self, path: &str) -> Option<String> {
        match standard_text(path) {
            Some(text) => Some(text.to_string()),
            None => self.loader.load(Path::new(path)).ok(),
        }
    }

    /// What the file at a path comes to. It is worked out once, until [`Project::changed`].
    pub fn analysis(&self, path: &str) -> Option<Rc<Analysis>> {
        if let Some(known) = self.analyses.borrow().get(path) {
            return Some(known.clone());
        }
        let text = self.text(path)?;
        let mut files = Files::new();
        let root = files.add(path, text);
        let (resolved, expanded) = resolve::expand(&mut files, root, &self.inputs, &*self.loader);
        let loaded = Loaded { files, resolved };
        let findings = crate::findings(&loaded);
        let Loaded { files, resolved: Resolved { .. } } = loaded;
        let analysis = Rc::new(Analysis { files, findings, expanded });
        self.analyses.borrow_mut().insert(path.to_string(), analysis.clone());
        Some(analysis)
    }

    /// A file has another text now, or is gone: what was worked out with it is forgotten. Gives the roots concerned.
    pub fn changed(&self, path: &str) -> Vec<String> {
        // Nobody else holds its tree then, which can be mended without a copy.
        self.sources.borrow_mut().remove(path);
        let mut analyses = self.analyses.borrow_mut();
        let concerned: Vec<String> =
            analyses.iter().filter(|(root, it)| *root == path || it.uses(path)).map(|(root, _)| root.clone()).collect();
        self.stale.borrow_mut().extend(concerned.iter().filter_map(|root| analyses.remove(root)));
        concerned
    }

    /// Takes apart what was forgotten, once nobody waits for an answer.
    pub fn tidy(&self) {
        self.stale.borrow_mut().clear();
    }

    /// Nothing that was worked out holds any more, as when files came or went.
    pub fn forget(&self) {
        self.analyses.borrow_mut().clear();
    }

    /// The roots that were worked out and hold a file.
    fn roots_with(&self, path: &str) -> Vec<Rc<Analysis>> {
        let analyses = self.analyses.borrow();
        let mut found: Vec<_> = analyses.iter().filter(|(_, it)| it.uses(path)).collect();
        found.sort_by_key(|(root, _)| (root.as_str() != path, root.to_string()));
        found.into_iter().map(|(_, it)| it.clone()).collect()
    }

    fn directory(path: &str) -> &str {
        path.rsplit_once('/').map_or("", |(dir, _)| dir)
    }

    /// The path of a module that the file at `from` uses.
    fn module_path(&self, from: &str, module: &str) -> Option<String> {
        let is_file = module.starts_with("./") || module.starts_with("../") || module.starts_with('/');
        if !is_file {
            let path = format!("{module}.nsl");
            return standard_text(&path).map(|_| path);
        }
        let whole = if module.starts_with('/') { module.into() } else { format!("{}/{module}", Self::directory(from)) };
        resolve::normalise(&whole).ok()
    }
}

/// The text of a module of the standard library by its path, `std/NAME.nsl`.
pub fn standard_text(path: &str) -> Option<&'static str> {
    let name = path.strip_suffix(".nsl")?;
    resolve::STANDARD.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

fn range(span: Span) -> Range<usize> {
    span.start as usize..span.end as usize
}

/// Whether an offset is in a span or at its end, where a cursor that touches a word stands.
fn touches(span: Span, offset: usize) -> bool {
    span.start as usize <= offset && offset <= span.end as usize
}

/// The text of what a sandbox, pod or container comes to, every statement with the place it comes from.
pub fn effective(project: &Project, path: &str, name: &str) -> Option<String> {
    let analysis = project.analysis(path)?;
    let chosen = resolve::pick(&analysis.expanded, Some(name)).ok()?;
    Some(resolve::text(&chosen, &analysis.files, resolve::Show { origins: true, defaults: true }))
}

/// The text of a file as the formatter lays it out; `None` where it cannot be read.
pub fn formatted(project: &Project, path: &str) -> Option<String> {
    let mut files = Files::new();
    let file = files.add(path, project.text(path)?);
    crate::format::format(&files, file).ok()
}
