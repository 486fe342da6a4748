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
use serde_json::{Value, json};
use tile_language::db::SourceFile;
use tile_language::query::Database;
use tower_lsp::jsonrpc::{Error, ErrorCode, Request, Response};
use tower_lsp::ls_types::notification::{self as note, Notification};
use tower_lsp::ls_types::{Diagnostic, InitializeParams, PublishDiagnosticsParams, Uri};

use super::files::{self, DiskFile, Files};
use super::initialize::{self, Client};
use super::pending::{Outcome, Pending};
use super::pool::Pool;
use super::push::Push;
use super::requests::{self, Reply};
use super::snapshot::Snapshot;
use super::transport::{Call, End};
use super::{findings, library, pending};

/// How long a request may run. What takes longer is ended and refused.
const RUN_MAX: Duration = Duration::from_secs(20);

/// For how long nothing comes from a user who has stopped typing.
const QUIET: Duration = Duration::from_millis(300);

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
    pub(super) snapshot: Snapshot,
    pub(super) pending: Pending,
    pub(super) push: Push,
    pub(super) pool: Pool,
    n_idle: usize,
    pub(super) folders: Vec<PathBuf>,
    incoming: Receiver<Event>,
    pub(super) events: Sender<Event>,
    outgoing: UnboundedSender<Request>,
    n_asked: i64,
    /// Whether an edit may have changed what is shown of other documents.
    pub(super) is_stale_elsewhere: bool,
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
            is_stale_elsewhere: false,
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

    pub(super) fn is_running(&self) -> bool {
        self.phase == Phase::Running
    }

    fn end(&self) -> End {
        if self.phase == Phase::ShutDown { End::ShutDown } else { End::Gone }
    }

    /// The next event; on the way, requests that run for too long are ended, and a client whose user has
    /// stopped typing asks again for what other documents show.
    fn next(&mut self) -> Option<Event> {
        loop {
            let is_busy = self.pending.any_running() || self.push.any_running();
            let patience = match (is_busy, self.is_stale_elsewhere) {
                (true, _) => RUN_MAX / 4,
                (false, true) => QUIET,
                (false, false) => return self.incoming.recv().ok(),
            };
            match self.incoming.recv_timeout(patience) {
                Ok(event) => return Some(event),
                Err(RecvTimeoutError::Timeout) if is_busy => self.end_what_runs_too_long(),
                Err(RecvTimeoutError::Timeout) => {
                    self.is_stale_elsewhere = false;
                    self.refresh_shown();
                }
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

    /// The number of a document's file.
    pub(super) fn number(&self, uri: &Uri) -> Option<u32> {
        Some(self.snapshot.files.file(uri)?.number(&self.snapshot.db))
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
            Outcome::Answer(result) => {
                request.answer(result);
                if self.snapshot.measured.take_news() {
                    self.refresh_shown();
                }
            }
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

    /// Tells the client something.
    pub(super) fn say<N: Notification>(&self, params: N::Params) {
        let message = Request::build(N::METHOD).params(json!(params)).finish();
        // A client that is gone hears nothing.
        let _ = self.outgoing.unbounded_send(message);
    }

    /// Asks something of the client.
    pub(super) fn ask(&mut self, method: &'static str, params: impl Serialize) {
        self.n_asked += 1;
        let message = Request::build(method).id(self.n_asked).params(json!(params)).finish();
        let _ = self.outgoing.unbounded_send(message);
    }
}

// Codes of the protocol that the framework does not name.
const SERVER_NOT_INITIALIZED: ErrorCode = ErrorCode::ServerError(-32002);
pub(super) const SERVER_CANCELLED: ErrorCode = ErrorCode::ServerError(-32802);
const REQUEST_FAILED: ErrorCode = ErrorCode::ServerError(-32803);

/// A refusal.
pub(super) fn error(code: ErrorCode, message: impl Into<String>) -> Error {
    Error { code, message: message.into().into(), data: None }
}

fn answer(call: Call, result: Value) {
    let _ = call.reply.send(Response::from_ok(call.id, result));
}

fn refuse(call: Call, code: ErrorCode, message: impl Into<String>) {
    let _ = call.reply.send(Response::from_error(call.id, error(code, message)));
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
