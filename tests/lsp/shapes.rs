//! Outlines, folds, selections, colours, hints, actions, signatures.

use nsl::ide::{self, Action, Outline};

use super::{Fixture, MAIN};

const WEB: &str = "use std/service\n\nparam site: path = ./site\n\nsandbox web with service.hardened(memory: 256MiB) {\n  run = [\"/bin/true\"]\n  mnt new {\n    hide /root\n  }\n}\n";

fn names(all: &[Outline], depth: usize, out: &mut Vec<String>) {
    for it in all {
        out.push(format!("{}{} {}", "  ".repeat(depth), it.name, it.detail).trim_end().to_string());
        assert!(it.range.start <= it.name_range.start && it.name_range.end <= it.range.end);
        names(&it.children, depth + 1, out);
    }
}

#[test]
fn the_outline_of_a_file() {
    let it = Fixture::new(WEB, &[]);
    let mut found = Vec::new();
    names(&ide::outline(&it.project.source(MAIN).expect("it is there")), 0, &mut found);
    assert_eq!(
        found,
        [
            "std/service",
            "site path",
            "web sandbox with service.hardened(memory: 256MiB)",
            "  run [\"/bin/true\"]",
            "  mnt new",
            "    hide /root",
        ]
    );
}

#[test]
fn what_folds() {
    let it = Fixture::new(
        "# a\n# b\nuse std/a\nuse std/b\nsandbox x {\n  run = [\n    \"a\",\n  ]\n  pid new { init = true }\n}\n",
        &[],
    );
    let found = ide::folds(&it.project.source(MAIN).expect("it is there"));
    let lines = |at: usize| it.text[..at].matches('\n').count() + 1;
    let shown: Vec<String> =
        found.iter().map(|it| format!("{}-{} {:?}", lines(it.start), lines(it.end), it.kind)).collect();
    assert_eq!(shown, ["1-2 Comment", "3-4 Uses", "5-10 Block", "6-8 Block"]);
}

#[test]
fn selections_grow() {
    let it = Fixture::new("sandbox a {\n  mnt new {\n    mount /tmp = tmpfs(size: 1M<|>iB)\n  }\n}\n", &[]);
    let found = ide::selection(&it.project.source(MAIN).expect("it is there"), it.at);
    let texts: Vec<&str> = found.iter().map(|range| &it.text[range.clone()]).collect();
    assert_eq!(texts[..4], ["1MiB", "size: 1MiB", "tmpfs(size: 1MiB)", "mount /tmp = tmpfs(size: 1MiB)"]);
    assert_eq!(texts.last(), Some(&it.text.as_str()));
    assert!(found.windows(2).all(|pair| pair[1].start <= pair[0].start && pair[0].end <= pair[1].end));
}

#[test]
fn colours_say_what_words_mean() {
    let text = "use std/service\nparam x: path\nsandbox a with service.hardened {\n  mnt new { hide $x }\n  caps { keep chown }\n  seccomp { allow socket(family == AF_UNIX) }\n}\n";
    let it = Fixture::new(text, &[]);
    let found = ide::tokens(&it.project, &it.project.source(MAIN).expect("it is there"));
    let shown: Vec<String> = found
        .iter()
        .map(|token| format!("{} {}", &it.text[token.range.clone()], ide::TOKEN_TYPES[token.kind as usize]))
        .collect();
    assert_eq!(
        shown,
        [
            "std/service namespace",
            "x parameter",
            "a struct",
            "service namespace",
            "hardened class",
            "mnt keyword",
            "new enumMember",
            "hide property",
            "x parameter",
            "caps keyword",
            "keep property",
            "chown enumMember",
            "seccomp keyword",
            "allow property",
            "socket function",
            "family parameter",
            "AF_UNIX enumMember",
        ]
    );
}

#[test]
fn hints_show_what_is_not_written() {
    let it = Fixture::new(WEB, &[]);
    let found = ide::hints(&it.project, MAIN, 0, it.text.len());
    let at = |offset: usize| it.text[..offset].matches('\n').count() + 1;
    let shown: Vec<String> = found.iter().map(|it| format!("{}: {}", at(it.offset), it.label)).collect();
    assert_eq!(shown[0], "5: , writable: []");
    assert!(shown[1].starts_with("5: ") && shown[1].contains("more"), "{shown:?}");
    assert!(shown[2].starts_with("7: ") && shown[2].contains("root = host(ro)"), "{shown:?}");
    assert!(found[2].tooltip.contains("std/service.nsl"), "{:?}", found[2]);
}

/// The text after an action.
fn done(it: &Fixture, edit: &ide::Edit) -> String {
    let mut text = it.text.clone();
    text.replace_range(edit.at.start..edit.at.end, &edit.text);
    text
}

#[test]
fn an_inherited_value_can_be_overridden_here() {
    let text = "use std/service\nsandbox web with service.hardened {\n  run = [\"/bin/true\"]\n  cgroup<|> new {\n    prefer cpu.max = 50%\n  }\n}\n";
    let it = Fixture::new(text, &[]);
    let all = ide::actions(&it.project, MAIN, it.at..it.at);
    let edit = all.iter().find_map(|it| match it {
        Action::Override { title, edit } if title.contains("`cgroup.memory.max`") => Some(edit.clone()),
        _ => None,
    });
    let text = done(&it, &edit.expect("it is offered"));
    assert!(text.contains("    prefer cpu.max = 50%\n    memory.max = 128MiB\n  }\n"), "{text}");
    // The result is a policy without errors.
    let after = Fixture::new(&text, &[]);
    let found = ide::findings(&after.project.analysis(MAIN).expect("it is there"));
    assert!(found.iter().all(|it| it.severity != nsl::report::Severity::Error), "{found:?}");
}

#[test]
fn fixes_and_pages_are_offered() {
    let it = Fixture::new("sandbox a {\n  run = [\"/bin/true\"]\n  cgroup new { memory.m<|>xa = 1GiB }\n}\n", &[]);
    let all = ide::actions(&it.project, MAIN, it.at..it.at);
    let Some(Action::Fix { edit, .. }) = all.first() else { panic!("{all:?}") };
    assert!(done(&it, edit).contains("memory.max = 1GiB"));
    assert!(matches!(all[1], Action::Explain("unknown-key", _)), "{all:?}");
}

#[test]
fn signatures_of_profiles_and_variants() {
    let signature = |text: &str| {
        let it = Fixture::new(text, &[]);
        ide::signature(&it.project, MAIN, it.at)
    };
    let found = signature("use std/service\nsandbox a with service.hardened(memory: <|>1GiB) {\n}").expect("one");
    assert!(found.label.starts_with("service.hardened(memory: size = 128MiB, writable"), "{found:?}");
    assert_eq!(found.active, Some(0));
    let found = signature("sandbox a {\n  mnt new {\n    mount /tmp = tmpfs(<|>\n  }\n}").expect("one");
    assert!(found.label.starts_with("tmpfs(size: …"), "{found:?}");
    assert_eq!(signature("sandbox a {\n  pid <|>new\n}"), None);
}
