//! The types of what can be written.

/// The type of a value, of a label or of an argument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ty {
    /// `true`, `false`
    Bool,
    /// A whole number between these two, both included.
    Int(i128, i128),
    /// Permission bits, in octal: `0o755`.
    Permissions,
    /// `64MiB`
    Size,
    /// `30s`; never negative.
    Duration,
    /// `-2d`; may be negative.
    Offset,
    /// `50%`
    Percent,
    /// `443/tcp`
    Port,
    /// `10.0.0.2`, `10.0.0.0/8`
    Address,
    /// `10.0.0.2`, one address alone.
    Host,
    /// `10.0.0.2/24`, with the length of its prefix.
    Network,
    /// `*`
    Everything,
    /// A path of the host, or inside; absolute once it is evaluated.
    Path,
    /// `"text"`
    Str,
    /// One of these words.
    Symbol(&'static [&'static str]),
    /// Any bare word: the name of a variable, a container, a capability.
    Word,
    /// A user or group: a number, or a name of the user database.
    Id,
    /// A signal: `TERM`.
    Signal,
    /// A list of these.
    List(&'static Ty),
    /// One of these variants.
    Variant(&'static [Variant]),
    /// Any of these types.
    Any(&'static [Ty]),
}

/// A value with a name and arguments: `tmpfs(size: 64MiB, noexec)`.
#[derive(Debug, PartialEq)]
pub struct Variant {
    /// Its name.
    pub name: &'static str,
    /// What it means, in one line.
    pub doc: &'static str,
    /// What stands in the parentheses; without required ones the name may stand alone.
    pub args: &'static [ArgSpec],
}

/// An argument of a variant.
#[derive(Debug, PartialEq)]
pub struct ArgSpec {
    /// Its name: written before a `:`, or, for a flag, alone.
    pub name: &'static str,
    /// Its type; a flag is a bare word.
    pub kind: ArgKind,
    /// Whether it must be there.
    pub required: bool,
}

/// How an argument is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ArgKind {
    /// A value without a name, in this order.
    Positional(Ty),
    /// `name: value`
    Named(Ty),
    /// The bare word alone.
    Flag,
}

/// How often a head may stand in its section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `head = value`, once.
    Setting,
    /// `head label… [= value]`, once for each set of labels.
    Entry,
    /// `head [mode] { … }`
    Section,
}

/// One row of the table.
#[derive(Debug)]
pub struct Field {
    /// The section that it stands in; empty for the body of a sandbox.
    pub section: &'static str,
    /// How it begins.
    pub head: &'static str,
    /// Whether it is a setting, an entry or a section.
    pub shape: Shape,
    /// The type of a label that may stand before the others.
    pub lead: Option<Ty>,
    /// The type of a label that may stand behind the others.
    pub trail: Option<Ty>,
    /// The types of its labels.
    pub labels: &'static [Ty],
    /// The type of its value; `None` where it has none.
    pub value: Option<Ty>,
    /// Whether the value may be left out.
    pub value_optional: bool,
    /// What it means, in one line.
    pub doc: &'static str,
    /// What holds where it is not stated.
    pub default: &'static str,
    /// The first Linux version that has it; empty: any that nsl runs on.
    pub since: &'static str,
    /// What it needs on the host; empty: nothing.
    pub privilege: &'static str,
    /// What makes it weaker, for reviews.
    pub weaker: &'static str,
    /// Where alone it may stand: `pods`, `containers of pods`; empty: anywhere.
    pub only_in: &'static str,
}

impl Field {
    /// Its section and head: `mnt.mount`.
    pub fn path(&self) -> String {
        if self.section.is_empty() { self.head.to_string() } else { [self.section, ".", self.head].concat() }
    }

    /// Under what a key of it is compared with others: a path is one thing, whatever that is, and a system call is either
    /// allowed or denied, so that a second statement for it is a second value and not another entry.
    /// `None`: under the key itself.
    pub fn slot(&self, key: &str) -> Option<String> {
        let family = match (self.section, self.head) {
            ("mnt", "mount" | "hide" | "protect" | "link" | "mkdir") => "mnt.path",
            ("seccomp", "allow" | "deny") => "seccomp.rule",
            ("net", "allow" | "deny") => "net.rule",
            _ => return None,
        };
        let path = self.section.len() + 1 + self.head.len();
        Some([family, &key[path.min(key.len())..]].concat())
    }
}

impl Ty {
    /// What it is called in messages, with an article.
    pub fn describe(&self) -> String {
        match self {
            Ty::Bool => "`true` or `false`".into(),
            Ty::Int(..) => "a whole number".into(),
            Ty::Permissions => "permission bits such as `0o755`".into(),
            Ty::Size => "a size such as `64MiB`".into(),
            Ty::Duration => "a duration such as `30s`".into(),
            Ty::Offset => "a duration such as `1d` or `-2h`".into(),
            Ty::Percent => "a percentage such as `50%`".into(),
            Ty::Port => "a port such as `443/tcp`".into(),
            Ty::Address => "an address such as `127.0.0.1` or `10.0.0.0/8`".into(),
            Ty::Host => "an address such as `127.0.0.1`".into(),
            Ty::Network => "an address with its prefix such as `10.0.0.2/24`".into(),
            Ty::Everything => "`*`".into(),
            Ty::Path => "a path".into(),
            Ty::Str => "a string".into(),
            Ty::Symbol(words) => one_of(&words.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>()),
            Ty::Word => "a name".into(),
            Ty::Id => "an id or a name of the user database".into(),
            Ty::Signal => "a signal such as `TERM`".into(),
            Ty::List(inner) => {
                format!("a list of {}", inner.describe().trim_start_matches("a ").trim_start_matches("an "))
            }
            Ty::Variant(variants) => one_of(&variants.iter().map(|it| format!("`{}`", it.usage())).collect::<Vec<_>>()),
            Ty::Any(types) => one_of(&types.iter().map(Ty::describe).collect::<Vec<_>>()),
        }
    }
}

impl Variant {
    /// How it is written: `tmpfs(size: …, noexec)`.
    pub fn usage(&self) -> String {
        let args: Vec<String> = self
            .args
            .iter()
            .map(|arg| match arg.kind {
                ArgKind::Positional(_) => arg.name.to_uppercase(),
                ArgKind::Named(_) => format!("{}: …", arg.name),
                ArgKind::Flag => arg.name.to_string(),
            })
            .collect();
        if args.is_empty() { self.name.to_string() } else { format!("{}({})", self.name, args.join(", ")) }
    }
}

/// `a`, `a or b`, `a, b or c`
fn one_of(words: &[String]) -> String {
    match words {
        [] => "nothing".into(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
