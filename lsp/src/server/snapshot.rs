//! What a request sees: a copy of the database at one moment, with the files and settings of then.
//!
//! A live copy keeps edits waiting. So it lives only while its request is computed: nothing in a
//! request writes to the client, reads a file or starts a program while it holds one.

use std::borrow::Cow;
use std::sync::Arc;

use tile_language::db::{self, SourceFile};
use tile_language::ir::Place;
use tile_language::query::Database;
use tile_syntax::ast::Span;
use tower_lsp::jsonrpc::{Error, ErrorCode};
use tower_lsp::ls_types::{Location, Position, Range, TextEdit, Uri};

use super::files::Files;
use super::initialize::Client;
use super::settings::Settings;
use crate::ide::line_index::{Encoding, LineIndex, line_index};

/// Why a request has no answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Refusal {
    code: ErrorCode,
    message: Cow<'static, str>,
}

impl Refusal {
    /// The request cannot be fulfilled; the message is shown to the user.
    pub fn failed(message: impl Into<Cow<'static, str>>) -> Refusal {
        // RequestFailed of the protocol's error codes.
        Refusal { code: ErrorCode::ServerError(-32803), message: message.into() }
    }

    /// The parameters are not what the protocol says.
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal { code: ErrorCode::InvalidParams, message: message.into() }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Error {
        Error { code: refusal.code, message: refusal.message, data: None }
    }
}

/// The world of a request.
#[derive(Clone)]
pub struct Snapshot {
    /// The database.
    pub db: Database,
    /// What the user chose.
    pub settings: Arc<Settings>,
    /// What the client said of itself.
    pub(super) client: Arc<Client>,
    pub(super) files: Arc<Files>,
}

impl Snapshot {
    /// What the client counts columns in.
    pub fn encoding(&self) -> Encoding {
        self.client.encoding
    }

    /// The file of a URI.
    pub fn file(&self, uri: &Uri) -> Result<SourceFile, Refusal> {
        let unknown = || Refusal::invalid(format!("`{}` is not open", uri.as_str()));
        self.files.file(uri).ok_or_else(unknown)
    }

    /// The lines of a file.
    pub fn lines(&self, file: SourceFile) -> &LineIndex {
        line_index(&self.db, file)
    }

    /// The byte of a position.
    pub fn offset(&self, file: SourceFile, position: Position) -> u32 {
        self.lines(file).offset(position, self.encoding())
    }

    /// The position of a byte.
    pub fn position(&self, file: SourceFile, at: u32) -> Position {
        self.lines(file).position(at, self.encoding())
    }

    /// The range of a span.
    pub fn range(&self, file: SourceFile, span: Span) -> Range {
        self.lines(file).range(span, self.encoding())
    }

    /// The span of a range.
    pub fn span(&self, file: SourceFile, range: Range) -> Span {
        self.lines(file).span(range, self.encoding())
    }

    /// The URI of a file, also of the library's; `None` if it is gone.
    pub fn uri(&self, file: SourceFile) -> Option<Uri> {
        self.files.uri(file.number(&self.db))
    }

    /// A span of a file as the client can go there.
    pub fn location(&self, file: SourceFile, span: Span) -> Option<Location> {
        Some(Location { uri: self.uri(file)?, range: self.range(file, span) })
    }

    /// A place of a diagnostic or the IR as the client can go there; `None` if its item is gone.
    pub fn locate(&self, place: &Place) -> Option<Location> {
        let (file, span) = db::resolve(&self.db, place)?;
        self.location(file, span)
    }

    /// An edit of a file.
    pub fn edit(&self, file: SourceFile, span: Span, text: impl Into<String>) -> TextEdit {
        TextEdit { range: self.range(file, span), new_text: text.into() }
    }
}
