//! The merge rule: siblings join, a layer goes over its base, and what is left is one value for each key.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::value::Val;
use crate::policy::{How, Origin, Replaced, Strength};
use crate::report::Diagnostic;
use crate::schema::Field;
use crate::source::Span;
use crate::syntax::ast::Modifier;

/// What a statement says.
#[derive(Clone, Debug)]
pub struct Payload {
    /// Its row; `None` for the mode of a section.
    pub field: Option<&'static Field>,
    /// Its labels, fitted to their types.
    pub labels: Vec<Val>,
    /// Its value, fitted to its type.
    pub value: Option<Val>,
    /// How much it insists.
    pub strength: Strength,
    /// Whether it is a default of a section whose mode is a default too: `default time new { … }`. Where the section is not
    /// new in the end, it goes with the mode.
    pub with_mode: bool,
}

impl Payload {
    /// The value as it is shown.
    fn text(&self) -> String {
        let strength = match self.strength {
            Strength::Required => "",
            Strength::Prefer => "prefer ",
            Strength::Optional => "optional ",
        };
        let value = self.value.as_ref().map_or(String::new(), Val::to_string);
        format!("{strength}{value}")
    }
}

/// A statement of a layer.
#[derive(Clone, Debug)]
pub struct Stated {
    /// Its key, such as `mnt.mount[/tmp]`.
    pub key: String,
    /// What it is compared under: `mount /tmp` and `hide /tmp` are two values of one path.
    pub slot: String,
    /// `default`, `override`, `final`, `remove`.
    pub modifier: Option<Modifier>,
    /// What it says.
    pub payload: Rc<Payload>,
    /// Where it came from.
    pub origin: Origin,
}

/// A value that a key could have.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its head and value, which are compared when two statements meet.
    said: String,
    text: String,
    /// What was stated.
    pub payload: Rc<Payload>,
    /// Where it came from.
    pub origin: Origin,
}

impl Candidate {
    /// The value as text, or, where it has none, the head.
    fn shown(&self) -> &str {
        if self.text.is_empty() { self.said.trim() } else { &self.text }
    }
}

/// The candidates of one key: defaults, plain ones, final ones.
#[derive(Clone, Debug, Default)]
pub struct Slot {
    defaults: Vec<Candidate>,
    plain: Vec<Candidate>,
    finals: Vec<Candidate>,
}

impl Slot {
    fn any(&self) -> Option<&Candidate> {
        self.finals.first().or(self.plain.first()).or(self.defaults.first())
    }
}

/// All keys of a stack of layers.
pub type Slots = BTreeMap<String, Slot>;

fn add(list: &mut Vec<Candidate>, candidate: Candidate) {
    if !list.iter().any(|it| it.said == candidate.said) {
        list.push(candidate);
    }
}

/// Siblings: the union of each of the three sets.
pub fn join(into: &mut Slots, from: &Slots) {
    for (key, slot) in from {
        let Some(mine) = into.get_mut(key) else {
            into.insert(key.clone(), slot.clone());
            continue;
        };
        slot.defaults.iter().for_each(|it| add(&mut mine.defaults, it.clone()));
        slot.plain.iter().for_each(|it| add(&mut mine.plain, it.clone()));
        slot.finals.iter().for_each(|it| add(&mut mine.finals, it.clone()));
    }
}

/// One layer over its base. Two statements for one key inside the layer are an error of their own.
pub fn apply(slots: &mut Slots, layer: Vec<Stated>, findings: &mut Vec<Diagnostic>) {
    let mut stated: BTreeMap<String, (String, Span)> = BTreeMap::new();
    for statement in layer {
        if let Some((key, first)) = stated.get(&statement.slot) {
            findings.push(twice(&statement, key, *first));
            continue;
        }
        stated.insert(statement.slot.clone(), (statement.key.clone(), statement.origin.span));
        put(slots, statement, findings);
    }
}

/// Two statements of one layer for one key.
fn twice(statement: &Stated, first_key: &str, first: Span) -> Diagnostic {
    let span = statement.origin.span;
    if first_key == statement.key {
        let second = if first == span { "again, in a loop" } else { "the second" };
        return Diagnostic::error("set-twice", format!("`{}` is set twice in one place", statement.key))
            .label(span, second)
            .label(first, "the first")
            .help("keep one of them");
    }
    if statement.slot.starts_with("mnt.") {
        let path = statement.payload.labels.first().map_or(String::new(), Val::to_string);
        return Diagnostic::error("duplicate-target", format!("{path} is two things at once"))
            .label(span, "the one")
            .label(first, "the other")
            .help("keep one of them");
    }
    Diagnostic::error("set-twice", format!("`{}` and `{first_key}` contradict each other", statement.key))
        .label(span, "the second")
        .label(first, "the first")
        .help("keep one of them")
}

fn put(slots: &mut Slots, statement: Stated, findings: &mut Vec<Diagnostic>) {
    if statement.modifier == Some(Modifier::Remove) {
        return remove(slots, &statement, findings);
    }
    let slot = slots.entry(statement.slot.clone()).or_default();
    let head = statement.payload.field.map_or("", |field| field.head);
    let text = statement.payload.text();
    let candidate = Candidate {
        said: format!("{head} {text}"),
        text,
        payload: statement.payload.clone(),
        origin: statement.origin.clone(),
    };
    // A default is for when nobody says anything.
    if statement.modifier == Some(Modifier::Default) && !(slot.finals.is_empty() && slot.plain.is_empty()) {
        return;
    }
    if let Some(fixed) = slot.finals.first() {
        if fixed.said == candidate.said {
            redundant(&statement, fixed, findings);
        } else {
            findings.push(final_overridden(&statement, fixed));
        }
        return;
    }
    match statement.modifier {
        Some(Modifier::Default) => slot.defaults = vec![over(candidate, &slot.defaults)],
        Some(Modifier::Override) => {
            match (slot.plain.is_empty(), slot.defaults.is_empty()) {
                (true, true) => findings.push(
                    Diagnostic::error("override-nothing", format!("`{}` overrides nothing", statement.key))
                        .label(statement.origin.span, "no profile sets it")
                        .help("write it without `override`"),
                ),
                (true, false) => findings.push(
                    Diagnostic::advice("redundant-set", format!("`override` is not needed for `{}`", statement.key))
                        .label(statement.origin.span, "a plain statement replaces a default")
                        .label(slot.defaults[0].origin.span, "the default")
                        .help("delete `override`"),
                ),
                _ => {}
            }
            let mut before = std::mem::take(&mut slot.plain);
            before.extend(slot.defaults.iter().cloned());
            slot.plain = vec![over(candidate, &before)];
        }
        modifier => plain(slot, candidate, &statement, modifier == Some(Modifier::Final), findings),
    }
}

fn plain(slot: &mut Slot, candidate: Candidate, statement: &Stated, is_final: bool, findings: &mut Vec<Diagnostic>) {
    let other = slot.plain.iter().find(|it| it.said != candidate.said);
    if let Some(other) = other {
        findings.push(
            Diagnostic::error("set-twice", format!("`{}` is already set{}", statement.key, through(other)))
                .label(statement.origin.span, "another value, without `override`")
                .label(other.origin.span, format!("`{}` here", other.shown()))
                .help("write `override` before it to replace the value, or delete one of the two")
                .fix(
                    "write `override` before it",
                    Span { end: statement.origin.span.start, ..statement.origin.span },
                    "override ",
                ),
        );
        // One mistake, one finding: the new value stands, also where siblings disagreed.
        slot.plain = vec![candidate];
        return;
    }
    if let (Some(same), false) = (slot.plain.first(), is_final) {
        redundant(statement, same, findings);
        return;
    }
    let before: Vec<Candidate> = slot.plain.iter().chain(&slot.defaults).cloned().collect();
    let candidate = over(candidate, &before);
    if is_final {
        slot.finals = vec![candidate];
    } else {
        slot.plain = vec![candidate];
    }
}

/// A candidate that replaces others, which it remembers.
fn over(mut candidate: Candidate, before: &[Candidate]) -> Candidate {
    for lost in before {
        let text = lost.shown().to_string();
        let replaced = Replaced { span: lost.origin.span, how: lost.origin.how, text };
        candidate.origin.replaced.push(replaced);
        candidate.origin.replaced.extend(lost.origin.replaced.iter().cloned());
    }
    candidate
}

fn through(candidate: &Candidate) -> String {
    candidate.origin.via.last().map_or(String::new(), |via| format!(" by `{}`", via.profile))
}

fn redundant(statement: &Stated, same: &Candidate, findings: &mut Vec<Diagnostic>) {
    // A policy may show all its namespaces, whatever its profiles say.
    if statement.payload.field.is_none() {
        return;
    }
    findings.push(
        Diagnostic::advice("redundant-set", format!("`{}` already has this value{}", statement.key, through(same)))
            .label(statement.origin.span, "says the same again")
            .label(same.origin.span, "set here")
            .help("delete the line"),
    );
}

fn final_overridden(statement: &Stated, fixed: &Candidate) -> Diagnostic {
    Diagnostic::error("final-overridden", format!("`{}` is final{}", statement.key, through(fixed)))
        .label(statement.origin.span, "cannot be changed here")
        .label(fixed.origin.span, format!("`{}`, once and for all", fixed.shown()))
        .help("delete the line, or use a profile that leaves the value open")
}

/// `remove`: the key itself, and everything below it when it is a section.
fn remove(slots: &mut Slots, statement: &Stated, findings: &mut Vec<Diagnostic>) {
    let inside = format!("{}.", statement.key);
    let is_section = statement.payload.field.is_none();
    let keys: Vec<String> =
        slots.keys().filter(|key| **key == statement.slot || is_section && key.starts_with(&inside)).cloned().collect();
    // A path can be there, and be something else.
    let head = statement.payload.field.map(|it| it.head);
    let other = slots.get(&statement.slot).and_then(Slot::any).filter(|it| it.payload.field.map(|it| it.head) != head);
    if let Some(other) = other.filter(|_| !is_section) {
        findings.push(
            Diagnostic::error("remove-nothing", format!("`{}` removes nothing", statement.key))
                .label(statement.origin.span, "it is something else")
                .label(other.origin.span, format!("it is `{}`", other.origin.key))
                .help("remove that"),
        );
        return;
    }
    if keys.is_empty() {
        findings.push(
            Diagnostic::error("remove-nothing", format!("`{}` removes nothing", statement.key))
                .label(statement.origin.span, "no profile sets it")
                .help("delete the line"),
        );
    }
    if let Some(fixed) = keys.iter().find_map(|key| slots[key].finals.first()) {
        findings.push(final_overridden(statement, fixed));
        return;
    }
    for key in keys {
        slots.remove(&key);
    }
}

/// The one value of each key. Siblings that disagree, and that no later layer has settled, are reported.
pub fn settle(slots: Slots, findings: &mut Vec<Diagnostic>) -> BTreeMap<String, Candidate> {
    let mut settled = BTreeMap::new();
    for (key, slot) in slots {
        let mut candidates: Vec<Candidate> = Vec::new();
        if !slot.finals.is_empty() {
            slot.finals.into_iter().chain(slot.plain).for_each(|it| add(&mut candidates, it));
        } else if !slot.plain.is_empty() {
            candidates = slot.plain;
            if candidates.len() == 1 && candidates[0].origin.replaced.is_empty() && !slot.defaults.is_empty() {
                candidates = vec![over(candidates.remove(0), &slot.defaults)];
            }
        } else {
            candidates = slot.defaults;
        }
        if let [first, second, ..] = candidates.as_slice() {
            findings.push(
                Diagnostic::error("siblings-disagree", format!("the profiles disagree about `{}`", first.origin.key))
                    .label(first.origin.span, format!("`{}`{}", first.shown(), through(first)))
                    .label(second.origin.span, format!("`{}`{}", second.shown(), through(second)))
                    .help("settle it in the sandbox: `override` the key with the value that is meant"),
            );
        }
        if let Some(first) = candidates.into_iter().next() {
            settled.insert(key, first);
        }
    }
    settled
}

/// How a statement makes its value.
pub fn how(modifier: Option<Modifier>) -> How {
    match modifier {
        Some(Modifier::Default) => How::Default,
        Some(Modifier::Override) => How::Override,
        Some(Modifier::Final) => How::Final,
        _ => How::Set,
    }
}
