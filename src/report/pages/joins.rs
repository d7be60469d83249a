//! Pages: joining namespaces that exist. Only a host says what there is, so there is no example that always does.

use super::{Page, Severity};

const fn page(code: &'static str, severity: Severity, title: &'static str, text: &'static str) -> Page {
    Page { code, severity, title, text, wrong: "", right: "" }
}

pub(super) const PAGES: &[Page] = &[
    page(
        "pod-terminal",
        Severity::Error,
        "a container with a terminal",
        "A pod has several containers and one terminal. Their output is led through the pod's supervisor, which puts the container's name \
         before each line, and they read from /dev/null. A terminal for one of them would take it from the others.\n\nRun it as a sandbox \
         of its own, or enter the container while it runs: `nsl exec POD.CONTAINER -- sh`.",
    ),
    page(
        "volume-failed",
        Severity::Error,
        "a volume of a pod cannot be made, or cannot be had",
        "A volume in memory is a tmpfs in a mount namespace of its own, which the pod's user namespace owns: a process in between makes \
         it there, and another copies the mount for each container that is started (open_tree(2)). The kernel refused one of these: \
         user.max_mnt_namespaces is reached, or there are no descriptors left. The message has the errno.",
    ),
    page(
        "not-ready",
        Severity::Error,
        "a container was not ready in time",
        "`ready` says how one knows that a container is ready, and `within` how long that may take from the start of its program on; 30s \
         where it is not stated. The probe is made inside the container's own namespaces: `tcp` connects in its network, \
         `file` looks into its tree, `exec` runs a program beside it, with the same ids, limits and filter. Where the question could \
         not even be put, as of a program that is missing, the container's output says why. It was not answered in time, so what waits for the container (`after`) would never start: the pod ends, in the reverse order of its start, \
         with status 125.",
    ),
    page(
        "ended-before-ready",
        Severity::Error,
        "a container ended before it was ready",
        "Its program has ended before its `ready` came true, and its `restart` does not start it again, or not any more. What waits \
         for it would never start, so the pod ends with status 125. The lines of the container's own output, which begin with its \
         name, say why it ended.",
    ),
    page(
        "join-missing",
        Severity::Error,
        "what is to be joined is not there",
        "`join(pid: N)` names a process by its number in the caller's PID namespace, `join(path: P)` a file of nsfs such as \
         /proc/PID/ns/net or one that `ip netns add` has made, `join(sandbox: NAME)` and `join(pod: NAME)` what the same user \
         runs by that name. None of the kind is there now.\n\nStart it first. Nothing is joined by a number alone: nsl holds the process \
         by a pidfd and compares when it started, so that a number that was given to another process meanwhile is refused.",
    )
    .shown(
        "sandbox a {\n  run = [\"/bin/true\"]\n  user join(pid: 4711)\n  net join(pid: 4711)\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  net new\n}\n",
    ),
    page(
        "join-no-namespace",
        Severity::Error,
        "the target is no namespace of this kind",
        "The path is no file of nsfs, or it is a namespace of another kind than the statement's: a file stands for one namespace, a \
         process has one of each kind. `readlink /proc/PID/ns/net` shows a kind and a number; of a file that a namespace was bound to, \
         `findmnt -o TARGET,SOURCE -t nsfs` does.",
    )
    .shown(
        "sandbox a {\n  run = [\"/bin/true\"]\n  net join(path: /run/ns/uts)\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  uts join(path: /run/ns/uts)\n}\n",
    ),
    page(
        "join-forbidden",
        Severity::Error,
        "the caller has no right over what is joined",
        "setns(2) asks for CAP_SYS_ADMIN in the user namespace that owns what is joined, and once more in the one that the process is \
         in by then. Root has it everywhere below its own. An ordinary user has it in user namespaces that this user has made, and \
         in none else; so whoever is no root joins the user namespace first, which gives the rights over everything that it \
         owns: `user join(pid: 4711)` beside `net join(pid: 4711)`.\n\nThe plan enters them in the order that works: what the joined user namespace owns comes \
         after it, what others own before, a mount namespace last. To look at a process's namespaces at all takes the rights of \
         ptrace(2): its maker's own program can be looked at, nsl's own processes cannot.",
    )
    .shown(
        "sandbox a {\n  run = [\"/bin/true\"]\n  user join(pid: 4711)\n  net join(pid: 4711)\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  net new\n}\n",
    ),
    page(
        "join-own",
        Severity::Warning,
        "the caller is in the joined namespace already",
        "The target shares this namespace with the caller, so that joining it changes nothing: the sandbox has the caller's, as with \
         `host`. Most likely another process was meant: one inside a sandbox, not the `nsl` that has started it. `lsns` lists \
         namespaces with the processes in them.",
    )
    .shown(
        "sandbox a {\n  run = [\"/bin/true\"]\n  user join(pid: 4711)\n  net join(pid: 4711)\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user host\n  net host\n}\n",
    ),
    page(
        "join-failed",
        Severity::Error,
        "a namespace cannot be joined",
        "It could be when the plan was made. Since then the process has ended, its number was given to another, or the file was \
         replaced; or the kernel refuses what could not be known before, such as a PID namespace that does not lie below the caller's \
         (pid_namespaces(7)). Nothing was started.",
    ),
];
