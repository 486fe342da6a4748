//! The table of requests. A new one is a row here, a line in `initialize.rs` if the protocol announces
//! it, and a function that takes the protocol's parameters to a feature of [`crate::ide`] and back.

mod actions;
mod code;
mod completion;
mod diagnostics;
mod documents;
mod insight;
mod navigation;
mod pictures;
mod symbols;
mod text;
mod tokens;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tower_lsp::ls_types::request as lsp;

use super::snapshot::{Refusal, Snapshot};

/// Which of two waiting requests goes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Lane {
    /// Somebody waits for it.
    Asked,
    /// The editor keeps what it shows up to date.
    Shown,
    /// Nobody looks: never the last free thread.
    Background,
}

/// What becomes of a request that an edit overtakes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum OnEdit {
    /// It is computed anew: its answer is as good for the new text.
    Retry,
    /// It is refused with `ContentModified`: its answer would change a text that is no more, or the
    /// client asks again by itself.
    Refuse,
    /// It is refused with `ServerCancelled`, upon which the client asks again.
    AskAgain,
}

/// What a request gives.
pub(super) enum Reply {
    /// The answer.
    Now(Value),
    /// Work that makes the answer without the database, whose copy is gone by then.
    Later(Box<dyn FnOnce() -> Result<Value, Refusal> + Send>),
}

/// A request that is answered from a snapshot.
pub(super) struct Row {
    pub(super) method: &'static str,
    pub(super) lane: Lane,
    pub(super) on_edit: OnEdit,
    pub(super) run: fn(&Snapshot, Value) -> Result<Reply, Refusal>,
}

macro_rules! rows {
    ($($request:ty => $handler:path, $lane:ident, $on_edit:ident;)*) => {
        &[$(Row {
            method: <$request as lsp::Request>::METHOD,
            lane: Lane::$lane,
            on_edit: OnEdit::$on_edit,
            run: |snapshot, params| answer::<$request>($handler(snapshot, read(params)?)?),
        }),*]
    };
}

/// All of them.
static ROWS: &[Row] = rows! {
    lsp::DocumentDiagnosticRequest => diagnostics::of_document, Shown, AskAgain;
    lsp::WorkspaceDiagnosticRequest => diagnostics::of_workspace, Background, AskAgain;
    lsp::DocumentSymbolRequest => symbols::of_document, Shown, Retry;
    lsp::WorkspaceSymbolRequest => symbols::of_workspace, Asked, Retry;
    lsp::FoldingRangeRequest => text::folds, Shown, Retry;
    lsp::SelectionRangeRequest => text::selections, Asked, Retry;
    lsp::GotoDefinition => navigation::declarations, Asked, Retry;
    lsp::GotoDeclaration => navigation::declarations, Asked, Retry;
    lsp::GotoTypeDefinition => navigation::type_declarations, Asked, Retry;
    lsp::References => navigation::usages, Asked, Retry;
    lsp::DocumentHighlightRequest => navigation::highlights, Shown, Retry;
    lsp::PrepareRenameRequest => navigation::prepare_rename, Asked, Retry;
    lsp::Rename => navigation::rename, Asked, Refuse;
    lsp::DocumentLinkRequest => navigation::links, Shown, Retry;
    lsp::CallHierarchyPrepare => navigation::prepare_calls, Asked, Retry;
    lsp::CallHierarchyIncomingCalls => navigation::incoming_calls, Asked, Retry;
    lsp::CallHierarchyOutgoingCalls => navigation::outgoing_calls, Asked, Retry;
    lsp::SemanticTokensFullRequest => tokens::full, Shown, Retry;
    lsp::SemanticTokensFullDeltaRequest => tokens::delta, Shown, Retry;
    lsp::SemanticTokensRangeRequest => tokens::in_range, Shown, Retry;
    lsp::HoverRequest => insight::hover, Asked, Retry;
    lsp::Completion => completion::suggestions, Asked, Retry;
    lsp::ResolveCompletionItem => completion::resolve, Asked, Retry;
    lsp::SignatureHelpRequest => insight::signatures, Asked, Retry;
    lsp::InlayHintRequest => insight::hints, Shown, Retry;
    lsp::CodeLensRequest => insight::lenses, Shown, Retry;
    lsp::CodeActionRequest => actions::at, Asked, Refuse;
    lsp::Formatting => text::format, Asked, Refuse;
    lsp::RangeFormatting => text::format_range, Asked, Refuse;
    lsp::OnTypeFormatting => text::format_on_type, Asked, Refuse;
    documents::TextDocumentContent => documents::content, Asked, Retry;
    pictures::LayoutRequest => pictures::layout, Asked, Retry;
    pictures::ConversionRequest => pictures::conversion, Asked, Retry;
};

/// Those of Tile's own.
static OWN_ROWS: &[Row] = &[
    own_row("tile/code", code::code),
    own_row("tile/measure", code::measure),
    own_row("tile/pressure", code::pressure),
];

const fn own_row(method: &'static str, run: fn(&Snapshot, Value) -> Result<Reply, Refusal>) -> Row {
    Row { method, lane: Lane::Asked, on_edit: OnEdit::Refuse, run }
}

/// The row of a method.
pub(super) fn row(method: &str) -> Option<&'static Row> {
    ROWS.iter().chain(OWN_ROWS).find(|it| it.method == method)
}

fn read<P: DeserializeOwned>(params: Value) -> Result<P, Refusal> {
    serde_json::from_value(params).map_err(|error| Refusal::invalid(error.to_string()))
}

fn answer<R: lsp::Request>(result: R::Result) -> Result<Reply, Refusal> {
    let value = serde_json::to_value(result).expect("types of the protocol have string keys");
    Ok(Reply::Now(value))
}
