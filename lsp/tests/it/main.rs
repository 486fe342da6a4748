//! The server as a client meets it: a process, its streams, and what comes over them.

mod client;
mod documents;
mod insight;
mod life;
mod order;
mod random_edits;
mod typing;
