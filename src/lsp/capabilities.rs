//! What the client can do, and what we can.

use lsp_types::*;
use serde_json::Value;

use super::positions::Encoding;
use super::server::Client;
use super::uri;
use crate::ide::TOKEN_TYPES;

/// What a client says of itself.
pub fn client(params: &InitializeParams) -> Client {
    let capabilities = serde_json::to_value(&params.capabilities).unwrap_or_default();
    let yes = |pointer: &str| capabilities.pointer(pointer).and_then(Value::as_bool).unwrap_or(false);
    let encodings = params.capabilities.general.as_ref().and_then(|it| it.position_encodings.as_ref());
    let utf8 = encodings.is_some_and(|it| it.contains(&PositionEncodingKind::UTF8));
    let commands = params.initialization_options.as_ref().and_then(|it| it.get("commands")).and_then(Value::as_array);
    Client {
        encoding: if utf8 { Encoding::Utf8 } else { Encoding::Utf16 },
        snippets: yes("/textDocument/completion/completionItem/snippetSupport"),
        watches: yes("/workspace/didChangeWatchedFiles/dynamicRegistration"),
        shows_documents: yes("/window/showDocument/support"),
        refreshes_hints: yes("/workspace/inlayHint/refreshSupport") && yes("/workspace/codeLens/refreshSupport"),
        commands: commands.into_iter().flatten().filter_map(|it| it.as_str().map(str::to_string)).collect(),
    }
}

/// The folders of a client.
pub fn folders(params: &InitializeParams) -> Vec<String> {
    if let Some(folders) = &params.workspace_folders {
        return folders.iter().filter_map(|it| uri::to_path(&it.uri)).collect();
    }
    #[allow(deprecated)]
    let root = params.root_uri.as_ref();
    root.and_then(uri::to_path).into_iter().collect()
}

/// What we can.
pub fn server(client: &Client) -> ServerCapabilities {
    let progress = WorkDoneProgressOptions::default();
    let characters = |all: &str| Some(all.chars().map(String::from).collect::<Vec<_>>());
    ServerCapabilities {
        position_encoding: Some(match client.encoding {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
        }),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(TextDocumentSyncSaveOptions::Supported(true)),
            ..Default::default()
        })),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: characters(".$@/(:= "),
            ..Default::default()
        }),
        signature_help_provider: Some(SignatureHelpOptions {
            trigger_characters: characters("("),
            retrigger_characters: characters(","),
            work_done_progress_options: progress,
        }),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        document_highlight_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        workspace_symbol_provider: Some(OneOf::Left(true)),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX, CodeActionKind::REFACTOR, CodeActionKind::SOURCE]),
            ..Default::default()
        })),
        code_lens_provider: Some(CodeLensOptions { resolve_provider: Some(false) }),
        document_formatting_provider: Some(OneOf::Left(true)),
        document_range_formatting_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: progress,
        })),
        folding_range_provider: Some(FoldingRangeProviderCapability::Simple(true)),
        selection_range_provider: Some(SelectionRangeProviderCapability::Simple(true)),
        inlay_hint_provider: Some(OneOf::Left(true)),
        semantic_tokens_provider: Some(SemanticTokensServerCapabilities::SemanticTokensOptions(
            SemanticTokensOptions {
                legend: SemanticTokensLegend {
                    token_types: TOKEN_TYPES.iter().map(|it| SemanticTokenType::new(it)).collect(),
                    token_modifiers: vec![SemanticTokenModifier::DECLARATION],
                },
                full: Some(SemanticTokensFullOptions::Bool(true)),
                range: Some(false),
                ..Default::default()
            },
        )),
        execute_command_provider: Some(ExecuteCommandOptions {
            commands: super::commands::ALL.iter().map(|it| it.to_string()).collect(),
            ..Default::default()
        }),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(OneOf::Left(true)),
            }),
            file_operations: None,
        }),
        ..Default::default()
    }
}
