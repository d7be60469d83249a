//! `overlay(…)`: what goes together in it, and what does not.

use super::Lower;
use super::mnt::flags;
use super::read::{argument, count, size, strings, text};
use crate::policy::{Overlay, Upper};
use crate::report::Diagnostic;
use crate::resolve::value::{ArgVal, Val};
use crate::source::Span;

/// As many layers as their names fit into one option of a mount: fsconfig(2) takes 255 bytes.
const MOST_LAYERS: usize = 80;

/// An overlay whose arguments make sense together; `default` is what lies below where no `lower` is named.
pub(super) fn overlay(lower: &mut Lower, args: &[ArgVal], span: Span, default: Option<&str>) -> Option<Overlay> {
    let stated = argument(args, "lower");
    let layers = match (stated.map(|it| strings(it).or_else(|| Some(vec![text(it)?]))), default) {
        (Some(layers), _) => layers?,
        (None, Some(path)) => vec![path.to_string()],
        (None, None) => {
            lower.cx.report(
                Diagnostic::error("missing-argument", "nobody says what lies below the changes")
                    .label(span, "no `lower`")
                    .help("name directories of the host: `overlay(lower: [./app, ./base], ephemeral)`"),
            );
            return None;
        }
    };
    let upper = upper(lower, args)?;
    let place = stated.map_or(span, |it| it.span);
    few_or_many(lower, &layers, &upper, place)?;
    apart(lower, &layers, &upper, place)?;
    Some(Overlay { lower: layers, upper, flags: flags(args) })
}

fn upper(lower: &mut Lower, args: &[ArgVal]) -> Option<Upper> {
    let mut wrong = |message: &str, at: Span, label: &str, help: &str| {
        let finding = Diagnostic::error("overlay-changes", message).label(at, label);
        lower.cx.report(finding.help(help));
    };
    let (upper, work) = (argument(args, "upper"), argument(args, "work"));
    let ephemeral = argument(args, "ephemeral");
    if let Some(bound) =
        ["size", "inodes"].into_iter().find_map(|it| argument(args, it)).filter(|_| ephemeral.is_none())
    {
        let help = "add `ephemeral`, or delete it: how large a directory of the host becomes, that file system says";
        wrong("only changes that go to memory have a size", bound.span, "nothing is bounded by this", help);
        return None;
    }
    match (upper, work, ephemeral) {
        (None, None, None) => Some(Upper::None),
        (None, None, Some(_)) => Some(Upper::Ephemeral {
            size: argument(args, "size").and_then(size),
            inodes: argument(args, "inodes").and_then(count),
        }),
        (Some(stated), _, Some(_)) | (None, Some(stated), Some(_)) => {
            let help = "keep `ephemeral` to throw the changes away, or `upper` and `work` to keep them";
            wrong("changes cannot both be kept and go away", stated.span, "a directory of the host", help);
            None
        }
        (Some(upper), Some(work), None) => kept(upper, work, &mut wrong),
        (Some(upper), None, None) => {
            let help = "add `work:` with an empty directory beside `upper`, for the kernel's own use";
            wrong(
                "where changes are kept the kernel needs a directory to prepare them in",
                upper.span,
                "no `work`",
                help,
            );
            None
        }
        (None, Some(work), None) => {
            let help = "add `upper:` with the directory in which changes are to be kept";
            wrong("a directory to prepare changes in, and none to keep them in", work.span, "no `upper`", help);
            None
        }
    }
}

/// Both have to be below one mount, and for that beside each other: the kernel moves files from one to the other.
fn kept(upper: &Val, work: &Val, wrong: &mut dyn FnMut(&str, Span, &str, &str)) -> Option<Upper> {
    let (upper_path, work_path) = (text(upper)?, text(work)?);
    let split =
        |path: &str| path.trim_end_matches('/').rsplit_once('/').map(|(dir, name)| (dir.to_string(), name.to_string()));
    match (split(&upper_path), split(&work_path)) {
        (Some((parent, upper)), Some((beside, work))) if parent == beside && upper != work && !upper.is_empty() => {
            let parent = if parent.is_empty() { "/".to_string() } else { parent };
            Some(Upper::Kept { parent, upper, work })
        }
        _ => {
            let help = "name two directories of one directory: `upper: ./state/upper, work: ./state/work`";
            wrong(
                "`upper` and `work` have to be two directories beside each other",
                work.span,
                "not beside `upper`",
                help,
            );
            None
        }
    }
}

fn few_or_many(lower: &mut Lower, layers: &[String], upper: &Upper, span: Span) -> Option<()> {
    let (message, help) = match (layers.len(), upper) {
        (0, _) => ("an overlay of nothing", "name a directory of the host in `lower`"),
        (1, Upper::None) => (
            "one directory is no overlay",
            "add `ephemeral` for changes that go away, or write `bind(PATH)` (for `root`: `dir(PATH)`)",
        ),
        (count, _) if count > MOST_LAYERS => ("an overlay has 80 layers at the most", "merge some of them"),
        _ => return Some(()),
    };
    lower.cx.report(Diagnostic::error("overlay-layers", message).label(span, "these layers").help(help));
    None
}

/// The kernel answers ELOOP to layers that lie inside of each other.
fn apart(lower: &mut Lower, layers: &[String], upper: &Upper, span: Span) -> Option<()> {
    let mut all: Vec<(String, &str)> = layers.iter().map(|it| (it.clone(), "lower")).collect();
    if let Upper::Kept { parent, upper, work } = upper {
        let parent = parent.trim_end_matches('/');
        all.push((format!("{parent}/{upper}"), "upper"));
        all.push((format!("{parent}/{work}"), "work"));
    }
    let inside = |inner: &str, outer: &str| {
        let outer = outer.trim_end_matches('/');
        inner == outer || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
    };
    for (at, (first, _)) in all.iter().enumerate() {
        for (second, what) in &all[at + 1..] {
            // A directory below another is a layer of its own to the kernel, as long as none of the two is written.
            let clash = match *what {
                "lower" => first.trim_end_matches('/') == second.trim_end_matches('/'),
                _ => inside(second, first) || inside(first, second),
            };
            if clash {
                lower.cx.report(
                    Diagnostic::error("overlay-overlap", format!("{second} and {first} are one tree"))
                        .label(span, format!("`{what}` lies in another layer"))
                        .help("name directories that do not contain each other"),
                );
                return None;
            }
        }
    }
    Some(())
}
