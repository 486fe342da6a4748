//! `tilec bench`: the time of every benchmark, on every engine and target that was asked for.
//!
//! A benchmark's body is run a few times, and the middle of the times of its launches counts; making
//! the tensors does not. On the CPU engines that is the time of this processor; only `gpu` says
//! anything about a kernel's speed.
//!
//! With `--record` nothing is timed: kernels and launches are written for a program that times them
//! where a device is.

use std::time::Duration;

use serde_json::json;

use crate::cli::{self, Format, TableFormat};
use crate::progress::Progress;
use crate::recording;
use crate::render;
use crate::session::{CaseKind, Session, targets};
use crate::table::{Align, Table};
use crate::testing::{self, Job, Outcome, Schedules};
use crate::{Exit, Failure, Io};

/// How often a body is run. Odd, so that there is a middle.
const RUNS: usize = 5;

pub(super) fn run(args: &cli::Bench, io: &mut Io<'_>) -> Result<Exit, Failure> {
    let targets = targets(&args.sources.targets)?;
    let session = Session::open(&args.sources.paths)?;
    if let Some(folder) = &args.record {
        recording::record(&session, CaseKind::Bench, &args.selection, &targets, folder, io)?;
        return Ok(Exit::Fine);
    }
    let jobs = testing::jobs(&session, CaseKind::Bench, &args.selection, &targets);
    let progress = Progress::new("timing", jobs.len(), io);
    let mut table = Table::new(&[
        ("benchmark", Align::Left),
        ("engine", Align::Left),
        ("target", Align::Left),
        ("time", Align::Right),
    ]);
    for job in &jobs {
        progress.at(&job.case.title);
        let times = times(&session, job, args.selection.seed)?;
        progress.step();
        let time = match times {
            Times::Unavailable => continue,
            Times::Failed(outcome) => {
                render::show(&outcome.verdict.findings, session.sources(), Format::Human, io)?;
                return Ok(Exit::Program);
            }
            Times::Middle(time) => time,
        };
        let (engine, target) = (job.engine.word(), job.target.row().name);
        if args.format == TableFormat::Json {
            io.line(json!({
                "file": job.case.file,
                "benchmark": job.case.title,
                "engine": engine,
                "target": target,
                "milliseconds": time.as_secs_f64() * 1e3,
            }))?;
        }
        let time = format!("{:.2} ms", time.as_secs_f64() * 1e3);
        table.row(vec![job.case.title.as_str().into(), engine.into(), target.into(), time.into()]);
    }
    drop(progress);
    if args.format == TableFormat::Human {
        table.show(io)?;
    }
    Ok(Exit::Fine)
}

/// What timing a job gave.
enum Times {
    /// The engine cannot run it.
    Unavailable,
    /// It did not come to its end.
    Failed(Box<Outcome>),
    /// The middle of its times.
    Middle(Duration),
}

fn times(session: &Session, job: &Job, seed: u64) -> Result<Times, Failure> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        match testing::run(session, job, Schedules::one(seed))? {
            None => return Ok(Times::Unavailable),
            Some(outcome) if !outcome.passed() => return Ok(Times::Failed(Box::new(outcome))),
            Some(outcome) => times.push(outcome.launches),
        }
    }
    times.sort();
    Ok(Times::Middle(times[RUNS / 2]))
}
