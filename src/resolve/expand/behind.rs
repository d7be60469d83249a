//! The names that a statement uses, and the places that gave them their values: `--set`, an argument of a profile, a default,
//! a `let`.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::policy::{Origin, Via};
use crate::source::{FileId, Files, Span};
use crate::syntax::ast::{Decl, Expr, ExprKind, File, For, Instance, Item, Statement, StrPart};
use crate::syntax::parse;

/// A name, and where its value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    /// The name, without `$`.
    pub name: String,
    /// The place, for people: `web.nsl:6`, or that it was the command line.
    pub place: String,
    /// What is said there.
    pub text: String,
}

/// The names behind a statement, each before those that its own value uses. `params` are those of the command line.
pub fn behind(files: &Files, origin: &Origin, params: &BTreeMap<String, String>) -> Vec<Behind> {
    let mut it = Search { files, params, trees: BTreeMap::new(), found: Vec::new() };
    let tree = it.tree(origin.span.file);
    if let Some(around) = Around::of(&tree.items, origin.span) {
        let mut used = Vec::new();
        around.statement.labels.iter().chain(&around.statement.value).for_each(|expr| names(expr, &mut used));
        it.explain(&used, &tree, &around.scope, &origin.via);
    }
    it.found
}

/// What is around a place of a tree.
#[derive(Clone, Default)]
struct Scope<'t> {
    decl: Option<&'t Decl>,
    loops: Vec<&'t For>,
}

/// A statement, and what is around it.
struct Around<'t> {
    statement: &'t Statement,
    scope: Scope<'t>,
}

impl<'t> Around<'t> {
    /// The statement whose head stands at a place.
    fn of(items: &'t [Item], at: Span) -> Option<Around<'t>> {
        Around::within(items, at, &Scope::default())
    }

    fn within(items: &'t [Item], at: Span, scope: &Scope<'t>) -> Option<Around<'t>> {
        let holds = |span: Span| span.start <= at.start && at.end <= span.end;
        items.iter().filter(|item| holds(item.span())).find_map(|item| match item {
            Item::Decl(it) => Around::within(&it.body.items, at, &Scope { decl: Some(it), ..scope.clone() }),
            Item::For(it) => {
                let mut inner = scope.clone();
                inner.loops.push(it);
                Around::within(&it.body.items, at, &inner)
            }
            Item::If(it) => {
                let blocks = std::iter::once(&it.then).chain(&it.otherwise);
                blocks.into_iter().find_map(|block| Around::within(&block.items, at, scope))
            }
            Item::Statement(it) => {
                let inner = it.block.as_ref().and_then(|block| Around::within(&block.items, at, scope));
                let own = || it.head_span().start == at.start;
                inner.or_else(|| own().then(|| Around { statement: it, scope: scope.clone() }))
            }
            _ => None,
        })
    }
}

struct Search<'f> {
    files: &'f Files,
    params: &'f BTreeMap<String, String>,
    trees: BTreeMap<FileId, Rc<File>>,
    found: Vec<Behind>,
}

impl Search<'_> {
    fn tree(&mut self, file: FileId) -> Rc<File> {
        self.trees.entry(file).or_insert_with(|| parse(self.files, file)).clone()
    }

    /// Notes where names have their values from, as they are seen from a place. `via` are the instances that lead to it.
    fn explain(&mut self, used: &[String], tree: &File, scope: &Scope, via: &[Via]) {
        for name in used {
            if let Some(it) = scope.loops.iter().rev().find(|it| it.name.node == *name) {
                let mut inner = Vec::new();
                names(&it.list, &mut inner);
                if self.note(name, it.name.span.to(it.list.span)) {
                    self.explain(&inner, tree, scope, via);
                }
            } else if let Some(param) = scope.decl.and_then(|it| it.params.iter().find(|it| it.name.node == *name)) {
                if !self.argument(name, via) {
                    self.note(name, param.span);
                }
            } else {
                self.declared(name, tree);
            }
        }
    }

    /// The argument that an instance gives; `false` where it gives none.
    fn argument(&mut self, name: &str, via: &[Via]) -> bool {
        let Some((last, before)) = via.split_last() else { return false };
        let tree = self.tree(last.span.file);
        let Some((instance, decl)) = instance(&tree.items, last.span) else { return false };
        let Some(arg) = instance.args.iter().find(|it| it.name.as_ref().is_some_and(|it| it.node == name)) else {
            return false;
        };
        let mut inner = Vec::new();
        names(&arg.value, &mut inner);
        if self.note(name, arg.span) {
            self.explain(&inner, &tree, &Scope { decl: Some(decl), loops: Vec::new() }, before);
        }
        true
    }

    /// A name of the file itself.
    fn declared(&mut self, name: &str, tree: &File) {
        let is_root = tree.span.file == FileId(0);
        for item in &tree.items {
            match item {
                Item::Param(it) if it.name.node == name => match self.params.get(name).filter(|_| is_root) {
                    Some(value) => self.add(name, "the command line".into(), format!("--set {name}={value}")),
                    None => drop(self.note(name, it.span)),
                },
                Item::Let(it) if it.name.node == name => {
                    let mut inner = Vec::new();
                    names(&it.value, &mut inner);
                    if self.note(name, it.span) {
                        inner.iter().for_each(|it| self.declared(it, tree));
                    }
                }
                _ => {}
            }
        }
    }

    /// Notes what is written at a place; `false` where it was noted before.
    fn note(&mut self, name: &str, at: Span) -> bool {
        let text = self.files.text(at.file).get(at.start as usize..at.end as usize).unwrap_or_default();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let before = self.found.len();
        self.add(name, self.files.line_place(at), text);
        self.found.len() > before
    }

    fn add(&mut self, name: &str, place: String, text: String) {
        let new = Behind { name: name.to_string(), place, text };
        if !self.found.contains(&new) {
            self.found.push(new);
        }
    }
}

/// The instance of a profile that stands at a place, and the declaration whose `with` it is in.
fn instance(items: &[Item], at: Span) -> Option<(&Instance, &Decl)> {
    items.iter().find_map(|item| match item {
        Item::Decl(it) => match it.with.iter().find(|it| it.span == at) {
            Some(found) => Some((found, it)),
            None => instance(&it.body.items, at),
        },
        _ => None,
    })
}

/// The names that an expression uses, in order.
fn names(expr: &Expr, out: &mut Vec<String>) {
    let mut add = |path: &[crate::syntax::ast::Name]| {
        if let [first, ..] = path
            && !out.contains(&first.node)
        {
            out.push(first.node.clone());
        }
    };
    match &expr.kind {
        ExprKind::Ref(path) => add(path),
        ExprKind::Str(parts) => parts.iter().for_each(|it| {
            if let StrPart::Ref(path, _) = it {
                add(path);
            }
        }),
        ExprKind::List(items) => items.iter().for_each(|it| names(it, out)),
        ExprKind::Variant { args, .. } => args.iter().for_each(|it| names(&it.value, out)),
        ExprKind::Not(inner) => names(inner, out),
        ExprKind::Binary { left, right, .. } => {
            names(left, out);
            names(right, out);
        }
        _ => {}
    }
}
