//! Which security module labels processes, and what it knows.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::text::{number, text};

/// The security modules that give processes labels. What is `None` is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityModules {
    /// Whether AppArmor is in force.
    pub apparmor: Option<bool>,
    /// Whether SELinux is in force, be it permissive.
    pub selinux: Option<bool>,
    /// Whether SELinux refuses what its policy does not allow.
    #[serde(default)]
    pub selinux_enforcing: Option<bool>,
    /// The loaded profiles of AppArmor, with the mode of each (`enforce`, `complain`), where somebody wanted to know and the
    /// caller may.
    #[serde(default)]
    pub profiles: Option<BTreeMap<String, String>>,
}

/// What sysfs says, which shows a module only while that is in force; nothing where there is no sysfs.
pub(super) fn find() -> SecurityModules {
    if !Path::new("/sys/kernel").exists() {
        return SecurityModules::default();
    }
    SecurityModules {
        apparmor: Some(text("/sys/module/apparmor/parameters/enabled").trim() == "Y"),
        selinux: Some(Path::new("/sys/fs/selinux").exists()),
        selinux_enforcing: number::<u8>("/sys/fs/selinux/enforce").map(|it| it == 1),
        profiles: None,
    }
}

/// The loaded profiles, a line each: `name (mode)`. Only root may read them, and only where securityfs is mounted.
pub(super) fn profiles() -> Option<BTreeMap<String, String>> {
    let text = std::fs::read_to_string("/sys/kernel/security/apparmor/profiles").ok()?;
    Some(text.lines().filter_map(profile).collect())
}

fn profile(line: &str) -> Option<(String, String)> {
    let (name, mode) = line.rsplit_once(" (")?;
    Some((name.to_string(), mode.trim_end_matches(')').to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_may_have_blanks_and_parentheses() {
        assert_eq!(profile("a b (c) (complain)"), Some(("a b (c)".to_string(), "complain".to_string())));
        assert_eq!(profile("/usr/bin/man (enforce)"), Some(("/usr/bin/man".to_string(), "enforce".to_string())));
        assert_eq!(profile(""), None);
    }
}
