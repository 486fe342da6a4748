//! The commands, a file each.

mod explain;
mod targets;

use crate::cli::Command;
use crate::{Exit, Failure, Io};

/// Runs one command.
pub(crate) fn run(command: &Command, io: &mut Io<'_>) -> Result<Exit, Failure> {
    match command {
        Command::Explain(it) => explain::run(it, io),
        Command::Targets(it) => targets::run(it, io),
        _ => Ok(Exit::Fine),
    }
}
