//! Every test of the repository, one crate: one folder a kind.

mod filter;
mod cli;
mod language;
mod layering;
mod plan;
mod sandbox;
