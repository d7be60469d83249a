//! Values of the language, read back as what their types in the schema say they are.

use super::*;

pub(super) fn mode(val: &Val) -> Option<Mode> {
    let Value::Variant(name, args) = &val.value else { return None };
    Some(match name.as_str() {
        "new" => Mode::New,
        "host" => Mode::Host,
        "pod" => Mode::Pod,
        _ => {
            let found = args.first()?;
            let value = &found.value;
            Mode::Join(match found.name.as_ref()?.0.as_str() {
                "pid" => JoinTarget::Pid(count(value)? as u32),
                "path" => JoinTarget::Path(text(value)?),
                "sandbox" => JoinTarget::Sandbox(text(value)?),
                _ => JoinTarget::Pod(text(value)?),
            })
        }
    })
}

/// The argument of a variant that has this name.
pub(super) fn argument<'v>(args: &'v [ArgVal], name: &str) -> Option<&'v Val> {
    args.iter().find(|it| it.name.as_ref().is_some_and(|(it, _)| it == name)).map(|it| &it.value)
}

/// Text of a string, a path or a word.
pub(super) fn text(val: &Val) -> Option<String> {
    match &val.value {
        Value::Str(it) | Value::Path(it) | Value::Symbol(it) => Some(it.clone()),
        _ => None,
    }
}

pub(super) fn strings(val: &Val) -> Option<Vec<String>> {
    match &val.value {
        Value::List(items) => items.iter().map(text).collect(),
        _ => None,
    }
}

/// A boolean.
pub(super) fn boolean(val: &Val) -> Option<bool> {
    match val.value {
        Value::Bool(it) => Some(it),
        _ => None,
    }
}

/// Bytes.
pub(super) fn size(val: &Val) -> Option<u64> {
    match val.value {
        Value::Size(it) => Some(it),
        _ => None,
    }
}

/// A number that is not negative.
pub(super) fn count(val: &Val) -> Option<u64> {
    match val.value {
        Value::Int(it) => u64::try_from(it).ok(),
        Value::Permissions(bits) => Some(u64::from(bits)),
        _ => None,
    }
}

pub(super) fn percent(val: &Val) -> Option<u64> {
    match val.value {
        Value::Percent(it) => Some(it),
        _ => None,
    }
}

pub(super) fn duration(val: &Val) -> Option<i64> {
    match val.value {
        Value::Duration(it) => Some(it),
        _ => None,
    }
}

pub(super) fn port(val: &Val) -> Option<Port> {
    match val.value {
        Value::Port(it) => Some(it),
        _ => None,
    }
}
