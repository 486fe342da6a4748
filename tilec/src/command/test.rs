//! `tilec test`: the outcome of every test, on every engine and target that was asked for.

use serde_json::json;
use tile_language::diagnostic::Severity;

use crate::cli::{self, Format, TableFormat};
use crate::io::Style;
use crate::progress::Progress;
use crate::render::{self, Finding};
use crate::session::{CaseKind, Session, targets};
use crate::testing::{self, Job, Outcome};
use crate::{Exit, Failure, Io};

pub(super) fn run(args: &cli::Test, io: &mut Io<'_>) -> Result<Exit, Failure> {
    let targets = targets(&args.sources.targets)?;
    let session = Session::open(&args.sources.paths)?;
    let errors: Vec<Finding> = errors(session.findings(&targets));
    if !errors.is_empty() {
        let format = match args.format {
            TableFormat::Human => Format::Human,
            TableFormat::Json => Format::Json,
        };
        render::show(&errors, session.sources(), format, io)?;
        return Ok(Exit::Program);
    }
    let jobs = testing::jobs(&session, CaseKind::Test, &args.selection, &targets);
    let outcomes = run_all(&session, &jobs, args, io)?;
    let failed = outcomes.iter().filter(|it| !it.passed()).count();
    if args.format == TableFormat::Human {
        io.line(format!("{} passed, {failed} failed", outcomes.len() - failed))?;
    }
    Ok(if failed == 0 { Exit::Fine } else { Exit::Program })
}

fn errors(findings: Vec<Finding>) -> Vec<Finding> {
    findings.into_iter().filter(|it| it.severity == Severity::Error).collect()
}

fn run_all(
    session: &Session,
    jobs: &[Job],
    args: &cli::Test,
    io: &mut Io<'_>,
) -> Result<Vec<Outcome>, Failure> {
    let progress = Progress::new("testing", jobs.len(), io);
    let mut outcomes: Vec<Outcome> = Vec::new();
    for job in jobs {
        progress.at(format!("{} on {}", job.case.title, job.engine.word()));
        let outcome = testing::run(session, job, args.selection.seed)?;
        progress.step();
        let Some(outcome) = outcome else {
            continue;
        };
        match args.format {
            TableFormat::Json => io.line(object(&outcome, session))?,
            TableFormat::Human => {
                let first_of_file =
                    outcomes.last().is_none_or(|it| it.job.case.file != job.case.file);
                if first_of_file {
                    io.line(io.paint(Style::Strong, &job.case.file))?;
                }
                show(&outcome, session, io)?;
            }
        }
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

fn show(outcome: &Outcome, session: &Session, io: &mut Io<'_>) -> Result<(), Failure> {
    let Job { case, engine, target } = &outcome.job;
    let word = if outcome.passed() {
        io.paint(Style::Good, "ok  ")
    } else {
        io.paint(Style::Error, "FAIL")
    };
    let time = format!("{} ms", outcome.time.as_millis());
    let place = io.paint(Style::Faint, format!("{} {}, {time}", engine.word(), target.row().name));
    io.line(format!("  {word} {}  {place}", case.title))?;
    for line in &outcome.printed {
        io.line(format!("       {line}"))?;
    }
    render::show(&outcome.findings, session.sources(), Format::Human, io)
}

/// An outcome as a JSON object.
pub(super) fn object(outcome: &Outcome, session: &Session) -> serde_json::Value {
    let Job { case, engine, target } = &outcome.job;
    json!({
        "file": case.file,
        "test": case.title,
        "engine": engine.word(),
        "target": target.row().name,
        "status": if outcome.passed() { "passed" } else { "failed" },
        "milliseconds": outcome.time.as_secs_f64() * 1e3,
        "printed": outcome.printed,
        "findings": render::objects(&outcome.findings, session.sources()),
    })
}
