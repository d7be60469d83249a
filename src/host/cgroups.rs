//! In which cgroup a controller's limits can be put.

use super::{CgroupTree, HostFacts};

/// Where a cgroup of a sandbox can be made so that one controller works in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CgroupPlace {
    /// `2`, or `1`.
    pub version: u8,
    /// Where the hierarchy is mounted.
    pub mount: String,
    /// The parent, relative to the mount, with a leading `/`.
    pub parent: String,
}

impl HostFacts {
    /// Where limits of a controller (`memory`, `pids`, `cpu`) can be put, or why they cannot: one clause, to be
    /// put behind "because".
    ///
    /// cgroups(7): a v2 cgroup that holds processes cannot hand controllers to its children, except the root;
    /// a v1 cgroup can. A caller that may write anywhere therefore uses the root of v2, everybody else the own cgroup.
    pub fn cgroup_place(&self, controller: &str) -> Result<CgroupPlace, String> {
        if let Some(tree) = self.cgroups.v1.get(controller) {
            return self.place_in(tree, 1, tree.own.clone(), controller);
        }
        let Some(tree) = &self.cgroups.v2 else {
            return Err(format!("this host has no cgroup hierarchy with the `{controller}` controller"));
        };
        if !tree.controllers.iter().any(|it| it == controller) {
            return Err(format!("the cgroup v2 hierarchy of this host does not offer the `{controller}` controller"));
        }
        let root_may = self.caller.uid == 0 && self.caller.initial_userns;
        if root_may || self.cgroup_parent.is_some() || tree.enabled.iter().any(|it| it == controller) {
            let parent = if root_may { "/".to_string() } else { tree.own.clone() };
            return self.place_in(tree, 2, parent, controller);
        }
        Err(format!("`{}` is no cgroup of yours with `{controller}` delegated to its children", tree.own))
    }

    fn place_in(
        &self,
        tree: &CgroupTree,
        version: u8,
        parent: String,
        controller: &str,
    ) -> Result<CgroupPlace, String> {
        let parent = match &self.cgroup_parent {
            Some(given) => given.strip_prefix(tree.mount.as_str()).unwrap_or(given).to_string(),
            None if tree.writable || (self.caller.uid == 0 && self.caller.initial_userns) => parent,
            None => {
                return Err(format!(
                    "uid {} may not create cgroups in {}{} (controller `{controller}`)",
                    self.caller.uid, tree.mount, tree.own
                ));
            }
        };
        let parent = if parent.starts_with('/') { parent } else { format!("/{parent}") };
        Ok(CgroupPlace { version, mount: tree.mount.clone(), parent })
    }
}
