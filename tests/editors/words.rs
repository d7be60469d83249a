//! The word lists of the editors are those of the language: `NSL_BLESS=1 cargo test editors::words` writes them anew.
//!
//! A list stands between two marks in each file, in the form that the editor wants. The keywords come out of the
//! grammar, everything else out of the schema.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use nsl::schema::{self, ArgKind, SECTIONS, Shape, Ty, Variant, constants, names, syscalls};

use super::{read, repository};

type Words = BTreeMap<&'static str, Vec<String>>;

/// Every kind of word, each sorted and without repetition.
fn words() -> Words {
    let grammar = read(&repository().join("grammar/nsl.pest"));
    let mut words: Words = BTreeMap::new();
    let mut put = |kind, list: Vec<String>| {
        let mut list = list;
        list.sort_unstable();
        list.dedup();
        assert!(!list.is_empty(), "no {kind}");
        words.insert(kind, list);
    };
    let declarations = quoted(&grammar, "decl_kind");
    let operators = ["in", "and", "or", "not"].map(String::from).to_vec();
    let keywords = quoted(&grammar, "keyword").into_iter().chain(["as".into(), "group".into()]);
    let reserved = ["test", "expect", "rule"];
    put("keywords", keywords.filter(|it| !declarations.contains(it) && !reserved.contains(&it.as_str())).collect());
    put("declarations", declarations);
    put("operators", operators);
    put("modifiers", quoted(&grammar, "modifier").into_iter().chain(quoted(&grammar, "strength")).collect());
    let owned = |list: Vec<&str>| list.into_iter().map(String::from).collect::<Vec<_>>();
    put("sections", SECTIONS.iter().map(|it| it.name.to_string()).collect());
    put("fields", schema::fields().filter(|it| it.shape != Shape::Section).map(|it| it.head.to_string()).collect());
    // What stands as a label and is a word of the language: the modes of namespaces, `uid`, `none`.
    let mut labels = Values::default();
    for section in SECTIONS.iter().filter(|it| it.has_mode) {
        labels.of(&section.mode());
    }
    schema::fields().flat_map(|it| it.labels).for_each(|it| labels.of(it));
    labels.words.push("none".into());
    put("modes", labels.words);
    let mut values = Values::default();
    for section in SECTIONS.iter().filter(|it| it.has_mode) {
        values.of(&section.mode());
    }
    for field in schema::fields() {
        field.lead.iter().chain(field.labels).chain(&field.value).for_each(|it| values.of(it));
    }
    values.words.extend(["true", "false", "none"].map(String::from));
    put("values", values.words);
    put("arguments", values.arguments);
    put("types", owned(nsl::resolve::type_names()));
    put("capabilities", owned(names::CAPABILITIES.to_vec()));
    put("signals", owned(constants::signal_names()));
    let numbers = constants::constant_names().into_iter().chain(constants::errno_names());
    put("constants", owned(numbers.collect()));
    put("syscalls", owned(syscalls::names()));
    words
}

/// The words between quotes in a rule of the grammar.
fn quoted(grammar: &str, rule: &str) -> Vec<String> {
    let begin = grammar.find(&format!("\n{rule} ")).unwrap_or_else(|| panic!("no rule `{rule}`"));
    let text = &grammar[begin..];
    let end = text.find('}').expect("a rule ends");
    text[..end].split('"').skip(1).step_by(2).map(String::from).collect()
}

/// What values are made of.
#[derive(Default)]
struct Values {
    words: Vec<String>,
    arguments: Vec<String>,
}

impl Values {
    fn of(&mut self, ty: &Ty) {
        match ty {
            Ty::Symbol(words) => self.words.extend(words.iter().map(|it| it.to_string())),
            Ty::List(inner) => self.of(inner),
            Ty::Any(types) => types.iter().for_each(|it| self.of(it)),
            Ty::Variant(variants) => variants.iter().for_each(|it| self.variant(it)),
            _ => {}
        }
    }

    fn variant(&mut self, variant: &Variant) {
        self.words.push(variant.name.to_string());
        for arg in variant.args {
            match &arg.kind {
                ArgKind::Flag => self.words.push(arg.name.to_string()),
                ArgKind::Named(ty) => {
                    self.arguments.push(arg.name.to_string());
                    self.of(ty);
                }
                ArgKind::Positional(ty) => self.of(ty),
            }
        }
    }
}

/// What stands between two marks of a file.
struct Part {
    file: &'static str,
    begin: String,
    end: &'static str,
    text: String,
}

/// Lists as lines: each with what comes before it, in lines of 110 columns with what comes between two words.
fn wrapped(words: &[String], first: &str, between: &str, next: &str, last: &str) -> String {
    let mut out = String::new();
    let mut line = first.to_string();
    for (at, word) in words.iter().enumerate() {
        let piece = if at == 0 { word.clone() } else { format!("{between}{word}") };
        if line.len() + piece.len() > 110 {
            out.push_str(line.trim_end());
            out.push('\n');
            line = format!("{next}{}", piece.trim_start());
        } else {
            line.push_str(&piece);
        }
    }
    out + &line + last + "\n"
}

/// Every part of every file.
fn parts() -> Vec<Part> {
    let mut words = words();
    let (shared, helix) = (tree_sitter(&words, SHARED), tree_sitter(&words, HELIX));
    // Only a tree tells a label from a value.
    words.remove("modes");
    let mut parts = vec![
        lines("editors/tree-sitter-nsl/queries/highlights.scm", ";", shared),
        lines("editors/helix/queries/nsl/highlights.scm", ";", helix),
        lines("editors/vim/syntax/nsl.vim", "\"", vim(&words)),
        lines("editors/emacs/nsl-mode.el", ";;", emacs(&words)),
        lines("editors/bat/nsl.sublime-syntax", "  #", sublime(&words)),
        Part {
            file: "editors/kate/nsl.xml",
            begin: "<!-- words: begin -->\n".into(),
            end: "    <!-- words: end -->",
            text: kate(&words),
        },
    ];
    for (kind, list) in &words {
        parts.push(Part {
            file: "editors/vscode/syntaxes/nsl.tmLanguage.json",
            begin: format!("(?#{kind})"),
            end: "(?#end)",
            text: longest_first(list).join("|").replace('.', "\\\\."),
        });
    }
    parts
}

fn lines(file: &'static str, comment: &str, text: String) -> Part {
    let end = match comment {
        ";" => "; words: end",
        ";;" => ";; words: end",
        "\"" => "\" words: end",
        _ => "  # words: end",
    };
    Part { file, begin: format!("{comment} words: begin\n"), end, text }
}

/// In an alternation the first that fits wins: `memory.swap.max` before `memory`.
fn longest_first(words: &[String]) -> Vec<&str> {
    let mut sorted: Vec<&str> = words.iter().map(String::as_str).collect();
    sorted.sort_by_key(|it| std::cmp::Reverse(it.len()));
    sorted
}

/// The captures of sections, fields, values, constants and system calls.
const SHARED: [&str; 5] = ["@type.builtin", "@property", "@constant.builtin", "@constant", "@function.builtin"];
const HELIX: [&str; 5] =
    ["@type.builtin", "@variable.other.member", "@constant.builtin", "@constant", "@function.builtin"];

fn tree_sitter(words: &Words, [section, field, value, constant, syscall]: [&str; 5]) -> String {
    let mut out = String::new();
    let mut pattern = |places: &[&str], list: Vec<&String>, capture: &str| {
        let nodes: Vec<String> = places.iter().map(|it| format!("({it} {capture})")).collect();
        let node = match nodes.as_slice() {
            [one] => one.clone(),
            several => format!("[\n  {}\n]", several.join("\n  ")),
        };
        let list: Vec<String> = list.into_iter().map(|it| format!("\"{it}\"")).collect();
        let any = wrapped(&list, &format!("  (#any-of? {capture} "), " ", "    ", "))");
        writeln!(out, "({node}\n{any}").expect("a string grows");
    };
    let of = |kinds: &'static [&'static str]| kinds.iter().flat_map(|it| &words[it]).collect::<Vec<_>>();
    let name = ["statement name: (field_name)"];
    // The label of a rule of seccomp is a call; a capability may have the name of one, and then looks like it.
    let label = ["statement label: (symbol)"];
    let values = ["statement value: (symbol)", "list (symbol)", "expression (symbol)", "binary_expression (symbol)"];
    let capabilities = words["capabilities"].iter().filter(|it| !words["syscalls"].contains(it));
    pattern(&name, of(&["sections"]), section);
    pattern(&name, of(&["fields"]), field);
    pattern(&label, of(&["modes"]), value);
    pattern(&label, of(&["syscalls"]), syscall);
    pattern(&label, capabilities.collect(), constant);
    pattern(&values, of(&["values"]), value);
    pattern(&values, of(&["constants", "signals"]), constant);
    out
}

fn vim(words: &Words) -> String {
    let mut out = String::new();
    for (kind, list) in words {
        let (name, contained) = match *kind {
            "keywords" => ("nslKeyword", "contained"),
            "declarations" => ("nslDeclaration", "contained"),
            "operators" => ("nslOperatorWord", "contained"),
            "modifiers" => ("nslModifier", "contained"),
            "sections" => ("nslSection", "contained"),
            "fields" => ("nslField", "contained"),
            "values" => ("nslValue", "contained"),
            "arguments" => ("nslArgument", "contained"),
            "types" => ("nslType", "contained"),
            "capabilities" => ("nslCapability", "contained"),
            "signals" => ("nslSignal", "contained"),
            "constants" => ("nslConstant", "contained"),
            _ => ("nslSyscall", "contained"),
        };
        out.push_str(&wrapped(list, &format!("syn keyword {name} {contained} "), " ", "      \\ ", ""));
    }
    out
}

fn emacs(words: &Words) -> String {
    let mut out = String::new();
    for (kind, list) in words {
        let list: Vec<String> = list.iter().map(|it| format!("\"{it}\"")).collect();
        let head = format!("(defconst nsl--{kind}\n");
        write!(out, "{head}{}", wrapped(&list, "  '(", " ", "    ", "").trim_end()).expect("a string grows");
        writeln!(out, ")\n  \"The {kind} of the language.\")\n").expect("a string grows");
    }
    out
}

fn sublime(words: &Words) -> String {
    let mut out = String::new();
    for (kind, list) in words {
        let list = longest_first(list).join("|").replace('.', "\\.");
        writeln!(out, "  {kind}: '(?:{list})'").expect("a string grows");
    }
    out
}

fn kate(words: &Words) -> String {
    let mut out = String::new();
    for (kind, list) in words {
        writeln!(out, "    <list name=\"{kind}\">").expect("a string grows");
        for word in list {
            writeln!(out, "      <item>{word}</item>").expect("a string grows");
        }
        writeln!(out, "    </list>").expect("a string grows");
    }
    out
}

#[test]
fn word_lists_are_current() {
    let bless = std::env::var_os("NSL_BLESS").is_some();
    let mut stale = Vec::new();
    let mut texts: BTreeMap<&str, (String, String)> = BTreeMap::new();
    for part in parts() {
        let (_, text) = texts.entry(part.file).or_insert_with(|| {
            let text = read(&repository().join(part.file));
            (text.clone(), text)
        });
        let missing = || panic!("{}: no `{}` with its end", part.file, part.begin.trim());
        // A kind of word that a file has no use for in a pattern has no marks there.
        if !text.contains(&part.begin) && part.end == "(?#end)" {
            continue;
        }
        let mut done = String::new();
        let mut rest = text.as_str();
        while let Some((before, behind)) = rest.split_once(&part.begin) {
            let at = behind.find(part.end).unwrap_or_else(missing);
            done.push_str(before);
            done.push_str(&part.begin);
            done.push_str(&part.text);
            rest = &behind[at..];
        }
        if done.is_empty() {
            missing();
        }
        done.push_str(rest);
        *text = done;
    }
    for (file, (before, after)) in texts {
        if before != after && bless {
            fs::write(repository().join(file), after).expect("our own file");
        } else if before != after {
            stale.push(file);
        }
    }
    assert!(stale.is_empty(), "stale: {}; NSL_BLESS=1 cargo test editors::words", stale.join(", "));
}

#[test]
fn words_are_those_that_people_write() {
    let words = words();
    for (kind, some) in [
        ("keywords", &["use", "param", "let", "with", "if", "else", "for", "require", "syscalls", "nsl"][..]),
        ("declarations", &["profile", "sandbox", "pod", "container"]),
        ("modifiers", &["default", "override", "final", "remove", "prefer", "optional"]),
        (
            "sections",
            &["user", "pid", "net", "mnt", "ipc", "uts", "cgroup", "time", "caps", "seccomp", "limits", "stop"],
        ),
        ("fields", &["run", "env", "mount", "memory.max", "nofile", "publish", "hostname"]),
        ("values", &["new", "host", "join", "bind", "tmpfs", "ro", "noexec", "true", "unprivileged", "errno", "kill"]),
        ("arguments", &["size", "count", "pid"]),
        ("constants", &["AF_UNIX", "EPERM", "CLONE_NEWUSER"]),
        ("signals", &["TERM"]),
        ("syscalls", &["openat2", "clone3"]),
    ] {
        for word in some {
            assert!(words[kind].iter().any(|it| it == word), "`{word}` is missing in {kind}");
        }
    }
}
