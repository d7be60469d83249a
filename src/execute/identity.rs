//! Id maps, ids, capabilities.

use std::io::Write;
use std::process::{Command, Stdio};

use caps::{CapSet, Capability, CapsHashSet};
use nix::unistd::{Gid, Pid, Uid};
use rustix::thread::CapabilitiesSecureBits;

use super::failure::{Context, Done, Failure};
use crate::plan::{IdMapping, MapLine};

/// Writes `deny` to /proc/PID/setgroups. user_namespaces(7)
pub fn deny_setgroups(pid: Pid) -> Done {
    write_once(&format!("/proc/{pid}/setgroups"), "deny")
}

/// Writes uid_map or gid_map of a process, or has newuidmap/newgidmap do it, and reads the map back.
pub fn write_map(pid: Pid, file: &str, mapping: &IdMapping) -> Done {
    let path = format!("/proc/{pid}/{file}");
    match &mapping.helper {
        None => {
            let text: String =
                mapping.lines.iter().map(|it| format!("{} {} {}\n", it.inside, it.outside, it.count)).collect();
            write_once(&path, &text)?;
        }
        Some(helper) => call_helper(helper, pid, &mapping.lines)?,
    }
    verify(&path, &mapping.lines)
}

/// The kernel takes a map in one write(2), once.
fn write_once(path: &str, text: &str) -> Done {
    let result = std::fs::OpenOptions::new().write(true).open(path).and_then(|mut it| it.write_all(text.as_bytes()));
    result.context(|| format!("writing {:?} to {path}", text.trim_end()))
}

fn call_helper(helper: &str, pid: Pid, lines: &[MapLine]) -> Done {
    let mut command = Command::new(helper);
    command.arg(pid.to_string()).env_clear().stdin(Stdio::null()).stdout(Stdio::null());
    for line in lines {
        command.args([line.inside.to_string(), line.outside.to_string(), line.count.to_string()]);
    }
    let output = command.output().context(|| format!("running {helper}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Failure::refused(format!("{helper} refused: {}", said.trim())))
}

/// What the kernel says of the map must be what was asked for; a helper could have done something else.
fn verify(path: &str, lines: &[MapLine]) -> Done {
    let text = std::fs::read_to_string(path).context(|| format!("reading {path}"))?;
    let numbers: Vec<u32> = text.split_whitespace().filter_map(|it| it.parse().ok()).collect();
    let mut found: Vec<MapLine> =
        numbers.chunks_exact(3).map(|it| MapLine { inside: it[0], outside: it[1], count: it[2] }).collect();
    found.sort_by_key(|it| it.inside);
    if found == lines { Ok(()) } else { Err(Failure::refused(format!("{path} reads {:?} afterwards", text.trim()))) }
}

/// setgroups(2), setresgid(2), setresuid(2), keeping the capabilities that the rest of the set-up needs.
pub fn set_ids(uid: u32, gid: u32, groups: Option<&[u32]>) -> Done {
    if let Some(groups) = groups {
        let groups: Vec<Gid> = groups.iter().map(|it| Gid::from_raw(*it)).collect();
        nix::unistd::setgroups(&groups).context(|| format!("setgroups {groups:?}"))?;
    }
    rustix::thread::set_capabilities_secure_bits(CapabilitiesSecureBits::KEEP_CAPS)
        .or_else(|_| rustix::thread::set_keep_capabilities(true))
        .context(|| "keeping capabilities over setuid".to_string())?;
    let group = Gid::from_raw(gid);
    nix::unistd::setresgid(group, group, group).context(|| format!("setresgid {gid}"))?;
    let user = Uid::from_raw(uid);
    nix::unistd::setresuid(user, user, user).context(|| format!("setresuid {uid}"))?;
    // A change from uid 0 to another clears the effective set and nothing else: capabilities(7).
    let permitted = caps::read(None, CapSet::Permitted).map_err(refused)?;
    caps::set(None, CapSet::Effective, &permitted).map_err(refused)
}

fn refused(error: caps::errors::CapsError) -> Failure {
    let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
    Failure { errno, detail: error.to_string() }
}

/// Leaves these capabilities and no others, in all five sets. capabilities(7)
///
/// The order is the kernel's: the bounding set while CAP_SETPCAP is there, then effective below permitted below
/// inheritable below ambient. Where nothing is kept, uid 0 means nothing either (SECBIT_NOROOT, locked).
/// `no_new_privs` says whether the plan sets that later.
pub fn set_capabilities(keep: &[String], ambient: &[String], no_new_privs: bool) -> Done {
    let kept = parse(keep)?;
    let raised = parse(ambient)?;
    // A caller without CAP_SETPCAP has no user namespace of its own here: its bounding set stays, which
    // no_new_privs makes meaningless; without that, execve(2) would give all of it to uid 0 again.
    if caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP).map_err(refused)? {
        for capability in caps::all().into_iter().filter(|it| !kept.contains(it)) {
            // A capability that this kernel does not know cannot be dropped, and need not be.
            if let Err(error) = caps::drop(None, CapSet::Bounding, capability)
                && caps::has_cap(None, CapSet::Bounding, capability).unwrap_or(false)
            {
                return Err(refused(error));
            }
        }
        let nothing = CapabilitiesSecureBits::NO_ROOT | CapabilitiesSecureBits::NO_ROOT_LOCKED;
        let bits = if kept.is_empty() { nothing } else { CapabilitiesSecureBits::empty() };
        rustix::thread::set_capabilities_secure_bits(bits).context(|| "setting securebits".to_string())?;
    } else if nix::unistd::geteuid().is_root() && !no_new_privs {
        return Err(Failure::refused(
            "the caller is root without CAP_SETPCAP, so its bounding set stays, and without `no-new-privs` the program \
             would be given all of it again",
        ));
    }
    caps::clear(None, CapSet::Ambient).map_err(refused)?;
    caps::set(None, CapSet::Effective, &kept).map_err(refused)?;
    caps::set(None, CapSet::Permitted, &kept).map_err(refused)?;
    caps::set(None, CapSet::Inheritable, &kept).map_err(refused)?;
    if !raised.is_empty() {
        caps::set(None, CapSet::Ambient, &raised).map_err(refused)?;
    }
    Ok(())
}

/// No capability in any set that can be emptied without CAP_SETPCAP: for processes of our own that only wait.
pub fn drop_own_capabilities() {
    drop_own_capabilities_but(CapsHashSet::new());
}

fn drop_own_capabilities_but(kept: CapsHashSet) {
    let _ = caps::clear(None, CapSet::Ambient);
    let _ = caps::set(None, CapSet::Inheritable, &CapsHashSet::new());
    for set in [CapSet::Effective, CapSet::Permitted] {
        let _ = caps::set(None, set, &kept);
    }
}

/// The same, but for CAP_NET_ADMIN where there is one. (Who has made a user namespace has every capability in it without any of these.)
pub fn keep_own_net_admin() {
    let one = CapsHashSet::from([Capability::CAP_NET_ADMIN]);
    let has = caps::has_cap(None, CapSet::Effective, Capability::CAP_NET_ADMIN).unwrap_or(false);
    drop_own_capabilities_but(if has { one } else { CapsHashSet::new() });
}

fn parse(names: &[String]) -> Done<CapsHashSet> {
    names
        .iter()
        .map(|name| {
            caps::to_canonical(name)
                .parse::<Capability>()
                .map_err(|_| Failure::refused(format!("this version knows no capability `{name}`")))
        })
        .collect()
}
