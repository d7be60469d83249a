//! Files that keep namespaces: made before anything else exists, pinned when all of the namespaces are there.
//!
//! The child makes its cgroup and time namespaces itself, after it was let in: so it asks for all pins when it has them, and waits.

use super::build::Builder;
use super::{Action, Stage};
use crate::policy::{Keep, NsKind, Strength, Traced};

/// What is kept, but for what the policy only prefers and this host cannot.
fn kept<'a>(builder: &Builder<'a>) -> Vec<&'a Traced<Keep>> {
    let forbidden = builder.facts.mount_admin == Some(false);
    let is_asked = |it: &&Traced<Keep>| !forbidden || it.strength != Strength::Prefer;
    // The checks have refused the rest.
    let can = |it: &&Traced<Keep>| it.value.kind != NsKind::Pid && builder.sandbox.is_new(it.value.kind);
    builder.sandbox.keep.iter().filter(is_asked).filter(can).collect()
}

/// Makes the files.
pub(super) fn make(builder: &mut Builder) {
    let kept = kept(builder);
    for keep in &builder.sandbox.keep {
        if keep.strength == Strength::Prefer && builder.facts.mount_admin == Some(false) {
            builder.degrade(keep, format!("`{}` may not mount on {}", builder.facts.caller.user, builder.facts.name));
        }
    }
    for keep in kept {
        builder.step_of(Stage::Prepare, Action::MakePin { path: keep.value.path.clone() }, keep);
    }
}

/// Pins the namespaces to them.
pub(super) fn pin(builder: &mut Builder) {
    for keep in kept(builder) {
        let Keep { kind, path } = keep.value.clone();
        let (why, required) = (keep.origin.key.to_string(), keep.strength != Strength::Prefer);
        let action = Action::PinNamespace { kind, path };
        builder.push(Stage::Child, action, keep.span(), why, Some("CAP_SYS_ADMIN"), required);
    }
}
