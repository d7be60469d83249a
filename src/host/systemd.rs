//! The service manager of the caller: systemd(1) with `--user`, which can hand a part of the cgroup tree to an ordinary user.

use std::os::unix::fs::{FileTypeExt, MetadataExt};

use serde::{Deserialize, Serialize};

use super::text::words;
use super::{CgroupPlace, Cgroups, HostFacts};

/// What stands for the cgroup that the service manager will make, as the parent of a sandbox's.
pub const SCOPE: &str = "/SCOPE";

/// A service manager that the caller may ask for a scope: systemd.scope(5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceManager {
    /// The socket on which it can be asked, as `systemctl --user` does.
    pub socket: String,
    /// The controllers that were delegated to it, and that it can hand on.
    pub controllers: Vec<String>,
}

/// The manager of a user who is not root, on a host with cgroup v2.
pub(super) fn find(uid: u32, cgroups: &Cgroups) -> Option<ServiceManager> {
    let v2 = cgroups.v2.as_ref().filter(|_| uid != 0)?;
    let own = std::env::var("XDG_RUNTIME_DIR").ok().filter(|it| it.starts_with('/'));
    let socket = format!("{}/systemd/private", own.unwrap_or_else(|| format!("/run/user/{uid}")));
    let meta = std::fs::symlink_metadata(&socket).ok()?;
    if !meta.file_type().is_socket() || meta.uid() != uid {
        return None;
    }
    let controllers = words(&format!("{}/user.slice/user-{uid}.slice/user@{uid}.service/cgroup.controllers", v2.mount));
    (!controllers.is_empty()).then_some(ServiceManager { socket, controllers })
}

impl HostFacts {
    /// The cgroup that the caller's service manager would make for a sandbox. Not where the caller has one that children with limits can be
    /// made in, or has named one.
    pub(super) fn scope(&self) -> Option<CgroupPlace> {
        let tree = self.cgroups.v2.as_ref().filter(|_| self.service_manager.is_some())?;
        let has_own = tree.writable && !tree.enabled.is_empty();
        let wanted = self.cgroup_parent.is_none() && !has_own;
        wanted.then(|| CgroupPlace { version: 2, mount: tree.mount.clone(), parent: SCOPE.to_string() })
    }

    /// The same, for limits of one controller.
    pub(super) fn scope_with(&self, controller: &str) -> Option<CgroupPlace> {
        let delegated = self.service_manager.as_ref()?.controllers.iter().any(|it| it == controller);
        self.scope().filter(|_| delegated && !self.cgroups.v1.contains_key(controller))
    }
}
