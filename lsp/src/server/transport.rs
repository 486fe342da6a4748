//! Framing and order: messages of the client become events of the main loop, in the order of their
//! arrival.
//!
//! The framework calls a service for each message as it reads it, one after the other, and only then
//! polls what the call gave back. So queueing *inside the call* keeps the order by construction, and
//! the futures merely wait for answers. (Handlers that act when they are polled lose edits:
//! they overtake one another at the first `await` that waits.)

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::mpsc::Sender;
use std::task::{Context, Poll};
use std::thread;

use futures::channel::mpsc::UnboundedReceiver;
use futures::channel::oneshot;
use futures::future::{BoxFuture, FutureExt, ready};
use futures::sink::Sink;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_lsp::jsonrpc::{Id, Request, Response};
use tower_lsp::{Loopback, Server};
use tower_service::Service;

use super::main_loop::{Event, MainLoop};

/// How many requests may wait for their answers; more are read when some are answered.
const REQUESTS_MAX: usize = 4096;

/// Bytes of the main loop's stack: it applies edits and never runs queries, but a write drops old
/// results, which can be deep trees.
const STACK_BYTES: usize = 16 << 20;

/// A request with the place for its answer.
pub(super) struct Call {
    pub(super) id: Id,
    pub(super) method: String,
    pub(super) params: Value,
    pub(super) reply: oneshot::Sender<Response>,
}

/// How a session ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The client said `shutdown` first.
    ShutDown,
    /// It did not.
    Gone,
}

/// Serves one client on standard input and output until it says `exit` or goes away.
pub fn serve_stdio() -> End {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime without drivers needs nothing of the system");
    let end = runtime.block_on(serve(tokio::io::stdin(), tokio::io::stdout()));
    // Nothing can be done about a read of standard input that is still going on.
    runtime.shutdown_background();
    end
}

/// Serves one client on any pair of streams.
pub(super) async fn serve(input: impl AsyncRead + Unpin, output: impl AsyncWrite) -> End {
    let (main_loop, events, outgoing) = MainLoop::new();
    let thread = thread::Builder::new()
        .name("main loop".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || main_loop.run())
        .expect("the system starts a thread");
    let line = Line { outgoing, replies: Replies };
    let server = Server::new(input, output, line).concurrency_level(REQUESTS_MAX);
    server.serve(Queue { events: events.clone() }).await;
    // A main loop that has ended reads no more events.
    let _ = events.send(Event::Closed);
    thread.join().unwrap_or(End::Gone)
}

/// Puts messages of the client into the main loop's queue.
struct Queue {
    events: Sender<Event>,
}

impl Service<Request> for Queue {
    type Response = Option<Response>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Option<Response>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, message: Request) -> Self::Future {
        let (method, id, params) = message.into_parts();
        let (method, params) = (method.into_owned(), params.unwrap_or_default());
        let Some(id) = id else {
            let _ = self.events.send(Event::Notification(method, params));
            return ready(Ok(None)).boxed();
        };
        let (reply, answer) = oneshot::channel();
        let _ = self.events.send(Event::Request(Call { id, method, params, reply }));
        answer.map(|it| Ok(it.ok())).boxed()
    }
}

/// Messages to the client.
struct Line {
    outgoing: UnboundedReceiver<Request>,
    replies: Replies,
}

impl Loopback for Line {
    type RequestStream = UnboundedReceiver<Request>;
    type ResponseSink = Replies;

    fn split(self) -> (UnboundedReceiver<Request>, Replies) {
        (self.outgoing, self.replies)
    }
}

/// Where the client's answers end: what the server asks for, it wants done, not answered.
struct Replies;

impl Sink<Response> for Replies {
    type Error = Infallible;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, _: Response) -> Result<(), Infallible> {
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}
