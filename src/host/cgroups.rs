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

/// Why a limit cannot be put anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPlace {
    /// One clause, to be put behind "because".
    pub reason: String,
    /// Whether its controller is in a version 1 hierarchy, which has no such limit, rather than out of the caller's reach.
    pub by_version: bool,
}

/// Limits that cgroup v1 does not have: memory.soft_limit_in_bytes is none of them.
const VERSION_2_ONLY: [&str; 4] = ["memory.high", "memory.low", "memory.min", "memory.oom.group"];

impl HostFacts {
    /// Where a limit can be put that has this name in cgroup v2 (`memory.max`), or why it cannot.
    pub fn cgroup_limit_place(&self, limit: &str) -> Result<CgroupPlace, NoPlace> {
        let controller = limit.split('.').next().unwrap_or(limit);
        let place = self.cgroup_place(controller).map_err(|reason| NoPlace { reason, by_version: false })?;
        if place.version == 1 && VERSION_2_ONLY.contains(&limit) {
            let reason =
                format!("the `{controller}` controller of this host is one of cgroup v1, which has no `{limit}`");
            return Err(NoPlace { reason, by_version: true });
        }
        Ok(place)
    }

    /// Where limits of a controller (`memory`, `pids`, `cpu`, `cpuset`, `io`, `hugetlb`) can be put, or why they cannot: one clause, to be
    /// put behind "because".
    ///
    /// cgroups(7): a v2 cgroup that holds processes cannot hand controllers to its children, except the root;
    /// a v1 cgroup can. A caller that may write anywhere therefore uses the root of v2, everybody else the own cgroup.
    ///
    /// Who has neither may ask a service manager for one.
    pub fn cgroup_place(&self, controller: &str) -> Result<CgroupPlace, String> {
        self.own_place(controller).or_else(|reason| self.scope_with(controller).ok_or(reason))
    }

    fn own_place(&self, controller: &str) -> Result<CgroupPlace, String> {
        let root_may = self.caller.uid == 0 && self.caller.initial_userns;
        let (tree, version) = match (self.cgroups.v1.get(controller), &self.cgroups.v2) {
            (Some(tree), _) => (tree, 1),
            (None, Some(tree)) => (tree, 2),
            (None, None) => {
                return Err(format!("this host has no cgroup hierarchy with the `{controller}` controller"));
            }
        };
        self.named_parent(tree, controller)?;
        if version == 2 && !tree.controllers.iter().any(|it| it == controller) {
            return Err(format!(
                "{}{} does not offer the `{controller}` controller (cgroup v2)",
                tree.mount,
                tree.own.trim_end_matches('/')
            ));
        }
        let given = self.cgroup_parent.is_some();
        if version == 2 && !root_may && !given && !tree.enabled.iter().any(|it| it == controller) {
            return Err(format!("`{}` is no cgroup of yours with `{controller}` delegated to its children", tree.own));
        }
        if !tree.writable && !root_may {
            return Err(format!(
                "uid {} may not create cgroups in {}{} (controller `{controller}`)",
                self.caller.uid,
                tree.mount,
                tree.own.trim_end_matches('/')
            ));
        }
        let parent = if version == 2 && root_may && !given { "/".to_string() } else { tree.own.clone() };
        Ok(CgroupPlace { version, mount: tree.mount.clone(), parent })
    }

    /// Where this caller may make a cgroup that counts CPU time, or why nowhere: `cpuacct` of v1, or any cgroup of v2.
    pub fn cpu_accounting_place(&self) -> Result<CgroupPlace, String> {
        let v1 = self.own_place("cpuacct");
        if let (Err(_), Some(scope)) = (&v1, self.scope()) {
            return Ok(scope);
        }
        let root_may = self.caller.uid == 0 && self.caller.initial_userns;
        match &self.cgroups.v2 {
            Some(tree) if v1.is_err() && (tree.writable || root_may) => {
                self.named_parent(tree, "cpuacct")?;
                let given = self.cgroup_parent.is_some();
                let parent = if root_may && !given { "/".to_string() } else { tree.own.clone() };
                Ok(CgroupPlace { version: 2, mount: tree.mount.clone(), parent })
            }
            _ => v1.map_err(|reason| format!("nothing counts the CPU time of all of it: {reason}")),
        }
    }

    /// Whether the cgroup of `--cgroup-parent`, where one is given, is in this hierarchy ([`HostFacts::set_cgroup_parent`]).
    fn named_parent(&self, tree: &CgroupTree, controller: &str) -> Result<(), String> {
        let Some(given) = &self.cgroup_parent else { return Ok(()) };
        let named = super::hierarchies::relative(given, &tree.mount);
        if named == tree.own {
            return Ok(());
        }
        Err(format!(
            "`--cgroup-parent` names {given}, and there is no {}{named} (controller `{controller}`)",
            tree.mount
        ))
    }
}
