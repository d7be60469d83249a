//! Who asks: ids, capabilities, the user database, subordinate ids.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;

use rustix::process::{getegid, geteuid, getgroups};

use super::mounts::Mount;
use super::text::text;
use super::{Caller, IdRange, Later};

/// The inode of the initial user namespace: PROC_USER_INIT_INO of include/linux/proc_ns.h.
const INITIAL_USERNS: u64 = 0xEFFF_FFFD;

pub(super) fn find(mounts: &[Mount]) -> Caller {
    let (uid, gid) = (uid(), getegid().as_raw());
    let (user, home) = name_and_home().clone();
    let groups = getgroups().unwrap_or_default().into_iter().map(|it| it.as_raw()).collect();
    Caller {
        uid,
        gid,
        groups,
        capabilities: capabilities(),
        initial_userns: in_initial_userns(),
        chroot: chroot(mounts),
        setgroups_denied: Later::read(|| text("/proc/self/setgroups").trim() == "deny"),
        subuid: Later::read(|| own_ranges("/etc/subuid")),
        subgid: Later::read(|| own_ranges("/etc/subgid")),
        user,
        home,
    }
}

/// The effective user id of the caller.
pub(super) fn uid() -> u32 {
    geteuid().as_raw()
}

/// Whether the caller is in the initial user namespace.
pub(super) fn in_initial_userns() -> bool {
    fs::metadata("/proc/self/ns/user").is_ok_and(|it| it.ino() == INITIAL_USERNS)
}

/// Read once: several facts are about the name.
fn name_and_home() -> &'static (String, String) {
    static FOUND: OnceLock<(String, String)> = OnceLock::new();
    FOUND.get_or_init(|| {
        let entry = passwd_entry(&text("/etc/passwd"), uid());
        entry.unwrap_or_else(|| (uid().to_string(), home_of_environment()))
    })
}

/// Name and home directory: passwd(5).
fn passwd_entry(text: &str, uid: u32) -> Option<(String, String)> {
    text.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, id, _, _, home, ..] = fields[..] else { return None };
        (id.parse() == Ok(uid) && !name.is_empty()).then(|| (name.to_string(), home.to_string()))
    })
}

/// The id of a user of this host, by name: passwd(5).
pub fn uid_of(name: &str) -> Option<u32> {
    id_in(&text("/etc/passwd"), name)
}

/// The id of a group of this host, by name: group(5).
pub fn gid_of(name: &str) -> Option<u32> {
    id_in(&text("/etc/group"), name)
}

/// The third field of the line that begins with a name.
fn id_in(database: &str, name: &str) -> Option<u32> {
    database.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok()).flatten()
    })
}

fn home_of_environment() -> String {
    std::env::var("HOME").ok().filter(|home| home.starts_with('/')).unwrap_or_default()
}

fn own_ranges(file: &str) -> Vec<IdRange> {
    subordinate(&text(file), &name_and_home().0, uid())
}

/// The ranges of a user, by name or by number: subuid(5), subgid(5).
fn subordinate(text: &str, user: &str, uid: u32) -> Vec<IdRange> {
    let range = |line: &str| {
        let mut fields = line.trim().split(':');
        let owner = fields.next()?;
        let (start, count) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        ((owner == user || owner.parse() == Ok(uid)) && count > 0).then_some(IdRange { start, count })
    };
    text.lines().filter_map(range).collect()
}

/// The effective ones.
pub(super) fn capabilities() -> Vec<String> {
    capability_names(caps::read(None, caps::CapSet::Effective).unwrap_or_default())
}

/// The names of the capabilities that this version knows, without `CAP_`, by their numbers: capability.h.
pub fn capability_numbers() -> std::collections::BTreeMap<u8, String> {
    caps::all().into_iter().map(|it| (it.index(), plain(it))).collect()
}

/// A capability in the words of the language.
fn plain(capability: caps::Capability) -> String {
    let mut name = capability.to_string().split_off("CAP_".len());
    name.make_ascii_lowercase();
    name
}

/// In the words of the language, in the order of their numbers.
pub(super) fn capability_names(set: caps::CapsHashSet) -> Vec<String> {
    let mut found: Vec<caps::Capability> = set.into_iter().collect();
    found.sort_by_key(|it| it.index());
    found.iter().map(|it| plain(*it)).collect()
}

/// kernel/fork.c refuses CLONE_NEWUSER where the root is not that of the mount namespace. Nothing says so to
/// the process itself, but a root that is no mount has no line in its mountinfo, and a caller that may look
/// can compare its root to that of PID 1.
fn chroot(mounts: &[Mount]) -> bool {
    if !mounts.is_empty() && !mounts.iter().any(|it| it.point == "/") {
        return true;
    }
    let same_mounts = || {
        let own = fs::metadata("/proc/self/ns/mnt").ok()?;
        let first = fs::metadata("/proc/1/ns/mnt").ok()?;
        Some(own.ino() == first.ino())
    };
    let roots = || {
        let (own, first) = (fs::metadata("/").ok()?, fs::metadata("/proc/1/root").ok()?);
        Some((own.dev(), own.ino()) != (first.dev(), first.ino()))
    };
    same_mounts() == Some(true) && roots() == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_user_by_number() {
        let text = "root:x:0:0:root:/root:/bin/sh\n\nbroken:x\nann:x:1000:1000:Ann,,,:/home/ann:/bin/sh\n";
        assert_eq!(passwd_entry(text, 1000), Some(("ann".to_string(), "/home/ann".to_string())));
        assert_eq!(passwd_entry(text, 1), None);
    }

    #[test]
    fn finds_ids_by_name() {
        let text =
            "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000:Ann,,,:/home/ann:/bin/sh\nann:x:7:7::/:\nodd:x:y\n\n";
        assert_eq!((id_in(text, "ann"), id_in(text, "odd"), id_in(text, "an")), (Some(1000), None, None));
    }

    #[test]
    fn finds_ranges_by_name_and_by_number() {
        let text = "ann:100000:65536\n1000:300000:10\nbob:200000:65536\nann:x:1\nann:5\nann:7:0\n\n";
        let ranges = [IdRange { start: 100_000, count: 65_536 }, IdRange { start: 300_000, count: 10 }];
        assert_eq!(subordinate(text, "ann", 1000), ranges);
        assert!(subordinate(text, "eve", 1001).is_empty());
    }
}
