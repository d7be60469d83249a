//! What a policy comes to, written down as statements, is the same policy.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use nsl::resolve::{CallerNames, Expanded, Inputs, Resolved, Show, expand, text};
use nsl::source::Files;
use serde_json::Value;

use super::{Disk, HERE};

fn expanded(text: &str, real: &Path, params: &[(&str, &str)]) -> (Files, Resolved, Vec<Expanded>) {
    let params: BTreeMap<String, String> =
        params.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let caller = CallerNames { uid: 1000, gid: 1000, user: "ada".into(), home: "/home/ada".into() };
    let inputs = Inputs { params, caller, cwd: HERE.into(), open: false, ..Inputs::default() };
    let mut files = Files::new();
    let root = files.add("policy.nsl", text.to_string());
    let (resolved, all) = expand(&mut files, root, &inputs, &Disk { seen: HERE.into(), real: real.into() });
    (files, resolved, all)
}

/// A policy without the places that made it.
fn values(value: &Value) -> Value {
    match value {
        Value::Object(fields) if fields.contains_key("origin") => values(&fields["value"]),
        // A rule is what it does: groups of two modules may share a name, which one text cannot have twice.
        Value::Object(fields) if fields.contains_key("is_group") => {
            fields.iter().filter(|it| it.0 != "name").map(|(name, it)| (name.clone(), values(it))).collect()
        }
        Value::Object(fields) => fields.iter().map(|(name, it)| (name.clone(), values(it))).collect(),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(values).collect();
            if items.iter().all(|it| it.get("is_group").is_some()) {
                items.sort_by_key(ToString::to_string);
            }
            Value::Array(items)
        }
        other => other.clone(),
    }
}

/// The lines of a text without comments, sorted: what groups of system calls are called decides their order.
fn bare(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> =
        text.lines().map(|line| line.split("  #").next().unwrap_or_default().trim_end()).collect();
    lines.sort_unstable();
    lines
}

fn policies(dir: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
    let mut found: Vec<PathBuf> = fs::read_dir(dir).expect("a folder").flatten().map(|it| it.path()).collect();
    found.retain(|it| it.extension().is_some_and(|it| it == "nsl"));
    found.sort();
    found
}

#[test]
fn an_expanded_policy_is_the_same_policy() {
    let mut seen = 0;
    for path in ["examples", "tests/language/merge", "tests/language/modules"].into_iter().flat_map(policies) {
        let given = [("input", "/job.py")];
        let source = fs::read_to_string(&path).expect("a policy is text");
        let given = if source.contains("param input") { &given[..] } else { &[] };
        let dir = path.parent().expect("a file is in a folder");
        let (files, first, all) = expanded(&source, dir, given);
        if first.findings.iter().any(|it| it.is_error()) {
            continue;
        }
        let chosen: Vec<&Expanded> = all.iter().collect();
        let again = text(&chosen, &files, Show::default());
        let (_, second, _) = expanded(&again, dir, &[]);
        let errors: Vec<_> = second.findings.iter().filter(|it| it.is_error()).collect();
        assert!(errors.is_empty(), "{}\n{again}\n{errors:?}", path.display());
        let as_value = |it: &Resolved| values(&serde_json::to_value(&it.policy).expect("a policy is data"));
        assert_eq!(as_value(&first), as_value(&second), "{}\n{again}", path.display());
        // What holds without being stated, stated: nothing is left to be added.
        let whole = text(&chosen, &files, Show { defaults: true, ..Show::default() });
        let (files, third, all) = expanded(&whole, dir, &[]);
        let errors: Vec<_> = third.findings.iter().filter(|it| it.is_error()).collect();
        assert!(errors.is_empty(), "{}\n{whole}\n{errors:?}", path.display());
        let chosen: Vec<&Expanded> = all.iter().collect();
        let once_more = text(&chosen, &files, Show { defaults: true, ..Show::default() });
        assert_eq!(bare(&whole), bare(&once_more), "{}", path.display());
        seen += 1;
    }
    assert!(seen > 10, "only {seen} policies are right");
}
