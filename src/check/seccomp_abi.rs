//! What a rule comes to in an ABI beside the machine's own.

use crate::host::HostFacts;
use crate::policy::{Sandbox, Seccomp, SyscallRule, Traced};
use crate::report::Diagnostic;
use crate::schema::syscalls::{self, i386};

pub(super) fn check(seccomp: &Seccomp, out: &mut Vec<Diagnostic>) {
    let i386 = seccomp.abis.iter().find(|it| it.value == i386::NAME);
    for rule in seccomp.rules.iter().filter(|it| !it.value.is_group) {
        match i386 {
            Some(abi) => hidden(rule, abi, out),
            None => foreign(rule, out),
        }
    }
}

/// A condition that cannot be tested in the 32-bit form of a call takes that form away.
fn hidden(rule: &Traced<SyscallRule>, abi: &Traced<String>, out: &mut Vec<Diagnostic>) {
    let conditions = &rule.value.conditions;
    let narrow = conditions.iter().all(|it| it.fits_32_bits());
    let lost: Vec<String> = i386::calls_of(&rule.value.name)
        .filter(|it| !conditions.is_empty() && (!narrow || !i386::keeps_arguments(it)))
        .map(|it| format!("`{it}`"))
        .collect();
    if lost.is_empty() {
        return;
    }
    out.push(
        Diagnostic::warning(
            "seccomp-abi-hidden",
            format!("i386 programs lose {}: no filter can test this condition there", lost.join(", ")),
        )
        .label(rule.span(), "looks at an argument that stands elsewhere in 32 bits")
        .label(abi.span(), "lets i386 programs run")
        .help("leave the condition out, or delete `abi i386`; the call answers ENOSYS there as it is"),
    );
}

/// A call that only i386 has, in a filter that kills every call of i386.
fn foreign(rule: &Traced<SyscallRule>, out: &mut Vec<Diagnostic>) {
    let name = &rule.value.name;
    if syscalls::ARCHES.iter().any(|arch| syscalls::number(arch, name).is_some()) {
        return;
    }
    let instead = i386::same(name).map_or(String::new(), |same| format!("; 64-bit programs call `{same}`"));
    out.push(
        Diagnostic::warning("seccomp-abi-missing", format!("`{name}` is a call of i386 alone, and those kill here"))
            .label(rule.span(), "says nothing")
            .help(format!("delete the line, or add `abi i386` for 32-bit programs{instead}")),
    );
}

/// An ABI that this machine does not run.
pub(super) fn check_host(sandbox: &Sandbox, facts: &HostFacts, out: &mut Vec<Diagnostic>) {
    let arch = facts.kernel.arch.as_str();
    let abis = sandbox.seccomp.iter().flat_map(|it| &it.abis);
    for abi in abis.filter(|it| it.value == i386::NAME && arch != i386::HOST) {
        out.push(
            Diagnostic::advice("seccomp-abi-elsewhere", format!("no {} programs run on {arch}", abi.value))
                .label(abi.span(), "without effect on this machine")
                .help("leave it for machines of x86_64, or delete the line"),
        );
    }
}
