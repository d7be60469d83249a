//! The Landlock ABI of the running kernel.
//!
//! The `landlock` crate keeps the number to itself, so that nobody builds rules from it. Here it is a fact for
//! people and for checks, and is found by asking for what each ABI brought.

use landlock::{
    AccessFs, AccessNet, CompatLevel, Compatible, RestrictSelf, RestrictSelfAttr, Ruleset, RulesetAttr, Scope,
};

/// What is asked for, from ABI 1 on.
const LADDER: [fn() -> bool; 9] = [
    || ruleset().handle_access(AccessFs::Execute).is_ok(),
    || ruleset().handle_access(AccessFs::Refer).is_ok(),
    || ruleset().handle_access(AccessFs::Truncate).is_ok(),
    || ruleset().handle_access(AccessNet::BindTcp).is_ok(),
    || ruleset().handle_access(AccessFs::IoctlDev).is_ok(),
    || ruleset().scope(Scope::Signal).is_ok(),
    || restriction().log_subdomains(false).is_ok(),
    || restriction().all_threads(true).is_ok(),
    || ruleset().handle_access(AccessFs::ResolveUnix).is_ok(),
];

/// 0 where the kernel has no Landlock or it was not switched on at boot; 9 for 9 and everything later.
pub(super) fn abi() -> u32 {
    LADDER.iter().take_while(|has| has()).count() as u32
}

fn ruleset() -> Ruleset {
    Ruleset::default().set_compatibility(CompatLevel::HardRequirement)
}

/// Nothing is restricted before `restrict_self` is called on it.
fn restriction() -> RestrictSelf {
    RestrictSelf::default().set_compatibility(CompatLevel::HardRequirement)
}
