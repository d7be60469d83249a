//! The cgroup hierarchies: v2, v1, or both, each found where it is mounted.
//!
//! Where the caller is comes from /proc/self/cgroup, where that can be reached from /proc/self/mountinfo: cgroups(7).

use std::path::Path;

use rustix::fs::{Access, access};

use super::mounts::{self, Mount};
use super::text::{text, words};
use super::{CgroupTree, Cgroups, HostFacts, caller};

/// The controllers of the limits that a policy can state. The others of v1 are not looked at: each has a hierarchy of its
/// own, and a run waits for this.
const LIMITING: [&str; 6] = ["memory", "pids", "cpu", "cpuset", "blkio", "hugetlb"];

/// `--cgroup-parent` names nothing in any hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchCgroup;

/// The hierarchies of this machine as the caller sees them.
pub(super) fn here() -> Cgroups {
    let root = caller::uid() == 0 && caller::in_initial_userns();
    find(&mounts::here(), &text("/proc/self/cgroup"), root)
}

/// The hierarchies as the caller sees them. `root` is a caller that may write anywhere: what counts for it are the
/// controllers of v2's root, where [`HostFacts::cgroup_place`] puts its sandboxes, whatever its own cgroup was given.
pub(super) fn find(mounts: &[Mount], membership: &str, root: bool) -> Cgroups {
    let mut cgroups = Cgroups::default();
    for line in membership.lines() {
        // `0::/path` is v2, `4:memory:/path` and `5:cpu,cpuacct:/path` are v1.
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else { continue };
        if controllers.is_empty() {
            let tree = tree_of(mounts, path, |it| it.fs == "cgroup2");
            cgroups.v2 = tree.map(|(mount, own)| unified(mount, own, root));
            continue;
        }
        for controller in controllers.split(',').filter(|it| LIMITING.contains(it)) {
            let of = |it: &Mount| it.fs == "cgroup" && it.super_options.split(',').any(|option| option == controller);
            if let Some((mount, own)) = tree_of(mounts, path, of) {
                // `blkio` is `io` in v2, and in policies.
                let controller = if controller == "blkio" { "io" } else { controller };
                cgroups.v1.insert(controller.to_string(), legacy(mount, own, controller));
            }
        }
    }
    cgroups
}

/// The mount of a hierarchy, and the caller's cgroup relative to it. What is mounted may be a part of the hierarchy.
fn tree_of(mounts: &[Mount], path: &str, of: impl Fn(&Mount) -> bool) -> Option<(String, String)> {
    let relative = |mount: &Mount| match mount.root.as_str() {
        "/" => Some(path.to_string()),
        root if root == path => Some("/".to_string()),
        root => super::mounts::below(path, root).map(|rest| format!("/{rest}")),
    };
    mounts.iter().filter(|it| of(it)).find_map(|mount| Some((mount.point.clone(), relative(mount)?)))
}

fn legacy(mount: String, own: String, controller: &str) -> CgroupTree {
    let writable = writable(&directory(&mount, &own));
    CgroupTree { mount, own, controllers: vec![controller.to_string()], enabled: Vec::new(), writable }
}

fn unified(mount: String, own: String, root: bool) -> CgroupTree {
    let dir = directory(&mount, &own);
    let of = if root { &mount } else { &dir };
    let (controllers, enabled) =
        (words(&format!("{of}/cgroup.controllers")), words(&format!("{of}/cgroup.subtree_control")));
    CgroupTree { writable: writable(&dir), mount, own, controllers, enabled }
}

/// `/..` is what the kernel shows to a process outside of its cgroup namespace's root; nothing can be done there.
fn directory(mount: &str, own: &str) -> String {
    if own.split('/').any(|part| part == "..") {
        return "/nonexistent".to_string();
    }
    format!("{mount}{}", own.trim_end_matches('/'))
}

/// cgroups(7), "Delegation": who can create a directory and write `cgroup.procs` of the common ancestor may
/// move processes into what was created.
fn writable(dir: &str) -> bool {
    access(dir, Access::WRITE_OK | Access::EXEC_OK).is_ok()
        && access(format!("{dir}/cgroup.procs"), Access::WRITE_OK).is_ok()
}

impl HostFacts {
    /// Puts another cgroup in the place of the caller's own, in each hierarchy that has it: `--cgroup-parent`.
    /// The path is one of /proc/PID/cgroup, or that of the directory. Where a hierarchy does not have it, the caller's own
    /// stays, and [`HostFacts::cgroup_place`] says so to whom it matters.
    pub fn set_cgroup_parent(&mut self, path: &str) -> Result<(), NoSuchCgroup> {
        self.cgroup_parent = Some(path.to_string());
        let mut found = Err(NoSuchCgroup);
        let cgroups = &mut *self.cgroups;
        let exists = |mount: &str, own: &str| Path::new(&directory(mount, own)).join("cgroup.procs").exists();
        if let Some(tree) = &mut cgroups.v2 {
            let own = relative(path, &tree.mount);
            if exists(&tree.mount, &own) {
                *tree = unified(tree.mount.clone(), own, false);
                found = Ok(());
            }
        }
        for (controller, tree) in &mut cgroups.v1 {
            let own = relative(path, &tree.mount);
            if exists(&tree.mount, &own) {
                *tree = legacy(tree.mount.clone(), own, controller);
                found = Ok(());
            }
        }
        found
    }
}

/// A cgroup as it is known in a hierarchy, whether it was named so or by its directory. A `..` names nothing.
pub(super) fn relative(path: &str, mount: &str) -> String {
    let path = if path.split('/').any(|part| part == "..") { "/.." } else { path };
    let inside = if path == mount { "" } else { super::mounts::below(path, mount).unwrap_or(path) };
    format!("/{}", inside.trim_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::super::mounts::parse;
    use super::*;

    const HYBRID: &str = "35 31 0:31 / /cg/memory rw - cgroup cgroup rw,memory\n\
        36 31 0:32 / /cg/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
        40 31 0:37 / /cg/systemd rw - cgroup cgroup rw,xattr,name=systemd\n\
        41 31 0:38 / /cg/unified rw - cgroup2 cgroup2 rw\n";

    #[test]
    fn finds_every_controller_of_a_hybrid_host() {
        let found = find(&parse(HYBRID), "9:name=systemd:/\n4:memory:/a/b\n1:cpu,cpuacct:/\n0::/user.slice\n", false);
        assert_eq!(found.v1.keys().collect::<Vec<_>>(), ["cpu", "memory"]);
        assert_eq!((found.v1["memory"].mount.as_str(), found.v1["memory"].own.as_str()), ("/cg/memory", "/a/b"));
        assert_eq!(found.v1["cpu"].mount, "/cg/cpu,cpuacct");
        let v2 = found.v2.expect("it is mounted");
        assert_eq!((v2.mount.as_str(), v2.own.as_str(), v2.writable), ("/cg/unified", "/user.slice", false));
    }

    #[test]
    fn knows_a_part_of_a_hierarchy() {
        let text = "41 31 0:38 /docker/x /cg rw - cgroup2 cgroup2 rw\n";
        let own = |path: &str| find(&parse(text), &format!("0::{path}\n"), false).v2.map(|it| it.own);
        assert_eq!(own("/docker/x").as_deref(), Some("/"));
        assert_eq!(own("/docker/x/y").as_deref(), Some("/y"));
        assert_eq!(own("/elsewhere"), None);
        assert_eq!(find(&parse(text), "nonsense\n", false), Cgroups::default());
    }

    #[test]
    fn a_parent_is_named_either_way() {
        assert_eq!(relative("/user/x/", "/cg"), "/user/x");
        assert_eq!(relative("user/x", "/cg"), "/user/x");
        assert_eq!(relative("/cg/user/x", "/cg"), "/user/x");
        assert_eq!(relative("/cg", "/cg"), "/");
        assert_eq!(relative("/cg/../etc", "/cg"), "/..");
    }
}
