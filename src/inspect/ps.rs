//! What `nsl ps` shows: a row a sandbox.

use serde::Serialize;

use super::usage::{Table, Usage, usage};
use crate::control;
use crate::state::{Entry, Phase, Record};

/// One sandbox. The names of the fields are part of the interface of `nsl ps --json`.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What it is called while it runs.
    pub name: String,
    /// `starting`, `running`, `frozen` or `ended`.
    pub status: &'static str,
    /// The status that it ended with, where it has ended and that is known.
    pub exit_status: Option<i32>,
    /// Seconds since its program was started; until it ended, where it has.
    pub seconds: Option<u64>,
    /// What it uses, where that was asked for.
    pub usage: Option<Usage>,
    /// What is written down of it.
    pub record: Option<Record>,
}

/// A row for each entry. With `usage`, all processes are looked at.
pub fn rows(entries: &[Entry], with_usage: bool) -> Vec<Row> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |it| it.as_secs());
    let table = if with_usage { Table::read() } else { Table::default() };
    entries.iter().map(|entry| row(entry, now, with_usage.then_some(&table))).collect()
}

fn row(entry: &Entry, now: u64, table: Option<&Table>) -> Row {
    let record = entry.record.clone();
    let (status, end) = match entry.phase {
        Phase::Starting => ("starting", None),
        Phase::Running if control::is_frozen(entry) => ("frozen", None),
        Phase::Running => ("running", None),
        Phase::Ended(end) => ("ended", end),
    };
    let until = match entry.phase {
        Phase::Ended(end) => end.map(|it| it.at),
        _ => Some(now),
    };
    let seconds = record.as_ref().zip(until).map(|(record, until)| until.saturating_sub(record.since));
    let usage = match (entry.phase, &record, table) {
        (Phase::Running, Some(record), Some(table)) => Some(usage(record, table)),
        _ => None,
    };
    Row { name: entry.name.clone(), status, exit_status: end.map(|it| it.exit_status), seconds, usage, record }
}

/// What changed between two looks: the share of one CPU in percent, by name.
pub fn cpu_share(before: &[Row], after: &Row, elapsed: std::time::Duration) -> Option<f64> {
    let then = before.iter().find(|row| row.name == after.name && row.record == after.record)?.usage?;
    let now = after.usage?;
    let used = now.cpu.saturating_sub(then.cpu) as f64;
    Some(100.0 * used / elapsed.as_micros().max(1) as f64)
}

/// `4d 3h`, `3h 12m`, `12m 5s`, `5s`.
pub fn duration(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {}s", seconds % 60),
        (0, ..) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

/// `512B`, `3.4MiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in UNITS {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, next);
    }
    if unit == "B" || value >= 100.0 { format!("{value:.0}{unit}") } else { format!("{value:.1}{unit}") }
}

/// Rows of cells as a table: columns as wide as their widest cell, the last one as long as the line allows. What is no
/// text of ours, such as a command, cannot move the cursor.
pub fn table(heads: &[&str], rows: &[Vec<String>], width: usize) -> String {
    let clean = |cell: &str| -> String { cell.chars().map(|it| if it.is_control() { '?' } else { it }).collect() };
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| clean(cell)).collect()).collect();
    let heads: Vec<String> = heads.iter().map(|it| it.to_string()).collect();
    let widths: Vec<usize> = (0..heads.len())
        .map(|at| {
            let cells = rows.iter().map(|row| row.get(at).map_or(0, |it| it.chars().count()));
            cells.chain([heads[at].chars().count()]).max().unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    for row in std::iter::once(&heads).chain(&rows) {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        let line = cells.join("  ");
        out.extend(line.trim_end().chars().take(width));
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_for_people() {
        assert_eq!(duration(5), "5s");
        assert_eq!(duration(725), "12m 5s");
        assert_eq!(duration(11520), "3h 12m");
        assert_eq!(duration(356_400), "4d 3h");
        assert_eq!(size(512), "512B");
        assert_eq!(size(3_565_158), "3.4MiB");
        assert_eq!(size(256 << 20), "256MiB");
    }

    #[test]
    fn a_table_is_aligned_and_harmless() {
        let rows = [vec!["web".to_string(), "a\x1b[2Jb".to_string()], vec!["database".to_string(), "c".repeat(100)]];
        let table = table(&["NAME", "COMMAND"], &rows, 20);
        assert_eq!(table, format!("NAME      COMMAND\nweb       a?[2Jb\ndatabase  {}\n", "c".repeat(10)));
    }
}
