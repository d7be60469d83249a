//! Groups of system calls: their own, and those of the prelude, which everybody knows.

use std::rc::Rc;

use super::Cx;
use super::module::{self, Module, PRELUDE};
use crate::report::Diagnostic;
use crate::schema::{suggest, syscalls};
use crate::source::Span;
use crate::syntax::ast::{Group, GroupMember};

/// The calls of a group, sorted, without doubles; `None` when a finding was made of its name.
pub fn calls(cx: &mut Cx, from: &Rc<Module>, name: &str, span: Span) -> Option<Vec<&'static str>> {
    let mut found = Vec::new();
    let mut open = Vec::new();
    collect(cx, from, name, span, &mut found, &mut open)?;
    found.sort_unstable();
    found.dedup();
    Some(found)
}

/// Looks at a group that nobody may use.
pub fn check(cx: &mut Cx, module: &Rc<Module>, group: &Group) {
    let _ = calls(cx, module, &group.name.node, group.name.span);
}

/// The declaration that a name means in a module, with the module that it stands in.
pub fn find(cx: &mut Cx, from: &Rc<Module>, name: &str) -> Option<(Rc<Module>, Rc<Group>)> {
    if let Some(group) = from.group(cx, name) {
        return Some((from.clone(), group));
    }
    let used: Vec<(Rc<Module>, Span)> = from.uses.borrow().values().cloned().collect();
    for (module, span) in used {
        if let Some(group) = module.group(cx, name) {
            cx.used.push(span);
            return Some((module, group));
        }
    }
    let prelude = module::standard(cx, PRELUDE)?;
    let group = prelude.group(cx, name)?;
    Some((prelude, group))
}

fn collect(
    cx: &mut Cx,
    from: &Rc<Module>,
    name: &str,
    span: Span,
    found: &mut Vec<&'static str>,
    open: &mut Vec<(String, Span)>,
) -> Option<()> {
    let Some((module, group)) = find(cx, from, name) else {
        let mut known = from.group_names();
        if let Some(prelude) = module::standard(cx, PRELUDE) {
            known.extend(prelude.group_names());
        }
        unknown(
            cx,
            &format!("@{name}"),
            "group of system calls",
            span,
            known.iter().map(|it| format!("@{it}")).collect(),
        );
        return None;
    };
    if let Some((_, first)) = open.iter().find(|(_, place)| *place == group.name.span) {
        let first = *first;
        cx.report(
            Diagnostic::error("group-cycle", format!("the group `@{name}` holds itself in the end"))
                .label(span, "this closes the circle")
                .label(first, "the group")
                .help("take it out of one of the groups"),
        );
        return None;
    }
    open.push((name.to_string(), group.name.span));
    for member in &group.members {
        match member {
            GroupMember::Group(inner) => {
                let _ = collect(cx, &module, &inner.node, inner.span, found, open);
            }
            GroupMember::Call(call) => match syscalls::known(&call.node) {
                Some(name) => found.push(name),
                None => unknown_call(cx, &call.node, call.span),
            },
        }
    }
    open.pop();
    Some(())
}

/// Reports a call that no architecture has.
pub fn unknown_call(cx: &mut Cx, name: &str, span: Span) {
    let known = syscalls::names().iter().map(|it| it.to_string()).collect();
    unknown(cx, name, "system call", span, known);
}

fn unknown(cx: &mut Cx, name: &str, what: &str, span: Span, known: Vec<String>) {
    let mut finding =
        Diagnostic::error("seccomp-unknown", format!("there is no {what} `{name}`")).label(span, "unknown");
    finding = match suggest::nearest(name, known.iter().map(String::as_str)) {
        Some(found) => finding.help(format!("did you mean `{found}`?")).fix(format!("write `{found}`"), span, found),
        None => finding.help("syscalls(2) lists the calls, and `std/syscalls` the groups"),
    };
    cx.report(finding);
}
