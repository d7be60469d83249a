//! Pages: labels of security modules.

use super::{Page, error};

pub(super) const PAGES: &[Page] = &[
    error(
        "label-of-two",
        "labels of two security modules",
        "AppArmor and SELinux both decide what a process may do by the label that it has, and a kernel runs one of them. A policy for hosts of both kinds has a parameter, and an `if` that chooses.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  apparmor = \"web\"\n  selinux = \"system_u:system_r:container_t:s0\"\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  apparmor = \"web\"\n}\n",
    ),
    error(
        "label-invalid",
        "a label that is none",
        "`apparmor` takes the name of a profile, `selinux` a context: user, role and type with colons between them, and a range behind where the policy has levels.",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  selinux = \"container_t\"\n}\n",
        "sandbox a {\n  run = [\"/bin/true\"]\n  user new\n  selinux = \"system_u:system_r:container_t:s0\"\n}\n",
    ),
    error(
        "label-module-missing",
        "a security module that is not in force",
        "A kernel is built with security modules and told at boot which of them to use (lsm=, /sys/kernel/security/lsm). Without its module a label is a text that nobody reads, so the run does not begin.",
        "",
        "",
    ),
    error(
        "apparmor-not-loaded",
        "a profile of AppArmor that is not loaded",
        "The kernel knows the profiles that apparmor_parser(8) has loaded since the boot. Only root may read which these are; a user learns it when the run begins.",
        "",
        "",
    ),
    error(
        "label-not-enforced",
        "a label that refuses nothing",
        "A profile in complain mode, and SELinux when it is permissive, write down what they would have refused and let it happen. A policy that names a label means a wall.",
        "",
        "",
    ),
    error(
        "label-failed",
        "the label of a security module was refused",
        "The process that becomes the program writes its label to /proc/self/attr, in the host's own procfs, before its Landlock and its filter, and reads back what it will get. The kernel refuses a label that the module does not know, and one that nsl's own label may not change to; with `no-new-privs` AppArmor lets a confined process only become more confined, and SELinux takes nnp_transition.",
        "",
        "",
    ),
];
