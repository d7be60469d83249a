//! What can be named at a place: parameters, lets, loops, profiles, groups.

use super::locate::Place;
use super::{Project, Source};
use crate::syntax::ast::*;

/// A name that can be written after `$`.
pub(super) struct Visible {
    pub name: String,
    /// `param port: port = 8080/tcp`, `let x = 1`, `for dir in $writable`
    pub declaration: String,
    pub docs: Option<String>,
}

/// What `$` can be followed by, the nearest first.
pub(super) fn values(source: &Source, place: &Place) -> Vec<Visible> {
    let mut found = Vec::new();
    for it in place.loops.iter().rev() {
        let declaration = format!("for {} in {}", it.name.node, source.slice(it.list.span));
        found.push(Visible { name: it.name.node.clone(), declaration, docs: None });
    }
    for decl in place.decls.iter().rev() {
        found.extend(decl.params.iter().map(|it| param(source, it)));
    }
    for item in &source.tree.items {
        match item {
            Item::Param(it) => found.push(param(source, it)),
            Item::Let(it) => found.push(Visible {
                name: it.name.node.clone(),
                declaration: format!("let {} = {}", it.name.node, source.slice(it.value.span)),
                docs: it.docs.clone(),
            }),
            _ => {}
        }
    }
    for (name, what) in CALLER {
        found.push(Visible { name: (*name).into(), declaration: format!("${name}"), docs: Some((*what).into()) });
    }
    found
}

fn param(source: &Source, it: &Param) -> Visible {
    Visible { name: it.name.node.clone(), declaration: param_text(source, it), docs: it.docs.clone() }
}

/// A parameter as it is declared: `memory: size = 128MiB`.
pub(super) fn param_text(source: &Source, it: &Param) -> String {
    source.slice(it.span).trim_start_matches("param").trim().to_string()
}

/// What is known of the caller.
pub(super) const CALLER: &[(&str, &str)] = &[
    ("caller.home", "the home directory of the caller, a path"),
    ("caller.uid", "the user id of the caller, a number"),
    ("caller.gid", "the group id of the caller, a number"),
    ("caller.user", "the login name of the caller, a string"),
];

/// The profiles that a file declares.
pub(super) fn profiles(source: &Source) -> impl Iterator<Item = &Decl> {
    source.tree.items.iter().filter_map(|it| match it {
        Item::Decl(it) if it.kind.node == DeclKind::Profile => Some(it),
        _ => None,
    })
}

/// The groups of system calls that a file declares.
pub(super) fn groups(source: &Source) -> impl Iterator<Item = &Group> {
    source.tree.items.iter().filter_map(|it| match it {
        Item::Group(it) => Some(it),
        _ => None,
    })
}

/// The profile of an instance as a file sees it, with the file that declares it.
pub(super) fn find_profile(
    project: &Project,
    source: &Source,
    instance: &Instance,
) -> Option<(std::rc::Rc<Source>, usize)> {
    let (home, name) = match instance.path.as_slice() {
        [name] => (project.source(&source.path)?, name),
        [module, name] => {
            let (_, path) = project.modules_of(source).into_iter().find(|(known, _)| *known == module.node)?;
            (project.source(&path)?, name)
        }
        _ => return None,
    };
    let at = home.tree.items.iter().position(
        |it| matches!(it, Item::Decl(it) if it.kind.node == DeclKind::Profile && it.name.node == name.node),
    )?;
    Some((home, at))
}

/// The declaration at an index of a file's items.
pub(super) fn decl(source: &Source, at: usize) -> Option<&Decl> {
    match source.tree.items.get(at) {
        Some(Item::Decl(it)) => Some(it),
        _ => None,
    }
}

/// The head of a profile as one line: `profile hardened(memory: size = 128MiB)`.
pub(super) fn head(source: &Source, decl: &Decl) -> String {
    let params: Vec<String> = decl.params.iter().map(|it| param_text(source, it)).collect();
    let params = if params.is_empty() { String::new() } else { format!("({})", params.join(", ")) };
    let with: Vec<&str> = decl.with.iter().map(|it| source.slice(it.span)).collect();
    let with = if with.is_empty() { String::new() } else { format!(" with {}", with.join(", ")) };
    format!("{} {}{params}{with}", source.slice(decl.kind.span), decl.name.node)
}
