//! What the file at hand declares. Only its own text is read, so that a file that is half written answers too.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use nsl::resolve::Inputs;
use nsl::source::{Disk, Files, Loader, Span};
use nsl::syntax::ast::{Block, Decl, DeclKind, File, Item, Param, TypeExpr};
use nsl::syntax::parse;

/// A file with its tree.
pub struct Policy {
    path: PathBuf,
    files: Files,
    tree: Rc<File>,
}

/// A parameter.
pub struct Parameter {
    pub name: String,
    /// Its type as written.
    pub ty: String,
    /// Its default as written, where it is one word of a shell or nearly so.
    pub default: Option<String>,
    pub docs: String,
}

impl Policy {
    /// The policy at a path of the command line; a leading `~` is what shells take it for.
    pub fn read(path: &str) -> Option<Policy> {
        let path = match path.strip_prefix("~/") {
            Some(rest) => PathBuf::from(std::env::var_os("HOME")?).join(rest),
            None => Path::new(path).to_path_buf(),
        };
        let text = Disk.load(&path).ok()?;
        let mut files = Files::new();
        let root = files.add(path.to_string_lossy().into_owned(), text);
        let tree = parse(&files, root);
        Some(Policy { path, files, tree })
    }

    fn slice(&self, span: Span) -> &str {
        self.files.text(span.file).get(span.start as usize..span.end as usize).unwrap_or("")
    }

    fn declarations(&self) -> impl Iterator<Item = &Decl> {
        self.tree.items.iter().filter_map(|it| match it {
            Item::Decl(it) if it.kind.node != DeclKind::Profile => Some(it),
            _ => None,
        })
    }

    /// What can be run, with what it is; and what can be asked about, which are the containers of pods too.
    pub fn names(&self, with_containers: bool) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for it in self.declarations() {
            found.push((it.name.node.clone(), self.meaning(it)));
            if with_containers && it.kind.node == DeclKind::Pod {
                let containers = declared_in(&it.body);
                found.extend(containers.map(|one| (format!("{}.{}", it.name.node, one.name.node), self.meaning(one))));
            }
        }
        found.retain(|(name, _)| !name.is_empty());
        found
    }

    fn meaning(&self, it: &Decl) -> String {
        let kind = self.slice(it.kind.span);
        match it.docs.as_deref().and_then(|docs| docs.lines().next()).filter(|line| !line.is_empty()) {
            Some(docs) => format!("{kind}: {docs}"),
            None => kind.to_string(),
        }
    }

    /// Its parameters, in order.
    pub fn parameters(&self) -> Vec<Parameter> {
        let params = self.tree.items.iter().filter_map(|it| match it {
            Item::Param(it) if !it.name.node.is_empty() => Some(self.parameter(it)),
            _ => None,
        });
        params.collect()
    }

    fn parameter(&self, it: &Param) -> Parameter {
        let ty = match &it.ty {
            TypeExpr::Named(name) => name.span,
            TypeExpr::List(_, span) => *span,
        };
        let default = it.default.as_ref().map(|it| self.slice(it.span).to_string());
        Parameter {
            name: it.name.node.clone(),
            ty: self.slice(ty).to_string(),
            default: default.filter(|it| !it.contains('\n')),
            docs: it.docs.as_deref().and_then(|it| it.lines().next()).unwrap_or_default().to_string(),
        }
    }

    /// The names by which its sandboxes take descriptors.
    pub fn descriptors(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.declarations().for_each(|it| handed_over(&it.body, &mut found));
        found.sort();
        found.dedup();
        found
    }

    /// The keys of all that it comes to, for `--why`; none where it does not resolve.
    pub fn keys(&self, name: Option<&str>) -> Vec<(String, String)> {
        let inputs = Inputs { open: true, cwd: "/".into(), ..Inputs::default() };
        let Ok((_, _, all)) = nsl::expand(&self.path, &inputs, &Disk) else { return Vec::new() };
        let Ok(chosen) = nsl::resolve::pick(&all, name) else { return Vec::new() };
        let mut keys: Vec<(String, String)> =
            chosen.iter().flat_map(|one| &one.lines).map(|it| (it.origin.key.to_string(), it.shown())).collect();
        keys.sort();
        keys.dedup_by(|a, b| a.0 == b.0);
        keys
    }
}

fn declared_in(block: &Block) -> impl Iterator<Item = &Decl> {
    block.items.iter().filter_map(|it| match it {
        Item::Decl(it) => Some(it),
        _ => None,
    })
}

/// `fd NAME = …`, wherever it stands.
fn handed_over(block: &Block, found: &mut Vec<String>) {
    for it in &block.items {
        match it {
            Item::Decl(it) => handed_over(&it.body, found),
            Item::If(it) => {
                handed_over(&it.then, found);
                it.otherwise.iter().for_each(|it| handed_over(it, found));
            }
            Item::For(it) => handed_over(&it.body, found),
            Item::Statement(it) if it.head.node == "fd" => {
                found.extend(it.labels.first().and_then(|it| match &it.kind {
                    nsl::syntax::ast::ExprKind::Symbol(name) => Some(name.clone()),
                    _ => None,
                }));
            }
            Item::Statement(it) => it.block.iter().for_each(|it| handed_over(it, found)),
            _ => {}
        }
    }
}
