//! Pages: sandboxes that run.

use super::{Page, Severity};

/// A page without examples: no policy can give the finding.
const fn page(code: &'static str, title: &'static str, text: &'static str) -> Page {
    Page { code, severity: Severity::Error, title, text, wrong: "", right: "" }
}

pub(super) const PAGES: &[Page] = &[
    page(
        "no-state-dir",
        "no place to write down what runs",
        "What runs is written down in a directory a sandbox: below `/run/nsl` for root, and below `$XDG_RUNTIME_DIR/nsl` (or `/run/user/UID/nsl`) for everybody else; `NSL_STATE_DIR` names another place. The directory has to be the caller's own, with mode 0700, and no symbolic link: otherwise another user could say there what runs, or find out. A run in the foreground goes on without such a place, and no other command sees it; one in the background, or with a name of its own, is refused, as it could not be found again.\n\nA login session has such a directory (systemd-logind makes it). For a service or a cron job, make one: `mkdir -m 700 ~/.nsl-run`, and set `NSL_STATE_DIR=~/.nsl-run`.",
    ),
    page(
        "bad-run-name",
        "a name that no sandbox can have while it runs",
        "The name is that of a directory: letters, digits, `_`, `-` and `.`, beginning with a letter or a digit, 100 of them at most.",
    ),
    page(
        "name-runs",
        "a name that runs already",
        "Names of running sandboxes are unique for each user. Without `--name`, a second run of `web` is called `web-2`; a name that was asked for is taken or refused.",
    ),
    page(
        "no-such-run",
        "no sandbox of that name",
        "Commands for what runs take the name that `nsl ps` shows. Each user has sandboxes of their own: what root has started, only root sees. A sandbox that ran in the foreground is gone when it has ended; one that was started with `nsl run -d` is still known afterwards, with its log and its status.",
    ),
    page(
        "sandbox-stopped",
        "a sandbox that has ended",
        "It ran in the background, and nothing of it is left but its log and its status. What needs processes, such as `nsl exec`, needs one that runs: start it again with `nsl run -d`, which takes the same name.",
    ),
    page(
        "bad-signal",
        "a number that no signal has",
        "Signals have the numbers 1 to 31 and the names that `kill -l` lists: signal(7). Those for real time are not sent.",
    ),
    page(
        "signal-failed",
        "a signal that could not be sent",
        "A signal may be sent by who started the sandbox and by root: kill(2). A security module may forbid it to those too.",
    ),
    page(
        "status-unknown",
        "a sandbox that ended without a word",
        "The exit status of a sandbox is written down by its nsl. That nsl was killed, or the machine ran out of what it takes to write four words, and so the status is not known. Everything in the sandbox has ended.",
    ),
    page(
        "freeze-failed",
        "a sandbox that cannot be frozen",
        "Cgroups of version 2 have a freezer in every cgroup but the root (`cgroup.freeze`, Linux 5.2). A sandbox with limits on such a host has a cgroup already; another one gets one below that of its nsl, and for that the caller must be allowed to make one there: root is, and anybody else in a cgroup that was delegated. The freezer of version 1 is no replacement: what it holds cannot be killed, so that the sandbox would outlive its nsl. What is frozen holds all that is below it: a container goes on only once its pod does.",
    ),
    page(
        "sandbox-frozen",
        "a sandbox in which nothing runs for now",
        "`nsl freeze` has stopped every process of it. A command that was put into it would be the only one that runs, and would wait for the others for ever.",
    ),
    page(
        "no-log",
        "a sandbox without a log",
        "A sandbox in the foreground writes to what its nsl was given: a terminal, a file, a pipe. Only one that was started with `nsl run -d` has a log, in its directory below `$XDG_RUNTIME_DIR/nsl` (root: `/run/nsl`).",
    ),
    page(
        "log-failed",
        "a log that cannot be kept",
        "The output of a sandbox in the background goes through a process that keeps the log short. It could not be started, or the log could not be made: the message says why.",
    ),
    page(
        "no-process",
        "a process that is not there",
        "The number is that of no process, in the PID namespace of the caller; or no process of the sandbox is left.",
    ),
    page(
        "process-hidden",
        "a process that may not be looked at",
        "The namespaces of a process are shown to its own user and to root, and of a process that is not dumpable to root alone: proc_pid_ns(5), ptrace(2).",
    ),
    page(
        "ns-enter-failed",
        "a namespace that could not be entered",
        "setns(2) takes CAP_SYS_ADMIN in the user namespace that owns the namespace, and for most kinds in the caller's own as well. Who has made a user namespace has it there, and in all that this one owns; so `nsl ns enter` enters the user namespace first. A mount namespace takes CAP_SYS_CHROOT too.",
    ),
    page(
        "whole-pod",
        "a pod where one container is meant",
        "A pod has several programs, each with walls of its own, so there is no one plan to compare with, and no one program beside which a command could run. `nsl ps` names its containers, as in `shop.app`, and `nsl drift shop.nsl --run shop.app` compares one.",
    ),
    page(
        "still-runs",
        "a sandbox that cannot be forgotten yet",
        "`nsl rm` removes what is kept of a sandbox that ran in the background: its log and its status. While it runs there is nothing to remove.",
    ),
    page(
        "enter-failed",
        "a command that could not be put into a sandbox",
        "`nsl exec` joins the namespaces of a sandbox, moves the command into its cgroups, and puts the same capabilities, Landlock rules, limits and filter in force. If any of that fails the command is not started: it would have more rights than the sandbox's own program.\n\nWho started the sandbox owns its user namespace, and may enter; so may root. The namespaces are found through a process of the sandbox, and the kernel shows those of a process that is not dumpable (prctl(2), PR_SET_DUMPABLE; a program that nobody may read) to root only. Moving a process between cgroups takes the right to write to `cgroup.procs` of what both have in common: cgroups(7), Delegation.",
    ),
    page(
        "other-version",
        "a sandbox that another version of nsl has started",
        "The plan of a running sandbox is written down for `nsl exec`, `nsl inspect` and `nsl drift`. Another version may know other steps, and what it does not understand it could not put in force again.",
    ),
    page(
        "sandbox-starting",
        "a sandbox that is being built",
        "Its namespaces or its tree are not complete yet. That takes milliseconds, unless a source is on a file system that does not answer; then the process that is named `nsl` waits for it.",
    ),
];
