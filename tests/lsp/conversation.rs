//! Whole conversations with `nsl lsp`, as an editor has them.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::client::{Client, file, place, uri};

struct Folder {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

impl Folder {
    fn new(files: &[(&str, &str)]) -> Folder {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().canonicalize().expect("it is there");
        for (name, text) in files {
            fs::write(path.join(name), text).expect("our own folder");
        }
        Folder { _dir: dir, path }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

fn utf8() -> Value {
    json!({ "general": { "positionEncodings": ["utf-16", "utf-8"] } })
}

const WEB: &str = "\
use std/service

sandbox web with service.hardened(memory: 256MiB) {
  run = [\"/bin/true\"]
  uts new { hostname = \"web\" }
}
";

#[test]
fn findings_come_and_go() {
    let folder = Folder::new(&[]);
    let path = folder.file("a.nsl");
    let mut client = Client::start(&folder.path, utf8(), json!({}));
    assert_eq!(client.hello["capabilities"]["positionEncoding"], "utf-8");
    client.open(&path, "sandbox a {\n  rum = [\"/bin/true\"]\n}\n");
    let found = client.findings(&path);
    let unknown = found.iter().find(|it| it["code"] == "nsl::unknown-key").expect("`rum` is no field");
    assert_eq!(unknown["range"]["start"], json!({ "line": 1, "character": 2 }));
    assert_eq!((&unknown["severity"], &unknown["source"]), (&json!(1), &json!("nsl")));
    assert!(unknown["message"].as_str().expect("text").contains("did you mean `run`"), "{unknown}");
    assert!(unknown["codeDescription"]["href"].as_str().expect("a page").ends_with("/codes/unknown-key.md"));
    // One letter is another one: an edit of a part of the text.
    let range = json!({ "start": { "line": 1, "character": 4 }, "end": { "line": 1, "character": 5 } });
    client.tell(
        "textDocument/didChange",
        json!({ "textDocument": { "uri": uri(&path), "version": 2 }, "contentChanges": [{ "range": range, "text": "n" }] }),
    );
    let found = client.findings(&path);
    assert!(found.iter().all(|it| it["severity"] != 1), "{found:?}");
    client.tell("textDocument/didClose", file(&path));
    assert_eq!(client.findings(&path), [Value::Null; 0]);
    assert_eq!(client.stop(), Some(0));
}

#[test]
fn a_conversation_of_a_morning() {
    let folder = Folder::new(&[]);
    let path = folder.file("web.nsl");
    let mut client = Client::start(&folder.path, utf8(), json!({ "commands": ["nsl.run"] }));
    client.open(&path, WEB);
    let hover = client.ask("textDocument/hover", place(&path, 4, 14));
    assert!(hover["contents"]["value"].as_str().expect("text").contains("sethostname(2)"), "{hover}");
    let items = client.ask("textDocument/completion", place(&path, 4, 4));
    assert!(items["items"].as_array().expect("a list").iter().any(|it| it["label"] == "uts"), "{items}");
    let to = client.ask("textDocument/definition", place(&path, 2, 27));
    let module = to[0]["uri"].as_str().expect("a file").strip_prefix("file://").expect("a file").to_string();
    assert!(module.ends_with("/std/service.nsl"), "{to}");
    assert!(fs::read_to_string(&module).expect("it is there").contains("profile hardened("));
    let symbols = client.ask("textDocument/documentSymbol", file(&path));
    assert_eq!(symbols[1]["name"], "web");
    let lenses = client.ask("textDocument/codeLens", file(&path));
    let commands: Vec<&str> =
        lenses.as_array().expect("a list").iter().filter_map(|it| it["command"]["command"].as_str()).collect();
    assert_eq!(commands, ["nsl.run", "nsl.effective"]);
    let text =
        client.ask("workspace/executeCommand", json!({ "command": "nsl.effective", "arguments": [uri(&path), "web"] }));
    assert!(text.as_str().expect("text").contains("no-new-privs = true"), "{text}");
    let page =
        client.ask("workspace/executeCommand", json!({ "command": "nsl.explain", "arguments": ["nsl::no-run"] }));
    assert!(page.as_str().expect("text").starts_with("# nsl::no-run"), "{page}");
    assert!(client.told("window/showMessage")["params"]["message"].as_str().expect("text").contains("no-new-privs"));
    let whole = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 9, "character": 0 } });
    let hints = client.ask("textDocument/inlayHint", json!({ "textDocument": { "uri": uri(&path) }, "range": whole }));
    assert!(hints.as_array().expect("a list").iter().any(|it| it["label"] == ", writable: []"), "{hints}");
    let tokens = client.ask("textDocument/semanticTokens/full", file(&path));
    assert_eq!(tokens["data"].as_array().expect("numbers").len() % 5, 0);
    assert_eq!(client.stop(), Some(0));
}

#[test]
fn formatting_is_what_fmt_writes() {
    let folder = Folder::new(&[]);
    let path = folder.file("a.nsl");
    let mut client = Client::start(&folder.path, utf8(), json!({}));
    client.open(&path, "sandbox a {\nrun=[\"/bin/true\"]\n\n\n\n  pid new\n}\n");
    let options = json!({ "tabSize": 2, "insertSpaces": true });
    let edits =
        client.ask("textDocument/formatting", json!({ "textDocument": { "uri": uri(&path) }, "options": options }));
    assert_eq!(
        edits,
        json!([
            { "range": { "start": { "line": 1, "character": 0 }, "end": { "line": 4, "character": 0 } }, "newText": "  run = [\"/bin/true\"]\n" },
        ])
    );
    // What does not parse is left alone.
    let broken = folder.file("b.nsl");
    client.open(&broken, "sandbox b {\n");
    let edits =
        client.ask("textDocument/formatting", json!({ "textDocument": { "uri": uri(&broken) }, "options": options }));
    assert_eq!(edits, Value::Null);
    assert_eq!(client.stop(), Some(0));
}

#[test]
fn an_edit_of_a_module_reaches_who_uses_it() {
    let common = "profile base(size: size = 1MiB) {\n  cgroup new { memory.max = $size }\n}\n";
    let main = "use ./common.nsl\nsandbox a with common.base {\n  run = [\"/bin/true\"]\n  cgroup new { memory.max = 2MiB }\n}\n";
    let folder = Folder::new(&[("common.nsl", common), ("main.nsl", main)]);
    let (module, path) = (folder.file("common.nsl"), folder.file("main.nsl"));
    let mut client = Client::start(&folder.path, utf8(), json!({}));
    client.open(&path, main);
    let found = client.findings(&path);
    let twice = found.iter().find(|it| it["code"] == "nsl::set-twice").expect("two values");
    let related = &twice["relatedInformation"][0];
    assert_eq!(related["location"]["uri"], uri(&module), "{twice}");
    assert_eq!(related["location"]["range"]["start"]["line"], 1);
    // The module is opened and changed in the editor only; on disk it is as it was.
    client.open(&module, common);
    client.findings(&module);
    client.tell(
        "textDocument/didChange",
        json!({
            "textDocument": { "uri": uri(&module), "version": 2 },
            "contentChanges": [{ "text": common.replace("memory.max", "default memory.max") }],
        }),
    );
    client.findings(&module);
    let found = loop {
        let found = client.findings(&path);
        if found.iter().all(|it| it["code"] != "nsl::set-twice") {
            break found;
        }
    };
    assert!(found.iter().all(|it| it["severity"] != 1), "{found:?}");
    // Closed without saving, the one on disk counts again.
    client.tell("textDocument/didClose", file(&module));
    assert!(client.findings(&path).iter().any(|it| it["code"] == "nsl::set-twice"));
    assert_eq!(client.stop(), Some(0));
}

#[test]
fn columns_are_utf_16_where_the_client_knows_nothing_else() {
    let folder = Folder::new(&[]);
    let path = folder.file("a.nsl");
    let mut client = Client::start(&folder.path, json!({}), json!({}));
    assert_eq!(client.hello["capabilities"]["positionEncoding"], "utf-16");
    client.open(&path, "sandbox a {\n  run = [\"/bin/echo\", \"😀\", 5]\n}\n");
    let found = client.findings(&path);
    let wrong = found.iter().find(|it| it["code"] == "nsl::wrong-type").expect("5 is no string");
    // `  run = ["/bin/echo", "😀", ` is 28 units, and 30 bytes.
    assert_eq!(wrong["range"]["start"], json!({ "line": 1, "character": 28 }), "{wrong}");
    assert_eq!(client.stop(), Some(0));
}

#[test]
fn a_name_is_changed_in_all_files() {
    let common = "profile base {\n  pid new\n}\n";
    let main = "use ./common.nsl\nsandbox a with common.base { run = [\"/bin/true\"] }\n";
    let folder = Folder::new(&[("common.nsl", common), ("main.nsl", main)]);
    let module = folder.file("common.nsl");
    let mut client = Client::start(&folder.path, utf8(), json!({}));
    // The policy that uses it is not even open.
    client.open(&module, common);
    let at = place(&module, 0, 9);
    let prepared = client.ask("textDocument/prepareRename", at.clone());
    assert_eq!(prepared["placeholder"], "base");
    let mut params = at.clone();
    params["newName"] = json!("ground");
    let edit = client.ask("textDocument/rename", params.clone());
    assert_eq!(edit["changes"][uri(&module)][0]["newText"], "ground");
    let other = &edit["changes"][uri(&folder.file("main.nsl"))][0];
    assert_eq!(other["range"]["start"], json!({ "line": 1, "character": 22 }));
    params["newName"] = json!("for");
    let refused = client.answer("textDocument/rename", params);
    assert_eq!(refused["error"]["message"], "`for` is a word of the language");
    let mut params = at;
    params["context"] = json!({ "includeDeclaration": true });
    assert_eq!(client.ask("textDocument/references", params).as_array().expect("a list").len(), 2);
    assert_eq!(client.ask("workspace/symbol", json!({ "query": "BAS" }))[0]["name"], "base");
    assert_eq!(client.stop(), Some(0));
}

#[test]
fn a_fix_is_offered_and_fits() {
    let folder = Folder::new(&[]);
    let path = folder.file("a.nsl");
    let text = "sandbox a {\n  run = [\"/bin/true\"]\n  limits { nofil = 64 }\n}\n";
    let mut client = Client::start(&folder.path, utf8(), json!({}));
    client.open(&path, text);
    let found = client.findings(&path);
    let at = &found.iter().find(|it| it["code"] == "nsl::unknown-key").expect("a slip")["range"];
    let actions = client.ask(
        "textDocument/codeAction",
        json!({ "textDocument": { "uri": uri(&path) }, "range": at, "context": { "diagnostics": [] } }),
    );
    let fix = &actions[0];
    assert_eq!((&fix["title"], &fix["kind"]), (&json!("write `nofile`"), &json!("quickfix")), "{actions}");
    assert_eq!(fix["edit"]["changes"][uri(&path)][0]["newText"], "nofile");
    assert_eq!(actions[1]["command"]["command"], "nsl.explain");
    assert_eq!(client.stop(), Some(0));
}

#[test]
fn what_cannot_be_answered_is_an_error_and_not_the_end() {
    let folder = Folder::new(&[]);
    let path = folder.file("none.nsl");
    let mut client = Client::start(&folder.path, utf8(), json!({}));
    assert_eq!(client.answer("textDocument/colorOfTheSea", json!({}))["error"]["code"], -32601);
    assert_eq!(client.answer("textDocument/hover", json!({ "position": 7 }))["error"]["code"], -32602);
    // A file that is neither open nor on disk.
    assert_eq!(client.ask("textDocument/hover", place(&path, 0, 0)), Value::Null);
    client.tell("textDocument/didChange", json!({ "nothing": true }));
    client.tell("$/whatever", json!({}));
    let unknown = client.answer("workspace/executeCommand", json!({ "command": "nsl.explain", "arguments": ["nope"] }));
    assert_eq!(unknown["error"]["message"], "there is no code `nope`");
    assert_eq!(client.stop(), Some(0));
}

#[test]
fn an_editor_that_is_gone_ends_it() {
    let folder = Folder::new(&[]);
    let client = Client::start(&folder.path, utf8(), json!({}));
    let (status, _) = client.hang_up();
    assert!(matches!(status, Some(0 | 1)), "{status:?}");
    let mut client = Client::spawn();
    client.send("this is no message");
    let (status, said) = client.hang_up();
    assert_eq!(status, Some(1));
    assert!(said.contains("lsp-broken-off"), "{said}");
}
