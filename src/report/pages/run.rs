//! Pages: failures of a run.
//!
//! A run fails with one of these when the checker could not know it: something changed since, or only the kernel
//! could tell. Only a host gives them, so there is no example that always does.

use super::{Page, Severity};

const fn page(code: &'static str, title: &'static str, text: &'static str) -> Page {
    Page { code, severity: Severity::Error, title, text, wrong: "", right: "" }
}

pub(super) const PAGES: &[Page] = &[
    Page {
        code: "no-run",
        severity: Severity::Error,
        title: "a sandbox without a program",
        text: "A sandbox runs what its `run` says, with the arguments behind `--` on the command line appended. A sandbox \
               without `run` takes its whole command from there. Here neither says anything.\n\nWrite `run = [\"/bin/sh\"]`, or \
               start it with `nsl run FILE NAME -- COMMAND`.",
        wrong: "",
        right: "",
    },
    page(
        "run-failed",
        "a step of the run failed",
        "A step that every run needs was refused by the kernel, which is rare: a missing system call, or no memory. The message \
         names the step and the errno; `nsl plan` shows all steps, and `nsl doctor` what this kernel offers.",
    ),
    page(
        "source-forbidden",
        "the caller may not reach the source of a mount",
        "Sources are opened with the caller's own rights, before anything else: a sandbox never sees more of the host than the \
         one who starts it. One of the directories on the way may not be passed through (it needs the `x` permission for the \
         caller), or an LSM refuses it.",
    )
    .shown(
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = host(ro)\n    mount /srv = bind(/secret, ro)\n  }\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  mnt new {\n    root = host(ro)\n    mount /srv = bind(/srv/public, ro)\n  }\n}\n",
    ),
    page(
        "source-failed",
        "the source of a mount cannot be opened",
        "The source is there, and the kernel refuses to open it or to copy its mount. In a user namespace the kernel keeps a mount \
         together with what is mounted below it (mount_namespaces(7)): a bind with `recursive: false` of such a tree is \
         refused. The message has the errno.",
    ),
    page(
        "publish-failed",
        "a port of the host cannot be published",
        "nsl listens on the host's port itself, before the sandbox exists. EADDRINUSE: something listens there already; `ss -lnptu` \
         shows what. EACCES: ports below net.ipv4.ip_unprivileged_port_start (1024 where nobody changed it) need \
         CAP_NET_BIND_SERVICE. EADDRNOTAVAIL: the host has no such address.",
    ),
    page(
        "cgroup-failed",
        "a cgroup or one of its limits cannot be made",
        "Limits are put in a cgroup of the sandbox's own, before the program starts, and read back. It fails where the caller \
         may not write the parent cgroup, where the parent does not have the controller, or, on cgroup v2, where the parent holds \
         processes: such a cgroup cannot hand controllers to its children (cgroups(7), \"no internal processes\").\n\nRun as \
         root, name a cgroup that was delegated to you with `--cgroup-parent PATH`, or write `prefer` before a limit that the \
         sandbox may do without.",
    ),
    page(
        "scope-failed",
        "the service manager gives no scope",
        "An ordinary user whose cgroup was not delegated asks the own systemd (`systemd --user`) for a transient scope with Delegate=yes: nsl itself \
         is put into it, and the sandbox's cgroup is made below. It fails where nobody answers on the manager's socket \
         ($XDG_RUNTIME_DIR/systemd/private), or where the manager may not move nsl; its log says why.",
    ),
    page(
        "namespace-failed",
        "the kernel refuses a namespace",
        "EPERM: the caller may not make it. Without `user new` it takes CAP_SYS_ADMIN; with it, a distribution may still forbid \
         user namespaces to ordinary users (`nsl doctor` says which switch it is). ENOSPC: a limit in /proc/sys/user is reached, or \
         user namespaces are nested too deep. EINVAL: the kernel was built without this kind.",
    ),
    page(
        "map-failed",
        "the kernel or a helper refuses an id map",
        "Without privileges a map is one line, of one id, the caller's own; newuidmap and newgidmap write more where /etc/subuid and \
         /etc/subgid give the caller the ids. EINVAL: ranges overlap, or an outer id does not exist in the caller's own user \
         namespace. user_namespaces(7) has all rules.",
    ),
    page(
        "offset-failed",
        "the kernel refuses a clock offset",
        "ERANGE: the offset would make the clock negative, or later than about 146 years. EACCES: a process has already entered the \
         time namespace. time_namespaces(7)",
    ),
    page(
        "hostname-failed",
        "the host name cannot be set",
        "sethostname(2) needs CAP_SYS_ADMIN in the UTS namespace: write `uts new`.",
    ),
    page(
        "loopback-failed",
        "lo cannot be brought up",
        "It takes CAP_NET_ADMIN in the network namespace: write `net new`.",
    ),
    page(
        "ids-failed",
        "the program cannot become the id that the policy names",
        "EINVAL: the id is not mapped in the user namespace; every id that is used inside needs a `map`. EPERM: the caller may not \
         change ids; `user new` gives the right to it.",
    ),
    page(
        "tree-failed",
        "the tree of paths cannot be put together",
        "The tree is built in a mount namespace of its own with the mount API of Linux 5.12. EPERM: mounting is forbidden, as by a \
         container runtime. EINVAL at the end: pivot_root(2) cannot leave an initial ramfs.",
    ),
    page(
        "mount-failed",
        "a mount is refused",
        "A fresh proc needs `pid new`, a fresh sysfs `net new`, mqueue `ipc new`, and cgroup `cgroup new`: the kernel lets only the \
         owner of the namespace mount them. It also refuses a fresh proc where the host's own is covered in parts, as in \
         containers.\n\nNothing is ever created on the host: a target that is missing below a read-only tree is made in a \
         copy of the directory; below a writable tree of the host it is refused.",
    ),
    page(
        "path-failed",
        "a path cannot be hidden, linked or made",
        "Nothing is ever created on the host. A path that is missing below a writable tree of the host can neither be made nor \
         be hidden there: the program could create it later, and the policy would not hold.",
    ),
    page(
        "fork-failed",
        "init cannot start the program",
        "The sandbox's own limits hold from its first process on: init and the program are two of `pids.max`, and their memory counts.",
    ),
    page(
        "cwd-failed",
        "the working directory cannot be entered",
        "`cwd` names a directory of the sandbox, not of the host. It must exist in the tree that `mnt` describes, and the program's \
         user must be allowed to enter it.",
    ),
    page(
        "rlimit-failed",
        "a resource limit cannot be set",
        "A process may lower its hard limits, and not raise them without CAP_SYS_RESOURCE in the initial user namespace: getrlimit(2).",
    ),
    page(
        "capability-failed",
        "a capability cannot be kept",
        "Only what the caller has can be kept. `user new` gives all capabilities inside the user namespace: capabilities(7).",
    ),
    page(
        "filter-failed",
        "the kernel refuses the filter of system calls",
        "EACCES: a filter needs no_new_privs or CAP_SYS_ADMIN. ENOMEM: this process and its parents have filters of more than 32768 \
         instructions together. EINVAL: the program is not one that the kernel takes. seccomp(2)",
    ),
    page(
        "exec-failed",
        "the program cannot be started",
        "Everything else is in place; execve(2) fails, in the sandbox, as the sandbox's user. ENOENT: the program, or the interpreter \
         that it names (ld.so of an ELF file, what follows `#!` of a script), is not in the sandbox's tree; nsl then ends with 127. \
         EACCES: it is not executable for this user, or on a `noexec` mount. ENOEXEC: it is no program. nsl ends with 126 in these cases.",
    ),
];
