//! The sections `caps` and `landlock`.

use super::read::*;
use super::*;

impl Lower<'_, '_> {
    pub(super) fn sysctls(&mut self) -> Vec<Traced<Sysctl>> {
        let read = |found: &Candidate| {
            let name = found.payload.labels.first().and_then(text)?;
            let value = match &found.payload.value.as_deref()?.value {
                Value::Int(number) => number.to_string(),
                Value::Str(text) => text.clone(),
                _ => return None,
            };
            let (origin, strength) = (found.origin.clone(), found.payload.strength);
            Some(Traced { value: Sysctl { name, value }, origin, strength })
        };
        self.entries("sysctl").iter().filter_map(read).collect()
    }

    pub(super) fn caps(&mut self) -> Caps {
        let mut caps = Caps::default();
        for (head, is_ambient) in [("caps.keep", false), ("caps.ambient", true)] {
            for found in self.entries(head) {
                let Some(label) = found.payload.labels.first() else { continue };
                let Some(written) = text(label) else { continue };
                let traced = |value| Traced { value, origin: found.origin.clone(), strength: found.payload.strength };
                if written == "none" && !is_ambient {
                    caps.none = Some(traced(()).map(|()| ()));
                    continue;
                }
                let name = written.to_lowercase();
                let name = name.strip_prefix("cap_").unwrap_or(&name).to_string();
                if !names::CAPABILITIES.contains(&name.as_str()) {
                    self.unknown_capability(&written, label.span);
                    continue;
                }
                let list = if is_ambient { &mut caps.ambient } else { &mut caps.keep };
                list.push(Traced { value: name, origin: found.origin.clone(), strength: found.payload.strength });
            }
        }
        if let (Some(none), Some(kept)) = (&caps.none, caps.keep.first().or(caps.ambient.first())) {
            let (none, kept) = (none.span(), kept.span());
            self.cx.report(
                Diagnostic::error(
                    "keep-none-and-some",
                    "`keep none` and a capability that is kept contradict each other",
                )
                .label(kept, "this keeps one")
                .label(none, "this keeps none")
                .help("delete one of the two; what is not named is never kept"),
            );
        }
        caps
    }

    pub(super) fn unknown_capability(&mut self, name: &str, span: Span) {
        let mut finding =
            Diagnostic::error("unknown-capability", format!("there is no capability `{name}`")).label(span, "unknown");
        finding = match suggest::nearest(name, names::CAPABILITIES.iter().copied()) {
            Some(found) => {
                finding.help(format!("did you mean `{found}`?")).fix(format!("write `{found}`"), span, found)
            }
            None => finding.help("capabilities(7) lists them; they are written without `CAP_`, as in `net_raw`"),
        };
        self.cx.report(finding);
    }

    pub(super) fn landlock(&mut self) -> Landlock {
        let list = |val: &Val| match &val.value {
            Value::List(items) => Some(items.clone()),
            _ => None,
        };
        let ports = |val: &Val| Some(list(val)?.iter().filter_map(port).collect());
        let scope = |val: &Val| match text(val)?.as_str() {
            "signal" => Some(Scope::Signal),
            _ => Some(Scope::AbstractUnixSocket),
        };
        Landlock {
            files: self.setting("landlock.files", |_| Some(())),
            tcp_bind: self.setting("landlock.tcp.bind", ports),
            tcp_connect: self.setting("landlock.tcp.connect", ports),
            scope: self.setting("landlock.scope", |val| Some(list(val)?.iter().filter_map(scope).collect())),
        }
    }
}
