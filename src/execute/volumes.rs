//! Volumes of a pod: memory that its containers share.
//!
//! Each is a tmpfs in a mount namespace that has nothing else in it and that no process is in: a descriptor of it, which the
//! supervisors of the pod hold, keeps it, and so it is gone with the last of them, however they end. It belongs to the pod's
//! user namespace. A container's supervisor has a process in between copy the mount there, open_tree(2), and the copy goes into the
//! container's tree as any other source does.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags};

use super::failure::{Context, Done, Failure};
use super::join::{self, Opened};
use super::mounts::{self, NODEV, NOEXEC, NOSUID};
use super::{passing, tree};
use crate::plan::{Action, NsKind};

/// A volume that is there.
pub struct Volume {
    /// Its name.
    pub name: String,
    /// The mount namespace whose root it is.
    namespace: Opened,
}

impl Volume {
    /// Another descriptor of the same.
    pub fn copy(&self) -> Done<Volume> {
        let fd = self.namespace.fd.try_clone().context(|| "copying a descriptor".to_string())?;
        Ok(Volume { name: self.name.clone(), namespace: Opened { kind: NsKind::Mnt, fd } })
    }

    /// Makes the volume that a step describes, in the user namespace of the pod where it has one.
    pub fn make(action: &Action, user: Option<&Opened>) -> Done<Volume> {
        let Action::MakeVolume { name, size, inodes, mode, owner, noexec } = action else {
            return Err(Failure::refused("this step makes no volume"));
        };
        let [fd] = passing::fetch(c"nsl-volume", || {
            user.map_or(Ok(()), join::enter)?;
            let new = nix::sched::CloneFlags::CLONE_NEWNS;
            nix::sched::unshare(new).context(|| "unshare mnt".to_string())?;
            super::child::private_mounts()?;
            let options = [
                ("size", size.to_string()),
                ("nr_inodes", inodes.to_string()),
                ("mode", format!("{mode:o}")),
                ("uid", owner.0.to_string()),
                ("gid", owner.1.to_string()),
            ];
            let options: Vec<(&str, &str)> = options.iter().map(|(key, value)| (*key, value.as_str())).collect();
            let noexec = if *noexec { NOEXEC } else { 0 };
            let mount = mounts::new_filesystem("tmpfs", &options, NOSUID | NODEV | noexec)?;
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let proc = rustix::fs::open("/proc/self/ns", flags, Mode::empty());
            let proc = proc.context(|| "opening /proc/self/ns".to_string())?;
            alone(&mount)?;
            // Behind pivot_root(2) there is no /proc any more, but for this descriptor.
            let flags = OFlags::RDONLY | OFlags::CLOEXEC;
            let fd = rustix::fs::openat(&proc, "mnt", flags, Mode::empty());
            Ok([fd.context(|| "opening /proc/self/ns/mnt".to_string())?])
        })?;
        Ok(Volume { name: name.clone(), namespace: Opened { kind: NsKind::Mnt, fd } })
    }

    /// A copy of its mount, attached nowhere yet.
    pub fn open(&self, user: Option<&Opened>) -> Done<OwnedFd> {
        let [mount] = passing::fetch(c"nsl-volume", || {
            user.map_or(Ok(()), join::enter)?;
            join::enter(&self.namespace)?;
            // setns(2) has made the root of that namespace this process's own.
            let mount = mounts::clone_host_path("/", false);
            let mount = mount.context(|| format!("copying the mount of the volume {}", self.name))?;
            mounts::restrict(mount.as_fd(), 0, true)?;
            Ok([mount])
        })?;
        Ok(mount)
    }
}

/// Makes a mount the root of this process's mount namespace, and the only one in it.
fn alone(mount: &OwnedFd) -> Done {
    tree::attach_somewhere(mount.as_fd()).context(|| "mounting the volume".to_string())?;
    rustix::process::fchdir(mount).context(|| "entering the volume".to_string())?;
    rustix::process::pivot_root(".", ".").context(|| "pivot_root".to_string())?;
    rustix::mount::unmount(".", rustix::mount::UnmountFlags::DETACH).context(|| "detaching the old root".to_string())
}
