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
