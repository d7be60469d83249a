//! Whatever the text is, every question is answered and nothing panics.

use nsl::ide;
use proptest::prelude::*;

use super::{Fixture, MAIN};

/// Asks everything at one place of a text.
fn ask(text: &str, at: usize) {
    let it = Fixture::new(text, &[("common.nsl", "profile base {\n}\n")]);
    let project = &it.project;
    let mut at = at.min(it.text.len());
    while !it.text.is_char_boundary(at) {
        at -= 1;
    }
    let inside =
        |range: &std::ops::Range<usize>| assert!(it.text.get(range.clone()).is_some(), "{range:?} of {text:?}");
    ide::hover(project, MAIN, at).iter().for_each(|it| inside(&it.range));
    ide::complete(project, MAIN, at).iter().for_each(|it| inside(&it.replace));
    ide::signature(project, MAIN, at);
    ide::definition(project, MAIN, at);
    for place in ide::references(project, MAIN, at, &it.files, true).iter().filter(|it| it.path == MAIN) {
        inside(&(place.start..place.end));
    }
    ide::highlights(project, MAIN, at);
    let _ = ide::rename(project, MAIN, at, "other", &it.files);
    ide::hints(project, MAIN, 0, it.text.len());
    ide::actions(project, MAIN, at..it.text.len());
    ide::formatted(project, MAIN);
    let source = project.source(MAIN).expect("it is there");
    ide::outline(&source).iter().for_each(|it| inside(&it.range));
    ide::folds(&source).iter().for_each(|it| inside(&(it.start..it.end)));
    ide::selection(&source, at).iter().for_each(inside);
    ide::tokens(project, &source).iter().for_each(|it| inside(&it.range));
    ide::lenses(&source);
    for finding in ide::findings(&project.analysis(MAIN).expect("it is there")) {
        if finding.at.path == MAIN {
            inside(&(finding.at.start..finding.at.end));
        }
    }
}

const TEXT: &str = "use std/service\nuse ./common.nsl as c\n\nparam site: path = ./site\nlet n = 5\n\n## ü\nprofile p(x: size = 1MiB) {\n  for d in [/a, /b] { mnt new { hide $d } }\n  if $x > 1MiB { limits { nofile = $n } } else { require $x >= 1MiB, \"${x} no\" }\n}\n\nsandbox web with service.hardened(memory: 256MiB), c.base, p {\n  run = [\"/bin/true\", \"${site}\"]\n  user new { map uid 0 = subid(count: 10) }\n  mnt new { mount /srv = bind($site, ro) }\n  seccomp {\n    deny socket(family != AF_UNIX) = errno(EAFNOSUPPORT)\n    allow @basic\n  }\n  stop { signal = TERM }\n}\nsyscalls group g { read @file }\npod q {\n  container one { run = [\"/x\"] }\n  container two { after = [one] }\n}\n";

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn texts_that_are_cut_off(cut in 0..TEXT.len(), back in 0usize..40) {
        let mut cut = cut;
        while !TEXT.is_char_boundary(cut) {
            cut -= 1;
        }
        ask(&TEXT[..cut], cut.saturating_sub(back));
    }

    #[test]
    fn texts_with_pieces_out_of_place(from in 0..TEXT.len(), length in 0usize..30, to in 0..TEXT.len(), junk in "[\\PC\n{}()\\[\\]\"$@#,=]{0,6}") {
        let mut chars: Vec<char> = TEXT.chars().collect();
        let from = from.min(chars.len());
        let piece: Vec<char> = chars.drain(from..(from + length).min(chars.len())).collect();
        let to = to.min(chars.len());
        chars.splice(to..to, piece.into_iter().chain(junk.chars()));
        let text: String = chars.into_iter().collect();
        ask(&text, to);
    }

    #[test]
    fn texts_that_are_none(text in "\\PC{0,80}", at in 0usize..80) {
        ask(&text, at);
    }
}
