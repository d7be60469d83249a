//! What the client asks.

use lsp_server::{ErrorCode, Request, Response};
use lsp_types::request::Request as _;
use lsp_types::request::*;
use lsp_types::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answers;
use super::commands;
use super::server::Server;
use crate::ide;

type Answer<R> = Result<<R as lsp_types::request::Request>::Result, String>;

/// The answer to a request.
pub fn answer(server: &Server<'_>, request: Request) -> Response {
    let method = request.method.clone();
    let asked = Asked(request);
    match method.as_str() {
        HoverRequest::METHOD => asked.with::<HoverRequest>(|it| Ok(hover(server, it))),
        Completion::METHOD => asked.with::<Completion>(|it| Ok(completion(server, it))),
        SignatureHelpRequest::METHOD => asked.with::<SignatureHelpRequest>(|it| Ok(signature(server, it))),
        GotoDefinition::METHOD => asked.with::<GotoDefinition>(|it| Ok(definition(server, it))),
        References::METHOD => asked.with::<References>(|it| Ok(references(server, it))),
        DocumentHighlightRequest::METHOD => asked.with::<DocumentHighlightRequest>(|it| Ok(highlights(server, it))),
        PrepareRenameRequest::METHOD => asked.with::<PrepareRenameRequest>(|it| prepare_rename(server, it)),
        Rename::METHOD => asked.with::<Rename>(|it| rename(server, it)),
        DocumentSymbolRequest::METHOD => asked.with::<DocumentSymbolRequest>(|it| Ok(symbols(server, it))),
        WorkspaceSymbolRequest::METHOD => asked.with::<WorkspaceSymbolRequest>(|it| Ok(workspace_symbols(server, it))),
        Formatting::METHOD => asked.with::<Formatting>(|it| Ok(format(server, &it.text_document.uri, None))),
        RangeFormatting::METHOD => {
            asked.with::<RangeFormatting>(|it| Ok(format(server, &it.text_document.uri, Some(it.range))))
        }
        FoldingRangeRequest::METHOD => asked.with::<FoldingRangeRequest>(|it| Ok(folds(server, it))),
        SelectionRangeRequest::METHOD => asked.with::<SelectionRangeRequest>(|it| Ok(selections(server, it))),
        SemanticTokensFullRequest::METHOD => asked.with::<SemanticTokensFullRequest>(|it| Ok(tokens(server, it))),
        InlayHintRequest::METHOD => asked.with::<InlayHintRequest>(|it| Ok(hints(server, it))),
        CodeActionRequest::METHOD => asked.with::<CodeActionRequest>(|it| Ok(actions(server, it))),
        CodeLensRequest::METHOD => asked.with::<CodeLensRequest>(|it| Ok(lenses(server, it))),
        ExecuteCommand::METHOD => asked.with::<ExecuteCommand>(|it| commands::execute(server, it).map(Some)),
        other => {
            Response::new_err(asked.0.id, ErrorCode::MethodNotFound as i32, format!("nsl has no answer to `{other}`"))
        }
    }
}

struct Asked(Request);

impl Asked {
    fn with<R: lsp_types::request::Request>(self, work: impl FnOnce(R::Params) -> Answer<R>) -> Response
    where
        R::Params: DeserializeOwned,
        R::Result: Serialize,
    {
        let id = self.0.id;
        match serde_json::from_value::<R::Params>(self.0.params) {
            Err(error) => Response::new_err(id, ErrorCode::InvalidParams as i32, error.to_string()),
            Ok(params) => match work(params) {
                Ok(result) => Response::new_ok(id, result),
                Err(said) => Response::new_err(id, ErrorCode::RequestFailed as i32, said),
            },
        }
    }
}

/// The file and the offset of a position.
fn at(server: &Server<'_>, it: &TextDocumentPositionParams) -> Option<(String, usize)> {
    let path = server.path(&it.text_document.uri);
    let offset = server.lines(&path, |lines| lines.offset(it.position))?;
    Some((path, offset))
}

fn hover(server: &Server<'_>, it: HoverParams) -> Option<Hover> {
    let (path, offset) = at(server, &it.text_document_position_params)?;
    let found = ide::hover(&server.project, &path, offset)?;
    let range = server.lines(&path, |lines| lines.range(found.range.start, found.range.end));
    let contents = HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value: found.text });
    Some(Hover { contents, range })
}

fn completion(server: &Server<'_>, it: CompletionParams) -> Option<CompletionResponse> {
    // A space asks where a value may follow, and nowhere else: nobody wants a list after every word.
    let by = it.context.as_ref().and_then(|it| it.trigger_character.as_deref());
    let (path, offset) = at(server, &it.text_document_position)?;
    if by == Some(" ") && !follows_word(server, &path, offset) {
        return None;
    }
    let found = ide::complete(&server.project, &path, offset);
    let items = server.lines(&path, |lines| {
        found.iter().enumerate().map(|(at, it)| answers::completion(&server.client, lines, it, at)).collect::<Vec<_>>()
    })?;
    Some(CompletionResponse::List(CompletionList { is_incomplete: false, items }))
}

/// Whether something stands before the space that the cursor is behind, on the same line.
fn follows_word(server: &Server<'_>, path: &str, offset: usize) -> bool {
    let text = server.project.text(path).unwrap_or_default();
    let line = text.get(..offset).and_then(|it| it.rsplit('\n').next()).unwrap_or("");
    !line.trim().is_empty() && !line.contains('#')
}

fn signature(server: &Server<'_>, it: SignatureHelpParams) -> Option<SignatureHelp> {
    let (path, offset) = at(server, &it.text_document_position_params)?;
    ide::signature(&server.project, &path, offset).map(answers::signature)
}

fn definition(server: &Server<'_>, it: GotoDefinitionParams) -> Option<GotoDefinitionResponse> {
    let (path, offset) = at(server, &it.text_document_position_params)?;
    let found = ide::definition(&server.project, &path, offset);
    let all: Vec<Location> = found.iter().filter_map(|it| server.location(it)).collect();
    (!all.is_empty()).then_some(GotoDefinitionResponse::Array(all))
}

fn references(server: &Server<'_>, it: ReferenceParams) -> Option<Vec<Location>> {
    let (path, offset) = at(server, &it.text_document_position)?;
    let declaration = it.context.include_declaration;
    let found = ide::references(&server.project, &path, offset, &server.policies(), declaration);
    Some(found.iter().filter_map(|it| server.location(it)).collect())
}

fn highlights(server: &Server<'_>, it: DocumentHighlightParams) -> Option<Vec<DocumentHighlight>> {
    let (path, offset) = at(server, &it.text_document_position_params)?;
    let found = ide::highlights(&server.project, &path, offset);
    server.lines(&path, |lines| {
        found
            .iter()
            .map(|(at, is_declaration)| DocumentHighlight {
                range: lines.range(at.start, at.end),
                kind: Some(if *is_declaration { DocumentHighlightKind::WRITE } else { DocumentHighlightKind::READ }),
            })
            .collect()
    })
}

fn prepare_rename(server: &Server<'_>, it: TextDocumentPositionParams) -> Answer<PrepareRenameRequest> {
    let Some((path, offset)) = at(server, &it) else { return Ok(None) };
    let (place, placeholder) = ide::prepare_rename(&server.project, &path, offset).map_err(|error| error.0)?;
    let range = server.lines(&path, |lines| lines.range(place.start, place.end));
    Ok(range.map(|range| PrepareRenameResponse::RangeWithPlaceholder { range, placeholder }))
}

fn rename(server: &Server<'_>, it: RenameParams) -> Answer<Rename> {
    let Some((path, offset)) = at(server, &it.text_document_position) else { return Ok(None) };
    let edits = ide::rename(&server.project, &path, offset, &it.new_name, &server.policies());
    let edits = edits.map_err(|error| error.0)?;
    Ok(Some(answers::workspace_edit(server, &edits)))
}

fn symbols(server: &Server<'_>, it: DocumentSymbolParams) -> Option<DocumentSymbolResponse> {
    let path = server.path(&it.text_document.uri);
    let source = server.project.source(&path)?;
    let found = ide::outline(&source);
    let all = server.lines(&path, |lines| found.iter().map(|it| answers::symbol(lines, it)).collect())?;
    Some(DocumentSymbolResponse::Nested(all))
}

/// More symbols than this are of no use.
const MOST_SYMBOLS: usize = 500;

fn workspace_symbols(server: &Server<'_>, it: WorkspaceSymbolParams) -> Option<WorkspaceSymbolResponse> {
    let query = it.query.to_lowercase();
    let mut all = Vec::new();
    for path in server.policies() {
        let Some(source) = server.project.source(&path) else { continue };
        for found in ide::outline(&source) {
            let wanted = answers::is_declaration(found.kind) && found.name.to_lowercase().contains(&query);
            if !wanted || all.len() >= MOST_SYMBOLS {
                continue;
            }
            let at = ide::Location { path: path.clone(), start: found.name_range.start, end: found.name_range.end };
            all.extend(server.location(&at).map(|location| answers::workspace_symbol(&found, location)));
        }
    }
    Some(WorkspaceSymbolResponse::Flat(all))
}

fn format(server: &Server<'_>, uri: &Uri, range: Option<Range>) -> Option<Vec<TextEdit>> {
    let path = server.path(uri);
    let old = server.project.text(&path)?;
    // What cannot be read is left alone; its findings say why.
    let new = ide::formatted(&server.project, &path)?;
    server.lines(&path, |lines| answers::text_edits(lines, &old, &new, range))
}

fn folds(server: &Server<'_>, it: FoldingRangeParams) -> Option<Vec<FoldingRange>> {
    let path = server.path(&it.text_document.uri);
    let found = ide::folds(&*server.project.source(&path)?);
    server.lines(&path, |lines| found.iter().map(|it| answers::fold(lines, it)).collect())
}

fn selections(server: &Server<'_>, it: SelectionRangeParams) -> Option<Vec<SelectionRange>> {
    let path = server.path(&it.text_document.uri);
    let source = server.project.source(&path)?;
    server.lines(&path, |lines| {
        it.positions
            .iter()
            .map(|at| answers::selection(lines, &ide::selection(&source, lines.offset(*at)), *at))
            .collect()
    })
}

fn tokens(server: &Server<'_>, it: SemanticTokensParams) -> Option<SemanticTokensResult> {
    let path = server.path(&it.text_document.uri);
    let found = ide::tokens(&server.project, &*server.project.source(&path)?);
    let data = server.lines(&path, |lines| answers::tokens(lines, &found))?;
    Some(SemanticTokensResult::Tokens(SemanticTokens { result_id: None, data }))
}

fn hints(server: &Server<'_>, it: InlayHintParams) -> Option<Vec<InlayHint>> {
    let path = server.path(&it.text_document.uri);
    let (from, to) = server.lines(&path, |lines| (lines.offset(it.range.start), lines.offset(it.range.end)))?;
    let found = ide::hints(&server.project, &path, from, to);
    server.lines(&path, |lines| found.into_iter().map(|it| answers::hint(lines, it)).collect())
}

fn actions(server: &Server<'_>, it: CodeActionParams) -> Option<CodeActionResponse> {
    let path = server.path(&it.text_document.uri);
    let (start, end) = server.lines(&path, |lines| (lines.offset(it.range.start), lines.offset(it.range.end)))?;
    let found = ide::actions(&server.project, &path, start..end.max(start));
    let wanted = |action: &CodeActionOrCommand| match (&it.context.only, action) {
        (Some(only), CodeActionOrCommand::CodeAction(CodeAction { kind: Some(kind), .. })) => only
            .iter()
            .any(|it| kind.as_str() == it.as_str() || kind.as_str().starts_with(&format!("{}.", it.as_str()))),
        _ => true,
    };
    Some(found.iter().map(|it| answers::action(server, it)).filter(wanted).collect())
}

fn lenses(server: &Server<'_>, it: CodeLensParams) -> Option<Vec<CodeLens>> {
    let uri = it.text_document.uri;
    let path = server.path(&uri);
    let found = ide::lenses(&*server.project.source(&path)?);
    server.lines(&path, |lines| found.iter().flat_map(|it| answers::lenses(&server.client, lines, it, &uri)).collect())
}
