//! Values after evaluation: no names are left in them, and every path is absolute.

use std::fmt::{self, Display};
use std::net::IpAddr;

use crate::policy::Port;
use crate::source::Span;
use crate::syntax::ast::BinaryOp;

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Val {
    /// What it is.
    pub value: Value,
    /// Where it was written; for a parameter, where the parameter was used.
    pub span: Span,
}

/// The values of the language.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Value {
    Bool(bool),
    Int(i128),
    /// Permission bits.
    Permissions(u32),
    /// Bytes.
    Size(u64),
    /// Nanoseconds.
    Duration(i64),
    /// Thousandths of the whole: `100%` is 1000.
    Percent(u64),
    Port(Port),
    Address(IpAddr, Option<u8>),
    Path(String),
    Str(String),
    Symbol(String),
    Set(String),
    /// `*`
    Everything,
    List(Vec<Val>),
    Variant(String, Vec<ArgVal>),
    /// A comparison as an argument of a system call.
    Compare(Box<Comparison>),
}

/// `family != AF_UNIX`, `flags & MASK == VALUE`
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The argument's name.
    pub name: (String, Span),
    /// The mask.
    pub mask: Option<Val>,
    /// The operator.
    pub op: BinaryOp,
    /// What is compared with.
    pub right: Val,
}

/// An argument of a variant.
#[derive(Clone, Debug, PartialEq)]
pub struct ArgVal {
    /// Its name, where it was written with one.
    pub name: Option<(String, Span)>,
    /// Its value.
    pub value: Val,
    /// Whether it is written without its name: by its place, or as a flag, whose value is `true`.
    pub bare: bool,
}

impl Value {
    /// What it is called in messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::Permissions(_) => "a number",
            Value::Size(_) => "a size",
            Value::Duration(_) => "a duration",
            Value::Percent(_) => "a percentage",
            Value::Port(_) => "a port",
            Value::Address(..) => "an address",
            Value::Path(_) => "a path",
            Value::Str(_) => "a string",
            Value::Symbol(_) => "a word",
            Value::Set(_) => "a group of system calls",
            Value::Everything => "`*`",
            Value::List(_) => "a list",
            Value::Variant(..) => "a variant",
            Value::Compare(_) => "a condition",
        }
    }
}

impl Display for Val {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Value::Bool(it) => write!(f, "{it}"),
            Value::Int(it) => write!(f, "{it}"),
            Value::Permissions(bits) => write!(f, "0o{bits:o}"),
            Value::Size(bytes) => f.write_str(&size_text(*bytes)),
            Value::Duration(nanoseconds) => f.write_str(&duration_text(*nanoseconds)),
            Value::Percent(it) if it % 10 == 0 => write!(f, "{}%", it / 10),
            Value::Percent(it) => write!(f, "{}%", *it as f64 / 10.0),
            Value::Port(port) => write!(f, "{port}"),
            Value::Address(ip, None) => write!(f, "{ip}"),
            Value::Address(ip, Some(prefix)) => write!(f, "{ip}/{prefix}"),
            Value::Path(path) if path.bytes().all(|it| it.is_ascii_alphanumeric() || b"/._-+@%~:".contains(&it)) => {
                f.write_str(path)
            }
            Value::Path(text) | Value::Str(text) => f.write_str(&quoted(text)),
            Value::Symbol(it) => f.write_str(it),
            Value::Set(it) => write!(f, "@{it}"),
            Value::Everything => f.write_str("*"),
            Value::List(items) => {
                f.write_str("[")?;
                separated(f, items)?;
                f.write_str("]")
            }
            Value::Variant(name, args) if args.is_empty() => f.write_str(name),
            Value::Variant(name, args) => {
                write!(f, "{name}(")?;
                separated(f, args)?;
                f.write_str(")")
            }
            Value::Compare(it) => {
                f.write_str(&it.name.0)?;
                if let Some(mask) = &it.mask {
                    write!(f, " & {mask}")?;
                }
                write!(f, " {} {}", operator(it.op), it.right)
            }
        }
    }
}

impl Display for ArgVal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match (&self.name, &self.value.value) {
            (Some((name, _)), Value::Bool(true)) if self.bare => f.write_str(name),
            (Some((name, _)), value) if !self.bare => write!(f, "{name}: {value}"),
            (_, value) => value.fmt(f),
        }
    }
}

fn separated<T: Display>(f: &mut fmt::Formatter, items: &[T]) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        write!(f, "{}{item}", if index > 0 { ", " } else { "" })?;
    }
    Ok(())
}

/// An operator as it is written.
pub fn operator(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Eq => "==",
        BinaryOp::Ne => "!=",
        BinaryOp::Lt => "<",
        BinaryOp::Le => "<=",
        BinaryOp::Gt => ">",
        BinaryOp::Ge => ">=",
        BinaryOp::In => "in",
        BinaryOp::And => "and",
        BinaryOp::Or => "or",
        BinaryOp::Mask => "&",
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '$' => out.push_str("\\$"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Units of sizes, largest first; the decimal ones are read and never written.
pub const SIZE_UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// Units of durations, largest first, in nanoseconds.
pub const DURATION_UNITS: [(&str, i64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("min", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

fn size_text(bytes: u64) -> String {
    let (unit, factor) = SIZE_UNITS[..4]
        .iter()
        .copied()
        .find(|(_, factor)| bytes >= *factor && bytes.is_multiple_of(*factor))
        .unwrap_or(("B", 1));
    format!("{}{unit}", bytes / factor)
}

fn duration_text(nanoseconds: i64) -> String {
    let (unit, factor) = DURATION_UNITS
        .iter()
        .copied()
        .find(|(_, factor)| nanoseconds != 0 && nanoseconds % factor == 0)
        .unwrap_or(("s", 1_000_000_000));
    format!("{}{unit}", nanoseconds / factor)
}
