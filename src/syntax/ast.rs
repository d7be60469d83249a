//! What a policy text says, before anybody asks what it means.
//!
//! The tree knows shapes only: statements, blocks, values. It does not promise that a head exists, that a
//! label has the right type or that a name is known; `resolve` and the schema decide that. Parsing never
//! fails: what could not be read is an [`Item::Error`], and the findings stand in [`File::errors`].

use crate::report::Diagnostic;
use crate::source::{Span, Spanned};

/// A name with its place.
pub type Name = Spanned<String>;

/// One file.
#[derive(Clone, Debug)]
pub struct File {
    /// The edition of `nsl N`, if the file begins with it.
    pub edition: Option<Spanned<u32>>,
    /// Everything in the file, in order.
    pub items: Vec<Item>,
    /// Comments that are not doc comments, in order (`#` included in the span).
    pub comments: Vec<Span>,
    /// Syntax errors, in order.
    pub errors: Vec<Diagnostic>,
    /// The whole text.
    pub span: Span,
}

impl File {
    /// Puts findings and comments in the order in which they stand.
    pub(super) fn sort(&mut self) {
        self.comments.sort_by_key(|it| it.start);
        self.errors.sort_by_key(|error| error.labels.first().map(|label| label.span.start));
    }
}

/// One item of a file or of a block.
#[derive(Clone, Debug)]
pub enum Item {
    /// `use std/service`, `use ./common.nsl as common`
    Use(Use),
    /// `param NAME: type [= default]`
    Param(Param),
    /// `let NAME = value`
    Let(Let),
    /// `profile`, `sandbox`, `pod`, `container`
    Decl(Decl),
    /// `syscalls group NAME { … }`
    Group(Group),
    /// `if cond { … } else { … }`
    If(If),
    /// `for x in list { … }`
    For(For),
    /// `require cond, "message"`
    Require(Require),
    /// Anything else.
    Statement(Statement),
    /// A line that could not be read; its diagnostic stands in [`File::errors`].
    Error(Span),
}

impl Item {
    /// The place of the whole item.
    pub fn span(&self) -> Span {
        match self {
            Item::Use(it) => it.span,
            Item::Param(it) => it.span,
            Item::Let(it) => it.span,
            Item::Decl(it) => it.span,
            Item::Group(it) => it.span,
            Item::If(it) => it.span,
            Item::For(it) => it.span,
            Item::Require(it) => it.span,
            Item::Statement(it) => it.span,
            Item::Error(span) => *span,
        }
    }
}

/// `use MODULE [as NAME]`
#[derive(Clone, Debug)]
pub struct Use {
    /// The module as written: `std/service` or `./common.nsl`.
    pub module: Name,
    /// The name after `as`.
    pub alias: Option<Name>,
    /// The whole statement.
    pub span: Span,
}

/// `param NAME: type [= default]`, in a file or in the parentheses of a profile.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name, without `$`.
    pub name: Name,
    /// Its type.
    pub ty: TypeExpr,
    /// The default.
    pub default: Option<Expr>,
    /// The text of `##` comments before it.
    pub docs: Option<String>,
    /// The whole statement.
    pub span: Span,
}

/// A type: `size`, `[path]`.
#[derive(Clone, Debug)]
pub enum TypeExpr {
    /// A named type.
    Named(Name),
    /// A list of a type.
    List(Box<TypeExpr>, Span),
}

/// `let NAME = value`
#[derive(Clone, Debug)]
pub struct Let {
    /// Its name, without `$`.
    pub name: Name,
    /// Its value.
    pub value: Expr,
    /// The text of `##` comments before it.
    pub docs: Option<String>,
    /// The whole statement.
    pub span: Span,
}

/// Which declaration a [`Decl`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeclKind {
    /// `profile`
    Profile,
    /// `sandbox`
    Sandbox,
    /// `pod`
    Pod,
    /// `container`
    Container,
}

/// `KIND NAME [(params)] [with A(…), B] { … }`
#[derive(Clone, Debug)]
pub struct Decl {
    /// Which declaration it is.
    pub kind: Spanned<DeclKind>,
    /// Its name.
    pub name: Name,
    /// Parameters, in order.
    pub params: Vec<Param>,
    /// The profiles of `with`, in order.
    pub with: Vec<Instance>,
    /// Its body.
    pub body: Block,
    /// The text of `##` comments before it.
    pub docs: Option<String>,
    /// From the keyword to the `}`.
    pub span: Span,
}

/// A profile that is applied: `service.hardened(memory: 256MiB)`.
#[derive(Clone, Debug)]
pub struct Instance {
    /// The dotted name, part by part.
    pub path: Vec<Name>,
    /// Arguments, in order.
    pub args: Vec<Arg>,
    /// The whole instance.
    pub span: Span,
}

/// `syscalls group NAME { names and @groups }`
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name, without `@`.
    pub name: Name,
    /// Names of calls, and of other groups.
    pub members: Vec<GroupMember>,
    /// The text of `##` comments before it.
    pub docs: Option<String>,
    /// From `syscalls` to the `}`.
    pub span: Span,
}

/// One member of a group of system calls.
#[derive(Clone, Debug)]
pub enum GroupMember {
    /// A call.
    Call(Name),
    /// Another group (name without `@`, span with it).
    Group(Name),
}

/// `if cond { … } [else { … } | else if …]`
#[derive(Clone, Debug)]
pub struct If {
    /// The condition.
    pub cond: Expr,
    /// What holds if it is true.
    pub then: Block,
    /// What holds if it is not; an `else if` is a block of one [`Item::If`].
    pub otherwise: Option<Block>,
    /// The whole item.
    pub span: Span,
}

/// `for NAME in list { … }`
#[derive(Clone, Debug)]
pub struct For {
    /// The name of the element, without `$`.
    pub name: Name,
    /// The list.
    pub list: Expr,
    /// What is said of each element.
    pub body: Block,
    /// The whole item.
    pub span: Span,
}

/// `require cond, "message"`
#[derive(Clone, Debug)]
pub struct Require {
    /// What must hold.
    pub cond: Expr,
    /// What to say if it does not.
    pub message: Expr,
    /// The whole item.
    pub span: Span,
}

/// `{ … }`
#[derive(Clone, Debug)]
pub struct Block {
    /// The items in order.
    pub items: Vec<Item>,
    /// From `{` to `}`.
    pub span: Span,
}

/// One of the four words of the merge rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modifier {
    /// `default`
    Default,
    /// `override`
    Override,
    /// `final`
    Final,
    /// `remove`
    Remove,
}

/// How much a statement insists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// `prefer`: go on without it where the host cannot, and say so.
    Prefer,
    /// `optional`: skip it when its path is missing.
    Optional,
}

/// `[modifier] [strength] head label* [= value] [block]`
#[derive(Clone, Debug)]
pub struct Statement {
    /// `default`, `override`, `final`, `remove`.
    pub modifier: Option<Spanned<Modifier>>,
    /// `prefer`, `optional`.
    pub strength: Option<Spanned<Strength>>,
    /// The dotted head as one name: `memory.max`.
    pub head: Name,
    /// Labels, in order: `new`, `/tmp`, `uid` `0`, `join(pid: $t)`, `@basic`.
    pub labels: Vec<Expr>,
    /// The value behind `=`.
    pub value: Option<Expr>,
    /// The block.
    pub block: Option<Block>,
    /// The text of `##` comments before it.
    pub docs: Option<String>,
    /// The whole statement, block included.
    pub span: Span,
}

impl Statement {
    /// The statement without its block: what diagnostics underline.
    pub fn head_span(&self) -> Span {
        let start = self.modifier.map(|it| it.span).or(self.strength.map(|it| it.span)).unwrap_or(self.head.span);
        let end =
            self.value.as_ref().map(|it| it.span).or(self.labels.last().map(|it| it.span)).unwrap_or(self.head.span);
        start.to(end)
    }
}

/// A value as written.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// The shapes of values.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// `true`, `false`
    Bool(bool),
    /// `64`, `-2`, `0o755`, `0x10`
    Int(i128),
    /// A number with a unit, the unit as written: `64MiB`, `1.5s`, `50%`. `number` is the text of the number.
    Quantity {
        /// The digits as written (sign and fraction included).
        number: String,
        /// The letters behind them, or `%`.
        unit: String,
    },
    /// `443/tcp`: port and protocol as written.
    Port {
        /// The number before the slash (may be out of range).
        number: u64,
        /// What stands behind the slash.
        protocol: String,
    },
    /// `10.0.0.2`, `10.0.0.0/8`, `fd00::1/64`, as written.
    Address(String),
    /// A path as written: `/srv`, `./site`, `../x`.
    Path(String),
    /// `"text ${name}"`
    Str(Vec<StrPart>),
    /// A bare word: `host`, `none`, `AF_UNIX`, `on-failure`.
    Symbol(String),
    /// `$name`, `$caller.home`: the parts of the name.
    Ref(Vec<Name>),
    /// `@basic`, without `@`.
    Set(String),
    /// `*`
    Everything,
    /// `[a, b]`
    List(Vec<Expr>),
    /// `tmpfs(size: 64MiB, noexec)`
    Variant {
        /// The name before the parentheses.
        name: Name,
        /// What stands between them.
        args: Vec<Arg>,
    },
    /// A path with `${}` in it is written as a string; a condition is one of these.
    Not(Box<Expr>),
    /// `a == b`, `a and b`, `a in list`
    Binary {
        /// The operator.
        op: BinaryOp,
        /// Left of it.
        left: Box<Expr>,
        /// Right of it.
        right: Box<Expr>,
    },
    /// What could not be read; its diagnostic stands in [`File::errors`].
    Error,
}

/// Operators of conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum BinaryOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    And,
    Or,
    /// `flags & MASK`, only inside the condition of a system call.
    Mask,
}

/// A piece of a string.
#[derive(Clone, Debug)]
pub enum StrPart {
    /// Text, escapes resolved.
    Text(String),
    /// `${name}`: the parts of the name, and the place of `${…}`.
    Ref(Vec<Name>, Span),
}

/// An argument of a variant: `ro`, `size: 64MiB`, `family != AF_UNIX`.
#[derive(Clone, Debug)]
pub struct Arg {
    /// `size` of `size: 64MiB`.
    pub name: Option<Name>,
    /// The value, or a comparison (a [`ExprKind::Binary`]).
    pub value: Expr,
    /// The whole argument.
    pub span: Span,
}
