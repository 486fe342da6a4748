//! The first exchange: what the client can do, and what this server does.

use serde_json::{Value, json};
use tower_lsp::ls_types::{
    CallHierarchyServerCapability, ClientCapabilities, CodeActionKind, CodeActionOptions,
    CodeActionProviderCapability, CodeLensOptions, CompletionOptions, DeclarationCapability,
    DiagnosticOptions, DiagnosticServerCapabilities, DocumentLinkOptions,
    DocumentOnTypeFormattingOptions, FoldingRangeProviderCapability, HoverProviderCapability,
    InitializeParams, InitializeResult, OneOf, PositionEncodingKind, RenameOptions,
    SelectionRangeProviderCapability, SemanticTokenModifier, SemanticTokenType,
    SemanticTokensFullOptions, SemanticTokensLegend, SemanticTokensOptions,
    SemanticTokensServerCapabilities, ServerCapabilities, ServerInfo, SignatureHelpOptions,
    TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions,
    TypeDefinitionProviderCapability, WorkDoneProgressOptions, WorkspaceFoldersServerCapabilities,
    WorkspaceServerCapabilities,
};

use super::library::Home;
use crate::ide::line_index::Encoding;
use crate::ide::semantic_tokens::{KINDS, MODIFIERS};

/// What the client said of itself.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Client {
    /// What it counts columns in.
    pub(super) encoding: Encoding,
    /// What it can do.
    pub(super) capabilities: ClientCapabilities,
    /// How documents without files are called for it.
    pub(super) home: Home,
}

impl Client {
    /// Reads what the client sent.
    pub(super) fn new(params: &InitializeParams) -> Client {
        let capabilities = params.capabilities.clone();
        let kinds = capabilities.general.as_ref().and_then(|it| it.position_encodings.as_ref());
        let has = |kind: PositionEncodingKind| kinds.is_some_and(|it| it.contains(&kind));
        // Bytes are what texts are in here; characters are as good as UTF-16 and easier to count.
        let encoding = if has(PositionEncodingKind::UTF8) {
            Encoding::Utf8
        } else if has(PositionEncodingKind::UTF32) {
            Encoding::Utf32
        } else {
            Encoding::Utf16
        };
        let options = params.initialization_options.as_ref();
        let flag = options.and_then(|it| it.get("virtualDocuments")).and_then(Value::as_bool);
        let home = if flag == Some(true) { Home::Virtual } else { Home::in_cache() };
        Client { encoding, capabilities, home }
    }

    /// Whether it asks for diagnostics itself.
    pub(super) fn pulls_diagnostics(&self) -> bool {
        self.capabilities.text_document.as_ref().is_some_and(|it| it.diagnostic.is_some())
    }

    /// Whether it asks again for diagnostics when told so.
    pub(super) fn refreshes_diagnostics(&self) -> bool {
        let workspace = self.capabilities.workspace.as_ref();
        workspace.and_then(|it| it.diagnostics.as_ref()).and_then(|it| it.refresh_support)
            == Some(true)
    }

    /// Whether it asks again for inlay hints when told so.
    pub(super) fn refreshes_hints(&self) -> bool {
        let workspace = self.capabilities.workspace.as_ref();
        workspace.and_then(|it| it.inlay_hint.as_ref()).and_then(|it| it.refresh_support)
            == Some(true)
    }

    /// Whether it fills in the places of snippets.
    pub(super) fn has_snippets(&self) -> bool {
        let text = self.capabilities.text_document.as_ref();
        let completion = text.and_then(|it| it.completion.as_ref());
        completion.and_then(|it| it.completion_item.as_ref()).and_then(|it| it.snippet_support)
            == Some(true)
    }

    /// Whether it asks again for code lenses when told so.
    pub(super) fn refreshes_lenses(&self) -> bool {
        let workspace = self.capabilities.workspace.as_ref();
        workspace.and_then(|it| it.code_lens.as_ref()).and_then(|it| it.refresh_support)
            == Some(true)
    }

    /// Whether it lets servers say which files they want to hear about.
    pub(super) fn registers_watchers(&self) -> bool {
        let workspace = self.capabilities.workspace.as_ref();
        let watched = workspace.and_then(|it| it.did_change_watched_files.as_ref());
        watched.and_then(|it| it.dynamic_registration) == Some(true)
    }

    /// Whether it takes edits for a version of a document.
    pub(super) fn versions_edits(&self) -> bool {
        let workspace = self.capabilities.workspace.as_ref();
        let edits = workspace.and_then(|it| it.workspace_edit.as_ref());
        edits.and_then(|it| it.document_changes) == Some(true)
    }

    /// Whether it takes a declaration together with the name that led there.
    pub(super) fn links_definitions(&self) -> bool {
        let text = self.capabilities.text_document.as_ref();
        text.and_then(|it| it.definition.as_ref()).and_then(|it| it.link_support) == Some(true)
    }

    /// Whether it shows symbols as a tree.
    pub(super) fn nests_symbols(&self) -> bool {
        let text = self.capabilities.text_document.as_ref();
        let symbols = text.and_then(|it| it.document_symbol.as_ref());
        symbols.and_then(|it| it.hierarchical_document_symbol_support) == Some(true)
    }
}

/// What the server answers.
pub(super) fn answer(client: &Client) -> InitializeResult {
    InitializeResult {
        capabilities: capabilities(client),
        server_info: Some(ServerInfo {
            name: "tile-lsp".to_owned(),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        }),
        ..InitializeResult::default()
    }
}

/// What the server can do: a line for each row of `requests` that has one.
fn capabilities(client: &Client) -> ServerCapabilities {
    let encoding = match client.encoding {
        Encoding::Utf8 => PositionEncodingKind::UTF8,
        Encoding::Utf16 => PositionEncodingKind::UTF16,
        Encoding::Utf32 => PositionEncodingKind::UTF32,
    };
    let sync = TextDocumentSyncOptions {
        open_close: Some(true),
        change: Some(TextDocumentSyncKind::INCREMENTAL),
        ..TextDocumentSyncOptions::default()
    };
    let folders = WorkspaceFoldersServerCapabilities {
        supported: Some(true),
        change_notifications: Some(OneOf::Left(true)),
    };
    let diagnostics = DiagnosticOptions {
        identifier: Some("tile".to_owned()),
        inter_file_dependencies: true,
        workspace_diagnostics: true,
        ..DiagnosticOptions::default()
    };
    ServerCapabilities {
        position_encoding: Some(encoding),
        text_document_sync: Some(TextDocumentSyncCapability::Options(sync)),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(folders),
            ..WorkspaceServerCapabilities::default()
        }),
        diagnostic_provider: client
            .pulls_diagnostics()
            .then_some(DiagnosticServerCapabilities::Options(diagnostics)),
        document_symbol_provider: Some(OneOf::Left(true)),
        workspace_symbol_provider: Some(OneOf::Left(true)),
        folding_range_provider: Some(FoldingRangeProviderCapability::Simple(true)),
        selection_range_provider: Some(SelectionRangeProviderCapability::Simple(true)),
        definition_provider: Some(OneOf::Left(true)),
        declaration_provider: Some(DeclarationCapability::Simple(true)),
        type_definition_provider: Some(TypeDefinitionProviderCapability::Simple(true)),
        references_provider: Some(OneOf::Left(true)),
        document_highlight_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: WorkDoneProgressOptions::default(),
        })),
        document_link_provider: Some(DocumentLinkOptions {
            resolve_provider: None,
            work_done_progress_options: WorkDoneProgressOptions::default(),
        }),
        call_hierarchy_provider: Some(CallHierarchyServerCapability::Simple(true)),
        semantic_tokens_provider: Some(semantic_tokens()),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        completion_provider: Some(CompletionOptions {
            resolve_provider: Some(true),
            trigger_characters: Some([".", ":", "@", "("].map(str::to_owned).to_vec()),
            ..CompletionOptions::default()
        }),
        signature_help_provider: Some(SignatureHelpOptions {
            trigger_characters: Some(["(", ",", "["].map(str::to_owned).to_vec()),
            retrigger_characters: Some(vec![":".to_owned()]),
            ..SignatureHelpOptions::default()
        }),
        inlay_hint_provider: Some(OneOf::Left(true)),
        code_lens_provider: Some(CodeLensOptions { resolve_provider: None }),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX, CodeActionKind::SOURCE_FIX_ALL]),
            ..CodeActionOptions::default()
        })),
        document_formatting_provider: Some(OneOf::Left(true)),
        document_range_formatting_provider: Some(OneOf::Left(true)),
        document_on_type_formatting_provider: Some(DocumentOnTypeFormattingOptions {
            first_trigger_character: "}".to_owned(),
            more_trigger_character: Some(vec!["\n".to_owned(), ";".to_owned()]),
        }),
        ..ServerCapabilities::default()
    }
}

fn semantic_tokens() -> SemanticTokensServerCapabilities {
    let types = KINDS.iter().copied().map(SemanticTokenType::new);
    let modifiers = MODIFIERS.iter().copied().map(SemanticTokenModifier::new);
    let options = SemanticTokensOptions {
        legend: SemanticTokensLegend {
            token_types: types.collect(),
            token_modifiers: modifiers.collect(),
        },
        range: Some(true),
        full: Some(SemanticTokensFullOptions::Delta { delta: Some(true) }),
        ..SemanticTokensOptions::default()
    };
    SemanticTokensServerCapabilities::SemanticTokensOptions(options)
}

/// The wish to hear of source files that change on disk.
pub(super) fn watchers() -> Value {
    json!({ "registrations": [{
        "id": "watch source files",
        "method": "workspace/didChangeWatchedFiles",
        "registerOptions": { "watchers": [{ "globPattern": "**/*.tile" }] },
    }] })
}
