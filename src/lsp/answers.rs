//! What `ide` says, as the protocol says it.

use std::collections::HashMap;
use std::ops::Range as Offsets;

use lsp_types::*;
use serde_json::json;

use super::positions::Lines;
use super::server::{Client, Server};
use super::{commands, publish};
use crate::ide::{self, Action, CompletionKind, FoldKind};

pub fn completion(client: &Client, lines: &Lines, it: &ide::Completion, at: usize) -> CompletionItem {
    let new_text = if client.snippets { it.insert.clone() } else { plain(&it.insert) };
    let is_snippet = client.snippets && it.insert.contains('$');
    CompletionItem {
        label: it.label.clone(),
        kind: Some(kind(it.kind)),
        detail: Some(it.detail.clone()).filter(|it| !it.is_empty()),
        documentation: it.docs.clone().map(markdown),
        sort_text: Some(format!("{}{at:04}", it.rank)),
        filter_text: Some(it.label.clone()),
        insert_text_format: is_snippet.then_some(InsertTextFormat::SNIPPET),
        text_edit: Some(CompletionTextEdit::Edit(TextEdit {
            range: lines.range(it.replace.start, it.replace.end),
            new_text,
        })),
        ..Default::default()
    }
}

fn markdown(value: String) -> Documentation {
    Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value })
}

fn kind(kind: CompletionKind) -> CompletionItemKind {
    match kind {
        CompletionKind::Keyword => CompletionItemKind::KEYWORD,
        CompletionKind::Section => CompletionItemKind::STRUCT,
        CompletionKind::Field => CompletionItemKind::PROPERTY,
        CompletionKind::Value => CompletionItemKind::ENUM_MEMBER,
        CompletionKind::Call => CompletionItemKind::FUNCTION,
        CompletionKind::Group => CompletionItemKind::ENUM,
        CompletionKind::Constant => CompletionItemKind::CONSTANT,
        CompletionKind::Module => CompletionItemKind::MODULE,
        CompletionKind::Profile => CompletionItemKind::CLASS,
        CompletionKind::Argument => CompletionItemKind::FIELD,
        CompletionKind::Variable => CompletionItemKind::VARIABLE,
        CompletionKind::Type => CompletionItemKind::TYPE_PARAMETER,
        CompletionKind::File => CompletionItemKind::FILE,
        CompletionKind::Folder => CompletionItemKind::FOLDER,
        CompletionKind::Unit => CompletionItemKind::UNIT,
        CompletionKind::Sandbox => CompletionItemKind::INTERFACE,
    }
}

/// A snippet without its places: `$0` and `$1` go, `${1:text}` leaves its text.
pub fn plain(snippet: &str) -> String {
    let mut out = String::new();
    let mut chars = snippet.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' => out.extend(chars.next()),
            '$' if chars.peek() == Some(&'{') => {
                chars.next();
                while chars.peek().is_some_and(char::is_ascii_digit) {
                    chars.next();
                }
                chars.next_if_eq(&':');
                out.extend(chars.by_ref().take_while(|it| *it != '}'));
            }
            '$' => while chars.next_if(char::is_ascii_digit).is_some() {},
            '\t' => out.push_str("  "),
            char => out.push(char),
        }
    }
    out
}

pub fn signature(it: ide::Signature) -> SignatureHelp {
    let parameters = it
        .parameters
        .into_iter()
        .map(|it| ParameterInformation { label: ParameterLabel::Simple(it), documentation: None });
    let active = it.active.map(|it| it as u32);
    SignatureHelp {
        signatures: vec![SignatureInformation {
            label: it.label,
            documentation: it.docs.map(markdown),
            parameters: Some(parameters.collect()),
            active_parameter: active,
        }],
        active_signature: Some(0),
        active_parameter: active,
    }
}

pub fn workspace_edit(server: &Server<'_>, edits: &[ide::Edit]) -> WorkspaceEdit {
    // `Uri` has interior mutability that its hash does not depend on.
    #[allow(clippy::mutable_key_type)]
    let mut changes: HashMap<Uri, Vec<TextEdit>> = HashMap::new();
    for edit in edits {
        if let Some(at) = server.location(&edit.at) {
            changes.entry(at.uri).or_default().push(TextEdit { range: at.range, new_text: edit.text.clone() });
        }
    }
    WorkspaceEdit { changes: Some(changes), ..Default::default() }
}

/// Whether an entry of an outline is a declaration, which is looked for in all files.
pub fn is_declaration(kind: ide::SymbolKind) -> bool {
    use ide::SymbolKind::*;
    matches!(kind, Profile | Sandbox | Param | Let | Group)
}

fn symbol_kind(kind: ide::SymbolKind) -> SymbolKind {
    match kind {
        ide::SymbolKind::Module => SymbolKind::MODULE,
        ide::SymbolKind::Profile => SymbolKind::CLASS,
        ide::SymbolKind::Sandbox => SymbolKind::OBJECT,
        ide::SymbolKind::Param => SymbolKind::VARIABLE,
        ide::SymbolKind::Let => SymbolKind::CONSTANT,
        ide::SymbolKind::Group => SymbolKind::ENUM,
        ide::SymbolKind::Section => SymbolKind::NAMESPACE,
        ide::SymbolKind::Field => SymbolKind::PROPERTY,
    }
}

#[allow(deprecated)]
pub fn symbol(lines: &Lines, it: &ide::Outline) -> DocumentSymbol {
    DocumentSymbol {
        name: it.name.clone(),
        detail: Some(it.detail.clone()).filter(|it| !it.is_empty()),
        kind: symbol_kind(it.kind),
        tags: None,
        deprecated: None,
        range: lines.range(it.range.start, it.range.end),
        selection_range: lines.range(it.name_range.start, it.name_range.end),
        children: Some(it.children.iter().map(|it| symbol(lines, it)).collect()),
    }
}

#[allow(deprecated)]
pub fn workspace_symbol(it: &ide::Outline, location: Location) -> SymbolInformation {
    SymbolInformation {
        name: it.name.clone(),
        kind: symbol_kind(it.kind),
        tags: None,
        deprecated: None,
        location,
        container_name: None,
    }
}

pub fn fold(lines: &Lines, it: &ide::Fold) -> FoldingRange {
    let range = lines.range(it.start, it.end);
    // The line of the closing bracket stays.
    let closes = it.kind == FoldKind::Block && range.end.line > range.start.line;
    FoldingRange {
        start_line: range.start.line,
        start_character: None,
        end_line: if closes { range.end.line - 1 } else { range.end.line },
        end_character: None,
        kind: Some(match it.kind {
            FoldKind::Block => FoldingRangeKind::Region,
            FoldKind::Comment => FoldingRangeKind::Comment,
            FoldKind::Uses => FoldingRangeKind::Imports,
        }),
        collapsed_text: None,
    }
}

pub fn selection(lines: &Lines, ranges: &[Offsets<usize>], at: Position) -> SelectionRange {
    let mut found: Option<Box<SelectionRange>> = None;
    for it in ranges.iter().rev() {
        found = Some(Box::new(SelectionRange { range: lines.range(it.start, it.end), parent: found }));
    }
    found.map_or(SelectionRange { range: Range { start: at, end: at }, parent: None }, |it| *it)
}

pub fn tokens(lines: &Lines, tokens: &[ide::Token]) -> Vec<SemanticToken> {
    let (mut line, mut start) = (0, 0);
    let mut data = Vec::with_capacity(tokens.len());
    for it in tokens {
        let range = lines.range(it.range.start, it.range.end);
        let delta_line = range.start.line - line;
        let delta_start = if delta_line == 0 { range.start.character - start } else { range.start.character };
        (line, start) = (range.start.line, range.start.character);
        data.push(SemanticToken {
            delta_line,
            delta_start,
            length: range.end.character - range.start.character,
            token_type: it.kind,
            token_modifiers_bitset: u32::from(it.is_declaration),
        });
    }
    data
}

pub fn hint(lines: &Lines, it: ide::Hint) -> InlayHint {
    InlayHint {
        position: lines.position(it.offset),
        label: InlayHintLabel::String(it.label),
        kind: None,
        text_edits: None,
        tooltip: Some(InlayHintTooltip::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value: it.tooltip })),
        padding_left: Some(true),
        padding_right: Some(false),
        data: None,
    }
}

pub fn action(server: &Server<'_>, it: &Action) -> CodeActionOrCommand {
    let mut action = CodeAction::default();
    match it {
        Action::Fix { title, finding, edit } => {
            action.title = title.clone();
            action.kind = Some(CodeActionKind::QUICKFIX);
            action.diagnostics = publish::diagnostic(server, finding).map(|it| vec![it]);
            action.edit = Some(workspace_edit(server, std::slice::from_ref(edit)));
            action.is_preferred = Some(true);
        }
        Action::Explain(code, finding) => {
            action.title = format!("explain nsl::{code}");
            action.kind = Some(CodeActionKind::QUICKFIX);
            action.diagnostics = publish::diagnostic(server, finding).map(|it| vec![it]);
            action.command = Some(Command {
                title: action.title.clone(),
                command: commands::EXPLAIN.into(),
                arguments: Some(vec![json!(code)]),
            });
        }
        Action::Override { title, edit } => {
            action.title = title.clone();
            action.kind = Some(CodeActionKind::REFACTOR);
            action.edit = Some(workspace_edit(server, std::slice::from_ref(edit)));
        }
    }
    CodeActionOrCommand::CodeAction(action)
}

/// What the client performs itself, as far as it says that it does, and what we do.
pub fn lenses(client: &Client, lines: &Lines, it: &ide::Lens, uri: &Uri) -> Vec<CodeLens> {
    let range = lines.range(it.range.start, it.range.end);
    let own = [("nsl.run", "▶ run"), ("nsl.plan", "plan"), ("nsl.check", "check")];
    let own = own.into_iter().filter(|(command, _)| client.commands.iter().any(|it| it == command));
    let all = own.chain([(commands::EFFECTIVE, "effective policy")]);
    let lens = |(command, title): (&str, &str)| CodeLens {
        range,
        command: Some(Command {
            title: title.into(),
            command: command.into(),
            arguments: Some(vec![json!(uri.as_str()), json!(it.name)]),
        }),
        data: None,
    };
    all.map(lens).collect()
}

/// The edits from one text to another, line by line, so that cursors stay where they are; those within a range only.
pub fn text_edits(lines: &Lines, old: &str, new: &str, range: Option<Range>) -> Vec<TextEdit> {
    let diff = similar::TextDiff::from_lines(old, new);
    let starts: Vec<usize> = std::iter::once(0)
        .chain(old.split_inclusive('\n').scan(0, |at, line| {
            *at += line.len();
            Some(*at)
        }))
        .collect();
    let new_lines: Vec<&str> = new.split_inclusive('\n').collect();
    let mut edits = Vec::new();
    for operation in diff.ops().iter().filter(|it| it.tag() != similar::DiffTag::Equal) {
        let (from, to) = (operation.old_range(), operation.new_range());
        let (start, end) = (starts[from.start.min(starts.len() - 1)], starts[from.end.min(starts.len() - 1)]);
        let place = lines.range(start, end);
        let inside = range.is_none_or(|it| place.start.line <= it.end.line && it.start.line <= place.end.line);
        if inside {
            edits.push(TextEdit { range: place, new_text: new_lines[to].concat() });
        }
    }
    edits
}

#[cfg(test)]
mod tests {
    use super::super::positions::Encoding;
    use super::*;

    #[test]
    fn snippets_without_places() {
        assert_eq!(plain("a = $0"), "a = ");
        assert_eq!(plain("x ${1:/path} = ${2:y} \\$p$1"), "x /path = y $p");
        assert_eq!(plain("a {\n\t$0\n}"), "a {\n  \n}");
    }

    #[test]
    fn edits_make_the_new_text_of_the_old() {
        for (old, new) in
            [("a\nb\nc\n", "a\nx\ny\nc\n"), ("", "a\n"), ("a", "a\n"), ("a\n\n\nb\n", "a\n\nb\n"), ("é\nb", "b\n")]
        {
            let lines = Lines::new(old, Encoding::Utf16);
            let mut text = old.to_string();
            for edit in text_edits(&lines, old, new, None).iter().rev() {
                let (start, end) = (lines.offset(edit.range.start), lines.offset(edit.range.end));
                text.replace_range(start..end, &edit.new_text);
            }
            assert_eq!(text, new);
        }
    }
}
