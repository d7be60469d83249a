//! `nsl check`: statuses, files and directories, findings as data.

use super::*;

const GOOD: &str = "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = host(ro)\n  }\n}\n";
const WRONG: &str = "sandbox a {\n  run == [\"/bin/true\"]\n}\n";

/// `nsl check` in a folder with these files.
fn check(dir: &tempfile::TempDir, args: &[&str]) -> Output {
    let mut command = nsl(&["check"]);
    command.args(args).current_dir(dir.path());
    finish(command)
}

fn policies() -> tempfile::TempDir {
    let warns = format!("let unused = 5\n{GOOD}");
    folder(&[
        ("good.nsl", GOOD),
        ("warns.nsl", &warns),
        ("wrong.nsl", WRONG),
        ("p/one.nsl", GOOD),
        ("p/q/two.nsl", WRONG),
        ("p/.git/no.nsl", WRONG),
        ("p/notes.txt", WRONG),
    ])
}

#[test]
fn statuses() {
    let dir = policies();
    let status = |args: &[&str]| check(&dir, args).code;
    assert_eq!(status(&["good.nsl"]), 0, "{:#?}", check(&dir, &["good.nsl"]));
    assert_eq!(status(&["warns.nsl"]), 0);
    assert_eq!(status(&["--deny", "warnings", "warns.nsl"]), 1);
    assert_eq!(status(&["wrong.nsl"]), 2);
    assert_eq!(status(&["--deny", "warnings", "good.nsl", "warns.nsl", "wrong.nsl"]), 2);
    assert_eq!(status(&["good.nsl", "none.nsl"]), 2);
}

#[test]
fn a_directory_is_all_policies_below_it() {
    let dir = policies();
    let output = check(&dir, &["p"]);
    output.refuses(2, "p/q/two.nsl:2:");
    assert!(output.stderr.contains("1 error") && output.stderr.contains("in 2 files"), "{output:#?}");
    assert!(!output.stderr.contains("no.nsl") && !output.stderr.contains("notes"), "{output:#?}");
    run_with(&["check", "-"], WRONG.as_bytes()).refuses(2, "<stdin>:2:");
    // Annotations and logs name files as reviews do.
    let here = check(&dir, &["--format", "short", "."]);
    assert!(here.stdout.lines().any(|it| it.starts_with("p/q/two.nsl:2:")), "{here:#?}");
}

#[test]
fn findings_as_data() {
    let dir = policies();
    let output = check(&dir, &["--format", "json", "warns.nsl", "wrong.nsl"]);
    assert_eq!((output.code, output.stderr.as_str()), (2, ""), "{output:#?}");
    let findings: Vec<serde_json::Value> =
        output.stdout.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect();
    let find = |code: &str| findings.iter().find(|it| it["code"] == code).unwrap_or_else(|| panic!("no {code}"));
    assert_eq!(find("unused-let")["severity"], "warning");
    let syntax = find("syntax");
    assert_eq!((&syntax["severity"], &syntax["file"]), (&"error".into(), &"wrong.nsl".into()));
    assert_eq!(syntax["line"], 2);
    for field in ["col", "end_line", "end_col", "labels", "help", "fix", "message"] {
        assert!(syntax.get(field).is_some(), "no {field} in {syntax}");
    }
}

#[test]
fn lines_fit_the_width() {
    let dir = policies();
    for args in [&["explain", "syntax"][..], &["doctor"], &["check", "wrong.nsl"], &["--help"]] {
        let mut command = nsl(args);
        command.env("COLUMNS", "70").current_dir(dir.path());
        let output = finish(command);
        for line in output.stdout.lines().chain(output.stderr.lines()) {
            // What is indented is an example, and a word that is longer is not broken.
            let fits = line.chars().count() <= 70 || line.starts_with("  ");
            assert!(fits || !line.trim().contains(' '), "{line}");
        }
    }
}

#[test]
fn sarif_is_one_log() {
    let dir = policies();
    let output = check(&dir, &["--format", "sarif", "warns.nsl", "p"]);
    assert_eq!((output.code, output.stderr.as_str()), (2, ""), "{output:#?}");
    let log: serde_json::Value = serde_json::from_str(&output.stdout).expect("a log is JSON");
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    let results = run["results"].as_array().expect("results");
    assert!(results.len() >= 2, "{log:#}");
    for result in results {
        let rule = &rules[result["ruleIndex"].as_u64().expect("an index") as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(rule["help"]["text"].as_str().is_some_and(|it| !it.is_empty()));
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place["region"]["startLine"].as_u64() >= Some(1), "{result:#}");
        assert!(place["artifactLocation"]["uri"].as_str().is_some_and(|it| it.ends_with(".nsl")), "{result:#}");
    }
    let wrong = results.iter().find(|it| it["ruleId"] == "syntax").expect("`==` is no `=`");
    assert_eq!(wrong["level"], "error");
    assert_eq!(wrong["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "p/q/two.nsl");
    let unused = results.iter().find(|it| it["ruleId"] == "unused-let").expect("it is unused");
    assert_eq!(unused["level"], "warning");
    // A service that gets no log takes the findings of last time for those of today.
    let clean = check(&dir, &["--format", "sarif", "good.nsl"]);
    let log: serde_json::Value = serde_json::from_str(&clean.stdout).expect("a log is JSON");
    assert_eq!((clean.code, &log["runs"][0]["results"]), (0, &serde_json::json!([])));
}

#[test]
fn github_gets_a_command_a_finding() {
    let dir = folder(&[("a,b:c.nsl", "sandbox a {\n  run = [\"/bin/true\"]\n  hostnam = \"100%\"\n}\n")]);
    let output = check(&dir, &["--format", "github", "a,b:c.nsl"]);
    assert_eq!((output.code, output.stderr.as_str()), (2, ""), "{output:#?}");
    let lines: Vec<&str> = output.stdout.lines().collect();
    let line = lines.iter().find(|it| it.contains("unknown-key")).unwrap_or_else(|| panic!("{output:#?}"));
    assert!(
        line.starts_with("::error file=a%2Cb%3Ac.nsl,line=3,endLine=3,col=3,endColumn=9,title=nsl%3A%3Aunknown-key::"),
        "{line}"
    );
    assert!(lines.iter().all(|it| it.starts_with("::")), "{output:#?}");
}

#[test]
fn short_is_one_line_a_finding() {
    let dir = policies();
    let output = check(&dir, &["--format", "short", "warns.nsl", "wrong.nsl", "none.nsl"]);
    assert_eq!((output.code, output.stderr.as_str()), (2, ""), "{output:#?}");
    let lines: Vec<&str> = output.stdout.lines().collect();
    let starts = |text: &str| lines.iter().any(|it| it.starts_with(text));
    assert!(starts("warns.nsl:1:5: warning[unused-let]: "), "{output:#?}");
    assert!(starts("wrong.nsl:2:7: error[syntax]: "), "{output:#?}");
    assert!(starts("nsl: error[file-missing]: "), "{output:#?}");
    assert!(lines.iter().all(|it| it.contains("]: ")), "{output:#?}");
}

#[test]
fn narrated_has_no_drawings() {
    let dir = policies();
    let output = check(&dir, &["--format", "narrated", "wrong.nsl"]);
    assert_eq!(output.code, 2);
    assert!(output.stderr.contains("syntax") && !output.stderr.contains('│'), "{output:#?}");
}

#[test]
fn many_at_once_are_told_in_order() {
    let names: Vec<String> = (0..40).map(|it| format!("p{it:02}.nsl")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|it| (it.as_str(), WRONG)).collect();
    let dir = folder(&files);
    let output = check(&dir, &["--format", "json", "."]);
    let told: Vec<String> = output
        .stdout
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).expect("an object")["file"]
                .as_str()
                .expect("a name")
                .to_string()
        })
        .collect();
    let mut sorted = told.clone();
    sorted.sort();
    assert_eq!(told, sorted);
    assert!(told.len() >= 40);
    // A file that is named twice is one file.
    let twice = check(&dir, &["./p00.nsl", "p00.nsl"]);
    assert!(twice.stderr.contains("in 1 file"), "{twice:#?}");
}

/// Slips that have one obvious edit, in a policy and in a module of it.
const SLIPS: &[(&str, &str)] = &[
    (
        "web.nsl",
        "use ./base.nsl as base\nuse std/service\nsandbox web with base.small {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = host(ro)\n    mount /tmp = tmpfs(size: 64M)\n  }\n}\n",
    ),
    ("base.nsl", "profile small {\n  cgroup new {\n    memory.mx = 64MiB\n  }\n}\n"),
];

#[test]
fn fixes_are_made_everywhere() {
    let dir = folder(SLIPS);
    let shown = check(&dir, &["--diff", "web.nsl"]);
    assert_eq!(shown.code, 0, "{shown:#?}");
    for line in
        ["--- a/base.nsl", "-    memory.mx = 64MiB", "+    memory.max = 64MiB", "+    mount /tmp = tmpfs(size: 64MiB)"]
    {
        assert!(shown.stdout.contains(line), "no `{line}` in {shown:#?}");
    }
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).expect("it is there");
    assert_eq!(read("web.nsl"), SLIPS[0].1, "`--diff` changes nothing");
    let fixed = check(&dir, &["--fix", "web.nsl"]);
    assert_eq!(fixed.code, 0, "{fixed:#?}");
    assert!(fixed.stderr.contains("base.nsl:3:5: "), "{fixed:#?}");
    assert!(read("base.nsl").contains("memory.max") && read("web.nsl").contains("64MiB"));
    let again = check(&dir, &["--fix", "web.nsl"]);
    assert!(!again.stderr.contains("edit"), "{again:#?}");
}

#[test]
fn what_cannot_be_written_is_said() {
    let dir = folder(SLIPS);
    let output = check(&dir, &["--fix", "none.nsl"]);
    assert_eq!(output.code, 2, "{output:#?}");
}

#[test]
fn hosts_that_one_is_not_on() {
    let dir = policies();
    let good = |args: &[&str]| check(&dir, &[args, &["good.nsl"]].concat());
    assert_eq!(good(&["--target", "debian-12"]).code, 0);
    good(&["--target", "ubuntu-24.04"]).refuses(2, "ubuntu-24.04 (user) does not let `user` create user namespaces");
    assert_eq!(good(&["--target", "ubuntu-24.04:root"]).code, 0);
    good(&["--target", "kernel-5.10:root"]).refuses(2, "kernel-too-old");
    good(&["--target", "container:root"]).refuses(2, "seccomp filter");
    good(&["--target", "debain-12"]).refuses(2, "did you mean `debian-12`?");
    good(&["--target", "./warns.nsl"]).refuses(2, "bad-target");
    good(&["--target", "./none.target"]).refuses(2, "none.target");
    // What was recorded is a target.
    let recorded = run(&["doctor", "--json"]);
    let newer = recorded.stdout.replacen("\"format\": 1", "\"format\": 2", 1);
    std::fs::write(dir.path().join("newer.target"), newer).expect("our own folder");
    good(&["--target", "newer.target"]).refuses(2, "its format is 2");
    std::fs::write(dir.path().join("my.target"), recorded.stdout).expect("our own folder");
    let there = good(&["--target", "my.target", "--target", "debian-13"]);
    assert!(there.code == 0 || there.stderr.contains("my.target"), "{there:#?}");
}

#[test]
fn what_is_wrong_on_several_targets_is_said_once_with_their_names() {
    let policy = "sandbox s {\n  run = [\"/bin/true\"]\n  user new\n  mnt new { root = host(ro) }\n  cgroup new { pids.max = 9 }\n}\n";
    let dir = folder(&[("s.nsl", policy)]);
    let path = dir.path().join("s.nsl");
    let targets = ["--target", "debian-12", "--target", "debian-13", "--target", "debian-13:root"];
    let args: Vec<&str> = ["check", "--format", "short"].into_iter().chain(targets).chain([text(&path)]).collect();
    let output = run(&args);
    let lines: Vec<&str> = output.stdout.lines().filter(|it| it.contains("cgroup-not-delegated")).collect();
    assert!(lines.len() == 1 && lines[0].contains("(on debian-12 (user), debian-13 (user))"), "{output:#?}");
}
