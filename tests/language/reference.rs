//! The language reference holds what the table of the language says.

use std::fs;
use std::path::Path;

const BEGIN: &str = "<!-- Written by the table of the language; NSL_BLESS=1 cargo test reference -->\n";
const END: &str = "<!-- end of the table -->\n";

#[test]
fn reference_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("grammar/README.md");
    let text = fs::read_to_string(&path).expect("the language reference");
    let (before, rest) = text.split_once(BEGIN).expect("the place where the table begins");
    let (_, after) = rest.split_once(END).expect("the place where it ends");
    let current = format!("{before}{BEGIN}{}{END}{after}", nsl::schema::reference());
    if std::env::var_os("NSL_BLESS").is_some() {
        fs::write(&path, current).expect("the reference can be written");
    } else {
        assert!(text == current, "grammar/README.md is stale: NSL_BLESS=1 cargo test reference");
    }
}
