//! The merge rule: the examples of the reference say what they come to, and the laws hold for policies that nobody wrote.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use nsl::report::Severity;
use nsl::resolve::{Expanded, Inputs, Show, expand, text};
use nsl::source::{Files, LoadError, Loader};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

struct Nothing;

impl Loader for Nothing {
    fn load(&self, _: &Path) -> Result<String, LoadError> {
        Err(LoadError::Missing)
    }
}

fn expanded(source: &str) -> (Files, nsl::resolve::Resolved, Vec<Expanded>) {
    let inputs = Inputs { cwd: super::HERE.into(), ..Inputs::default() };
    let mut files = Files::new();
    let root = files.add("policy.nsl", source.to_string());
    let (resolved, all) = expand(&mut files, root, &inputs, &Nothing);
    (files, resolved, all)
}

/// What stands between the fences of the section about the merge rule.
fn examples() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("grammar/README.md");
    let page = fs::read_to_string(path).expect("the language reference");
    let (_, section) = page.split_once("\n## The merge rule\n").expect("a section about the merge rule");
    let section = section.split("\n## ").next().unwrap_or_default();
    section.split("```nsl\n").skip(1).filter_map(|it| it.split("```").next()).map(str::to_string).collect()
}

#[test]
fn the_examples_of_the_reference_come_to_what_they_say() {
    let all = examples();
    assert!(all.len() >= 8, "only {} examples", all.len());
    for example in all {
        let (files, resolved, bodies) = expanded(&example);
        let mut told: Vec<(usize, String)> = Vec::new();
        for finding in &resolved.findings {
            let line = finding.labels.first().map_or(0, |it| files.line_col(it.span.file, it.span.start).0);
            let word = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Advice => "advice",
            };
            // What is no part of the merge rule, such as a program that is missing, is not the subject.
            told.push((line, format!("{word}: {}", finding.code)));
        }
        let mut expected = Vec::new();
        for (number, line) in example.lines().enumerate() {
            let Some((_, comment)) = line.split_once('#') else { continue };
            let comment = comment.trim();
            if ["error:", "advice:", "warning:"].iter().any(|it| comment.starts_with(it)) {
                expected.push((number + 1, comment.to_string()));
            }
        }
        told.sort();
        assert_eq!(told, expected, "{example}");
        values(&example, &bodies);
    }
}

/// `# is: KEY = VALUE` in the body of a sandbox or container.
fn values(example: &str, bodies: &[Expanded]) {
    let mut at = "";
    for line in example.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["sandbox" | "container" | "pod", name, ..] = words.as_slice() {
            at = name;
        }
        let Some((key, value)) = line.trim().strip_prefix("# is: ").and_then(|it| it.split_once(" = ")) else {
            continue;
        };
        let body = bodies.iter().find(|it| it.name == at).unwrap_or_else(|| panic!("there is no {at}: {example}"));
        let found = body.lines.iter().find(|it| *it.origin.key == *key);
        let shown = found.unwrap_or_else(|| panic!("{at} has no {key}: {example}")).shown();
        assert_eq!(shown, value, "{key} in {at}: {example}");
    }
}

/// A statement: its section, if it has one, and the text without a modifier.
type Said = (&'static str, &'static str);

/// Statements of different keys, each with two values.
const STATEMENTS: &[[Said; 2]] = &[
    [("", "cwd = /a"), ("", "cwd = /b")],
    [("", "env A = \"1\""), ("", "env A = \"2\"")],
    [("", "env B = inherit"), ("", "env B = \"2\"")],
    [("", "run = [\"/bin/a\"]"), ("", "run = [\"/bin/a\", \"-v\"]")],
    [("mnt", "mount /tmp = tmpfs(size: 1MiB)"), ("mnt", "hide /tmp")],
    [("mnt", "mount /usr = bind(ro)"), ("mnt", "mount /usr/ = bind(rw, noexec)")],
    [("mnt", "root = empty"), ("mnt", "root = host(ro)")],
    [("cgroup", "pids.max = 5"), ("cgroup", "prefer pids.max = 7")],
    [("cgroup", "memory.max = 64MiB"), ("cgroup", "memory.max = 1GiB")],
    [("seccomp", "allow read"), ("seccomp", "deny read = kill")],
    [("seccomp", "otherwise = kill"), ("seccomp", "otherwise = errno(EPERM)")],
    [("limits", "nofile = 64"), ("limits", "nofile = unlimited")],
    [("uts", "hostname = \"a\""), ("uts", "hostname = \"b\"")],
    [("stop", "after = 1s"), ("stop", "after = 2s")],
    [("net", "publish 8080/tcp = 80/tcp"), ("net", "publish 8080/tcp = 81/tcp")],
    [("net", "allow out 10.0.0.0/8 443/tcp"), ("net", "deny out 10.0.0.0/8 443/tcp")],
];

const MODIFIERS: &[&str] = &["", "", "default ", "final ", "override ", "remove "];

/// One body: which statements, with which of the values, and with which modifier.
type Body = Vec<(usize, usize, &'static str)>;

fn bodies(modifiers: &'static [&'static str]) -> impl Strategy<Value = Body> {
    subsequence((0..STATEMENTS.len()).collect::<Vec<_>>(), 0..6).prop_flat_map(move |chosen| {
        chosen.into_iter().map(|at| (Just(at), 0..2usize, select(modifiers))).collect::<Vec<_>>()
    })
}

/// A body as text, its statements in this order.
fn written(kind: &str, body: &Body, backwards: bool) -> String {
    let mut out = format!("{kind} {{\n");
    let order: Vec<_> = if backwards { body.iter().rev().collect() } else { body.iter().collect() };
    for (at, value, modifier) in order {
        let (section, said) = STATEMENTS[*at][*value];
        let said = match modifier.trim() {
            // What is removed is named, not valued.
            "remove" => said.split(" = ").next().unwrap_or(said).replace("prefer ", ""),
            _ => said.to_string(),
        };
        match section {
            "" => out.push_str(&format!("  {modifier}{said}\n")),
            section => out.push_str(&format!("  {section} {{ {modifier}{said} }}\n")),
        }
    }
    out + "}\n"
}

/// The modes, so that fields of namespaces mean something.
const MODES: &str = "profile modes {\n  user new\n  net new\n  mnt new\n  cgroup new\n  uts new\n}\n";

fn policy(profiles: &[Body], body: &Body, backwards: bool) -> String {
    let mut out = MODES.to_string();
    let mut names: Vec<String> = vec!["modes".into()];
    let mut declared: Vec<String> = Vec::new();
    for (number, profile) in profiles.iter().enumerate() {
        names.push(format!("p{number}"));
        declared.push(written(&format!("profile p{number}"), profile, backwards));
    }
    if backwards {
        names.reverse();
        declared.reverse();
    }
    out.push_str(&declared.concat());
    out + &written(&format!("sandbox s with {}", names.join(", ")), body, backwards)
}

/// The effective statements, or the codes of what is wrong and the keys that they are about.
fn meaning(source: &str) -> Result<BTreeMap<String, String>, Vec<&'static str>> {
    let (_, resolved, all) = expanded(source);
    let mut wrong: Vec<&'static str> = resolved.findings.iter().filter(|it| it.is_error()).map(|it| it.code).collect();
    wrong.sort_unstable();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let body = all.iter().find(|it| it.name == "s").expect("the sandbox");
    Ok(body.lines.iter().map(|it| (it.origin.key.to_string(), it.shown())).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// The order of `with`, of statements and of declarations has no meaning.
    #[test]
    fn order_means_nothing(
        profiles in prop::collection::vec(bodies(&["", "", "default ", "final "]), 0..4),
        body in bodies(MODIFIERS),
    ) {
        let (one, other) = (policy(&profiles, &body, false), policy(&profiles, &body, true));
        prop_assert_eq!(meaning(&one), meaning(&other), "{}\nand\n{}", one, other);
    }

    /// What `nsl expand` prints resolves to the same policy, and prints the same again.
    #[test]
    fn resolving_is_idempotent(
        profiles in prop::collection::vec(bodies(&["", "default ", "final "]), 0..3),
        body in bodies(&["", "override "]),
    ) {
        let source = policy(&profiles, &body, false);
        let (files, resolved, all) = expanded(&source);
        prop_assume!(!resolved.findings.iter().any(|it| it.is_error()));
        let chosen: Vec<&Expanded> = all.iter().filter(|it| it.name == "s").collect();
        let printed = text(&chosen, &files, Show::default());
        prop_assert_eq!(meaning(&source), meaning(&printed), "{}\nand\n{}", source, printed);
        let (files, _, all) = expanded(&printed);
        let again = text(&all.iter().collect::<Vec<_>>(), &files, Show::default());
        prop_assert_eq!(printed, again);
    }

    /// A profile that is named twice, by two routes, is there once.
    #[test]
    fn diamonds_are_harmless(profile in bodies(&["", "default ", "final "]), body in bodies(&["", "override "])) {
        let base = written("profile base", &profile, false);
        let sandbox = |with: &str| written(&format!("sandbox s with modes, {with}"), &body, false);
        let once = format!("{MODES}{base}{}", sandbox("base"));
        let twice = format!("{MODES}{base}profile l with base {{\n}}\nprofile r with base {{\n}}\n{}", sandbox("l, r"));
        prop_assert_eq!(meaning(&once), meaning(&twice), "{}\nand\n{}", once, twice);
    }
}
