//! Any text is resolved and checked without a panic, and says the same when it is asked again.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use nsl::report::{Format, Style, render};
use nsl::resolve::{CallerNames, Inputs};
use nsl::source::{LoadError, Loader};

/// One module beside the policy, and nothing else: the standard library is part of nsl.
struct Beside;

impl Loader for Beside {
    fn load(&self, path: &Path) -> Result<String, LoadError> {
        match path.to_str() {
            Some("/policies/common.nsl") => {
                Ok("let small = 16MiB\nprofile base(memory: size = $small) {\n  cgroup new { memory.max = $memory }\n}\n".into())
            }
            _ => Err(LoadError::Missing),
        }
    }
}

fuzz_target!(|text: &str| {
    let caller = CallerNames { uid: 1000, gid: 1000, user: "ada".into(), home: "/home/ada".into() };
    for open in [true, false] {
        let inputs = Inputs { params: Default::default(), caller: caller.clone(), cwd: "/policies".into(), open, ..Inputs::default() };
        let run = || {
            let loaded = nsl::load_text("policy.nsl", text.to_string(), &inputs, &Beside);
            let findings = nsl::findings(&loaded);
            let style = Style { format: Format::Human, color: false, unicode: true, width: 80 };
            (render(&loaded.files, &findings, style), serde_json::to_string(&loaded.resolved.policy).expect("a policy is data"))
        };
        assert_eq!(run(), run(), "the same text has two meanings");
    }
});
