//! Parameters and lets: types, defaults, what `--set` says, and what nobody uses.

use std::collections::BTreeMap;
use std::fmt::Arguments;
use std::rc::Rc;

use super::eval::eval;
use super::module::Module;
use super::scope::{Binding, Scope};
use super::value::{Val, Value};
use super::{Cx, typed};
use crate::report::Diagnostic;
use crate::schema::{Ty, suggest};
use crate::source::Span;
use crate::syntax::ast::{Item, Param, TypeExpr};
use crate::syntax::parse_value;

/// The names of types of parameters, and what they are.
pub const TYPES: &[(&str, Ty)] = &[
    ("address", Ty::Address),
    ("bool", Ty::Bool),
    ("duration", Ty::Duration),
    ("int", Ty::Int(i64::MIN as i128, i64::MAX as i128)),
    ("path", Ty::Path),
    ("percent", Ty::Percent),
    ("pid", Ty::Int(1, 4_194_304)),
    ("port", Ty::Port),
    ("size", Ty::Size),
    ("string", Ty::Str),
    ("symbol", Ty::Word),
];

/// The names of the types of parameters, sorted; `[name]` is a list of one of them.
pub fn type_names() -> Vec<&'static str> {
    TYPES.iter().map(|(name, _)| *name).collect()
}

/// A value in the type of a parameter.
pub fn fit(val: Val, ty: &TypeExpr, what: Arguments, scope: &mut Scope) -> Option<Val> {
    match ty {
        TypeExpr::Named(name) => match TYPES.iter().find(|(known, _)| *known == name.node) {
            Some((_, ty)) => typed::fit(val, ty, what, scope),
            None => {
                let known: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
                let help = suggest::hint(&name.node, known.iter().copied()).unwrap_or_default();
                scope.report(
                    Diagnostic::error("unknown-type", format!("there is no type `{}`", name.node))
                        .label(name.span, "unknown type")
                        .help(help),
                );
                None
            }
        },
        TypeExpr::List(inner, _) => match val.value {
            Value::List(items) => {
                let items: Vec<Option<Val>> = items.into_iter().map(|it| fit(it, inner, what, scope)).collect();
                Some(Val { value: Value::List(items.into_iter().collect::<Option<_>>()?), span: val.span })
            }
            other => {
                scope.report(
                    Diagnostic::error("wrong-type", format!("{what} is a list, not {}", other.kind()))
                        .label(val.span, "no list")
                        .help("put it between brackets: `[…]`"),
                );
                None
            }
        },
    }
}

/// Gives the parameters and lets of the root file their values, and those of the modules it uses.
pub fn bind_root(cx: &mut Cx, module: &Rc<Module>) {
    let used: Vec<Rc<Module>> = cx.modules.values().cloned().collect();
    for module in used {
        bind(cx, &module, false);
    }
    bind(cx, module, true);
    let declared: Vec<&str> = module
        .items()
        .iter()
        .filter_map(|it| match it {
            Item::Param(param) => Some(param.name.node.as_str()),
            _ => None,
        })
        .collect();
    let given: Vec<String> = cx.inputs.params.keys().cloned().collect();
    for name in given.iter().filter(|it| !declared.contains(&it.as_str())) {
        let text = format!("{name}={}", cx.inputs.params[name]);
        let file = cx.files.add("--set", text);
        let hint = suggest::hint(name, declared.iter().copied());
        let finding = Diagnostic::error("unknown-param", format!("this policy has no parameter `{name}`"))
            .label(Span::new(file, 0, name.len()), "set on the command line");
        cx.report(finding.help(hint.unwrap_or_else(|| "it has no parameters at all: leave `--set` out".into())));
    }
}

fn bind(cx: &mut Cx, module: &Module, is_root: bool) {
    // Each name sees those before it; nobody holds them when the next one is added, so that nothing is copied.
    let mut names: Rc<BTreeMap<String, Binding>> = Rc::default();
    cx.below = module.items().iter().filter_map(declared_name).collect();
    for item in module.items() {
        let (name, declared, value) = match item {
            Item::Param(param) => (&param.name, param.span, param_value(cx, module, param, is_root, &names)),
            Item::Let(it) => {
                let value = eval(&it.value, &mut cx.scope(&names, module.dir.as_deref()));
                (&it.name, it.span, value)
            }
            _ => continue,
        };
        if name.node == "caller" {
            cx.report(
                Diagnostic::error("name-taken", "`caller` is the name of the caller's facts")
                    .label(name.span, "taken")
                    .help("use another name"),
            );
        }
        if let Some(before) = Rc::make_mut(&mut names).insert(name.node.clone(), Binding { value, declared }) {
            cx.report(
                Diagnostic::error("name-taken", format!("`${}` is declared twice", name.node))
                    .label(name.span, "the second")
                    .label(before.declared, "the first")
                    .help("give one of them another name"),
            );
        }
    }
    cx.below.clear();
    *module.names.borrow_mut() = names;
}

/// The name that an item gives to a value.
fn declared_name(item: &Item) -> Option<(String, Span)> {
    match item {
        Item::Param(it) => Some((it.name.node.clone(), it.name.span)),
        Item::Let(it) => Some((it.name.node.clone(), it.name.span)),
        _ => None,
    }
}

fn param_value(
    cx: &mut Cx,
    module: &Module,
    param: &Param,
    is_root: bool,
    names: &Rc<BTreeMap<String, Binding>>,
) -> Option<Val> {
    let name = &param.name.node;
    if let Some(text) = cx.inputs.params.get(name).filter(|_| is_root).cloned() {
        return given(cx, param, &text);
    }
    let Some(default) = &param.default else {
        if cx.inputs.open && is_root {
            return None;
        }
        let help = if is_root {
            format!("give it a value: `--set {name}=…`")
        } else {
            "only the parameters of the file that is run can be set; give it a default, or make it one of a profile"
                .into()
        };
        cx.report(
            Diagnostic::error("unset-param", format!("the parameter `{name}` has no value"))
                .label(param.span, "no default here")
                .help(help),
        );
        return None;
    };
    let mut scope = cx.scope(names, module.dir.as_deref());
    let value = eval(default, &mut scope)?;
    fit(value, &param.ty, format_args!("`{name}`"), &mut scope)
}

/// The value of `--set NAME=text`. Text for a string or a path need not be quoted: a shell has done that already.
fn given(cx: &mut Cx, param: &Param, text: &str) -> Option<Val> {
    let name = &param.name.node;
    let file = cx.files.add(format!("--set {name}"), text.to_string());
    let span = Span::new(file, 0, text.len());
    let names = Rc::default();
    let cwd = cx.inputs.cwd.clone();
    let ty = match &param.ty {
        TypeExpr::Named(it) => it.node.as_str(),
        TypeExpr::List(..) => "",
    };
    let plain = match ty {
        "string" if !text.starts_with('"') => Some(Value::Str(text.to_string())),
        "symbol" => Some(Value::Symbol(text.to_string())),
        "path" if !text.starts_with('"') => {
            let scope = cx.scope(&names, Some(&cwd));
            let path = scope.absolute(text, span);
            Some(Value::Path(cx.scope(&names, Some(&cwd)).take(path)?))
        }
        // Shells make brackets and quotes a burden: `a,b` is a list as well.
        "" if !text.trim_start().starts_with('[') => return given_list(cx, param, text),
        _ => None,
    };
    let value = match plain {
        Some(value) => Val { value, span },
        None => match parse_value(cx.files, file) {
            Ok(expr) => eval(&expr, &mut cx.scope(&names, Some(&cwd)))?,
            Err(finding) => {
                cx.report(finding);
                return None;
            }
        },
    };
    fit(value, &param.ty, format_args!("`{name}`"), &mut cx.scope(&names, Some(&cwd)))
}

/// `--set NAME=a,b` for a parameter that is a list.
fn given_list(cx: &mut Cx, param: &Param, text: &str) -> Option<Val> {
    let TypeExpr::List(inner, _) = &param.ty else { return None };
    let one = Param { ty: (**inner).clone(), ..param.clone() };
    let parts = text.split(',').map(str::trim).filter(|it| !it.is_empty());
    let items: Vec<Option<Val>> = parts.map(|it| given(cx, &one, it)).collect();
    let value = Value::List(items.into_iter().collect::<Option<_>>()?);
    Some(Val { value, span: param.name.span })
}
