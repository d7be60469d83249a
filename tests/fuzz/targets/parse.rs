//! Any text is read without a panic, and every finding points into it and can be shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nsl::report::{Format, Style, render};
use nsl::source::Files;
use nsl::syntax::parse;

fuzz_target!(|text: &str| {
    let mut files = Files::new();
    let file = files.add("policy.nsl", text.to_string());
    let tree = parse(&files, file);
    for finding in &tree.errors {
        for label in &finding.labels {
            let (start, end) = (label.span.start as usize, label.span.end as usize);
            assert!(start <= end && text.get(start..end).is_some(), "{finding:?}");
        }
    }
    for (format, unicode) in [(Format::Human, true), (Format::Human, false), (Format::Narrated, true), (Format::Json, true)] {
        render(&files, &tree.errors, Style { format, color: false, unicode, width: 60 });
    }
});
