//! What can be done with a sandbox, above its declaration.

use std::ops::Range;

use super::{Source, range};
use crate::syntax::ast::{DeclKind, Item};

/// A sandbox or pod that can be checked, planned, run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lens {
    /// Its name.
    pub name: String,
    /// The place of its name.
    pub range: Range<usize>,
    /// Whether it can be run: pods and sandboxes can, profiles cannot.
    pub can_run: bool,
}

/// The declarations of a file that something can be done with.
pub fn lenses(source: &Source) -> Vec<Lens> {
    let decls = source.tree.items.iter().filter_map(|it| match it {
        Item::Decl(it) => Some(it),
        _ => None,
    });
    let runs = decls.filter(|it| matches!(it.kind.node, DeclKind::Sandbox | DeclKind::Pod) && !it.name.span.is_empty());
    runs.map(|it| Lens { name: it.name.node.clone(), range: range(it.name.span), can_run: true }).collect()
}
