//! The pages of findings that need to know the host, held against the hosts of their cases.

use std::collections::BTreeSet;
use std::path::Path;

use nsl::host::HostFacts;
use nsl::report::{Diagnostic, pages};

use super::host::{self, Case};
use super::{host_keep, resolved};

/// Codes that a file can have by itself too: its example shows that.
const ALSO_OF_FILES: &[&str] = &["secret-source", "keep-exposed"];

fn cases() -> impl Iterator<Item = &'static Case> {
    host::CASES.iter().chain(host_keep::CASES)
}

/// The codes that are about hosts.
pub fn codes() -> BTreeSet<&'static str> {
    cases().map(|it| it.code).filter(|it| *it != "-" && !ALSO_OF_FILES.contains(it)).collect()
}

/// The wrong example of a page is wrong on a host of its cases and nowhere else, the right one right on that host.
#[test]
fn pages_of_hosts() {
    let mut wrong = Vec::new();
    for code in codes() {
        let page = pages::find(code).expect("a page");
        let of = |text: &str, host: &HostFacts| {
            let (_, result) = resolved(text, "policy.nsl", Path::new("/nowhere"), &[]);
            let mut found = result.findings.clone();
            found.extend(nsl::check::check_policy(&result.policy));
            let of_file: Vec<&str> = found.iter().filter(|it| it.is_error()).map(|it| it.code).collect();
            assert!(of_file.is_empty(), "{code}: {of_file:?} in\n{text}");
            nsl::check::check_host(&result.policy, host)
        };
        let cases = cases().filter(|it| it.code == code).map(|it| (it.host)());
        let shows = |host: &HostFacts| {
            let is_it = |it: &Diagnostic| it.code == code && it.severity == page.severity;
            let right = of(page.right, host);
            of(page.wrong, host).iter().any(is_it) && !right.iter().any(|it| it.code == code || it.is_error())
        };
        let hosts: Vec<HostFacts> = cases.collect();
        if page.wrong.is_empty() || !hosts.iter().any(shows) {
            let told: Vec<_> = hosts.iter().map(|host| (of(page.wrong, host), of(page.right, host))).collect();
            wrong.push(format!("{code}: {told:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
