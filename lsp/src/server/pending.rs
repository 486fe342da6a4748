//! Requests that have no answer yet, each from its arrival to its one answer.

use std::time::Instant;

use futures::channel::oneshot;
use rustc_hash::FxHashMap;
use salsa::CancellationToken;
use serde_json::Value;
use tower_lsp::jsonrpc::{Error, Id, Response};

use super::requests::Row;
use super::transport::Call;

/// A request under way.
pub(super) struct Request {
    pub(super) id: Id,
    pub(super) row: &'static Row,
    pub(super) params: Value,
    reply: oneshot::Sender<Response>,
    state: State,
}

enum State {
    Waiting,
    Running { token: CancellationToken, since: Instant, is_stale: bool },
}

/// What a thread made of a request.
pub(super) enum Outcome {
    /// An answer.
    Answer(Result<Value, Error>),
    /// An edit or its token ended it.
    Cancelled,
    /// It panicked, saying this.
    Panicked(String),
}

/// The requests, by the order of their arrival.
#[derive(Default)]
pub(super) struct Pending {
    by_number: FxHashMap<u64, Request>,
    by_id: FxHashMap<Id, u64>,
    last: u64,
}

impl Pending {
    /// Takes a request in. An id that is in use already is the client's mistake: the older one is
    /// dropped.
    pub(super) fn add(&mut self, call: Call, row: &'static Row) {
        self.last += 1;
        let Call { id, params, reply, .. } = call;
        if let Some(old) = self.by_id.get(&id) {
            self.take(*old);
        }
        self.by_id.insert(id.clone(), self.last);
        let request = Request { id, row, params, reply, state: State::Waiting };
        self.by_number.insert(self.last, request);
    }

    /// The request that is to run next: the first of the most urgent lane. `idle` is how many
    /// threads are free.
    pub(super) fn next(&self, idle: usize) -> Option<(u64, &Request)> {
        use super::requests::Lane;
        let waiting = self.by_number.iter().filter(|it| matches!(it.1.state, State::Waiting));
        let fits = waiting.filter(|it| it.1.row.lane != Lane::Background || 1 < idle);
        fits.min_by_key(|it| (it.1.row.lane, it.0)).map(|(n, it)| (*n, it))
    }

    /// Notes that a request runs.
    pub(super) fn start(&mut self, number: u64, token: CancellationToken) {
        if let Some(it) = self.by_number.get_mut(&number) {
            it.state = State::Running { token, since: Instant::now(), is_stale: false };
        }
    }

    /// Takes a request out that the client no longer wants.
    pub(super) fn cancel(&mut self, id: &Id) -> Option<Request> {
        self.take(self.by_id.get(id).copied()?)
    }

    /// Takes a request out, and tells its thread to stop.
    pub(super) fn take(&mut self, number: u64) -> Option<Request> {
        let request = self.by_number.remove(&number)?;
        self.by_id.remove(&request.id);
        if let State::Running { token, .. } = &request.state {
            token.cancel();
        }
        Some(request)
    }

    /// Whether a running request saw a text that has changed since.
    pub(super) fn is_stale(&self, number: u64) -> bool {
        let request = self.by_number.get(&number);
        matches!(request.map(|it| &it.state), Some(State::Running { is_stale: true, .. }))
    }

    /// Lets a request wait again.
    pub(super) fn wait_again(&mut self, number: u64) {
        if let Some(it) = self.by_number.get_mut(&number) {
            it.state = State::Waiting;
        }
    }

    /// Marks what runs as overtaken by an edit; gives those that are to be refused for that.
    pub(super) fn edited(&mut self, is_refused: impl Fn(&Row) -> bool) -> Vec<Request> {
        for it in self.by_number.values_mut() {
            if let State::Running { is_stale, .. } = &mut it.state {
                *is_stale = true;
            }
        }
        self.take_all(|it| is_refused(it.row))
    }

    /// Takes out the requests that have run since before `moment`.
    pub(super) fn take_older(&mut self, moment: Instant) -> Vec<Request> {
        self.take_all(|it| matches!(it.state, State::Running { since, .. } if since < moment))
    }

    /// Whether any request runs.
    pub(super) fn any_running(&self) -> bool {
        self.by_number.values().any(|it| matches!(it.state, State::Running { .. }))
    }

    /// Takes out all requests.
    pub(super) fn drain(&mut self) -> Vec<Request> {
        self.take_all(|_| true)
    }

    fn take_all(&mut self, is_meant: impl Fn(&Request) -> bool) -> Vec<Request> {
        let meant = self.by_number.iter().filter(|it| is_meant(it.1));
        let mut numbers: Vec<u64> = meant.map(|it| *it.0).collect();
        numbers.sort_unstable();
        numbers.into_iter().filter_map(|it| self.take(it)).collect()
    }
}

impl Request {
    /// Answers it. A client that is gone hears nothing.
    pub(super) fn answer(self, result: Result<Value, Error>) {
        let _ = self.reply.send(Response::from_parts(self.id, result));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::requests::row;

    fn call(id: i64, method: &str) -> (Call, oneshot::Receiver<Response>) {
        let (reply, answer) = oneshot::channel();
        let (method, params) = (method.to_owned(), Value::Null);
        (Call { id: Id::Number(id), method, params, reply }, answer)
    }

    fn add(pending: &mut Pending, id: i64, method: &str) -> oneshot::Receiver<Response> {
        let (call, answer) = call(id, method);
        pending.add(call, row(method).expect("a row of that method"));
        answer
    }

    fn next(pending: &Pending, idle: usize) -> Option<Id> {
        pending.next(idle).map(|it| it.1.id.clone())
    }

    #[test]
    fn who_waits_goes_before_what_is_shown_and_what_nobody_sees() {
        let mut pending = Pending::default();
        let _answers = [
            add(&mut pending, 1, "workspace/diagnostic"),
            add(&mut pending, 2, "textDocument/foldingRange"),
            add(&mut pending, 3, "textDocument/definition"),
            add(&mut pending, 4, "textDocument/references"),
        ];
        for (wanted, idle) in [(3, 2), (4, 2), (2, 2), (1, 2)] {
            assert_eq!(next(&pending, idle), Some(Id::Number(wanted)));
            pending.cancel(&Id::Number(wanted));
        }
        let _answer = add(&mut pending, 5, "workspace/diagnostic");
        assert_eq!(next(&pending, 1), None);
    }

    #[test]
    fn a_cancelled_request_is_told_to_stop_and_answered_once() {
        let mut pending = Pending::default();
        let mut answer = add(&mut pending, 1, "textDocument/rename");
        let token = CancellationToken::default();
        let number = pending.next(1).expect("it waits").0;
        pending.start(number, token.clone());
        let request = pending.cancel(&Id::Number(1)).expect("it is pending");
        assert!(token.is_cancelled());
        request.answer(Err(Error::request_cancelled()));
        assert!(pending.cancel(&Id::Number(1)).is_none());
        assert!(pending.take(number).is_none());
        assert!(answer.try_recv().is_ok_and(|it| it.is_some_and(|it| it.is_error())));
    }

    #[test]
    fn an_edit_makes_what_runs_stale_and_refuses_what_edits() {
        let mut pending = Pending::default();
        let _answers = [
            add(&mut pending, 1, "textDocument/rename"),
            add(&mut pending, 2, "textDocument/definition"),
        ];
        let number = pending.by_id[&Id::Number(2)];
        pending.start(number, CancellationToken::default());
        let refused = pending.edited(|it| it.on_edit == crate::server::requests::OnEdit::Refuse);
        assert_eq!(refused.len(), 1);
        assert!(pending.is_stale(number));
        pending.wait_again(number);
        assert_eq!(next(&pending, 1), Some(Id::Number(2)));
    }
}
