//! What only containers of pods have.

use super::read::*;
use super::*;

/// How long a container may take to be ready where the policy does not say.
const WITHIN: i64 = 30_000_000_000;

pub(super) fn ready(val: &Val) -> Option<Ready> {
    let Value::Variant(name, args) = &val.value else { return None };
    let within = argument(args, "within").and_then(duration).unwrap_or(WITHIN) as u64;
    let probe = match name.as_str() {
        "tcp" => match argument(args, "address")?.value {
            Value::Address(address, _) => Probe::Tcp { address, port: argument(args, "port").and_then(count)? as u16 },
            _ => return None,
        },
        "file" => Probe::File(text(argument(args, "path")?)?),
        _ => Probe::Exec(strings(argument(args, "command")?)?),
    };
    Some(Ready { probe, within })
}

pub(super) fn restart(val: &Val) -> Option<Restart> {
    let Value::Variant(name, args) = &val.value else { return None };
    Some(Restart {
        always: name == "always",
        never: name == "never",
        max: argument(args, "max").and_then(count).map(|it| it as u32),
        backoff: argument(args, "backoff").and_then(duration).unwrap_or(1_000_000_000) as u64,
    })
}

/// The volumes of a pod.
pub(super) fn volumes(lower: &mut Lower) -> Vec<Traced<Volume>> {
    let mut volumes = Vec::new();
    for found in lower.entries("volume") {
        let Some(name) = found.payload.labels.first().and_then(text) else { continue };
        let source = found.payload.value.as_deref().and_then(|it| mnt::source(lower, it, ""));
        volumes.extend(source.map(|source| Traced {
            value: Volume { name, source },
            origin: found.origin.clone(),
            strength: found.payload.strength,
        }));
    }
    volumes
}
