//! Modules, profiles, merging, provenance: a tree becomes a [`Policy`].

use std::collections::BTreeMap;

use crate::policy::Policy;
use crate::report::Diagnostic;
use crate::source::{FileId, Files, Loader};

/// What comes into a policy from outside.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// `--set NAME=value`, the value as typed.
    pub params: BTreeMap<String, String>,
    /// What `$caller.…` means.
    pub caller: CallerNames,
    /// Directory that relative paths of `--set` values are relative to (the working directory), absolute.
    pub cwd: String,
}

/// What a policy may know of the caller.
#[derive(Clone, Debug, Default)]
pub struct CallerNames {
    /// `$caller.uid`
    pub uid: u32,
    /// `$caller.gid`
    pub gid: u32,
    /// `$caller.user`
    pub user: String,
    /// `$caller.home`
    pub home: String,
}

/// What became of a file.
#[derive(Clone, Debug, Default)]
pub struct Resolved {
    /// The policy; where there are errors, what could still be made of it, so that the rest can be checked.
    pub policy: Policy,
    /// Syntax errors and findings of resolving, of all files, sorted by place.
    pub findings: Vec<Diagnostic>,
}

/// Resolves one file of the table; modules that it uses are added to the table.
pub fn resolve(_files: &mut Files, _root: FileId, _inputs: &Inputs, _loader: &dyn Loader) -> Resolved {
    todo!("resolve")
}
