//! What the words of a file mean, for colours: only what a grammar of shapes cannot know.

use std::ops::Range;

use super::names::Kind;
use super::values::{Expect, Role, argument_expect, label_expect, variant};
use super::{Project, Source, range};
use crate::schema::{self, Section, Ty, syscalls};
use crate::source::Span;
use crate::syntax::ast::*;

/// The names of the types of tokens, by their numbers; those of the protocol.
pub const TOKEN_TYPES: &[&str] = &[
    "namespace",
    "class",
    "parameter",
    "variable",
    "function",
    "macro",
    "enumMember",
    "property",
    "keyword",
    "struct",
    "modifier",
];

const MODULE: u32 = 0;
const PROFILE: u32 = 1;
const PARAMETER: u32 = 2;
const VARIABLE: u32 = 3;
const CALL: u32 = 4;
const GROUP: u32 = 5;
const MEMBER: u32 = 6;
const PROPERTY: u32 = 7;
const SECTION: u32 = 8;
const SANDBOX: u32 = 9;

/// A word with a colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Where it is; never over the end of a line.
    pub range: Range<usize>,
    /// Its type, an index of [`TOKEN_TYPES`].
    pub kind: u32,
    /// Whether it is declared here.
    pub is_declaration: bool,
}

/// The words of a file that have a meaning, in order, none over another.
pub fn tokens(project: &Project, source: &Source) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    for it in project.occurrences(source).iter() {
        let kind = match it.symbol.kind {
            Kind::Module => MODULE,
            Kind::Profile => PROFILE,
            Kind::Sandbox | Kind::Pod | Kind::Container => SANDBOX,
            Kind::Param => PARAMETER,
            Kind::Let | Kind::Loop => VARIABLE,
            Kind::Group => GROUP,
        };
        found.push(Token { range: it.range.clone(), kind, is_declaration: it.is_definition });
    }
    let mut walk = Walk { found };
    walk.items(&source.tree.items, None);
    let mut found = walk.found;
    found.retain(|it| source.text.get(it.range.clone()).is_some_and(|text| !text.is_empty() && !text.contains('\n')));
    found.sort_by_key(|it| (it.range.start, it.range.end));
    let mut end = 0;
    found.retain(|it| {
        let free = it.range.start >= end;
        if free {
            end = it.range.end;
        }
        free
    });
    found
}

struct Walk {
    found: Vec<Token>,
}

impl Walk {
    fn add(&mut self, span: Span, kind: u32) {
        self.found.push(Token { range: range(span), kind, is_declaration: false });
    }

    fn items(&mut self, items: &[Item], section: Option<&'static Section>) {
        for item in items {
            match item {
                Item::Decl(it) => self.items(&it.body.items, None),
                Item::If(it) => {
                    self.items(&it.then.items, section);
                    it.otherwise.iter().for_each(|block| self.items(&block.items, section));
                }
                Item::For(it) => self.items(&it.body.items, section),
                Item::Group(it) => {
                    for member in &it.members {
                        if let GroupMember::Call(name) = member
                            && syscalls::is_known(&name.node)
                        {
                            self.add(name.span, CALL);
                        }
                    }
                }
                Item::Statement(it) => self.statement(it, section),
                _ => {}
            }
        }
    }

    fn statement(&mut self, it: &Statement, section: Option<&'static Section>) {
        let heads = if section.is_none() { schema::section(&it.head.node) } else { None };
        let field = schema::find(section.map_or("", |it| it.name), &it.head.node);
        match (heads, field) {
            (Some(_), _) => self.add(it.head.span, SECTION),
            (None, Some(_)) => self.add(it.head.span, PROPERTY),
            (None, None) => {}
        }
        for (at, label) in it.labels.iter().enumerate() {
            self.expr(label, label_expect(heads, field, it.labels.len(), at));
        }
        if let Some(value) = &it.value {
            let expect =
                field.and_then(|it| it.value).map_or(Expect::Nothing, |ty| Expect::Ty(ty, Role::of_value(field)));
            self.expr(value, expect);
        }
        if let Some(block) = &it.block {
            self.items(&block.items, heads.or(section));
        }
    }

    fn expr(&mut self, it: &Expr, expect: Expect) {
        match &it.kind {
            ExprKind::Symbol(word) => self.word(word, it.span, expect),
            ExprKind::List(items) => items.iter().for_each(|it| self.expr(it, expect.element())),
            ExprKind::Variant { name, args } => {
                self.word(&name.node, name.span, expect);
                for arg in args {
                    self.expr(&arg.value, argument_expect(expect, it, arg));
                }
            }
            ExprKind::Binary { left, right, .. } => {
                self.expr(left, expect.left());
                self.expr(right, expect.right(left));
            }
            _ => {}
        }
    }

    fn word(&mut self, word: &str, span: Span, expect: Expect) {
        let kind = match expect {
            Expect::Ty(_, Role::Call) => syscalls::is_known(word).then_some(CALL),
            Expect::Ty(_, Role::Capability) => schema::names::CAPABILITIES.contains(&word).then_some(MEMBER),
            Expect::Ty(_, Role::Errno) => schema::constants::errno(word).map(|_| MEMBER),
            Expect::Ty(ty, _) => is_word_of(&ty, word).then_some(MEMBER),
            Expect::VariantArg(variant, _) => variant.args.iter().any(|it| it.name == word).then_some(MEMBER),
            Expect::CallArgument(call) => {
                syscalls::arguments(call).iter().any(|it| it.name == word).then_some(PARAMETER)
            }
            Expect::Constant => schema::constants::constant(word).map(|_| MEMBER),
            _ => None,
        };
        if let Some(kind) = kind {
            self.add(span, kind);
        }
    }
}

fn is_word_of(ty: &Ty, word: &str) -> bool {
    match ty {
        Ty::Symbol(words) => words.contains(&word),
        Ty::Signal => schema::constants::signal(word).is_some(),
        Ty::Any(types) => types.iter().any(|it| is_word_of(it, word)),
        Ty::List(inner) => is_word_of(inner, word),
        other => variant(other, word).is_some(),
    }
}
