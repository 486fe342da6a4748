//! The `tilec` program: hands arguments and streams to the library and exits with its code.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    // Not locked: the language server writes from another thread.
    let mut out = BufWriter::new(io::stdout());
    let mut err = io::stderr();
    let mut io = tilec::Io::of_process(&mut out, &mut err);
    let exit = tilec::run(std::env::args_os(), &mut io);
    // A reader that has gone away is no failure of this program.
    let _ = out.flush();
    exit.into()
}
