//! What a policy comes to, written down as statements, is the same policy.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use nsl::resolve::{CallerNames, Expanded, Inputs, Resolved, expand};
use nsl::source::Files;
use serde_json::Value;

use super::{Disk, HERE};

fn expanded(text: &str, real: &Path, params: &[(&str, &str)]) -> (Resolved, Vec<Expanded>) {
    let params: BTreeMap<String, String> =
        params.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let caller = CallerNames { uid: 1000, gid: 1000, user: "ada".into(), home: "/home/ada".into() };
    let inputs = Inputs { params, caller, cwd: HERE.into(), open: false };
    let mut files = Files::new();
    let root = files.add("policy.nsl", text.to_string());
    expand(&mut files, root, &inputs, &Disk { seen: HERE.into(), real: real.into() })
}

fn text(all: &[Expanded]) -> String {
    let mut out = String::new();
    let mut in_pod = false;
    for one in all {
        if in_pod && one.kind != "container" {
            out.push_str("}\n");
            in_pod = false;
        }
        let _ = writeln!(out, "{} {} {{", one.kind, one.name);
        let mut section = "";
        for line in &one.lines {
            if line.section != section {
                out.push_str(if section.is_empty() { "" } else { "}\n" });
                section = line.section;
                let (before, mode) = if line.is_head { (line.before, &*line.text) } else { ("", "") };
                let _ = writeln!(out, "{before}{section} {mode} {{");
                if line.is_head {
                    continue;
                }
            }
            let _ = writeln!(out, "{}{}", line.before, line.text);
        }
        out.push_str(if section.is_empty() { "" } else { "}\n" });
        if one.kind == "pod" {
            in_pod = true;
        } else {
            out.push_str("}\n");
        }
    }
    out.push_str(if in_pod { "}\n" } else { "" });
    out
}

/// A policy without the places that made it.
fn values(value: &Value) -> Value {
    match value {
        Value::Object(fields) if fields.contains_key("origin") => values(&fields["value"]),
        Value::Object(fields) => fields.iter().map(|(name, it)| (name.clone(), values(it))).collect(),
        Value::Array(items) => items.iter().map(values).collect(),
        other => other.clone(),
    }
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
        // A group of the policy's own keeps its name, and its declaration is no statement of a body.
        if source.contains("syscalls group") {
            continue;
        }
        let given = if source.contains("param input") { &given[..] } else { &[] };
        let dir = path.parent().expect("a file is in a folder");
        let (first, all) = expanded(&source, dir, given);
        if first.findings.iter().any(|it| it.is_error()) {
            continue;
        }
        let again = text(&all);
        let (second, _) = expanded(&again, dir, &[]);
        let errors: Vec<_> = second.findings.iter().filter(|it| it.is_error()).collect();
        assert!(errors.is_empty(), "{}\n{again}\n{errors:?}", path.display());
        let as_value = |it: &Resolved| values(&serde_json::to_value(&it.policy).expect("a policy is data"));
        assert_eq!(as_value(&first), as_value(&second), "{}\n{again}", path.display());
        seen += 1;
    }
    assert!(seen > 10, "only {seen} policies are right");
}
