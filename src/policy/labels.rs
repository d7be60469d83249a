//! What the security module of the kernel makes of the program.

use serde::{Deserialize, Serialize};

use super::Traced;

/// The label that the program is executed with; `None`: what the module's own policy says.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Labels {
    /// `apparmor`: a profile that is loaded; apparmor(7).
    pub apparmor: Option<Traced<String>>,
    /// `selinux`: a context, `user:role:type[:range]`; selinux(8).
    pub selinux: Option<Traced<String>>,
}

/// A security module that gives processes labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecurityModule {
    /// apparmor(7)
    Apparmor,
    /// selinux(8)
    Selinux,
}

impl SecurityModule {
    /// As its makers write it.
    pub fn name(self) -> &'static str {
        match self {
            SecurityModule::Apparmor => "AppArmor",
            SecurityModule::Selinux => "SELinux",
        }
    }
}
