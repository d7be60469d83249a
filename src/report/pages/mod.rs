//! The page behind every code: what `nsl explain CODE` prints.
//!
//! One file a family. A test sees to it that every code that is built somewhere has a page here, that every
//! wrong example gives that very code and that every right example does not.

use super::Severity;

/// The page of one code.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The code without `nsl::`.
    pub code: &'static str,
    /// How much findings of this code weigh.
    pub severity: Severity,
    /// One line: what it is about.
    pub title: &'static str,
    /// The page: what the kernel or the language does, why it matters, what to do. Paragraphs are separated by blank lines.
    pub text: &'static str,
    /// A policy that gives this finding, on a host that lacks what it needs where the finding is about the host; empty where only a
    /// run, or a command line, can give it.
    pub wrong: &'static str,
    /// The same policy, mended; empty where `wrong` is.
    pub right: &'static str,
}

impl Page {
    /// The same page with its two examples.
    const fn shown(self, wrong: &'static str, right: &'static str) -> Page {
        Page { wrong, right, ..self }
    }
}

mod command;
mod filter;
mod host;
mod joins;
mod keep;
mod labels;
mod landlock;
mod language;
mod layers;
mod limits;
mod net;
mod paths;
mod policy;
mod process;
mod run;
mod running;
mod special;
mod stdio;
mod syntax;

const fn error(
    code: &'static str,
    title: &'static str,
    text: &'static str,
    wrong: &'static str,
    right: &'static str,
) -> Page {
    Page { code, severity: Severity::Error, title, text, wrong, right }
}

const fn warning(
    code: &'static str,
    title: &'static str,
    text: &'static str,
    wrong: &'static str,
    right: &'static str,
) -> Page {
    Page { code, severity: Severity::Warning, title, text, wrong, right }
}

const fn advice(
    code: &'static str,
    title: &'static str,
    text: &'static str,
    wrong: &'static str,
    right: &'static str,
) -> Page {
    Page { code, severity: Severity::Advice, title, text, wrong, right }
}

/// Every page, sorted by family.
pub fn all() -> impl Iterator<Item = &'static Page> {
    [
        command::PAGES,
        syntax::PAGES,
        language::PAGES,
        policy::PAGES,
        process::PAGES,
        paths::PAGES,
        layers::PAGES,
        special::PAGES,
        filter::PAGES,
        limits::PAGES,
        labels::PAGES,
        landlock::PAGES,
        net::PAGES,
        host::PAGES,
        joins::PAGES,
        keep::PAGES,
        run::PAGES,
        running::PAGES,
        stdio::PAGES,
    ]
    .into_iter()
    .flatten()
}

/// The page of a code, with or without `nsl::`.
pub fn find(code: &str) -> Option<&'static Page> {
    let code = code.strip_prefix("nsl::").unwrap_or(code);
    all().find(|page| page.code == code)
}
