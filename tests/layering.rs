//! Who may import whom: the floors of the house, and other rules of the source that a reader relies on.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room of `src/`, and the rooms it may import from. What a room has no row for may import nothing.
const FLOORS: &[(&str, &[&str])] = &[
    ("source", &[]),
    ("report", &["source"]),
    ("syntax", &["source", "report"]),
    ("policy", &["source"]),
    ("host", &["policy"]),
    ("schema", &["report", "source"]),
    ("plan", &["policy", "host", "schema", "source", "report"]),
    ("check", &["policy", "schema", "report", "source", "host"]),
    ("resolve", &["syntax", "schema", "policy", "source", "report"]),
    ("execute", &["plan", "source", "report", "schema", "host", "state"]),
    ("format", &["syntax", "source", "report"]),
    ("state", &["plan", "schema", "report"]),
    ("control", &["state", "plan", "report"]),
    ("inspect", &["state", "control", "plan", "host", "report"]),
    // What an editor asks: offsets and plain data, no protocol, no IO.
    ("ide", &["syntax", "resolve", "check", "schema", "format", "policy", "source", "report", "fix", "lib"]),
    // The only room that knows the Language Server Protocol.
    ("lsp", &["ide", "source", "report"]),
    ("cli", &["*"]),
    ("fix", &["source", "report", "resolve", "lib"]),
    ("lib", &["*"]),
    ("main", &["*"]),
];

/// Rooms that compute and do nothing else, and what would make them do more.
const PURE: &[&str] = &["syntax", "schema", "policy", "check", "plan", "format", "ide"];
const OUTSIDE: &[&str] = &["std::fs", "std::process", "std::env", "std::os::unix::net", "nix::", "rustix::", "caps::"];

/// What stands at the top of the repository; everything that a tool needs begins with a dot or is named here too.
const TOP: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "LICENSE",
    "README.md",
    "clippy.toml",
    "editors",
    "examples",
    "grammar",
    "src",
    "stdlib",
    "target",
    "tests",
];

/// The longest a file may be, lines.
const LONGEST: usize = 600;

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `dir`, as path relative to the repository and text.
fn rust_files(dir: &str) -> Vec<(String, String)> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|it| it == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&repository().join(dir), &mut found);
    found.sort();
    let name = |path: &Path| path.strip_prefix(repository()).expect("below the repository").display().to_string();
    found.iter().map(|path| (name(path), fs::read_to_string(path).expect("a Rust file is text"))).collect()
}

/// The code of a file: no comments, no string literals, and not the unit tests, which may use what they like.
fn code(text: &str) -> String {
    let text = text.split_once("\n#[cfg(test)]\nmod tests").map_or(text, |(before, _)| before);
    let mut code = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '/' if chars.peek() == Some(&'/') => {
                while chars.peek().is_some_and(|it| *it != '\n') {
                    chars.next();
                }
            }
            '"' => {
                while let Some(inner) = chars.next() {
                    match inner {
                        '\\' => drop(chars.next()),
                        '"' => break,
                        _ => {}
                    }
                }
                code.push_str("\"\"");
            }
            // A quote character would otherwise open a string: '"' and '\"'.
            '\'' if chars.peek() == Some(&'"') => drop(chars.next()),
            '\'' if chars.peek() == Some(&'\\') => drop((chars.next(), chars.next())),
            char => code.push(char),
        }
    }
    code
}

/// `src/check/user.rs` is `["check", "user"]`, `src/check/mod.rs` is `["check"]`.
fn module_path(file: &str) -> Vec<&str> {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs");
    path.split('/').filter(|part| *part != "mod").collect()
}

/// The rooms that a text names by `crate::room` or `crate::{room::…, room::…}`, or by enough `super::`.
fn imports(code: &str, depth: usize) -> Vec<String> {
    let mut found = Vec::new();
    for prefix in ["crate::".to_string(), "super::".repeat(depth)] {
        for (at, _) in code.match_indices(&prefix) {
            // `pub(crate)` and `nsl_crate::` are something else, and so is one `super::` of a longer chain.
            if code[..at].ends_with(|it: char| it.is_alphanumeric() || it == '_' || it == '$' || it == ':') {
                continue;
            }
            let rest = &code[at + prefix.len()..];
            match rest.strip_prefix('{') {
                Some(group) => found.extend(heads_of_group(group)),
                None => found.push(first_word(rest)),
            }
        }
    }
    found.retain(|name| name != "super" && !name.is_empty());
    found
}

/// Whether a path stands in the code, not only as the end of a longer name (`nix::` in `unix::`).
fn names(code: &str, path: &str) -> bool {
    code.match_indices(path).any(|(at, _)| !code[..at].ends_with(|it: char| it.is_alphanumeric() || it == '_'))
}

fn first_word(text: &str) -> String {
    text.trim_start().chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect()
}

/// The first words of the items of `a::b, c::{d, e}}…`.
fn heads_of_group(text: &str) -> Vec<String> {
    let mut depth = 0;
    let mut heads = vec![first_word(text)];
    for (at, char) in text.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(first_word(&text[at + 1..])),
            _ => {}
        }
    }
    heads
}

#[test]
fn a_room_imports_only_from_floors_below() {
    let mut wrong = Vec::new();
    for (file, text) in rust_files("src") {
        let module = module_path(&file);
        let room = module[0];
        let allowed = FLOORS.iter().find(|(name, _)| *name == room).map_or(&[][..], |(_, allowed)| *allowed);
        for import in imports(&code(&text), module.len()) {
            let is_room = FLOORS.iter().any(|(name, _)| *name == import);
            if is_room && import != room && !allowed.contains(&"*") && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{file}: `{room}` may not import `{import}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_room_has_a_floor() {
    for (file, _) in rust_files("src") {
        let room = module_path(&file)[0].to_string();
        assert!(FLOORS.iter().any(|(name, _)| *name == room), "{file}: give `{room}` a row in FLOORS");
    }
}

#[test]
fn pure_rooms_touch_nothing() {
    let mut wrong = Vec::new();
    for (file, text) in rust_files("src") {
        if PURE.contains(&module_path(&file)[0]) {
            let code = code(&text);
            wrong.extend(OUTSIDE.iter().filter(|it| names(&code, it)).map(|it| format!("{file}: `{it}`")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What performs, and what asks: `host` may not import `execute`, and nobody but the kernel knows who owns a namespace.
const UNSAFE: [&str; 2] = ["src/execute/sys.rs", "src/host/sys.rs"];

#[test]
fn unsafe_code_is_in_two_files() {
    for (file, text) in rust_files("src").into_iter().chain(rust_files("tests")) {
        let code = code(&text);
        let mut words = code.split(|it: char| !it.is_alphanumeric() && it != '_');
        assert!(UNSAFE.contains(&file.as_str()) || !words.any(|word| word == "unsafe"), "{file} has unsafe code");
    }
}

#[test]
fn every_unsafe_block_says_why() {
    for file in UNSAFE {
        let text = fs::read_to_string(repository().join(file)).expect("a file of the house");
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.contains("unsafe {") && !line.contains("//"))
        {
            let reason = lines[at.saturating_sub(6)..at].iter().any(|it| it.contains("SAFETY"));
            assert!(reason, "{file}:{}: no SAFETY comment above `{}`", at + 1, line.trim());
        }
    }
}

#[test]
fn files_are_short() {
    for (file, text) in rust_files("src").into_iter().chain(rust_files("tests")) {
        let lines = text.lines().count();
        assert!(lines <= LONGEST, "{file} has {lines} lines, more than {LONGEST}");
    }
}

#[test]
fn nothing_new_at_the_top() {
    for entry in fs::read_dir(repository()).expect("the repository can be read").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(name.starts_with('.') || TOP.contains(&name.as_str()), "`{name}` does not belong at the top level");
    }
}

#[test]
fn no_room_for_leftovers() {
    for (file, _) in rust_files("src").into_iter().chain(rust_files("tests")) {
        let vague = ["utils", "util", "common", "manager", "helper", "helpers", "misc"];
        let named = module_path(&file).iter().any(|part| vague.contains(part));
        assert!(!named, "{file}: name it after what it does");
    }
}

#[test]
fn imports_are_seen() {
    let text = "use crate::plan::Step;\nuse crate::{host::Facts, schema::{a, b}};\nfn f() { crate::cli::run(); super::super::check::x() }";
    assert_eq!(imports(&code(text), 2), ["plan", "host", "schema", "cli", "check"]);
    assert_eq!(
        imports(&code("// use crate::plan\nlet a = \"crate::host\"; let q = '\"'; pub(crate) fn x() {}"), 1),
        [""; 0]
    );
}
