//! Labels of security modules: what the policy alone says, and what the host has.

use super::required;
use crate::host::HostFacts;
use crate::policy::{Policy, Sandbox, SecurityModule, Traced};
use crate::report::Diagnostic;

/// Whether any sandbox names a profile of AppArmor, so that the loaded ones are to be read.
pub fn wants_profiles(policy: &Policy) -> bool {
    let containers = policy.pods.iter().flat_map(|it| &it.containers);
    policy.sandboxes.iter().chain(containers).any(|it| it.labels.apparmor.is_some())
}

pub(super) fn check(sandbox: &Sandbox, out: &mut Vec<Diagnostic>) {
    let labels = &sandbox.labels;
    if let (Some(profile), Some(context)) = (&labels.apparmor, &labels.selinux) {
        out.push(
            Diagnostic::error("label-of-two", "a kernel labels processes by AppArmor or by SELinux")
                .label(profile.span(), "this takes AppArmor")
                .label(context.span(), "this takes SELinux")
                .help("delete one of the two; a parameter with `if` can choose by host"),
        );
    }
    let names_none = |text: &str| text.is_empty() || text.chars().any(|it| it.is_control());
    if let Some(profile) = labels.apparmor.as_ref().filter(|it| names_none(&it.value)) {
        out.push(
            Diagnostic::error("label-invalid", "this names no profile of AppArmor")
                .label(profile.span(), "no name")
                .help("write the name of a loaded profile: `aa-status` lists them"),
        );
    }
    let is_context = |text: &str| !names_none(text) && text.split(':').take(3).filter(|it| !it.is_empty()).count() == 3;
    if let Some(context) = labels.selinux.as_ref().filter(|it| !is_context(&it.value)) {
        out.push(
            Diagnostic::error("label-invalid", "this is no context of SELinux")
                .label(context.span(), "not `user:role:type`, with a range behind where the policy has levels")
                .help("write it as `ps -Z` shows it: `\"system_u:system_r:container_t:s0\"`"),
        );
    }
}

pub(super) fn check_host(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    if let Some(profile) = required(&sandbox.labels.apparmor) {
        match facts.security.apparmor {
            Some(false) => out.push(missing(SecurityModule::Apparmor, profile, facts)),
            _ => loaded(profile, facts, out),
        }
    }
    let Some(context) = required(&sandbox.labels.selinux) else { return };
    match facts.security.selinux {
        Some(false) => out.push(missing(SecurityModule::Selinux, context, facts)),
        _ if facts.security.selinux_enforcing == Some(false) => out.push(
            Diagnostic::error(
                "label-not-enforced",
                format!("SELinux of {} is permissive: it refuses nothing", facts.name),
            )
            .label(context.span(), "would restrict nobody")
            .help("as root: `setenforce 1`; or write `prefer` before it to go on without a label"),
        ),
        _ => {}
    }
}

fn missing(module: SecurityModule, label: &Traced<String>, facts: &HostFacts) -> Diagnostic {
    let parameter = match module {
        SecurityModule::Apparmor => "apparmor=1 security=apparmor",
        SecurityModule::Selinux => "selinux=1 security=selinux",
    };
    Diagnostic::error("label-module-missing", format!("{} is not in force on {}", module.name(), facts.name))
        .label(label.span(), "labels nobody there")
        .help(format!(
            "boot a kernel that has it with `{parameter}`, or write `prefer` before it to go on without a label"
        ))
}

/// Only who may see AppArmor's policy knows which profiles are loaded.
fn loaded(profile: &Traced<String>, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    let Some(profiles) = &facts.security.profiles else { return };
    match profiles.get(&profile.value).map(String::as_str) {
        None => out.push(
            Diagnostic::error(
                "apparmor-not-loaded",
                format!("no profile of the name `{}` is loaded on {}", profile.value, facts.name),
            )
            .label(profile.span(), "not loaded")
            .help("as root: `apparmor_parser -r FILE` loads it, and `aa-status` lists those that are loaded"),
        ),
        Some("enforce" | "kill") => {}
        Some(mode) => out.push(
            Diagnostic::error(
                "label-not-enforced",
                format!("the profile `{}` is in {mode} mode: it refuses nothing", profile.value),
            )
            .label(profile.span(), "would restrict nobody")
            .help(format!(
                "as root: `aa-enforce {}`; or write `prefer` before it to go on without a label",
                profile.value
            )),
        ),
    }
}
