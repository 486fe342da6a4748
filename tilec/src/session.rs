//! The language's database, with the files of one command in it.
//!
//! The only file that talks to the database: what comes out has places in files and is sorted, so
//! that every command shows the same findings in the same order.

use std::path::PathBuf;
use std::sync::Arc;

use tile_language::db;
use tile_language::diagnostic::{Code, Diagnostic, Severity};
use tile_language::dtype::DType;
use tile_language::elab::HostFailure;
use tile_language::engine::{self, Engine};
use tile_language::host::{Closeness, HostRun};
use tile_language::ir::{ItemKey, Kernel, Place, SiteId};
use tile_language::query::Database;
use tile_language::target::{TARGETS, TargetId};
use tile_layout::Spec;
use tile_syntax::ast::Span;

use crate::Failure;
use crate::cli::EngineName;
use crate::files::{self, SourceFile};
use crate::render::{Finding, Repair, Sources, Stretch};

/// What a command works for if it names no target: one of each vendor, and of each width of warps.
const TARGETS_USUAL: &[&str] = &["sm_90a", "gfx942"];

/// The files of one command.
pub(crate) struct Session {
    db: Database,
    sources: Sources,
    /// The files that the command is about.
    files: Vec<db::SourceFile>,
}

/// A test or benchmark that stands in a file.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Its file, as it is shown.
    pub(crate) file: String,
    /// Its title.
    pub(crate) title: String,
    /// Engines that it is for; all if empty.
    pub(crate) engines: Vec<EngineName>,
    /// Targets that it is for; all if empty.
    pub(crate) targets: Vec<TargetId>,
    key: ItemKey,
}

impl Case {
    /// Whether both are the same item.
    pub(crate) fn is_same(&self, other: &Case) -> bool {
        self.key == other.key
    }
}

/// Which cases are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CaseKind {
    Test,
    Bench,
}

/// The target of that name.
pub(crate) fn target(name: &str) -> Result<TargetId, Failure> {
    TargetId::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = TARGETS.iter().map(|it| it.name).collect();
        Failure::UnknownTarget { name: name.to_owned(), known: known.join(", ") }
    })
}

/// The targets of those names, each once; the usual ones if there are none.
pub(crate) fn targets(names: &[String]) -> Result<Vec<TargetId>, Failure> {
    let usual = TARGETS_USUAL.iter().copied();
    let mut targets = if names.is_empty() {
        usual.map(target).collect::<Result<Vec<_>, _>>()?
    } else {
        names.iter().map(|it| target(it)).collect::<Result<Vec<_>, _>>()?
    };
    let mut seen = std::collections::HashSet::new();
    targets.retain(|it| seen.insert(*it));
    Ok(targets)
}

impl Session {
    /// No file at all: for expressions from the command line.
    pub(crate) fn empty() -> Self {
        Session::of(Vec::new(), Vec::new())
    }

    /// The files that `paths` stand for, and those beside them, which they may use.
    pub(crate) fn open(paths: &[PathBuf]) -> Result<Self, Failure> {
        let paths = files::find(paths)?;
        let files = paths.iter().map(|it| files::read(it)).collect::<Result<Vec<_>, _>>()?;
        let neighbours = files::neighbours(&paths);
        Ok(Session::of(files, neighbours))
    }

    /// One file.
    pub(crate) fn of_file(file: SourceFile) -> Self {
        Session::of(vec![file], Vec::new())
    }

    fn of(files: Vec<SourceFile>, neighbours: Vec<SourceFile>) -> Self {
        let mut db = Database::default();
        let n_files = files.len();
        let texts: Vec<(String, String)> = files
            .into_iter()
            .chain(neighbours)
            .map(|it| (it.path.display().to_string(), it.text))
            .collect();
        let mut files = db.set_files(&texts);
        files.truncate(n_files);
        let mut session = Session { db, sources: Sources::default(), files };
        session.refresh();
        session
    }

    /// Takes over the texts of the database; a file has the same number in both.
    fn refresh(&mut self) {
        let known = self.sources.numbers().end;
        let mut number = known as u32;
        while let Some(file) = db::file(&self.db, number) {
            self.sources.add(file.path(&self.db).clone(), file.text(&self.db).clone());
            number += 1;
        }
    }

    /// The texts that findings point into.
    pub(crate) fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Everything that is wrong or could be better, for any of the targets.
    pub(crate) fn findings(&self, targets: &[TargetId]) -> Vec<Finding> {
        let found = self.files.iter().flat_map(|&it| self.db.check(it, targets));
        found.map(|it| self.finding(&it)).collect()
    }

    /// What keeps the files from being read in full.
    pub(crate) fn syntax_errors(&self) -> Vec<Finding> {
        let items = self.files.iter().flat_map(|&it| db::items(&self.db, it));
        let errors = items.flat_map(|&it| db::parsed(&self.db, it).errors.iter());
        errors.map(|it| self.finding(it)).collect()
    }

    /// The kernels of the files for one target: canonical instances and `build` items.
    pub(crate) fn kernels(&self, target: TargetId) -> Vec<Arc<Kernel>> {
        let kernels = self.files.iter().flat_map(|&it| self.db.kernels(it, target));
        kernels.map(|(_, kernel)| kernel).collect()
    }

    /// The tests or benchmarks of the files, in order.
    pub(crate) fn cases(&self, kind: CaseKind) -> Vec<Case> {
        let mut cases = Vec::new();
        for &file in &self.files {
            for it in self.db.tests(file) {
                if it.is_bench == (kind == CaseKind::Bench) {
                    cases.push(Case {
                        file: file.path(&self.db).clone(),
                        title: it.title.to_string(),
                        engines: it
                            .engines
                            .iter()
                            .filter_map(|it| EngineName::from_word(it))
                            .collect(),
                        targets: it
                            .targets
                            .iter()
                            .filter_map(|it| TargetId::from_name(it))
                            .collect(),
                        key: it.key.clone(),
                    });
                }
            }
        }
        cases
    }

    /// Runs a test or a benchmark to its end or its first failure.
    pub(crate) fn run(
        &self,
        case: &Case,
        target: TargetId,
        engine: &mut dyn Engine,
        seed: u64,
    ) -> Verdict {
        let mut host = HostRun::new(engine, seed);
        let end = self.db.run_test(&case.key, target, &mut host);
        let mut findings: Vec<Finding> = end
            .diagnostics
            .iter()
            .filter(|it| it.severity == Severity::Error)
            .map(|it| self.finding(it))
            .collect();
        findings.extend(end.failure.map(|it| self.failure(&it)));
        let doubts = host.warnings.iter().map(|(kernel, doubt)| self.doubt(case, kernel, doubt));
        Verdict {
            findings,
            doubts: doubts.collect(),
            printed: host.printed,
            closeness: host.closeness,
            bits: host.recorded,
        }
    }

    /// The layout that an expression constructs.
    pub(crate) fn layout(
        &mut self,
        text: &str,
        target: TargetId,
        warps: u32,
    ) -> Result<Spec, Vec<Finding>> {
        let layout = self.db.layout(text, target, warps);
        self.refresh();
        layout.map_err(|found| found.iter().map(|it| self.finding(it)).collect())
    }

    fn finding(&self, diagnostic: &Diagnostic) -> Finding {
        let repairs = diagnostic.fixes.iter().map(|fix| Repair {
            title: fix.title.clone(),
            edits: fix.edits.iter().map(|it| (self.stretch(&it.place), it.text.clone())).collect(),
        });
        let reasons =
            diagnostic.reasons.iter().map(|it| (self.stretch(&it.place), it.message.clone()));
        let steps = diagnostic.steps.iter();
        let steps = steps.map(|it| (it.actor.clone(), it.message.clone(), self.stretch(&it.place)));
        Finding {
            severity: diagnostic.severity,
            reasons: reasons.collect(),
            steps: steps.collect(),
            help: diagnostic.help.clone(),
            fixes: repairs.collect(),
            ..Finding::new(
                diagnostic.code,
                diagnostic.message.clone(),
                self.stretch(&diagnostic.place),
            )
        }
    }

    /// A failed step of a test: at the step, or where its kernel stopped, which says more.
    fn failure(&self, failure: &HostFailure) -> Finding {
        let step = self.stretch(&failure.place);
        let mut reasons = Vec::new();
        let mut place = step.clone();
        if let Some((kernel, site)) = &failure.error.site {
            let mut chain = self.chain(kernel, *site).into_iter();
            place = chain.next().unwrap_or(place);
            reasons.extend(self.elsewhere(kernel, &failure.error.because));
            reasons.extend(chain.map(|it| (it, "called here".to_owned())));
            reasons.push((step, "the test launches it here".to_owned()));
        }
        Finding {
            reasons,
            notes: failure.error.details.clone(),
            ..Finding::new(failure.error.code, failure.error.message.clone(), place)
        }
    }

    /// What an engine doubts in a kernel, without stopping.
    fn doubt(&self, case: &Case, kernel: &Kernel, doubt: &engine::Failure) -> Finding {
        let chain = doubt.site.map(|it| self.chain(kernel, it)).unwrap_or_default();
        let mut chain = chain.into_iter();
        let place = chain.next().unwrap_or_else(|| self.head(case));
        let mut reasons = self.elsewhere(kernel, &doubt.because);
        reasons.extend(chain.map(|it| (it, "called here".to_owned())));
        Finding {
            reasons,
            notes: doubt.details.clone(),
            ..Finding::new(Code::R0103, doubt.message.clone(), place)
        }
    }

    /// Other places of a kernel that explain a finding.
    fn elsewhere(&self, kernel: &Kernel, because: &[(SiteId, String)]) -> Vec<(Stretch, String)> {
        let first = |(site, text): &(SiteId, String)| {
            Some((self.chain(kernel, *site).into_iter().next()?, text.clone()))
        };
        because.iter().filter_map(first).collect()
    }

    /// That `bits` of a case differ from those that another engine or schedule gives.
    pub(crate) fn disagreement(&self, case: &Case, other: &str) -> Finding {
        let message = format!("the bits differ from those that `{other}` gives");
        Finding::new(Code::R0101, message, self.head(case))
    }

    /// Where a case begins.
    fn head(&self, case: &Case) -> Stretch {
        let first =
            self.stretch(&Place { item: case.key.clone(), span: Span::default() }).bytes.start;
        let file = case.key.file as usize;
        let text = &self.sources.text(file)[first..];
        let line = text.find(['{', '\n']).unwrap_or(text.len());
        Stretch { file, bytes: first..first + line }
    }

    /// A place in a kernel, and the calls through which it was inlined there.
    fn chain(&self, kernel: &Kernel, site: SiteId) -> Vec<Stretch> {
        let site_of = |it: SiteId| kernel.sites.get(it.0 as usize);
        let sites = std::iter::successors(site_of(site), |it| site_of(it.caller?));
        sites.map(|it| self.stretch(&it.place)).collect()
    }

    /// The file and line of an instruction, where the kernel's own text has it.
    pub(crate) fn line(&self, kernel: &Kernel, site: SiteId) -> String {
        let own = self.own_line(kernel, site);
        own.map_or_else(String::new, |(file, line)| {
            format!("{}:{}", self.sources.name(file), line + 1)
        })
    }

    /// The file and the line, counted from 0, at which the kernel's own text has an instruction.
    pub(crate) fn own_line(&self, kernel: &Kernel, site: SiteId) -> Option<(usize, usize)> {
        let own = self.chain(kernel, site).pop()?;
        let (first, _) = self.sources.positions(&own);
        Some((own.file, first.line - 1))
    }

    /// Where a place is. One whose item is gone is the beginning of its file.
    fn stretch(&self, place: &Place) -> Stretch {
        match self.db.locate(place) {
            Some(it) => Stretch {
                file: it.file.number(&self.db) as usize,
                bytes: it.span.lo as usize..it.span.hi as usize,
            },
            None => Stretch { file: place.item.file as usize, bytes: 0..0 },
        }
    }
}

/// What came of a case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    /// Why it failed; nothing if it passed.
    pub(crate) findings: Vec<Finding>,
    /// What its engine doubts, without stopping.
    pub(crate) doubts: Vec<Finding>,
    /// What its kernels printed.
    pub(crate) printed: Vec<String>,
    /// How near the results were that may differ.
    pub(crate) closeness: Vec<Closeness>,
    /// Results that every engine must give bit for bit.
    pub(crate) bits: Vec<(DType, Vec<u64>)>,
}
