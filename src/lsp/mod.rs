//! `nsl lsp`: the Language Server Protocol in front of [`crate::ide`], and nothing else.
//!
//! One thread answers one message after the other, so that edits are seen in order. A panic in a handler becomes an error
//! response. Findings are published when no message waits: of ten keystrokes that come at once only the last is checked.

mod answers;
mod capabilities;
mod commands;
mod documents;
mod library;
mod notifications;
mod positions;
mod publish;
mod requests;
mod server;
mod uri;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use lsp_server::{Connection, ErrorCode, Message, Response};

use crate::ide::Inputs;
use server::Server;

/// What a server needs to know of its surroundings.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What `$caller` means, and the working directory.
    pub inputs: Inputs,
    /// The user's cache directory, for texts of the standard library that an editor opens.
    pub cache: Option<PathBuf>,
}

/// Serves one client until it says goodbye; an error is what went wrong with the conversation.
pub fn serve(connection: &Connection, options: Options) -> Result<(), String> {
    let text = |error: lsp_server::ProtocolError| error.to_string();
    let (id, params) = connection.initialize_start().map_err(text)?;
    let params = match serde_json::from_value(params) {
        Ok(params) => params,
        Err(error) => {
            let response = Response::new_err(id, ErrorCode::InvalidParams as i32, error.to_string());
            let _ = connection.sender.send(response.into());
            return Err(format!("the client's `initialize` cannot be read: {error}"));
        }
    };
    let mut server = Server::new(&params, options, connection);
    connection.initialize_finish(id, server.hello()).map_err(text)?;
    server.watch_files();
    while let Ok(message) = connection.receiver.recv() {
        match message {
            Message::Request(request) => {
                if connection.handle_shutdown(&request).map_err(text)? {
                    return Ok(());
                }
                let id = request.id.clone();
                let response = guarded(|| requests::answer(&server, request))
                    .unwrap_or_else(|said| Response::new_err(id, ErrorCode::InternalError as i32, said));
                server.send(response.into());
            }
            Message::Notification(notification) => {
                if notification.method == "exit" {
                    return Err("the client left without `shutdown`".into());
                }
                let _ = guarded(|| notifications::take(&mut server, notification));
            }
            // Answers to what we have asked for hold nothing that we need.
            Message::Response(_) => {}
        }
        if connection.receiver.is_empty() {
            let _ = guarded(|| server.publish());
        }
        server.next();
    }
    Ok(())
}

/// Does something that may panic; what it said, if it did.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let said = panic.downcast_ref::<&str>().map(|it| it.to_string());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        format!("internal error, please report it: {said}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        let said = guarded(|| {
            if std::env::args().count() > 0 {
                panic!("at {}", 1)
            }
        })
        .expect_err("it panicked");
        assert_eq!(said, "internal error, please report it: at 1");
        assert_eq!(guarded(|| 1), Ok(1));
    }
}
