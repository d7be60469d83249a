//! The part of the language reference that the table itself writes.

use std::fmt::Write;

use super::table::{self, SECTIONS, fields_of};
use super::types::{ArgKind, Field, Shape, Ty, Variant};

/// Every section and field, as Markdown.
pub fn reference() -> String {
    let mut out = String::from("### The body of a sandbox\n\n");
    fields(&mut out, "");
    for section in SECTIONS {
        let mode = if section.has_mode { " MODE" } else { "" };
        let _ = writeln!(out, "### `{}{mode} {{ … }}`\n\n{}.\n", section.name, capitalised(section.doc));
        fields(&mut out, section.name);
    }
    out.push_str("### Variants\n\n");
    let mut seen: Vec<*const Variant> = Vec::new();
    let modes = super::table::MODE;
    for ty in std::iter::once(&modes).chain(table::fields().filter_map(|it| it.value.as_ref())) {
        variants(&mut out, ty, &mut seen);
    }
    out
}

fn fields(out: &mut String, section: &str) {
    if fields_of(section).next().is_none() {
        out.push_str("It has no fields.\n\n");
        return;
    }
    out.push_str("| field | value | where not stated | meaning |\n|---|---|---|---|\n");
    for field in fields_of(section) {
        let value = field.value.as_ref().map_or("none".to_string(), describe);
        let only = if field.only_in.is_empty() { String::new() } else { format!(" ({})", field.only_in) };
        let default = if field.default.is_empty() { "–" } else { field.default };
        let _ =
            writeln!(out, "| `{}` | {value} | {default} | {}{only} |", field.usage(), field.doc.replace('|', "\\|"));
    }
    out.push('\n');
}

fn describe(ty: &Ty) -> String {
    match ty {
        Ty::Variant(variants) => variants.iter().map(|it| format!("`{}`", it.usage())).collect::<Vec<_>>().join(", "),
        ty => ty.describe(),
    }
}

fn variants(out: &mut String, ty: &Ty, seen: &mut Vec<*const Variant>) {
    let Ty::Variant(list) = ty else { return };
    if seen.contains(&list.as_ptr()) {
        return;
    }
    seen.push(list.as_ptr());
    for variant in *list {
        let _ = writeln!(out, "- `{}`: {}", variant.usage(), variant.doc);
        for arg in variant.args {
            if let ArgKind::Named(ty) | ArgKind::Positional(ty) = &arg.kind {
                let _ = writeln!(out, "  - `{}`: {}", arg.name, ty.describe());
            }
        }
    }
    out.push('\n');
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

impl Field {
    /// How it is written: `mount PATH = …`.
    pub fn usage(&self) -> String {
        let field = self;
        let labels: String = field
            .labels
            .iter()
            .map(|label| match label {
                Ty::Symbol(words) => format!(" {}", words.join("/")),
                Ty::Path => " PATH".to_string(),
                Ty::Port => " PORT".to_string(),
                Ty::Id => " ID".to_string(),
                Ty::Network => " NETWORK".to_string(),
                Ty::Any(_) => " PEER".to_string(),
                _ => " NAME".to_string(),
            })
            .collect();
        let value = match (&field.value, field.value_optional) {
            (Some(_), false) => " = …",
            (Some(_), true) => " [= …]",
            (None, _) => "",
        };
        let value = if field.shape == Shape::Section { " { … }" } else { value };
        let lead = field.lead.map_or("", |_| " [ADDRESS]");
        let trail = field.trail.map_or("", |_| " [PORT]");
        format!("{}{lead}{labels}{trail}{value}", field.head)
    }
}
