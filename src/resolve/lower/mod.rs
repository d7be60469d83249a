//! Merged keys -> the typed policy. Every value has been fitted to its type in the schema, so reading it back cannot surprise.

mod cgroup;
mod kernel;
mod limits;
mod mnt;
mod net;
mod overlay;
mod pods;
mod process;
mod read;
mod seccomp;
mod stdio;
mod time;
mod user;

pub use net::name_files;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::layer::{self, Env};
use super::merge::{self, Candidate, Slots};
use super::module::Module;
use super::value::{ArgVal, Val, Value};
use super::{Cx, expand};
use crate::policy::*;
use crate::report::Diagnostic;
use crate::schema::{constants, names, suggest};
use crate::source::Span;
use crate::syntax::ast::{Decl, DeclKind};
use read::*;

/// A sandbox of the file.
pub fn sandbox(cx: &mut Cx, module: &Rc<Module>, decl: &Decl) -> Option<Sandbox> {
    let env = Env::of_module(module);
    cx.layers.clear();
    let mut slots = layer::base(cx, &decl.with, &env);
    layer::apply_body(cx, &mut slots, &decl.body, &env);
    Some(of_slots(cx, decl, slots, false))
}

/// The typed policy of a stack of layers. `in_pod`: fields that only containers have are welcome.
pub fn of_slots(cx: &mut Cx, decl: &Decl, slots: Slots, in_pod: bool) -> Sandbox {
    let mut findings = Vec::new();
    let removed = if cx.keep_expanded { merge::gone(&slots) } else { Vec::new() };
    let mut settled = merge::settle(slots, &mut findings);
    let gone: Vec<&str> = NsKind::ALL
        .into_iter()
        .map(NsKind::name)
        .filter(|kind| {
            let mode = settled.get(*kind).and_then(|it| it.payload.value.as_deref()).and_then(mode);
            mode.is_some_and(|it| it != Mode::New)
        })
        .collect();
    settled.retain(|_, it| {
        let section = it.payload.field.map_or("", |field| field.section);
        !(it.payload.with_mode && gone.contains(&section))
    });
    findings.into_iter().for_each(|it| cx.report(it));
    let expanded = if cx.keep_expanded { Some(expand::expanded(cx, decl, &settled, removed)) } else { None };
    let mut lower = Lower { cx, settled, span: decl.name.span };
    lower.missing_modes();
    if !in_pod {
        lower.pod_only();
    }
    lower.volumes_at_home(decl.kind.node);
    let sandbox = lower.sandbox(decl);
    if let Some(mut expanded) = expanded {
        expand::add_implied(&mut expanded, &sandbox);
        cx.expanded.push(expanded);
    }
    sandbox
}

/// One sandbox in the making.
pub struct Lower<'l, 'a> {
    /// Everything else.
    pub(super) cx: &'l mut Cx<'a>,
    /// One value for each key.
    pub(super) settled: BTreeMap<Arc<str>, Candidate>,
    /// The name of the sandbox, for what nobody wrote.
    pub(super) span: Span,
}

impl Lower<'_, '_> {
    fn sandbox(&mut self, decl: &Decl) -> Sandbox {
        let name =
            Traced::new(decl.name.node.clone(), Origin::implied(decl.name.span, "name", "the name of the sandbox"));
        Sandbox {
            name,
            run: self.setting("run", strings),
            cwd: self.setting("cwd", text),
            stdio: self.stdio(),
            env: self.env(),
            user: self.user(),
            pid: Pid { mode: self.mode("pid"), init: self.or("pid.init", boolean, true, "a small init is PID 1") },
            net: self.net(),
            mnt: mnt::mnt(self),
            ipc: Ipc { mode: self.mode("ipc") },
            uts: Uts {
                mode: self.mode("uts"),
                hostname: self.setting("uts.hostname", text),
                domainname: self.setting("uts.domainname", text),
            },
            cgroup: self.cgroup(),
            time: self.time(),
            keep: self.keep(),
            caps: self.caps(),
            seccomp: seccomp::seccomp(self),
            landlock: self.landlock(),
            no_new_privs: self.or(
                "no-new-privs",
                boolean,
                true,
                "set-user-id bits give nothing unless the policy says so",
            ),
            limits: self.limits(),
            attributes: self.attributes(),
            labels: self.labels(),
            sysctls: self.sysctls(),
            stop: self.stop(),
            volumes: pods::volumes(self),
            after: self.setting("after", strings),
            ready: self.setting("ready", pods::ready),
            restart: self.setting("restart", pods::restart),
            essential: self.setting("essential", boolean),
            through: self
                .settled
                .values()
                .filter(|it| !it.origin.via.is_empty())
                .map(|it| (it.origin.span, it.origin.via.clone()))
                .collect(),
        }
    }

    /// The value of a setting.
    pub(super) fn setting<T>(&self, key: &str, read: impl Fn(&Val) -> Option<T>) -> Option<Traced<T>> {
        let found = self.settled.get(key)?;
        let value = read(found.payload.value.as_deref()?)?;
        Some(Traced { value, origin: found.origin.clone(), strength: found.payload.strength })
    }

    fn or<T>(&self, key: &str, read: impl Fn(&Val) -> Option<T>, default: T, rule: &'static str) -> Traced<T> {
        self.setting(key, read).unwrap_or_else(|| Traced::implied(default, self.span, key, rule))
    }

    /// The entries of a head such as `mnt.mount`, in the order of their labels.
    pub(super) fn entries(&self, head: &str) -> Vec<Candidate> {
        self.each(head).cloned().collect()
    }

    fn each(&self, head: &str) -> impl Iterator<Item = &Candidate> {
        let (section, head) = head.split_once('.').unwrap_or(("", head));
        let field = crate::schema::find(section, head);
        let slots = field.map(|it| {
            let key = format!("{}[", it.path());
            it.slot(&key).unwrap_or(key)
        });
        let all = slots.into_iter().flat_map(|it| self.below(it));
        all.filter(move |it| it.payload.field.zip(field).is_some_and(|(it, field)| std::ptr::eq(it, field)))
    }

    /// What is stated under the keys that begin so, in their order.
    pub(super) fn below(&self, prefix: String) -> impl Iterator<Item = &Candidate> {
        let prefix: Arc<str> = prefix.into();
        self.settled.range(prefix.clone()..).take_while(move |(key, _)| key.starts_with(&*prefix)).map(|it| it.1)
    }

    pub(super) fn mode(&self, section: &str) -> Traced<Mode> {
        self.or(section, mode, Mode::Host, "a namespace that nobody names is the host's")
    }

    /// Fields of a namespace whose mode nobody states would mean something else from one day to the next.
    fn missing_modes(&mut self) {
        for section in crate::schema::SECTIONS.iter().filter(|it| it.has_mode) {
            let inside: Arc<str> = format!("{}.", section.name).into();
            if self.settled.contains_key(section.name) {
                continue;
            }
            let Some((_, field)) =
                self.settled.range(inside.clone()..).next().filter(|(key, _)| key.starts_with(&*inside))
            else {
                continue;
            };
            let span = field.origin.span;
            self.cx.report(
                Diagnostic::error(
                    "mode-missing",
                    format!("`{}` has fields, and nobody says whose namespace it is", section.name),
                )
                .label(span, "this needs to know")
                .help(format!("write `{0} new {{ … }}` or `{0} host {{ … }}`", section.name)),
            );
        }
    }

    fn pod_only(&mut self) {
        for key in ["after", "ready", "restart", "essential"] {
            if let Some(found) = self.settled.get(key) {
                let span = found.origin.span;
                self.cx.report(
                    Diagnostic::error("misplaced", format!("`{key}` is for the containers of a pod"))
                        .label(span, "not in a sandbox")
                        .help("delete it, or make the sandbox a container of a pod"),
                );
            }
        }
        for kind in NsKind::ALL {
            let found = self.settled.get(kind.name()).filter(|it| {
                let mode = it.payload.value.as_deref().map(|it| &it.value);
                matches!(mode, Some(Value::Variant(name, _)) if name == "pod")
            });
            if let Some(span) = found.map(|it| it.origin.span) {
                self.cx.report(
                    Diagnostic::error("misplaced", format!("`{} pod` is for the containers of a pod", kind.name()))
                        .label(span, "there is no pod whose namespace it could be")
                        .help(format!("write `{0} new` or `{0} host`", kind.name())),
                );
            }
        }
    }

    /// A pod has volumes, and its containers mount them.
    fn volumes_at_home(&mut self, kind: DeclKind) {
        let stated = self.each("volume").next().map(|it| it.origin.span);
        if let Some(span) = stated.filter(|_| kind != DeclKind::Pod) {
            self.cx.report(
                Diagnostic::error("misplaced", "`volume` is for pods, whose containers share it")
                    .label(span, "nobody to share it with")
                    .help("write it in the body of a `pod`; files of one sandbox alone are `mount PATH = tmpfs(…)`"),
            );
        }
        let is_volume = |it: &&Candidate| {
            let value = it.payload.value.as_deref().map(|it| &it.value);
            matches!(value, Some(Value::Variant(name, _)) if name == "volume")
        };
        let mounted = self.each("mnt.mount").find(is_volume).map(|it| it.origin.span);
        if let Some(span) = mounted.filter(|_| kind != DeclKind::Container) {
            let help = match kind {
                DeclKind::Pod => {
                    "write `tmpfs(…)` or `bind(…)`: what the pod's own tree mounts, all containers with that tree have"
                }
                _ => "write `tmpfs(…)` or `bind(…)`, or make the sandbox a container of a pod",
            };
            self.cx.report(
                Diagnostic::error("misplaced", "`volume(…)` is for the containers of a pod")
                    .label(span, "not in a container")
                    .help(help),
            );
        }
    }

    /// `keep PATH` of each kind, in the order of [`NsKind::ALL`].
    fn keep(&self) -> Vec<Traced<Keep>> {
        let of = |kind: NsKind| {
            let read = move |found: &Candidate| {
                let path = found.payload.labels.first().and_then(text)?;
                let (origin, strength) = (found.origin.clone(), found.payload.strength);
                Some(Traced { value: Keep { kind, path }, origin, strength })
            };
            self.entries(&format!("{}.keep", kind.name())).iter().filter_map(read).collect::<Vec<_>>()
        };
        NsKind::ALL.into_iter().flat_map(of).collect()
    }

    fn env(&self) -> Vec<Traced<EnvVar>> {
        let read = |found: &Candidate| {
            let name = found.payload.labels.first().and_then(text)?;
            let value = match &found.payload.value.as_deref()?.value {
                Value::Str(it) => Some(it.clone()),
                _ => None,
            };
            Some(Traced {
                value: EnvVar { name, value },
                origin: found.origin.clone(),
                strength: found.payload.strength,
            })
        };
        self.entries("env").iter().filter_map(read).collect()
    }
}
