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
        "sandbox-starting",
        "a sandbox that is being built",
        "Its namespaces or its tree are not complete yet. That takes milliseconds, unless a source is on a file system that does not answer; then the process that is named `nsl` waits for it.",
    ),
];
