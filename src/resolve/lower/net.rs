//! The section `net`.

use super::read::*;
use super::*;

impl Lower<'_, '_> {
    pub(super) fn net(&mut self) -> Net {
        let read = |found: &Candidate| {
            let labels = &found.payload.labels;
            let (outer, inner) = (port(labels.last()?)?, port(found.payload.value.as_ref()?)?);
            let address = labels.first().and_then(|it| match it.value {
                Value::Address(address, _) => Some(address),
                _ => None,
            });
            let publish = Publish { address, outer, inner };
            Some(Traced { value: publish, origin: found.origin.clone(), strength: found.payload.strength })
        };
        Net {
            mode: self.mode("net"),
            loopback: self.setting("net.loopback", |it| Some(text(it)? == "up")),
            publish: self.entries("net.publish").iter().filter_map(read).collect(),
        }
    }
}
