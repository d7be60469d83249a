//! What the kernel says of a process: its namespaces, ids, mounts, and what it may do.

use std::collections::BTreeMap;
use std::fs;

use serde::Serialize;

use crate::state::Process;

/// The facts of one process. The names of the fields are part of the interface of `--json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProcessFacts {
    /// Its id.
    pub pid: i32,
    /// Its command line.
    pub command: String,
    /// The inode numbers of its namespaces, by kind.
    pub namespaces: BTreeMap<String, u64>,
    /// The lines of its uid map: inside, outside, count.
    pub uid_map: Vec<String>,
    /// The lines of its gid map.
    pub gid_map: Vec<String>,
    /// Its effective user and group id, as the caller sees them.
    pub ids: Option<(u32, u32)>,
    /// The five capability sets by name (`effective`, `permitted`, `inheritable`, `bounding`, `ambient`).
    pub capabilities: BTreeMap<String, Vec<String>>,
    /// Whether it can gain no privileges by execve(2).
    pub no_new_privs: bool,
    /// 0: none, 1: strict, 2: filters. seccomp(2)
    pub seccomp: u8,
    /// How many filters; Linux 5.9.
    pub filters: Option<u32>,
    /// Soft and hard resource limits, by the names of proc_pid_limits(5).
    pub limits: BTreeMap<String, (String, String)>,
    /// How it is scheduled and what its children inherit, by name: `nice`, `scheduling` (`fifo 10`), `cpus`, `oom_score_adj`,
    /// `umask`, and the `label` that a security module gives it.
    pub attributes: BTreeMap<String, String>,
    /// Its mounts.
    pub mounts: Vec<MountFacts>,
    /// Its lines of /proc/PID/cgroup.
    pub cgroups: Vec<String>,
}

/// One mount, as in proc_pid_mountinfo(5).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MountFacts {
    /// Where.
    pub target: String,
    /// The kind of file system.
    pub fs: String,
    /// What of it.
    pub root: String,
    /// Options of the mount, such as `ro,nosuid`.
    pub options: String,
}

impl ProcessFacts {
    /// Reads what can be read; `None` where there is no such process, or it has become another one meanwhile.
    pub fn read(process: Process) -> Option<ProcessFacts> {
        let dir = format!("/proc/{}", process.pid);
        let text = |name: &str| fs::read_to_string(format!("{dir}/{name}")).unwrap_or_default();
        let lines = |name: &str| -> Vec<String> {
            text(name).lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
        };
        let status = text("status");
        let field =
            |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
        let id = |name: &str| field(name)?.split_whitespace().nth(1)?.parse().ok();
        let sets = [
            ("effective", "CapEff"),
            ("permitted", "CapPrm"),
            ("inheritable", "CapInh"),
            ("bounding", "CapBnd"),
            ("ambient", "CapAmb"),
        ];
        let capabilities = sets.iter().filter_map(|(name, key)| {
            let bits = u64::from_str_radix(field(key)?, 16).ok()?;
            Some((name.to_string(), capability_names(bits)))
        });
        let facts = ProcessFacts {
            pid: process.pid,
            command: crate::host::command(process.pid).unwrap_or_default(),
            namespaces: process.namespaces(),
            uid_map: lines("uid_map"),
            gid_map: lines("gid_map"),
            ids: id("Uid").zip(id("Gid")),
            capabilities: capabilities.collect(),
            no_new_privs: field("NoNewPrivs") == Some("1"),
            seccomp: field("Seccomp").and_then(|it| it.parse().ok()).unwrap_or(0),
            filters: field("Seccomp_filters").and_then(|it| it.parse().ok()),
            limits: text("limits").lines().skip(1).filter_map(limit).collect(),
            attributes: attributes(&status, &text("stat"), &text("oom_score_adj"), &text("attr/current")),
            mounts: text("mountinfo").lines().filter_map(mount).collect(),
            cgroups: text("cgroup").lines().map(str::to_string).collect(),
        };
        (Process::of(process.pid) == Some(process)).then_some(facts)
    }
}

/// The names of the capabilities in a set, without `CAP_`. Those that this version does not know are numbers.
fn capability_names(bits: u64) -> Vec<String> {
    let known: BTreeMap<u8, String> = crate::host::capability_numbers();
    (0..64)
        .filter(|number| bits >> number & 1 == 1)
        .map(|number| known.get(&number).cloned().unwrap_or_else(|| number.to_string()))
        .collect()
}

/// `Max open files            1024                 4096                 files`: the name may hold blanks, the values do not.
fn limit(line: &str) -> Option<(String, (String, String))> {
    let (name, rest) = line.split_at_checked(26)?;
    let mut values = rest.split_whitespace();
    Some((name.trim().trim_start_matches("Max ").to_string(), (values.next()?.into(), values.next()?.into())))
}

/// Of /proc/PID/status, stat and oom_score_adj: proc_pid_stat(5).
fn attributes(status: &str, stat: &str, oom_score_adj: &str, label: &str) -> BTreeMap<String, String> {
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    // After the name in parentheses come the fields from 3 on: 19 is the nice value, 40 the real-time priority, 41 the policy.
    let fields: Vec<&str> = stat.rsplit_once(')').map_or(Vec::new(), |it| it.1.split_whitespace().collect());
    let of = |number: usize| fields.get(number - 3).copied();
    let policy = of(41).and_then(|it| {
        let name = ["other", "fifo", "rr", "batch", "", "idle", "deadline"].get(it.parse::<usize>().ok()?)?;
        Some(match of(40) {
            Some(priority) if matches!(*name, "fifo" | "rr") => format!("{name} {priority}"),
            _ => name.to_string(),
        })
    });
    let own = |text: &str| Some(text.trim().to_string()).filter(|it| !it.is_empty());
    [
        ("nice", of(19).map(str::to_string)),
        ("scheduling", policy),
        ("cpus", field("Cpus_allowed_list").map(str::to_string)),
        ("oom_score_adj", own(oom_score_adj)),
        ("umask", field("Umask").map(str::to_string)),
        ("label", own(label.trim_end_matches('\0'))),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_string(), value?)))
    .collect()
}

fn mount(line: &str) -> Option<MountFacts> {
    let (front, back) = line.split_once(" - ")?;
    let front: Vec<&str> = front.split(' ').collect();
    let fs = back.split(' ').next()?.to_string();
    Some(MountFacts {
        target: front.get(4)?.to_string(),
        fs,
        root: front.get(3)?.to_string(),
        options: front.get(5)?.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_names_with_blanks() {
        let line = "Max open files            1024                 524288               files     ";
        assert_eq!(limit(line), Some(("open files".into(), ("1024".into(), "524288".into()))));
    }

    #[test]
    fn capabilities_have_names() {
        assert_eq!(capability_names(1 << 21 | 1), ["chown", "sys_admin"]);
        assert_eq!(capability_names(1 << 63), ["63"]);
    }

    #[test]
    fn this_process_is_as_it_is() {
        let facts = ProcessFacts::read(Process::own().unwrap()).unwrap();
        assert!(facts.mounts.iter().any(|it| it.target == "/"));
        assert_eq!((facts.namespaces.len(), facts.capabilities.len()), (8, 5));
        assert!(facts.limits.contains_key("open files"), "{:?}", facts.limits);
        assert!(facts.attributes.len() >= 5, "{:?}", facts.attributes);
    }
}
