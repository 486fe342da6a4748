//! `tilec check`: findings, and nothing else.

use crate::cli;
use crate::render::{self, Tally};
use crate::session::{Session, targets};
use crate::{Exit, Failure, Io};

pub(super) fn run(args: &cli::Check, io: &mut Io<'_>) -> Result<Exit, Failure> {
    let targets = targets(&args.sources.targets)?;
    let session = Session::open(&args.sources.paths)?;
    let (findings, n_allowed) = args.levels.apply(session.findings(&targets))?;
    render::show(&findings, session.sources(), args.format, io)?;
    let tally = Tally { allowed: n_allowed, ..Tally::of(&findings) };
    if args.format == cli::Format::Human {
        render::summarize(tally, io)?;
    }
    Ok(if tally.errors == 0 { Exit::Fine } else { Exit::Program })
}
