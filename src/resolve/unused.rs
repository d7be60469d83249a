//! Names that are declared and used nowhere in the text; whether a profile is ever applied plays no part.

use super::Cx;
use super::module::bound_name;
use crate::report::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::{Block, Decl, Expr, ExprKind, Item, StrPart};

/// One name that is used nowhere.
struct Unused {
    code: &'static str,
    what: &'static str,
    name: String,
    span: Span,
}

/// The names of a file that nothing in it uses.
fn of_file(items: &[Item]) -> Vec<Unused> {
    let mut walk = Walk::default();
    items.iter().for_each(|item| walk.item(item));
    let mut unused = walk.unused;
    for item in items {
        match item {
            Item::Param(it) if !walk.names.contains(&it.name.node) => unused.push(Unused {
                code: "unused-param",
                what: "parameter",
                name: it.name.node.clone(),
                span: it.name.span,
            }),
            Item::Let(it) if !walk.names.contains(&it.name.node) => {
                unused.push(Unused {
                    code: "unused-let",
                    what: "value",
                    name: it.name.node.clone(),
                    span: it.name.span,
                });
            }
            Item::Use(it) => {
                let bound = bound_name(it);
                if !walk.modules.contains(&bound.node) {
                    unused.push(Unused { code: "unused-use", what: "module", name: bound.node, span: it.span });
                }
            }
            _ => {}
        }
    }
    unused
}

/// Reports the names of a file that nothing in it uses.
pub fn report(cx: &mut Cx, items: &[Item]) {
    for it in of_file(items) {
        // A module may be used for its groups of system calls alone, which have no name of it before them.
        if cx.used.contains(&it.span) {
            continue;
        }
        let finding = Diagnostic::warning(it.code, format!("the {} `{}` is never used", it.what, it.name))
            .label(it.span, "used nowhere in this file")
            .help("delete it, or use it");
        // Of a `use` the span is the whole statement.
        cx.report(if it.code == "unused-use" { finding.delete(it.span) } else { finding });
    }
}

#[derive(Default)]
struct Walk {
    names: Vec<String>,
    modules: Vec<String>,
    unused: Vec<Unused>,
}

impl Walk {
    fn item(&mut self, item: &Item) {
        match item {
            Item::Use(_) | Item::Group(_) | Item::Error(_) => {}
            Item::Param(it) => it.default.iter().for_each(|value| self.expr(value)),
            Item::Let(it) => self.expr(&it.value),
            Item::Decl(it) => self.decl(it),
            Item::If(it) => {
                self.expr(&it.cond);
                self.block(&it.then);
                it.otherwise.iter().for_each(|block| self.block(block));
            }
            Item::For(it) => {
                self.expr(&it.list);
                self.block(&it.body);
            }
            Item::Require(it) => {
                self.expr(&it.cond);
                self.expr(&it.message);
            }
            Item::Statement(it) => {
                it.labels.iter().for_each(|label| self.expr(label));
                it.value.iter().for_each(|value| self.expr(value));
                it.block.iter().for_each(|block| self.block(block));
            }
        }
    }

    /// A body: its own parameters and names count as used only if the body uses them.
    fn decl(&mut self, it: &Decl) {
        let outside = std::mem::take(&mut self.names);
        for instance in &it.with {
            if let [module, _] = instance.path.as_slice() {
                self.modules.push(module.node.clone());
            }
            instance.args.iter().for_each(|arg| self.expr(&arg.value));
        }
        it.params.iter().flat_map(|param| &param.default).for_each(|value| self.expr(value));
        self.block(&it.body);
        for param in &it.params {
            self.declared("unused-param", "parameter", &param.name.node, param.name.span);
        }
        self.names.extend(outside);
    }

    fn block(&mut self, block: &Block) {
        let lets = block.items.iter().any(|item| matches!(item, Item::Let(_)));
        let outside = if lets { std::mem::take(&mut self.names) } else { Vec::new() };
        block.items.iter().for_each(|item| self.item(item));
        for item in &block.items {
            if let Item::Let(it) = item {
                self.declared("unused-let", "value", &it.name.node, it.name.span);
            }
        }
        self.names.extend(outside);
    }

    /// A name of a body: it is used, or it is unused; the name means nothing outside.
    fn declared(&mut self, code: &'static str, what: &'static str, name: &str, span: Span) {
        let before = self.names.len();
        self.names.retain(|it| it != name);
        if self.names.len() == before {
            self.unused.push(Unused { code, what, name: name.to_string(), span });
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Ref(name) => self.reference(name),
            ExprKind::Str(parts) => {
                for part in parts {
                    if let StrPart::Ref(name, _) = part {
                        self.reference(name);
                    }
                }
            }
            ExprKind::List(items) => items.iter().for_each(|item| self.expr(item)),
            ExprKind::Variant { args, .. } => args.iter().for_each(|arg| self.expr(&arg.value)),
            ExprKind::Not(inner) => self.expr(inner),
            ExprKind::Binary { left, right, .. } => {
                self.expr(left);
                self.expr(right);
            }
            _ => {}
        }
    }

    fn reference(&mut self, name: &[crate::syntax::ast::Name]) {
        match name {
            [one] => self.names.push(one.node.clone()),
            [module, _] => self.modules.push(module.node.clone()),
            _ => {}
        }
    }
}
