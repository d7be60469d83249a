//! Values against the types of the schema: what fits, and what is said of the rest.

use std::fmt::Arguments;

use super::scope::Scope;
use super::value::{ArgVal, Val, Value};
use crate::report::Diagnostic;
use crate::schema::{ArgKind, Ty, Variant, constants, suggest};
use crate::source::Span;

/// The value in the form of the type; a finding where it does not fit. `what` names it: "`size` of `tmpfs`".
pub fn fit(val: Val, ty: &Ty, what: Arguments, scope: &mut Scope) -> Option<Val> {
    let span = val.span;
    let val = match (ty, val.value) {
        (Ty::List(inner), Value::List(items)) => {
            let items: Vec<Option<Val>> = items.into_iter().map(|it| fit(it, inner, what, scope)).collect();
            return Some(Val { value: Value::List(items.into_iter().collect::<Option<_>>()?), span });
        }
        (Ty::Variant(variants), Value::Variant(name, args)) => {
            return variant(&name, args, variants, what, span, scope);
        }
        (_, value) => Val { value, span },
    };
    match (ty, &val.value) {
        (Ty::Bool, Value::Bool(_)) | (Ty::Size, Value::Size(_)) | (Ty::Port, Value::Port(_)) => Some(val),
        (Ty::Percent, Value::Percent(_)) | (Ty::Str, Value::Str(_)) | (Ty::Offset, Value::Duration(_)) => Some(val),
        (Ty::Path, Value::Path(_)) | (Ty::Address, Value::Address(..)) => Some(val),
        (Ty::Everything, Value::Everything) | (Ty::Host, Value::Address(_, None)) => Some(val),
        (Ty::Network, Value::Address(_, Some(_))) => Some(val),
        (Ty::Host, Value::Address(ip, Some(_))) => {
            let ip = ip.to_string();
            scope.report(
                Diagnostic::error("wrong-type", format!("{what} is one address, and this is a network"))
                    .label(span, "with the length of a prefix")
                    .help(format!("write `{ip}`"))
                    .fix(format!("write `{ip}`"), span, ip),
            );
            None
        }
        (Ty::Network, Value::Address(ip, None)) => {
            let length = if ip.is_ipv4() { 24 } else { 64 };
            scope.report(
                Diagnostic::error("wrong-type", format!("{what} does not say how large its network is"))
                    .label(span, "an address without the length of a prefix")
                    .help(format!("write how many bits name the network, such as `{ip}/{length}`")),
            );
            None
        }
        (Ty::Word, Value::Symbol(_)) | (Ty::Id, Value::Symbol(_)) => Some(val),
        (Ty::Int(least, most), Value::Int(it)) => {
            let fits = least <= it && it <= most;
            fits.then_some(()).or_else(|| range(span, what, least, most, scope))?;
            Some(val)
        }
        (Ty::Permissions, Value::Int(it)) => {
            (0..=0o7777).contains(it).then_some(()).or_else(|| range(span, what, &0, &0o7777, scope))?;
            // 755 is not 0o755, and hardly ever meant.
            let written = scope.texts.slice(span).to_string();
            if *it > 7 && !written.starts_with("0o") && written.starts_with(|c: char| c.is_ascii_digit()) {
                let right = format!("0o{written}");
                scope.report(
                    Diagnostic::error("wrong-type", format!("{what} is written in octal, and `{written}` is decimal"))
                        .label(span, "other bits than it looks like")
                        .help(format!("write `{right}`"))
                        .fix(format!("write `{right}`"), span, right),
                );
                return None;
            }
            Some(Val { value: Value::Permissions(*it as u32), span })
        }
        (Ty::Permissions, Value::Permissions(_)) => Some(val),
        (Ty::Id, Value::Int(it)) => {
            (0..=4_294_967_294).contains(it).then_some(()).or_else(|| range(span, what, &0, &4_294_967_294, scope))?;
            Some(val)
        }
        (Ty::Duration, Value::Duration(it)) if *it >= 0 => Some(val),
        (Ty::Duration, Value::Duration(_)) => {
            scope.report(
                Diagnostic::error("out-of-range", format!("{what} cannot be negative"))
                    .label(span, "a negative duration")
                    .help("write a duration from 0s on"),
            );
            None
        }
        // Paths with blanks and the like are written as strings.
        (Ty::Path, Value::Str(text)) if text.starts_with(['/', '.']) => {
            let path = scope.absolute(text, span);
            scope.take(path).map(|path| Val { value: Value::Path(path), span })
        }
        (Ty::Word | Ty::Id, Value::Str(text)) if !text.is_empty() => {
            Some(Val { value: Value::Symbol(text.clone()), span })
        }
        (Ty::Symbol(words), Value::Symbol(word)) => {
            if words.contains(&word.as_str()) {
                return Some(val);
            }
            unknown_word(word, words, what, span, scope)
        }
        (Ty::Signal, Value::Symbol(name)) => match constants::signal(name) {
            Some(_) => Some(val),
            None => {
                let hint = suggest::hint(name, constants::signal_names());
                report(scope, "unknown-signal", format!("there is no signal `{name}`"), span, "unknown", hint);
                None
            }
        },
        (Ty::Variant(variants), Value::Symbol(name)) => variant(name, Vec::new(), variants, what, span, scope),
        (Ty::Any(types), _) => match types.iter().find(|ty| matches(&val.value, ty)) {
            Some(ty) => fit(val, ty, what, scope),
            None => wrong_type(&val, ty, what, scope),
        },
        _ => wrong_type(&val, ty, what, scope),
    }
}

/// Whether a value is of the family of a type, so that a finding is best made by that type.
fn matches(value: &Value, ty: &Ty) -> bool {
    match ty {
        Ty::Bool => matches!(value, Value::Bool(_)),
        Ty::Int(..) | Ty::Permissions => matches!(value, Value::Int(_)),
        Ty::Size => matches!(value, Value::Size(_)),
        Ty::Duration | Ty::Offset => matches!(value, Value::Duration(_)),
        Ty::Percent => matches!(value, Value::Percent(_)),
        Ty::Port => matches!(value, Value::Port(_)),
        Ty::Address | Ty::Network | Ty::Host => matches!(value, Value::Address(..)),
        Ty::Everything => matches!(value, Value::Everything),
        Ty::Path => matches!(value, Value::Path(_)),
        Ty::Str => matches!(value, Value::Str(_)),
        Ty::Symbol(_) | Ty::Word | Ty::Signal => matches!(value, Value::Symbol(_)),
        Ty::Id => matches!(value, Value::Symbol(_) | Value::Int(_)),
        Ty::List(_) => matches!(value, Value::List(_)),
        Ty::Variant(_) => matches!(value, Value::Variant(..) | Value::Symbol(_)),
        Ty::Any(types) => types.iter().any(|ty| matches(value, ty)),
    }
}

fn report(scope: &mut Scope, code: &'static str, message: String, span: Span, label: &str, help: Option<String>) {
    let finding = Diagnostic::error(code, message).label(span, label);
    scope.report(match help {
        Some(help) => finding.help(help),
        None => finding,
    });
}

fn range<T>(span: Span, what: Arguments, least: &i128, most: &i128, scope: &mut Scope) -> Option<T> {
    let message = format!("{what} is out of range");
    report(scope, "out-of-range", message, span, "this number", Some(format!("write a number from {least} to {most}")));
    None
}

fn unknown_word<T>(
    word: &str,
    words: &'static [&'static str],
    what: Arguments,
    span: Span,
    scope: &mut Scope,
) -> Option<T> {
    let mut finding = Diagnostic::error("wrong-type", format!("{what} cannot be `{word}`")).label(span, "unknown word");
    finding = match suggest::nearest(word, words.iter().copied()) {
        Some(found) => finding.help(format!("did you mean `{found}`?")).fix(format!("write `{found}`"), span, found),
        None => finding.help(format!("write {}", Ty::Symbol(words).describe())),
    };
    scope.report(finding);
    None
}

fn wrong_type(val: &Val, ty: &Ty, what: Arguments, scope: &mut Scope) -> Option<Val> {
    if let (Value::Int(number), Some(unit)) = (&val.value, missing_unit(ty)) {
        scope.report(
            Diagnostic::error("unit-missing", format!("{number} is not {}", ty.describe()))
                .label(val.span, "a number without a unit")
                .help(format!("say which unit is meant: `{number}{unit}`?")),
        );
        return None;
    }
    let wanted = match ty {
        // Their names will do: what stands in the parentheses of each would fill the screen.
        Ty::Variant(variants) => {
            let names = variants.iter().map(|it| format!("`{}`", it.name));
            names.collect::<Vec<_>>().join(", ")
        }
        ty => ty.describe(),
    };
    scope.report(
        Diagnostic::error(
            "wrong-type",
            match ty {
                Ty::Variant(_) => format!("{what} cannot be {}", val.value.kind()),
                _ => format!("{what} is {wanted}, not {}", val.value.kind()),
            },
        )
        .label(val.span, format!("{} stands here", val.value.kind()))
        .help(format!("write {wanted}")),
    );
    None
}

fn missing_unit(ty: &Ty) -> Option<&'static str> {
    match ty {
        Ty::Size => Some("MiB"),
        Ty::Duration | Ty::Offset => Some("s"),
        Ty::Percent => Some("%"),
        Ty::Port => Some("/tcp"),
        Ty::Any(types) => types.iter().find_map(missing_unit),
        _ => None,
    }
}

fn variant(
    name: &str,
    args: Vec<ArgVal>,
    variants: &'static [Variant],
    what: Arguments,
    span: Span,
    scope: &mut Scope,
) -> Option<Val> {
    let Some(spec) = variants.iter().find(|it| it.name == name) else {
        let names = variants.iter().map(|it| it.name);
        let hint = suggest::nearest(name, names.clone()).map(|found| format!("did you mean `{found}`?"));
        let help = hint.unwrap_or_else(|| format!("write {}", Ty::Variant(variants).describe()));
        report(scope, "unknown-variant", format!("{what} cannot be `{name}`"), span, "unknown here", Some(help));
        return None;
    };
    let mut fitted: Vec<ArgVal> = Vec::new();
    let mut positionals = spec.args.iter().filter(|it| matches!(it.kind, ArgKind::Positional(_)));
    let mut sound = true;
    for arg in args {
        match fit_arg(arg, spec, &mut positionals, &fitted, scope) {
            Some(arg) => fitted.push(arg),
            None => sound = false,
        }
    }
    for missing in spec.args.iter().filter(|it| it.required) {
        if sound && !fitted.iter().any(|it| it.name.as_ref().is_some_and(|(name, _)| name == missing.name)) {
            let message = format!("`{name}` needs `{}`", missing.name);
            report(scope, "missing-argument", message, span, "incomplete", Some(format!("write `{}`", spec.usage())));
            sound = false;
        }
    }
    // In the order of the table, so that two ways to write one value are one value.
    let place =
        |it: &ArgVal| spec.args.iter().position(|row| it.name.as_ref().is_some_and(|(name, _)| name == row.name));
    fitted.sort_by_key(place);
    sound.then(|| Val { value: Value::Variant(name.to_string(), fitted), span })
}

/// One argument: afterwards every argument has its name, and a flag is the boolean true.
fn fit_arg<'s>(
    arg: ArgVal,
    spec: &'static Variant,
    positionals: &mut impl Iterator<Item = &'s crate::schema::ArgSpec>,
    before: &[ArgVal],
    scope: &mut Scope,
) -> Option<ArgVal> {
    let (span, bare) = (arg.value.span, arg.bare);
    let (name, place, ty) = match (&arg.name, &arg.value.value) {
        (Some((name, place)), _) => {
            let found = spec.args.iter().find_map(|it| match it.kind {
                ArgKind::Named(ty) if it.name == name => Some(ty),
                _ => None,
            });
            let Some(ty) = found else { return unknown_argument(name, *place, spec, scope) };
            (name.clone(), *place, ty)
        }
        (None, Value::Symbol(word)) if spec.args.iter().any(|it| it.kind == ArgKind::Flag && it.name == word) => {
            let opposite = match word.as_str() {
                "ro" => "rw",
                "rw" => "ro",
                _ => "",
            };
            if let Some(clash) = before.iter().find_map(|it| it.name.as_ref().filter(|(name, _)| name == opposite)) {
                scope.report(
                    Diagnostic::error("unknown-argument", format!("`{word}` and `{opposite}` exclude each other"))
                        .label(span, "this")
                        .label(clash.1, "and this")
                        .help("keep one"),
                );
                return None;
            }
            if let Some((_, first)) = before.iter().find_map(|it| it.name.as_ref().filter(|(name, _)| name == word)) {
                let first = *first;
                scope.report(
                    Diagnostic::error("set-twice", format!("`{word}` is given twice"))
                        .label(span, "the second")
                        .label(first, "the first")
                        .help("keep one"),
                );
                return None;
            }
            let value = Val { value: Value::Bool(true), span };
            return Some(ArgVal { name: Some((word.clone(), span)), value, bare: true });
        }
        (None, _) => match positionals.next() {
            Some(spec) => match spec.kind {
                ArgKind::Positional(ty) => (spec.name.to_string(), span, ty),
                _ => return None,
            },
            None => {
                let shown = arg.value.to_string();
                return unknown_argument(&shown, span, spec, scope);
            }
        },
    };
    if before.iter().any(|it| it.name.as_ref().is_some_and(|(other, _)| *other == name)) {
        report(scope, "set-twice", format!("`{name}` is given twice"), span, "the second", Some("keep one".into()));
        return None;
    }
    let value = fit(arg.value, &ty, format_args!("`{name}` of `{}`", spec.name), scope)?;
    Some(ArgVal { name: Some((name, place)), value, bare })
}

fn unknown_argument<T>(name: &str, span: Span, spec: &Variant, scope: &mut Scope) -> Option<T> {
    let names: Vec<&str> = spec.args.iter().map(|it| it.name).collect();
    let hint = suggest::nearest(name, names.iter().copied()).map(|it| format!("did you mean `{it}`?"));
    let help = hint.unwrap_or_else(|| format!("write `{}`", spec.usage()));
    report(
        scope,
        "unknown-argument",
        format!("`{}` takes no `{name}`", spec.name),
        span,
        "unknown argument",
        Some(help),
    );
    None
}
