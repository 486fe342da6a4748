//! The `tile-lsp` program: the language server on standard input and output.

use std::process::ExitCode;

use tile_lsp::server::{self, End};

fn main() -> ExitCode {
    match server::serve_stdio() {
        End::ShutDown => ExitCode::SUCCESS,
        End::Gone => ExitCode::FAILURE,
    }
}
