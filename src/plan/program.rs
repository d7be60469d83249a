//! The smaller namespaces, and the last steps up to the program itself.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::ffi::OsStrExt;

use super::build::{Builder, Options, filter_step};
use super::{Action, Bytes, Stage, labels, landlock, process, stdio};
use crate::policy::{NsKind, Sysctl, Traced};
use crate::report::Diagnostic;

/// Published ports: the host's ends are opened before anything else exists, so that a port that is taken
/// costs nothing.
pub(super) fn publish(builder: &mut Builder) {
    for publish in &builder.sandbox.net.publish {
        let address = publish.value.address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let low = publish.value.outer.number < *builder.facts.unprivileged_port_start;
        let action = Action::Publish { address, outer: publish.value.outer, inner: publish.value.inner };
        let key = publish.origin.key.to_string();
        builder.push(Stage::Prepare, action, publish.span(), key, low.then_some("CAP_NET_BIND_SERVICE"), true);
    }
}

/// What the child does to the namespaces that are not about files.
pub(super) fn kernel_namespaces(builder: &mut Builder) {
    let sandbox = builder.sandbox;
    let privilege = (!builder.own_user()).then_some("CAP_SYS_ADMIN");
    if sandbox.is_new(NsKind::Cgroup) {
        let origin = &sandbox.cgroup.mode.origin;
        builder.push(Stage::Child, Action::UnshareCgroup, origin.span, origin.key.to_string(), privilege, true);
    }
    time_namespace(builder);
    host_names(builder);
}

/// A time namespace and its offsets, for the children of this process. Whether there is one.
pub(super) fn time_namespace(builder: &mut Builder) -> bool {
    let sandbox = builder.sandbox;
    let privilege = (!builder.own_user()).then_some("CAP_SYS_ADMIN");
    if sandbox.is_new(NsKind::Time) {
        let origin = &sandbox.time.mode.origin;
        builder.push(Stage::Child, Action::UnshareTime, origin.span, origin.key.to_string(), privilege, true);
        for (clock, offset) in [("monotonic", &sandbox.time.monotonic), ("boottime", &sandbox.time.boottime)] {
            if let Some(offset) = offset {
                let action = Action::TimeOffset { clock: clock.to_string(), offset: offset.value };
                builder.step_of(Stage::Child, action, offset);
            }
        }
    }
    sandbox.is_new(NsKind::Time)
}

/// What names the host.
pub(super) fn host_names(builder: &mut Builder) {
    let sandbox = builder.sandbox;
    if let Some(name) = &sandbox.uts.hostname {
        builder.step_of(Stage::Child, Action::SetHostname(name.value.clone()), name);
    }
    if let Some(name) = &sandbox.uts.domainname {
        builder.step_of(Stage::Child, Action::SetDomainname(name.value.clone()), name);
    }
}

/// Parameters of the new namespaces, while the child has every capability in them. Whoever makes a user namespace of his own has
/// all of them in it, and much of the kernel before him that is nobody's else; so there is none inside unless the policy says how many.
pub(super) fn sysctls(builder: &mut Builder) {
    const NESTED: &str = "user.max_user_namespaces";
    let sandbox = builder.sandbox;
    for sysctl in &sandbox.sysctls {
        let Sysctl { name, value } = sysctl.value.clone();
        builder.step_of(Stage::Child, Action::Sysctl { name, value }, sysctl);
    }
    if builder.own_user() && !sandbox.sysctls.iter().any(|it| it.value.name == NESTED) {
        let (span, action) = (sandbox.user.mode.span(), Action::Sysctl { name: NESTED.into(), value: "0".into() });
        let why = "no user namespace inside that nobody has granted".to_string();
        builder.push(Stage::Child, action, span, why, None, false);
    }
}

/// From the finished namespaces to the program.
pub(super) fn start(builder: &mut Builder, options: &Options) {
    let sandbox = builder.sandbox;
    let span = builder.span();
    if sandbox.pid.init.value {
        let origin = sandbox.pid.init.origin.clone();
        builder.step(Stage::Child, Action::ForkInit, &origin);
    }
    builder.rule(Stage::Program, Action::NewSession, span, "no controlling terminal of the caller's");
    let keep = stdio::set(builder, options);
    builder.rule(Stage::Program, Action::NewKeyring, span, "no session keyring of the caller's");
    for limit in &sandbox.limits {
        let action = Action::SetRlimit { resource: limit.value.resource.clone(), value: limit.value.value };
        builder.step_of(Stage::Program, action, limit);
    }
    process::inherit(builder);
    labels::build(builder);
    match &sandbox.cwd {
        Some(cwd) => builder.step_of(Stage::Program, Action::ChangeDir(cwd.value.clone()), cwd),
        None => {
            builder.rule(Stage::Program, Action::ChangeDir("/".into()), span, "a sandbox without `cwd` starts in `/`")
        }
    }
    capabilities(builder);
    if sandbox.no_new_privs.value {
        builder.step_of(Stage::Program, Action::NoNewPrivs, &sandbox.no_new_privs);
    }
    landlock::build(builder);
    builder.rule(Stage::Program, Action::CloseFds { keep }, span, "no other descriptor comes along");
    filter_step(builder);
    exec(builder, options);
}

fn capabilities(builder: &mut Builder) {
    let caps = &builder.sandbox.caps;
    let names = |list: &[Traced<String>]| {
        let mut names: Vec<String> = list.iter().map(|it| it.value.clone()).collect();
        names.sort();
        names.dedup();
        names
    };
    let ambient = names(&caps.ambient);
    let mut keep = names(&caps.keep);
    keep.extend(ambient.iter().cloned());
    keep.sort();
    keep.dedup();
    let stated = caps.none.as_ref().map(|it| &it.origin);
    let stated = stated.or(caps.keep.first().or(caps.ambient.first()).map(|it| &it.origin)).cloned();
    let action = Action::SetCapabilities { keep, ambient };
    match stated {
        Some(origin) => builder.step(Stage::Program, action, &origin),
        None => builder.rule(Stage::Program, action, builder.span(), "no capability is kept that is not named"),
    }
}

fn exec(builder: &mut Builder, options: &Options) {
    let sandbox = builder.sandbox;
    let mut argv: Vec<Bytes> = Vec::new();
    if let Some(run) = &sandbox.run {
        argv.extend(run.value.iter().map(|arg| Bytes::Text(arg.clone())));
    }
    argv.extend(options.args.iter().cloned().map(Bytes::from));
    if argv.is_empty() {
        builder.errors.push(
            Diagnostic::error("no-run", format!("sandbox `{}` has no program to run", sandbox.name.value))
                .label(sandbox.name.span(), "no `run` in this sandbox")
                .help("write `run = [\"/bin/sh\"]`, or put a command behind `--` on the command line"),
        );
        return;
    }
    let env = sandbox.env.iter().filter_map(|var| environment(&var.value, options)).collect();
    let origin = sandbox.run.as_ref().map_or(&sandbox.name.origin, |it| &it.origin).clone();
    builder.step(Stage::Program, Action::Exec { argv, env }, &origin);
}

/// `NAME=value`; nothing where an inherited variable is not set.
fn environment(var: &crate::policy::EnvVar, options: &Options) -> Option<Bytes> {
    let mut text = OsString::from(&var.name);
    text.push("=");
    match &var.value {
        Some(value) => text.push(value),
        None => text.push(&options.env.iter().find(|(name, _)| name.as_bytes() == var.name.as_bytes())?.1),
    }
    Some(Bytes::from(text))
}
