//! `tilec test`: the outcome of every test, on every engine and target that was asked for, under one schedule or many.
//!
//! A test that fails is shown with the command that repeats it under the schedule that it failed under.

use serde_json::json;
use tile_language::diagnostic::Severity;

use crate::cli::{self, Format, TableFormat};
use crate::io::Style;
use crate::recording;
use crate::render::{self, Finding};
use crate::session::{CaseKind, Session, targets};
use crate::testing::{self, Job, Outcome, Schedules};
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
    let schedules = Schedules::from(args.selection.seed, args.schedules);
    let mut last_file = String::new();
    let outcomes = testing::run_all(&session, &jobs, schedules, io, |outcome, io| {
        if args.format == TableFormat::Json {
            return io.line(object(outcome, &session));
        }
        if outcome.job.case.file != last_file {
            last_file.clone_from(&outcome.job.case.file);
            io.line(io.paint(Style::Strong, &last_file))?;
        }
        show(outcome, &session, io)
    })?;
    if let Some(folder) = &args.record {
        recording::record(&session, CaseKind::Test, &args.selection, &targets, folder, io)?;
    }
    let failed = outcomes.iter().filter(|it| !it.passed()).count();
    if args.format == TableFormat::Human {
        io.line(format!("{} passed, {failed} failed", outcomes.len() - failed))?;
    }
    Ok(if failed == 0 { Exit::Fine } else { Exit::Program })
}

fn errors(findings: Vec<Finding>) -> Vec<Finding> {
    findings.into_iter().filter(|it| it.severity == Severity::Error).collect()
}

fn show(outcome: &Outcome, session: &Session, io: &mut Io<'_>) -> Result<(), Failure> {
    let Job { case, engine, target } = &outcome.job;
    let word = if outcome.passed() {
        io.paint(Style::Good, "ok  ")
    } else {
        io.paint(Style::Error, "FAIL")
    };
    let time = match outcome.n_schedules {
        1 => format!("{} ms", outcome.time.as_millis()),
        n => format!("{n} schedules in {} ms", outcome.time.as_millis()),
    };
    let place = io.paint(Style::Faint, format!("{} {}, {time}", engine.word(), target.row().name));
    io.line(format!("  {word} {}  {place}", case.title))?;
    for line in &outcome.verdict.printed {
        io.line(format!("       {line}"))?;
    }
    render::show(&outcome.verdict.doubts, session.sources(), Format::Human, io)?;
    render::show(&outcome.verdict.findings, session.sources(), Format::Human, io)?;
    if outcome.passed() { Ok(()) } else { io.line(format!("       again: {}", replay(outcome))) }
}

/// The command that repeats an outcome: the same test on the same engine under the same schedule.
fn replay(outcome: &Outcome) -> String {
    let Job { case, engine, target } = &outcome.job;
    let words = [
        "tilec",
        "test",
        &case.file,
        "--filter",
        &case.title,
        "--on",
        engine.word(),
        "--target",
        target.row().name,
        "--seed",
        &outcome.seed.to_string(),
    ];
    words.map(quoted).join(" ")
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "_-./,=+:@%".contains(it);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
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
        "schedules": outcome.n_schedules,
        "seed": outcome.seed,
        "replay": (!outcome.passed()).then(|| replay(outcome)),
        "error": outcome.closest().map(|it| it.error),
        "error_of_bound": outcome.closest().map(|it| it.share),
        "printed": outcome.verdict.printed,
        "doubts": render::objects(&outcome.verdict.doubts, session.sources()),
        "findings": render::objects(&outcome.verdict.findings, session.sources()),
    })
}
