//! What holds although nobody states it: a reader of an expanded policy is to guess nothing.

use std::rc::Rc;

use super::{Expanded, Line};
use crate::policy::{IdMap, NsKind, Origin, Sandbox, Strength, Traced};
use crate::resolve::body::slot_of;
use crate::resolve::value::{ArgVal, Val, Value};
use crate::schema;

/// A statement that nobody wrote: its section, its head (empty for the mode of the section), labels and value.
#[derive(Clone)]
struct Row {
    section: &'static str,
    head: &'static str,
    labels: Vec<Value>,
    value: Option<Value>,
    origin: Origin,
}

/// Adds to the statements of a sandbox what holds besides. Of a pod only its namespaces: the rest is its containers'.
pub fn add_implied(expanded: &mut Expanded, sandbox: &Sandbox) {
    let mut rows = modes(sandbox);
    rows.extend(maps(sandbox));
    rows.extend(settings(sandbox));
    if expanded.kind == "pod" {
        rows.retain(|row| schema::section(row.section).is_some_and(|it| it.has_mode));
    }
    for row in rows {
        let field = if row.head.is_empty() { None } else { schema::find(row.section, row.head) };
        let slot = slot_of(field, &row.origin.key);
        let at = |value| Val { value, span: row.origin.span };
        let line = Line {
            section: row.section,
            strength: Strength::Required,
            field,
            labels: row.labels.into_iter().map(at).collect(),
            value: row.value.map(at).map(Rc::new),
            slot,
            group: None,
            origin: row.origin,
        };
        let of = |line: &Line| (line.rank(), line.slot.clone());
        // What is stated is there already, at its place.
        if let Err(place) = expanded.lines.binary_search_by_key(&of(&line), of) {
            expanded.lines.insert(place, line);
        }
    }
}

fn modes(sandbox: &Sandbox) -> Vec<Row> {
    let implied = NsKind::ALL.into_iter().filter(|kind| sandbox.mode(*kind).is_implied());
    implied
        .map(|kind| Row {
            section: kind.name(),
            head: "",
            labels: Vec::new(),
            value: Some(variant("host")),
            origin: sandbox.mode(kind).origin.clone(),
        })
        .collect()
}

fn maps(sandbox: &Sandbox) -> Vec<Row> {
    let user = &sandbox.user;
    let row = |kind: &str, map: &Traced<IdMap>| Row {
        section: "user",
        head: "map",
        labels: vec![Value::Symbol(kind.into()), Value::Int(map.value.inside.into())],
        value: Some(variant("unprivileged")),
        origin: map.origin.clone(),
    };
    let implied = |maps: &[Traced<IdMap>], kind| -> Vec<Row> {
        maps.iter().filter(|it| it.is_implied()).map(|it| row(kind, it)).collect()
    };
    [implied(&user.uid_map, "uid"), implied(&user.gid_map, "gid")].concat()
}

fn settings(sandbox: &Sandbox) -> Vec<Row> {
    let name = sandbox.name.span();
    let setting = |section, head, value, origin| Row { section, head, labels: Vec::new(), value: Some(value), origin };
    let mut rows = vec![
        setting("", "cwd", Value::Path("/".into()), Origin::implied(name, "cwd", "a program starts in `/`")),
        setting("", "no-new-privs", Value::Bool(sandbox.no_new_privs.value), sandbox.no_new_privs.origin.clone()),
        setting(
            "stop",
            "signal",
            Value::Symbol(sandbox.stop.signal.value.name.clone()),
            sandbox.stop.signal.origin.clone(),
        ),
        setting(
            "stop",
            "timeout",
            Value::Duration(sandbox.stop.timeout.value as i64),
            sandbox.stop.timeout.origin.clone(),
        ),
    ];
    if sandbox.is_new(NsKind::Pid) {
        rows.push(setting("pid", "init", Value::Bool(sandbox.pid.init.value), sandbox.pid.init.origin.clone()));
    }
    if sandbox.is_new(NsKind::Net) {
        let origin =
            Origin::implied(sandbox.net.mode.span(), "net.loopback", "a new network has a loopback that is up");
        rows.push(setting("net", "loopback", Value::Symbol("up".into()), origin));
    }
    for rule in sandbox.net.rules.iter().filter(|it| it.is_implied()) {
        let labels = vec![Value::Symbol(rule.value.direction.name().into()), Value::Everything];
        rows.push(Row { section: "net", head: "deny", labels, value: None, origin: rule.origin.clone() });
    }
    if sandbox.is_new(NsKind::Mnt) {
        let origin = Origin::implied(sandbox.mnt.mode.span(), "mnt.root", "a tree begins empty");
        rows.push(setting("mnt", "root", variant("empty"), origin));
    }
    if let Some(seccomp) = &sandbox.seccomp {
        let eperm = Val { value: Value::Symbol("EPERM".into()), span: seccomp.otherwise.span() };
        let value = Value::Variant("errno".into(), vec![ArgVal { name: None, value: eperm, bare: true }]);
        rows.push(setting("seccomp", "otherwise", value, seccomp.otherwise.origin.clone()));
    }
    rows
}

fn variant(name: &str) -> Value {
    Value::Variant(name.into(), Vec::new())
}
