//! Definitions, references, new names.

use nsl::ide;

use super::{Fixture, MAIN};

const COMMON: (&str, &str) = (
    "common.nsl",
    "## A ground.\nprofile base(size: size = 1MiB) {\n  cgroup new { default memory.max = $size }\n}\nsyscalls group calls { read }\n",
);

fn definition(text: &str) -> Vec<String> {
    let it = Fixture::new(text, &[COMMON]);
    ide::definition(&it.project, MAIN, it.at).iter().map(|at| it.show(at)).collect()
}

fn references(text: &str) -> Vec<String> {
    let it = Fixture::new(text, &[COMMON]);
    ide::references(&it.project, MAIN, it.at, &it.files, true).iter().map(|at| it.show(at)).collect()
}

#[test]
fn names_lead_to_their_declarations() {
    assert_eq!(definition("param x: size\nsandbox a { cgroup new { memory.max = $<|>x } }"), ["1: x"]);
    assert_eq!(definition("let x = 1\nsandbox a { env A = \"${<|>x}\" }"), ["1: x"]);
    assert_eq!(definition("profile p(x: size) {\n  cgroup new { memory.max = $x<|> }\n}"), ["1: x"]);
    // The nearest of one name is meant.
    assert_eq!(definition("param x: path\nsandbox a {\n for x in [/a] { mnt new { hide $<|>x } }\n}"), ["3: x"]);
    assert_eq!(definition("use ./common.nsl\nsandbox a with common.ba<|>se { }"), ["common.nsl:2: base"]);
    assert_eq!(definition("use ./common.nsl as c\nsandbox a with c.base(si<|>ze: 1GiB) { }"), ["common.nsl:2: size"]);
    assert_eq!(definition("use ./common.nsl as c\nsandbox a with <|>c.base { }"), ["1: c"]);
    assert_eq!(definition("use ./comm<|>on.nsl"), ["common.nsl:1: "]);
    assert_eq!(definition("use ./common.nsl\nsandbox a { seccomp { allow @cal<|>ls } }"), ["common.nsl:5: calls"]);
    assert_eq!(definition("pod p {\n container one { }\n container two { after = [o<|>ne] }\n}"), ["2: one"]);
    assert_eq!(definition("sandbox web { }\nsandbox a { net join(sandbox: w<|>eb) }"), ["1: web"]);
    assert_eq!(definition("use ./common.nsl\nsandbox a with common.nope<|> { }"), [""; 0]);
    let basic = definition("sandbox a { seccomp { allow @ba<|>sic } }");
    assert!(basic[0].starts_with("std/syscalls.nsl:") && basic[0].ends_with(": basic"), "{basic:?}");
}

#[test]
fn a_statement_leads_to_what_it_replaces() {
    let main = "use ./common.nsl\nsandbox a with common.base {\n  cgroup new { memory.<|>max = 2MiB }\n}";
    assert_eq!(definition(main), ["common.nsl:3: default memory.max = $size"]);
}

#[test]
fn references_are_found_in_all_files() {
    assert_eq!(
        references("use ./common.nsl\nsandbox a with common.base(si<|>ze: 1GiB) { }"),
        ["common.nsl:2: size", "common.nsl:3: size", "2: size"]
    );
    assert_eq!(references("param x: path\nsandbox a { cwd = $x\n mnt new { hide $<|>x } }"), ["1: x", "2: x", "3: x"]);
    // Another one of the same name is another one.
    assert_eq!(
        references("param size: size\nsandbox a { cgroup new { memory.max = $<|>size } }"),
        ["1: size", "2: size"]
    );
}

#[test]
fn highlights_stay_in_the_file() {
    let it =
        Fixture::new("use ./common.nsl\nsandbox a with common.ba<|>se { }\nsandbox b with common.base { }", &[COMMON]);
    let found = ide::highlights(&it.project, MAIN, it.at);
    let shown: Vec<String> = found.iter().map(|(at, _)| it.show(at)).collect();
    assert_eq!(shown, ["2: base", "3: base"]);
}

/// The files after a change of name, or why there is none.
fn rename(text: &str, to: &str) -> Result<Vec<(String, String)>, String> {
    let it = Fixture::new(text, &[COMMON]);
    let mut edits = ide::rename(&it.project, MAIN, it.at, to, &it.files).map_err(|error| error.0)?;
    edits.sort_by_key(|it| (it.at.path.clone(), it.at.start));
    let mut texts: Vec<(String, String)> = Vec::new();
    for edit in edits.iter().rev() {
        let path = edit.at.path.clone();
        if texts.last().is_none_or(|(last, _)| *last != path) {
            texts.push((path.clone(), it.project.text(&path).expect("it is there")));
        }
        let text = &mut texts.last_mut().expect("there is one").1;
        text.replace_range(edit.at.start..edit.at.end, &edit.text);
    }
    Ok(texts)
}

#[test]
fn names_are_changed_everywhere() {
    let texts = rename("use ./common.nsl\nsandbox a with common.ba<|>se { }\n", "ground").expect("it can be");
    assert_eq!(texts[0].1, "use ./common.nsl\nsandbox a with common.ground { }\n");
    assert!(texts[1].1.contains("profile ground(size"), "{texts:?}");
    let texts = rename("param x: path\nsandbox a { cwd = \"${<|>x}/y\" }\n", "$dir").expect("it can be");
    assert_eq!(texts[0].1, "param dir: path\nsandbox a { cwd = \"${dir}/y\" }\n");
    // A module keeps its file.
    let texts = rename("use ./common.nsl\nsandbox a with com<|>mon.base { }\n", "c").expect("it can be");
    assert_eq!(texts[0].1, "use ./common.nsl as c\nsandbox a with c.base { }\n");
}

#[test]
fn names_that_cannot_be_are_refused() {
    let said = |text: &str, to: &str| rename(text, to).expect_err("it is refused");
    assert!(said("let <|>x = 1", "1x").contains("is no name"));
    assert!(said("let <|>x = 1", "").contains("is no name"));
    assert_eq!(said("let <|>x = 1", "sandbox"), "`sandbox` is a word of the language");
    assert_eq!(said("let <|>x = 1\nlet y = 2", "y"), "`y` is taken: line 2 declares it");
    assert_eq!(
        said("use std/service\nsandbox a with service.hard<|>ened { }", "x"),
        "`hardened` belongs to the standard library"
    );
    assert_eq!(said("sandbox a { pid <|>new }", "x"), "there is no name here that could be changed");
    // `$x` of the file would mean the loop's inside of it.
    assert!(said("param <|>x: path\nsandbox a { for y in [/a] { mnt new { hide $x } } }", "y").contains("taken"));
}
