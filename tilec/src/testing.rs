//! Running the tests and benchmarks of a session: which ones, on what, and what came of it.

use std::time::{Duration, Instant};

use tile_language::host::Closeness;
use tile_language::target::TargetId;

use crate::cli::{EngineName, Selection};
use crate::engines::{self, Timed};
use crate::progress::Progress;
use crate::session::{Case, CaseKind, Session, Verdict};
use crate::{Failure, Io};

/// One case on one engine for one target.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) case: Case,
    pub(crate) engine: EngineName,
    pub(crate) target: TargetId,
}

/// The schedules that a job runs under: so many seeds, from the first on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedules {
    first: u64,
    n: u32,
}

impl Schedules {
    /// One schedule, that of a seed.
    pub(crate) fn one(seed: u64) -> Schedules {
        Schedules { first: seed, n: 1 }
    }

    /// `n` schedules, at least one.
    pub(crate) fn from(seed: u64, n: u32) -> Schedules {
        Schedules { first: seed, n }
    }

    /// The seeds that an engine runs under. A device makes its own schedules.
    fn seeds(self, engine: EngineName) -> impl Iterator<Item = u64> {
        let n = match engine {
            EngineName::Interp | EngineName::Sim => self.n,
            EngineName::Gpu => 1,
        };
        (0..n).map(move |it| self.first.wrapping_add(it.into()))
    }
}

/// What came of a job.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) job: Job,
    /// That of the last schedule: of the first one that fails, if one does.
    pub(crate) verdict: Verdict,
    /// The seed of that schedule.
    pub(crate) seed: u64,
    /// How many schedules ran.
    pub(crate) n_schedules: u32,
    /// The whole body.
    pub(crate) time: Duration,
    /// The launches in it.
    pub(crate) launches: Duration,
}

impl Outcome {
    pub(crate) fn passed(&self) -> bool {
        self.verdict.findings.is_empty()
    }

    /// The result that came closest to the bound of its `expect_close`, if there is any.
    pub(crate) fn closest(&self) -> Option<&Closeness> {
        self.verdict.closeness.iter().max_by(|a, b| a.share.total_cmp(&b.share))
    }
}

/// The jobs that a selection asks for, in the order of files, titles, targets and engines.
pub(crate) fn jobs(
    session: &Session,
    kind: CaseKind,
    selection: &Selection,
    targets: &[TargetId],
) -> Vec<Job> {
    let engines = engines::selected(&selection.on);
    let mut jobs = Vec::new();
    for case in cases(session, kind, selection) {
        for &target in targets.iter().filter(|it| allows(&case.targets, it)) {
            for &engine in engines.iter().filter(|it| allows(&case.engines, it)) {
                jobs.push(Job { case: case.clone(), engine, target });
            }
        }
    }
    jobs
}

/// The cases that a selection names, whatever engines it is about.
pub(crate) fn cases(
    session: &Session,
    kind: CaseKind,
    selection: &Selection,
) -> impl Iterator<Item = Case> {
    let filter = selection.filter.clone();
    let wanted = move |it: &Case| filter.as_ref().is_none_or(|text| it.title.contains(text));
    session.cases(kind).into_iter().filter(wanted)
}

/// Whether a list of what a case is for has `it`; an empty one has everything.
pub(crate) fn allows<T: PartialEq>(list: &[T], it: &T) -> bool {
    list.is_empty() || list.contains(it)
}

/// Runs a job under one schedule after the other until one fails; `None` if the engine cannot run code for its target.
pub(crate) fn run(
    session: &Session,
    job: &Job,
    schedules: Schedules,
) -> Result<Option<Outcome>, Failure> {
    let Some(engine) = engines::start(job.engine, job.target)? else {
        return Ok(None);
    };
    let mut engine = Timed::new(engine);
    let start = Instant::now();
    let mut last: Option<(u64, Verdict)> = None;
    let mut n_schedules = 0;
    for seed in schedules.seeds(job.engine) {
        let mut verdict = session.run(&job.case, job.target, &mut engine, seed);
        n_schedules += 1;
        if let Some((before, earlier)) = &last
            && verdict.findings.is_empty()
            && earlier.bits != verdict.bits
        {
            verdict.findings.push(session.disagreement(&job.case, &format!("seed {before}")));
        }
        let fails = !verdict.findings.is_empty();
        last = Some((seed, verdict));
        if fails {
            break;
        }
    }
    let (time, launches) = (start.elapsed(), engine.spent);
    let outcome = last.map(|(seed, verdict)| Outcome {
        job: job.clone(),
        verdict,
        seed,
        n_schedules,
        time,
        launches,
    });
    Ok(outcome)
}

/// Runs jobs in order and hands each outcome to `each`. Engines must agree on what a case asks to
/// be the same bits: the first one that ran it for the target is right, the others are compared.
pub(crate) fn run_all(
    session: &Session,
    jobs: &[Job],
    schedules: Schedules,
    io: &mut Io<'_>,
    mut each: impl FnMut(&Outcome, &mut Io<'_>) -> Result<(), Failure>,
) -> Result<Vec<Outcome>, Failure> {
    let progress = Progress::new("testing", jobs.len(), io);
    let mut outcomes: Vec<Outcome> = Vec::new();
    for job in jobs {
        progress.at(format!("{} on {}", job.case.title, job.engine.word()));
        let outcome = run(session, job, schedules)?;
        progress.step();
        let Some(mut outcome) = outcome else {
            continue;
        };
        let twin = outcomes.iter().find(|it| is_twin(&it.job, job));
        if let Some(twin) = twin.filter(|it| it.passed() && outcome.passed())
            && twin.verdict.bits != outcome.verdict.bits
        {
            outcome.verdict.findings.push(session.disagreement(&job.case, twin.job.engine.word()));
        }
        each(&outcome, io)?;
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// Whether two jobs differ in their engine only.
fn is_twin(a: &Job, b: &Job) -> bool {
    a.target == b.target && a.case.is_same(&b.case)
}
