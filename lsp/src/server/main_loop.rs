//! The thread that owns the database.
//!
//! It takes events one after the other: notifications take effect at once, requests wait until a thread
//! of the pool is free and then run on a copy of the database. It never runs a query itself, so
//! what it does takes a millisecond and the client is always heard.
//!
//! An edit is a write to the database: that cancels the queries of all copies and waits for the copies
//! to go. What was running is then computed anew or refused, as its row says.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use salsa::{Cancelled, Database as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tile_language::db::SourceFile;
use tile_language::query::Database;
use tower_lsp::jsonrpc::{Error, ErrorCode, Id, Request, Response};
use tower_lsp::ls_types::notification::{self as note, Notification};
use tower_lsp::ls_types::{
    CancelParams, Diagnostic, DidChangeConfigurationParams, DidChangeTextDocumentParams,
    DidChangeWatchedFilesParams, DidChangeWorkspaceFoldersParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, InitializeParams, NumberOrString, PublishDiagnosticsParams,
    TextDocumentContentChangeEvent, Uri,
};

use super::files::{self, DiskFile, Files};
use super::initialize::{self, Client};
use super::pending::{Outcome, Pending};
use super::pool::Pool;
use super::push::{Due, Push};
use super::requests::{self, OnEdit, Reply};
use super::snapshot::Snapshot;
use super::transport::{Call, End};
use super::{findings, library, pending};
use crate::ide::line_index::{Encoding, LineIndex};

/// How long a request may run. What takes longer is ended and refused.
const RUN_MAX: Duration = Duration::from_secs(20);

/// What happens to the main loop.
pub(super) enum Event {
    /// The client asks.
    Request(Call),
    /// The client says.
    Notification(String, Value),
    /// A thread is done with a request.
    Done(u64, Outcome),
    /// A thread is done with the findings of a document: its file, version, and findings with their
    /// result id unless an edit came.
    Found(u32, i32, Option<(Vec<Diagnostic>, String)>),
    /// Files of a folder were read.
    Loaded(Vec<DiskFile>),
    /// The client is gone.
    Closed,
}

/// Where in its life a server is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Fresh,
    Running,
    ShutDown,
}

/// The state of the server.
pub(super) struct MainLoop {
    phase: Phase,
    snapshot: Snapshot,
    pending: Pending,
    push: Push,
    pool: Pool,
    n_idle: usize,
    folders: Vec<PathBuf>,
    incoming: Receiver<Event>,
    events: Sender<Event>,
    outgoing: UnboundedSender<Request>,
    n_asked: i64,
}

impl MainLoop {
    /// A server that waits for its client, the way to it and the way from it.
    pub(super) fn new() -> (MainLoop, Sender<Event>, UnboundedReceiver<Request>) {
        let (events, incoming) = mpsc::channel();
        let (outgoing, to_client) = unbounded();
        let snapshot = Snapshot {
            db: Database::default(),
            settings: Arc::default(),
            client: Arc::default(),
            files: Arc::default(),
            sent_tokens: Arc::default(),
            measured: Arc::default(),
        };
        let pool = Pool::new();
        let main_loop = MainLoop {
            phase: Phase::Fresh,
            snapshot,
            pending: Pending::default(),
            push: Push::default(),
            n_idle: pool.n_threads(),
            pool,
            folders: Vec::new(),
            incoming,
            events: events.clone(),
            outgoing,
            n_asked: 0,
        };
        (main_loop, events, to_client)
    }

    /// Works until the client is gone.
    pub(super) fn run(mut self) -> End {
        while let Some(event) = self.next() {
            if matches!(event, Event::Closed) {
                break;
            }
            self.handle(event);
            // Edits that have come already are applied before anything is computed for older ones.
            while let Ok(event) = self.incoming.try_recv() {
                if matches!(event, Event::Closed) {
                    return self.end();
                }
                self.handle(event);
            }
            self.start_what_waits();
        }
        self.end()
    }

    fn end(&self) -> End {
        if self.phase == Phase::ShutDown { End::ShutDown } else { End::Gone }
    }

    /// The next event; on the way, requests that run for too long are ended.
    fn next(&mut self) -> Option<Event> {
        loop {
            if !self.pending.any_running() && !self.push.any_running() {
                return self.incoming.recv().ok();
            }
            match self.incoming.recv_timeout(RUN_MAX / 4) {
                Ok(event) => return Some(event),
                Err(RecvTimeoutError::Timeout) => self.end_what_runs_too_long(),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    fn end_what_runs_too_long(&mut self) {
        let Some(moment) = Instant::now().checked_sub(RUN_MAX) else { return };
        self.push.end_older(moment);
        for request in self.pending.take_older(moment) {
            let seconds = RUN_MAX.as_secs();
            let message = format!("`{}` took more than {seconds} s", request.row.method);
            request.answer(Err(error(REQUEST_FAILED, message)));
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Request(call) => self.request(call),
            Event::Notification(method, params) => self.notification(&method, params),
            Event::Closed => {}
            Event::Done(number, outcome) => self.done(number, outcome),
            Event::Found(number, version, found) => self.found(number, version, found),
            Event::Loaded(loaded) => self.loaded(&loaded),
        }
    }

    fn request(&mut self, call: Call) {
        match (call.method.as_str(), self.phase) {
            ("initialize", Phase::Fresh) => self.initialize(call),
            (_, Phase::Fresh) => refuse(call, SERVER_NOT_INITIALIZED, "not initialized"),
            (_, Phase::ShutDown) => refuse(call, ErrorCode::InvalidRequest, "shut down"),
            ("initialize", Phase::Running) => {
                refuse(call, ErrorCode::InvalidRequest, "initialized already");
            }
            ("shutdown", Phase::Running) => {
                self.phase = Phase::ShutDown;
                for it in self.pending.drain() {
                    it.answer(Err(error(ErrorCode::RequestCancelled, "the server shuts down")));
                }
                answer(call, Value::Null);
            }
            (method, Phase::Running) => match requests::row(method) {
                Some(row) => self.pending.add(call, row),
                None => {
                    let message = format!("`{method}` is not known here");
                    refuse(call, ErrorCode::MethodNotFound, message);
                }
            },
        }
    }

    fn initialize(&mut self, call: Call) {
        let params: InitializeParams = match serde_json::from_value(call.params.clone()) {
            Ok(it) => it,
            Err(error) => return refuse(call, ErrorCode::InvalidParams, error.to_string()),
        };
        let client = Client::new(&params);
        if let Some(options) = &params.initialization_options {
            Arc::make_mut(&mut self.snapshot.settings).read(options);
        }
        self.folders = folders_of(&params);
        let result = initialize::answer(&client);
        let home = client.home.clone();
        self.snapshot.files = Arc::new(Files::of_library(&self.snapshot.db, &home));
        let library = library::texts(&self.snapshot.db);
        self.pool.run(move || home.write(&library));
        self.snapshot.client = Arc::new(client);
        self.phase = Phase::Running;
        answer(call, json!(result));
    }

    fn notification(&mut self, method: &str, params: Value) {
        if method == note::Cancel::METHOD {
            return take(params, |it| self.cancel(it));
        }
        if self.phase != Phase::Running {
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

    fn loaded(&mut self, loaded: &[DiskFile]) {
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

    fn number(&self, uri: &Uri) -> Option<u32> {
        Some(self.snapshot.files.file(uri)?.number(&self.snapshot.db))
    }

    /// Has a client that asks for diagnostics ask again.
    fn refresh(&mut self) {
        let client = Arc::clone(&self.snapshot.client);
        if client.pulls_diagnostics() && client.refreshes_diagnostics() {
            self.ask("workspace/diagnostic/refresh", Value::Null);
        }
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

    /// Hands out work as long as threads are free.
    fn start_what_waits(&mut self) {
        while 0 < self.n_idle {
            if let Some((number, request)) = self.pending.next(self.n_idle) {
                let (run, params) = (request.row.run, request.params.clone());
                let snapshot = self.snapshot.clone();
                self.pending.start(number, snapshot.db.cancellation_token());
                self.spawn(move || Event::Done(number, attempt(snapshot, run, params)));
            } else if let Some(number) = self.push.next(self.n_idle) {
                let Some((file, version)) = self.open_document(number) else {
                    self.push.forget(number);
                    continue;
                };
                let snapshot = self.snapshot.clone();
                self.push.start(number, snapshot.db.cancellation_token());
                self.spawn(move || Event::Found(number, version, find(snapshot, file)));
            } else {
                return;
            }
        }
    }

    fn open_document(&self, number: u32) -> Option<(SourceFile, i32)> {
        let open = self.snapshot.files.open().into_iter().find(|it| it.0 == number);
        open.map(|(_, file, version)| (file, version))
    }

    fn spawn(&mut self, task: impl FnOnce() -> Event + Send + 'static) {
        self.n_idle -= 1;
        let events = self.events.clone();
        self.pool.run(move || {
            let _ = events.send(task());
        });
    }

    fn done(&mut self, number: u64, outcome: Outcome) {
        self.n_idle += 1;
        let was_overtaken = self.pending.is_stale(number);
        if was_overtaken || matches!(outcome, Outcome::Cancelled) {
            return self.pending.wait_again(number);
        }
        let Some(request) = self.pending.take(number) else { return };
        match outcome {
            Outcome::Answer(result) => request.answer(result),
            Outcome::Panicked(what) => {
                let message = format!("panic in `{}`: {what}", request.row.method);
                request.answer(Err(error(ErrorCode::InternalError, message)));
            }
            Outcome::Cancelled => {}
        }
    }

    fn found(&mut self, number: u32, version: i32, found: Option<(Vec<Diagnostic>, String)>) {
        self.n_idle += 1;
        let took_too_long = self.push.end(number);
        let ended = || {
            let seconds = RUN_MAX.as_secs();
            let message = format!("the check of this file took more than {seconds} s");
            (vec![findings::of_server(message.clone())], message)
        };
        let found = found.or_else(|| took_too_long.then(ended));
        let is_current = self.open_document(number).is_some_and(|it| it.1 == version);
        let Some((diagnostics, result_id)) = found.filter(|_| is_current) else { return };
        let Some(uri) = self.snapshot.files.uri(number) else { return };
        if self.push.is_news(number, version, &result_id) {
            let version = Some(version);
            let params = PublishDiagnosticsParams { uri, diagnostics, version };
            self.say::<note::PublishDiagnostics>(params);
        }
    }

    fn say<N: Notification>(&self, params: N::Params) {
        let message = Request::build(N::METHOD).params(json!(params)).finish();
        // A client that is gone hears nothing.
        let _ = self.outgoing.unbounded_send(message);
    }

    fn ask(&mut self, method: &'static str, params: impl Serialize) {
        self.n_asked += 1;
        let message = Request::build(method).id(self.n_asked).params(json!(params)).finish();
        let _ = self.outgoing.unbounded_send(message);
    }
}

// Codes of the protocol that the framework does not name.
const SERVER_NOT_INITIALIZED: ErrorCode = ErrorCode::ServerError(-32002);
const SERVER_CANCELLED: ErrorCode = ErrorCode::ServerError(-32802);
const REQUEST_FAILED: ErrorCode = ErrorCode::ServerError(-32803);

fn error(code: ErrorCode, message: impl Into<String>) -> Error {
    Error { code, message: message.into().into(), data: None }
}

fn answer(call: Call, result: Value) {
    let _ = call.reply.send(Response::from_ok(call.id, result));
}

fn refuse(call: Call, code: ErrorCode, message: impl Into<String>) {
    let _ = call.reply.send(Response::from_error(call.id, error(code, message)));
}

/// Reads the parameters of a notification. One that cannot be read has no effect: there is nobody
/// to tell.
fn take<P: DeserializeOwned>(params: Value, then: impl FnOnce(P)) {
    if let Ok(params) = serde_json::from_value(params) {
        then(params);
    }
}

/// The folders that the client works on.
fn folders_of(params: &InitializeParams) -> Vec<PathBuf> {
    let folders = params.workspace_folders.iter().flatten();
    let mut folders: Vec<PathBuf> = folders.filter_map(|it| files::path_of(&it.uri)).collect();
    #[expect(deprecated, reason = "older clients have nothing else")]
    if let (true, Some(root)) = (folders.is_empty(), &params.root_uri) {
        folders.extend(files::path_of(root));
    }
    folders
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

/// Runs a request to its end. The copy of the database is gone before anybody hears of it.
fn attempt(
    snapshot: Snapshot,
    run: fn(&Snapshot, Value) -> Result<Reply, super::Refusal>,
    params: Value,
) -> pending::Outcome {
    let answered = catch_unwind(AssertUnwindSafe(move || {
        let reply = run(&snapshot, params);
        drop(snapshot);
        match reply? {
            Reply::Now(value) => Ok(value),
            Reply::Later(work) => work(),
        }
    }));
    match answered {
        Ok(result) => Outcome::Answer(result.map_err(|it: super::Refusal| Error::from(it))),
        Err(payload) if payload.is::<Cancelled>() => Outcome::Cancelled,
        Err(payload) => Outcome::Panicked(findings::words_of(payload.as_ref())),
    }
}

/// The findings of a file with their result id; `None` if an edit came.
fn find(snapshot: Snapshot, file: SourceFile) -> Option<(Vec<Diagnostic>, String)> {
    let found = Cancelled::catch(AssertUnwindSafe(|| findings::of_file(&snapshot, file))).ok()?;
    let result_id = findings::result_id(&found);
    Some((found, result_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot() -> Snapshot {
        MainLoop::new().0.snapshot.clone()
    }

    #[test]
    fn a_panic_costs_one_request() {
        let outcome = attempt(snapshot(), |_, _| panic!("out of ideas"), Value::Null);
        assert!(matches!(outcome, Outcome::Panicked(words) if words == "out of ideas"));
        let outcome = attempt(snapshot(), |_, _| Ok(Reply::Now(json!(1))), Value::Null);
        assert!(matches!(outcome, Outcome::Answer(Ok(it)) if it == 1));
    }

    #[test]
    fn a_request_that_never_ends_is_ended_by_its_token() {
        let snapshot = snapshot();
        snapshot.db.cancellation_token().cancel();
        let endless = |snapshot: &Snapshot, _: Value| loop {
            snapshot.db.unwind_if_revision_cancelled();
        };
        let outcome = attempt(snapshot, endless, Value::Null);
        assert!(matches!(outcome, Outcome::Cancelled));
    }
}
