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
            "default   base.nsl:5 via base.base at site.nsl:2  10",
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

const TRACES: &str = "param port: port = 8080/tcp\nparam size: size = 1MiB\nlet home = \"/srv/${port}\"\nprofile inner(m: size) {\n  default user new\n  mnt new {\n    root = host(ro)\n    mount /a = tmpfs(size: $m)\n    mount /b = tmpfs\n    hide /home\n  }\n}\nprofile outer(n: size = 2MiB) with inner(m: $n) {\n}\nsandbox s with outer(n: $size) {\n  run = [\"/bin/true\"]\n  mnt new {\n    mkdir /srv = 0o755\n    file /c = \"$home\"\n    override mount /b = bind($home)\n    remove hide /home\n    for d in [/x, /y] { mount $d = tmpfs(size: $size) }\n  }\n}\n";

#[test]
fn the_names_behind_a_value_and_what_was_removed() {
    let dir = folder(&[("t.nsl", &TRACES.replace("    file /c = \"$home\"\n", ""))]);
    let why = |key: &str, set: &[&str]| -> Vec<String> {
        let mut command = nsl(&["expand", "t.nsl", "--why", key]);
        command.args(set).current_dir(dir.path());
        let output = finish(command);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{output:#?}");
        output.stdout.lines().map(|it| it.trim().to_string()).collect()
    };
    assert_eq!(
        why("mnt.mount[/a]", &["--set", "size=3MiB"]),
        [
            "sandbox s: mnt.mount[/a] = tmpfs(size: 3MiB)",
            "set       t.nsl:8 via inner at t.nsl:13 via outer at t.nsl:15",
            "$m        t.nsl:13  m: $n",
            "$n        t.nsl:15  n: $size",
            "$size     the command line  --set size=3MiB",
        ]
    );
    let lines = why("mnt.mount[/b]", &[]);
    assert_eq!(lines[1], "set       t.nsl:9 via inner at t.nsl:13 via outer at t.nsl:15  tmpfs");
    assert!(
        lines[3].starts_with("$home     t.nsl:3  let home = ") && lines[4].starts_with("$port     t.nsl:1  param port")
    );
    assert_eq!(
        why("mount[/y]", &[])[1..],
        ["set       t.nsl:21", "$d        t.nsl:21  d in [/x, /y]", "$size     t.nsl:2  param size: size = 1MiB"]
    );
    assert_eq!(
        why("hide[/home]", &[]),
        [
            "sandbox s: mnt.hide[/home] is removed",
            "set       t.nsl:10 via inner at t.nsl:13 via outer at t.nsl:15  hide",
            "remove    t.nsl:20",
        ]
    );
}
