//! The comments of a file that speak to nsl, with the statements that they are about.

use crate::report::allow::read;
use crate::source::{Files, Span};
use crate::syntax::ast::{DeclKind, File, Item};

use super::Cx;

/// Notes what the comments of a file allow, and reports those that say it wrongly.
pub fn collect(cx: &mut Cx, tree: &File, is_root: bool) {
    // Files without such a comment are the rule: nothing is walked for them.
    let said: Vec<Span> = tree.comments.iter().copied().filter(|it| cx.files.slice(*it).contains("nsl:")).collect();
    if said.is_empty() {
        return;
    }
    let mut spans = Vec::new();
    items(&tree.items, &mut spans);
    for comment in said {
        let covers = covered(cx.files, comment, &spans);
        let in_profile = tree.items.iter().any(|item| match item {
            Item::Decl(it) => {
                it.kind.node == DeclKind::Profile && covers.is_some_and(|span| it.span.to(span) == it.span)
            }
            _ => false,
        });
        match read(cx.files.slice(comment), comment, covers, in_profile || !is_root) {
            Some(Ok(allow)) => cx.allows.push(allow),
            Some(Err(finding)) => cx.report(finding),
            None => {}
        }
    }
}

/// The spans of all items, blocks included, the outer before the inner.
fn items(of: &[Item], spans: &mut Vec<Span>) {
    for item in of {
        spans.push(item.span());
        let blocks = match item {
            Item::Decl(it) => [Some(&it.body), None],
            Item::If(it) => [Some(&it.then), it.otherwise.as_ref()],
            Item::For(it) => [Some(&it.body), None],
            Item::Statement(it) => [it.block.as_ref(), None],
            _ => [None, None],
        };
        blocks.into_iter().flatten().for_each(|it| items(&it.items, spans));
    }
}

/// The item on the line of the comment, or the one that follows.
fn covered(files: &Files, comment: Span, spans: &[Span]) -> Option<Span> {
    let text = files.text(comment.file);
    let line = text[..comment.start as usize].rfind('\n').map_or(0, |at| at + 1) as u32;
    if !text[line as usize..comment.start as usize].trim().is_empty() {
        return spans.iter().rfind(|it| line <= it.start && it.start < comment.start).copied();
    }
    let next = spans.iter().filter(|it| it.start >= comment.end).min_by_key(|it| it.start)?;
    let between = &text[comment.end as usize..next.start as usize];
    let only_comments = between.lines().all(|it| it.trim().is_empty() || it.trim_start().starts_with('#'));
    only_comments.then_some(*next)
}
