//! Values in messages, as they would be written in a policy.

/// A number of bytes in the largest unit that shows it whole: `64MiB`.
pub(super) fn bytes(count: u64) -> String {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let whole = units.into_iter().find(|(_, bits)| count >= 1 << bits && count.trailing_zeros() >= *bits);
    whole.map_or(format!("{count}B"), |(unit, bits)| format!("{}{unit}", count >> bits))
}

const DAY: u64 = 86_400_000_000_000;

/// A number of nanoseconds in the largest unit that shows it whole: `90s`. Above a day hours are lost, and do not matter.
pub(super) fn duration(nanoseconds: u64) -> String {
    let nanoseconds = if nanoseconds > DAY { nanoseconds - nanoseconds % DAY } else { nanoseconds };
    let units = [("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)];
    let whole = units.into_iter().map(|(unit, seconds)| (unit, seconds * 1_000_000_000u64));
    for (unit, size) in whole.chain([("ms", 1_000_000)]) {
        if nanoseconds >= size && nanoseconds % size == 0 {
            return format!("{}{unit}", nanoseconds / size);
        }
    }
    format!("{nanoseconds}ns")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_values_whole() {
        let sizes = [(0, "0B"), (1023, "1023B"), (1 << 10, "1KiB"), (1536 << 20, "1536MiB"), (1 << 40, "1TiB")];
        sizes.iter().for_each(|(count, text)| assert_eq!(bytes(*count), *text));
        let times = [(0, "0ns"), (1_500_000_000, "1500ms"), (90_000_000_000, "90s"), (172_800_000_000_001, "2d")];
        times.iter().for_each(|(count, text)| assert_eq!(duration(*count), *text));
    }
}
