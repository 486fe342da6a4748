//! The language server: what an editor asks about Tile, answered from the compiler's own database.
//!
//! Two rooms. [`ide`] has a file for each feature: pure functions of the database, a file and a byte,
//! which know nothing of the protocol's life. [`server`] is that life: transport, order, documents,
//! cancellation, and `server/requests.rs`, where a request is one row.
//!
//! | module | what it is |
//! | --- | --- |
//! | `ide::*` | features: bytes in, data out; each with tests that mark the cursor with `$0` |
//! | `server::transport` | framing; messages are queued in the order of their arrival |
//! | `server::main_loop` | the one thread that owns the database and applies edits |
//! | `server::notifications` | what the client says: edits, files, settings, cancels |
//! | `server::pool` | threads that answer requests on copies of the database |
//! | `server::requests` | the table of requests, and the way from the protocol's types to a feature's |
//! | `server::snapshot` | what a request sees: the database, the files, the settings |
//! | `server::files` | documents of the editor and files of the folders, by URI |
//! | `server::library` | the library and the pages of diagnostics as documents that can be read |
//! | `server::findings`, `server::push` | diagnostics in the protocol's form, and which are out of date |
//! | `pages` | the pages of diagnostics |
//!
//! # Invariants
//! * Messages take effect in the order of their arrival.
//! * An edit never waits for a reader: readers are cancelled by it, and drop their copy of the database
//!   before they answer.
//! * A request is answered exactly once, whatever becomes of it. A panic costs that request alone.
//! * What is shown is of the version that it is shown for.

pub mod ide;
pub mod pages;
pub mod server;
