//! Facts that take long to find out, or a program to be started: for `nsl doctor`, and not for every run.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::{HostFacts, joinable};

/// A function that every kernel has that filters by nftables, built in or loaded.
const NFTABLES: &str = "nft_do_chain";
/// The module, where it is one.
const NFTABLES_MODULE: &str = "/nf_tables.ko";

/// Adds them.
pub(super) fn add(facts: &mut HostFacts) {
    facts.mount_admin = Some(joinable::may_mount(facts));
    facts.nftables = Some(nftables(&facts.kernel.release));
    if let Some(version) = facts.helpers.get("pasta").and_then(|path| version(path)) {
        facts.versions.insert("pasta".to_string(), version);
    }
}

/// Whether the kernel has nf_tables, or can load it: proc_kallsyms(5), depmod(8).
fn nftables(release: &str) -> bool {
    let has = |path: &str, found: &dyn Fn(&str) -> bool| {
        // Symbols of other architectures and compilers need not be UTF-8.
        let lines = File::open(path).into_iter().flat_map(|it| BufReader::new(it).split(b'\n')).map_while(Result::ok);
        lines.into_iter().any(|line| found(&String::from_utf8_lossy(&line)))
    };
    let is_symbol = |line: &str| line.split_ascii_whitespace().nth(2) == Some(NFTABLES);
    let is_module = |line: &str| line.split(':').next().is_some_and(|it| it.contains(NFTABLES_MODULE));
    has("/proc/kallsyms", &is_symbol) || has(&format!("/lib/modules/{release}/modules.dep"), &is_module)
}

/// The first line of what a program says of itself, without its name.
fn version(path: &str) -> Option<String> {
    let output = Command::new(path).arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let name = path.rsplit('/').next().unwrap_or(path);
    let line = text.lines().next()?.trim();
    let line = line.strip_prefix(name).unwrap_or(line).trim();
    (!line.is_empty() && !line.contains("unknown")).then(|| line.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_what_a_program_says() {
        assert!(version("/usr/bin/env").is_some_and(|it| it.contains(|it: char| it.is_ascii_digit())));
        assert_eq!(version("/nowhere/at/all"), None);
    }

    #[test]
    fn another_kernel_has_no_modules_here() {
        // What this one has built in it has whatever it is called.
        assert_eq!(nftables("no-such-release"), nftables("nor-this-one"));
    }
}
