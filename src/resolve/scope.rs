//! Names: parameters, lets, loop variables, the caller's facts; and where relative paths begin.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::CallerNames;
use super::value::{Val, Value};
use crate::report::Diagnostic;
use crate::schema::suggest;
use crate::source::{Files, Span};
use crate::syntax::ast::Name;

/// One name and its value; `None` is a value that could not be made, about which a finding exists already.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The value.
    pub value: Option<Val>,
    /// Where it was declared.
    pub declared: Span,
}

/// What an expression can see.
pub struct Scope<'a> {
    /// Names by `$name`.
    pub names: Rc<BTreeMap<String, Binding>>,
    /// The caller's facts.
    pub caller: &'a CallerNames,
    /// The directory that relative paths begin at; `None` in the standard library, which has none.
    pub dir: Option<&'a str>,
    /// Findings.
    pub findings: &'a mut Vec<Diagnostic>,
    /// The texts, for what a value does not remember of how it was written.
    pub texts: &'a Files,
    /// Names that are declared further down in the file.
    pub below: &'a [(String, Span)],
}

impl Scope<'_> {
    /// Notes a finding.
    pub fn report(&mut self, finding: Diagnostic) {
        // The same place is evaluated more than once when its profile is used more than once.
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// The value of a result, its error noted.
    pub fn take<T>(&mut self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|finding| self.report(finding)).ok()
    }

    /// The value of `$a.b`.
    pub fn lookup(&mut self, names: &[Name], span: Span) -> Option<Val> {
        let first = names.first()?;
        if first.node == "caller" {
            return self.caller_fact(names, span);
        }
        if let Some(extra) = names.get(1) {
            self.report(
                Diagnostic::error("unknown-reference", format!("`${}` has no parts", first.node))
                    .label(extra.span, "only `$caller` has parts")
                    .help(format!("write `${}`", first.node)),
            );
            return None;
        }
        let Some(binding) = self.names.get(&first.node).cloned() else {
            let known: Vec<&str> = self.names.keys().map(String::as_str).collect();
            let mut finding =
                Diagnostic::error("unknown-reference", format!("nothing is called `${}` here", first.node))
                    .label(span, "unknown name");
            if let Some((_, declared)) = self.below.iter().find(|(name, _)| *name == first.node) {
                self.report(finding.label(*declared, "declared only here").help("move the declaration up"));
                return None;
            }
            match suggest::nearest(&first.node, known.iter().copied()) {
                Some(found) => {
                    finding = finding.help(format!("did you mean `${found}`?"));
                    if self.is_plain(span, &first.node) {
                        finding = finding.fix(format!("write `${found}`"), span, format!("${found}"));
                    }
                }
                None => {
                    finding = finding
                        .help(format!("declare it: `param {}: TYPE` or `let {} = VALUE`", first.node, first.node))
                }
            }
            self.report(finding);
            return None;
        };
        binding.value.map(|it| Val { value: it.value, span })
    }

    /// Whether a reference is written `$name` and not `${name}`, so that the one can be put in the place of the other.
    fn is_plain(&self, span: Span, name: &str) -> bool {
        span.len() == name.len() + 1
    }

    fn caller_fact(&mut self, names: &[Name], span: Span) -> Option<Val> {
        let caller = self.caller;
        let fact = names.get(1).map(|it| it.node.as_str());
        let value =
            match fact {
                Some("uid") => Value::Int(caller.uid.into()),
                Some("gid") => Value::Int(caller.gid.into()),
                Some("user") => Value::Str(caller.user.clone()),
                Some("home") => Value::Path(caller.home.clone()),
                _ => {
                    let facts = ["uid", "gid", "user", "home"];
                    let hint = fact.and_then(|it| suggest::hint(it, facts));
                    self.report(
                        Diagnostic::error("unknown-reference", "the caller has no such fact")
                            .label(span, "unknown fact")
                            .help(hint.unwrap_or(
                                "write `$caller.uid`, `$caller.gid`, `$caller.user` or `$caller.home`".into(),
                            )),
                    );
                    return None;
                }
            };
        Some(Val { value, span })
    }

    /// A path made absolute and normal: no `.`, no `..`, no double or final slash.
    pub fn absolute(&self, text: &str, span: Span) -> Result<String, Diagnostic> {
        // What `..` behind a name means depends on symbolic links that nobody sees here.
        let mut parts = text.split('/').skip_while(|part| matches!(*part, "." | ".."));
        if parts.any(|part| part == "..") {
            return Err(Diagnostic::error("bad-path", format!("`{text}` goes up again with `..`"))
                .label(span, "where this leads depends on symbolic links")
                .help("write the path that is meant without `..`; a path may only begin with `../`"));
        }
        let whole = match (text.starts_with('/'), self.dir) {
            (true, _) => Cow::Borrowed(text),
            (false, Some(dir)) => Cow::Owned(format!("{dir}/{text}")),
            (false, None) => {
                return Err(Diagnostic::error(
                    "bad-path",
                    "the standard library has no directory that a path could be relative to",
                )
                .label(span, "a relative path")
                .help("pass the path as an argument"));
            }
        };
        normalise(&whole).map_err(|reason| {
            Diagnostic::error("bad-path", format!("`{text}` is no usable path: {reason}"))
                .label(span, "this path")
                .help("write an absolute path, or one relative to this file that begins with `./` or `../`")
        })
    }
}

/// Whether nothing is to be done about an absolute path.
fn is_normal(path: &str) -> bool {
    path == "/" || path.as_bytes()[1..].split(|it| *it == b'/').all(|part| !matches!(part, b"" | b"." | b".."))
}

/// An absolute path without `.`, `..`, double and final slashes. `..` goes up by text; above `/` there is nothing.
pub fn normalise(path: &str) -> Result<String, &'static str> {
    if path.as_bytes().contains(&0) {
        return Err("it holds a NUL byte");
    }
    if !path.starts_with('/') {
        return Err("it is not absolute");
    }
    if path.len() >= 4096 {
        return Err("it is longer than the kernel takes (4095 bytes)");
    }
    if is_normal(path) {
        return Ok(path.to_string());
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or("it leads above `/`")?;
            }
            part => parts.push(part),
        }
    }
    Ok(format!("/{}", parts.join("/")))
}
