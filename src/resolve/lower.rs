//! Merged keys -> the typed policy. Every value has been fitted to its type in the schema, so reading it back cannot surprise.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::layer::{self, Env};
use super::merge::{self, Candidate, Slots};
use super::module::Module;
use super::value::{ArgVal, Val, Value};
use super::{Cx, expand, lower_mnt, lower_seccomp};
use crate::policy::*;
use crate::report::Diagnostic;
use crate::schema::{constants, names, suggest};
use crate::source::Span;
use crate::syntax::ast::Decl;

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
    let mut settled = merge::settle(slots, &mut findings);
    let gone: Vec<&str> = NsKind::ALL
        .into_iter()
        .map(NsKind::name)
        .filter(|kind| {
            let mode = settled.get(*kind).and_then(|it| it.payload.value.as_ref()).and_then(mode);
            mode.is_some_and(|it| it != Mode::New)
        })
        .collect();
    settled.retain(|_, it| {
        let section = it.payload.field.map_or("", |field| field.section);
        !(it.payload.with_mode && gone.contains(&section))
    });
    findings.into_iter().for_each(|it| cx.report(it));
    let expanded = if cx.keep_expanded { Some(expand::expanded(cx, decl, &settled)) } else { None };
    let mut lower = Lower { cx, settled, span: decl.name.span };
    lower.missing_modes();
    if !in_pod {
        lower.pod_only();
    }
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
    pub(super) settled: BTreeMap<String, Candidate>,
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
            env: self.env(),
            user: self.user(),
            pid: Pid { mode: self.mode("pid"), init: self.or("pid.init", boolean, true, "a small init is PID 1") },
            net: self.net(),
            mnt: lower_mnt::mnt(self),
            ipc: Ipc { mode: self.mode("ipc") },
            uts: Uts {
                mode: self.mode("uts"),
                hostname: self.setting("uts.hostname", text),
                domainname: self.setting("uts.domainname", text),
            },
            cgroup: Cgroup {
                mode: self.mode("cgroup"),
                memory_max: self.setting("cgroup.memory.max", size),
                memory_swap_max: self.setting("cgroup.memory.swap.max", size),
                pids_max: self.setting("cgroup.pids.max", count),
                cpu_max: self.setting("cgroup.cpu.max", percent),
            },
            time: self.time(),
            caps: self.caps(),
            seccomp: lower_seccomp::seccomp(self),
            landlock: self.landlock(),
            no_new_privs: self.or(
                "no-new-privs",
                boolean,
                true,
                "set-user-id bits give nothing unless the policy says so",
            ),
            limits: self.limits(),
            stop: self.stop(),
            after: self.setting("after", strings),
            ready: self.setting("ready", ready),
            restart: self.setting("restart", restart),
        }
    }

    /// The value of a setting.
    pub(super) fn setting<T>(&self, key: &str, read: impl Fn(&Val) -> Option<T>) -> Option<Traced<T>> {
        let found = self.settled.get(key)?;
        let value = read(found.payload.value.as_ref()?)?;
        Some(Traced { value, origin: found.origin.clone(), strength: found.payload.strength })
    }

    fn or<T>(&self, key: &str, read: impl Fn(&Val) -> Option<T>, default: T, rule: &'static str) -> Traced<T> {
        self.setting(key, read).unwrap_or_else(|| Traced::implied(default, self.span, key, rule))
    }

    /// The entries of a head such as `mnt.mount`, in the order of their labels.
    pub(super) fn entries(&self, head: &str) -> Vec<Candidate> {
        let (section, head) = head.rsplit_once('.').unwrap_or(("", head));
        let Some(field) = crate::schema::find(section, head) else { return Vec::new() };
        let prefix = field.slot(&format!("{}[", field.path()));
        self.settled
            .range(prefix.clone()..)
            .take_while(|(key, _)| key.starts_with(&prefix))
            .map(|it| it.1)
            .filter(|it| it.payload.field.is_some_and(|it| it.head == head))
            .cloned()
            .collect()
    }

    pub(super) fn mode(&self, section: &str) -> Traced<Mode> {
        self.or(section, mode, Mode::Host, "a namespace that nobody names is the host's")
    }

    /// Fields of a namespace whose mode nobody states would mean something else from one day to the next.
    fn missing_modes(&mut self) {
        for section in crate::schema::SECTIONS.iter().filter(|it| it.has_mode) {
            let inside = format!("{}.", section.name);
            if self.settled.contains_key(section.name) {
                continue;
            }
            let Some((_, field)) =
                self.settled.range(inside.clone()..).next().filter(|(key, _)| key.starts_with(&inside))
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
        for key in ["after", "ready", "restart"] {
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
                let mode = it.payload.value.as_ref().map(|it| &it.value);
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

    fn env(&self) -> Vec<Traced<EnvVar>> {
        let read = |found: &Candidate| {
            let name = found.payload.labels.first().and_then(text)?;
            let value = match &found.payload.value.as_ref()?.value {
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

    fn user(&mut self) -> User {
        let mode = self.mode("user");
        let (mut uid_map, mut gid_map) = (Vec::new(), Vec::new());
        for found in self.entries("user.map") {
            let [kind, inside] = found.payload.labels.as_slice() else { continue };
            let Some(inside) = self.id(inside) else { continue };
            let Some(outside) = found.payload.value.as_ref().and_then(|it| self.outside(it)) else { continue };
            let map = Traced {
                value: IdMap { inside, outside },
                origin: found.origin.clone(),
                strength: found.payload.strength,
            };
            if text(kind).as_deref() == Some("gid") { gid_map.push(map) } else { uid_map.push(map) }
        }
        if mode.value == Mode::New {
            let rule = "a user namespace without a map: 1000 is unprivileged";
            for (map, key) in [(&mut uid_map, "user.map[uid 1000]"), (&mut gid_map, "user.map[gid 1000]")] {
                if map.is_empty() {
                    let implied = IdMap { inside: 1000, outside: Outside::Unprivileged };
                    map.push(Traced::implied(implied, mode.span(), key, rule));
                }
            }
        }
        uid_map.sort_by_key(|it| it.value.inside);
        gid_map.sort_by_key(|it| it.value.inside);
        User {
            mode,
            uid_map,
            gid_map,
            uid: self.id_setting("user.as"),
            gid: self.id_setting("user.group"),
            groups: self.groups(),
            setgroups: self.setting("user.setgroups", |it| Some(text(it)? == "allow")),
        }
    }

    fn id_setting(&mut self, key: &str) -> Option<Traced<u32>> {
        let found = self.setting(key, |it| Some(it.clone()))?;
        let id = self.id(&found.value)?;
        Some(found.map(|_| id))
    }

    fn groups(&mut self) -> Option<Traced<Vec<u32>>> {
        let found = self.setting("user.groups", |it| Some(it.clone()))?;
        let Value::List(items) = found.value.value.clone() else { return None };
        let ids: Vec<Option<u32>> = items.iter().map(|it| self.id(it)).collect();
        let ids: Vec<u32> = ids.into_iter().collect::<Option<_>>()?;
        Some(found.map(|_| ids))
    }

    /// An id by number. Of names only the two are known that mean the same everywhere.
    fn id(&mut self, val: &Val) -> Option<u32> {
        match &val.value {
            Value::Int(it) => u32::try_from(*it).ok(),
            Value::Symbol(name) if name == "root" => Some(0),
            Value::Symbol(name) if name == "nobody" => Some(65534),
            Value::Symbol(name) => {
                self.cx.report(
                    Diagnostic::error("not-yet", format!("the user `{name}` cannot be named yet"))
                        .label(val.span, "only `root` and `nobody` have the same number everywhere")
                        .help(format!("write its number, which `id -u {name}` tells")),
                );
                None
            }
            _ => None,
        }
    }

    fn outside(&mut self, val: &Val) -> Option<Outside> {
        let Value::Variant(name, args) = &val.value else { return None };
        let count = || argument(args, "count").and_then(count).map_or(1, |it| it as u32);
        Some(match name.as_str() {
            "caller" => Outside::Caller,
            "unprivileged" => Outside::Unprivileged,
            "subid" => Outside::Subid { count: count() },
            _ => Outside::Outer { id: self.id(argument(args, "id")?)?, count: count() },
        })
    }

    fn net(&mut self) -> Net {
        let read = |found: &Candidate| {
            let labels = &found.payload.labels;
            let (outer, inner) = (port(labels.last()?)?, port(found.payload.value.as_ref()?)?);
            let address = labels.first().and_then(|it| match it.value {
                Value::Address(address, _) => Some(address),
                _ => None,
            });
            let publish = Publish { address, outer, inner };
            Some(Traced { value: publish, origin: found.origin.clone(), strength: found.payload.strength })
        };
        Net {
            mode: self.mode("net"),
            loopback: self.setting("net.loopback", |it| Some(text(it)? == "up")),
            publish: self.entries("net.publish").iter().filter_map(read).collect(),
        }
    }

    fn time(&mut self) -> Time {
        if let Some(found) = self.settled.get("time.realtime") {
            let span = found.origin.span;
            self.cx.report(
                Diagnostic::error("no-realtime-offset", "the calendar clock is not part of time namespaces")
                    .label(span, "the kernel has no such offset")
                    .help("delete the line: only `monotonic` and `boottime` have offsets (time_namespaces(7))"),
            );
        }
        Time {
            mode: self.mode("time"),
            monotonic: self.setting("time.monotonic", duration),
            boottime: self.setting("time.boottime", duration),
        }
    }

    fn caps(&mut self) -> Caps {
        let mut caps = Caps::default();
        for (head, is_ambient) in [("caps.keep", false), ("caps.ambient", true)] {
            for found in self.entries(head) {
                let Some(label) = found.payload.labels.first() else { continue };
                let Some(written) = text(label) else { continue };
                let traced = |value| Traced { value, origin: found.origin.clone(), strength: found.payload.strength };
                if written == "none" && !is_ambient {
                    caps.none = Some(traced(()).map(|()| ()));
                    continue;
                }
                let name = written.to_lowercase();
                let name = name.strip_prefix("cap_").unwrap_or(&name).to_string();
                if !names::CAPABILITIES.contains(&name.as_str()) {
                    self.unknown_capability(&written, label.span);
                    continue;
                }
                let list = if is_ambient { &mut caps.ambient } else { &mut caps.keep };
                list.push(Traced { value: name, origin: found.origin.clone(), strength: found.payload.strength });
            }
        }
        if let (Some(none), Some(kept)) = (&caps.none, caps.keep.first().or(caps.ambient.first())) {
            let (none, kept) = (none.span(), kept.span());
            self.cx.report(
                Diagnostic::error(
                    "keep-none-and-some",
                    "`keep none` and a capability that is kept contradict each other",
                )
                .label(kept, "this keeps one")
                .label(none, "this keeps none")
                .help("delete one of the two; what is not named is never kept"),
            );
        }
        caps
    }

    fn unknown_capability(&mut self, name: &str, span: Span) {
        let mut finding =
            Diagnostic::error("unknown-capability", format!("there is no capability `{name}`")).label(span, "unknown");
        finding = match suggest::nearest(name, names::CAPABILITIES.iter().copied()) {
            Some(found) => {
                finding.help(format!("did you mean `{found}`?")).fix(format!("write `{found}`"), span, found)
            }
            None => finding.help("capabilities(7) lists them; they are written without `CAP_`, as in `net_raw`"),
        };
        self.cx.report(finding);
    }

    fn landlock(&mut self) -> Landlock {
        let list = |val: &Val| match &val.value {
            Value::List(items) => Some(items.clone()),
            _ => None,
        };
        let ports = |val: &Val| Some(list(val)?.iter().filter_map(port).collect());
        let scope = |val: &Val| match text(val)?.as_str() {
            "signal" => Some(Scope::Signal),
            _ => Some(Scope::AbstractUnixSocket),
        };
        Landlock {
            files: self.setting("landlock.files", |_| Some(())),
            tcp_bind: self.setting("landlock.tcp.bind", ports),
            tcp_connect: self.setting("landlock.tcp.connect", ports),
            scope: self.setting("landlock.scope", |val| Some(list(val)?.iter().filter_map(scope).collect())),
        }
    }

    fn limits(&mut self) -> Vec<Traced<Rlimit>> {
        let mut limits = Vec::new();
        for field in crate::schema::fields_of("limits") {
            // RLIMIT_CPU counts seconds, RLIMIT_RTTIME microseconds: getrlimit(2).
            let unit = if field.head == "rttime" { 1_000 } else { 1_000_000_000 };
            let read = |val: &Val| {
                let value = match &val.value {
                    Value::Size(it) => Some(*it),
                    Value::Int(it) => u64::try_from(*it).ok(),
                    Value::Duration(it) => u64::try_from(*it).ok().map(|it| it.div_ceil(unit)),
                    _ => None,
                };
                Some(Rlimit { resource: field.head.to_string(), value })
            };
            limits.extend(self.setting(&format!("limits.{}", field.head), read));
        }
        limits
    }

    fn stop(&mut self) -> Stop {
        let signal = |val: &Val| {
            let name = text(val)?;
            let name = name.strip_prefix("SIG").unwrap_or(&name).to_string();
            Some(Signal { number: constants::signal(&name)?, name })
        };
        let term = Signal { name: "TERM".into(), number: libc::SIGTERM };
        Stop {
            after: self.setting("stop.after", |it| duration(it).and_then(|it| u64::try_from(it).ok())),
            signal: self.or("stop.signal", signal, term, "programs expect TERM"),
            timeout: self.or(
                "stop.timeout",
                |it| duration(it).and_then(|it| u64::try_from(it).ok()),
                10_000_000_000,
                "a program has 10 s to end",
            ),
        }
    }
}

fn mode(val: &Val) -> Option<Mode> {
    let Value::Variant(name, args) = &val.value else { return None };
    Some(match name.as_str() {
        "new" => Mode::New,
        "host" => Mode::Host,
        "pod" => Mode::Pod,
        _ => {
            let found = args.first()?;
            let value = &found.value;
            Mode::Join(match found.name.as_ref()?.0.as_str() {
                "pid" => JoinTarget::Pid(count(value)? as u32),
                "path" => JoinTarget::Path(text(value)?),
                "sandbox" => JoinTarget::Sandbox(text(value)?),
                _ => JoinTarget::Pod(text(value)?),
            })
        }
    })
}

/// The argument of a variant that has this name.
pub fn argument<'v>(args: &'v [ArgVal], name: &str) -> Option<&'v Val> {
    args.iter().find(|it| it.name.as_ref().is_some_and(|(it, _)| it == name)).map(|it| &it.value)
}

/// Text of a string, a path or a word.
pub fn text(val: &Val) -> Option<String> {
    match &val.value {
        Value::Str(it) | Value::Path(it) | Value::Symbol(it) => Some(it.clone()),
        _ => None,
    }
}

fn strings(val: &Val) -> Option<Vec<String>> {
    match &val.value {
        Value::List(items) => items.iter().map(text).collect(),
        _ => None,
    }
}

/// A boolean.
pub fn boolean(val: &Val) -> Option<bool> {
    match val.value {
        Value::Bool(it) => Some(it),
        _ => None,
    }
}

/// Bytes.
pub fn size(val: &Val) -> Option<u64> {
    match val.value {
        Value::Size(it) => Some(it),
        _ => None,
    }
}

/// A number that is not negative.
pub fn count(val: &Val) -> Option<u64> {
    match val.value {
        Value::Int(it) => u64::try_from(it).ok(),
        Value::Permissions(bits) => Some(u64::from(bits)),
        _ => None,
    }
}

fn percent(val: &Val) -> Option<u64> {
    match val.value {
        Value::Percent(it) => Some(it),
        _ => None,
    }
}

fn duration(val: &Val) -> Option<i64> {
    match val.value {
        Value::Duration(it) => Some(it),
        _ => None,
    }
}

fn port(val: &Val) -> Option<Port> {
    match val.value {
        Value::Port(it) => Some(it),
        _ => None,
    }
}

/// How long a container may take to be ready where the policy does not say.
const WITHIN: i64 = 30_000_000_000;

fn ready(val: &Val) -> Option<Ready> {
    let Value::Variant(name, args) = &val.value else { return None };
    let within = argument(args, "within").and_then(duration).unwrap_or(WITHIN) as u64;
    let probe = match name.as_str() {
        "tcp" => match argument(args, "address")?.value {
            Value::Address(address, _) => Probe::Tcp { address, port: argument(args, "port").and_then(count)? as u16 },
            _ => return None,
        },
        "file" => Probe::File(text(argument(args, "path")?)?),
        _ => Probe::Exec(strings(argument(args, "command")?)?),
    };
    Some(Ready { probe, within })
}

fn restart(val: &Val) -> Option<Restart> {
    let Value::Variant(name, args) = &val.value else { return None };
    Some(Restart {
        always: name == "always",
        never: name == "never",
        max: argument(args, "max").and_then(count).map(|it| it as u32),
        backoff: argument(args, "backoff").and_then(duration).unwrap_or(1_000_000_000) as u64,
    })
}
