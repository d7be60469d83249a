//! The rows of the body of a sandbox.

use super::*;

pub(super) const BODY: &[Field] = &[
    setting(
        "",
        "run",
        Ty::List(&Ty::Any(&[Ty::Str, Ty::Path])),
        "what follows `--`",
        "the program and its arguments; what follows `--` is appended",
    ),
    setting("", "cwd", Ty::Path, "/", "the working directory, inside"),
    entry(
        "",
        "env",
        &[Ty::Word],
        Some(Ty::Any(&[Ty::Str, Ty::Symbol(&["inherit"])])),
        "a variable of the environment, which is empty otherwise; `inherit` takes the caller's value",
    ),
    weaker(
        setting(
            "",
            "no-new-privs",
            Ty::Bool,
            "true",
            "set-user-id bits and file capabilities give nothing: PR_SET_NO_NEW_PRIVS",
        ),
        "false",
    ),
    Field {
        only_in: CONTAINERS,
        ..setting("", "after", Ty::List(&Ty::Word), "none", "containers that must be ready before this one starts")
    },
    Field {
        only_in: CONTAINERS,
        ..setting("", "ready", Ty::Variant(READY), "at once", "how one knows that it is ready")
    },
    Field { only_in: CONTAINERS, ..setting("", "restart", Ty::Variant(RESTART), "never", "when it is started again") },
    Field {
        only_in: CONTAINERS,
        ..setting(
            "",
            "essential",
            Ty::Bool,
            "false",
            "whether its end, when it is not started again, is the end of the pod",
        )
    },
    Field {
        only_in: PODS,
        ..entry(
            "",
            "volume",
            &[Ty::Word],
            Some(Ty::Variant(VOLUMES)),
            "files that containers share: each that is to have them says `mount PATH = volume(NAME)`",
        )
    },
    weaker(
        entry(
            "user",
            "map",
            &[Ty::Symbol(&["uid", "gid"]), Ty::Id],
            Some(Ty::Variant(OUTSIDE)),
            "an id inside, and what it is outside; without any map, uid and gid 1000 are `unprivileged`",
        ),
        "the caller's own id when the caller is root",
    ),
];
