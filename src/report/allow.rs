//! `# nsl: allow SLUG, because …`: what the author of a policy has seen and means.

use super::{Diagnostic, Severity, pages};
use crate::source::Span;

/// One comment that silences warnings and advice of one code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// The code without `nsl::`.
    pub code: String,
    /// The comment.
    pub comment: Span,
    /// The statement or declaration that it stands before, or behind.
    pub covers: Span,
    /// Whether it stands in a profile or in a module.
    pub is_for_others: bool,
}

/// What a comment says to nsl; `None` for every other comment, an error for one that says it wrongly.
pub fn read(text: &str, comment: Span, covers: Option<Span>, is_for_others: bool) -> Option<Result<Allow, Diagnostic>> {
    let said = text.trim_start_matches('#').trim_start().strip_prefix("nsl:")?.trim();
    let wrong = |message: String| Diagnostic::error("allow-wrong", message);
    let form = "write `# nsl: allow CODE, because …`";
    let Some(rest) = said.strip_prefix("allow").filter(|it| it.is_empty() || it.starts_with(char::is_whitespace))
    else {
        let word = said.split_whitespace().next().unwrap_or("");
        let finding = wrong(format!("`{word}` is nothing that a comment can say to nsl"));
        return Some(Err(finding.label(comment, "only `allow` is known").help(form)));
    };
    let (code, reason) = rest.trim().split_once(',').unwrap_or((rest.trim(), ""));
    let code = code.trim().trim_start_matches("nsl::");
    let Some(page) = pages::find(code) else {
        let finding = wrong(format!("there is no code `{code}`")).label(comment, "names no finding of nsl");
        return Some(Err(finding.help(format!("{form}, with the code that stands above the finding"))));
    };
    if page.severity == Severity::Error {
        let finding = wrong(format!("`{code}` is an error, and errors cannot be allowed"));
        return Some(Err(finding
            .label(comment, "only warnings and advice can be allowed")
            .help("mend what the error is about, and delete the comment")));
    }
    if reason.trim().trim_start_matches("because").trim().is_empty() {
        let finding = wrong(format!("`{code}` is allowed without a reason")).label(comment, "why is it right here?");
        return Some(Err(finding.help(form)));
    }
    let Some(covers) = covers else {
        let finding = wrong("nothing follows that could be allowed anything".into());
        return Some(Err(finding
            .label(comment, "stands before no statement")
            .help("put it on the line before the statement that the finding is about")));
    };
    Some(Ok(Allow { code: code.to_string(), comment, covers, is_for_others }))
}

impl Allow {
    /// Whether looking at its file is enough to say that it silences nothing: what stands in a profile or in a module
    /// may be meant for who uses them, and what only a host can give is not said everywhere.
    pub fn is_judged_by_file(&self) -> bool {
        !self.is_for_others && pages::find(&self.code).is_some_and(|page| !page.wrong.is_empty())
    }

    /// Whether a finding is the one that is meant. What came in through a profile is blamed on the profile's text first; the
    /// place that brought it in is another of its labels.
    fn silences(&self, finding: &Diagnostic) -> bool {
        let it = self.covers;
        let inside = |span: &Span| it.file == span.file && it.start <= span.start && span.end <= it.end;
        if finding.code != self.code || finding.is_error() {
            return false;
        }
        match finding.labels.split_first() {
            Some((first, others)) => {
                inside(&first.span) || first.span.file != self.comment.file && others.iter().any(|it| inside(&it.span))
            }
            None => false,
        }
    }
}

/// The findings without those that are allowed, and for each comment whether it silenced one.
pub fn silence(findings: Vec<Diagnostic>, allows: &[Allow]) -> (Vec<Diagnostic>, Vec<bool>) {
    let mut used = vec![false; allows.len()];
    let mut rest = findings;
    rest.retain(|finding| {
        let mut silenced = false;
        for (allow, used) in allows.iter().zip(&mut used) {
            if allow.silences(finding) {
                *used = true;
                silenced = true;
            }
        }
        !silenced
    });
    (rest, used)
}

/// A comment that silences nothing.
pub fn unused(allow: &Allow) -> Diagnostic {
    Diagnostic::warning("unused-allow", format!("`{}` is allowed here, and nothing is said of it", allow.code))
        .label(allow.comment, "silences nothing")
        .help("delete the comment")
        .delete(allow.comment)
}
