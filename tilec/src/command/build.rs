//! `tilec build`: code objects, and what launchers and readers must know of them.

use crate::cli::{self, Format};
use crate::io::Style;
use crate::library;
use crate::render::{self, Tally};
use crate::session::{Session, targets};
use crate::{Exit, Failure, Io};

pub(super) fn run(args: &cli::Build, io: &mut Io<'_>) -> Result<Exit, Failure> {
    let targets = targets(&args.sources.targets)?;
    let session = Session::open(&args.sources.paths)?;
    let (findings, n_allowed) = args.levels.apply(session.findings(&targets))?;
    render::show(&findings, session.sources(), args.format, io)?;
    let tally = Tally { allowed: n_allowed, ..Tally::of(&findings) };
    if args.format == Format::Human {
        render::summarize(tally, io)?;
    }
    if tally.errors > 0 {
        return Ok(Exit::Program);
    }
    let compiled = library::compile(&session, &targets, &library::options(&args.emit), io)?;
    let manifest = library::write(&args.out, &compiled, &args.emit)?;
    if args.format == Format::Human {
        for kernel in &manifest.kernels {
            for object in &kernel.objects {
                let path = args.out.join(&object.file);
                let bytes = io.paint(Style::Faint, format!("{} bytes", object.bytes));
                io.line(format!("{}  {bytes}", path.display()))?;
            }
        }
    }
    Ok(Exit::Fine)
}
