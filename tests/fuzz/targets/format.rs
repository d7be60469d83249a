//! What can be read can be formatted, once and for all, without a change of meaning (which `format` makes sure of itself).
#![no_main]

use libfuzzer_sys::fuzz_target;
use nsl::format::format;
use nsl::source::Files;
use nsl::syntax::parse;

fn formatted(text: &str) -> Option<String> {
    let mut files = Files::new();
    let file = files.add("policy.nsl", text.to_string());
    if !parse(&files, file).errors.is_empty() {
        return None;
    }
    Some(format(&files, file).unwrap_or_else(|findings| panic!("{findings:?}")))
}

fuzz_target!(|text: &str| {
    if let Some(once) = formatted(text) {
        let twice = formatted(&once).expect("formatting makes no errors");
        assert_eq!(once, twice);
    }
});
