//! Landlock: a wall that the program cannot take down, whatever it becomes. landlock(7)

use std::error::Error;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError,
};
use rustix::fs::{Mode, OFlags};

use super::failure::{Context, Done, Failure};
use super::mounts;
use crate::plan::{LandlockPath, LandlockSpec, Scope};

/// Puts the rules in force for this process and all that it starts.
pub fn restrict(spec: &LandlockSpec) -> Done {
    let refused = |what: &str, error: RulesetError| Failure {
        errno: errno(&error),
        detail: format!("Landlock: {what}: {error}"),
    };
    // What the kernel lacks is an error: what was preferred only, the plan has left out.
    let mut rules = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let all = known(spec.abi);
    if spec.files.is_some() {
        rules = rules.handle_access(all).map_err(|it| refused("rights on files", it))?;
    }
    for (ports, access) in [(&spec.tcp_bind, AccessNet::BindTcp), (&spec.tcp_connect, AccessNet::ConnectTcp)] {
        if ports.is_some() {
            rules = rules.handle_access(access).map_err(|it| refused("rights on TCP", it))?;
        }
    }
    for scope in &spec.scope {
        let scope = match scope {
            Scope::Signal => landlock::Scope::Signal,
            Scope::AbstractUnixSocket => landlock::Scope::AbstractUnixSocket,
        };
        rules = rules.scope(scope).map_err(|it| refused("scopes", it))?;
    }
    let mut rules = rules.create().map_err(|it| refused("a new set of rules", it))?;
    for path in spec.files.iter().flatten() {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let place = match rustix::fs::open(path.path.as_str(), flags, Mode::empty()) {
            // An optional mount whose source is missing.
            Err(rustix::io::Errno::NOENT) => continue,
            place => place.context(|| format!("Landlock: opening {}", path.path))?,
        };
        let rights = rights(path, mounts::is_dir(std::os::fd::AsFd::as_fd(&place))?, all);
        rules = rules
            .add_rule(PathBeneath::new(place, rights))
            .map_err(|it| refused(&format!("a rule for {}", path.path), it))?;
    }
    for (ports, access) in [(&spec.tcp_bind, AccessNet::BindTcp), (&spec.tcp_connect, AccessNet::ConnectTcp)] {
        for port in ports.iter().flatten() {
            rules = rules
                .add_rule(NetPort::new(*port, access))
                .map_err(|it| refused(&format!("a rule for port {port}"), it))?;
        }
    }
    // Whether privileges can be gained is another statement's business.
    rules.no_new_privs(false).restrict_self().map_err(|it| refused("putting the rules in force", it)).map(drop)
}

/// Every right on files that the kernel knows of, up to that of devices. Connecting to UNIX sockets by path is no writing: it
/// stays free.
fn known(abi: u32) -> BitFlags<AccessFs> {
    let abi = match abi {
        0..=2 => ABI::V2,
        3 | 4 => ABI::V3,
        _ => ABI::V5,
    };
    AccessFs::from_all(abi)
}

fn rights(path: &LandlockPath, is_dir: bool, all: BitFlags<AccessFs>) -> BitFlags<AccessFs> {
    let mut rights = AccessFs::ReadFile | AccessFs::ReadDir;
    if path.write {
        rights |= all & !BitFlags::from(AccessFs::Execute);
    }
    if path.execute {
        rights |= AccessFs::Execute;
    }
    if !is_dir {
        rights &=
            AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Execute | AccessFs::Truncate | AccessFs::IoctlDev;
    }
    rights & all
}

/// The errno at the end of the chain of causes.
fn errno(error: &RulesetError) -> i32 {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::raw_os_error) {
            return found;
        }
        next = error.source();
    }
    0
}
