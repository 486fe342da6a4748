//! The language's database, with the files of one command in it.
//!
//! The only file that talks to the database: what comes out has places in files and is sorted, so
//! that every command shows the same findings in the same order.

use std::path::PathBuf;
use std::sync::Arc;

use tile_language::diagnostic::{Diagnostic, Severity};
use tile_language::engine::Engine;
use tile_language::ir::{ItemKey, Kernel, Place};
use tile_language::target::{TARGETS, TargetId};
use tile_layout::Spec;

use crate::Failure;
use crate::cli::EngineName;
use crate::files::{self, SourceFile};
use crate::render::{Finding, Repair, Sources, Stretch};

/// What a command works for if it names no target: one of each vendor, and of each width of warps.
const TARGETS_USUAL: &[&str] = &["sm_90a", "gfx942"];

/// The files of one command.
pub(crate) struct Session {
    sources: Sources,
    /// Numbers of the files that the command is about.
    files: Vec<u32>,
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
    pub(crate) fn empty() -> Self { Session { sources: Sources::default(), files: Vec::new() } }
    pub(crate) fn open(paths: &[PathBuf]) -> Result<Self, Failure> {
        let mut s = Session::empty();
        for path in files::find(paths)? { let f = files::read(&path)?; s.sources.add(f.path.display().to_string(), f.text); }
        Ok(s)
    }
    pub(crate) fn of_file(file: SourceFile) -> Self { let mut s = Session::empty(); s.sources.add(file.path.display().to_string(), file.text); s }
    pub(crate) fn sources(&self) -> &Sources { &self.sources }
    pub(crate) fn findings(&self, _t: &[TargetId]) -> Vec<Finding> { Vec::new() }
    pub(crate) fn syntax_errors(&self) -> Vec<Finding> { Vec::new() }
    pub(crate) fn kernels(&self, _t: TargetId) -> Vec<Arc<Kernel>> { Vec::new() }
    pub(crate) fn cases(&self, _k: CaseKind) -> Vec<Case> { Vec::new() }
    pub(crate) fn layout(&mut self, _text: &str, _t: TargetId, _w: u32) -> Result<Spec, Vec<Finding>> { Err(Vec::new()) }
    pub(crate) fn run(&self, _c: &Case, _t: TargetId, _e: &mut dyn Engine, _s: u64) -> Verdict { Verdict::default() }
}
/// What came of a case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict { pub(crate) findings: Vec<Finding>, pub(crate) printed: Vec<String>, pub(crate) worst: Option<f64> }
