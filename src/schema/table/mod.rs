//! The rows, a file for each section or for a few small ones. Whoever adds a field adds one there.

mod body;
mod cgroup;
mod kernel;
mod labels;
mod limits;
mod mnt;
mod namespaces;
mod net;
mod process;
mod stdio;
mod stop;

use super::types::{Field, Shape, Ty};
use super::variants::{
    ACTIONS, LINKS, MODES, MOUNTS, OUTSIDE, QUOTA, RATES, READY, RESTART, ROOTS, STDERR, STDIN, STDOUT, VOLUMES,
};

/// A block of a sandbox.
#[derive(Debug)]
pub struct Section {
    /// Its head.
    pub name: &'static str,
    /// Whether it begins with a mode: `new`, `host`, `join(…)`, `pod`.
    pub has_mode: bool,
    /// What it means, in one line, with the man page.
    pub doc: &'static str,
}

const fn namespace(name: &'static str, doc: &'static str) -> Section {
    Section { name, has_mode: true, doc }
}

const fn block(name: &'static str, doc: &'static str) -> Section {
    Section { name, has_mode: false, doc }
}

/// Every section, in the order in which they are documented.
pub const SECTIONS: &[Section] = &[
    namespace("user", "who the program is inside, and who that is outside: user_namespaces(7)"),
    namespace("pid", "which processes it sees: pid_namespaces(7)"),
    namespace("net", "which network it has: network_namespaces(7)"),
    namespace("mnt", "which files it sees, one tree of paths: mount_namespaces(7)"),
    namespace("ipc", "System V IPC and POSIX message queues: ipc_namespaces(7)"),
    namespace("uts", "its host name: uts_namespaces(7)"),
    namespace(
        "cgroup",
        "its resource limits as a whole, and what it sees of cgroups: cgroups(7), cgroup_namespaces(7)",
    ),
    namespace("time", "its clocks: time_namespaces(7), Linux 5.6"),
    block("caps", "the capabilities that it keeps; none that is not named: capabilities(7)"),
    block("seccomp", "the system calls that it may make: seccomp(2)"),
    block("landlock", "a second wall, which no privilege takes down again: landlock(7), Linux 5.13"),
    block("limits", "resource limits of each process: getrlimit(2)"),
    block("stop", "how it ends"),
];

const BASE: Field = Field {
    section: "",
    head: "",
    shape: Shape::Setting,
    lead: None,
    trail: None,
    labels: &[],
    value: None,
    value_optional: false,
    doc: "",
    default: "",
    since: "",
    privilege: "",
    weaker: "",
    only_in: "",
};

const fn setting(section: &'static str, head: &'static str, ty: Ty, default: &'static str, doc: &'static str) -> Field {
    Field { section, head, value: Some(ty), doc, default, ..BASE }
}

const fn entry(
    section: &'static str,
    head: &'static str,
    labels: &'static [Ty],
    value: Option<Ty>,
    doc: &'static str,
) -> Field {
    Field { section, head, shape: Shape::Entry, labels, value, doc, ..BASE }
}

/// The only place of fields such as `after`.
pub const CONTAINERS: &str = "containers of pods";
/// The only place of fields such as `volume`.
pub const PODS: &str = "pods";

const fn weaker(field: Field, weaker: &'static str) -> Field {
    Field { weaker, ..field }
}

/// The rows of each section, in the order of [`SECTIONS`]; first those of the body.
const ROWS: &[&[Field]] = &[
    body::BODY,
    stdio::STDIO,
    process::PROCESS,
    labels::LABELS,
    kernel::SYSCTL,
    namespaces::USER,
    namespaces::PID,
    net::NET,
    mnt::MNT,
    namespaces::UTS,
    cgroup::CGROUP,
    namespaces::TIME,
    namespaces::KEEP,
    kernel::CAPS,
    kernel::SECCOMP,
    kernel::LANDLOCK,
    limits::LIMITS,
    stop::STOP,
];

/// Every field.
pub fn fields() -> impl Iterator<Item = &'static Field> + Clone {
    ROWS.iter().copied().flatten()
}

/// The modes of a section, as a type.
pub(super) const MODE: Ty = Ty::Variant(MODES);

impl Section {
    /// The type of its mode.
    pub fn mode(&self) -> Ty {
        MODE
    }
}

/// A section by name.
pub fn section(name: &str) -> Option<&'static Section> {
    SECTIONS.iter().find(|it| it.name == name)
}

/// A field by its section (empty for the body of a sandbox) and its head.
pub fn find(section: &str, head: &str) -> Option<&'static Field> {
    // A section's own list first, which nearly always has it; some sections have rows in a list that they share.
    let own = ROWS.iter().filter(|rows| rows.first().is_some_and(|it| it.section == section));
    let found = own.copied().flatten().find(|it| it.head == head && it.section == section);
    found.or_else(|| fields().find(|it| it.head == head && it.section == section))
}

/// The place of a field among all of them, in the order of [`fields`].
pub fn place(field: &'static Field) -> usize {
    let mut before = 0;
    for rows in ROWS {
        // Rows are compared by where they are: there is one of each, and their texts would take long.
        let (first, row) = (rows.as_ptr() as usize, std::ptr::from_ref(field) as usize);
        if (first..first + size_of_val(*rows)).contains(&row) {
            return before + (row - first) / size_of::<Field>();
        }
        before += rows.len();
    }
    before
}

/// The fields of a section.
pub fn fields_of(section: &str) -> impl Iterator<Item = &'static Field> + Clone + use<'_> {
    fields().filter(move |it| it.section == section)
}
