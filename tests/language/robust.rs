//! No text makes it panic, hang or point outside of itself.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use nsl::report::render;

use super::{STYLE, resolved};

/// Far more than any of these texts needs, also in a debug build on a busy machine; a hang is longer.
const PATIENCE: Duration = Duration::from_secs(300);

fn read(text: &str) {
    let begun = Instant::now();
    let (files, result) = resolved(text, "policy.nsl", Path::new("/nowhere"), &[]);
    for finding in &result.findings {
        assert!(!finding.labels.is_empty(), "a finding without a place: {finding:?}\n{text}");
        for label in &finding.labels {
            let whole = files.text(label.span.file);
            let range = label.span.start as usize..label.span.end as usize;
            assert!(whole.get(range).is_some(), "{label:?} of {finding:?} is no range of\n{text}");
        }
    }
    let _ = nsl::check::check_policy(&result.policy);
    let _ = render(&files, &result.findings, STYLE);
    assert!(begun.elapsed() < PATIENCE, "it took {:?} to read\n{}", begun.elapsed(), &text[..text.len().min(200)]);
}

fn policies() -> Vec<String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let paths = fs::read_dir(dir).expect("the examples").flatten().map(|it| it.path());
    paths
        .filter(|it| it.extension().is_some_and(|it| it == "nsl"))
        .filter_map(|it| fs::read_to_string(it).ok())
        .collect()
}

#[test]
fn every_beginning_of_a_policy() {
    for text in policies() {
        let ends = (0..text.len()).filter(|end| text.is_char_boundary(*end));
        ends.step_by(7).for_each(|end| read(&text[..end]));
    }
}

/// One character left out, doubled, or replaced by one that means something.
#[test]
fn slips() {
    let mut seed = 0x2545_f491_u32;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        seed as usize % below.max(1)
    };
    let telling = b"{}()[]\"'#$@=:;,.\n \t\\/-%0a\x00\xff";
    for text in policies() {
        for _ in 0..400 {
            let mut bytes = text.clone().into_bytes();
            for _ in 0..=random(3) {
                let at = random(bytes.len());
                match random(3) {
                    0 => drop(bytes.remove(at)),
                    1 => bytes.insert(at, bytes[at]),
                    _ => bytes[at] = telling[random(telling.len())],
                }
            }
            read(&String::from_utf8_lossy(&bytes));
        }
    }
}

#[test]
fn depth_is_bounded() {
    for open in ["{", "(", "[", "a {\n", "x = [", "x = f(", "sandbox a {\n", "if true {\n", "if (", "not ", "\"${"] {
        read(&open.repeat(20_000));
    }
    let lists = format!("let x = {}1{}\n", "[".repeat(5_000), "]".repeat(5_000));
    read(&lists);
    let chain = format!("sandbox a {{\n  if true {{\n  }}{}\n}}\n", " else if true {\n  }".repeat(2_000));
    read(&chain);
    let nots = format!("sandbox a {{\n  require {}true, \"x\"\n}}\n", "not ".repeat(5_000));
    read(&nots);
}

#[test]
fn length_is_no_trouble() {
    read(&"x".repeat(1 << 20));
    read(&"\n".repeat(1 << 18));
    read(&"} ".repeat(1 << 16));
    read(&"\"".repeat(1 << 16));
    read(&"a = 1\n".repeat(1 << 14));
    read(&"# \u{1f980}\n".repeat(1 << 14));
    read(&format!("let x = \"{}\"\n", "${a}".repeat(1 << 12)));
}
