//! Edits over the wire: whatever is typed, the server's text is the editor's, and every question is answered.

use serde_json::{Value, json};

use super::client::{Client, file, place, uri};

/// A text as an editor has it: units of UTF-16, with lines that end in `\n`, `\r\n` or `\r`.
struct Mirror(Vec<u16>);

impl Mirror {
    fn text(&self) -> String {
        String::from_utf16(&self.0).expect("no edit splits a character")
    }

    /// Where each line begins, and where it ends without its line break.
    fn lines(&self) -> Vec<(usize, usize)> {
        let (mut lines, mut start, mut at) = (Vec::new(), 0, 0);
        while at < self.0.len() {
            let width = match (self.0[at], self.0.get(at + 1)) {
                (13, Some(10)) => 2,
                (13 | 10, _) => 1,
                _ => 0,
            };
            if width > 0 {
                lines.push((start, at));
                start = at + width;
            }
            at += width.max(1);
        }
        lines.push((start, self.0.len()));
        lines
    }

    /// A place in the text, and how the protocol says it.
    fn place(&self, random: &mut Random) -> (usize, Value) {
        let lines = self.lines();
        let line = random.below(lines.len());
        let (start, end) = lines[line];
        let mut at = start + random.below(end - start + 1);
        // Not between the halves of a character.
        if at > start && at < end && (0xdc00..0xe000).contains(&self.0[at]) {
            at -= 1;
        }
        (at, json!({ "line": line, "character": at - start }))
    }
}

/// The same numbers every time: a failure can be looked at again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }
}

const TEXT: &str = "use std/service\r\nuse ./common.nsl as c\r\nparam site: path = ./sité\r\n\n## ünïcode 😀 docs\nsandbox web with \
    service.hardened(memory: 256MiB), c.base {\n  run = [\"/bin/true\", \"${site}\", \"😀😀\"] # 😀 x\r\n  user new { map uid 0 = \
    subid(count: 10) }\n  mnt new { mount /srv = bind($site, ro) }\n  seccomp {\n    deny socket(family != AF_UNIX) = errno(EPERM)\n    \
    allow @basic\n  }\n}\n";

const PIECES: &[&str] = &[
    "",
    "",
    "x",
    "\n",
    "\r\n",
    "\r",
    "😀",
    "ü",
    "{",
    "}",
    "\"",
    "#",
    "$",
    "@",
    "(",
    ")",
    "[",
    ",",
    " = ",
    "sandbox s {\n}\n",
    "  hide /home\n",
    "with ",
    "use ",
    "\u{feff}",
    "\0",
    "if $x { ",
];

/// What the server makes of a text, but for the name of its file.
fn answers(client: &mut Client, path: &std::path::Path) -> Vec<Value> {
    let all = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 100_000, "character": 0 } });
    let mut ranged = file(path);
    ranged["range"] = all;
    let mut laid_out = file(path);
    laid_out["options"] = json!({ "tabSize": 2, "insertSpaces": true });
    vec![
        client.ask("textDocument/semanticTokens/full", file(path)),
        client.ask("textDocument/documentSymbol", file(path)),
        client.ask("textDocument/foldingRange", file(path)),
        client.ask("textDocument/formatting", laid_out),
        client.ask("textDocument/inlayHint", ranged),
    ]
}

#[test]
fn edits_leave_the_text_that_the_editor_has() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(dir.path().join("common.nsl"), "profile base {\n  user new\n}\n").expect("our own folder");
    let path = dir.path().join("main.nsl");
    let mut client = Client::start(dir.path(), json!({}), json!({}));
    client.open(&path, TEXT);
    let mut mirror = Mirror(TEXT.encode_utf16().collect());
    let mut random = Random(7);
    for version in 2..=80 {
        let (from, start) = mirror.place(&mut random);
        let (to, end) = match random.below(3) {
            0 => mirror.place(&mut random),
            _ => (from, start.clone()),
        };
        let ((from, start), (to, end)) =
            if from <= to { ((from, start), (to, end)) } else { ((to, end), (from, start)) };
        // Most of what is selected is not thrown away, or nothing would be left soon.
        let (to, end) = if to - from > 40 { (from, start.clone()) } else { (to, end) };
        let long = "a 😀 line that is very long ".repeat(1_000);
        let piece = if version == 50 { &long } else { PIECES[random.below(PIECES.len())] };
        mirror.0.splice(from..to, piece.encode_utf16());
        let change = json!({ "range": { "start": start, "end": end }, "text": piece });
        let document = json!({ "uri": uri(&path), "version": version });
        client.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [change] }));
        let line = start["line"].as_u64().unwrap_or(0) as u32;
        let character = start["character"].as_u64().unwrap_or(0) as u32;
        // Each answer is awaited, so that no edit is skipped.
        match version % 4 {
            0 => drop(client.ask("textDocument/completion", place(&path, line, character))),
            1 => drop(client.ask("textDocument/hover", place(&path, line, character))),
            2 => drop(client.ask("textDocument/signatureHelp", place(&path, line, character))),
            _ => drop(client.ask("textDocument/definition", place(&path, line, character))),
        }
        if version % 20 == 0 {
            // Beside it the same text, which was not typed but opened.
            let other = dir.path().join(format!("other{version}.nsl"));
            client.open(&other, &mirror.text());
            assert_eq!(answers(&mut client, &path), answers(&mut client, &other), "{:?}", mirror.text());
            client.tell("textDocument/didClose", file(&other));
        }
    }
    assert_eq!(client.stop(), Some(0));
}
