//! A step that failed, at the line of the policy that asked for it, with the likely cause on this host.

use super::failure::Notice;
use super::tree_causes::{
    hold_cause, idmap_cause, image_cause, mount_cause, overlay_cause, path_cause, pin_cause, placeholder_cause,
    secret_cause, source_cause, tree_cause, volume_cause,
};
use super::{explain_net, explain_process};
use crate::plan::{Action, CgroupLimit, NsKind, OpenStream, Plan, RootSource, StdStream, Step};
use crate::report::Diagnostic;

/// The status that nsl ends with when a step has failed: 127 and 126 as shells use them, 125 for the rest.
pub fn exit_code(plan: &Plan, notice: &Notice) -> i32 {
    match plan.steps.get(notice.step).map(|step| &step.action) {
        Some(Action::Exec { .. }) if notice.failure.errno == libc::ENOENT => 127,
        Some(Action::Exec { .. }) => 126,
        _ => 125,
    }
}

/// What failed, as a finding at the statement that asked for the step.
pub fn explain(plan: &Plan, notice: &Notice) -> Diagnostic {
    let Some(step) = plan.steps.get(notice.step) else {
        let message = format!("the sandbox cannot be built: {}", notice.failure.detail);
        return Diagnostic::error("run-failed", message)
            .help("where `memory.max` is set it may be too small to build the sandbox in; else somebody killed it");
    };
    let (code, help) = cause(step, notice);
    let what = crate::plan::describe(&step.action);
    let errno = notice.failure.errno_text();
    let message = if errno.is_empty() {
        format!("the sandbox cannot be built: {}", notice.failure.detail)
    } else if matches!(step.action, Action::Exec { .. }) {
        format!("the program cannot be started: {}: {errno}", notice.failure.detail)
    } else {
        format!("the sandbox cannot be built: {}: {errno}", notice.failure.detail)
    };
    let severity = if notice.fatal { Diagnostic::error(code, message) } else { Diagnostic::warning(code, message) };
    let help = match notice.failure.errno {
        libc::EMFILE | libc::ENFILE => text("there are no descriptors left: raise `ulimit -n`"),
        _ => help,
    };
    let mut finding = severity.label(step.span, format!("step {}, `{what}`, is asked for here", notice.step + 1));
    if let Some(via) = step.via.first() {
        finding = finding.label(via.span, format!("brought in by `{}`", via.profile));
    }
    match help {
        Some(help) => finding.help(help),
        None => finding,
    }
}

/// The code and the likely cause of a failure.
fn cause(step: &Step, notice: &Notice) -> (&'static str, Option<String>) {
    let errno = notice.failure.errno;
    match &step.action {
        Action::OpenSource { path, .. } => source_cause(path, errno),
        Action::Placeholder { path, .. } => ("path-failed", placeholder_cause(path, errno)),
        Action::OpenImage { path, .. } => ("image-failed", image_cause(path, errno)),
        Action::MountRoot(RootSource::Image { .. }) => ("image-failed", image_cause("the image", errno)),
        Action::OpenSecret { from, .. } => secret_cause(from, errno),
        Action::MakeVolume { .. } | Action::OpenVolume { .. } => ("volume-failed", volume_cause(errno)),
        Action::MapOwners { .. } => ("idmap-failed", idmap_cause(errno)),
        Action::Hold { name, .. } => hold_cause(name, errno),
        Action::Publish { outer, .. } => ("publish-failed", explain_net::publish(*outer, errno)),
        Action::LimitCgroup { limit: CgroupLimit::CpusetCpus(_) | CgroupLimit::CpusetMems(_), .. }
            if errno != libc::ENOENT =>
        {
            (
                "cgroup-failed",
                text(
                    "a cgroup has CPUs and memory nodes of its parent only, and those that this host has: `cpuset.cpus.effective` \
                     of the parent (v1: `cpuset.cpus`) lists them",
                ),
            )
        }
        Action::RequestScope { .. } => (
            "scope-failed",
            text(
                "`systemctl --user status` shows whether your service manager answers; `prefer` before the limits goes on without them",
            ),
        ),
        Action::CreateCgroup(_) | Action::LimitCgroup { .. } | Action::EnterCgroup(_) => {
            ("cgroup-failed", cgroup_cause(errno))
        }
        Action::SetAttribute(attribute) => ("attribute-failed", explain_process::attribute(attribute, errno)),
        Action::SetLabel { module, label } => ("label-failed", explain_process::label(*module, label, errno)),
        Action::MakePin { path } => ("keep-failed", pin_cause(path, true, errno)),
        Action::PinNamespace { path, .. } => ("keep-failed", pin_cause(path, false, errno)),
        Action::OpenNamespace { .. } => ("join-failed", open_cause(errno)),
        Action::JoinNamespace(kind) => ("join-failed", join_cause(*kind, errno)),
        Action::Clone { .. } => ("namespace-failed", clone_cause(errno)),
        Action::MapUids(_) | Action::MapGids(_) | Action::DenySetgroups => ("map-failed", map_cause(step, errno)),
        Action::UnshareCgroup | Action::UnshareTime | Action::EnterTime => ("namespace-failed", clone_cause(errno)),
        Action::TimeOffset { .. } => (
            "offset-failed",
            Some(match errno {
                libc::ERANGE => {
                    "the offset would make the clock negative or overflow; choose a smaller one".to_string()
                }
                _ => "offsets are written before the first process enters the time namespace; the kernel refused it"
                    .to_string(),
            }),
        ),
        Action::WatchParent => (
            "parent-failed",
            text(
                "the process that has started nsl must be in the same PID namespace: write `with-parent` only where it is",
            ),
        ),
        Action::Sysctl { name, .. } => ("sysctl-failed", sysctl_cause(name, errno)),
        Action::SetHostname(_) | Action::SetDomainname(_) => {
            ("hostname-failed", text("`uts new` gives the right to it"))
        }
        Action::StartUplink { program, .. } => ("uplink-failed", explain_net::uplink(program, errno)),
        Action::StartResolver(_) => ("resolver-failed", explain_net::resolver(errno)),
        Action::MakeLink(link) => ("link-failed", explain_net::link(link, errno)),
        Action::MakeBridge { .. } | Action::LinkUp { .. } => ("link-failed", explain_net::inner_link(errno)),
        Action::AddAddress { .. } => ("address-failed", explain_net::address(errno)),
        Action::AddRoute(route) => ("route-failed", explain_net::route(route, errno)),
        Action::InstallFirewall(_) => ("firewall-failed", explain_net::firewall(errno)),
        Action::LoopbackUp => ("loopback-failed", text("`net new` gives the right to it")),
        Action::SetIds { .. } => (
            "ids-failed",
            Some(match errno {
                libc::EINVAL => "the id is not mapped in the user namespace: add a `map` for it; in one that is joined, `as` and `group` name ids that are".to_string(),
                _ => "the caller may not become this id: map it with `user new`, or run as root".to_string(),
            }),
        ),
        Action::MountRoot(RootSource::Overlay(_)) => {
            ("tree-failed", overlay_cause(errno).or_else(|| tree_cause(errno)))
        }
        Action::PrivateMounts | Action::StageTree | Action::MountRoot(_) | Action::SealRoot => {
            ("tree-failed", tree_cause(errno))
        }
        Action::PivotRoot => (
            "tree-failed",
            Some(match errno {
                libc::EINVAL => {
                    "pivot_root(2) refuses a root that is the initial ramfs: start from a mounted root file system"
                        .to_string()
                }
                _ => "see pivot_root(2)".to_string(),
            }),
        ),
        Action::Mount { source, target } => ("mount-failed", mount_cause(source, target, errno)),
        Action::Hide { target }
        | Action::Protect { target, .. }
        | Action::Mkdir { path: target, .. }
        | Action::Link { path: target, .. } => ("path-failed", path_cause(target, errno)),
        Action::HoldPod => ("fork-failed", None),
        Action::ForkInit => ("fork-failed", fork_cause(errno)),
        Action::OpenStream(open) => ("stdio-failed", stream_cause(open, errno)),
        Action::CallerTerminal | Action::NewTerminal => ("tty-failed", tty_cause(errno)),
        Action::SetFd { number, .. } => (
            "fd-failed",
            Some(match errno {
                libc::EBADF | libc::EMFILE | libc::EINVAL => {
                    format!(
                        "the caller may not have a descriptor {number}: raise `ulimit -n`, or choose a lower number"
                    )
                }
                _ => "see dup2(2)".to_string(),
            }),
        ),
        Action::ChangeDir(path) => (
            "cwd-failed",
            Some(match errno {
                libc::ENOENT => format!("nothing in `mnt` provides {path}: mount it, or change `cwd`"),
                libc::EACCES => {
                    format!("the program's user may not enter {path}: its permissions, or a hidden parent, forbid it")
                }
                _ => format!("`cwd` must name a directory of the sandbox; {path} is none"),
            }),
        ),
        Action::SetRlimit { resource, .. } => (
            "rlimit-failed",
            Some(format!(
                "a hard limit cannot be raised without CAP_SYS_RESOURCE on the host: lower `{resource}`, or raise the caller's hard limit"
            )),
        ),
        Action::SetCapabilities { .. } => (
            "capability-failed",
            text("only capabilities that the caller has can be kept; `user new` gives all of them inside"),
        ),
        Action::RestrictLandlock(_) => (
            "landlock-failed",
            Some(match errno {
                libc::EPERM => "Landlock needs `no-new-privs = true`, or CAP_SYS_ADMIN".to_string(),
                libc::E2BIG => "there are too many layers of Landlock around this process: 16".to_string(),
                libc::ENOSYS | libc::EOPNOTSUPP => {
                    "this kernel has no Landlock, or it was not switched on at boot: write `prefer` to go on without it"
                        .to_string()
                }
                _ => "`nsl doctor` says which Landlock this kernel has".to_string(),
            }),
        ),
        Action::InstallFilter(_) => (
            "filter-failed",
            Some(match errno {
                libc::EACCES => "a filter needs `no-new-privs = true`, or CAP_SYS_ADMIN".to_string(),
                libc::ENOMEM => {
                    "the filters of this process and its parents are too long together: 32768 instructions".to_string()
                }
                libc::ENOSYS => "this kernel is built without seccomp filters".to_string(),
                _ => "the kernel refused the filter: use fewer conditions, or groups".to_string(),
            }),
        ),
        Action::Exec { .. } => ("exec-failed", exec_cause(errno)),
        Action::NoNewPrivs
        | Action::NewSession
        | Action::NewKeyring
        | Action::ListenFds { .. }
        | Action::CloseFds { .. } => ("run-failed", None),
    }
}

fn text(text: &str) -> Option<String> {
    Some(text.to_string())
}

fn stream_cause(open: &OpenStream, errno: i32) -> Option<String> {
    match errno {
        libc::ENOENT => text("it, or the directory that it is to be in, does not exist"),
        libc::EACCES | libc::EPERM | libc::EROFS => {
            text("it is opened with the caller's rights, which do not reach that far")
        }
        libc::ELOOP => {
            text("a symbolic link is not followed there, since the program might have laid it: name what it leads to")
        }
        libc::EISDIR => text("a directory is no stream"),
        libc::ENXIO => match open.stream {
            StdStream::Stdin => None,
            _ => text("nobody reads from this FIFO, or it is a socket"),
        },
        _ => None,
    }
}

fn sysctl_cause(name: &str, errno: i32) -> Option<String> {
    match errno {
        libc::ENOENT => Some(format!("this kernel has no {name}, or not in namespaces of one's own")),
        libc::EINVAL | libc::ERANGE => Some(format!("the kernel does not take that value for {name}")),
        libc::EACCES | libc::EPERM => Some(format!(
            "{name} belongs to uid 0 of the sandbox, so `map uid 0 = …` is needed; before Linux 6.10 only the host's root can set it: write `prefer` to go on without it"
        )),
        libc::EROFS => text("/proc/sys is read-only here, as in a container: write `prefer` to go on without it"),
        _ => None,
    }
}

fn tty_cause(errno: i32) -> Option<String> {
    match errno {
        libc::ENOTTY | libc::EINVAL | libc::EBADF | libc::ENODEV => text(
            "the caller's standard input is no terminal: run nsl in one, or write `prefer tty = new` to go on without one",
        ),
        libc::ENOENT | libc::ENXIO | libc::EACCES => {
            text("the sandbox needs terminals of its own to have one: `mount /dev = dev`, or `mount /dev/pts = devpts`")
        }
        libc::EPERM => text("the terminal is another session's"),
        libc::ENOSPC => text("there are no pseudo-terminals left: kernel.pty.max"),
        _ => None,
    }
}

fn cgroup_cause(errno: i32) -> Option<String> {
    match errno {
        libc::EACCES | libc::EPERM | libc::EROFS => text(
            "the caller may not write there: run as root, or name a cgroup that was delegated to you with `--cgroup-parent PATH`",
        ),
        libc::EBUSY => text(
            "a cgroup that holds processes cannot hand controllers to its children: name an empty one with `--cgroup-parent PATH`",
        ),
        libc::ENOENT => text(
            "the cgroup or its controller does not exist: `nsl doctor` shows which controllers there are, and `--cgroup-parent` must name a cgroup that exists",
        ),
        libc::EAGAIN => text("cgroup.max.descendants or cgroup.max.depth of a cgroup above is reached"),
        _ => text(
            "the kernel took the limit only in part, or not at all: `prefer` before it lets the run go on without it",
        ),
    }
}

fn open_cause(errno: i32) -> Option<String> {
    text(match errno {
        0 | libc::ESRCH | libc::ENOENT => "what was to be joined has ended since it was looked at: start it again",
        libc::EACCES | libc::EPERM => {
            "only root, or the user who made the process's user namespace, may open its namespaces"
        }
        _ => "see namespaces(7)",
    })
}

fn join_cause(kind: NsKind, errno: i32) -> Option<String> {
    text(match (errno, kind) {
        (libc::EPERM, NsKind::User) => "only root, and the user who made it, may enter a user namespace",
        (libc::EPERM, _) => {
            "the user namespace that owns it gives the right to it: join the same target's `user` as well"
        }
        (libc::EINVAL, NsKind::Pid) => "only a PID namespace below the caller's own can be joined: pid_namespaces(7)",
        (libc::EINVAL, NsKind::User) => "the caller is in that user namespace already: write `user host`",
        (libc::EINVAL, _) => "the file is a namespace of another kind: `ls -l` of it says which",
        _ => "see setns(2)",
    })
}

fn clone_cause(errno: i32) -> Option<String> {
    match errno {
        libc::EPERM => text(
            "this host does not let the caller make these namespaces: `nsl doctor` says which switch forbids it; without `user new`, CAP_SYS_ADMIN is needed",
        ),
        libc::ENOSPC | libc::EUSERS => {
            text("a limit of namespaces is reached: /proc/sys/user/max_*_namespaces, or 32 nested user namespaces")
        }
        libc::EINVAL => {
            text("this kernel lacks one of the namespaces, or was built without it: `nsl doctor` lists them")
        }
        libc::ENOSYS => text("clone3(2) needs Linux 5.3, or a container runtime whose filter allows it"),
        libc::EAGAIN => text("the caller has too many processes: `ulimit -u`, or pids.max of its cgroup"),
        libc::ENOMEM => text("the kernel is out of memory"),
        _ => None,
    }
}

fn map_cause(step: &Step, errno: i32) -> Option<String> {
    let helper = matches!(&step.action, Action::MapUids(map) | Action::MapGids(map) if map.helper.is_some());
    match errno {
        0 if helper => text(
            "/etc/subuid and /etc/subgid must give the caller every id that is mapped: add a line such as `you:100000:65536` to both",
        ),
        libc::EPERM => text(
            "the caller may map its own id only, unless newuidmap and /etc/subuid say more; mapping host root needs CAP_SETFCAP",
        ),
        libc::EINVAL => text("the ranges overlap, or an outer id does not exist in the caller's own user namespace"),
        _ => text("see user_namespaces(7), \"Defining user and group ID mappings\""),
    }
}

fn fork_cause(errno: i32) -> Option<String> {
    match errno {
        libc::EAGAIN => text(
            "`pids.max`, or the caller's limit of processes, leaves no room for init and the program: raise it to 3 at least",
        ),
        libc::ENOMEM => text("`memory.max` is too small to start a process"),
        _ => None,
    }
}

fn exec_cause(errno: i32) -> Option<String> {
    match errno {
        libc::ENOENT => text(
            "make the program, and all that it needs, visible with `mount`; `run` names it by its path in the sandbox",
        ),
        libc::EACCES => text("make it executable (`chmod +x`), or drop `noexec` from the mount that it is on"),
        libc::EPERM => {
            text("the filter refuses execve(2), or the mount forbids it: `allow @basic` lets programs start")
        }
        libc::ENOEXEC => text("a script begins with `#!` and the path of its interpreter"),
        libc::E2BIG => {
            text("arguments and environment are longer than the kernel takes: execve(2), \"Limits on size\"")
        }
        libc::ENOMEM => text("`memory.max` or `as` is too small for this program"),
        libc::ENOSYS => text("the filter answers ENOSYS to execve(2): `allow @basic` lets programs start"),
        _ => None,
    }
}
