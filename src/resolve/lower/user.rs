//! The section `user`.

use super::read::*;
use super::*;

/// Which of the two databases a name is in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum IdKind {
    User,
    Group,
}

impl Lower<'_, '_> {
    pub(super) fn user(&mut self) -> User {
        let mode = self.mode("user");
        let (mut uid_map, mut gid_map) = (Vec::new(), Vec::new());
        for found in self.entries("user.map") {
            let [word, inside] = &*found.payload.labels else { continue };
            let kind = if text(word).as_deref() == Some("gid") { IdKind::Group } else { IdKind::User };
            let Some(inside) = self.id(inside, kind) else { continue };
            let Some(outside) = found.payload.value.as_deref().and_then(|it| self.outside(it, kind)) else { continue };
            let map = Traced {
                value: IdMap { inside, outside },
                origin: found.origin.clone(),
                strength: found.payload.strength,
            };
            if kind == IdKind::Group { gid_map.push(map) } else { uid_map.push(map) }
        }
        if mode.value == Mode::New {
            let rule = "a user namespace without a map: 1000 is unprivileged";
            for (map, key) in [(&mut uid_map, "user.map[uid 1000]"), (&mut gid_map, "user.map[gid 1000]")] {
                if map.is_empty() {
                    let implied = IdMap { inside: 1000, outside: Outside::Unprivileged };
                    map.push(Traced::implied(implied, mode.span(), key, rule));
                }
            }
        }
        uid_map.sort_by_key(|it| it.value.inside);
        gid_map.sort_by_key(|it| it.value.inside);
        User {
            mode,
            uid_map,
            gid_map,
            uid: self.id_setting("user.as", IdKind::User),
            gid: self.id_setting("user.group", IdKind::Group),
            groups: self.groups(),
            setgroups: self.setting("user.setgroups", |it| Some(text(it)? == "allow")),
        }
    }

    pub(super) fn id_setting(&mut self, key: &str, kind: IdKind) -> Option<Traced<u32>> {
        let found = self.setting(key, |it| Some(it.clone()))?;
        let id = self.id(&found.value, kind)?;
        Some(found.map(|_| id))
    }

    pub(super) fn groups(&mut self) -> Option<Traced<Vec<u32>>> {
        let found = self.setting("user.groups", |it| Some(it.clone()))?;
        let Value::List(items) = found.value.value.clone() else { return None };
        let ids: Vec<Option<u32>> = items.iter().map(|it| self.id(it, IdKind::Group)).collect();
        let ids: Vec<u32> = ids.into_iter().collect::<Option<_>>()?;
        Some(found.map(|_| ids))
    }

    /// An id by number or by name. `root` and `nobody` mean the same everywhere; what other names mean, this host says.
    pub(super) fn id(&mut self, val: &Val, kind: IdKind) -> Option<u32> {
        let name = match &val.value {
            Value::Int(it) => return u32::try_from(*it).ok(),
            Value::Symbol(name) => name,
            _ => return None,
        };
        let database = self.cx.inputs.database;
        let (what, file, found) = match kind {
            IdKind::User => ("user", "/etc/passwd", (database.uid)(name)),
            IdKind::Group => ("group", "/etc/group", (database.gid)(name)),
        };
        let known = match name.as_str() {
            "root" => Some(0),
            "nobody" => Some(65534),
            _ => None,
        };
        let id = known.or(found);
        if id.is_none() {
            self.cx.report(
                Diagnostic::error("unknown-user", format!("this host has no {what} `{name}`"))
                    .label(val.span, format!("not in {file}"))
                    .help("write its number, or the name of one that exists where the policy is run"),
            );
        }
        id
    }

    pub(super) fn outside(&mut self, val: &Val, kind: IdKind) -> Option<Outside> {
        let Value::Variant(name, args) = &val.value else { return None };
        let count = || argument(args, "count").and_then(count).map_or(1, |it| it as u32);
        Some(match name.as_str() {
            "caller" => Outside::Caller,
            "unprivileged" => Outside::Unprivileged,
            "subid" => Outside::Subid { count: count() },
            _ => Outside::Outer { id: self.id(argument(args, "id")?, kind)?, count: count() },
        })
    }
}
