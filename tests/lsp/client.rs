//! A client that speaks to `nsl lsp` over pipes, as an editor does.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

/// Longer than any answer takes, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Client {
    child: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    /// What came and was not asked for.
    told: Vec<Value>,
    asked: i64,
    pub hello: Value,
    _cache: tempfile::TempDir,
}

impl Client {
    /// A client that has introduced itself: its capabilities, and what it wants besides.
    pub fn start(root: &Path, capabilities: Value, options: Value) -> Client {
        let mut client = Client::spawn();
        let uri = uri(root);
        let params = json!({
            "processId": std::process::id(), "rootUri": uri, "capabilities": capabilities,
            "workspaceFolders": [{ "uri": uri, "name": "policies" }], "initializationOptions": options,
        });
        client.hello = client.ask("initialize", params);
        client.tell("initialized", json!({}));
        client
    }

    /// A client that has said nothing yet.
    pub fn spawn() -> Client {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let mut child = Command::new(env!("CARGO_BIN_EXE_nsl"))
            .arg("lsp")
            .env("XDG_CACHE_HOME", cache.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("nsl starts");
        let output = child.stdout.take().expect("it is piped");
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let input = child.stdin.take();
        Client { child, input, messages, told: Vec::new(), asked: 0, hello: Value::Null, _cache: cache }
    }

    pub fn send(&mut self, text: &str) {
        let input = self.input.as_mut().expect("it is open");
        let _ = write!(input, "Content-Length: {}\r\n\r\n{text}", text.len());
        let _ = input.flush();
    }

    pub fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string());
    }

    /// The whole answer to a request.
    pub fn answer(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string());
        loop {
            let message = self.messages.recv_timeout(PATIENCE).expect("an answer");
            match message.get("method") {
                // The server asks too; it is content with anything.
                Some(_) if message.get("id").is_some() => {
                    let reply = json!({ "jsonrpc": "2.0", "id": message["id"], "result": null });
                    self.send(&reply.to_string());
                    self.told.push(message);
                }
                Some(_) => self.told.push(message),
                None => {
                    assert_eq!(message["id"], id);
                    return message;
                }
            }
        }
    }

    /// The result of a request that succeeds.
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        let answer = self.answer(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    pub fn open(&mut self, path: &Path, text: &str) {
        let document = json!({ "uri": uri(path), "languageId": "nsl", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
    }

    /// The next findings of a file.
    pub fn findings(&mut self, path: &Path) -> Vec<Value> {
        let of = |it: &Value| it["method"] == "textDocument/publishDiagnostics" && it["params"]["uri"] == uri(path);
        loop {
            if let Some(at) = self.told.iter().position(of) {
                let params = self.told.remove(at)["params"].take();
                return params["diagnostics"].as_array().cloned().unwrap_or_default();
            }
            let message = self.messages.recv_timeout(PATIENCE).expect("findings");
            self.told.push(message);
        }
    }

    /// The next message that the server sent without being asked.
    pub fn told(&mut self, method: &str) -> Value {
        loop {
            if let Some(at) = self.told.iter().position(|it| it["method"] == method) {
                return self.told.remove(at);
            }
            let message = self.messages.recv_timeout(PATIENCE).expect("a message");
            self.told.push(message);
        }
    }

    /// Says goodbye; the exit status.
    pub fn stop(mut self) -> Option<i32> {
        self.ask("shutdown", Value::Null);
        self.tell("exit", Value::Null);
        self.child.wait().expect("it ends").code()
    }

    /// Hangs up without a word; the exit status, and what was said on the standard error.
    pub fn hang_up(mut self) -> (Option<i32>, String) {
        drop(self.input.take());
        let mut said = String::new();
        let mut error = self.child.stderr.take().expect("it is piped");
        let _ = error.read_to_string(&mut said);
        (self.child.wait().expect("it ends").code(), said)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = None;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().ok(),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length?];
    output.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

/// The URI of a path without special characters.
pub fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

pub fn place(path: &Path, line: u32, character: u32) -> Value {
    json!({ "textDocument": { "uri": uri(path) }, "position": { "line": line, "character": character } })
}

pub fn file(path: &Path) -> Value {
    json!({ "textDocument": { "uri": uri(path) } })
}
