//! What editors know of the language: their word lists, and a grammar of their own.
//!
//! `editors/test` loads the rest into the editors themselves.

mod grammar;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
