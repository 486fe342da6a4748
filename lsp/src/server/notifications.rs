//! What the client says: documents that open, change and close, files that change on disk, settings.
//!
//! Each is a write to the database, applied before the next message is looked at.

use std::path::PathBuf;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tile_language::query::Database;
use tower_lsp::jsonrpc::{Error, ErrorCode, Id};
use tower_lsp::ls_types::notification::{self as note, Notification};
use tower_lsp::ls_types::{
    CancelParams, DidChangeConfigurationParams, DidChangeTextDocumentParams,
    DidChangeWatchedFilesParams, DidChangeWorkspaceFoldersParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, NumberOrString, PublishDiagnosticsParams,
    TextDocumentContentChangeEvent, Uri,
};

use super::files::{self, DiskFile, Files};
use super::initialize;
use super::main_loop::{Event, MainLoop, SERVER_CANCELLED, error};
use super::push::Due;
use super::requests::OnEdit;
use crate::ide::line_index::{Encoding, LineIndex};

impl MainLoop {
    /// Takes in what the client says.
    pub(super) fn notification(&mut self, method: &str, params: Value) {
        if method == note::Cancel::METHOD {
            return take(params, |it| self.cancel(it));
        }
        if !self.is_running() {
            return;
        }
        match method {
            note::Initialized::METHOD => self.initialized(),
            note::DidOpenTextDocument::METHOD => take(params, |it| self.opened(it)),
            note::DidChangeTextDocument::METHOD => take(params, |it| self.changed(it)),
            note::DidCloseTextDocument::METHOD => take(params, |it| self.closed(it)),
            note::DidChangeWatchedFiles::METHOD => take(params, |it| self.watched(it)),
            note::DidChangeWorkspaceFolders::METHOD => take(params, |it| self.refoldered(it)),
            note::DidChangeConfiguration::METHOD => take(params, |it| self.configured(&it)),
            // What else clients say of themselves changes nothing here.
            _ => {}
        }
    }

    fn initialized(&mut self) {
        if self.snapshot.client.registers_watchers() {
            self.ask("client/registerCapability", initialize::watchers());
        }
        let folders = self.folders.clone();
        folders.into_iter().for_each(|it| self.load(it));
    }

    /// Reads the files of a folder on a thread.
    fn load(&self, folder: PathBuf) {
        let events = self.events.clone();
        self.pool.run(move || {
            let _ = events.send(Event::Loaded(files::below(&folder)));
        });
    }

    /// Takes over what was read from disk.
    pub(super) fn loaded(&mut self, loaded: &[DiskFile]) {
        let snapshot = &self.snapshot;
        if loaded.iter().all(|it| snapshot.files.is_as_on_disk(&snapshot.db, it)) {
            return;
        }
        self.edit(None, |db, files| {
            loaded.iter().for_each(|it| files.set_from_disk(db, it));
        });
        self.refresh();
    }

    fn opened(&mut self, params: DidOpenTextDocumentParams) {
        let document = params.text_document;
        let folder = files::path_of(&document.uri).and_then(|it| it.parent().map(PathBuf::from));
        self.edit(Some(&document.uri), |db, files| {
            files.set_open(db, &document.uri, document.version, &document.text);
            // The files beside it are there before anything is said about it.
            let is_known = folder.as_ref().is_none_or(|it| files.has_folder(it));
            if let (false, Some(folder)) = (is_known, folder) {
                files::beside(&folder).iter().for_each(|it| files.set_from_disk(db, it));
                files.note_folder(folder);
            }
        });
    }

    fn changed(&mut self, params: DidChangeTextDocumentParams) {
        let uri = params.text_document.uri;
        let version = params.text_document.version;
        let encoding = self.snapshot.encoding();
        self.edit(Some(&uri), |db, files| {
            let Some(file) = files.file(&uri) else { return };
            let mut text = file.text(db).clone();
            for change in params.content_changes {
                apply(&mut text, change, encoding);
            }
            files.set_open(db, &uri, version, &text);
        });
        self.is_stale_elsewhere |= self.is_seen_elsewhere(&uri);
    }

    /// Whether another document is open that sees this one.
    fn is_seen_elsewhere(&self, uri: &Uri) -> bool {
        let (files, db) = (&self.snapshot.files, &self.snapshot.db);
        let Some(file) = files.file(uri) else { return false };
        let open = files.open().into_iter().map(|it| it.1);
        open.into_iter().any(|it| it != file && it.folder(db) == file.folder(db))
    }

    fn closed(&mut self, params: DidCloseTextDocumentParams) {
        let uri = params.text_document.uri;
        let Some(number) = self.number(&uri) else { return };
        self.push.forget(number);
        self.snapshot.sent_tokens.forget(number);
        self.edit(None, |db, files| files.close(db, &uri));
        if !self.snapshot.client.pulls_diagnostics() {
            let params = PublishDiagnosticsParams { uri, diagnostics: Vec::new(), version: None };
            self.say::<note::PublishDiagnostics>(params);
        }
    }

    fn watched(&mut self, params: DidChangeWatchedFilesParams) {
        self.edit(None, |db, files| {
            params.changes.iter().for_each(|it| files.reload(db, &it.uri));
        });
        self.refresh();
    }

    fn refoldered(&mut self, params: DidChangeWorkspaceFoldersParams) {
        let paths = |it: &[tower_lsp::ls_types::WorkspaceFolder]| -> Vec<PathBuf> {
            it.iter().filter_map(|it| files::path_of(&it.uri)).collect()
        };
        let (gone, added) = (paths(&params.event.removed), paths(&params.event.added));
        self.folders.retain(|it| !gone.contains(it));
        self.edit(None, |db, files| {
            gone.iter().for_each(|it| files.remove_folder(db, it));
        });
        self.folders.extend(added.iter().cloned());
        added.into_iter().for_each(|it| self.load(it));
        self.refresh();
    }

    fn configured(&mut self, params: &DidChangeConfigurationParams) {
        Arc::make_mut(&mut self.snapshot.settings).read(&params.settings);
        self.edit(None, |_, _| {});
        self.refresh();
    }

    /// Changes the database: readers are cancelled, and what they were about is computed anew.
    fn edit(&mut self, edited: Option<&Uri>, change: impl FnOnce(&mut Database, &mut Files)) {
        let refused = self.pending.edited(|row| row.on_edit != OnEdit::Retry);
        for it in refused {
            let refusal = match it.row.on_edit {
                OnEdit::AskAgain => Error {
                    data: Some(json!({ "retriggerRequest": true })),
                    ..error(SERVER_CANCELLED, "the text has changed")
                },
                OnEdit::Refuse | OnEdit::Retry => {
                    error(ErrorCode::ContentModified, "the text has changed")
                }
            };
            it.answer(Err(refusal));
        }
        change(&mut self.snapshot.db, Arc::make_mut(&mut self.snapshot.files));
        if self.snapshot.client.pulls_diagnostics() {
            return;
        }
        let edited = edited.and_then(|it| self.number(it));
        for (number, ..) in self.snapshot.files.open() {
            let due = if edited == Some(number) { Due::Now } else { Due::Later };
            self.push.want(number, due);
        }
    }

    /// Has a client that asks for diagnostics ask again.
    fn refresh(&mut self) {
        let client = Arc::clone(&self.snapshot.client);
        if client.pulls_diagnostics() && client.refreshes_diagnostics() {
            self.ask("workspace/diagnostic/refresh", Value::Null);
        }
        self.refresh_shown();
    }

    /// Has a client ask again for hints and lenses.
    pub(super) fn refresh_shown(&mut self) {
        let client = Arc::clone(&self.snapshot.client);
        if client.refreshes_hints() {
            self.ask("workspace/inlayHint/refresh", Value::Null);
        }
        if client.refreshes_lenses() {
            self.ask("workspace/codeLens/refresh", Value::Null);
        }
    }

    fn cancel(&mut self, params: CancelParams) {
        let id = match params.id {
            NumberOrString::Number(it) => Id::Number(i64::from(it)),
            NumberOrString::String(it) => Id::String(it),
        };
        if let Some(request) = self.pending.cancel(&id) {
            request.answer(Err(Error::request_cancelled()));
        }
    }
}

/// Changes a text as the client changed it.
fn apply(text: &mut String, change: TextDocumentContentChangeEvent, encoding: Encoding) {
    match change.range {
        None => *text = change.text,
        Some(range) => {
            let span = LineIndex::new(text).span(range, encoding);
            text.replace_range(span.lo as usize..span.hi as usize, &change.text);
        }
    }
}

/// Reads the parameters of a notification. One that cannot be read has no effect: there is nobody
/// to tell.
fn take<P: DeserializeOwned>(params: Value, then: impl FnOnce(P)) {
    if let Ok(params) = serde_json::from_value(params) {
        then(params);
    }
}
