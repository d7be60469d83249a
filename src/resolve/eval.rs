//! Expressions -> values: names are looked up, units read, paths made absolute. Total: no loops, no host.

use std::net::IpAddr;

use super::scope::Scope;
use super::value::{ArgVal, Comparison, DURATION_UNITS, SIZE_UNITS, Val, Value};
use crate::policy::{Port, Protocol};
use crate::report::Diagnostic;
use crate::schema::suggest;
use crate::source::Span;
use crate::syntax::ast::{Arg, BinaryOp, Expr, ExprKind, StrPart};

/// The value of an expression; `None` when a finding was made of it.
pub fn eval(expr: &Expr, scope: &mut Scope) -> Option<Val> {
    let span = expr.span;
    let value = match &expr.kind {
        ExprKind::Bool(it) => Value::Bool(*it),
        ExprKind::Int(it) => Value::Int(*it),
        ExprKind::Quantity { number, unit } => scope.take(quantity(number, unit, span))?,
        ExprKind::Port { number, protocol } => scope.take(port(*number, protocol, span))?,
        ExprKind::Address(text) => scope.take(address(text, span))?,
        ExprKind::Path(text) => {
            let result = scope.absolute(text, span);
            Value::Path(scope.take(result)?)
        }
        ExprKind::Str(parts) => Value::Str(string(parts, scope)?),
        ExprKind::Symbol(it) => Value::Symbol(it.clone()),
        ExprKind::Set(it) => Value::Set(it.clone()),
        ExprKind::Everything => Value::Everything,
        ExprKind::Ref(names) => return scope.lookup(names, span),
        ExprKind::List(items) => {
            // Every element is evaluated, so that every finding is made at once.
            let values: Vec<Option<Val>> = items.iter().map(|it| eval(it, scope)).collect();
            Value::List(values.into_iter().collect::<Option<_>>()?)
        }
        ExprKind::Variant { name, args } => {
            let values: Vec<Option<ArgVal>> = args.iter().map(|it| arg(it, scope)).collect();
            Value::Variant(name.node.clone(), values.into_iter().collect::<Option<_>>()?)
        }
        ExprKind::Not(_) => Value::Bool(condition(expr, scope)?),
        ExprKind::Binary { op, left, right } => match syscall_condition(*op, left, right, scope) {
            Some(comparison) => Value::Compare(Box::new(comparison?)),
            None => Value::Bool(condition(expr, scope)?),
        },
        ExprKind::Error => return None,
    };
    Some(Val { value, span })
}

fn arg(arg: &Arg, scope: &mut Scope) -> Option<ArgVal> {
    let name = arg.name.as_ref().map(|it| (it.node.clone(), it.span));
    Some(ArgVal { bare: name.is_none(), name, value: eval(&arg.value, scope)? })
}

/// `NAME op VALUE` with a bare word on the left is about an argument of a system call. The outer `None`: it is not.
fn syscall_condition(op: BinaryOp, left: &Expr, right: &Expr, scope: &mut Scope) -> Option<Option<Comparison>> {
    let (name, mask) = match &left.kind {
        ExprKind::Symbol(name) => ((name.clone(), left.span), None),
        ExprKind::Binary { op: BinaryOp::Mask, left: inner, right: mask } => match &inner.kind {
            ExprKind::Symbol(name) => ((name.clone(), inner.span), Some(mask)),
            _ => return None,
        },
        _ => return None,
    };
    let mask = match mask.map(|it| eval(it, scope)) {
        Some(None) => return Some(None),
        other => other.flatten(),
    };
    Some(eval(right, scope).map(|right| Comparison { name, mask, op, right }))
}

fn string(parts: &[StrPart], scope: &mut Scope) -> Option<String> {
    let mut text = String::new();
    for part in parts {
        match part {
            StrPart::Text(piece) => text.push_str(piece),
            StrPart::Ref(names, span) => {
                let found = scope.lookup(names, *span)?;
                match found.value {
                    Value::Str(it) | Value::Path(it) | Value::Symbol(it) => text.push_str(&it),
                    Value::List(_) | Value::Variant(..) | Value::Set(_) | Value::Compare(_) => {
                        let kind = found.value.kind();
                        scope.report(
                            Diagnostic::error("wrong-type", format!("{kind} cannot stand in a string"))
                                .label(*span, "put into the string here")
                                .help("only text, numbers and paths can be put into strings"),
                        );
                        return None;
                    }
                    other => text.push_str(&other.to_string()),
                }
            }
        }
    }
    Some(text)
}

fn quantity(number: &str, unit: &str, span: Span) -> Result<Value, Diagnostic> {
    if unit == "%" {
        return scaled(number, 10, span).and_then(|it| unsigned(it, span)).map(Value::Percent);
    }
    if let Some((_, factor)) = SIZE_UNITS.iter().find(|(name, _)| *name == unit) {
        return scaled(number, i128::from(*factor), span).and_then(|it| unsigned(it, span)).map(Value::Size);
    }
    if let Some((_, factor)) = DURATION_UNITS.iter().find(|(name, _)| *name == unit) {
        let value = scaled(number, i128::from(*factor), span)?;
        return i64::try_from(value).map(Value::Duration).map_err(|_| out_of_range(span));
    }
    Err(unknown_unit(number, unit, span))
}

fn unknown_unit(number: &str, unit: &str, span: Span) -> Diagnostic {
    let meant = match unit {
        "k" | "K" | "kib" | "kiB" | "KIB" | "Kib" => Some("KiB"),
        "M" | "mib" | "Mib" | "MIB" => Some("MiB"),
        "g" | "G" | "gib" | "Gib" | "GIB" => Some("GiB"),
        "t" | "T" => Some("TiB"),
        "b" => Some("B"),
        "sec" | "secs" | "second" | "seconds" | "S" => Some("s"),
        "m" | "minute" | "minutes" | "mins" => Some("min"),
        "hour" | "hours" | "hr" | "H" => Some("h"),
        "day" | "days" | "D" => Some("d"),
        "msec" => Some("ms"),
        _ => {
            let units = SIZE_UNITS.iter().map(|it| it.0).chain(DURATION_UNITS.iter().map(|it| it.0));
            suggest::nearest(unit, units.collect::<Vec<_>>())
        }
    };
    let finding = Diagnostic::error("unknown-unit", format!("`{unit}` is no unit")).label(span, "in this value");
    match meant {
        Some(meant) => finding.help(format!("write `{number}{meant}`; no unit is guessed")).fix(
            format!("write `{number}{meant}`"),
            span,
            format!("{number}{meant}"),
        ),
        None => finding.help("sizes: B KiB MiB GiB TiB, kB MB GB TB; durations: ns us ms s min h d; shares: %"),
    }
}

/// A decimal number times a factor, which must come out whole.
fn scaled(number: &str, factor: i128, span: Span) -> Result<i128, Diagnostic> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let negative = whole.starts_with('-');
    let digits = format!("{}{fraction}", whole.trim_start_matches('-'));
    let value: i128 = digits.parse().map_err(|_| out_of_range(span))?;
    let scale = 10_i128.checked_pow(fraction.len() as u32).ok_or_else(|| out_of_range(span))?;
    let product = value.checked_mul(factor).ok_or_else(|| out_of_range(span))?;
    if product % scale != 0 {
        return Err(Diagnostic::error("out-of-range", format!("`{number}` is no whole number of the smallest unit"))
            .label(span, "a part of it would be lost")
            .help("use a smaller unit"));
    }
    Ok(if negative { -product / scale } else { product / scale })
}

fn unsigned(value: i128, span: Span) -> Result<u64, Diagnostic> {
    u64::try_from(value).map_err(|_| out_of_range(span))
}

fn out_of_range(span: Span) -> Diagnostic {
    Diagnostic::error("out-of-range", "this value is larger than the kernel can take, or negative")
        .label(span, "out of range")
        .help("write a smaller value")
}

fn port(number: u64, protocol: &str, span: Span) -> Result<Value, Diagnostic> {
    let known = match protocol {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        other => {
            return Err(Diagnostic::error("unknown-unit", format!("`{other}` is no transport protocol"))
                .label(span, "in this port")
                .help(format!("write `{number}/tcp` or `{number}/udp`")));
        }
    };
    match u16::try_from(number) {
        Ok(number) if number > 0 => Ok(Value::Port(Port { number, protocol: known })),
        _ => Err(Diagnostic::error("out-of-range", format!("there is no port {number}"))
            .label(span, "ports are 1 to 65535")
            .help("write a number from 1 to 65535")),
    }
}

fn address(text: &str, span: Span) -> Result<Value, Diagnostic> {
    let (ip, prefix) = text.split_once('/').map_or((text, None), |(ip, prefix)| (ip, Some(prefix)));
    let wrong = || {
        Diagnostic::error("bad-address", format!("`{text}` is no address"))
            .label(span, "not an IPv4 or IPv6 address")
            .help("write it as `10.0.0.2`, `10.0.0.0/8`, `fd00::1` or `fd00::/64`")
    };
    let ip: IpAddr = ip.parse().map_err(|_| wrong())?;
    let most = if ip.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.map(|it| it.parse::<u8>().ok().filter(|it| *it <= most).ok_or_else(wrong)).transpose()?;
    Ok(Value::Address(ip, prefix))
}

/// The truth of a condition; `None` when a finding was made of it.
pub fn condition(expr: &Expr, scope: &mut Scope) -> Option<bool> {
    match &expr.kind {
        ExprKind::Not(inner) => condition(inner, scope).map(|it| !it),
        ExprKind::Binary { op: BinaryOp::And, left, right } => {
            let (left, right) = (condition(left, scope), condition(right, scope));
            Some(left? && right?)
        }
        ExprKind::Binary { op: BinaryOp::Or, left, right } => {
            let (left, right) = (condition(left, scope), condition(right, scope));
            Some(left? || right?)
        }
        ExprKind::Binary { op, left, right } => {
            let (left, right) = (eval(left, scope), eval(right, scope));
            compare(*op, &left?, &right?, expr.span, scope)
        }
        _ => {
            let value = eval(expr, scope)?;
            match value.value {
                Value::Bool(it) => Some(it),
                other => {
                    scope.report(
                        Diagnostic::error("wrong-type", format!("{} is no condition", other.kind()))
                            .label(expr.span, "neither true nor false")
                            .help("compare it: `$memory >= 16MiB`, `$name == \"web\"`, `$x in [a, b]`"),
                    );
                    None
                }
            }
        }
    }
}

fn compare(op: BinaryOp, left: &Val, right: &Val, span: Span, scope: &mut Scope) -> Option<bool> {
    if let (BinaryOp::In, Value::List(items)) = (op, &right.value) {
        return Some(items.iter().any(|it| same(&it.value, &left.value)));
    }
    let order = match (&left.value, &right.value) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Size(a), Value::Size(b)) | (Value::Percent(a), Value::Percent(b)) => Some(a.cmp(b)),
        (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
        (Value::Port(a), Value::Port(b)) if a.protocol == b.protocol => Some(a.number.cmp(&b.number)),
        _ => None,
    };
    let equal = same(&left.value, &right.value);
    match (op, order) {
        (BinaryOp::Eq, _) if comparable(&left.value, &right.value) => Some(equal),
        (BinaryOp::Ne, _) if comparable(&left.value, &right.value) => Some(!equal),
        (BinaryOp::Lt, Some(order)) => Some(order.is_lt()),
        (BinaryOp::Le, Some(order)) => Some(order.is_le()),
        (BinaryOp::Gt, Some(order)) => Some(order.is_gt()),
        (BinaryOp::Ge, Some(order)) => Some(order.is_ge()),
        _ => {
            let (a, b) = (left.value.kind(), right.value.kind());
            let finding = Diagnostic::error("wrong-type", format!("{a} and {b} cannot be compared with this operator"))
                .label(span, "in this condition")
                .help("compare values of one type; `<` and `>` need numbers, sizes, durations or shares, `in` needs a list");
            scope.report(finding);
            None
        }
    }
}

/// Values are equal when they are written alike; where they stand does not matter.
fn same(a: &Value, b: &Value) -> bool {
    a.to_string() == b.to_string()
        || matches!((a, b), (Value::Str(a) | Value::Symbol(a), Value::Str(b) | Value::Symbol(b)) if a == b)
}

fn comparable(a: &Value, b: &Value) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b)
        || matches!((a, b), (Value::Str(_) | Value::Symbol(_), Value::Str(_) | Value::Symbol(_)))
}
