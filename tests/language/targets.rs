//! What is said of the examples on every built-in target: a table for review, `targets/EXAMPLE.out`.

use std::fs;
use std::path::Path;

use nsl::report::render;
use nsl::resolve::{CallerNames, Inputs};

use super::{Disk, HERE, STYLE};

#[test]
fn examples_on_targets() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let caller = CallerNames { uid: 1000, gid: 1000, user: "ada".into(), home: "/home/ada".into() };
    let inputs = Inputs { params: Default::default(), caller, cwd: HERE.into(), open: true, ..Inputs::default() };
    let mut wrong = Vec::new();
    for example in ["hello", "untrusted", "web"] {
        let dir = repository.join("examples");
        let text = fs::read_to_string(dir.join(format!("{example}.nsl"))).expect("an example");
        let loaded = nsl::load_text(&format!("{example}.nsl"), text, &inputs, &Disk { seen: HERE.into(), real: dir });
        let mut got = String::new();
        for name in nsl::host::target_names() {
            let facts = nsl::host::target(&name).expect("it is listed");
            let findings = nsl::target_findings(&loaded, &facts);
            got.push_str(&format!("== {name}\n{}\n", render(&loaded.files, &findings, STYLE)));
        }
        let path = repository.join(format!("tests/language/targets/{example}.out"));
        if std::env::var_os("NSL_BLESS").is_some() {
            fs::create_dir_all(path.parent().expect("a folder")).expect("our own folder");
            fs::write(&path, &got).expect("the result can be written");
        } else if fs::read_to_string(&path).ok().as_deref() != Some(got.as_str()) {
            wrong.push(format!("{example} gives\n{got}"));
        }
    }
    assert!(wrong.is_empty(), "{}\nNSL_BLESS=1 takes these for right", wrong.join("\n"));
}
