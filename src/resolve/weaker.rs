//! Whether one value of a key lets the program do more than another: each row of the schema says which way that is.

use super::merge::Payload;
use super::value::{ArgVal, Val, Value};
use crate::policy::Strength;
use crate::schema::Field;

/// Words from the strongest to the weakest: modes of namespaces, what `/` is, what a filter answers.
const RANKS: &[&[&str]] = &[
    &["new", "pod", "join", "host"],
    &["empty", "dir", "overlay", "host"],
    &["kill", "kill-thread", "trap", "errno", "log", "allow"],
    &["deny", "allow"],
];

/// Flags that take something away from the program, and flags that give it something.
const TAKING: &[&str] = &["ro", "noexec"];
const GIVING: &[&str] = &["rw", "suid", "dev"];

/// What of `new` is weaker than `old`, in words; `None` where nothing is, or where nobody can say.
pub fn weaker(old: &Payload, new: &Payload) -> Option<String> {
    let mut told = Vec::new();
    if old.strength == Strength::Required && new.strength == Strength::Prefer {
        told.push("the run goes on without it".to_string());
    }
    let (head, row) = (|it: &Payload| it.field.map(|it| it.head), new.field);
    if let (Some(before), Some(after)) = (head(old), head(new))
        && before != after
        && matches!(before, "hide" | "protect" | "deny")
    {
        told.push(format!("no longer `{before}`"));
    } else if let (Some(before), Some(after)) = (&old.value, &new.value)
        && row.is_none_or(|row| !row.weaker.is_empty())
    {
        values(row, &before.value, &after.value, &mut told);
    }
    (!told.is_empty()).then(|| told.join(", "))
}

/// Whether the program may do more once a statement is removed.
pub fn is_missed(old: &Payload) -> bool {
    old.field.is_some_and(|row| row.weaker.contains("removed"))
}

fn values(row: Option<&Field>, old: &Value, new: &Value, told: &mut Vec<String>) {
    if old == new {
        return;
    }
    match (old, new) {
        (Value::Bool(true), Value::Bool(false)) => told.push("turned off".into()),
        (Value::Variant(before, had), Value::Variant(after, has)) if before == after => {
            arguments(row, had, has, told);
        }
        (Value::List(before), Value::List(after)) => {
            let grown = |from: &[Val], to: &[Val]| to.iter().any(|it| !from.iter().any(|old| old.value == it.value));
            let fewer = row.is_some_and(|row| row.weaker.starts_with("one less"));
            if fewer && grown(after, before) {
                told.push("one less".into());
            } else if !fewer && grown(before, after) {
                told.push("one more".into());
            }
        }
        _ if ranks_lower(old, new) => told.push(format!("`{old}` → `{new}`")),
        _ if larger(old, new) && row.is_some_and(is_a_limit) => told.push(format!("{old} → {new}")),
        _ => {}
    }
}

fn is_a_limit(row: &Field) -> bool {
    row.weaker.starts_with("larger") || row.weaker.starts_with("longer")
}

fn arguments(row: Option<&Field>, had: &[ArgVal], has: &[ArgVal], told: &mut Vec<String>) {
    let name = |it: &ArgVal| it.name.as_ref().map_or(String::new(), |it| it.0.clone());
    let find = |args: &[ArgVal], wanted: &str| args.iter().find(|it| name(it) == wanted).map(|it| it.value.clone());
    for old in had {
        let key = name(old);
        match find(has, &key) {
            None if TAKING.contains(&key.as_str()) && !(key == "ro" && find(has, "rw").is_none()) => {
                told.push(format!("`{key}` dropped"));
            }
            Some(new) if larger(&old.value.value, &new.value) => {
                told.push(format!("{key} {} → {}", old.value, new));
            }
            Some(new) if key == "source" && new.value != old.value.value => told.push(format!("another source, {new}")),
            _ => {}
        }
    }
    for new in has {
        let key = name(new);
        if key == "propagation" && find(had, &key).is_none_or(|old| old.value != new.value.value) {
            told.push(format!("{key} {}", new.value));
        }
        if GIVING.contains(&key.as_str()) && find(had, &key).is_none() && !(key == "rw" && find(had, "ro").is_some()) {
            told.push(format!("`{key}` added"));
        }
    }
    if row.is_none() && had.first().map(|it| &it.value.value) != has.first().map(|it| &it.value.value) {
        told.push("another namespace".into());
    }
}

/// Whether two words are of one list, the second behind the first.
fn ranks_lower(old: &Value, new: &Value) -> bool {
    let word = |it: &Value| match it {
        Value::Variant(word, _) | Value::Symbol(word) => Some(word.clone()),
        _ => None,
    };
    let (Some(old), Some(new)) = (word(old), word(new)) else { return false };
    RANKS.iter().any(|words| {
        let place = |wanted: &str| words.iter().position(|it| *it == wanted);
        place(&old).zip(place(&new)).is_some_and(|(before, after)| after > before)
    })
}

fn larger(old: &Value, new: &Value) -> bool {
    let is_unlimited = |it: &Value| matches!(it, Value::Symbol(word) if word == "unlimited" || word == "max");
    match (old, new) {
        (Value::Int(a), Value::Int(b)) => b > a,
        (Value::Size(a), Value::Size(b)) => b > a,
        (Value::Duration(a), Value::Duration(b)) => b > a,
        (Value::Percent(a), Value::Percent(b)) => b > a,
        (old, new) => is_unlimited(new) && !is_unlimited(old),
    }
}
