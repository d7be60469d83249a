//! What an editor asks and gets: `nsl lsp` through a client of its own.

mod client;
mod conversation;
