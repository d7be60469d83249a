//! Texts and what is said of them: every case is a `.nsl` file with its rendered findings beside it.
//!
//! `KIND/NAME.nsl` is a case, `KIND/NAME.out` what it gives; a module that a case uses stands in a folder below, such as
//! `KIND/parts`. A first line `# set NAME=VALUE …` gives parameters. A case without findings, or with nothing but advice, is worth having as well:
//! its `.out` holds the policy's keys with their values. `NSL_BLESS=1` writes the `.out` files anew.

mod checks;
mod expand;
mod format;
mod host;
mod host_keep;
mod host_pages;
mod host_process;
mod laws;
mod pages;
mod reference;
mod robust;
mod syntax;
mod targets;
mod typed;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use nsl::report::{Format, Style, render};
use nsl::resolve::{CallerNames, Inputs, Resolved, resolve};
use nsl::source::{Files, LoadError, Loader};

/// Modules beside the cases.
struct Disk {
    /// Where the policy seems to lie.
    seen: PathBuf,
    /// Where it lies.
    real: PathBuf,
}

impl Loader for Disk {
    fn load(&self, path: &Path) -> Result<String, LoadError> {
        let rest = path.strip_prefix(&self.seen).unwrap_or(path);
        fs::read_to_string(self.real.join(rest)).map_err(|_| LoadError::Missing)
    }
}

const STYLE: Style = Style { format: Format::Human, color: false, unicode: true, width: 100 };

/// The directory in which every case seems to lie, so that paths in the results are the same everywhere.
const HERE: &str = "/policies";

/// What one text comes to; `set` are parameters, as `NAME=VALUE`.
fn resolved(text: &str, name: &str, real: &Path, set: &[&str]) -> (Files, Resolved) {
    let params: BTreeMap<String, String> =
        set.iter().filter_map(|it| it.split_once('=')).map(|(name, value)| (name.into(), value.into())).collect();
    let caller = CallerNames { uid: 1000, gid: 1000, user: "ada".into(), home: "/home/ada".into() };
    let inputs = Inputs { params, caller, cwd: HERE.into(), open: false, ..Inputs::default() };
    let mut files = Files::new();
    let root = files.add(name, text.to_string());
    let result = resolve(&mut files, root, &inputs, &Disk { seen: HERE.into(), real: real.into() });
    (files, result)
}

fn output(text: &str, name: &str, real: &Path) -> String {
    let set = text.lines().next().and_then(|it| it.strip_prefix("# set ")).unwrap_or("");
    let (files, result) = resolved(text, name, real, &set.split_whitespace().collect::<Vec<_>>());
    let said = render(&files, &result.findings, STYLE);
    if result.findings.iter().any(|it| it.severity != nsl::report::Severity::Advice) {
        return said;
    }
    let mut lines = Vec::new();
    if !said.is_empty() {
        lines.push(said);
    }
    stated(&serde_json::to_value(&result.policy).expect("a policy is data"), &mut lines);
    lines.join("\n") + "\n"
}

/// Every traced value that somebody wrote, as `KEY  VALUE`, with what it replaced.
fn stated(value: &serde_json::Value, lines: &mut Vec<String>) {
    use serde_json::Value::{Array, Object};
    match value {
        Object(fields) => {
            let origin = fields.get("origin").and_then(|it| it.as_object());
            if let (Some(origin), Some(inner)) = (origin, fields.get("value")) {
                let how = match &origin["how"] {
                    serde_json::Value::String(how) => how.as_str(),
                    _ => "implied",
                };
                if how != "implied" {
                    let via: Vec<&str> = origin["via"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .filter_map(|it| it["profile"].as_str())
                        .collect();
                    let replaced = origin["replaced"].as_array().into_iter().flatten();
                    let replaced: Vec<&str> = replaced.filter_map(|it| it["text"].as_str()).collect();
                    let via = if via.is_empty() { String::new() } else { format!("  by {}", via.join(" > ")) };
                    let lost =
                        if replaced.is_empty() { String::new() } else { format!("  for {}", replaced.join(", ")) };
                    lines.push(format!("{}  {how}  {inner}{via}{lost}", origin["key"].as_str().unwrap_or("")));
                }
                return;
            }
            fields.values().for_each(|it| stated(it, lines));
        }
        Array(items) => items.iter().for_each(|it| stated(it, lines)),
        _ => {}
    }
}

fn cases(kind: &str) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/language").join(kind);
    let bless = std::env::var_os("NSL_BLESS").is_some();
    let mut paths: Vec<PathBuf> =
        fs::read_dir(&dir).expect("the folder of the cases").flatten().map(|it| it.path()).collect();
    paths.sort();
    let mut wrong = Vec::new();
    for path in paths.iter().filter(|it| it.extension().is_some_and(|it| it == "nsl")) {
        let text = fs::read_to_string(path).expect("a case is text");
        let name = path.file_name().expect("a case has a name").to_string_lossy();
        let got = output(&text, &name, &dir);
        let expected = path.with_extension("out");
        if bless {
            fs::write(&expected, &got).expect("the result can be written");
        } else if fs::read_to_string(&expected).ok().as_deref() != Some(got.as_str()) {
            wrong.push(format!("{kind}/{name} gives\n{got}"));
        }
    }
    assert!(!paths.is_empty(), "no cases in {kind}");
    assert!(wrong.is_empty(), "{}\nNSL_BLESS=1 takes these for right", wrong.join("\n"));
}

#[test]
fn names() {
    cases("names");
}

#[test]
fn types() {
    cases("types");
}

#[test]
fn merge() {
    cases("merge");
}

#[test]
fn modules() {
    cases("modules");
}
