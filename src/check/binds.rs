//! What is bound from the host, by what it is worth there.

use super::mnt::below;
use crate::policy::{Access, Entry, EntryKind, MountFlags, MountSource, Sandbox, Traced};
use crate::report::Diagnostic;

/// Sockets whose owner does what he is asked to do with the rights of root, or of the user.
pub(super) const CONTROL_SOCKETS: [&str; 8] = [
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/podman/podman.sock",
    "/run/dbus/system_bus_socket",
    "/run/systemd/private",
    "/run/libvirt/libvirt-sock",
    "/run/lxd/unix.socket",
];
const KERNEL_TREES: [&str; 4] = ["/proc", "/sys", "/dev", "/boot"];

/// Directories from which everybody's programs and settings come.
const SYSTEM_TREES: [&str; 8] = ["/usr", "/etc", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/opt"];

/// Files of a home that the user's own programs execute, or obey.
const STARTUP_FILES: [&str; 9] = [
    ".bashrc",
    ".bash_profile",
    ".profile",
    ".zshrc",
    ".zshenv",
    ".config/autostart",
    ".config/systemd",
    ".local/bin",
    ".gitconfig",
];

/// Files and directories whose readers can be somebody else: below a home, and anywhere.
const SECRETS_OF_HOMES: [&str; 8] =
    [".ssh", ".gnupg", ".aws", ".kube", ".docker/config.json", ".netrc", ".git-credentials", ".config/gcloud"];
const SECRETS: [&str; 5] = ["/etc/shadow", "/etc/gshadow", "/etc/ssl/private", "/etc/sudoers", "/etc/krb5.keytab"];

pub(super) fn check(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    for entry in &sandbox.mnt.entries {
        if let EntryKind::Mount(MountSource::Overlay(overlay)) = &entry.value.kind {
            for source in &overlay.lower {
                control_socket(entry, source, out);
                secrets(entry, source, out);
            }
        }
        if let EntryKind::Mount(MountSource::Bind { source, access, recursive, flags, .. }) = &entry.value.kind {
            control_socket(entry, source, out);
            secrets(entry, source, out);
            if *access == Access::Rw {
                kernel_tree(entry, source, out);
                system_tree(entry, source, out);
                executable(entry, flags, out);
            }
            if !*recursive {
                out.push(
                    Diagnostic::advice(
                        "bind-not-recursive",
                        format!("what is mounted below {source} does not come along"),
                    )
                    .label(entry.span(), "`recursive: false`")
                    .help("delete `recursive: false` unless that is meant"),
                );
            }
        }
    }
}

/// /var/run is /run, on every system that has both.
fn canonical(source: &str) -> String {
    source
        .strip_prefix("/var/run")
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
        .map_or_else(|| source.to_string(), |rest| format!("/run{rest}"))
}

fn control_socket(entry: &Traced<Entry>, source: &str, out: &mut Vec<Diagnostic>) {
    let source = canonical(source);
    let is_agent =
        source.starts_with("/tmp/ssh-") || source.ends_with("/ssh-agent.socket") || source.contains("/gnupg/S.");
    let is_session = source.strip_prefix("/run/user/").is_some_and(|rest| {
        let (_, name) = rest.split_once('/').unwrap_or((rest, ""));
        matches!(name, "" | "bus" | "systemd" | "systemd/private" | "docker.sock" | "podman/podman.sock")
    });
    let finding = Diagnostic::warning(
        "bind-control-socket",
        "whoever can write to such a socket acts with the rights of its owner",
    );
    if CONTROL_SOCKETS.contains(&source.as_str()) || is_agent || is_session && source.matches('/').count() > 3 {
        out.push(
            finding
                .label(entry.span(), format!("binds {source}"))
                .help("delete the line, or put a proxy with fewer rights before it"),
        );
    } else if source == "/run" || source == "/run/user" || is_session {
        out.push(
            finding
                .label(entry.span(), format!("binds all sockets below {source}"))
                .help("bind the one file that is needed; a read-only mount does not keep anybody from connecting"),
        );
    }
}

fn secrets(entry: &Traced<Entry>, source: &str, out: &mut Vec<Diagnostic>) {
    let home = home_of(source);
    let of_home = home.is_some_and(|rest| SECRETS_OF_HOMES.iter().any(|it| below(rest, it)));
    let host_key = source.starts_with("/etc/ssh/ssh_host_") && source.ends_with("_key");
    if of_home || host_key || SECRETS.iter().any(|it| below(source, it)) {
        out.push(
            Diagnostic::warning("bind-secrets", format!("the program may read the keys and passwords in {source}"))
                .label(entry.span(), "brought in here")
                .help("delete the line, or bind the one file that is needed; what cannot be read cannot be sent away"),
        );
    }
}

/// A path below somebody's home directory, relative to it.
fn home_of(source: &str) -> Option<&str> {
    if let Some(rest) = source.strip_prefix("/root/") {
        return Some(rest);
    }
    source.strip_prefix("/home/")?.split_once('/').map(|(_, rest)| rest)
}

fn kernel_tree(entry: &Traced<Entry>, source: &str, out: &mut Vec<Diagnostic>) {
    let Some(tree) = KERNEL_TREES.into_iter().find(|tree| below(source, tree)) else { return };
    // One device, or shared memory, is what somebody has chosen with care.
    if below(source, "/dev/shm") || tree == "/dev" && source != "/dev" {
        return;
    }
    let instead = match tree {
        "/proc" => "`mount /proc = proc`",
        "/dev" => "`mount /dev = dev`",
        _ => "`bind(ro)`",
    };
    out.push(
        Diagnostic::warning("bind-kernel-rw", format!("{source} of the host is writable here"))
            .label(entry.span(), "the kernel's own files and devices")
            .help(format!("write {instead}")),
    );
}

/// What is written there runs outside, as somebody else, later.
fn system_tree(entry: &Traced<Entry>, source: &str, out: &mut Vec<Diagnostic>) {
    let system = source == "/" || SYSTEM_TREES.iter().any(|it| below(source, it));
    let startup = home_of(source).is_some_and(|rest| STARTUP_FILES.iter().any(|it| below(rest, it)));
    let whole_home = matches!(source, "/home" | "/root")
        || source.strip_prefix("/home/").is_some_and(|rest| !rest.is_empty() && !rest.contains('/'));
    if system || startup || whole_home {
        out.push(
            Diagnostic::warning(
                "bind-system-rw",
                format!("what is written to {source} is run outside of the sandbox, later and by others"),
            )
            .label(entry.span(), "writable here")
            .help("write `bind(ro)`, and bind the one directory that is written to with `bind(rw, noexec)`"),
        );
    }
}

fn executable(entry: &Traced<Entry>, flags: &MountFlags, out: &mut Vec<Diagnostic>) {
    if !flags.noexec {
        out.push(
            Diagnostic::advice("write-and-execute", format!("what is written to {} can be executed", entry.value.path))
                .label(entry.span(), "writable, and without `noexec`")
                .help("add `noexec` unless programs are built there"),
        );
    }
    if !flags.nosuid {
        out.push(
            Diagnostic::warning(
                "write-and-setuid",
                format!("set-user-id programs that are written to {} gain their owner's rights", entry.value.path),
            )
            .label(entry.span(), "writable, and with `suid`")
            .help("delete `suid`"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_homes() {
        assert_eq!(home_of("/home/ann/.ssh/id"), Some(".ssh/id"));
        assert_eq!(home_of("/root/.ssh"), Some(".ssh"));
        assert_eq!(home_of("/home/ann"), None);
        assert_eq!(home_of("/srv/home/x"), None);
    }

    #[test]
    fn knows_run_by_its_old_name() {
        assert_eq!(canonical("/var/run/docker.sock"), "/run/docker.sock");
        assert_eq!(canonical("/var/runner"), "/var/runner");
    }
}
