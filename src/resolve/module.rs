//! Modules: the file at hand, the files it uses, and the standard library, which is embedded.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use super::scope::{Binding, normalise};
use super::{Cx, allows};
use crate::report::Diagnostic;
use crate::schema::suggest;
use crate::source::{FileId, LoadError, Span};
use crate::syntax::ast::{Decl, DeclKind, File, Group, GroupMember, Item, Name, Use};
use crate::syntax::{Outline, outline, parse, parse_range};

/// The standard library, by module.
pub const STANDARD: &[(&str, &str)] = &[
    ("std/agent", include_str!("../../stdlib/agent.nsl")),
    ("std/build", include_str!("../../stdlib/build.nsl")),
    ("std/caps", include_str!("../../stdlib/caps.nsl")),
    ("std/desktop", include_str!("../../stdlib/desktop.nsl")),
    ("std/docker", include_str!("../../stdlib/docker.nsl")),
    ("std/service", include_str!("../../stdlib/service.nsl")),
    ("std/tool", include_str!("../../stdlib/tool.nsl")),
    ("std/untrusted", include_str!("../../stdlib/untrusted.nsl")),
    ("std/syscalls", include_str!("../../stdlib/syscalls.nsl")),
];

/// The module whose groups are known everywhere.
pub const PRELUDE: &str = "std/syscalls";

/// One module.
#[derive(Debug)]
pub struct Module {
    /// Its file.
    pub file: FileId,
    /// The directory of its file, which the standard library does not have.
    pub dir: Option<String>,
    /// Modules by the name under which it uses them.
    pub uses: RefCell<BTreeMap<String, (Rc<Module>, Span)>>,
    /// Names under which it uses modules that cannot be read.
    pub unread: RefCell<BTreeMap<String, Span>>,
    /// Its parameters and lets, once they are evaluated.
    pub names: RefCell<Rc<BTreeMap<String, Binding>>>,
    /// What it says; the standard library is read item by item instead.
    tree: Option<Rc<File>>,
    profiles: RefCell<BTreeMap<String, Rc<Decl>>>,
    groups: RefCell<BTreeMap<String, Rc<Group>>>,
    /// Of the standard library: what it declares, and where.
    outline: Vec<Outline<'static>>,
    lazy: bool,
}

impl Module {
    /// Makes a module of what a file in a directory says.
    pub fn of_tree(tree: Rc<File>, dir: String) -> Module {
        let (mut profiles, mut groups) = (BTreeMap::new(), BTreeMap::new());
        for item in &tree.items {
            match item {
                Item::Decl(decl) if decl.kind.node == DeclKind::Profile => {
                    profiles.entry(decl.name.node.clone()).or_insert_with(|| Rc::new(decl.clone()));
                }
                Item::Group(group) => {
                    groups.entry(group.name.node.clone()).or_insert_with(|| Rc::new(group.clone()));
                }
                _ => {}
            }
        }
        let (profiles, groups) = (RefCell::new(profiles), RefCell::new(groups));
        Module { dir: Some(dir), tree: Some(tree.clone()), profiles, groups, ..Module::empty(tree.span.file) }
    }

    fn empty(file: FileId) -> Module {
        Module {
            file,
            dir: None,
            tree: None,
            profiles: RefCell::default(),
            groups: RefCell::default(),
            uses: RefCell::default(),
            unread: RefCell::default(),
            names: RefCell::default(),
            outline: Vec::new(),
            lazy: false,
        }
    }

    /// Everything at its top, in order; nothing in the standard library.
    pub fn items(&self) -> &[Item] {
        self.tree.as_ref().map_or(&[], |it| &it.items)
    }

    /// A profile of this module.
    pub fn profile(&self, cx: &mut Cx, name: &str) -> Option<Rc<Decl>> {
        self.read_item(cx, "profile", name);
        self.profiles.borrow().get(name).cloned()
    }

    /// A group of system calls of this module.
    pub fn group(&self, cx: &mut Cx, name: &str) -> Option<Rc<Group>> {
        self.read_item(cx, "syscalls", name);
        self.groups.borrow().get(name).cloned()
    }

    /// The names of its profiles.
    pub fn profile_names(&self) -> Vec<String> {
        self.names_of("profile", || self.profiles.borrow().keys().cloned().collect())
    }

    /// The names of its groups.
    pub fn group_names(&self) -> Vec<String> {
        self.names_of("syscalls", || self.groups.borrow().keys().cloned().collect())
    }

    fn names_of(&self, kind: &str, read: impl FnOnce() -> Vec<String>) -> Vec<String> {
        if !self.lazy {
            return read();
        }
        self.outline.iter().filter(|it| it.kind == kind).map(|it| it.name.to_string()).collect()
    }

    /// The standard library is large, and a policy uses little of it: an item is read when it is asked for.
    fn read_item(&self, cx: &mut Cx, kind: &str, name: &str) {
        if !self.lazy || self.profiles.borrow().contains_key(name) || self.groups.borrow().contains_key(name) {
            return;
        }
        let Some(found) = self.outline.iter().find(|it| it.kind == kind && it.name == name) else { return };
        let range = found.range.clone();
        if kind == "syscalls" {
            let group = group_by_words(cx.files.text(self.file), self.file, range, name);
            self.groups.borrow_mut().insert(name.to_string(), Rc::new(group));
            return;
        }
        let tree = parse_range(cx.files, self.file, range);
        cx.findings.extend(tree.errors);
        for item in tree.items {
            match item {
                Item::Decl(decl) => drop(self.profiles.borrow_mut().insert(name.to_string(), Rc::new(decl))),
                Item::Group(group) => drop(self.groups.borrow_mut().insert(name.to_string(), Rc::new(group))),
                _ => {}
            }
        }
    }
}

/// A group of the standard library, read by its words alone: through the grammar a policy that uses a large group would
/// spend half of its time on it. A test sees to it that both read the same.
fn group_by_words(text: &str, file: FileId, range: Range<usize>, name: &str) -> Group {
    let item = text.get(range.clone()).unwrap_or("");
    let declared = item.find("syscalls group").unwrap_or(0);
    let open = item[declared..].find('{').map_or(item.len(), |at| declared + at + 1);
    let place = |start: usize, end: usize| Span::new(file, range.start + start, range.start + end);
    let mut members = Vec::new();
    let mut at = open;
    for line in item[open..].split_inclusive('\n') {
        // Bytes, as what parts words is ASCII.
        let is_gap = |it: &u8| it.is_ascii_whitespace() || matches!(it, b',' | b'}');
        let mut start = at;
        for word in line.split('#').next().unwrap_or("").as_bytes().split(is_gap) {
            let end = start + word.len();
            match item.get(start..end).unwrap_or("") {
                "" => {}
                word => members.push(member(word, place(start, end))),
            }
            start = end + 1;
        }
        at += line.len();
    }
    let start = item[declared..].find(name).map_or(declared, |at| declared + at);
    let name = Name { node: name.to_string(), span: place(start, start + name.len()) };
    Group { name, members, docs: None, span: place(declared, item.trim_end().len()) }
}

fn member(word: &str, span: Span) -> GroupMember {
    match word.strip_prefix('@') {
        Some(group) => GroupMember::Group(Name { node: group.to_string(), span }),
        None => GroupMember::Call(Name { node: word.to_string(), span }),
    }
}

/// A module of the standard library; `None` if there is none of this name.
pub fn standard(cx: &mut Cx, name: &str) -> Option<Rc<Module>> {
    if let Some(module) = cx.modules.get(name) {
        return Some(module.clone());
    }
    let (_, text) = STANDARD.iter().find(|(known, _)| *known == name)?;
    let file = cx.files.add(format!("{name}.nsl"), *text);
    let mut module = Module::empty(file);
    module.lazy = true;
    module.outline = outline(text);
    let module = Rc::new(module);
    cx.modules.insert(name.to_string(), module.clone());
    let uses: Vec<_> = module.outline.iter().filter(|it| it.kind == "use").map(|it| it.range.clone()).collect();
    for range in uses {
        let tree = parse_range(cx.files, file, range);
        for item in &tree.items {
            if let Item::Use(it) = item {
                bind(cx, &module, it);
            }
        }
    }
    Some(module)
}

/// Follows every `use` of a module.
pub fn follow(cx: &mut Cx, module: &Rc<Module>) {
    for item in module.items() {
        if let Item::Use(it) = item {
            bind(cx, module, it);
        }
    }
}

/// The name that a `use` makes: the one after `as`, or the last part of the module's.
pub fn bound_name(it: &Use) -> Name {
    match &it.alias {
        Some(alias) => alias.clone(),
        None => {
            let last = it.module.node.rsplit('/').next().unwrap_or_default();
            Name { node: last.strip_suffix(".nsl").unwrap_or(last).to_string(), span: it.module.span }
        }
    }
}

fn bind(cx: &mut Cx, module: &Rc<Module>, it: &Use) {
    let name = bound_name(it).node;
    let Some(found) = load(cx, module, it) else {
        module.unread.borrow_mut().insert(name, it.span);
        return;
    };
    let before = module.uses.borrow_mut().insert(name.clone(), (found, it.span));
    if let Some((_, first)) = before {
        cx.findings.push(
            Diagnostic::error("name-taken", format!("two modules are called `{name}` here"))
                .label(it.span, "the second")
                .label(first, "the first")
                .help(format!("give one another name: `use {} as OTHER`", it.module.node)),
        );
    }
}

fn load(cx: &mut Cx, from: &Module, it: &Use) -> Option<Rc<Module>> {
    let name = it.module.node.as_str();
    let is_file = name.starts_with("./") || name.starts_with("../") || name.starts_with('/');
    if !is_file {
        return standard(cx, name).or_else(|| {
            let known: Vec<&str> = STANDARD.iter().map(|(name, _)| *name).collect();
            let hint = suggest::hint(name, known.iter().copied()).unwrap_or_default();
            let hint = hint.trim_end_matches('?').to_string();
            cx.findings.push(
                Diagnostic::error("unknown-module", format!("there is no module `{name}`"))
                    .label(it.module.span, "not in the standard library")
                    .help(format!(
                        "{hint}; a file beside this one is written `./{}.nsl`",
                        name.rsplit('/').next().unwrap_or(name)
                    )),
            );
            None
        });
    }
    let dir = from.dir.as_deref().unwrap_or("/");
    let path = normalise(&if name.starts_with('/') { name.to_string() } else { format!("{dir}/{name}") });
    let root = cx.root_dir.trim_end_matches('/').to_string();
    let below = path.ok().filter(|it| it.strip_prefix(&root).is_some_and(|rest| rest.starts_with('/')));
    let Some(path) = below else {
        cx.findings.push(
            Diagnostic::error("module-outside", format!("`{name}` lies outside the directory of the policy"))
                .label(it.module.span, "leads out")
                .help("move the module below the directory of the file that is checked: a policy reads nothing else"),
        );
        return None;
    };
    if let Some((_, first)) = cx.loading.iter().find(|(loading, _)| *loading == path) {
        let mut finding = Diagnostic::error("import-cycle", format!("`{name}` uses itself in the end"))
            .label(it.span, "this closes the circle");
        if let Some(first) = first {
            finding = finding.label(*first, "it is being read because of this");
        }
        cx.findings.push(finding.help("move what both need into a third module"));
        return None;
    }
    if let Some(module) = cx.modules.get(&path) {
        return Some(module.clone());
    }
    let text = match cx.loader.load(std::path::Path::new(&path)) {
        Ok(text) => text,
        Err(error) => {
            cx.findings.push(
                Diagnostic::error("unknown-module", format!("`{name}` cannot be read: {}", words(&error)))
                    .label(it.module.span, "used here")
                    .help("correct the path; it is relative to the file that it stands in"),
            );
            return None;
        }
    };
    let shown = cx.shown(&path);
    let file = cx.files.add(shown, text);
    let tree = parse(cx.files, file);
    allows::collect(cx, &tree, false);
    cx.findings.extend(tree.errors.iter().cloned());
    let parent = path.rsplit_once('/').map_or("/", |(dir, _)| dir).to_string();
    let module = Rc::new(Module::of_tree(tree, parent));
    cx.loading.push((path.clone(), Some(it.span)));
    follow(cx, &module);
    cx.loading.pop();
    cx.modules.insert(path, module.clone());
    Some(module)
}

fn words(error: &LoadError) -> String {
    match error {
        LoadError::Missing => "there is no such file".into(),
        LoadError::Directory => "it is a directory".into(),
        LoadError::NotRegular => "it is no regular file".into(),
        LoadError::TooLarge => "it is larger than 4 MiB".into(),
        LoadError::NotUtf8(at) => format!("byte {at} is not UTF-8"),
        LoadError::Io(reason) => reason.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Files;

    fn words(members: &[GroupMember]) -> Vec<(bool, &Name)> {
        let mut words = Vec::new();
        for member in members {
            words.push(match member {
                GroupMember::Group(name) => (true, name),
                GroupMember::Call(name) => (false, name),
            });
        }
        words
    }

    #[test]
    fn groups_by_words_are_groups_by_the_grammar() {
        let (_, text) = STANDARD.iter().find(|(name, _)| *name == PRELUDE).expect("the prelude");
        let mut files = Files::new();
        let file = files.add("std/syscalls.nsl", *text);
        let mut seen = 0;
        for item in outline(text).into_iter().filter(|it| it.kind == "syscalls") {
            let read = group_by_words(text, file, item.range.clone(), item.name);
            let tree = parse_range(&files, file, item.range);
            let [Item::Group(group)] = tree.items.as_slice() else { panic!("{} is no group", item.name) };
            assert_eq!(words(&read.members), words(&group.members), "{}", item.name);
            assert_eq!((&read.name, read.span), (&group.name, group.span));
            seen += 1;
        }
        assert!(seen > 20);
    }
}
