//! What a request sees: a copy of the database at one moment, with the files and settings of then.
//!
//! A live copy keeps edits waiting. So it lives only while its request is computed: nothing in a
//! request writes to the client, reads a file or starts a program while it holds one.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;
use tile_language::db::{self, SourceFile};
use tile_language::ir::Place;
use tile_language::query::Database;
use tile_syntax::ast::Span;
use tower_lsp::jsonrpc::{Error, ErrorCode};
use tower_lsp::ls_types::{
    DocumentChanges, Location, OneOf, OptionalVersionedTextDocumentIdentifier, Position, Range,
    SemanticToken, TextDocumentEdit, TextDocumentPositionParams, TextEdit, Uri, WorkspaceEdit,
};

use super::files::Files;
use super::initialize::Client;
use super::settings::Settings;
use crate::ide::line_index::{Encoding, LineIndex, line_index};
use crate::ide::measured::Measured;
use crate::ide::shown::Shown;

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
    pub(super) sent_tokens: Arc<SentTokens>,
    /// What the compiler measured.
    pub(super) measured: Arc<Measured>,
}

/// The semantic tokens that were sent last, by the numbers of files.
#[derive(Debug, Default)]
pub(super) struct SentTokens(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: u64,
    by_file: FxHashMap<u32, (String, Vec<SemanticToken>)>,
}

impl SentTokens {
    /// Keeps the tokens of a file; gives the name that they get, and what was kept before. Equal
    /// tokens keep their name.
    pub(super) fn replace(
        &self,
        number: u32,
        tokens: Vec<SemanticToken>,
    ) -> (String, Option<(String, Vec<SemanticToken>)>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = state.by_file.get(&number).filter(|it| it.1 == tokens);
        let result_id = match known {
            Some(it) => it.0.clone(),
            None => {
                state.last += 1;
                state.last.to_string()
            }
        };
        let last = state.by_file.insert(number, (result_id.clone(), tokens));
        (result_id, last)
    }

    /// Forgets the tokens of a file.
    pub(super) fn forget(&self, number: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).by_file.remove(&number);
    }
}

impl Snapshot {
    /// What the client counts columns in.
    pub fn encoding(&self) -> Encoding {
        self.client.encoding
    }

    /// What the user sees of a kernel.
    pub fn shown(&self) -> Shown {
        Shown { measured: Arc::clone(&self.measured), ..self.settings.shown() }
    }

    /// The file of a URI.
    pub fn file(&self, uri: &Uri) -> Result<SourceFile, Refusal> {
        let unknown = || Refusal::invalid(format!("`{}` is not open", uri.as_str()));
        self.files.file(uri).ok_or_else(unknown)
    }

    /// The file and the byte of a position in a document.
    pub fn place(&self, at: &TextDocumentPositionParams) -> Result<(SourceFile, u32), Refusal> {
        let file = self.file(&at.text_document.uri)?;
        Ok((file, self.offset(file, at.position)))
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

    /// Replacements of text in one file or several, for the versions that they were made for.
    pub fn workspace_edit(
        &self,
        edits: impl IntoIterator<Item = (SourceFile, Span, String)>,
    ) -> WorkspaceEdit {
        let mut by_file: Vec<(SourceFile, Vec<TextEdit>)> = Vec::new();
        for (file, span, text) in edits {
            let edit = self.edit(file, span, text);
            match by_file.iter_mut().find(|it| it.0 == file) {
                Some(it) => it.1.push(edit),
                None => by_file.push((file, vec![edit])),
            }
        }
        let by_uri = by_file.into_iter().filter_map(|(file, it)| Some((self.uri(file)?, it)));
        if !self.client.versions_edits() {
            let changes = Some(by_uri.collect());
            return WorkspaceEdit { changes, ..WorkspaceEdit::default() };
        }
        let documents = by_uri.map(|(uri, edits)| TextDocumentEdit {
            text_document: OptionalVersionedTextDocumentIdentifier {
                version: self.files.version(&uri),
                uri,
            },
            edits: edits.into_iter().map(OneOf::Left).collect(),
        });
        let document_changes = Some(DocumentChanges::Edits(documents.collect()));
        WorkspaceEdit { document_changes, ..WorkspaceEdit::default() }
    }

    /// An edit of a file.
    pub fn edit(&self, file: SourceFile, span: Span, text: impl Into<String>) -> TextEdit {
        TextEdit { range: self.range(file, span), new_text: text.into() }
    }
}
