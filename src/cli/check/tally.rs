//! What was found in all files together.

use nsl::report::{Diagnostic, Severity};

/// Counts.
#[derive(Default)]
pub struct Tally {
    pub files: usize,
    pub errors: usize,
    pub warnings: usize,
    pub advice: usize,
}

impl Tally {
    pub fn add(&mut self, findings: &[Diagnostic]) {
        let count = |severity| findings.iter().filter(|it| it.severity == severity).count();
        self.files += 1;
        self.errors += count(Severity::Error);
        self.warnings += count(Severity::Warning);
        self.advice += count(Severity::Advice);
    }

    pub fn summary(&self) -> String {
        let rows = [(self.errors, "error"), (self.warnings, "warning")];
        let mut parts: Vec<String> = rows.into_iter().filter(|it| it.0 > 0).map(|it| plural(it.0, it.1)).collect();
        if self.advice > 0 {
            parts.push(format!("{} advice", self.advice));
        }
        let found = if parts.is_empty() { "nothing to report".to_string() } else { parts.join(", ") };
        format!("{found} in {}", plural(self.files, "file"))
    }
}

/// `1 file`, `2 files`
pub fn plural(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_up() {
        let tally = |files, errors, warnings, advice| Tally { files, errors, warnings, advice }.summary();
        assert_eq!(tally(1, 0, 0, 0), "nothing to report in 1 file");
        assert_eq!(tally(3, 1, 2, 4), "1 error, 2 warnings, 4 advice in 3 files");
    }
}
