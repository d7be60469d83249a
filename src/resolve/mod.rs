//! Modules, profiles, merging, provenance: a tree becomes a [`Policy`].
//!
//! A file is read, the modules it uses are found (`module`), its names get values (`eval`, `scope`), and every
//! sandbox becomes a stack of layers (`layer`): its profiles, joined, and its own body on top. Merging (`merge`) leaves one
//! value for each key; the schema gives it its type (`typed`), and `lower` makes the policy of it.

mod allows;
mod body;
mod eval;
mod expand;
mod groups;
mod layer;
mod lower;
mod merge;
mod module;
mod params;
mod pods;
mod scope;
mod typed;
mod unused;
mod value;
mod volumes;
mod weaker;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use crate::policy::Policy;
use crate::report::{Allow, Diagnostic};
use crate::source::{FileId, Files, Loader, Span};
use crate::syntax::ast::{DeclKind, Item};
use crate::syntax::parse;
pub use expand::{Behind, Expanded, Line, Show, behind, no_sandbox, pick, text};
pub use merge::Gone;
use merge::Slots;
use module::Module;
pub use module::{PRELUDE, STANDARD, bound_name};
pub use params::{TYPES, type_names};
pub use scope::normalise;
use scope::{Binding, Scope};

/// What comes into a policy from outside.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// `--set NAME=value`, the value as typed.
    pub params: BTreeMap<String, String>,
    /// What `$caller.…` means.
    pub caller: CallerNames,
    /// Directory that relative paths of `--set` values, and the path of the policy, are relative to (the working
    /// directory), absolute.
    pub cwd: String,
    /// Whether parameters without a value are values that nobody knows yet, about which nothing is said, and no
    /// errors: for looking at a policy that is not about to run.
    pub open: bool,
    /// What names of users and groups mean, where a policy writes them for ids.
    pub database: UserDatabase,
}

/// The user database that names of a policy are looked up in: passwd(5), group(5). The default one knows nobody.
#[derive(Clone, Copy, Debug)]
pub struct UserDatabase {
    /// The id of a user.
    pub uid: fn(&str) -> Option<u32>,
    /// The id of a group.
    pub gid: fn(&str) -> Option<u32>,
}

impl Default for UserDatabase {
    fn default() -> UserDatabase {
        UserDatabase { uid: |_| None, gid: |_| None }
    }
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
    /// What comments of the files allow; the findings here are not yet without it.
    pub allows: Vec<Allow>,
}

/// Everything that resolving needs and collects.
struct Cx<'a> {
    files: &'a mut Files,
    loader: &'a dyn Loader,
    inputs: &'a Inputs,
    findings: Vec<Diagnostic>,
    allows: Vec<Allow>,
    /// The `use` statements that were of use.
    used: Vec<Span>,
    /// Names of the module at hand that are declared further down.
    below: Vec<(String, Span)>,
    /// Modules by absolute path, or by name for the standard library.
    modules: BTreeMap<String, Rc<Module>>,
    /// Files that are being read, with the `use` that asked for them.
    loading: Vec<(String, Option<Span>)>,
    /// The directory of the root file, absolute.
    root_dir: String,
    /// The directory of the root file as the user wrote it.
    shown_dir: String,
    /// How many statements were made so far.
    statements: usize,
    /// Whether what bodies come to is wanted as statements, and where it goes.
    keep_expanded: bool,
    expanded: Vec<Expanded>,
    /// The profiles that somebody uses, by the place of their declaration: their bodies were gone through.
    instantiated: HashSet<Span>,
    /// What profiles came to in the sandbox at hand, by the place of their declaration and their arguments.
    layers: HashMap<(Span, String), Rc<Slots>>,
}

impl<'a> Cx<'a> {
    /// What expressions of a module see.
    fn scope<'s>(&'s mut self, names: &Rc<BTreeMap<String, Binding>>, dir: Option<&'s str>) -> Scope<'s> {
        Scope {
            names: names.clone(),
            caller: &self.inputs.caller,
            dir,
            findings: &mut self.findings,
            texts: self.files,
            below: &self.below,
        }
    }

    fn report(&mut self, finding: Diagnostic) {
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// A path as the user would write it.
    fn shown(&self, path: &str) -> String {
        match path.strip_prefix(self.root_dir.trim_end_matches('/')) {
            Some(rest) if self.shown_dir.is_empty() => rest.trim_start_matches('/').to_string(),
            Some(rest) => format!("{}/{}", self.shown_dir.trim_end_matches('/'), rest.trim_start_matches('/')),
            None => path.to_string(),
        }
    }
}

/// Resolves one file of the table; modules that it uses are added to the table.
pub fn resolve(files: &mut Files, root: FileId, inputs: &Inputs, loader: &dyn Loader) -> Resolved {
    whole(files, root, inputs, loader, false).0
}

/// The same, with what every sandbox, pod and container comes to as statements, in the order of the file.
pub fn expand(files: &mut Files, root: FileId, inputs: &Inputs, loader: &dyn Loader) -> (Resolved, Vec<Expanded>) {
    whole(files, root, inputs, loader, true)
}

fn whole(
    files: &mut Files,
    root: FileId,
    inputs: &Inputs,
    loader: &dyn Loader,
    keep_expanded: bool,
) -> (Resolved, Vec<Expanded>) {
    let name = files.name(root).to_string();
    let tree = parse(files, root);
    let shown_dir =
        name.rsplit_once('/').map_or(String::new(), |(dir, _)| if dir.is_empty() { "/".into() } else { dir.into() });
    let absolute = if name.starts_with('/') { name.clone() } else { format!("{}/{name}", inputs.cwd) };
    let path = normalise(&absolute).unwrap_or_else(|_| "/policy.nsl".into());
    let root_dir = path.rsplit_once('/').map_or("/", |(dir, _)| if dir.is_empty() { "/" } else { dir }).to_string();
    let mut cx = Cx {
        files,
        loader,
        inputs,
        findings: Vec::new(),
        allows: Vec::new(),
        used: Vec::new(),
        below: Vec::new(),
        modules: BTreeMap::new(),
        loading: vec![(path, None)],
        root_dir: root_dir.clone(),
        shown_dir,
        statements: 0,
        keep_expanded,
        expanded: Vec::new(),
        instantiated: HashSet::new(),
        layers: HashMap::new(),
    };
    let had_syntax_errors = !tree.errors.is_empty();
    allows::collect(&mut cx, &tree, true);
    cx.findings.extend(tree.errors.iter().cloned());
    let module = Rc::new(Module::of_tree(tree, root_dir));
    module::follow(&mut cx, &module);
    params::bind_root(&mut cx, &module);
    let mut policy = Policy::default();
    declarations(&mut cx, &module, &mut policy, had_syntax_errors);
    // What could not be read may be where a name is used.
    if !cx.findings.iter().any(Diagnostic::is_error) {
        let modules: Vec<Rc<Module>> = cx.modules.values().filter(|it| it.dir.is_some()).cloned().collect();
        modules.iter().chain([&module]).for_each(|it| unused::report(&mut cx, it.items()));
    }
    let mut findings = std::mem::take(&mut cx.findings);
    findings.sort_by_key(|it| it.labels.first().map(|label| (label.span.file, label.span.start)));
    (Resolved { policy, findings, allows: cx.allows }, cx.expanded)
}

fn declarations(cx: &mut Cx, module: &Rc<Module>, policy: &mut Policy, had_syntax_errors: bool) {
    let mut taken: BTreeMap<(bool, &str), Span> = BTreeMap::new();
    let mut any = false;
    let mut profiles = Vec::new();
    for item in module.items() {
        match item {
            Item::Decl(decl) => {
                any |= decl.kind.node != DeclKind::Container;
                let is_profile = decl.kind.node == DeclKind::Profile;
                if let Some(first) = taken.insert((is_profile, &decl.name.node), decl.name.span) {
                    let name = &decl.name.node;
                    cx.report(
                        Diagnostic::error("name-taken", format!("`{name}` is declared twice"))
                            .label(decl.name.span, "the second")
                            .label(first, "the first")
                            .help("give one of them another name"),
                    );
                }
                match decl.kind.node {
                    DeclKind::Sandbox => policy.sandboxes.extend(lower::sandbox(cx, module, decl)),
                    DeclKind::Pod => policy.pods.extend(pods::pod(cx, module, decl)),
                    DeclKind::Profile => profiles.push(decl),
                    DeclKind::Container => {
                        misplaced(cx, decl.kind.span, "a container stands in a pod", "move it into `pod NAME { … }`")
                    }
                }
            }
            Item::Group(group) => {
                any = true;
                groups::check(cx, module, group);
            }
            Item::Statement(it) => {
                misplaced(
                    cx,
                    it.head_span(),
                    "a statement stands in a sandbox or a profile",
                    "move it into `sandbox NAME { … }`",
                );
            }
            Item::If(it) => {
                misplaced(cx, it.cond.span, "`if` stands in a sandbox or a profile", "move it into a block")
            }
            Item::For(it) => {
                misplaced(cx, it.name.span, "`for` stands in a sandbox or a profile", "move it into a block")
            }
            Item::Require(it) => {
                misplaced(cx, it.span, "`require` stands in a sandbox or a profile", "move it into a block")
            }
            Item::Use(_) | Item::Param(_) | Item::Let(_) | Item::Error(_) => {}
        }
    }
    // Once what uses them is done.
    profiles.into_iter().for_each(|it| layer::check_profile(cx, module, it));
    if !any && !had_syntax_errors {
        let text = cx.files.text(module.file).trim_end();
        let (begin, end) = (text.char_indices().next_back().map_or(0, |(at, _)| at), text.len());
        cx.report(
            Diagnostic::error("no-sandbox", "this file declares nothing")
                .label(Span::new(module.file, begin, end), "the file ends here")
                .help("declare what is to be run: `sandbox NAME { run = [\"/bin/sh\"] }`"),
        );
    }
}

fn misplaced(cx: &mut Cx, span: Span, message: &str, help: &str) {
    cx.report(Diagnostic::error("misplaced", message).label(span, "not here").help(help));
}
