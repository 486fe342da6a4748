//! Running the tests and benchmarks of a session: which ones, on what, and what came of it.

use std::time::{Duration, Instant};

use tile_language::target::TargetId;

use crate::Failure;
use crate::cli::{EngineName, Selection};
use crate::engines;
use crate::render::Finding;
use crate::session::{Case, CaseKind, Session};

/// One case on one engine for one target.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) case: Case,
    pub(crate) engine: EngineName,
    pub(crate) target: TargetId,
}

/// What came of a job.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) job: Job,
    /// Why it failed; nothing if it passed.
    pub(crate) findings: Vec<Finding>,
    /// What its kernels printed.
    pub(crate) printed: Vec<String>,
    /// The largest error that an `expect_close` saw, relative to its tolerance.
    pub(crate) worst: Option<f64>,
    pub(crate) time: Duration,
}

impl Outcome {
    pub(crate) fn passed(&self) -> bool {
        self.findings.is_empty()
    }
}

/// The jobs that a selection asks for, in the order of files, titles, engines and targets.
pub(crate) fn jobs(
    session: &Session,
    kind: CaseKind,
    selection: &Selection,
    targets: &[TargetId],
) -> Vec<Job> {
    let engines = engines::selected(&selection.on);
    let wanted = |case: &Case| selection.filter.as_ref().is_none_or(|it| case.title.contains(it));
    let mut jobs = Vec::new();
    for case in session.cases(kind).into_iter().filter(wanted) {
        for &engine in engines.iter().filter(|it| allows(&case.engines, it)) {
            for &target in targets.iter().filter(|it| allows(&case.targets, it)) {
                jobs.push(Job { case: case.clone(), engine, target });
            }
        }
    }
    jobs
}

fn allows<T: PartialEq>(list: &[T], it: &T) -> bool {
    list.is_empty() || list.contains(it)
}

/// Runs a job; `None` if the engine cannot run code for its target.
pub(crate) fn run(session: &Session, job: &Job, seed: u64) -> Result<Option<Outcome>, Failure> {
    let Some(mut engine) = engines::start(job.engine, job.target)? else {
        return Ok(None);
    };
    let start = Instant::now();
    let verdict = session.run(&job.case, job.target, engine.as_mut(), seed);
    Ok(Some(Outcome {
        job: job.clone(),
        findings: verdict.findings,
        printed: verdict.printed,
        worst: verdict.worst,
        time: start.elapsed(),
    }))
}
