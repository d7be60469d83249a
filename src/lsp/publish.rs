//! Findings, file by file. Several open policies may use one module: what each finds there is shown once.

use std::collections::{BTreeMap, HashSet};

use lsp_types::notification::PublishDiagnostics;
use lsp_types::request::{CodeLensRefresh, InlayHintRefreshRequest};
use lsp_types::{
    CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, NumberOrString,
    PublishDiagnosticsParams,
};

use super::server::Server;
use super::uri;
use crate::ide::{self, Finding};
use crate::report::Severity;

/// Works out the findings of what is dirty, and publishes those of every file concerned.
pub fn publish(server: &mut Server<'_>) {
    let open = server.documents.paths();
    server.shown.retain(|root, _| open.contains(root));
    let mut concerned: Vec<String> = server.published.iter().cloned().collect();
    for root in std::mem::take(&mut server.dirty) {
        if !open.contains(&root) || !root.starts_with('/') {
            continue;
        }
        let found = server.project.analysis(&root).map_or(Vec::new(), |it| ide::findings(&it));
        concerned.extend(found.iter().map(|it| it.at.path.clone()));
        concerned.push(root.clone());
        server.shown.insert(root, found);
    }
    concerned.sort();
    concerned.dedup();
    let mut by_file: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    let mut told = HashSet::new();
    for finding in server.shown.values().flatten() {
        if told.insert((finding.code, &finding.at, &finding.message)) {
            by_file.entry(&finding.at.path).or_default().push(finding);
        }
    }
    let mut published = std::collections::BTreeSet::new();
    for path in concerned {
        let findings = by_file.get(path.as_str()).map_or(&[][..], |it| it);
        if !findings.is_empty() {
            published.insert(path.clone());
        }
        let Some(uri) = server.uri(&path) else { continue };
        let diagnostics = findings.iter().filter_map(|it| diagnostic(server, it)).collect();
        let version = server.documents.get(&path).map(|it| it.version);
        server.notify::<PublishDiagnostics>(PublishDiagnosticsParams { uri, diagnostics, version });
    }
    server.published = published;
    if server.client.refreshes_hints && open.len() > 1 {
        server.ask::<InlayHintRefreshRequest>(());
        server.ask::<CodeLensRefresh>(());
    }
}

/// A finding as the protocol says it.
pub fn diagnostic(server: &Server<'_>, it: &Finding) -> Option<Diagnostic> {
    let at = server.lines(&it.at.path, |lines| lines.range(it.at.start, it.at.end))?;
    let related = it.related.iter().filter_map(|related| {
        Some(DiagnosticRelatedInformation { location: server.location(&related.at)?, message: related.text.clone() })
    });
    let related: Vec<_> = related.collect();
    Some(Diagnostic {
        range: at,
        severity: Some(match it.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Advice => DiagnosticSeverity::INFORMATION,
        }),
        code: Some(NumberOrString::String(format!("nsl::{}", it.code))),
        code_description: server
            .library
            .page(it.code)
            .and_then(|path| uri::of_path(&path))
            .map(|href| CodeDescription { href }),
        source: Some("nsl".into()),
        message: it.message.clone(),
        related_information: Some(related).filter(|it| !it.is_empty()),
        tags: it.is_unused.then(|| vec![DiagnosticTag::UNNECESSARY]),
        data: None,
    })
}
