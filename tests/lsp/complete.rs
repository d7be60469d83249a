//! What is proposed at the cursor, also in texts that do not parse.

use nsl::ide::{self, Completion};

use super::{Fixture, MAIN};

fn complete(text: &str, modules: &[(&str, &str)]) -> (Fixture, Vec<Completion>) {
    let it = Fixture::new(text, modules);
    let found = ide::complete(&it.project, MAIN, it.at);
    (it, found)
}

/// What must be among the proposals, and what must not (after `!`).
fn offers(text: &str, wanted: &[&str]) {
    offers_with(text, &[], wanted);
}

fn offers_with(text: &str, modules: &[(&str, &str)], wanted: &[&str]) {
    let (it, found) = complete(text, modules);
    let labels: Vec<&str> = found.iter().map(|it| it.label.as_str()).collect();
    for word in wanted {
        let (word, there) = word.strip_prefix('!').map_or((*word, true), |word| (word, false));
        assert_eq!(labels.contains(&word), there, "{text}\n--- `{word}` in ---\n{labels:?}");
    }
    // What is replaced is a word at the cursor, on its line.
    for one in &found {
        assert!(one.replace.start <= it.at && it.at <= one.replace.end, "{text}: {one:?}");
        assert!(!it.text[one.replace.clone()].contains('\n'), "{text}: {one:?}");
    }
}

#[test]
fn the_top_of_a_file() {
    offers("<|>", &["sandbox", "profile", "pod", "use", "param", "let", "!mount"]);
    offers("use std/service\n\nsan<|>", &["sandbox"]);
    offers("use <|>", &["std/service", "std/untrusted"]);
    offers("use std/<|>", &["std/service"]);
    offers("param x: <|>", &["size", "path", "duration"]);
    offers("param x: [pa<|>]", &["path"]);
    offers_with("use <|>", &[("common.nsl", ""), ("a.txt", "")], &["./common.nsl", "!./main.nsl", "!./a.txt"]);
    offers_with(
        "use ./<|>",
        &[("common.nsl", ""), ("parts/x.nsl", ""), ("a.txt", "")],
        &["common.nsl", "parts", "!a.txt"],
    );
    offers_with("use ./parts/<|>", &[("parts/x.nsl", "")], &["x.nsl"]);
}

#[test]
fn bodies_and_sections() {
    offers(
        "sandbox a {\n  <|>\n}",
        &["run", "env", "net", "mnt", "seccomp", "override", "if", "!mount", "!after", "!hostname"],
    );
    offers("sandbox a {\n  mnt new {\n    m<|>\n  }\n}", &["mount", "mkdir", "hide", "root", "!net", "!run"]);
    offers("sandbox a {\n  cgroup new {\n    memory.<|>\n  }\n}", &["memory.max", "memory.swap.max"]);
    offers("sandbox a {\n  cgroup new {\n    prefer <|>\n  }\n}", &["pids.max", "!override"]);
    offers("sandbox a {\n  run = []\n  <|>\n}", &["cwd", "!run"]);
    offers("pod p {\n  container a {\n    <|>\n  }\n}", &["after", "ready", "restart"]);
    offers("pod p {\n  <|>\n}", &["container", "net"]);
    offers("profile p {\n  limits {\n    <|>\n  }\n}", &["nofile", "core"]);
}

#[test]
fn values() {
    offers("sandbox a {\n  net <|>\n}", &["new", "host", "join"]);
    offers("sandbox a {\n  net j<|> {\n  }\n}", &["join"]);
    offers("sandbox a {\n  mnt new {\n    mount /tmp = <|>\n  }\n}", &["tmpfs", "bind", "proc", "dev"]);
    offers("sandbox a {\n  mnt new {\n    mount /tmp = tmpfs(<|>\n  }\n}", &["size", "noexec", "mode"]);
    offers("sandbox a {\n  mnt new {\n    mount /tmp = tmpfs(size: 1MiB, <|>)\n  }\n}", &["noexec", "!size"]);
    offers("sandbox a {\n  no-new-privs = <|>\n}", &["true", "false"]);
    offers("sandbox a {\n  net new {\n    loopback = <|>\n  }\n}", &["up", "down"]);
    offers("sandbox a {\n  stop {\n    signal = <|>\n  }\n}", &["TERM", "KILL"]);
    offers("sandbox a {\n  caps {\n    keep <|>\n  }\n}", &["net_raw", "sys_admin", "none"]);
    offers("sandbox a {\n  seccomp {\n    allow op<|>\n  }\n}", &["openat", "openat2", "@basic"]);
    offers("sandbox a {\n  seccomp {\n    allow @<|>\n  }\n}", &["@basic", "@file", "!openat"]);
    offers("sandbox a {\n  seccomp {\n    deny ptrace = <|>\n  }\n}", &["errno", "kill", "log"]);
    offers("sandbox a {\n  seccomp {\n    deny ptrace = errno(<|>)\n  }\n}", &["EPERM", "ENOSYS"]);
    offers("sandbox a {\n  seccomp {\n    deny socket(<|>)\n  }\n}", &["family", "type"]);
    offers("sandbox a {\n  seccomp {\n    deny socket(family != <|>)\n  }\n}", &["AF_UNIX", "AF_INET"]);
    offers("sandbox a {\n  cgroup new {\n    memory.max = 12<|>\n  }\n}", &["MiB", "GiB", "!min"]);
    offers("sandbox a {\n  stop {\n    timeout = 5<|>\n  }\n}", &["s", "min", "!MiB"]);
    offers("sandbox a {\n  user new {\n    map <|>\n  }\n}", &["uid", "gid"]);
    offers("sandbox web {\n}\nsandbox a {\n  net join(<|>)\n}", &["pid", "path", "sandbox"]);
    offers("sandbox web {\n}\nsandbox a {\n  net join(sandbox: <|>)\n}", &["web"]);
    offers("pod p {\n  container one {\n  }\n  container two {\n    after = [<|>]\n  }\n}", &["one", "!two"]);
    offers("syscalls group g {\n  read o<|>\n}", &["openat", "@basic"]);
}

#[test]
fn names() {
    offers(
        "param mem: size\nlet x = 1\nsandbox a {\n  cgroup new {\n    memory.max = $<|>\n  }\n}",
        &["$mem", "$x", "$caller.home"],
    );
    offers("param mem: size\nsandbox a {\n  env A = \"${<|>}\"\n}", &["mem"]);
    offers(
        "profile p(inner: path) {\n  for d in [/a] {\n    mnt new {\n      hide $<|>\n    }\n  }\n}",
        &["$inner", "$d"],
    );
    offers("profile p(inner: path) {\n}\nsandbox a {\n  cwd = $<|>\n}", &["!$inner"]);
    offers("use std/service\nsandbox a with <|>", &["service.hardened"]);
    offers("use std/service\nsandbox a with service.<|>", &["hardened"]);
    offers("use std/service\nsandbox a with service.<|> {\n}", &["hardened"]);
    offers("profile one {\n}\nprofile two with <|> {\n}", &["one", "!two"]);
    offers("use std/service\nsandbox a with service.hardened(<|>) {\n}", &["memory", "writable"]);
    offers("use std/service\nsandbox a with service.hardened(memory: 1GiB, <|>", &["writable", "!memory"]);
    offers("param big: size\nuse std/service\nsandbox a with service.hardened(memory: <|>) {\n}", &["$big", "64MiB"]);
    offers("param x: size\nsandbox a {\n  if $<|>\n}", &["$x"]);
}

#[test]
fn files() {
    let files = [("site/index.html", ""), ("run.sh", ""), (".hidden", "")];
    offers_with("param p: path = ./<|>", &files, &["site", "run.sh", "!.hidden"]);
    offers_with("sandbox a {\n  mnt new {\n    mount /srv = bind(./<|>)\n  }\n}", &files, &["site"]);
    offers_with("sandbox a {\n  mnt new {\n    mount /srv = bind(./site/<|>)\n  }\n}", &files, &["index.html"]);
    offers_with("sandbox a {\n  run = [\"/policies/<|>\"]\n}", &files, &["run.sh"]);
}

#[test]
fn what_is_put_in() {
    let inserted = |text: &str, label: &str| {
        let (it, found) = complete(text, &[]);
        let one = found.into_iter().find(|it| it.label == label).expect("it is offered");
        format!("{}{}{}", &it.text[..one.replace.start], one.insert, &it.text[one.replace.end..])
    };
    assert_eq!(inserted("sandbox a {\n  no<|>\n}", "no-new-privs"), "sandbox a {\n  no-new-privs = $0\n}");
    assert_eq!(inserted("sandbox a {\n  no<|>-new = true\n}", "no-new-privs"), "sandbox a {\n  no-new-privs = true\n}");
    assert_eq!(inserted("sandbox a { cwd = $ca<|> }", "$caller.home"), "sandbox a { cwd = \\$caller.home }");
    assert_eq!(
        inserted("use std/service\nsandbox a with service.ha<|> {\n}", "hardened"),
        "use std/service\nsandbox a with service.hardened {\n}"
    );
}

#[test]
fn nothing_where_the_author_names_things() {
    for text in [
        "# comm<|>ent",
        "sandbox na<|>me {\n}",
        "param na<|>me: size",
        "let na<|>me = 1",
        "sandbox a {\n  env A = \"te<|>xt\"\n}",
    ] {
        assert_eq!(complete(text, &[]).1, [], "{text}");
    }
}
