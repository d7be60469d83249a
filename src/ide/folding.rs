//! What can be folded away.

use super::{Source, range};
use crate::syntax::ast::*;

/// What is folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoldKind {
    /// A block, a list.
    Block,
    /// Lines of comments.
    Comment,
    /// Lines of `use`.
    Uses,
}

/// A fold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// From where, bytes.
    pub start: usize,
    /// To where, bytes.
    pub end: usize,
    /// What it is.
    pub kind: FoldKind,
}

/// Everything in a file that goes over more than one line and can be folded, in order.
pub fn folds(source: &Source) -> Vec<Fold> {
    let mut found = Vec::new();
    items(&source.tree.items, &mut found);
    uses(source, &mut found);
    comments(source, &mut found);
    found.retain(|it| source.text.get(it.start..it.end).is_some_and(|text| text.contains('\n')));
    found.sort_by_key(|it| (it.start, it.end));
    found
}

fn add(found: &mut Vec<Fold>, span: crate::source::Span) {
    let range = range(span);
    found.push(Fold { start: range.start, end: range.end, kind: FoldKind::Block });
}

fn block(block: &Block, found: &mut Vec<Fold>) {
    add(found, block.span);
    items(&block.items, found);
}

fn items(all: &[Item], found: &mut Vec<Fold>) {
    for item in all {
        match item {
            Item::Decl(it) => block(&it.body, found),
            Item::Group(it) => add(found, it.span),
            Item::If(it) => {
                block(&it.then, found);
                it.otherwise.iter().for_each(|it| block(it, found));
            }
            Item::For(it) => block(&it.body, found),
            Item::Statement(it) => {
                it.value.iter().filter(|it| matches!(it.kind, ExprKind::List(_))).for_each(|it| add(found, it.span));
                it.block.iter().for_each(|it| block(it, found));
            }
            Item::Use(_) | Item::Param(_) | Item::Let(_) | Item::Require(_) | Item::Error(_) => {}
        }
    }
}

fn uses(source: &Source, found: &mut Vec<Fold>) {
    let spans: Vec<_> = source.tree.items.iter().take_while(|it| matches!(it, Item::Use(_))).map(Item::span).collect();
    if let (Some(first), Some(last)) = (spans.first(), spans.last()) {
        found.push(Fold { start: first.start as usize, end: last.end as usize, kind: FoldKind::Uses });
    }
}

/// Lines that are nothing but comments, as many as stand below each other.
fn comments(source: &Source, found: &mut Vec<Fold>) {
    let mut open: Option<Fold> = None;
    let mut at = 0;
    for line in source.text.split_inclusive('\n') {
        let (start, end) = (at, at + line.trim_end().len());
        at += line.len();
        if line.trim_start().starts_with('#') {
            match &mut open {
                Some(fold) => fold.end = end,
                None => open = Some(Fold { start, end, kind: FoldKind::Comment }),
            }
        } else {
            found.extend(open.take());
        }
    }
    found.extend(open);
}
