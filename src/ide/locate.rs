//! What stands at an offset of a tree, and what is expected there.

use super::touches;
use super::values::{Expect, Role, argument_expect, label_expect};
use crate::schema::{self, Field, Section};
use crate::source::Span;
use crate::syntax::ast::*;

/// The way from a file to one of its words.
#[derive(Default)]
pub(super) struct Place<'t> {
    /// The declarations around it, the outermost first.
    pub decls: Vec<&'t Decl>,
    /// The block of a section around it, with its statement.
    pub section: Option<(&'t Statement, &'static Section)>,
    /// The loops around it.
    pub loops: Vec<&'t For>,
    /// The statement that it is part of.
    pub statement: Option<&'t Statement>,
    /// Everything around it, the largest first.
    pub around: Vec<Span>,
    /// The word itself.
    pub leaf: Leaf<'t>,
}

/// A word of a policy.
#[derive(Clone, Copy, Default)]
pub(super) enum Leaf<'t> {
    /// Nothing: white space in a file or block.
    #[default]
    None,
    /// The module of a `use`.
    Module(&'t Use),
    /// The name after `as`.
    Alias(&'t Use),
    /// A type.
    Type(&'t Name),
    /// A name that is declared here.
    Name,
    /// The keyword of a declaration.
    DeclKind(&'t Decl),
    /// A part of the name of a profile that is applied.
    Instance(&'t Instance, usize),
    /// The name of an argument of a profile.
    InstanceArg(&'t Instance, &'t Name),
    /// A member of one.
    Member(&'t GroupMember),
    /// `default`, `override`, `final`, `remove`
    Modifier(Modifier, Span),
    /// `prefer`, `optional`
    Strength(Strength, Span),
    /// The head of a statement.
    Head(&'t Statement),
    /// A value, or the name of a variant.
    Expr(&'t Expr, Expect<'t>),
    /// The name of an argument of a variant.
    ArgName(&'t Expr, &'t Name, Expect<'t>),
    /// A name in a string.
    StrRef(&'t [Name], Span),
}

impl<'t> Place<'t> {
    /// What stands at an offset of a file.
    pub(super) fn of(tree: &'t File, offset: usize) -> Place<'t> {
        let mut place = Place { around: vec![tree.span], ..Place::default() };
        place.items(&tree.items, offset);
        place
    }

    /// The name of the section around; empty in a body.
    pub(super) fn section_name(&self) -> &'static str {
        self.section.map_or("", |(_, section)| section.name)
    }

    /// The row of the statement at hand.
    pub(super) fn field(&self) -> Option<&'static Field> {
        schema::find(self.section_name(), &self.statement?.head.node)
    }

    /// The section whose head the statement at hand is.
    pub(super) fn heads_section(&self) -> Option<&'static Section> {
        let statement = self.statement?;
        if self.section.is_some() { None } else { schema::section(&statement.head.node) }
    }

    fn enter(&mut self, span: Span, offset: usize) -> bool {
        let inside = touches(span, offset);
        if inside {
            self.around.push(span);
        }
        inside
    }

    fn leaf(&mut self, span: Span, offset: usize, leaf: Leaf<'t>) -> bool {
        let inside = touches(span, offset);
        if inside {
            self.around.push(span);
            self.leaf = leaf;
        }
        inside
    }

    /// Two items never overlap; of two that touch, the later one is meant, which a word begins.
    fn items(&mut self, items: &'t [Item], offset: usize) {
        let end = items.partition_point(|it| (it.span().start as usize) <= offset);
        if let Some(item) = end.checked_sub(1).and_then(|at| items.get(at)).filter(|it| touches(it.span(), offset)) {
            self.item(item, offset);
        }
    }

    fn item(&mut self, item: &'t Item, offset: usize) {
        self.around.push(item.span());
        match item {
            Item::Use(it) => {
                let _ = self.leaf(it.module.span, offset, Leaf::Module(it))
                    || it.alias.as_ref().is_some_and(|alias| self.leaf(alias.span, offset, Leaf::Alias(it)));
            }
            Item::Param(it) => self.param(it, offset),
            Item::Let(it) => {
                if !self.leaf(it.name.span, offset, Leaf::Name) {
                    self.expr(&it.value, Expect::Nothing, offset);
                }
            }
            Item::Decl(it) => self.decl(it, offset),
            Item::Group(it) => {
                let member = it.members.iter().find(|it| touches(member_span(it), offset));
                match member {
                    Some(member) => drop(self.leaf(member_span(member), offset, Leaf::Member(member))),
                    None => drop(self.leaf(it.name.span, offset, Leaf::Name)),
                }
            }
            Item::If(it) => {
                self.expr(&it.cond, Expect::Condition, offset);
                self.block(&it.then, offset);
                if let Some(block) = &it.otherwise {
                    self.block(block, offset);
                }
            }
            Item::For(it) => {
                if !self.leaf(it.name.span, offset, Leaf::Name) {
                    self.expr(&it.list, Expect::Nothing, offset);
                    if touches(it.body.span, offset) {
                        self.loops.push(it);
                        self.block(&it.body, offset);
                    }
                }
            }
            Item::Require(it) => {
                self.expr(&it.cond, Expect::Condition, offset);
                self.expr(&it.message, Expect::Nothing, offset);
            }
            Item::Statement(it) => self.statement(it, offset),
            Item::Error(_) => {}
        }
    }

    fn param(&mut self, it: &'t Param, offset: usize) {
        if self.leaf(it.name.span, offset, Leaf::Name) {
            return;
        }
        let mut ty = &it.ty;
        while let TypeExpr::List(inner, _) = ty {
            ty = inner;
        }
        if let TypeExpr::Named(name) = ty {
            self.leaf(name.span, offset, Leaf::Type(name));
        }
        if let Some(default) = &it.default {
            self.expr(default, Expect::Param(&it.ty), offset);
        }
    }

    fn decl(&mut self, it: &'t Decl, offset: usize) {
        if self.leaf(it.kind.span, offset, Leaf::DeclKind(it)) || self.leaf(it.name.span, offset, Leaf::Name) {
            return;
        }
        self.decls.push(it);
        for param in it.params.iter().filter(|it| touches(it.span, offset)) {
            self.around.push(param.span);
            self.param(param, offset);
        }
        for instance in it.with.iter().filter(|it| touches(it.span, offset)) {
            self.around.push(instance.span);
            self.instance(instance, offset);
        }
        self.block(&it.body, offset);
    }

    fn instance(&mut self, it: &'t Instance, offset: usize) {
        for (at, part) in it.path.iter().enumerate() {
            self.leaf(part.span, offset, Leaf::Instance(it, at));
        }
        for arg in it.args.iter().filter(|it| touches(it.span, offset)) {
            self.around.push(arg.span);
            match &arg.name {
                Some(name) if touches(name.span, offset) => {
                    let _ = self.leaf(name.span, offset, Leaf::InstanceArg(it, name));
                }
                Some(name) => self.expr(&arg.value, Expect::Argument(it, name), offset),
                None => self.expr(&arg.value, Expect::ArgumentName(it), offset),
            }
        }
    }

    fn block(&mut self, block: &'t Block, offset: usize) {
        if (block.span.start as usize) < offset && offset <= block.span.end as usize {
            self.around.push(block.span);
            self.items(&block.items, offset);
        }
    }

    fn statement(&mut self, it: &'t Statement, offset: usize) {
        let before = self.statement.replace(it);
        if let Some(modifier) = it.modifier
            && self.leaf(modifier.span, offset, Leaf::Modifier(modifier.node, modifier.span))
        {
            return;
        }
        if let Some(strength) = it.strength
            && self.leaf(strength.span, offset, Leaf::Strength(strength.node, strength.span))
        {
            return;
        }
        if self.leaf(it.head.span, offset, Leaf::Head(it)) {
            return;
        }
        let section = self.heads_section();
        let field = self.field();
        for (at, label) in it.labels.iter().enumerate() {
            self.expr(label, label_expect(section, field, it.labels.len(), at), offset);
        }
        if let Some(value) = &it.value {
            let expect =
                field.and_then(|it| it.value).map_or(Expect::Nothing, |ty| Expect::Ty(ty, Role::of_value(field)));
            self.expr(value, expect, offset);
        }
        if let Some(block) =
            it.block.as_ref().filter(|it| (it.span.start as usize) < offset && offset <= it.span.end as usize)
        {
            self.statement = before;
            if let Some(section) = section {
                self.section = Some((it, section));
            }
            self.block(block, offset);
        }
    }

    pub(super) fn expr(&mut self, it: &'t Expr, expect: Expect<'t>, offset: usize) {
        if !self.enter(it.span, offset) {
            return;
        }
        self.leaf = Leaf::Expr(it, expect);
        match &it.kind {
            ExprKind::List(items) => {
                items.iter().for_each(|item| self.expr(item, expect.element(), offset));
            }
            ExprKind::Not(inner) => self.expr(inner, Expect::Condition, offset),
            ExprKind::Binary { left, right, .. } => {
                self.expr(left, expect.left(), offset);
                self.expr(right, expect.right(left), offset);
            }
            ExprKind::Variant { name, args } if !touches(name.span, offset) => {
                for arg in args.iter().filter(|it| touches(it.span, offset)) {
                    self.around.push(arg.span);
                    match &arg.name {
                        Some(word) if touches(word.span, offset) => {
                            self.leaf(word.span, offset, Leaf::ArgName(it, word, expect));
                        }
                        _ => self.expr(&arg.value, argument_expect(expect, it, arg), offset),
                    }
                }
            }
            ExprKind::Str(parts) => {
                for part in parts {
                    if let StrPart::Ref(names, span) = part {
                        self.leaf(*span, offset, Leaf::StrRef(names, *span));
                    }
                }
            }
            _ => {}
        }
    }
}

/// The place of a member of a group.
pub(super) fn member_span(member: &GroupMember) -> Span {
    match member {
        GroupMember::Call(name) | GroupMember::Group(name) => name.span,
    }
}
