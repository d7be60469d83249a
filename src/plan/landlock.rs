//! The second wall: the tree of `mnt` as Landlock rules, from the same entries, so that the two cannot drift apart.
//!
//! Landlock only allows: what is allowed on a directory holds for everything below it. So rules say where the program may
//! write and where it may execute; what lies hidden below, and where `noexec` stands, the mounts see to.

use super::build::Builder;
use super::{Action, LandlockPath, LandlockSpec, Stage};
use crate::policy::{Access, EntryKind, Landlock, LandlockAbi, MountSource, Root, Sandbox, Strength, Traced, Upper};

pub(super) fn build(builder: &mut Builder) {
    let landlock = &builder.sandbox.landlock;
    let (files, bind) =
        (met(builder, &landlock.files, Landlock::FILES), met(builder, &landlock.tcp_bind, Landlock::TCP));
    let (connect, scope) =
        (met(builder, &landlock.tcp_connect, Landlock::TCP), met(builder, &landlock.scope, Landlock::SCOPE));
    let ports = |list: Option<&Traced<Vec<crate::policy::Port>>>| {
        list.map(|it| it.value.iter().map(|port| port.number).collect::<Vec<u16>>())
    };
    let origins = [
        files.map(|it| &it.origin),
        bind.map(|it| &it.origin),
        connect.map(|it| &it.origin),
        scope.map(|it| &it.origin),
    ];
    let Some(origin) = origins.into_iter().flatten().next() else { return };
    let spec = LandlockSpec {
        abi: *builder.facts.landlock_abi,
        files: files.map(|_| paths(builder.sandbox)),
        tcp_bind: ports(bind),
        tcp_connect: ports(connect),
        scope: scope.map(|it| it.value.clone()).unwrap_or_default(),
    };
    builder.step(Stage::Program, Action::RestrictLandlock(spec), origin);
}

/// A statement that this kernel can meet. One that it cannot and that is only preferred is noted as missing.
fn met<'a, T>(builder: &mut Builder<'a>, value: &'a Option<Traced<T>>, abi: LandlockAbi) -> Option<&'a Traced<T>> {
    let value = value.as_ref()?;
    let found = *builder.facts.landlock_abi;
    if found >= abi.number || value.strength != Strength::Prefer {
        return Some(value);
    }
    let reason = match found {
        0 => "this kernel has no Landlock, or it was not switched on at boot".to_string(),
        _ => format!("it needs Landlock ABI {}, and this kernel has {found}", abi.number),
    };
    builder.degrade(value, reason);
    None
}

fn paths(sandbox: &Sandbox) -> Vec<LandlockPath> {
    let path = |path: &str, write: bool, execute: bool| LandlockPath { path: path.to_string(), write, execute };
    let mut rules = match sandbox.mnt.root.as_ref().map(|it| &it.value) {
        Some(Root::Host(access) | Root::Dir { access, .. }) => vec![path("/", *access == Access::Rw, true)],
        Some(Root::Overlay(overlay)) => vec![path("/", overlay.upper != Upper::None, !overlay.flags.noexec)],
        Some(Root::Image(image)) => vec![path("/", image.access == Access::Rw, !image.flags.noexec)],
        None | Some(Root::Empty) => vec![path("/", false, false)],
    };
    for entry in &sandbox.mnt.entries {
        let EntryKind::Mount(source) = &entry.value.kind else { continue };
        let at = entry.value.path.as_str();
        rules.push(match source {
            MountSource::Bind { access, flags, .. } | MountSource::Volume { access, flags, .. } => {
                path(at, *access == Access::Rw, !flags.noexec)
            }
            MountSource::Overlay(overlay) => path(at, overlay.upper != Upper::None, !overlay.flags.noexec),
            MountSource::Tmpfs { flags, .. } => path(at, true, !flags.noexec),
            MountSource::Proc(_) | MountSource::Dev | MountSource::Mqueue | MountSource::Devpts => {
                path(at, true, false)
            }
            MountSource::Device { .. } => path(at, true, false),
            MountSource::Sys | MountSource::Cgroup | MountSource::File { .. } | MountSource::Secret { .. } => {
                path(at, false, false)
            }
        });
    }
    rules
}
