//! `tilec lsp`: the language server, as `tile-lsp` is.

use tile_lsp::server::{End, serve_stdio};

use crate::Exit;

pub(super) fn run() -> Exit {
    match serve_stdio() {
        End::ShutDown => Exit::Fine,
        End::Gone => Exit::Program,
    }
}
