//! Every name of a file, with what it means: the base of definitions, references and renaming.
//!
//! A name is looked up by the rules of `resolve`: a `$name` in the loop, the profile or the file around it; a profile in
//! this file or in the module before the dot; a group in this file, in the modules it uses, or in `std/syscalls`.

use std::ops::Range;
use std::rc::Rc;

use super::{Project, Source, range};
use crate::resolve::{PRELUDE, bound_name};
use crate::source::Span;
use crate::syntax::ast::*;

/// What a name names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A profile.
    Profile,
    /// A sandbox.
    Sandbox,
    /// A pod.
    Pod,
    /// A container of a pod.
    Container,
    /// A parameter of a file or of a profile.
    Param,
    /// A `let`.
    Let,
    /// The element of a loop.
    Loop,
    /// A module, under the name that this file has for it.
    Module,
    /// A group of system calls.
    Group,
}

/// What a name means, the same wherever it is used.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Symbol {
    /// The file that declares it: an absolute path, or `std/NAME.nsl`.
    pub home: String,
    /// What it is.
    pub kind: Kind,
    /// Its name, without `$` and `@`.
    pub name: String,
    /// What it belongs to: the profile of a parameter, the pod of a container, the place of a loop; empty for the file.
    pub scope: String,
}

/// A name in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// Where it is, without `$` and `@`.
    pub range: Range<usize>,
    /// What it means.
    pub symbol: Symbol,
    /// Whether it is declared here.
    pub is_definition: bool,
}

impl Project {
    /// Every name of a file, in order.
    pub fn occurrences(&self, source: &Source) -> Rc<Vec<Occurrence>> {
        if let Some(known) = source.occurrences.borrow().as_ref().filter(|_| !has_groups(source)) {
            return known.clone();
        }
        let mut walk =
            Walk { project: self, source, uses: Vec::new(), values: Vec::new(), found: Vec::new(), pod: None };
        walk.file();
        let mut found = walk.found;
        found.sort_by_key(|it| it.range.start);
        let found = Rc::new(found);
        *source.occurrences.borrow_mut() = Some(found.clone());
        found
    }

    /// The name at an offset of a file.
    pub fn occurrence_at(&self, source: &Source, offset: usize) -> Option<Occurrence> {
        let all = self.occurrences(source);
        let touching = || all.iter().filter(|it| it.range.start <= offset && offset <= it.range.end);
        touching().find(|it| offset < it.range.end).or_else(|| touching().next()).cloned()
    }

    /// The modules that a file uses, by the names it has for them.
    pub fn modules_of(&self, source: &Source) -> Vec<(String, String)> {
        let uses = source.tree.items.iter().filter_map(|it| match it {
            Item::Use(it) => Some(it),
            _ => None,
        });
        uses.filter_map(|it| Some((bound_name(it).node, self.module_path(&source.path, &it.module.node)?))).collect()
    }

    /// The file that declares the group which a name means in a file.
    pub fn home_of_group(&self, source: &Source, name: &str) -> Option<String> {
        if declares_group(source, name) {
            return Some(source.path.clone());
        }
        let mut used = self.modules_of(source);
        used.sort();
        let prelude = (String::new(), format!("{PRELUDE}.nsl"));
        let mut candidates = used.into_iter().chain([prelude]).filter(|(_, path)| *path != source.path);
        candidates.find(|(_, path)| self.source(path).is_some_and(|it| declares_group(&it, name))).map(|(_, path)| path)
    }
}

/// Whether the meaning of a name depends on what other files declare.
fn has_groups(source: &Source) -> bool {
    source
        .tree
        .items
        .iter()
        .any(|it| matches!(it, Item::Use(it) if it.module.node.contains("./") || it.module.node.starts_with('/')))
}

fn declares_group(source: &Source, name: &str) -> bool {
    source.tree.items.iter().any(|it| matches!(it, Item::Group(group) if group.name.node == name))
}

struct Walk<'a> {
    project: &'a Project,
    source: &'a Source,
    /// The modules in use.
    uses: Vec<(String, String)>,
    /// What `$name` means here, the nearest last.
    values: Vec<(String, Symbol)>,
    found: Vec<Occurrence>,
    /// The pod at hand.
    pod: Option<&'a Decl>,
}

impl<'a> Walk<'a> {
    fn symbol(&self, kind: Kind, name: &str, scope: &str) -> Symbol {
        Symbol { home: self.source.path.clone(), kind, name: name.to_string(), scope: scope.to_string() }
    }

    fn add(&mut self, span: Span, symbol: Symbol, is_definition: bool) {
        // A name in a repaired text may have no width.
        if !span.is_empty() {
            self.found.push(Occurrence { range: range(span), symbol, is_definition });
        }
    }

    fn file(&mut self) {
        let source = self.source;
        self.uses = self.project.modules_of(source);
        for item in &source.tree.items {
            match item {
                Item::Use(it) => {
                    let name = bound_name(it);
                    let symbol = self.symbol(Kind::Module, &name.node, "");
                    self.add(name.span, symbol, true);
                }
                Item::Param(it) => {
                    self.param(it, "");
                    let symbol = self.symbol(Kind::Param, &it.name.node, "");
                    self.values.push((it.name.node.clone(), symbol));
                }
                Item::Let(it) => {
                    self.expr(&it.value);
                    let symbol = self.symbol(Kind::Let, &it.name.node, "");
                    self.add(it.name.span, symbol.clone(), true);
                    self.values.push((it.name.node.clone(), symbol));
                }
                Item::Group(it) => self.group(it),
                _ => {}
            }
        }
        for item in &source.tree.items {
            match item {
                Item::Decl(it) => self.decl(it),
                Item::If(_) | Item::For(_) | Item::Require(_) | Item::Statement(_) => self.item(item),
                _ => {}
            }
        }
    }

    fn param(&mut self, it: &'a Param, scope: &str) {
        if let Some(default) = &it.default {
            self.expr(default);
        }
        let symbol = self.symbol(Kind::Param, &it.name.node, scope);
        self.add(it.name.span, symbol, true);
    }

    fn group(&mut self, it: &'a Group) {
        let symbol = self.symbol(Kind::Group, &it.name.node, "");
        self.add(self.without_mark(it.name.span), symbol, true);
        for member in &it.members {
            if let GroupMember::Group(name) = member {
                self.group_name(&name.node, name.span);
            }
        }
    }

    fn without_mark(&self, span: Span) -> Span {
        let marked = self.source.slice(span).starts_with(['@', '$']);
        if marked { Span { start: span.start + 1, ..span } } else { span }
    }

    fn group_name(&mut self, name: &str, span: Span) {
        if let Some(home) = self.project.home_of_group(self.source, name) {
            let symbol = Symbol { home, kind: Kind::Group, name: name.to_string(), scope: String::new() };
            self.add(self.without_mark(span), symbol, false);
        }
    }

    fn decl(&mut self, it: &'a Decl) {
        let name = &it.name.node;
        let (kind, scope) = match it.kind.node {
            DeclKind::Profile => (Kind::Profile, String::new()),
            DeclKind::Sandbox => (Kind::Sandbox, String::new()),
            DeclKind::Pod => (Kind::Pod, String::new()),
            DeclKind::Container => (Kind::Container, self.pod.map_or(String::new(), |it| it.name.node.clone())),
        };
        let symbol = self.symbol(kind, name, &scope);
        self.add(it.name.span, symbol, true);
        let values = self.values.len();
        for param in &it.params {
            self.param(param, name);
            let symbol = self.symbol(Kind::Param, &param.name.node, name);
            self.values.push((param.name.node.clone(), symbol));
        }
        it.with.iter().for_each(|instance| self.instance(instance));
        if it.kind.node == DeclKind::Pod {
            self.pod = Some(it);
        }
        self.block(&it.body);
        if it.kind.node == DeclKind::Pod {
            self.pod = None;
        }
        self.values.truncate(values);
    }

    fn instance(&mut self, it: &'a Instance) {
        let home = match it.path.as_slice() {
            [name] => Some((self.source.path.clone(), name)),
            [module, name] => {
                let symbol = self.symbol(Kind::Module, &module.node, "");
                let path = self.uses.iter().find(|(known, _)| *known == module.node).map(|(_, path)| path.clone());
                self.add(module.span, symbol, false);
                path.map(|path| (path, name))
            }
            _ => None,
        };
        if let Some((home, name)) = &home {
            let symbol =
                Symbol { home: home.clone(), kind: Kind::Profile, name: name.node.clone(), scope: String::new() };
            self.add(name.span, symbol, false);
        }
        for arg in &it.args {
            if let (Some(param), Some((home, profile))) = (&arg.name, &home) {
                let scope = profile.node.clone();
                let symbol = Symbol { home: home.clone(), kind: Kind::Param, name: param.node.clone(), scope };
                self.add(param.span, symbol, false);
            }
            self.expr(&arg.value);
        }
    }

    fn block(&mut self, block: &'a Block) {
        block.items.iter().for_each(|it| self.item(it));
    }

    fn item(&mut self, item: &'a Item) {
        match item {
            Item::Decl(it) => self.decl(it),
            Item::Statement(it) => self.statement(it),
            Item::If(it) => {
                self.expr(&it.cond);
                self.block(&it.then);
                it.otherwise.iter().for_each(|block| self.block(block));
            }
            Item::For(it) => {
                self.expr(&it.list);
                let symbol = self.symbol(Kind::Loop, &it.name.node, &format!("for@{}", it.span.start));
                self.add(it.name.span, symbol.clone(), true);
                self.values.push((it.name.node.clone(), symbol));
                self.block(&it.body);
                self.values.pop();
            }
            Item::Require(it) => {
                self.expr(&it.cond);
                self.expr(&it.message);
            }
            Item::Use(_) | Item::Param(_) | Item::Let(_) | Item::Group(_) | Item::Error(_) => {}
        }
    }

    fn statement(&mut self, it: &'a Statement) {
        it.labels.iter().for_each(|label| self.expr(label));
        if let Some(value) = &it.value {
            match (&value.kind, self.pod) {
                (ExprKind::List(items), Some(pod)) if it.head.node == "after" => self.containers(items, pod),
                _ => self.expr(value),
            }
        }
        it.block.iter().for_each(|block| self.block(block));
    }

    fn containers(&mut self, items: &'a [Expr], pod: &Decl) {
        for item in items {
            match &item.kind {
                ExprKind::Symbol(name) => {
                    let symbol = self.symbol(Kind::Container, name, &pod.name.node);
                    self.add(item.span, symbol, false);
                }
                _ => self.expr(item),
            }
        }
    }

    fn reference(&mut self, names: &[Name]) {
        let Some(first) = names.first() else { return };
        if let Some((_, symbol)) = self.values.iter().rev().find(|(name, _)| *name == first.node) {
            let symbol = symbol.clone();
            self.add(first.span, symbol, false);
        }
    }

    fn expr(&mut self, it: &'a Expr) {
        match &it.kind {
            ExprKind::Ref(names) => self.reference(names),
            ExprKind::Set(name) => self.group_name(name, it.span),
            ExprKind::Str(parts) => {
                for part in parts {
                    if let StrPart::Ref(names, _) = part {
                        self.reference(names);
                    }
                }
            }
            ExprKind::List(items) => items.iter().for_each(|it| self.expr(it)),
            ExprKind::Not(inner) => self.expr(inner),
            ExprKind::Binary { left, right, .. } => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::Variant { name, args } => {
                for arg in args {
                    self.joined(&name.node, arg);
                    self.expr(&arg.value);
                }
            }
            _ => {}
        }
    }

    /// `join(sandbox: web)` may mean a sandbox of this very file.
    fn joined(&mut self, variant: &str, arg: &'a Arg) {
        let (Some(name), ExprKind::Symbol(word)) = (&arg.name, &arg.value.kind) else { return };
        let kind = match name.node.as_str() {
            "sandbox" if variant == "join" => (Kind::Sandbox, DeclKind::Sandbox),
            "pod" if variant == "join" => (Kind::Pod, DeclKind::Pod),
            _ => return,
        };
        let declared = |it: &Item| matches!(it, Item::Decl(it) if it.kind.node == kind.1 && it.name.node == *word);
        if self.source.tree.items.iter().any(declared) {
            let symbol = self.symbol(kind.0, word, "");
            self.add(arg.value.span, symbol, false);
        }
    }
}
