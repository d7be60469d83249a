//! Every test of the repository, one crate: one folder a kind.

mod cli;
mod editors;
mod filter;
mod language;
mod layering;
mod lsp;
mod plan;
mod sandbox;
