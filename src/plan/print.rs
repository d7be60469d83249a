//! A plan for people: one line a step, with the place that asked for it.

use std::fmt::Write;

use super::{
    Action, Bytes, CgroupDir, CgroupLimit, FdSource, IdMapping, LandlockPath, LandlockSpec, NamespaceFrom, OpenStream,
    Plan, PodPlan, RootSource, SecretFrom, Stage, Step, filter_text, limit_text, net_text, process, tree_text,
};
use crate::policy::{Probe, Stream};
use crate::source::Files;

/// The steps of a plan, numbered, with what asked for them.
pub fn print(plan: &Plan, files: &Files) -> String {
    steps(format!("sandbox {}\n", plan.name), plan, files)
}

/// The plans of a pod: what holds it, and its containers in the order in which they are started.
pub fn print_pod(pod: &PodPlan, files: &Files) -> String {
    let mut out = steps(format!("pod {}\n", pod.name), &pod.holder, files);
    for container in &pod.containers {
        let mut head = format!("\ncontainer {}\n", container.plan.name);
        if !container.after.is_empty() {
            let _ = writeln!(head, "  starts when {} is ready", container.after.join(", "));
        }
        if let Some(ready) = &container.ready {
            let _ = writeln!(head, "  ready when {}, within {}", probe(&ready.probe), seconds(ready.within));
        }
        if let Some(restart) = &container.restart {
            let when = if restart.always { "whenever it ends" } else { "when it ends with anything but 0" };
            let max = restart.max.map_or(String::new(), |max| format!(", {max} times at the most"));
            let _ = writeln!(
                head,
                "  starts again {when}, after {}, twice as long each time{max}",
                seconds(restart.backoff)
            );
        }
        if container.essential {
            let _ = writeln!(head, "  the pod ends when it ends");
        }
        out.push_str(&steps(head, &container.plan, files));
    }
    out
}

fn probe(probe: &Probe) -> String {
    match probe {
        Probe::Tcp { address, port } => format!("{address} answers on port {port}"),
        Probe::File(path) => format!("{} exists", quoted(path)),
        Probe::Exec(argv) => {
            let words: Vec<String> = argv.iter().map(|it| quoted(it)).collect();
            format!("`{}` ends with 0", words.join(" "))
        }
    }
}

fn steps(mut out: String, plan: &Plan, files: &Files) -> String {
    let rows: Vec<[String; 3]> = plan
        .steps
        .iter()
        .map(|step| {
            let mut why = step.why.clone();
            if !step.required {
                why.push_str(" (preferred)");
            }
            if let Some(privilege) = &step.privilege {
                let _ = write!(why, " [{privilege}]");
            }
            [describe(&step.action), why, place(step, files)]
        })
        .collect();
    let width = |column: usize, most: usize| {
        rows.iter().map(|row| row[column].chars().count()).filter(|it| *it <= most).max().unwrap_or(0)
    };
    let (first, second) = (width(0, 56), width(1, 40));
    let mut stage = None;
    for (number, (step, row)) in plan.steps.iter().zip(&rows).enumerate() {
        if stage != Some(step.stage) {
            stage = Some(step.stage);
            let _ = writeln!(out, "  {}", stage_title(step.stage));
        }
        let _ = writeln!(out, "  {:>3}  {:first$}  {:second$}  {}", number + 1, row[0], row[1], row[2]);
        if let Action::InstallFilter(filter) = &step.action {
            for line in filter_text::details(filter) {
                let _ = writeln!(out, "         {line}");
            }
        }
        if let Action::InstallFirewall(firewall) = &step.action {
            for line in net_text::rules(firewall) {
                let _ = writeln!(out, "         {line}");
            }
        }
    }
    ending(&mut out, plan);
    privileges(&mut out, plan, files);
    for degraded in &plan.degraded {
        let place = files.line_place(degraded.span);
        let _ = writeln!(out, "  not in force: {} ({place}), because {}", degraded.key, degraded.reason);
    }
    out
}

/// The statement that asked for a step, and the way on which it came.
fn place(step: &Step, files: &Files) -> String {
    let mut told = files.line_place(step.span);
    for via in step.via.iter().rev() {
        let _ = write!(told, " via {} at {}", via.profile, files.line_place(via.span));
    }
    told
}

fn stage_title(stage: Stage) -> &'static str {
    match stage {
        Stage::Prepare => "nsl, before the child exists",
        Stage::Join => "a process in between, which is then gone",
        Stage::Clone => "one clone3",
        Stage::Admit => "nsl, while the child waits",
        Stage::Child => "the child, inside its namespaces",
        Stage::Program => "the process that becomes the program",
    }
}

fn ending(out: &mut String, plan: &Plan) {
    let ending = &plan.ending;
    if let Some(after) = ending.after {
        let _ = writeln!(out, "  at the latest after {}:", seconds(after));
    } else {
        let _ = writeln!(out, "  to stop it:");
    }
    let _ = writeln!(out, "       send {}, kill after {}", ending.signal.name, seconds(ending.timeout));
}

/// What the plan needs on the host beyond the rights of an ordinary user, each with the first step that needs it.
fn privileges(out: &mut String, plan: &Plan, files: &Files) {
    let mut told: Vec<&str> = Vec::new();
    for step in &plan.steps {
        let Some(privilege) = step.privilege.as_deref().filter(|it| !told.contains(it)) else { continue };
        told.push(privilege);
        let place = files.line_place(step.span);
        let _ = writeln!(out, "  needs {privilege} on the host, because of {} ({place})", step.why);
    }
    if told.is_empty() {
        let _ = writeln!(out, "  runs unprivileged");
    }
}

fn seconds(nanoseconds: u64) -> String {
    format!("{}s", nanoseconds as f64 / 1e9)
}

/// One step in the words of the system calls that it makes.
pub fn describe(action: &Action) -> String {
    match action {
        Action::OpenSource { id, path, recursive, in_child, propagation } => {
            let later = if propagation.is_private() { "" } else { ", with what is mounted there later" };
            format!(
                "open {} as source {id}{}{}{later}",
                quoted(path),
                if *recursive { "" } else { ", without what is mounted below" },
                if *in_child { ", for the child to copy" } else { "" }
            )
        }
        Action::Placeholder { id, path, dir } => {
            let shape = if *dir { "directory" } else { "file" };
            format!(
                "make {} below source {id} for the time of the run, if it is missing: an empty {shape}",
                quoted(path)
            )
        }
        Action::OpenImage { id, path, digest } => {
            let digest = digest.as_ref().map_or(String::new(), |it| format!(", if it is {it}"));
            format!("open the image {} as source {id}{digest}", quoted(path))
        }
        Action::OpenSecret { id, from: SecretFrom::File(path) } => {
            format!("open {} as source {id}, a secret", quoted(path))
        }
        Action::OpenSecret { id, from: SecretFrom::Fd(fd) } => {
            format!("take descriptor {fd} of the caller as source {id}, a secret")
        }
        Action::MakeVolume { name, size, inodes, mode, owner: (uid, gid), noexec } => format!(
            "make the volume {}: tmpfs size={size} nr_inodes={inodes} mode={mode:04o} uid={uid} gid={gid} nosuid nodev{}",
            quoted(name),
            if *noexec { " noexec" } else { "" }
        ),
        Action::OpenVolume { id, name } => format!("open the volume {} of the pod as source {id}", quoted(name)),
        Action::MapOwners { id } => format!("show the owners of source {id} as the user namespace maps them"),
        Action::Hold { id, name } => format!("lock {} of source {id}, for one run at a time", quoted(name)),
        Action::OpenStream(OpenStream { stream, to }) => format!("open {} for {}", stream_target(to), stream.name()),
        Action::CallerTerminal => "look at the caller's terminal".to_string(),
        Action::RequestScope { socket, name, .. } => format!("ask {} for the scope {name}", quoted(socket)),
        Action::CreateCgroup(dir) => format!("mkdir {}{}", cgroup_path(dir), enabled(dir)),
        Action::WatchParent => "open the process that has started nsl".to_string(),
        Action::Sysctl { name, value } => format!("sysctl {name} = {}", quoted(value)),
        Action::LimitCgroup { dir, limit: CgroupLimit::CpuTime(time) } => {
            format!("end it when {} has used {} of CPU time", cgroup_path(dir), seconds(*time))
        }
        Action::LimitCgroup { dir, limit } => format!("write {} of {}", limit_text::describe(limit), cgroup_path(dir)),
        Action::Publish { address, outer, inner } => {
            format!("listen on {address} port {outer}, relay to port {inner} inside")
        }
        Action::OpenNamespace { kind, from, id } => {
            let from = match from {
                NamespaceFrom::Process { pid, start: Some(start) } => format!("process {pid} (of tick {start})"),
                NamespaceFrom::Process { pid, start: None } => format!("process {pid}"),
                NamespaceFrom::File(path) => quoted(path),
                NamespaceFrom::Pod => "the pod".to_string(),
            };
            format!("open {} of {from}{}", kind.name(), id.map_or(String::new(), |id| format!(", which is {id}")))
        }
        Action::MakePin { path } => format!("make the file {}", quoted(path)),
        Action::PinNamespace { kind, path } => format!("have nsl pin {} to {}", kind.name(), quoted(path)),
        Action::JoinNamespace(kind) => format!("setns {}", kind.name()),
        Action::Clone { namespaces, into } => {
            let names: Vec<&str> = namespaces.iter().map(|kind| kind.name()).collect();
            let into = into.as_ref().map_or(String::new(), |dir| format!(" into {}", cgroup_path(dir)));
            format!("clone3 new {}{into}", if names.is_empty() { "nothing".to_string() } else { names.join(" ") })
        }
        Action::DenySetgroups => "write setgroups deny".to_string(),
        Action::MapUids(map) => format!("write uid_map {}", describe_map(map)),
        Action::MapGids(map) => format!("write gid_map {}", describe_map(map)),
        Action::EnterCgroup(dir) => format!("move the child into {}", cgroup_path(dir)),
        Action::SetAttribute(attribute) => process::describe(attribute),
        Action::SetLabel { module, label } => format!("ask {} for the label {}", module.name(), quoted(label)),
        Action::UnshareCgroup => "unshare cgroup".to_string(),
        Action::UnshareTime => "unshare time".to_string(),
        Action::EnterTime => "setns time, for the containers too".to_string(),
        Action::TimeOffset { clock, offset } => format!("write timens_offsets {clock} {}", *offset as f64 / 1e9),
        Action::SetHostname(name) => format!("sethostname {}", quoted(name)),
        Action::SetDomainname(name) => format!("setdomainname {}", quoted(name)),
        Action::LoopbackUp => "set lo up".to_string(),
        Action::StartUplink { program, arguments } => {
            format!("start {program} {}, and wait for it", arguments.join(" "))
        }
        Action::StartResolver(resolver) => net_text::resolver(resolver),
        Action::MakeLink(link) => net_text::link(link),
        Action::MakeBridge { name, mtu } => format!("make the bridge {name}{}", net_text::mtu(*mtu)),
        Action::AddAddress { link, address } => format!("give {link} the address {address}"),
        Action::LinkUp { link } => format!("set {link} up"),
        Action::AddRoute(route) => net_text::route(route),
        Action::InstallFirewall(firewall) => net_text::firewall(firewall),
        Action::SetIds { uid, gid, groups } => {
            let groups = groups.as_ref().map_or(", groups as they are".to_string(), |it| format!(", groups {it:?}"));
            format!("become uid {uid} gid {gid}{groups}")
        }
        Action::PrivateMounts => "make every mount private".to_string(),
        Action::StageTree => "mount tmpfs to build the tree in".to_string(),
        Action::MountRoot(RootSource::Tmpfs) => "mount / = tmpfs".to_string(),
        Action::MountRoot(RootSource::Source { id, access, flags }) => {
            format!("mount / = source {id}, {}{}", tree_text::word(*access), tree_text::flag_words(*flags))
        }
        Action::MountRoot(RootSource::Image { id, size, inodes, access, flags }) => format!(
            "mount / = image of source {id}, its layers unpacked into a tmpfs size={size} nr_inodes={inodes}, {}{}",
            tree_text::word(*access),
            tree_text::flag_words(*flags)
        ),
        Action::MountRoot(RootSource::Overlay(overlay)) => format!("mount / = {}", tree_text::overlay(overlay)),
        Action::Mount { target, source } => format!("mount {} = {}", quoted(target), tree_text::mount(source)),
        Action::Hide { target } => format!("hide {}", quoted(target)),
        Action::Protect { target, .. } => format!("protect {}", quoted(target)),
        Action::Link { path, target } => format!("symlink {} -> {}", quoted(path), quoted(target)),
        Action::Mkdir { path, mode } => format!("mkdir {} mode {mode:04o}", quoted(path)),
        Action::SealRoot => "make / read-only".to_string(),
        Action::PivotRoot => "pivot_root, detach the old root".to_string(),
        Action::ForkInit => "fork: init stays, the program goes on".to_string(),
        Action::NewSession => "setsid".to_string(),
        Action::NewTerminal => "make a terminal of its own: 0 1 2".to_string(),
        Action::SetFd { number, from } => format!("dup2 {} to {number}", fd_source(from)),
        Action::NewKeyring => "join a new session keyring".to_string(),
        Action::ChangeDir(path) => format!("chdir {}", quoted(path)),
        Action::SetRlimit { resource, value } => {
            format!("setrlimit {resource} {}", value.map_or("unlimited".to_string(), |it| it.to_string()))
        }
        Action::SetCapabilities { keep, ambient } => describe_capabilities(keep, ambient),
        Action::NoNewPrivs => "prctl no_new_privs".to_string(),
        Action::RestrictLandlock(spec) => describe_landlock(spec),
        Action::ListenFds { names } => format!("tell the program of {} from 3 on, by LISTEN_FDS", names.join(" ")),
        Action::CloseFds { keep } => {
            let keep: String = keep.iter().map(|it| format!(" {it}")).collect();
            format!("close every descriptor but 0 1 2{keep}")
        }
        Action::InstallFilter(filter) => filter_text::summary(filter),
        Action::HoldPod => "hold the namespaces".to_string(),
        Action::Exec { argv, env } => format!("execve {} with {} variables", command(argv), env.len()),
    }
}

fn stream_target(to: &Stream) -> String {
    match to {
        Stream::Inherit => "what the caller has".to_string(),
        Stream::Stdout => "stdout".to_string(),
        Stream::Null => "/dev/null".to_string(),
        Stream::File { path, append } => format!("{}{}", quoted(path), if *append { ", appending" } else { "" }),
    }
}

fn fd_source(from: &FdSource) -> String {
    match from {
        FdSource::Opened(stream) => format!("what was opened for {}", stream.name()),
        FdSource::Copy(number) => number.to_string(),
        FdSource::Named(name) => format!("what was handed over as {name}"),
    }
}

fn describe_map(map: &IdMapping) -> String {
    let lines: Vec<String> =
        map.lines.iter().map(|line| format!("\"{} {} {}\"", line.inside, line.outside, line.count)).collect();
    match &map.helper {
        Some(helper) => format!("{} through {helper}", lines.join(" ")),
        None => lines.join(" "),
    }
}

fn describe_capabilities(keep: &[String], ambient: &[String]) -> String {
    if keep.is_empty() {
        return "drop every capability, all five sets".to_string();
    }
    let ambient = if ambient.is_empty() { String::new() } else { format!(", ambient {}", ambient.join(" ")) };
    format!("keep capabilities {}{ambient}", keep.join(" "))
}

fn cgroup_path(dir: &CgroupDir) -> String {
    let pod = dir.pod.as_ref().map_or(String::new(), |pod| format!("{pod}/"));
    format!("{}{}/{pod}{}", dir.mount, dir.parent.trim_end_matches('/'), dir.name)
}

fn enabled(dir: &CgroupDir) -> String {
    if dir.enable.is_empty() { String::new() } else { format!(" with {}", dir.enable.join(" ")) }
}

fn describe_landlock(spec: &LandlockSpec) -> String {
    let mut parts = Vec::new();
    if let Some(paths) = &spec.files {
        let which = |is: fn(&LandlockPath) -> bool| {
            let found: Vec<String> = paths.iter().filter(|it| is(it)).map(|it| quoted(&it.path)).collect();
            if found.is_empty() { "nothing".to_string() } else { found.join(" ") }
        };
        parts.push(format!("write below {}, execute below {}", which(|it| it.write), which(|it| it.execute)));
    }
    for (ports, what) in [(&spec.tcp_bind, "bind"), (&spec.tcp_connect, "connect to")] {
        if let Some(ports) = ports {
            let list: Vec<String> = ports.iter().map(u16::to_string).collect();
            parts.push(format!("{what} {}", if ports.is_empty() { "no TCP port".into() } else { list.join(" ") }));
        }
    }
    parts.extend(spec.scope.iter().map(|it| format!("no {} to the outside", it.name())));
    format!("landlock: {}", parts.join("; "))
}

fn command(argv: &[Bytes]) -> String {
    let words: Vec<String> = argv.iter().map(|arg| quoted(&String::from_utf8_lossy(arg.as_bytes()))).collect();
    words.join(" ")
}

/// Plain where that is unmistakable, with quotes and escapes otherwise.
pub(super) fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+=:,@%".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) { text.to_string() } else { format!("{text:?}") }
}
