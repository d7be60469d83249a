//! What can be written at the cursor.
//!
//! A word nobody uses is put at the cursor, and the text is parsed by the one parser there is; where that word turns up in
//! the tree says what is expected. Where the line is not whole yet (`sandbox web with `), it is tried with the likely ends.

use std::ops::Range;

use super::locate::{Leaf, Place};
use super::offer::Offer;
use super::values::Expect;
use super::{Project, Source};
use crate::source::Span;
use crate::syntax::ast::*;

/// What a proposal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompletionKind {
    /// A word of the grammar.
    Keyword,
    /// A block.
    Section,
    /// A field.
    Field,
    /// A variant or one of a few words.
    Value,
    /// A system call.
    Call,
    /// A group of system calls.
    Group,
    /// A constant of the kernel, an errno, a signal, a capability.
    Constant,
    /// A module.
    Module,
    /// A profile.
    Profile,
    /// The name of an argument.
    Argument,
    /// A parameter, a `let`, the element of a loop.
    Variable,
    /// A type.
    Type,
    /// A file.
    File,
    /// A directory.
    Folder,
    /// A unit of a number.
    Unit,
    /// A sandbox, a pod or a container.
    Sandbox,
}

/// A proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// What it is called in the list, and what is typed to find it.
    pub label: String,
    /// What it is.
    pub kind: CompletionKind,
    /// What is to be said of it in a line.
    pub detail: String,
    /// More, as Markdown.
    pub docs: Option<String>,
    /// What is put into the text, with `$1`, `${1:text}` and `$0` where the cursor goes.
    pub insert: String,
    /// What it takes the place of.
    pub replace: Range<usize>,
    /// What comes first in the list: 0 to 9.
    pub rank: u8,
}

/// A word that no policy has.
pub(super) const CURSOR: &str = "zzcursorzz";

/// What can be written at an offset of a file.
pub fn complete(project: &Project, path: &str, offset: usize) -> Vec<Completion> {
    let Some(text) = project.text(path) else { return Vec::new() };
    if !text.is_char_boundary(offset) {
        return Vec::new();
    }
    let (before, behind) = text.split_at(offset);
    let suffix =
        behind.find(|it: char| !(it.is_ascii_alphanumeric() || it == '_' || it == '-')).unwrap_or(behind.len());
    let behind = &behind[suffix..];
    let line_end = behind.find('\n').unwrap_or(behind.len());
    let (line, rest) = behind.split_at(line_end);
    // The end of the line as it stands, then the ends that it may lack.
    for end in [line, "", " {}", ", \"\"", "\" {}"] {
        let source = Source::new(path, format!("{before}{CURSOR}{end}{rest}"));
        let place = Place::of(&source.tree, offset + 1);
        let cursor = Cursor { project, source: &source, offset, suffix, line };
        if let Some(found) = cursor.at(&place) {
            return found;
        }
    }
    Vec::new()
}

/// The cursor in a text that holds the word for it.
pub(super) struct Cursor<'a> {
    pub project: &'a Project,
    /// The text with the word in it.
    pub source: &'a Source,
    /// Where the word begins, which is where the cursor stands in the text without it.
    pub offset: usize,
    /// How much of a word stands behind the cursor.
    pub suffix: usize,
    /// The rest of the line behind it.
    pub line: &'a str,
}

impl Cursor<'_> {
    /// The proposals for a place; `None` if the word for the cursor is not what stands there.
    fn at(&self, place: &Place) -> Option<Vec<Completion>> {
        let mut offer = Offer { cursor: self, place, found: Vec::new(), from: self.offset };
        match place.leaf {
            Leaf::None | Leaf::DeclKind(_) => return None,
            Leaf::Head(it) => {
                self.holds(it.head.span)?;
                offer.from = it.head.span.start as usize;
                offer.heads(it);
            }
            Leaf::Module(it) => {
                self.holds(it.module.span)?;
                offer.modules(it);
            }
            Leaf::Type(name) => {
                self.holds(name.span)?;
                offer.from = name.span.start as usize;
                offer.types();
            }
            Leaf::Instance(it, at) => {
                let part = it.path.get(at)?;
                self.holds(part.span)?;
                offer.from = part.span.start as usize;
                offer.profiles(it, at);
            }
            Leaf::InstanceArg(it, name) => {
                self.holds(name.span)?;
                offer.from = name.span.start as usize;
                offer.profile_arguments(it);
            }
            Leaf::Member(it) => {
                let span = super::locate::member_span(it);
                self.holds(span)?;
                offer.from = span.start as usize;
                offer.calls();
                offer.groups();
            }
            Leaf::ArgName(it, name, expect) => {
                self.holds(name.span)?;
                offer.from = name.span.start as usize;
                offer.argument_names(it, expect);
            }
            Leaf::StrRef(_, span) => {
                self.holds(span)?;
                offer.from = span.start as usize + 2;
                offer.variables("");
            }
            Leaf::Expr(it, expect) => {
                self.holds(it.span)?;
                offer.from = it.span.start as usize;
                self.expr(&mut offer, it, expect);
            }
            // Names are for the author to find.
            Leaf::Alias(_) | Leaf::Name | Leaf::Modifier(..) | Leaf::Strength(..) => {}
        }
        Some(offer.found)
    }

    fn holds(&self, span: Span) -> Option<()> {
        self.source.slice(span).contains(CURSOR).then_some(())
    }

    fn expr(&self, offer: &mut Offer, it: &Expr, expect: Expect) {
        match &it.kind {
            ExprKind::Ref(_) => offer.variables("$"),
            ExprKind::Set(_) => offer.groups(),
            ExprKind::Path(_) => offer.paths(offer.from),
            ExprKind::Str(_) => {
                let typed = self.typed(offer.from + 1);
                if typed.starts_with(['/', '.']) {
                    offer.paths(offer.from + 1);
                }
            }
            ExprKind::Quantity { number, .. } => {
                offer.from += number.len();
                offer.units(expect);
            }
            ExprKind::Port { number, .. } => offer.protocols(*number),
            ExprKind::Symbol(_) | ExprKind::Variant { .. } => offer.values(expect),
            ExprKind::List(_) | ExprKind::Error => offer.values(expect.element()),
            _ => {}
        }
    }

    /// What was typed from an offset up to the cursor.
    pub(super) fn typed(&self, from: usize) -> &str {
        self.source.text.get(from..self.offset).unwrap_or("")
    }
}
