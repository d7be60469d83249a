//! Proposals, from the tables and from what the files declare.

use super::complete::{CURSOR, Completion, CompletionKind as Kind, Cursor};
use super::locate::Place;
use super::values::{Expect, Role, variant};
use super::{Project, hover, scope};
use crate::resolve::{PRELUDE, STANDARD, TYPES};
use crate::schema::{self, ArgKind, ArgSpec, Field, Shape, Ty, Variant, constants, meanings, syscalls};
use crate::syntax::ast::*;

/// A list of proposals that grows.
pub(super) struct Offer<'a> {
    pub cursor: &'a Cursor<'a>,
    pub place: &'a Place<'a>,
    pub found: Vec<Completion>,
    /// Where what is replaced begins.
    pub from: usize,
}

/// The words that begin something in a file, with what they insert.
const TOP: &[(&str, &str, &str)] = &[
    ("sandbox", "sandbox ${1:name} {\n\trun = [\"$2\"]\n\t$0\n}", "a program, and what it may see, use and do"),
    ("profile", "profile ${1:name}($2) {\n\t$0\n}", "statements that sandboxes take in with `with`"),
    ("pod", "pod ${1:name} {\n\t$0\n}", "containers that share namespaces"),
    ("use", "use ${0:std/service}", "bring in a module"),
    ("param", "param ${1:name}: ${0:type}", "a value from outside, set by `--set`"),
    ("let", "let ${1:name} = $0", "a name for a value"),
    ("syscalls group", "syscalls group ${1:name} {\n\t$0\n}", "a group of system calls"),
];

/// The words that begin something in a body.
const INNER: &[(&str, &str, &str)] = &[
    ("if", "if ${1:condition} {\n\t$0\n}", "statements that hold where a condition does"),
    ("for", "for ${1:name} in ${2:list} {\n\t$0\n}", "statements for each element of a list"),
    ("require", "require ${1:condition}, \"$0\"", "a condition that must hold, and what to say where it does not"),
];

/// The words that stand before a statement.
const BEFORE: &[(&str, &str)] = &[
    ("default", "the value where nobody says another"),
    ("override", "replaces what a profile has set"),
    ("final", "the value, once and for all"),
    ("remove", "takes away what a profile has set"),
    ("prefer", "goes on without it where the host cannot"),
    ("optional", "skipped where its path is missing"),
];

impl Offer<'_> {
    fn push(&mut self, label: &str, kind: Kind, detail: &str, insert: &str, rank: u8) -> &mut Completion {
        let replace = self.from..self.cursor.offset + self.cursor.suffix;
        self.found.push(Completion {
            label: label.to_string(),
            kind,
            detail: detail.to_string(),
            docs: None,
            insert: insert.to_string(),
            replace,
            rank,
        });
        let at = self.found.len() - 1;
        &mut self.found[at]
    }

    /// Whether something follows on the line, so that a whole statement would be one too many.
    fn is_followed(&self) -> bool {
        let rest = self.cursor.line.trim();
        !rest.is_empty() && !rest.starts_with(['#', '}'])
    }

    fn project(&self) -> &Project {
        self.cursor.project
    }

    /// What a statement can begin with.
    pub(super) fn heads(&mut self, it: &Statement) {
        let followed = self.is_followed();
        let (in_file, in_body) = (self.place.decls.is_empty(), self.place.section.is_none());
        if in_file {
            for (word, insert, detail) in TOP {
                self.push(word, Kind::Keyword, detail, if followed { word } else { insert }, 1);
            }
            return;
        }
        let taken = self.taken(it);
        for field in schema::fields_of(self.place.section_name()) {
            let within = |kinds: &[DeclKind]| self.place.decls.last().is_some_and(|it| kinds.contains(&it.kind.node));
            let welcome = match field.only_in {
                "" => true,
                schema::PODS => within(&[DeclKind::Pod, DeclKind::Profile]),
                _ => within(&[DeclKind::Container, DeclKind::Profile]),
            };
            if !welcome || field.shape == Shape::Setting && taken.iter().any(|it| it == field.head) {
                continue;
            }
            let insert = if followed { field.head.to_string() } else { statement(field) };
            self.push(field.head, Kind::Field, field.doc, &insert, 1).docs = Some(hover::of_field(field));
        }
        if in_body {
            for section in schema::SECTIONS.iter().filter(|it| !taken.iter().any(|head| head == it.name)) {
                let has_fields = schema::fields_of(section.name).next().is_some();
                let insert = match (followed, section.has_mode, has_fields) {
                    (true, ..) => section.name.to_string(),
                    (false, true, false) => format!("{} ${{0:new}}", section.name),
                    (false, true, true) => format!("{} ${{1:new}} {{\n\t$0\n}}", section.name),
                    (false, false, _) => format!("{} {{\n\t$0\n}}", section.name),
                };
                self.push(section.name, Kind::Section, section.doc, &insert, 2).docs = Some(hover::of_section(section));
            }
        }
        if it.modifier.is_some() || it.strength.is_some() {
            return;
        }
        for (word, detail) in BEFORE {
            self.push(word, Kind::Keyword, detail, &format!("{word} "), 4);
        }
        for (word, insert, detail) in INNER {
            self.push(word, Kind::Keyword, detail, if followed { word } else { insert }, 5);
        }
        if in_body && self.place.decls.last().is_some_and(|it| it.kind.node == DeclKind::Pod) {
            let insert = "container ${1:name} {\n\trun = [\"$2\"]\n\t$0\n}";
            self.push("container", Kind::Keyword, "one program of the pod", insert, 1);
        }
    }

    /// The heads that the block at hand has already.
    fn taken(&self, but: &Statement) -> Vec<String> {
        let block = match self.place.section {
            Some((statement, _)) => statement.block.as_ref(),
            None => self.place.decls.last().map(|it| &it.body),
        };
        let items = block.map_or(&[][..], |it| &it.items);
        let heads = items.iter().filter_map(|it| match it {
            Item::Statement(it) if it.span != but.span => Some(it.head.node.clone()),
            _ => None,
        });
        heads.collect()
    }

    pub(super) fn types(&mut self) {
        for (name, ty) in TYPES {
            self.push(name, Kind::Type, &ty.describe(), name, 1);
        }
    }

    /// Modules of the standard library, and files beside this one.
    pub(super) fn modules(&mut self, it: &Use) {
        let start = it.module.span.start as usize;
        let typed = self.cursor.typed(start).to_string();
        self.from = start;
        if !typed.starts_with(['.', '/']) {
            for (name, text) in STANDARD {
                let first = text.lines().next().unwrap_or("").trim_start_matches('#').trim().to_string();
                self.push(name, Kind::Module, &first, name, 1);
            }
            let dir = Project::directory(&self.cursor.source.path).to_string();
            for entry in self.project().folders.list(dir.as_ref()) {
                let path = format!("{dir}/{}", entry.name);
                if entry.name.ends_with(".nsl") && !entry.is_dir && path != self.cursor.source.path {
                    let name = format!("./{}", entry.name);
                    self.push(&name, Kind::Module, "a file beside this one", &name, 2);
                }
            }
            return;
        }
        self.paths(start);
        self.found.retain(|it| it.kind == Kind::Folder || it.label.ends_with(".nsl"));
    }

    /// Files below what was typed from an offset on; the last part is what is replaced.
    pub(super) fn paths(&mut self, start: usize) {
        let typed = self.cursor.typed(start).to_string();
        let (dir, last) = typed.rsplit_once('/').map_or(("", typed.as_str()), |(dir, last)| (dir, last));
        let base = Project::directory(&self.cursor.source.path).to_string();
        let whole = if typed.starts_with('/') { format!("{dir}/") } else { format!("{base}/{dir}") };
        let Ok(whole) = crate::resolve::normalise(&whole) else { return };
        self.from = start + typed.len() - last.len();
        let hidden = last.starts_with('.');
        for entry in self.project().folders.list(whole.as_ref()) {
            if entry.name.starts_with('.') && !hidden || !entry.name.chars().all(is_path_char) {
                continue;
            }
            let (kind, insert) = match entry.is_dir {
                true => (Kind::Folder, format!("{}/", entry.name)),
                false => (Kind::File, entry.name.clone()),
            };
            self.push(&entry.name, kind, "", &insert.replace('$', "\\$"), 1);
        }
    }

    pub(super) fn variables(&mut self, mark: &str) {
        for it in scope::values(self.cursor.source, self.place) {
            let label = format!("{mark}{}", it.name);
            let insert = label.replace('$', "\\$");
            self.push(&label, Kind::Variable, &it.declaration, &insert, 3).docs = it.docs;
        }
    }

    pub(super) fn calls(&mut self) {
        for name in syscalls::names() {
            self.push(name, Kind::Call, meanings::call(name).unwrap_or(""), name, 2);
        }
    }

    pub(super) fn groups(&mut self) {
        let mut paths = vec![self.cursor.source.path.clone()];
        paths.extend(self.project().modules_of(self.cursor.source).into_iter().map(|(_, path)| path));
        paths.push(format!("{PRELUDE}.nsl"));
        paths.dedup();
        let mut offered: Vec<(String, String)> = Vec::new();
        for (at, path) in paths.iter().enumerate() {
            let known = if at == 0 { None } else { self.project().source(path) };
            let source = known.as_deref().unwrap_or(self.cursor.source);
            for group in scope::groups(source).filter(|it| !it.name.node.contains(CURSOR)) {
                let first = group.docs.as_deref().and_then(|it| it.lines().next()).unwrap_or("");
                offered.push((format!("@{}", group.name.node), first.to_string()));
            }
        }
        offered.dedup_by(|a, b| a.0 == b.0);
        for (label, detail) in offered {
            self.push(&label, Kind::Group, &detail, &label, 1);
        }
    }

    /// Profiles after `with`; behind a module's name those of the module.
    pub(super) fn profiles(&mut self, instance: &Instance, at: usize) {
        let modules = self.project().modules_of(self.cursor.source);
        let has_args = !instance.args.is_empty() || self.cursor.line.trim_start().starts_with('(');
        if at > 0 {
            let found = modules.iter().find(|(name, _)| Some(name) == instance.path.first().map(|it| &it.node));
            if let Some(source) = found.and_then(|(_, path)| self.project().source(path)) {
                self.profiles_of(&source, "", has_args);
            }
            return;
        }
        self.profiles_of(self.cursor.source, "", has_args);
        for (name, path) in modules {
            if let Some(source) = self.project().source(&path) {
                self.profiles_of(&source, &format!("{name}."), has_args);
            }
        }
    }

    fn profiles_of(&mut self, source: &super::Source, prefix: &str, has_args: bool) {
        let here = self.place.decls.last().map(|it| it.name.span);
        for it in scope::profiles(source) {
            let is_this = source.path == self.cursor.source.path && Some(it.name.span) == here;
            if is_this || it.name.node.contains(CURSOR) {
                continue;
            }
            let label = format!("{prefix}{}", it.name.node);
            let required: Vec<&Param> = it.params.iter().filter(|it| it.default.is_none()).collect();
            let args: Vec<String> =
                required.iter().enumerate().map(|(at, it)| format!("{}: ${}", it.name.node, at + 1)).collect();
            let insert =
                if args.is_empty() || has_args { label.clone() } else { format!("{label}({})", args.join(", ")) };
            let docs = hover::with_docs(&scope::head(source, it), it.docs.as_deref());
            let detail = it.docs.as_deref().and_then(|it| it.lines().next()).unwrap_or("").trim().to_string();
            self.push(&label, Kind::Profile, &detail, &insert, 1).docs = Some(docs);
        }
    }

    pub(super) fn profile_arguments(&mut self, instance: &Instance) {
        let Some((home, at)) = scope::find_profile(self.project(), self.cursor.source, instance) else { return };
        let Some(decl) = scope::decl(&home, at) else { return };
        let given: Vec<&str> = instance.args.iter().filter_map(|it| Some(it.name.as_ref()?.node.as_str())).collect();
        for param in decl.params.iter().filter(|it| !given.contains(&it.name.node.as_str())) {
            let name = &param.name.node;
            let followed = self.cursor.line.trim_start().starts_with(':');
            let insert = if followed { name.clone() } else { format!("{name}: $0") };
            let detail = scope::param_text(&home, param);
            let rank = if param.default.is_none() { 1 } else { 2 };
            self.push(name, Kind::Argument, &detail, &insert, rank).docs = param.docs.clone();
        }
    }

    pub(super) fn argument_names(&mut self, it: &Expr, expect: Expect) {
        let (ExprKind::Variant { name, .. }, Expect::Ty(ty, _)) = (&it.kind, expect) else { return };
        if let Some(found) = variant(&ty, &name.node) {
            self.variant_arguments(found, it);
        }
    }

    fn variant_arguments(&mut self, found: &Variant, it: &Expr) {
        let args = match &it.kind {
            ExprKind::Variant { args, .. } => &args[..],
            _ => &[],
        };
        let given = |spec: &ArgSpec| {
            args.iter().any(|arg| match (&arg.name, &arg.value.kind) {
                (Some(name), _) => name.node == spec.name,
                (None, ExprKind::Symbol(word)) => word == spec.name,
                _ => false,
            })
        };
        for spec in found.args.iter().filter(|it| !given(it)) {
            match &spec.kind {
                ArgKind::Flag => {
                    self.push(spec.name, Kind::Argument, "a flag", spec.name, 2);
                }
                ArgKind::Named(ty) => {
                    let insert = format!("{}: $0", spec.name);
                    self.push(spec.name, Kind::Argument, &ty.describe(), &insert, if spec.required { 1 } else { 2 });
                }
                ArgKind::Positional(ty) => self.typed_values(*ty, Role::of_argument(spec)),
            }
        }
    }

    pub(super) fn protocols(&mut self, number: u64) {
        for protocol in ["tcp", "udp"] {
            let text = format!("{number}/{protocol}");
            self.push(&text, Kind::Unit, "a port", &text, 1);
        }
    }

    pub(super) fn units(&mut self, expect: Expect) {
        const SIZES: &[(&str, &str)] = &[
            ("MiB", "2^20 bytes"),
            ("GiB", "2^30 bytes"),
            ("KiB", "2^10 bytes"),
            ("B", "bytes"),
            ("MB", "10^6 bytes"),
            ("GB", "10^9 bytes"),
        ];
        const TIMES: &[(&str, &str)] =
            &[("s", "seconds"), ("ms", "milliseconds"), ("min", "minutes"), ("h", "hours"), ("d", "days")];
        let ty = match expect {
            Expect::Ty(ty, _) => Some(ty),
            Expect::Param(TypeExpr::Named(name)) => TYPES.iter().find(|(known, _)| *known == name.node).map(|it| it.1),
            _ => None,
        };
        let wants = |kinds: &[Ty]| ty.is_none_or(|ty| kinds.iter().any(|kind| holds(&ty, kind)));
        if wants(&[Ty::Size]) {
            SIZES.iter().for_each(|(unit, what)| {
                self.push(unit, Kind::Unit, what, unit, 1);
            });
        }
        if wants(&[Ty::Duration, Ty::Offset]) {
            TIMES.iter().for_each(|(unit, what)| {
                self.push(unit, Kind::Unit, what, unit, 1);
            });
        }
        if wants(&[Ty::Port]) {
            ["/tcp", "/udp"].iter().for_each(|it| {
                self.push(it, Kind::Unit, "a port", it, 1);
            });
        }
    }

    /// What can stand where something is expected.
    pub(super) fn values(&mut self, expect: Expect) {
        match expect {
            Expect::Ty(ty, role) => {
                self.typed_values(ty, role);
                self.variables("$");
            }
            Expect::Param(ty) => self.of_type(ty),
            Expect::Argument(instance, name) => {
                let found = scope::find_profile(self.project(), self.cursor.source, instance);
                let decl = found.as_ref().and_then(|(home, at)| scope::decl(home, *at));
                match decl.and_then(|it| it.params.iter().find(|it| it.name.node == name.node)) {
                    Some(param) => self.of_type(&param.ty),
                    None => self.variables("$"),
                }
            }
            Expect::ArgumentName(instance) => self.profile_arguments(instance),
            Expect::VariantArg(variant, it) => self.variant_arguments(variant, it),
            Expect::CallArgument(call) => {
                for argument in syscalls::arguments(call) {
                    let detail = format!("argument {} of {call}(2)", argument.index + 1);
                    self.push(argument.name, Kind::Argument, &detail, argument.name, 1);
                }
            }
            Expect::Constant => {
                for name in constants::constant_names() {
                    let value = constants::constant(name).map_or(String::new(), |it| format!("{it:#x}"));
                    self.push(name, Kind::Constant, &value, name, 2);
                }
                self.variables("$");
            }
            Expect::Condition | Expect::Nothing => {
                self.bools();
                self.variables("$");
            }
        }
    }

    fn of_type(&mut self, ty: &TypeExpr) {
        if let TypeExpr::Named(name) = ty
            && let Some((_, ty)) = TYPES.iter().find(|(known, _)| *known == name.node)
        {
            self.typed_values(*ty, Role::Word);
        }
        self.variables("$");
    }

    fn bools(&mut self) {
        ["true", "false"].iter().for_each(|it| {
            self.push(it, Kind::Value, "", it, 1);
        });
    }

    fn typed_values(&mut self, ty: Ty, role: Role) {
        match ty {
            Ty::Bool => self.bools(),
            Ty::Symbol(words) => words.iter().for_each(|it| {
                self.push(it, Kind::Value, "", it, 1);
            }),
            Ty::Signal => {
                for name in constants::signal_names() {
                    self.push(name, Kind::Constant, meanings::signal(name).unwrap_or(""), name, 1);
                }
            }
            Ty::Variant(variants) => {
                for it in variants {
                    let docs = hover::of_word(it.name, Expect::Ty(ty, role));
                    self.push(it.name, Kind::Value, it.doc, &call_of(it), 1).docs = docs;
                }
            }
            Ty::Any(types) => types.iter().for_each(|ty| self.typed_values(*ty, role)),
            Ty::List(inner) => self.typed_values(*inner, role),
            Ty::Word => self.words(role),
            Ty::Path => {
                for (text, what) in [("./", "beside this file"), ("../", "above it"), ("/", "of the host, or inside")] {
                    self.push(text, Kind::Folder, what, text, 4);
                }
            }
            Ty::Size => self.examples(&["64MiB", "256MiB", "1GiB"]),
            Ty::Duration | Ty::Offset => self.examples(&["1s", "10s", "1min"]),
            Ty::Percent => self.examples(&["50%", "100%", "200%"]),
            Ty::Port => self.examples(&["8080/tcp", "443/tcp", "53/udp"]),
            Ty::Permissions => self.examples(&["0o755", "0o700", "0o1777"]),
            Ty::Address => self.examples(&["127.0.0.1", "0.0.0.0"]),
            Ty::Network => self.examples(&["10.0.0.0/8", "192.168.0.0/16", "fd00::/8"]),
            // What only the author can know.
            _ => {}
        }
    }

    fn examples(&mut self, values: &[&str]) {
        values.iter().for_each(|it| {
            self.push(it, Kind::Value, "for example", it, 5);
        });
    }

    fn words(&mut self, role: Role) {
        match role {
            Role::Word => {}
            Role::Capability => {
                for name in schema::names::CAPABILITIES {
                    self.push(name, Kind::Constant, meanings::capability(name).unwrap_or(""), name, 1);
                }
                self.push("none", Kind::Value, "no capability at all", "none", 0);
            }
            Role::Call => {
                self.calls();
                self.groups();
            }
            Role::Errno => {
                for name in constants::errno_names() {
                    self.push(name, Kind::Constant, meanings::errno(name).unwrap_or(""), name, 1);
                }
            }
            Role::Container => {
                let pod = self.place.decls.iter().find(|it| it.kind.node == DeclKind::Pod);
                let here = self.place.decls.last().map(|it| it.name.span);
                let items = pod.map_or(&[][..], |it| &it.body.items);
                let names: Vec<String> = containers(items).filter(|it| Some(it.name.span) != here).map(name).collect();
                names.iter().for_each(|it| {
                    self.push(it, Kind::Sandbox, "a container of this pod", it, 1);
                });
            }
            Role::Sandbox | Role::Pod => {
                let kind = if role == Role::Pod { DeclKind::Pod } else { DeclKind::Sandbox };
                let decls = self.cursor.source.tree.items.iter().filter_map(|it| match it {
                    Item::Decl(it) if it.kind.node == kind => Some(it),
                    _ => None,
                });
                let names: Vec<String> = decls.map(name).collect();
                names.iter().for_each(|it| {
                    self.push(it, Kind::Sandbox, "declared in this file", it, 1);
                });
            }
        }
    }
}

fn containers(items: &[Item]) -> impl Iterator<Item = &Decl> {
    items.iter().filter_map(|it| match it {
        Item::Decl(it) if it.kind.node == DeclKind::Container => Some(it),
        _ => None,
    })
}

fn name(decl: &Decl) -> String {
    decl.name.node.clone()
}

/// Whether a type is, or may be, another.
fn holds(ty: &Ty, kind: &Ty) -> bool {
    match ty {
        Ty::Any(types) => types.iter().any(|it| holds(it, kind)),
        Ty::List(inner) => holds(inner, kind),
        ty => ty == kind,
    }
}

/// What can stand in a path without quotes, as the grammar has it.
fn is_path_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || "-._~+@:%!*^|".contains(char)
}

/// The beginning of a statement of a field.
fn statement(field: &Field) -> String {
    match (field.shape, field.labels.is_empty()) {
        (Shape::Setting, _) if matches!(field.value, Some(Ty::List(_))) => format!("{} = [$0]", field.head),
        (Shape::Setting, _) => format!("{} = $0", field.head),
        (Shape::Section, _) => format!("{} {{\n\t$0\n}}", field.head),
        (Shape::Entry, true) => format!("{} = $0", field.head),
        (Shape::Entry, false) => match (field.value, field.value_optional) {
            (Some(_), false) => format!("{} ${{1:{}}} = $0", field.head, label(&field.labels[0])),
            _ => format!("{} $0", field.head),
        },
    }
}

fn label(ty: &Ty) -> &'static str {
    match ty {
        Ty::Path => "/path",
        Ty::Port => "8080/tcp",
        Ty::Symbol(words) => words.first().copied().unwrap_or("name"),
        _ => "NAME",
    }
}

/// How a variant is written, with the cursor in what it needs.
fn call_of(variant: &Variant) -> String {
    let required: Vec<String> = variant
        .args
        .iter()
        .filter(|it| it.required)
        .enumerate()
        .map(|(at, it)| match it.kind {
            ArgKind::Named(_) => format!("{}: ${}", it.name, at + 1),
            _ => format!("${}", at + 1),
        })
        .collect();
    match required.is_empty() {
        true if variant.name == "join" => "join($1)".into(),
        true => variant.name.to_string(),
        false => format!("{}({})", variant.name, required.join(", ")),
    }
}
