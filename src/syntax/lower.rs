//! pest's pairs -> the tree: files, items and blocks.

use pest::iterators::{Pair, Pairs};

use super::ast::*;
use super::balance::MAX_DEPTH;
use super::place::Place;
use super::quotes::line_start;
use super::repair::Repaired;
use super::splice::Within;
use super::{explain, slips};
use crate::report::Diagnostic;
use crate::source::{Span, Spanned};

use super::parse::{MAX_ERRORS, Rule};

/// The findings are sorted by place and then cut, so some more are kept than are shown.
const KEPT_ERRORS: usize = 10 * MAX_ERRORS;

/// Longer lines than this one, bytes, are not explained.
const LONGEST_LINE: usize = 4096;

/// Lowers a whole file, or some lines of one.
pub(super) fn file(repaired: &Repaired, root: Pair<Rule>, within: Within, into: &mut File) {
    let mut lowering = Lowering::new(repaired);
    lowering.at_top = within.blocks == 0 && !within.is_later;
    lowering.blocks = within.blocks;
    into.items = lowering.items(root.into_inner());
    into.edition = lowering.edition;
    into.errors.extend(lowering.errors.into_iter().filter(|it| !repaired.repeats(it)));
    into.comments = lowering.comments;
}

/// Lowers a value that stands alone.
pub(super) fn value(repaired: &Repaired, pair: Pair<Rule>) -> Result<Expr, Diagnostic> {
    let mut lowering = Lowering::new(repaired);
    let value = lowering.value(pair);
    lowering.errors.into_iter().next().map_or(Ok(value), Err)
}

/// The text at hand, and what comes of it.
pub(super) struct Lowering<'t> {
    pub(super) text: &'t str,
    pub(super) place: &'t Place,
    repaired: &'t Repaired<'t>,
    errors: Vec<Diagnostic>,
    comments: Vec<Span>,
    edition: Option<Spanned<u32>>,
    /// Whether nothing but comments was met so far.
    at_top: bool,
    /// How many blocks the item at hand stands in.
    blocks: usize,
    /// How many conditions the one at hand stands in, and the operators of all of them.
    pub(super) depth: usize,
    pub(super) operators: usize,
}

impl<'t> Lowering<'t> {
    fn new(repaired: &'t Repaired) -> Lowering<'t> {
        Lowering {
            text: &repaired.text,
            place: &repaired.place,
            errors: Vec::new(),
            repaired,
            comments: Vec::new(),
            edition: None,
            at_top: false,
            blocks: 0,
            depth: 0,
            operators: 0,
        }
    }

    pub(super) fn span(&self, pair: &Pair<Rule>) -> Span {
        let span = pair.as_span();
        self.place.span(span.start(), span.end())
    }

    /// The span of a rule that may end in white space and comments, which pest counts in.
    pub(super) fn tight(&self, pair: &Pair<Rule>) -> Span {
        self.place.span(pair.as_span().start(), end_of(pair))
    }

    pub(super) fn name(&self, pair: &Pair<Rule>) -> Name {
        Spanned { node: pair.as_str().to_string(), span: self.span(pair) }
    }

    /// The parts of a dotted name.
    pub(super) fn names(&self, pair: Pair<Rule>) -> Vec<Name> {
        pair.into_inner().map(|it| self.name(&it)).collect()
    }

    /// The children that mean something; comments are noted on the way.
    pub(super) fn children<'p>(&mut self, pair: Pair<'p, Rule>) -> impl Iterator<Item = Pair<'p, Rule>> + use<'p> {
        let inner = pair.into_inner();
        if inner.clone().any(|it| it.as_rule() == Rule::COMMENT) {
            inner.clone().filter(|it| it.as_rule() == Rule::COMMENT).for_each(|it| self.comment(&it));
        }
        inner.filter(|it| it.as_rule() != Rule::COMMENT)
    }

    fn comment(&mut self, pair: &Pair<Rule>) {
        let text = pair.as_str();
        if !text.starts_with("##") || text.starts_with("###") {
            let start = pair.as_span().start();
            self.comments.push(self.place.span(start, start + text.trim_end().len()));
        }
    }

    /// The items of a file or a block.
    fn items(&mut self, pairs: Pairs<Rule>) -> Vec<Item> {
        let mut items: Vec<Item> = Vec::with_capacity(pairs.len());
        let mut last = None;
        for pair in pairs {
            match pair.as_rule() {
                Rule::COMMENT => self.comment(&pair),
                Rule::EOI => {}
                Rule::rest => self.rest(&pair, last, &mut items),
                Rule::crowd if self.repaired.is_mended(pair.as_span().start(), pair.as_span().start()) => {
                    let lost = items.pop().map(|it| Item::Error(it.span()));
                    items.extend(lost);
                }
                Rule::crowd => {
                    slips::crowd(self, &pair);
                    for pair in self.children(pair).filter(|it| it.as_rule() != Rule::separator) {
                        last = Some(pair.as_span().start());
                        items.extend(self.item(pair));
                    }
                }
                _ => {
                    let start = pair.as_span().start();
                    last = Some(start);
                    let before = self.errors.len();
                    // Nothing in the block of the first item stands at the top.
                    self.at_top &= pair.as_rule() == Rule::edition;
                    let item = self.item(pair);
                    let wrong = self.errors.len() > before && self.repaired.is_mended(start, start);
                    items.extend(match item {
                        Some(Item::Statement(it)) if wrong && it.block.is_none() || self.repaired.is_lost(start) => {
                            Some(Item::Error(it.span))
                        }
                        other => other,
                    });
                    self.at_top = false;
                }
            }
        }
        items
    }

    /// What follows the item that begins at `last` on its line: the item is not what it seems, unless it ends with a block.
    fn rest(&mut self, pair: &Pair<Rule>, last: Option<usize>, items: &mut Vec<Item>) {
        let rest = pair.as_span();
        let start = last.unwrap_or(rest.start());
        let has_block = self.text[..rest.start()].trim_end().ends_with('}');
        let from = if has_block { rest.start() } else { start };
        if !has_block {
            // An edition makes no item.
            items.pop_if(|it| it.span().start >= self.place.span(start, start).start);
            // What the lost part of the line said wrongly is said better below.
            let lost = self.place.span(start, rest.start());
            self.errors.retain(|it| {
                it.labels.first().is_none_or(|it| it.span.start < lost.start || it.span.start >= lost.end)
            });
        }
        let end = rest.start() + pair.as_str().trim_end().len();
        let word = explain::first_word(&self.text[start..]);
        if self.blocks == 0
            && !has_block
            && let Some(meant) = slips::declaration(word)
        {
            items.push(Item::Error(self.place.span(from, end)));
            return slips::misspelt(self, word, meant, self.place.span(start, start + word.len()));
        }
        items.push(Item::Error(self.place.span(from, end)));
        let at = rest.start();
        match has_block {
            true => self.explain(|text, place| explain::behind_block(text, place, at, end), from, end),
            false => self.explain(|text, place| explain::rest(text, place, start, at, end), from, end),
        }
    }

    /// A line that could not be read; its block is lowered for the findings in it.
    fn broken(&mut self, pair: Pair<Rule>) -> Item {
        let start = pair.as_span().start();
        let span = self.tight(&pair);
        let mut head_end = start;
        let mut block = None;
        for part in self.children(pair) {
            match part.as_rule() {
                Rule::wrong_head => head_end = start + part.as_str().trim_end().len(),
                Rule::block => block = Some(part),
                _ => {}
            }
        }
        let has_block = block.is_some();
        self.explain(|text, place| explain::line(text, place, start, head_end, has_block), start, head_end);
        // What is in the block of a word that means nothing yet, nobody can say.
        if let Some(block) = block.filter(|_| !explain::is_reserved(&self.text[start..head_end])) {
            self.block(block);
        }
        Item::Error(span)
    }

    /// Says what is wrong between two offsets, unless that was said when it was mended.
    fn explain(&mut self, what: impl FnOnce(&str, &Place) -> Diagnostic, start: usize, end: usize) {
        if self.repaired.is_mended(start, end) {
            return;
        }
        // Explaining reads the line once more: not for what nobody wrote by hand, and not for what nobody will see.
        let finding = match end - start > LONGEST_LINE || self.errors.len() > MAX_ERRORS {
            true => explain::unreadable(self.place, start, end),
            false => what(self.text, self.place),
        };
        self.report(finding);
    }

    pub(super) fn report(&mut self, finding: Diagnostic) {
        if self.errors.len() < KEPT_ERRORS {
            self.errors.push(finding);
        }
    }

    fn item(&mut self, pair: Pair<Rule>) -> Option<Item> {
        let start = pair.as_span().start();
        match pair.as_rule() {
            Rule::edition => {
                self.edition(pair);
                return None;
            }
            Rule::broken => return Some(self.broken(pair)),
            _ => {}
        }
        let span = self.tight(&pair);
        if self.blocks == 0 && pair.as_rule() == Rule::statement {
            let word = pair.clone().into_inner().find(|it| it.as_rule() == Rule::dotted)?;
            if let Some(meant) = slips::declaration(word.as_str()) {
                let at = self.span(&word);
                slips::misspelt(self, word.as_str(), meant, at);
                return Some(Item::Error(span));
            }
        }
        Some(match pair.as_rule() {
            Rule::statement => Item::Statement(self.statement(pair, span)?),
            Rule::use_item => Item::Use(self.use_item(pair, span)?),
            Rule::param_item => {
                let inner = self.children(pair).nth(1)?;
                let mut param = self.param(inner)?;
                param.span = span;
                param.docs = self.docs(start);
                Item::Param(param)
            }
            Rule::let_item => {
                let mut parts = self.children(pair).skip(1);
                let name = parts.next()?;
                let name = slips::new_name(self, &name);
                let value = self.value(parts.nth(1)?);
                Item::Let(Let { name, value, docs: self.docs(start), span })
            }
            Rule::decl => Item::Decl(self.decl(pair, span)?),
            Rule::group => Item::Group(self.group(pair, span)?),
            Rule::if_item => Item::If(self.if_item(pair, span)?),
            Rule::for_item => {
                let mut parts = self.children(pair).skip(1);
                let name = parts.next()?;
                let name = slips::new_name(self, &name);
                let list = self.value(parts.nth(1)?);
                Item::For(For { name, list, body: self.body(&mut parts)?, span })
            }
            Rule::require_item => {
                let mut parts: Vec<_> = self.children(pair).skip(1).collect();
                let message = self.value(parts.pop()?);
                Item::Require(Require { cond: self.condition(parts), message, span })
            }
            _ => return None,
        })
    }

    /// The comments with `##` on the lines before `start`.
    fn docs(&self, start: usize) -> Option<String> {
        let line_start = line_start(self.text.as_bytes(), start);
        if !self.text[..line_start].trim_end_matches(['\n', '\r']).rsplit('\n').next()?.trim_start().starts_with("##") {
            return None;
        }
        let mut lines: Vec<&str> = self.text[..line_start]
            .lines()
            .rev()
            .map_while(|line| line.trim_start().strip_prefix("##").filter(|it| !it.starts_with('#')))
            .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end())
            .collect();
        lines.reverse();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    fn edition(&mut self, pair: Pair<Rule>) {
        let span = self.tight(&pair);
        let number = pair.as_str()[3..].split('#').next().unwrap_or("").trim();
        if !self.at_top {
            slips::late_edition(self, span);
        } else {
            self.edition = Some(Spanned { node: u32::from(number == "1"), span });
            if number != "1" {
                slips::unknown_edition(self, number, span);
            }
        }
    }

    fn use_item(&mut self, pair: Pair<Rule>, span: Span) -> Option<Use> {
        let mut parts = self.children(pair).skip(1);
        let module = parts.next()?;
        let module = slips::module(self, &module);
        let alias = parts.nth(1).map(|it| self.name(&it));
        Some(Use { module, alias, span })
    }

    fn param(&mut self, pair: Pair<Rule>) -> Option<Param> {
        let (span, start) = (self.tight(&pair), pair.as_span().start());
        let mut parts = self.children(pair);
        let name = parts.next()?;
        let name = slips::new_name(self, &name);
        let ty = self.type_expr(parts.nth(1)?)?;
        let default = parts.nth(1).map(|it| self.value(it));
        Some(Param { name, ty, default, docs: self.docs(start), span })
    }

    fn type_expr(&mut self, pair: Pair<Rule>) -> Option<TypeExpr> {
        if pair.as_rule() == Rule::word {
            return Some(TypeExpr::Named(self.name(&pair)));
        }
        let span = self.span(&pair);
        let inner = self.children(pair).next()?;
        Some(TypeExpr::List(Box::new(self.type_expr(inner)?), span))
    }

    fn decl(&mut self, pair: Pair<Rule>, span: Span) -> Option<Decl> {
        let start = pair.as_span().start();
        let mut parts = self.children(pair);
        let kind = parts.next()?;
        let node = match kind.as_str() {
            "profile" => DeclKind::Profile,
            "sandbox" => DeclKind::Sandbox,
            "pod" => DeclKind::Pod,
            _ => DeclKind::Container,
        };
        let kind = Spanned { node, span: self.span(&kind) };
        let name = parts.next()?;
        let name = slips::declared(self, &name);
        let (mut params, mut with) = (Vec::new(), Vec::new());
        let mut body = None;
        for part in parts {
            match part.as_rule() {
                Rule::params => params = self.params(part),
                Rule::withs => with = self.withs(part),
                Rule::block => body = Some(self.block(part)),
                _ => slips::wrong_brace(self, &part),
            }
        }
        Some(Decl { kind, name, params, with, body: body?, docs: self.docs(start), span })
    }

    fn params(&mut self, pair: Pair<Rule>) -> Vec<Param> {
        let parts = slips::commas(self, pair, "parameters");
        parts.into_iter().filter_map(|it| self.param(it)).collect()
    }

    fn withs(&mut self, pair: Pair<Rule>) -> Vec<Instance> {
        let parts = slips::commas(self, pair, "profiles");
        parts.into_iter().filter(|it| it.as_rule() == Rule::instance).filter_map(|it| self.instance(it)).collect()
    }

    fn instance(&mut self, pair: Pair<Rule>) -> Option<Instance> {
        let span = self.tight(&pair);
        let mut parts = self.children(pair);
        let path = self.names(parts.next()?);
        let args = parts.next().map_or(Vec::new(), |it| self.args(it));
        Some(Instance { path, args, span })
    }

    fn group(&mut self, pair: Pair<Rule>, span: Span) -> Option<Group> {
        let start = pair.as_span().start();
        let mut parts = self.children(pair).skip(2);
        let name = parts.next()?;
        let name = slips::group_name(self, &name);
        let mut members = Vec::with_capacity(parts.size_hint().0);
        let mut said = false;
        for part in parts {
            match part.as_rule() {
                Rule::word => members.push(GroupMember::Call(self.name(&part))),
                Rule::setref => {
                    let node = part.as_str().trim_start_matches('@').to_string();
                    members.push(GroupMember::Group(Spanned { node, span: self.span(&part) }));
                }
                _ if said => {}
                _ => {
                    slips::member(self, &part);
                    said = true;
                }
            }
        }
        Some(Group { name, members, docs: self.docs(start), span })
    }

    /// A chain of `if`, `else if` and `else`. The grammar reads it flat; here it is nested from its end.
    fn if_item(&mut self, pair: Pair<Rule>, span: Span) -> Option<If> {
        let mut branches: Vec<(Expr, Block, Span)> = Vec::new();
        let mut otherwise = None;
        let mut cond = Vec::new();
        let (mut start, mut is_else) = (span, false);
        for part in self.children(pair) {
            match part.as_rule() {
                Rule::kw_if => (start, is_else) = (self.span(&part), false),
                Rule::kw_else => is_else = true,
                Rule::wrong_else => slips::wrong_else(self, &part),
                Rule::wrong_brace => slips::wrong_brace(self, &part),
                Rule::block if is_else => otherwise = Some(self.block(part)),
                Rule::block => {
                    let cond = self.condition(std::mem::take(&mut cond));
                    let block = self.block(part);
                    branches.push((cond, block, start));
                }
                _ => cond.push(part),
            }
        }
        if branches.len() > MAX_DEPTH {
            slips::long_chain(self, branches[MAX_DEPTH].2);
            branches.truncate(MAX_DEPTH);
        }
        let mut rest = branches.into_iter().rev();
        let (cond, then, start) = rest.next()?;
        let whole = |start: Span, otherwise: &Option<Block>, then: &Block| {
            start.to(otherwise.as_ref().map_or(then.span, |it| it.span))
        };
        let mut chain = If { span: whole(start, &otherwise, &then), cond, then, otherwise };
        for (cond, then, start) in rest {
            let otherwise = Some(Block { span: chain.span, items: vec![Item::If(chain)] });
            chain = If { span: whole(start, &otherwise, &then), cond, then, otherwise };
        }
        // Of a chain that is too long as well, all is this item.
        Some(If { span, ..chain })
    }

    /// The block at the end of an item.
    fn body<'p>(&mut self, parts: &mut impl Iterator<Item = Pair<'p, Rule>>) -> Option<Block> {
        let mut part = parts.next()?;
        if part.as_rule() == Rule::wrong_brace {
            slips::wrong_brace(self, &part);
            part = parts.next()?;
        }
        Some(self.block(part))
    }

    fn block(&mut self, pair: Pair<Rule>) -> Block {
        let span = self.span(&pair);
        self.blocks += 1;
        let items = self.items(pair.into_inner());
        self.blocks -= 1;
        Block { items, span }
    }

    fn statement(&mut self, pair: Pair<Rule>, span: Span) -> Option<Statement> {
        let start = pair.as_span().start();
        let (mut modifier, mut strength, mut head) = (None, None, None);
        let (mut labels, mut value, mut block, mut set) = (Vec::new(), None, None, false);
        for part in self.children(pair) {
            let span = self.span(&part);
            if part.as_rule() == Rule::path && slips::comment(self, part.as_str(), span) {
                break;
            }
            match part.as_rule() {
                Rule::dotted => head = Some(self.name(&part)),
                Rule::equals => set = true,
                Rule::block => block = Some(self.block(part)),
                Rule::modifier => {
                    slips::words_in_order(
                        self,
                        span,
                        modifier.map(|it: Spanned<Modifier>| it.span),
                        strength.is_some(),
                    );
                    modifier = Some(Spanned { node: modifier_of(part.as_str()), span });
                }
                Rule::strength => {
                    slips::words_in_order(self, span, strength.map(|it: Spanned<Strength>| it.span), false);
                    let node = if part.as_str() == "prefer" { Strength::Prefer } else { Strength::Optional };
                    strength = Some(Spanned { node, span });
                }
                Rule::wrong_equals => {
                    slips::wrong_equals(self, &part);
                    set = true;
                }
                Rule::wrong_brace => slips::wrong_brace(self, &part),
                _ if set => value = Some(self.value(part)),
                _ => labels.push(self.label(part)),
            }
        }
        Some(Statement { modifier, strength, head: head?, labels, value, block, docs: self.docs(start), span })
    }
}

fn modifier_of(text: &str) -> Modifier {
    match text {
        "default" => Modifier::Default,
        "override" => Modifier::Override,
        "final" => Modifier::Final,
        _ => Modifier::Remove,
    }
}

/// Where the last token of a rule ends.
fn end_of(pair: &Pair<Rule>) -> usize {
    match pair.as_rule() {
        // These end in a bracket or a quote.
        Rule::block
        | Rule::list
        | Rule::args
        | Rule::params
        | Rule::type_list
        | Rule::group
        | Rule::parens
        | Rule::string => pair.as_span().end(),
        _ => match pair.clone().into_inner().rev().find(|it| it.as_rule() != Rule::COMMENT) {
            Some(last) => end_of(&last),
            None => pair.as_span().start() + pair.as_str().trim_end().len(),
        },
    }
}
