//! `nsl expand`: what a policy comes to, and why.

use super::*;

const BASE: &str = "profile base(memory: size = 64MiB) {\n  default user new\n  cgroup new {\n    default memory.max = $memory\n    default pids.max = 10\n  }\n}\n";
const SITE: &str = "use ./base.nsl as base\nsandbox site with base.base(memory: 1GiB) {\n  run = [\"/bin/true\"]\n  cgroup new {\n    pids.max = 20\n  }\n}\nsandbox other {\n  run = [\"/bin/false\"]\n}\n";

fn expand(args: &[&str]) -> Output {
    let dir = folder(&[("base.nsl", BASE), ("site.nsl", SITE)]);
    let mut command = nsl(&["expand", "site.nsl"]);
    command.args(args).current_dir(dir.path());
    finish(command)
}

#[test]
fn the_effective_policy_without_profiles() {
    let output = expand(&["site"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{output:#?}");
    for line in
        ["sandbox site {", "    memory.max = 1GiB", "    pids.max = 20", "  ipc host  # default", "  user new {"]
    {
        assert!(output.stdout.lines().any(|it| it == line), "no `{line}` in {output:#?}");
    }
    assert!(!output.stdout.contains("other") && !output.stdout.contains("with "), "{output:#?}");
    assert!(expand(&[]).stdout.contains("sandbox other {"));
    // And it is a policy.
    assert_eq!(run_with(&["check", "-"], output.stdout.as_bytes()).code, 0);
}

#[test]
fn every_place_that_had_a_say() {
    let output = expand(&["--why", "pids.max", "site"]);
    let lines: Vec<&str> = output.stdout.lines().map(str::trim).collect();
    assert_eq!(
        lines,
        [
            "sandbox site: cgroup.pids.max = 20",
            "default   base.nsl:5  10",
            "set       site.nsl:5",
            "weaker    than that of base.nsl:5: 10 → 20"
        ],
        "{output:#?}"
    );
    let output = expand(&["--why", "cgroup.memory.max"]);
    assert!(output.stdout.contains("base.nsl:4 via base.base at site.nsl:2"), "{output:#?}");
    expand(&["--why", "pids.mx"]).refuses(2, "did you mean `pids.max`?");
    expand(&["sit"]).refuses(2, "did you mean `site`?");
}

#[test]
fn a_policy_for_machines() {
    let output = expand(&["--json", "site"]);
    let document: serde_json::Value = serde_json::from_str(&output.stdout).expect("it is JSON");
    assert_eq!(document["format"], 1);
    assert_eq!(document["files"][0], "site.nsl");
    let sandboxes = document["sandboxes"].as_array().expect("a list");
    assert_eq!(sandboxes.len(), 1);
    let limit = &sandboxes[0]["cgroup"]["memory_max"];
    assert_eq!(limit["value"], 1 << 30);
    assert_eq!((&limit["origin"]["how"], &limit["origin"]["key"]), (&"default".into(), &"cgroup.memory.max".into()));
}
