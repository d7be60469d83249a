//! Fixes: the edits of findings, put into the texts.
//!
//! A fix is kept only if the policy has no more errors afterwards. Fixes can make others possible (a name that is right is
//! a name whose value can be checked), so they are made in rounds until nothing changes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::report::{Diagnostic, Fix};
use crate::resolve::Inputs;
use crate::source::{LoadError, Loader};
use crate::{Loaded, findings, load};

/// More rounds than any policy needs; a pair of fixes that undo each other ends here.
const MOST_ROUNDS: usize = 20;

/// What became of a policy.
pub struct Fixed {
    /// The old and the new texts of the files that changed, by absolute path.
    pub texts: BTreeMap<PathBuf, (String, String)>,
    /// What was done: the place, in the text as it was then, and the title of the fix.
    pub done: Vec<(String, String)>,
}

/// Mends the policy at `path` and the modules that it uses from disk, in memory.
pub fn fix(path: &Path, inputs: &Inputs, loader: &dyn Loader) -> Fixed {
    let desk = Desk { loader, cwd: &inputs.cwd, texts: RefCell::new(BTreeMap::new()) };
    let mut done = Vec::new();
    for _ in 0..MOST_ROUNDS {
        let loaded = load(path, inputs, &desk);
        let found = findings(&loaded);
        let edits: Vec<(PathBuf, Fix)> = found.iter().filter_map(|it| desk.edit(&loaded, it)).collect();
        let errors = count(&found);
        let before = desk.texts.borrow().clone();
        let places = |edits: &[(PathBuf, Fix)]| -> Vec<(String, String)> {
            edits.iter().map(|(_, fix)| (loaded.files.place(fix.span), fix.title.clone())).collect()
        };
        let all = desk.apply(&edits);
        if !all.is_empty() && count(&findings(&load(path, inputs, &desk))) <= errors {
            done.extend(places(&all));
            continue;
        }
        // One of them does harm: each for itself, the first that does none.
        let one = edits.iter().find(|edit| {
            *desk.texts.borrow_mut() = before.clone();
            let made = desk.apply(std::slice::from_ref(*edit));
            !made.is_empty() && count(&findings(&load(path, inputs, &desk))) <= errors
        });
        match one {
            Some(edit) => done.extend(places(std::slice::from_ref(edit))),
            None => {
                *desk.texts.borrow_mut() = before;
                break;
            }
        }
    }
    let texts = desk.texts.into_inner();
    let old = |path: &Path| loader.load(path).unwrap_or_default();
    let texts = texts.into_iter().map(|(path, new)| (path.clone(), (old(&path), new)));
    Fixed { texts: texts.filter(|(_, (old, new))| old != new).collect(), done }
}

fn count(findings: &[Diagnostic]) -> usize {
    findings.iter().filter(|it| it.is_error()).count()
}

/// The line of what is removed, where nothing else stands on it.
pub fn whole_line(text: &str, start: usize, end: usize) -> (usize, usize) {
    let (Some(before), Some(behind)) = (text.get(..start), text.get(end..)) else { return (start, end) };
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    let line_end = behind.find('\n').map_or(text.len(), |at| end + at + 1);
    match text[line..start].trim().is_empty() && text[end..line_end].trim().is_empty() {
        true => (line, line_end),
        false => (start, end),
    }
}

/// Texts that were changed, in front of a loader.
struct Desk<'a> {
    loader: &'a dyn Loader,
    /// What relative paths are relative to.
    cwd: &'a str,
    /// By absolute path.
    texts: RefCell<BTreeMap<PathBuf, String>>,
}

impl Loader for Desk<'_> {
    fn load(&self, path: &Path) -> Result<String, LoadError> {
        match self.texts.borrow().get(&self.key(path)) {
            Some(text) => Ok(text.clone()),
            None => self.loader.load(path),
        }
    }
}

impl Desk<'_> {
    /// A file is known by one path, however it was reached.
    fn key(&self, path: &Path) -> PathBuf {
        let mut key = PathBuf::new();
        for part in Path::new(self.cwd).join(path).components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir => drop(key.pop()),
                part => key.push(part),
            }
        }
        key
    }

    /// The fix of a finding, with the file that it is about; none for the standard library, which is no file.
    fn edit(&self, loaded: &Loaded, finding: &Diagnostic) -> Option<(PathBuf, Fix)> {
        let fix = finding.fix.clone()?;
        let path = self.key(Path::new(loaded.files.name(fix.span.file)));
        let text = self.load(&path).ok()?;
        // A statement with a name in it may say something for another value of it.
        let is_one_of_many = fix.text.is_empty() && loaded.files.slice(fix.span).contains('$');
        (text == loaded.files.text(fix.span.file) && !is_one_of_many).then_some((path, fix))
    }

    /// Makes the edits that do not touch each other; returns them.
    fn apply(&self, edits: &[(PathBuf, Fix)]) -> Vec<(PathBuf, Fix)> {
        let mut sorted: Vec<&(PathBuf, Fix)> = edits.iter().collect();
        sorted.sort_by_key(|(path, fix)| (path.clone(), fix.span.start, fix.span.end));
        let mut made: Vec<(PathBuf, Fix)> = Vec::new();
        for (path, fix) in sorted {
            let free = made.last().is_none_or(|(last, it)| {
                last != path || it.span.end < fix.span.start || it.span.end == fix.span.start && it.span != fix.span
            });
            if free {
                made.push((path.clone(), fix.clone()));
            }
        }
        let mut texts = self.texts.borrow_mut();
        for (path, fix) in made.iter().rev() {
            let text = match texts.remove(path) {
                Some(text) => text,
                None => self.loader.load(path).unwrap_or_default(),
            };
            let (mut start, mut end) = (fix.span.start as usize, fix.span.end as usize);
            if fix.text.is_empty() {
                (start, end) = whole_line(&text, start, end);
            }
            let mended = match (text.get(..start), text.get(end..)) {
                (Some(before), Some(behind)) => format!("{before}{}{behind}", fix.text),
                _ => text,
            };
            texts.insert(path.clone(), mended);
        }
        made
    }
}
