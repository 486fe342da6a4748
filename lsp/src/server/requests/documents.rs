//! Documents that have no file: the library and the pages of diagnostics.

use serde::{Deserialize, Serialize};
use tower_lsp::ls_types::{Uri, request::Request};

use crate::server::files::SCHEME;
use crate::server::{Refusal, Snapshot, library};

/// `workspace/textDocumentContent` of version 3.18 of the protocol: the text of a document.
pub(super) enum TextDocumentContent {}

/// Which document.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct TextDocumentContentParams {
    uri: Uri,
}

/// Its text.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct TextDocumentContentResult {
    text: String,
}

impl Request for TextDocumentContent {
    type Params = TextDocumentContentParams;
    type Result = TextDocumentContentResult;
    const METHOD: &'static str = "workspace/textDocumentContent";
}

pub(super) fn content(
    snapshot: &Snapshot,
    params: TextDocumentContentParams,
) -> Result<TextDocumentContentResult, Refusal> {
    let uri = &params.uri;
    let is_ours = uri.scheme().as_str() == SCHEME;
    let text = is_ours.then(|| library::text(&snapshot.db, uri.path().as_str())).flatten();
    let text = text.ok_or_else(|| Refusal::failed(format!("there is no `{}`", uri.as_str())))?;
    Ok(TextDocumentContentResult { text })
}
