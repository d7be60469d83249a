//! The sections `limits` and `stop`.

use super::read::*;
use super::*;

impl Lower<'_, '_> {
    pub(super) fn limits(&mut self) -> Vec<Traced<Rlimit>> {
        let mut limits = Vec::new();
        for field in crate::schema::fields_of("limits") {
            // RLIMIT_CPU counts seconds, RLIMIT_RTTIME microseconds: getrlimit(2).
            let unit = if field.head == "rttime" { 1_000 } else { 1_000_000_000 };
            let read = |val: &Val| {
                let value = match &val.value {
                    Value::Size(it) => Some(*it),
                    Value::Int(it) => u64::try_from(*it).ok(),
                    Value::Duration(it) => u64::try_from(*it).ok().map(|it| it.div_ceil(unit)),
                    _ => None,
                };
                Some(Rlimit { resource: field.head.to_string(), value })
            };
            limits.extend(self.setting(&format!("limits.{}", field.head), read));
        }
        limits
    }

    pub(super) fn stop(&mut self) -> Stop {
        let signal = |val: &Val| {
            let name = text(val)?;
            let name = name.strip_prefix("SIG").unwrap_or(&name).to_string();
            Some(Signal { number: constants::signal(&name)?, name })
        };
        let term = Signal { name: "TERM".into(), number: libc::SIGTERM };
        Stop {
            after: self.setting("stop.after", |it| duration(it).and_then(|it| u64::try_from(it).ok())),
            cpu: self.setting("stop.cpu", |it| duration(it).and_then(|it| u64::try_from(it).ok())),
            with_parent: self.setting("stop.with-parent", boolean),
            signal: self.or("stop.signal", signal, term, "programs expect TERM"),
            timeout: self.or(
                "stop.timeout",
                |it| duration(it).and_then(|it| u64::try_from(it).ok()),
                10_000_000_000,
                "a program has 10 s to end",
            ),
        }
    }
}
