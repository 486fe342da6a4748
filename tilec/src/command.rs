//! The commands, a file each.

mod build;
mod check;
mod doctor;
mod explain;
mod report;
mod targets;

use crate::cli::Command;
use crate::{Exit, Failure, Io};

/// Runs one command.
pub(crate) fn run(command: &Command, io: &mut Io<'_>) -> Result<Exit, Failure> {
    match command {
        Command::Check(it) => check::run(it, io),
        Command::Build(it) => build::run(it, io),
        Command::Explain(it) => explain::run(it, io),
        Command::Report(it) => report::run(it, io),
        Command::Targets(it) => targets::run(it, io),
        Command::Doctor(it) => doctor::run(it, io),
        _ => Err(Failure::Machine("this command is not there yet".to_owned())),
    }
}
