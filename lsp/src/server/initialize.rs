//! The first exchange: what the client can do, and what this server does.

use serde_json::{Value, json};
use tower_lsp::ls_types::{
    ClientCapabilities, DiagnosticOptions, DiagnosticServerCapabilities,
    FoldingRangeProviderCapability, InitializeParams, InitializeResult, OneOf,
    PositionEncodingKind, SelectionRangeProviderCapability, ServerCapabilities, ServerInfo,
    TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions,
    WorkspaceFoldersServerCapabilities, WorkspaceServerCapabilities,
};

use crate::ide::line_index::Encoding;

/// What the client said of itself.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Client {
    /// What it counts columns in.
    pub(super) encoding: Encoding,
    /// What it can do.
    pub(super) capabilities: ClientCapabilities,
    /// Whether it opens documents of the scheme `tile`, by asking this server for their text.
    pub(super) has_virtual_documents: bool,
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
        Client { encoding, capabilities, has_virtual_documents: flag.unwrap_or(false) }
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

    /// Whether it lets servers say which files they want to hear about.
    pub(super) fn registers_watchers(&self) -> bool {
        let workspace = self.capabilities.workspace.as_ref();
        let watched = workspace.and_then(|it| it.did_change_watched_files.as_ref());
        watched.and_then(|it| it.dynamic_registration) == Some(true)
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
        document_formatting_provider: Some(OneOf::Left(true)),
        ..ServerCapabilities::default()
    }
}

/// The wish to hear of source files that change on disk.
pub(super) fn watchers() -> Value {
    json!({ "registrations": [{
        "id": "watch source files",
        "method": "workspace/didChangeWatchedFiles",
        "registerOptions": { "watchers": [{ "globPattern": "**/*.tile" }] },
    }] })
}
