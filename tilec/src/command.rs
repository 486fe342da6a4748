//! The commands, a file each.

mod bench;
mod build;
mod check;
mod doctor;
mod explain;
mod fmt;
mod layout;
mod listing;
mod lsp;
mod report;
mod run;
mod targets;
mod test;

use crate::cli::Command;
use crate::{Exit, Failure, Io};

/// Runs one command.
pub(crate) fn run(command: &Command, io: &mut Io<'_>) -> Result<Exit, Failure> {
    match command {
        Command::Check(it) => check::run(it, io),
        Command::Build(it) => build::run(it, io),
        Command::Run(it) => run::run(it, io),
        Command::Test(it) => test::run(it, io),
        Command::Bench(it) => bench::run(it, io),
        Command::Fmt(it) => fmt::run(it, io),
        Command::Explain(it) => explain::run(it, io),
        Command::Layout(it) => layout::run(it, io),
        Command::Report(it) => report::run(it, io),
        Command::Listing(it) => listing::run(it, io),
        Command::Targets(it) => targets::run(it, io),
        Command::Lsp => Ok(lsp::run()),
        Command::Doctor(it) => doctor::run(it, io),
    }
}
