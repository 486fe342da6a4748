//! The server's life: one thread reads messages, one owns the database, a few answer.
//!
//! ```text
//! stdin ─ framing ─ queue ─ main loop ─┬─ edits: applied at once, readers are cancelled
//!                                      └─ requests: a copy of the database ─ pool ─ main loop ─ stdout
//! ```
//! A request waits in the main loop, not in the pool, so that no copy of the database waits with it.

mod compiler;
mod files;
mod findings;
mod initialize;
mod library;
mod main_loop;
mod notifications;
mod pending;
mod pool;
mod push;
mod requests;
mod settings;
mod snapshot;
mod transport;

pub use settings::Settings;
pub use snapshot::{Refusal, Snapshot};
pub use transport::{End, serve_stdio};
