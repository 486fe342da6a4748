//! Engines by name: which ones a command uses, and how each is started.

mod gpu;
mod timed;

use tile_codegen::SimEngine;
use tile_language::engine::Engine;
use tile_language::interp::Interp;
use tile_language::target::TargetId;

use crate::Failure;
use crate::cli::EngineName;

pub(crate) use gpu::GpuEngine;
pub(crate) use timed::Timed;

impl EngineName {
    /// The word of the language.
    pub(crate) fn word(self) -> &'static str {
        match self {
            EngineName::Interp => "interp",
            EngineName::Sim => "sim",
            EngineName::Gpu => "gpu",
        }
    }

    /// The engine of that word; `None` if there is none.
    pub(crate) fn from_word(word: &str) -> Option<EngineName> {
        [EngineName::Interp, EngineName::Sim, EngineName::Gpu]
            .into_iter()
            .find(|it| it.word() == word)
    }
}

/// The engines that a command uses: those that were asked for, or the two that every machine has
/// and a device where there is one.
pub(crate) fn selected(asked: &[EngineName]) -> Vec<EngineName> {
    if asked.is_empty() {
        let mut names = vec![EngineName::Interp, EngineName::Sim];
        if tile_runtime::gpu::count().is_ok_and(|it| it > 0) {
            names.push(EngineName::Gpu);
        }
        return names;
    }
    let mut names = asked.to_vec();
    names.sort();
    names.dedup();
    names
}

/// Starts an engine; `None` if it cannot run code for `target`, as a device of another kind.
pub(crate) fn start(
    name: EngineName,
    target: TargetId,
) -> Result<Option<Box<dyn Engine>>, Failure> {
    match name {
        EngineName::Interp => Ok(Some(Box::new(Interp::new(target)))),
        EngineName::Sim => Ok(Some(Box::new(SimEngine::new(target)))),
        EngineName::Gpu => {
            let engine = GpuEngine::open().map_err(|it| Failure::Machine(it.to_string()))?;
            let runs = engine.runs(target.row().name);
            Ok(runs.then(|| Box::new(engine) as Box<dyn Engine>))
        }
    }
}
