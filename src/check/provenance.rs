//! Through which profile something arrived: a place in the standard library alone helps nobody.

use crate::policy::Sandbox;
use crate::report::{Diagnostic, Label};

/// Adds to each finding the `with` that brought in the place to blame.
pub(super) fn tell(sandbox: &Sandbox, findings: &mut [Diagnostic]) {
    for finding in findings {
        let Some(via) = finding.labels.first().and_then(|it| sandbox.via(it.span).first()) else { continue };
        // What says nothing in this sandbox may say something in another that has the profile too.
        finding.fix = finding.fix.take().filter(|fix| !fix.text.is_empty());
        if !finding.labels.iter().any(|it| it.span == via.span) {
            let label = format!("brought in by `{}`", via.profile);
            finding.labels.push(Label { span: via.span, text: label });
        }
    }
}
