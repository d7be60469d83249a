//! Reads the facts from the machine. `nsl run` waits for it, so it reads few files, and each once.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;

use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

use super::mounts::{self, Mount};
use super::text::{number, text, words};
use super::{
    Forwards, HostFacts, Kernel, Later, NameSearch, Running, UserNamespaces, caller, hierarchies, joinable, labels,
    landlock, libraries, paths, process, search, systemd,
};
use crate::policy::{JoinTarget, NsKind};

/// Where programs that nsl may call are looked for. Not PATH: what is run with privilege is not the caller's to choose.
const HELPER_DIRS: [&str; 5] = ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin"];
/// The programs, see newuidmap(1).
const HELPERS: [&str; 2] = ["newuidmap", "newgidmap"];

/// Every limit of getrlimit(2) in the words of the language.
const LIMITS: [(&str, Resource); 16] = [
    ("as", Resource::As),
    ("core", Resource::Core),
    ("cpu", Resource::Cpu),
    ("data", Resource::Data),
    ("fsize", Resource::Fsize),
    ("locks", Resource::Locks),
    ("memlock", Resource::Memlock),
    ("msgqueue", Resource::Msgqueue),
    ("nice", Resource::Nice),
    ("nofile", Resource::Nofile),
    ("nproc", Resource::Nproc),
    ("rss", Resource::Rss),
    ("rtprio", Resource::Rtprio),
    ("rttime", Resource::Rttime),
    ("sigpending", Resource::Sigpending),
    ("stack", Resource::Stack),
];

/// The machine, with its table of mounts read once.
pub struct Probe {
    mounts: Vec<Mount>,
}

/// The facts of this machine for this caller.
pub fn probe() -> HostFacts {
    Probe::new().facts()
}

/// Adds what is at these paths to the facts.
pub fn probe_paths(facts: &mut HostFacts, paths: &[String]) {
    Probe::new().paths(facts, paths);
}

impl Probe {
    /// Reads the table of mounts.
    pub fn new() -> Probe {
        Probe { mounts: mounts::here() }
    }

    /// The facts of this machine for this caller, without paths. What not every policy is about is read when it is asked for.
    pub fn facts(&self) -> HostFacts {
        HostFacts {
            name: "this host".to_string(),
            kernel: kernel(),
            caller: caller::find(&self.mounts),
            userns: user_namespaces(),
            namespaces: namespaces(),
            service_manager: Later::read(|| systemd::find(caller::uid(), &hierarchies::here())),
            process: Later::read(|| process::find(&hierarchies::here())),
            cgroups: Later::read(hierarchies::here),
            security: Later::read(labels::find),
            landlock_abi: Later::read(landlock::abi),
            seccomp_actions: Later::read(|| words("/proc/sys/kernel/seccomp/actions_avail")),
            proc_masked: mounts::proc_masked(&self.mounts),
            mount_admin: None,
            unprivileged_port_start: Later::read(|| {
                number("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap_or(1024)
            }),
            net_admin: Later::read(|| caller::capabilities().iter().any(|it| it == "net_admin") && owns_network()),
            tun: Later::read(tun),
            forwards: Later::read(|| Some(forwards())),
            interfaces: Later::read(|| interfaces(&text("/proc/self/net/dev"))),
            hard_limits: Later::read(hard_limits),
            uptime: Later::read(uptime),
            helpers: Later::read(helpers),
            versions: BTreeMap::new(),
            nftables: None,
            cgroup_parent: None,
            mount_pins: mounts::mount_pins(&self.mounts),
            name_search: NameSearch::default(),
            paths: BTreeMap::new(),
            joinable: BTreeMap::new(),
        }
    }

    /// The same, with what takes long to find out.
    pub fn thorough(&self) -> HostFacts {
        let mut facts = self.facts();
        super::thorough::add(&mut facts);
        facts
    }

    /// Adds what is at these paths to the facts.
    pub fn paths(&self, facts: &mut HostFacts, paths: &[String]) {
        for path in paths {
            facts.paths.insert(path.clone(), paths::find(path, &self.mounts));
        }
    }

    /// Adds to the facts how programs of the host complete names.
    pub fn name_search(&self, facts: &mut HostFacts) {
        facts.name_search = search::parse(&text("/etc/resolv.conf"));
    }

    /// Adds to the facts whether the caller may mount here.
    pub fn mounting(&self, facts: &mut HostFacts) {
        facts.mount_admin = Some(joinable::may_mount(facts));
    }

    /// Adds the profiles of AppArmor that are loaded to the facts.
    pub fn profiles(&self, facts: &mut HostFacts) {
        facts.security.profiles = labels::profiles();
    }

    /// Adds what there is to be joined at these targets to the facts.
    /// `running` finds the process behind the name of a sandbox or a pod.
    pub fn joins(
        &self,
        facts: &mut HostFacts,
        targets: &[JoinTarget],
        running: &dyn Fn(&JoinTarget) -> Option<Running>,
    ) {
        for target in targets {
            facts.joinable.insert(joinable::join_key(target), joinable::find(target, running));
        }
    }

    /// Adds to what is known of these programs the libraries that they need.
    pub fn libraries(&self, facts: &mut HostFacts, programs: &[String]) {
        for program in programs {
            if let Some(fact) = facts.paths.get_mut(program) {
                fact.libraries = libraries::find(program);
                fact.interpreter_links = fact.interpreter.as_deref().map_or(Vec::new(), libraries::links);
            }
        }
    }
}

impl Default for Probe {
    fn default() -> Probe {
        Probe::new()
    }
}

fn kernel() -> Kernel {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy().into_owned();
    let version = version(&release);
    Kernel { version, release, arch: uname.machine().to_string_lossy().into_owned() }
}

/// Major and minor number of a release such as `6.1.0-13-amd64`; zeros for what is no number.
fn version(release: &str) -> (u32, u32) {
    let mut numbers = release.split(|it: char| !it.is_ascii_digit()).map(|it| it.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

fn user_namespaces() -> UserNamespaces {
    UserNamespaces {
        max: number("/proc/sys/user/max_user_namespaces").unwrap_or(0),
        clone_disabled: number("/proc/sys/kernel/unprivileged_userns_clone") == Some(0),
        apparmor_restricted: number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == Some(1),
        filtered: false,
    }
}

fn namespaces() -> Vec<NsKind> {
    let entries = fs::read_dir("/proc/self/ns").into_iter().flatten().flatten();
    let names: Vec<_> = entries.map(|it| it.file_name()).collect();
    NsKind::ALL.into_iter().filter(|kind| names.iter().any(|name| name == kind.name())).collect()
}

/// Whether the caller may open /dev/net/tun.
fn tun() -> bool {
    rustix::fs::access("/dev/net/tun", rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK).is_ok()
}

fn forwards() -> Forwards {
    Forwards {
        ipv4: number::<u8>("/proc/sys/net/ipv4/ip_forward").is_some_and(|it| it != 0),
        ipv6: number::<u8>("/proc/sys/net/ipv6/conf/all/forwarding").is_some_and(|it| it != 0),
    }
}

fn hard_limits() -> BTreeMap<String, Option<u64>> {
    LIMITS.iter().map(|(name, it)| (name.to_string(), getrlimit(*it).maximum)).collect()
}

/// Whether the network namespace belongs to the caller's user namespace: its switches do to the root of that one.
fn owns_network() -> bool {
    fs::metadata("/proc/sys/net/ipv4/ip_forward").is_ok_and(|it| it.uid() == 0)
}

/// The first column of /proc/net/dev, which has two lines of headings.
fn interfaces(table: &str) -> Vec<String> {
    table.lines().skip(2).filter_map(|line| Some(line.split_once(':')?.0.trim().to_string())).collect()
}

/// The younger of the two clocks that have offsets.
fn uptime() -> u64 {
    let seconds = |clock| u64::try_from(clock_gettime(clock).tv_sec).unwrap_or(0);
    seconds(ClockId::Boottime).min(seconds(ClockId::Monotonic))
}

fn helpers() -> BTreeMap<String, String> {
    let find = |name: &&str| {
        let paths = HELPER_DIRS.iter().map(|dir| format!("{dir}/{name}"));
        paths.into_iter().find(|path| is_privileged(path)).map(|path| (name.to_string(), path))
    };
    let pasta = HELPER_DIRS.iter().map(|dir| format!("{dir}/pasta")).find(|path| is_program(path));
    HELPERS.iter().filter_map(find).chain(pasta.map(|path| ("pasta".to_string(), path))).collect()
}

fn is_program(path: &str) -> bool {
    fs::metadata(path).is_ok_and(|it| it.is_file() && it.mode() & 0o111 != 0)
}

/// Whether a program gains rights when it is started: set-user-id root, or with file capabilities.
fn is_privileged(path: &str) -> bool {
    let Ok(meta) = fs::metadata(path) else { return false };
    let setuid = meta.mode() & 0o4000 != 0 && meta.uid() == 0;
    meta.is_file()
        && meta.mode() & 0o111 != 0
        && (setuid || rustix::fs::getxattr(path, "security.capability", &mut [0_u8; 64]).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions() {
        assert_eq!(version("6.1.0-13-amd64"), (6, 1));
        assert_eq!(version("6.18.44-fc"), (6, 18));
        assert_eq!(version("5.4"), (5, 4));
        assert_eq!(version("six"), (0, 0));
    }

    #[test]
    fn this_machine_makes_sense() {
        let facts = probe();
        assert!(facts.kernel.at_least(4, 0), "{:?}", facts.kernel);
        assert!(facts.namespaces.contains(&NsKind::User));
        assert_eq!(facts.caller.uid, rustix::process::geteuid().as_raw());
        assert_eq!(facts.hard_limits.len(), 16);
        assert!(*facts.uptime > 0);
        let text = serde_json::to_string(&facts).expect("facts are data");
        assert_eq!(serde_json::from_str::<HostFacts>(&text).expect("facts are data"), facts);
    }

    #[test]
    fn only_privileged_programs_help() {
        assert!(!is_privileged("/bin/sh"));
        assert!(!is_privileged("/nonexistent"));
    }
}
