//! Every span of a tree, to move it.

use super::ast::*;
use crate::report::Diagnostic;
use crate::source::Span;

/// Calls `change` with every span of the items, those within them included.
pub(super) fn of_items(items: &mut [Item], change: &mut dyn FnMut(&mut Span)) {
    Spans(change).items(items);
}

/// The same with those of a finding.
pub(super) fn of_finding(finding: &mut Diagnostic, change: &mut dyn FnMut(&mut Span)) {
    finding.labels.iter_mut().for_each(|it| change(&mut it.span));
    finding.fix.iter_mut().for_each(|it| change(&mut it.span));
}

struct Spans<'f>(&'f mut dyn FnMut(&mut Span));

impl Spans<'_> {
    fn items(&mut self, items: &mut [Item]) {
        items.iter_mut().for_each(|it| self.item(it));
    }

    fn item(&mut self, item: &mut Item) {
        match item {
            Item::Use(Use { module, alias, span }) => {
                self.span(&mut module.span);
                alias.iter_mut().for_each(|it| self.span(&mut it.span));
                self.span(span);
            }
            Item::Param(it) => self.param(it),
            Item::Let(Let { name, value, docs: _, span }) => {
                self.span(&mut name.span);
                self.expr(value);
                self.span(span);
            }
            Item::Decl(it) => self.decl(it),
            Item::Group(Group { name, members, docs: _, span }) => {
                self.span(&mut name.span);
                for member in members {
                    match member {
                        GroupMember::Call(it) | GroupMember::Group(it) => self.span(&mut it.span),
                    }
                }
                self.span(span);
            }
            Item::If(If { cond, then, otherwise, span }) => {
                self.expr(cond);
                self.block(then);
                otherwise.iter_mut().for_each(|it| self.block(it));
                self.span(span);
            }
            Item::For(For { name, list, body, span }) => {
                self.span(&mut name.span);
                self.expr(list);
                self.block(body);
                self.span(span);
            }
            Item::Require(Require { cond, message, span }) => {
                self.expr(cond);
                self.expr(message);
                self.span(span);
            }
            Item::Statement(it) => self.statement(it),
            Item::Error(span) => self.span(span),
        }
    }

    fn span(&mut self, span: &mut Span) {
        (self.0)(span);
    }

    fn block(&mut self, Block { items, span }: &mut Block) {
        self.items(items);
        self.span(span);
    }

    fn decl(&mut self, Decl { kind, name, params, with, body, docs: _, span }: &mut Decl) {
        self.span(&mut kind.span);
        self.span(&mut name.span);
        params.iter_mut().for_each(|it| self.param(it));
        for Instance { path, args, span } in with {
            path.iter_mut().for_each(|it| self.span(&mut it.span));
            self.args(args);
            self.span(span);
        }
        self.block(body);
        self.span(span);
    }

    fn statement(&mut self, it: &mut Statement) {
        let Statement { modifier, strength, head, labels, value, block, docs: _, span } = it;
        modifier.iter_mut().for_each(|it| self.span(&mut it.span));
        strength.iter_mut().for_each(|it| self.span(&mut it.span));
        self.span(&mut head.span);
        labels.iter_mut().chain(value).for_each(|it| self.expr(it));
        block.iter_mut().for_each(|it| self.block(it));
        self.span(span);
    }

    fn param(&mut self, Param { name, ty, default, docs: _, span }: &mut Param) {
        self.span(&mut name.span);
        self.type_expr(ty);
        default.iter_mut().for_each(|it| self.expr(it));
        self.span(span);
    }

    fn type_expr(&mut self, ty: &mut TypeExpr) {
        match ty {
            TypeExpr::Named(it) => self.span(&mut it.span),
            TypeExpr::List(inner, span) => {
                self.type_expr(inner);
                self.span(span);
            }
        }
    }

    fn args(&mut self, args: &mut [Arg]) {
        for Arg { name, value, span } in args {
            name.iter_mut().for_each(|it| self.span(&mut it.span));
            self.expr(value);
            self.span(span);
        }
    }

    fn expr(&mut self, Expr { kind, span }: &mut Expr) {
        self.span(span);
        match kind {
            ExprKind::Str(parts) => {
                for part in parts {
                    if let StrPart::Ref(names, span) = part {
                        names.iter_mut().for_each(|it| self.span(&mut it.span));
                        self.span(span);
                    }
                }
            }
            ExprKind::Ref(names) => names.iter_mut().for_each(|it| self.span(&mut it.span)),
            ExprKind::List(list) => list.iter_mut().for_each(|it| self.expr(it)),
            ExprKind::Variant { name, args } => {
                self.span(&mut name.span);
                self.args(args);
            }
            ExprKind::Not(it) => self.expr(it),
            ExprKind::Binary { op: _, left, right } => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Quantity { .. }
            | ExprKind::Port { .. }
            | ExprKind::Address(_)
            | ExprKind::Path(_)
            | ExprKind::Symbol(_)
            | ExprKind::Set(_)
            | ExprKind::Everything
            | ExprKind::Error => {}
        }
    }
}
