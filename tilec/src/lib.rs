//! The command line of Tile: arguments, files, exit codes, progress and rendering.
//!
//! [`run`] is the whole program with its streams given, so that tests call commands in process.
//! `cli` says what can be asked, `command` has a file for each command, `session` is the only place
//! that talks to the language's database, `render` turns findings into text, JSON or SARIF. What a
//! command finds wrong in a *program* is a diagnostic; what keeps a command from doing its work is a
//! [`Failure`].
//!
//! Absent on purpose: any knowledge of the language. A command asks and shows.

mod cli;
mod command;
mod engines;
mod failure;
mod files;
mod io;
mod levels;
mod library;
mod progress;
mod recording;
mod render;
mod session;
mod table;
mod testing;

use std::ffi::OsString;

use clap::Parser;

pub use failure::{Exit, Failure};
pub use io::Io;

/// Runs one command. Everything that it says goes through `io`.
pub fn run(args: impl IntoIterator<Item = OsString>, io: &mut Io<'_>) -> Exit {
    let cli = match cli::Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error, io),
    };
    io.apply(cli.color);
    match command::run(&cli.command, io) {
        Ok(exit) => exit,
        Err(failure) if failure.is_broken_pipe() => Exit::Fine,
        Err(failure) => {
            io.complain(&failure);
            failure.exit()
        }
    }
}

/// Says what is wrong with the call, or the help that was asked for.
fn refuse(error: &clap::Error, io: &mut Io<'_>) -> Exit {
    let text =
        if io.colour() { error.render().ansi().to_string() } else { error.render().to_string() };
    let is_answer = !error.use_stderr();
    let stream: &mut dyn std::io::Write = if is_answer { io.out } else { io.err };
    // Nothing is left to be done about a stream that takes no more text.
    let _ = stream.write_all(text.as_bytes());
    if is_answer { Exit::Fine } else { Exit::Call }
}
