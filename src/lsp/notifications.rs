//! What the client tells.

use lsp_server::Notification;
use lsp_types::notification::{
    DidChangeTextDocument, DidChangeWatchedFiles, DidChangeWorkspaceFolders, DidCloseTextDocument, DidOpenTextDocument,
    DidSaveTextDocument, Notification as _,
};
use serde::de::DeserializeOwned;

use super::documents::Document;
use super::server::Server;
use super::uri;

/// Takes note of a notification; of one that cannot be read nothing can be said, as nobody waits for an answer.
pub fn take(server: &mut Server<'_>, notification: Notification) {
    let (method, params) = (notification.method.as_str(), notification.params);
    match method {
        DidOpenTextDocument::METHOD => {
            let Some(it) = read::<DidOpenTextDocument>(params) else { return };
            let it = it.text_document;
            let path = server.path(&it.uri);
            server.documents.open(&path, Document { uri: it.uri, version: it.version, text: it.text });
            server.touch(&path);
        }
        DidChangeTextDocument::METHOD => {
            let Some(it) = read::<DidChangeTextDocument>(params) else { return };
            let path = server.path(&it.text_document.uri);
            server.documents.change(&path, it.text_document.version, it.content_changes, server.client.encoding);
            server.touch(&path);
        }
        DidCloseTextDocument::METHOD => {
            let Some(it) = read::<DidCloseTextDocument>(params) else { return };
            let path = server.path(&it.text_document.uri);
            server.documents.close(&path);
            server.touch_all();
            // Its own findings go, also where nothing else is open.
            server.dirty.insert(path);
        }
        DidSaveTextDocument::METHOD | DidChangeWatchedFiles::METHOD => server.touch_all(),
        DidChangeWorkspaceFolders::METHOD => {
            let Some(it) = read::<DidChangeWorkspaceFolders>(params) else { return };
            let gone: Vec<String> = it.event.removed.iter().filter_map(|it| uri::to_path(&it.uri)).collect();
            server.folders.retain(|it| !gone.contains(it));
            server.folders.extend(it.event.added.iter().filter_map(|it| uri::to_path(&it.uri)));
            server.touch_all();
        }
        _ => {}
    }
}

fn read<N: lsp_types::notification::Notification>(params: serde_json::Value) -> Option<N::Params>
where
    N::Params: DeserializeOwned,
{
    serde_json::from_value(params).ok()
}
