//! `nsl fmt`

use super::*;

const MESSY: &str = "sandbox a{\nrun  = [ \"/bin/true\" ]\n}\n";
const NEAT: &str = "sandbox a {\n  run = [\"/bin/true\"]\n}\n";
const WRONG: &str = "sandbox a {\n  run ==\n}\n";

fn fmt(dir: &tempfile::TempDir, args: &[&str]) -> Output {
    let mut command = nsl(&["fmt"]);
    command.args(args).current_dir(dir.path());
    finish(command)
}

fn policies() -> tempfile::TempDir {
    folder(&[("messy.nsl", MESSY), ("neat.nsl", NEAT), ("wrong.nsl", WRONG)])
}

fn text(dir: &tempfile::TempDir, name: &str) -> String {
    std::fs::read_to_string(dir.path().join(name)).expect("it is there")
}

#[test]
fn files_are_changed_in_place() {
    let dir = policies();
    let output = fmt(&dir, &["."]);
    output.refuses(2, "wrong.nsl:2");
    assert!(output.stderr.contains("messy.nsl formatted") && !output.stderr.contains("neat"), "{output:#?}");
    assert_eq!((text(&dir, "messy.nsl").as_str(), text(&dir, "wrong.nsl").as_str()), (NEAT, WRONG));
    let again = fmt(&dir, &["messy.nsl", "neat.nsl"]);
    assert_eq!((again.code, again.stdout.as_str(), again.stderr.as_str()), (0, "", ""));
}

#[test]
fn check_names_what_would_change() {
    let dir = policies();
    let output = fmt(&dir, &["--check", "messy.nsl", "neat.nsl"]);
    assert_eq!((output.code, output.stdout.as_str()), (1, "messy.nsl\n"), "{output:#?}");
    assert_eq!(fmt(&dir, &["--check", "neat.nsl"]).code, 0);
    assert_eq!(fmt(&dir, &["--check", "messy.nsl", "wrong.nsl"]).code, 2);
    assert_eq!(text(&dir, "messy.nsl"), MESSY);
}

#[test]
fn diff_shows_what_would_change() {
    let dir = policies();
    let output = fmt(&dir, &["--diff", "messy.nsl", "neat.nsl"]);
    let diff = "--- a/messy.nsl\n+++ b/messy.nsl\n@@ -1,3 +1,3 @@\n-sandbox a{\n-run  = [ \"/bin/true\" ]\n+sandbox a {\n+  run = \
                [\"/bin/true\"]\n }\n";
    assert_eq!((output.code, output.stdout.as_str()), (0, diff), "{output:#?}");
    assert_eq!(fmt(&dir, &["--diff", "--check", "messy.nsl"]).code, 1);
    assert_eq!(text(&dir, "messy.nsl"), MESSY);
}

#[test]
fn stdin_goes_to_stdout() {
    let output = run_with(&["fmt", "-"], MESSY.as_bytes());
    assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (0, NEAT, ""), "{output:#?}");
    run_with(&["fmt", "-"], WRONG.as_bytes()).refuses(2, "<stdin>:2");
    assert_eq!(run_with(&["fmt", "--check", "-"], MESSY.as_bytes()).code, 1);
}
