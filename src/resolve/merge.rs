//! The merge rule: siblings join, a layer goes over its base, and what is left is one value for each key.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use super::module::Module;
use super::value::Val;
use super::weaker;
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
    pub labels: Rc<[Val]>,
    /// Its value, fitted to its type.
    pub value: Option<Rc<Val>>,
    /// How much it insists.
    pub strength: Strength,
    /// The module whose groups of system calls it means; `None` for what no module says.
    pub module: Option<Rc<Module>>,
    /// Whether it is a default of a section whose mode is a default too: `default time new { … }`. Where the section is not
    /// new in the end, it goes with the mode.
    pub with_mode: bool,
}

impl Payload {
    /// How it begins; empty for the mode of a section.
    fn head(&self) -> &'static str {
        self.field.map_or("", |field| field.head)
    }

    /// The value as it is shown.
    fn text(&self) -> String {
        let strength = match self.strength {
            Strength::Required => "",
            Strength::Prefer => "prefer ",
            Strength::Optional => "optional ",
        };
        let value = self.value.as_ref().map_or(String::new(), |it| it.to_string());
        format!("{strength}{value}")
    }
}

/// A statement of a layer.
#[derive(Clone, Debug)]
pub struct Stated {
    /// What it is compared under: `mount /tmp` and `hide /tmp` are two values of one path.
    pub slot: Arc<str>,
    /// `default`, `override`, `final`, `remove`.
    pub modifier: Option<Modifier>,
    /// What it says.
    pub payload: Rc<Payload>,
    /// Where it came from, with its key, such as `mnt.mount[/tmp]`.
    pub origin: Origin,
}

/// A value that a key could have.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// What was stated.
    pub payload: Rc<Payload>,
    /// Where it came from.
    pub origin: Origin,
}

impl Candidate {
    /// The value as text, or, where it has none, the head.
    fn shown(&self) -> String {
        let text = self.payload.text();
        if text.is_empty() { self.payload.head().to_string() } else { text }
    }

    /// Whether the other one says the same: it is written alike, wherever that is.
    fn is_same(&self, other: &Candidate) -> bool {
        let (mine, theirs) = (&self.payload, &other.payload);
        mine.head() == theirs.head() && mine.text() == theirs.text()
    }
}

/// The candidates of one key: defaults, plain ones, final ones.
#[derive(Clone, Debug, Default)]
pub struct Slot {
    defaults: Vec<Candidate>,
    plain: Vec<Candidate>,
    finals: Vec<Candidate>,
    gone: Vec<Gone>,
}

/// A value that a `remove` took away.
#[derive(Clone, Debug)]
pub struct Gone {
    /// Where it came from.
    pub origin: Origin,
    /// The value as text, or, where it had none, the head.
    pub text: String,
    /// The `remove`.
    pub by: Origin,
}

impl Slot {
    fn any(&self) -> Option<&Candidate> {
        self.finals.first().or(self.plain.first()).or(self.defaults.first())
    }

    fn all(&self) -> impl Iterator<Item = &Candidate> {
        self.finals.iter().chain(&self.plain).chain(&self.defaults)
    }

    /// Those that are meant, and the others with what was removed before.
    fn parted(self, is_meant: impl Fn(&Candidate) -> bool) -> (Slot, Slot) {
        let part = |list: Vec<Candidate>| list.into_iter().partition::<Vec<_>, _>(&is_meant);
        let (finals, plain, defaults) = (part(self.finals), part(self.plain), part(self.defaults));
        let meant = Slot { finals: finals.0, plain: plain.0, defaults: defaults.0, gone: Vec::new() };
        (meant, Slot { finals: finals.1, plain: plain.1, defaults: defaults.1, gone: self.gone })
    }
}

/// All keys of a stack of layers.
pub type Slots = BTreeMap<Arc<str>, Slot>;

fn add(list: &mut Vec<Candidate>, candidate: Candidate) {
    if !list.iter().any(|it| it.is_same(&candidate)) {
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
        mine.gone.extend(slot.gone.iter().cloned());
    }
}

/// One layer over its base. Two statements for one key inside the layer are an error of their own.
pub fn apply(slots: &mut Slots, layer: Vec<Stated>, findings: &mut Vec<Diagnostic>) {
    let mut stated: HashMap<Arc<str>, (Arc<str>, Span)> = HashMap::with_capacity(layer.len());
    for statement in layer {
        match stated.entry(statement.slot.clone()) {
            Entry::Occupied(known) => {
                let (key, first) = known.get();
                findings.push(twice(&statement, key, *first));
            }
            Entry::Vacant(free) => {
                free.insert((statement.origin.key.clone(), statement.origin.span));
                put(slots, statement, findings);
            }
        }
    }
}

/// Two statements of one layer for one key.
fn twice(statement: &Stated, first_key: &str, first: Span) -> Diagnostic {
    let span = statement.origin.span;
    if first_key == &*statement.origin.key {
        let second = if first == span { "again, in a loop" } else { "the second" };
        return Diagnostic::error("set-twice", format!("`{}` is set twice in one place", statement.origin.key))
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
    Diagnostic::error("set-twice", format!("`{}` and `{first_key}` contradict each other", statement.origin.key))
        .label(span, "the second")
        .label(first, "the first")
        .help("keep one of them")
}

fn put(slots: &mut Slots, statement: Stated, findings: &mut Vec<Diagnostic>) {
    if statement.modifier == Some(Modifier::Remove) {
        return remove(slots, &statement, findings);
    }
    let slot = slots.entry(statement.slot.clone()).or_default();
    let candidate = Candidate { payload: statement.payload.clone(), origin: statement.origin.clone() };
    // A default is for when nobody says anything.
    if statement.modifier == Some(Modifier::Default) && !(slot.finals.is_empty() && slot.plain.is_empty()) {
        return;
    }
    // Final values that disagree are settled by nobody, and told once: by `settle`.
    if slot.finals.len() > 1 {
        return;
    }
    if let Some(fixed) = slot.finals.first() {
        if fixed.is_same(&candidate) {
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
                    Diagnostic::error("override-nothing", format!("`{}` overrides nothing", statement.origin.key))
                        .label(statement.origin.span, "no profile sets it")
                        .help("write it without `override`"),
                ),
                (true, false) => findings.push(
                    Diagnostic::advice(
                        "redundant-set",
                        format!("`override` is not needed for `{}`", statement.origin.key),
                    )
                    .label(statement.origin.span, "a plain statement replaces a default")
                    .label(slot.defaults[0].origin.span, "the default")
                    .help("delete `override`"),
                ),
                _ => {}
            }
            let mut before = std::mem::take(&mut slot.plain);
            before.extend(slot.defaults.iter().cloned());
            let candidate = over(candidate, &before);
            let replaces = |how: &str| format!("`{}` is weaker than what it replaces: {how}", statement.origin.key);
            findings.extend(
                before.iter().find_map(|it| {
                    weakens(&statement, it, replaces(&weaker::weaker(&it.payload, &candidate.payload)?))
                }),
            );
            slot.plain = vec![candidate];
        }
        modifier => plain(slot, candidate, &statement, modifier == Some(Modifier::Final), findings),
    }
}

fn plain(slot: &mut Slot, candidate: Candidate, statement: &Stated, is_final: bool, findings: &mut Vec<Diagnostic>) {
    let other = slot.plain.iter().find(|it| !it.is_same(&candidate));
    if let Some(other) = other {
        let span = statement.origin.span;
        let finding =
            Diagnostic::error("set-twice", format!("`{}` is already set{}", statement.origin.key, through(other)))
                .label(span, "another value, without `override`")
                .label(other.origin.span, format!("`{}` here", other.shown()))
                .help("write `override` before it to replace the value, or delete one of the two");
        findings.push(match is_final {
            false => finding.fix("write `override` before it", Span { end: span.start, ..span }, "override "),
            true => finding,
        });
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
        let text = lost.shown();
        let weaker = weaker::weaker(&lost.payload, &candidate.payload);
        let Origin { span, how, ref via, .. } = lost.origin;
        let replaced = Replaced { weaker, span, how, via: via.clone(), text };
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
        Diagnostic::advice(
            "redundant-set",
            format!("`{}` already has this value{}", statement.origin.key, through(same)),
        )
        .label(statement.origin.span, "says the same again")
        .label(same.origin.span, "set here")
        .help("delete the line")
        .delete(statement.origin.span),
    );
}

/// A reviewer has to see what a decision of a profile gave that this policy does not.
fn weakens(statement: &Stated, old: &Candidate, how: String) -> Option<Diagnostic> {
    // A default is a proposal: that a policy decides otherwise is what it is for.
    if old.origin.how == How::Default {
        return None;
    }
    let finding = Diagnostic::advice("override-weakens", how)
        .label(statement.origin.span, "weaker")
        .label(old.origin.span, format!("`{}`{}", old.shown(), through(old)))
        .help("keep what the profile says, or say why: `# nsl: allow override-weakens, because …`");
    Some(finding)
}

fn removed(statement: &Stated, gone: &[Slot]) -> Option<Diagnostic> {
    let decided = gone.iter().filter_map(|it| it.plain.first());
    let missed: Vec<&Candidate> = decided.filter(|it| weaker::is_missed(&it.payload)).collect();
    let names: Vec<String> = missed.iter().map(|it| format!("`{}`", it.origin.key)).collect();
    let how = format!("the sandbox is weaker without {}", names.join(", "));
    let (first, others) = missed.split_first()?;
    let finding = weakens(statement, first, how)?;
    Some(
        others
            .iter()
            .fold(finding, |it, other| it.label(other.origin.span, format!("`{}`{}", other.shown(), through(other)))),
    )
}

fn final_overridden(statement: &Stated, fixed: &Candidate) -> Diagnostic {
    Diagnostic::error("final-overridden", format!("`{}` is final{}", statement.origin.key, through(fixed)))
        .label(statement.origin.span, "cannot be changed here")
        .label(fixed.origin.span, format!("`{}`, once and for all", fixed.shown()))
        .help("delete the line, or use a profile that leaves the value open")
}

/// `remove`: the key itself, and everything below it when it is a section.
fn remove(slots: &mut Slots, statement: &Stated, findings: &mut Vec<Diagnostic>) {
    let inside = format!("{}.", statement.origin.key);
    let is_section = statement.payload.field.is_none();
    let of_statement = |key: &str| key == &*statement.slot || is_section && key.starts_with(&inside);
    let there = slots.iter().filter(|(key, slot)| of_statement(key) && slot.any().is_some());
    let keys: Vec<Arc<str>> = there.map(|(key, _)| key.clone()).collect();
    // A path can be there, and be something else; where siblings disagree, it can be both.
    let head = statement.payload.field.map(|it| it.head);
    let is_meant = |it: &Candidate| is_section || it.payload.field.map(|it| it.head) == head;
    let there = slots.get(&statement.slot);
    if let Some(other) = there.and_then(Slot::any).filter(|_| !there.is_some_and(|it| it.all().any(is_meant))) {
        findings.push(
            Diagnostic::error("remove-nothing", format!("`{}` removes nothing", statement.origin.key))
                .label(statement.origin.span, "it is something else")
                .label(other.origin.span, format!("it is `{}`", other.origin.key))
                .help("remove that"),
        );
        return;
    }
    if keys.is_empty() {
        findings.push(
            Diagnostic::error("remove-nothing", format!("`{}` removes nothing", statement.origin.key))
                .label(statement.origin.span, "no profile sets it")
                .help("delete the line")
                .delete(statement.origin.span),
        );
    }
    if let Some(fixed) = keys.iter().find_map(|key| slots[key].finals.first()) {
        findings.push(final_overridden(statement, fixed));
        return;
    }
    let mut gone = Vec::new();
    for key in keys {
        let slot = slots.remove(&key).unwrap_or_default();
        let (meant, mut others) = slot.parted(is_meant);
        others.gone.extend(meant.plain.iter().chain(&meant.defaults).map(|it| Gone {
            origin: it.origin.clone(),
            text: it.shown(),
            by: statement.origin.clone(),
        }));
        gone.push(meant);
        // Where nothing else is left, the trace is, which is no value.
        slots.insert(key, others);
    }
    findings.extend(removed(statement, &gone));
}

/// What was removed and is not there in the end.
pub fn gone(slots: &Slots) -> Vec<Gone> {
    slots.values().filter(|it| it.any().is_none()).flat_map(|it| it.gone.clone()).collect()
}

/// The one value of each key. Siblings that disagree, and that no later layer has settled, are reported.
pub fn settle(slots: Slots, findings: &mut Vec<Diagnostic>) -> BTreeMap<Arc<str>, Candidate> {
    // Collected, not inserted one by one: they come in the order of their keys.
    slots.into_iter().filter_map(|(key, slot)| Some((key, settle_one(slot, findings)?))).collect()
}

fn settle_one(slot: Slot, findings: &mut Vec<Diagnostic>) -> Option<Candidate> {
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
    candidates.into_iter().next()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::value::Value;
    use proptest::prelude::*;

    const LEVELS: [Option<Modifier>; 5] =
        [None, Some(Modifier::Default), Some(Modifier::Override), Some(Modifier::Final), Some(Modifier::Remove)];

    fn stated(key: u8, modifier: Option<Modifier>, value: u8) -> Stated {
        let key: Arc<str> = format!("k{key}").into();
        let value = Val { value: Value::Int(value.into()), span: Span::default() };
        let payload = Payload {
            field: None,
            labels: Rc::from([]),
            value: Some(Rc::new(value)),
            strength: Strength::Required,
            module: None,
            with_mode: false,
        };
        let origin = Origin {
            span: Span::default(),
            how: how(modifier),
            key: key.clone(),
            via: Arc::from([]),
            replaced: Vec::new(),
        };
        Stated { slot: key, modifier, payload: Rc::new(payload), origin }
    }

    /// Slots as bodies over each other make them.
    fn slots() -> impl Strategy<Value = Slots> {
        prop::collection::vec((0u8..4, 0usize..5, 0u8..3), 0..12).prop_map(|said| {
            let mut slots = Slots::new();
            for (key, level, value) in said {
                apply(&mut slots, vec![stated(key, LEVELS[level], value)], &mut Vec::new());
            }
            slots
        })
    }

    type Sets = BTreeMap<Arc<str>, [Vec<String>; 3]>;

    /// The three sets of each key, whatever the order in which they were met.
    fn sets(slots: &Slots) -> Sets {
        let sorted = |set: &Vec<Candidate>| {
            let mut said: Vec<String> = set.iter().map(Candidate::shown).collect();
            said.sort();
            said
        };
        slots
            .iter()
            .map(|(key, it)| (key.clone(), [sorted(&it.defaults), sorted(&it.plain), sorted(&it.finals)]))
            .collect()
    }

    fn joined(a: &Slots, b: &Slots) -> Slots {
        let mut slots = a.clone();
        join(&mut slots, b);
        slots
    }

    proptest! {
        #[test]
        fn joining_has_no_order(a in slots(), b in slots()) {
            prop_assert_eq!(sets(&joined(&a, &b)), sets(&joined(&b, &a)));
        }

        #[test]
        fn joining_has_no_grouping(a in slots(), b in slots(), c in slots()) {
            prop_assert_eq!(sets(&joined(&joined(&a, &b), &c)), sets(&joined(&a, &joined(&b, &c))));
        }

        #[test]
        fn joining_again_changes_nothing(a in slots(), b in slots()) {
            prop_assert_eq!(sets(&joined(&a, &a)), sets(&a));
            prop_assert_eq!(sets(&joined(&joined(&a, &b), &b)), sets(&joined(&a, &b)));
        }

        #[test]
        fn the_order_of_statements_means_nothing(
            base in slots(),
            body in prop::collection::btree_map(0u8..4, (0usize..5, 0u8..3), 0..4),
        ) {
            let body: Vec<Stated> = body.into_iter().map(|(key, (level, value))| stated(key, LEVELS[level], value)).collect();
            let (mut forwards, mut backwards) = (base.clone(), base);
            apply(&mut forwards, body.clone(), &mut Vec::new());
            apply(&mut backwards, body.into_iter().rev().collect(), &mut Vec::new());
            prop_assert_eq!(sets(&forwards), sets(&backwards));
        }
    }

    /// What a statement over a base comes to: the value, and the codes of what is said about it.
    fn over(
        base: &[(Option<Modifier>, u8)],
        modifier: Option<Modifier>,
        value: u8,
    ) -> (Option<String>, Vec<&'static str>) {
        let mut slots = Slots::new();
        for (level, value) in base {
            let mut sibling = Slots::new();
            apply(&mut sibling, vec![stated(0, *level, *value)], &mut Vec::new());
            join(&mut slots, &sibling);
        }
        let mut findings = Vec::new();
        apply(&mut slots, vec![stated(0, modifier, value)], &mut findings);
        // The mode of a section may be said again; a field may not.
        let value = settle(slots, &mut findings).into_values().next().map(|it| it.shown());
        (value, findings.into_iter().map(|it| it.code).collect())
    }

    /// The table of the reference, row by row.
    #[test]
    fn the_table_of_the_merge_rule() {
        use Modifier::{Default, Final, Override, Remove};
        let is = |value: &str| Some(value.to_string());
        assert_eq!(over(&[], None, 1), (is("1"), vec![]));
        assert_eq!(over(&[], Some(Override), 1), (is("1"), vec!["override-nothing"]));
        assert_eq!(over(&[], Some(Remove), 1), (None, vec!["remove-nothing"]));

        assert_eq!(over(&[(Some(Default), 1)], None, 2), (is("2"), vec![]));
        assert_eq!(over(&[(Some(Default), 1), (Some(Default), 3)], None, 2), (is("2"), vec![]));
        assert_eq!(over(&[(Some(Default), 1)], Some(Override), 2), (is("2"), vec!["redundant-set"]));
        assert_eq!(over(&[(Some(Default), 1)], Some(Remove), 2), (None, vec![]));

        assert_eq!(over(&[(None, 1)], None, 1), (is("1"), vec![]));
        assert_eq!(over(&[(None, 1)], Some(Default), 2), (is("1"), vec![]));
        assert_eq!(over(&[(None, 1)], Some(Remove), 2), (None, vec![]));

        assert_eq!(over(&[(None, 1)], None, 2), (is("2"), vec!["set-twice"]));
        assert_eq!(over(&[(None, 1), (None, 2)], None, 1), (is("1"), vec!["set-twice"]));
        assert_eq!(over(&[(None, 1), (None, 2)], Some(Override), 3), (is("3"), vec![]));

        assert_eq!(over(&[(Some(Final), 1)], None, 1), (is("1"), vec![]));
        assert_eq!(over(&[(Some(Final), 1)], Some(Default), 2), (is("1"), vec![]));
        assert_eq!(over(&[(Some(Final), 1)], None, 2), (is("1"), vec!["final-overridden"]));
        assert_eq!(over(&[(Some(Final), 1)], Some(Override), 2), (is("1"), vec!["final-overridden"]));
        let disagreeing = [(Some(Final), 1), (Some(Final), 2)];
        for value in [1, 2, 3] {
            assert_eq!(over(&disagreeing, None, value).1, vec!["siblings-disagree"]);
        }
        assert_eq!(over(&[(Some(Final), 1)], Some(Remove), 2), (is("1"), vec!["final-overridden"]));
    }
}
