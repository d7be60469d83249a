//! The section `user`.

use super::read::*;
use super::*;

impl Lower<'_, '_> {
    pub(super) fn user(&mut self) -> User {
        let mode = self.mode("user");
        let (mut uid_map, mut gid_map) = (Vec::new(), Vec::new());
        for found in self.entries("user.map") {
            let [kind, inside] = found.payload.labels.as_slice() else { continue };
            let Some(inside) = self.id(inside) else { continue };
            let Some(outside) = found.payload.value.as_ref().and_then(|it| self.outside(it)) else { continue };
            let map = Traced {
                value: IdMap { inside, outside },
                origin: found.origin.clone(),
                strength: found.payload.strength,
            };
            if text(kind).as_deref() == Some("gid") { gid_map.push(map) } else { uid_map.push(map) }
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
            uid: self.id_setting("user.as"),
            gid: self.id_setting("user.group"),
            groups: self.groups(),
            setgroups: self.setting("user.setgroups", |it| Some(text(it)? == "allow")),
        }
    }

    pub(super) fn id_setting(&mut self, key: &str) -> Option<Traced<u32>> {
        let found = self.setting(key, |it| Some(it.clone()))?;
        let id = self.id(&found.value)?;
        Some(found.map(|_| id))
    }

    pub(super) fn groups(&mut self) -> Option<Traced<Vec<u32>>> {
        let found = self.setting("user.groups", |it| Some(it.clone()))?;
        let Value::List(items) = found.value.value.clone() else { return None };
        let ids: Vec<Option<u32>> = items.iter().map(|it| self.id(it)).collect();
        let ids: Vec<u32> = ids.into_iter().collect::<Option<_>>()?;
        Some(found.map(|_| ids))
    }

    /// An id by number. Of names only the two are known that mean the same everywhere.
    pub(super) fn id(&mut self, val: &Val) -> Option<u32> {
        match &val.value {
            Value::Int(it) => u32::try_from(*it).ok(),
            Value::Symbol(name) if name == "root" => Some(0),
            Value::Symbol(name) if name == "nobody" => Some(65534),
            Value::Symbol(name) => {
                self.cx.report(
                    Diagnostic::error("not-yet", format!("the user `{name}` cannot be named yet"))
                        .label(val.span, "only `root` and `nobody` have the same number everywhere")
                        .help(format!("write its number, which `id -u {name}` tells")),
                );
                None
            }
            _ => None,
        }
    }

    pub(super) fn outside(&mut self, val: &Val) -> Option<Outside> {
        let Value::Variant(name, args) = &val.value else { return None };
        let count = || argument(args, "count").and_then(count).map_or(1, |it| it as u32);
        Some(match name.as_str() {
            "caller" => Outside::Caller,
            "unprivileged" => Outside::Unprivileged,
            "subid" => Outside::Subid { count: count() },
            _ => Outside::Outer { id: self.id(argument(args, "id")?)?, count: count() },
        })
    }
}
