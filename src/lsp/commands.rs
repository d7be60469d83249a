//! The commands that a client may ask us to perform: each shows a text.

use lsp_types::request::ShowDocument;
use lsp_types::{ExecuteCommandParams, MessageType, ShowDocumentParams, ShowMessageParams, Uri, notification};
use serde_json::{Value, json};
use std::str::FromStr;

use super::server::Server;
use super::uri;
use crate::ide;

/// Show the page of a code: `[CODE]`.
pub const EXPLAIN: &str = "nsl.explain";
/// Show what a sandbox comes to: `[URI, NAME]`.
pub const EFFECTIVE: &str = "nsl.effective";

/// All of them.
pub const ALL: &[&str] = &[EXPLAIN, EFFECTIVE];

/// Performs a command. The text is the answer too, for clients that cannot open files for us.
pub fn execute(server: &Server<'_>, params: ExecuteCommandParams) -> Result<Value, String> {
    let argument = |at: usize| params.arguments.get(at).and_then(Value::as_str);
    let (text, file) = match params.command.as_str() {
        EXPLAIN => {
            let code = argument(0).ok_or("`nsl.explain` needs a code")?;
            let code = code.strip_prefix("nsl::").unwrap_or(code);
            let page = ide::page(code).ok_or_else(|| format!("there is no code `{code}`"))?;
            (page, server.library.page(code))
        }
        EFFECTIVE => {
            let (of, name) = argument(0).zip(argument(1)).ok_or("`nsl.effective` needs a file and a name")?;
            let path = server.path(&Uri::from_str(of).map_err(|error| error.to_string())?);
            let text = ide::effective(&server.project, &path, name);
            let text = text.ok_or_else(|| format!("`{name}` cannot be worked out: see the findings of its file"))?;
            let file = server.library.put(&format!("effective/{name}.nsl"), &text);
            (text, file)
        }
        other => return Err(format!("there is no command `{other}`")),
    };
    match file.and_then(|path| uri::of_path(&path)).filter(|_| server.client.shows_documents) {
        Some(uri) => server.ask::<ShowDocument>(ShowDocumentParams {
            uri,
            external: None,
            take_focus: Some(true),
            selection: None,
        }),
        None => server
            .notify::<notification::ShowMessage>(ShowMessageParams { typ: MessageType::INFO, message: text.clone() }),
    }
    Ok(json!(text))
}
