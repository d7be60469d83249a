//! Id maps: what the policy says, in numbers of this host.

use super::build::Builder;
use super::{Action, IdMapping, MapLine, Stage, join};
use crate::host::{HostFacts, IdRange, Joinable};
use crate::policy::{IdMap, Mode, NsKind, Outside, Sandbox, Traced};
use crate::report::Diagnostic;
use crate::source::Span;

/// Ids that no known allocator hands out (systemd's table of ids leaves 1879048192 and above to nobody but
/// its "foreign" range far above): for a root caller without a range of its own in /etc/subuid.
const UNCLAIMED: IdRange = IdRange { start: 0x7000_0000, count: 0x0100_0000 };

/// Who the program is.
pub(super) struct Identity {
    /// `None` where the user namespace is the host's.
    maps: Option<(IdMapping, IdMapping)>,
    deny_setgroups: bool,
    pub(super) uid: u32,
    pub(super) gid: u32,
    groups: Option<Vec<u32>>,
    map_spans: (Span, Span),
    uid_span: Span,
}

/// The id outside that `unprivileged` means for a sandbox of this name.
///
/// The caller's own where the caller is no root; otherwise one of root's subordinate range, chosen by the
/// sandbox's name, so that two sandboxes are two users of the host.
pub fn allotted_id(facts: &HostFacts, name: &str, ranges: &[IdRange], own: u32) -> u32 {
    if facts.caller.uid != 0 || !facts.caller.initial_userns {
        return own;
    }
    let range = ranges.first().copied().filter(|it| it.count > 0).unwrap_or(UNCLAIMED);
    range.start + fnv(name) % range.count
}

/// FNV-1a: stable over versions, which `std`'s hasher does not promise.
fn fnv(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

pub(super) fn resolve(builder: &mut Builder) -> Option<Identity> {
    let sandbox = builder.sandbox;
    if !sandbox.is_new(NsKind::User) {
        return Some(match (join::user_of(builder), builder.ground.and_then(|it| it.ids)) {
            (Some(found), _) => joined_identity(builder, found),
            (None, Some(pod)) if sandbox.user.mode.value == Mode::Pod => pod_identity(builder, pod),
            _ => host_identity(builder),
        });
    }
    let uids = lines(builder, &sandbox.user.uid_map, Kind::Uid)?;
    let gids = lines(builder, &sandbox.user.gid_map, Kind::Gid)?;
    let caller = &builder.facts.caller;
    let uid_helper = needs_helper(builder, &uids, caller.uid);
    let gid_helper = needs_helper(builder, &gids, caller.gid);
    let uids = mapping(builder, uids, uid_helper, "newuidmap")?;
    let gids = mapping(builder, gids, gid_helper, "newgidmap")?;
    let deny_setgroups = match &sandbox.user.setgroups {
        Some(stated) => !stated.value,
        None => !caller.is_privileged() && gids.helper.is_none(),
    };
    let (uid, gid) = inside_ids(sandbox, &uids.lines, &gids.lines);
    let groups = (!deny_setgroups).then(|| groups(builder)).flatten();
    let span_of = |map: &[Traced<IdMap>]| map.first().map_or(sandbox.user.mode.span(), Traced::span);
    Some(Identity {
        deny_setgroups,
        uid,
        gid,
        groups,
        map_spans: (span_of(&sandbox.user.uid_map), span_of(&sandbox.user.gid_map)),
        uid_span: uid_span(sandbox),
        maps: Some((uids, gids)),
    })
}

fn uid_span(sandbox: &Sandbox) -> Span {
    sandbox.user.uid.as_ref().map_or(sandbox.user.mode.span(), Traced::span)
}

/// Without a user namespace of its own the program is the caller, or who `as` says.
fn host_identity(builder: &Builder) -> Identity {
    let sandbox = builder.sandbox;
    let caller = &builder.facts.caller;
    let uid = sandbox.user.uid.as_ref().map_or(caller.uid, |it| it.value);
    let gid = match (&sandbox.user.gid, &sandbox.user.uid) {
        (Some(gid), _) => gid.value,
        (None, Some(uid)) => uid.value,
        (None, None) => caller.gid,
    };
    let may = caller.has("setgid");
    let groups = may.then(|| groups(builder)).flatten();
    let span = uid_span(sandbox);
    Identity { maps: None, deny_setgroups: false, uid, gid, groups, map_spans: (span, span), uid_span: span }
}

/// In the user namespace of a target the program is who the target is, or who `as` says; of a file nobody knows more than
/// that 0 is most likely mapped.
fn joined_identity(builder: &Builder, found: Option<&Joinable>) -> Identity {
    let (uid, gid) = found.and_then(|it| it.ids).unwrap_or((0, 0));
    identity_in(builder, uid, gid, found.is_some_and(|it| it.setgroups_denied))
}

/// In the pod's user namespace it is who the pod's `as` says, or who its own does.
fn pod_identity(builder: &Builder, pod: PodIds) -> Identity {
    identity_in(builder, pod.uid, pod.gid, pod.setgroups_denied)
}

fn identity_in(builder: &Builder, uid: u32, gid: u32, setgroups_denied: bool) -> Identity {
    let user = &builder.sandbox.user;
    let uid = user.uid.as_ref().map_or(uid, |it| it.value);
    let gid = user.gid.as_ref().map_or(gid, |it| it.value);
    let stated = user.groups.as_ref().map(|it| it.value.clone());
    // Groups that are stated and cannot be set fail, as they must.
    let groups = stated.or((!setgroups_denied).then(Vec::new));
    let span = uid_span(builder.sandbox);
    Identity { maps: None, deny_setgroups: false, uid, gid, groups, map_spans: (span, span), uid_span: span }
}

/// Who the program is that a pod holds, for its containers.
#[derive(Clone, Copy)]
pub(super) struct PodIds {
    uid: u32,
    gid: u32,
    setgroups_denied: bool,
}

impl Identity {
    /// What containers need to know of the pod's.
    pub(super) fn for_containers(&self) -> PodIds {
        PodIds { uid: self.uid, gid: self.gid, setgroups_denied: self.groups.is_none() }
    }
}

/// The supplementary groups, none where none are stated. Where setgroups(2) is denied already, as in a namespace of
/// `unshare --map-root-user`, those of the caller stay; groups that are stated fail then, as they must.
fn groups(builder: &Builder) -> Option<Vec<u32>> {
    match &builder.sandbox.user.groups {
        Some(stated) => Some(stated.value.clone()),
        None if *builder.facts.caller.setgroups_denied => None,
        None => Some(Vec::new()),
    }
}

fn inside_ids(sandbox: &Sandbox, uids: &[MapLine], gids: &[MapLine]) -> (u32, u32) {
    let first = |lines: &[MapLine]| lines.first().map_or(0, |it| it.inside);
    let covers = |lines: &[MapLine], id: u32| lines.iter().any(|it| id >= it.inside && id - it.inside < it.count);
    let uid = sandbox.user.uid.as_ref().map_or(first(uids), |it| it.value);
    let gid = match &sandbox.user.gid {
        Some(stated) => stated.value,
        None if covers(gids, uid) => uid,
        None => first(gids),
    };
    (uid, gid)
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Uid,
    Gid,
}

fn lines(builder: &mut Builder, map: &[Traced<IdMap>], kind: Kind) -> Option<Vec<MapLine>> {
    let mut supply = Supply::of(builder, map, kind);
    let mut lines = Vec::with_capacity(map.len());
    for entry in map {
        lines.push(line(builder, entry, &mut supply)?);
    }
    lines.sort_by_key(|it| it.inside);
    Some(lines)
}

/// The ids outside that one map can be made of.
struct Supply {
    kind: Kind,
    /// The caller's.
    own: u32,
    /// What `unprivileged` means.
    unprivileged: u32,
    /// Subordinate ids that are in no line yet.
    free: Vec<IdRange>,
}

impl Supply {
    fn of(builder: &Builder, map: &[Traced<IdMap>], kind: Kind) -> Supply {
        let caller = &builder.facts.caller;
        let is_root = caller.uid == 0 && caller.initial_userns;
        let has = |of: fn(&Outside) -> bool| map.iter().any(|it| of(&it.value.outside));
        // An ordinary caller's own id takes none of them, and then nobody need look for any.
        let asked = has(|it| matches!(it, Outside::Subid { .. })) || is_root && has(|it| *it == Outside::Unprivileged);
        let (own, ranges) = match kind {
            Kind::Uid => (caller.uid, &caller.subuid),
            Kind::Gid => (caller.gid, &caller.subgid),
        };
        let ranges: &[IdRange] = if asked { ranges } else { &[] };
        let name = &builder.sandbox.name.value;
        let wanted = map.iter().fold(0_u32, |sum, it| match it.value.outside {
            Outside::Subid { count } => sum.saturating_add(count),
            Outside::Unprivileged => sum.saturating_add(1),
            Outside::Caller | Outside::Outer { .. } => sum,
        });
        let unprivileged = allotted_id(builder.facts, name, ranges, own);
        let mut supply = Supply { kind, own, unprivileged, free: ranges.to_vec() };
        if is_root && !ranges.iter().any(|it| it.count >= wanted) && wanted <= UNCLAIMED.count {
            let slots = (UNCLAIMED.count / wanted.max(1)).max(1);
            supply.free.push(IdRange { start: UNCLAIMED.start + fnv(name) % slots * wanted, count: wanted });
        }
        // The lines of a map may not overlap, and subordinate ids are handed out from the start of a range.
        if is_root && has(|it| matches!(it, Outside::Subid { .. })) && has(|it| *it == Outside::Unprivileged) {
            supply.unprivileged = supply.take(1).unwrap_or(unprivileged);
        }
        supply
    }

    fn take(&mut self, count: u32) -> Option<u32> {
        let range = self.free.iter_mut().find(|it| it.count >= count)?;
        let start = range.start;
        *range = IdRange { start: start + count, count: range.count - count };
        Some(start)
    }
}

fn line(builder: &mut Builder, entry: &Traced<IdMap>, supply: &mut Supply) -> Option<MapLine> {
    let inside = entry.value.inside;
    let (outside, count) = match entry.value.outside {
        Outside::Caller => (supply.own, 1),
        Outside::Unprivileged => (supply.unprivileged, 1),
        Outside::Outer { id, count } => (id, count),
        Outside::Subid { count } => match supply.take(count) {
            Some(start) => (start, count),
            None => {
                no_range(builder, entry, count, supply.kind);
                return None;
            }
        },
    };
    Some(MapLine { inside, outside, count })
}

fn no_range(builder: &mut Builder, entry: &Traced<IdMap>, count: u32, kind: Kind) {
    let file = if kind == Kind::Uid { "/etc/subuid" } else { "/etc/subgid" };
    let user = &builder.facts.caller.user;
    builder.errors.push(
        Diagnostic::error("map-needs-helper", format!("{file} gives `{user}` no range with {count} ids to spare"))
            .label(entry.span(), format!("{count} subordinate ids are asked for here"))
            .help(format!("as root, add the line `{user}:100000:{}` to {file}", count.max(65536))),
    );
}

/// user_namespaces(7): without CAP_SETUID outside, a map may be one line of one id, the caller's own.
fn needs_helper(builder: &Builder, lines: &[MapLine], own: u32) -> bool {
    let own_only = matches!(lines, [line] if line.count == 1 && line.outside == own);
    !builder.facts.caller.is_privileged() && !own_only
}

fn mapping(builder: &mut Builder, lines: Vec<MapLine>, needed: bool, name: &str) -> Option<IdMapping> {
    if !needed {
        return Some(IdMapping { lines, helper: None });
    }
    let Some(path) = builder.facts.helpers.get(name) else {
        let span = builder.sandbox.user.uid_map.first().map_or(builder.span(), Traced::span);
        builder.errors.push(
            Diagnostic::error(
                "map-needs-helper",
                format!("mapping ids other than your own needs `{name}`, which is not installed"),
            )
            .label(span, "this map covers more than the caller's own id")
            .help("install the package `uidmap` (Debian, Ubuntu) or `shadow-utils` (Fedora), or map `caller` alone"),
        );
        return None;
    };
    Some(IdMapping { lines, helper: Some(path.clone()) })
}

/// The maps, written from outside while the child waits.
pub(super) fn admit(builder: &mut Builder, identity: &Identity) {
    let Some((uids, gids)) = &identity.maps else { return };
    let (uid_span, gid_span) = identity.map_spans;
    let privilege = |map: &IdMapping, capability: &'static str| map.helper.is_none().then_some(capability);
    let privileged = builder.facts.caller.is_privileged();
    let uid_privilege = privilege(uids, "CAP_SETUID").filter(|_| privileged);
    let gid_privilege = privilege(gids, "CAP_SETGID").filter(|_| privileged);
    builder.push(Stage::Admit, Action::MapUids(uids.clone()), uid_span, "user.map[uid]".into(), uid_privilege, true);
    if identity.deny_setgroups {
        builder.rule(Stage::Admit, Action::DenySetgroups, gid_span, "an unprivileged gid map needs it");
    }
    builder.push(Stage::Admit, Action::MapGids(gids.clone()), gid_span, "user.map[gid]".into(), gid_privilege, true);
}

/// The child takes on its ids before it makes files: what it makes belongs to the program, and the kernel
/// refuses to make inodes for ids that the namespace does not map (EOVERFLOW).
pub(super) fn assume(builder: &mut Builder, identity: &Identity) {
    let action = Action::SetIds { uid: identity.uid, gid: identity.gid, groups: identity.groups.clone() };
    let privilege = (!builder.own_user() && identity.groups.is_some()).then_some("CAP_SETUID");
    builder.push(Stage::Child, action, identity.uid_span, "user.as".into(), privilege, true);
}
