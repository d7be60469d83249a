//! The rows of security modules.

use super::*;

pub(super) const LABELS: &[Field] = &[
    weaker(
        setting(
            "",
            "apparmor",
            Ty::Str,
            "as AppArmor attaches profiles",
            "the profile that the program is executed with, which must be loaded and in enforce mode: apparmor(7)",
        ),
        "removed",
    ),
    weaker(
        setting(
            "",
            "selinux",
            Ty::Str,
            "as the policy of SELinux has it",
            "the context that the program is executed with, as in `\"system_u:system_r:container_t:s0\"`: selinux(8)",
        ),
        "removed",
    ),
];
