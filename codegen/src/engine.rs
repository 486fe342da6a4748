//! `sim` as an engine of the language: lowers a kernel for its target and runs it there.
//!
//! # Idea
//! The module that instruction selection would get is what runs, with the tests of `assume` in it
//! and the number of the site as the line of every instruction, so that a finding names its place.
//! A kernel is translated once, however often it is launched.

use inkwell::context::Context;
use tile_language::dtype::{Class, DType};
use tile_language::engine::{Engine, Failure, Launch, Outcome, Word};
use tile_language::ir::{Kernel, SiteId};
use tile_language::op::tile::Round;
use tile_language::report::runtime as wording;
use tile_language::target::TargetId;
use tile_language::value;

use crate::backend::Backend;
use crate::error::BuildError;
use crate::lower::{Hook, HookKind, LowerOptions};
use crate::sim::{self, Lanes, Param, Program, SimError, SiteCost};

/// How many translated kernels are kept.
const KEPT: usize = 16;

/// The simulator of the lowered module.
#[derive(Debug)]
pub struct SimEngine {
    target: TargetId,
    is_prepared: bool,
    /// What accesses to memory cost in the last launch.
    costs: Vec<SiteCost>,
    // Invariant: at most `KEPT`, the one used last at the end.
    ready: Vec<Ready>,
}

/// A kernel that can be run.
#[derive(Debug)]
struct Ready {
    kernel: Kernel,
    program: Program,
    hooks: Vec<Hook>,
    dynamic_shared_bytes: u32,
}

impl SimEngine {
    /// An engine that has translated nothing yet, of a device like `target`.
    pub fn new(target: TargetId) -> SimEngine {
        SimEngine { target, is_prepared: false, costs: Vec::new(), ready: Vec::new() }
    }

    /// An engine for kernels that have their waits and barriers already; it puts in none.
    pub fn of_prepared(target: TargetId) -> SimEngine {
        SimEngine { is_prepared: true, ..SimEngine::new(target) }
    }

    /// What accesses to memory cost in the last launch that came to its end. The line of a cost is
    /// one more than the number of the site ([`SiteId`]).
    pub fn costs(&self) -> &[SiteCost] {
        &self.costs
    }

    fn ready(&mut self, kernel: &Kernel) -> Result<&Ready, Failure> {
        if let Some(at) = self.ready.iter().position(|it| it.kernel == *kernel) {
            let found = self.ready.remove(at);
            self.ready.push(found);
        } else {
            let options = LowerOptions {
                is_checked: true,
                is_prepared: self.is_prepared,
                ..LowerOptions::default()
            };
            let made = translate(kernel, options)?;
            if self.ready.len() == KEPT {
                self.ready.remove(0);
            }
            self.ready.push(made);
        }
        Ok(self.ready.last().expect("one was just put in"))
    }
}

fn translate(kernel: &Kernel, options: LowerOptions) -> Result<Ready, Failure> {
    let context = Context::create();
    let broken = |error: BuildError| plain(error.to_string());
    let backend = Backend::new(kernel.target).map_err(broken)?;
    let lowered = backend.module(&context, kernel, options).map_err(broken)?;
    let lanes = if kernel.target.row().lanes == 64 { Lanes::L64 } else { Lanes::L32 };
    let stops = |it: &Hook| !matches!(it.kind, HookKind::Print { .. });
    let hooks: Vec<sim::Hook> = lowered
        .hooks
        .iter()
        .map(|it| sim::Hook { function: it.function.clone(), stops: stops(it) })
        .collect();
    let cpu = Some(kernel.target.row().name);
    let program = Program::for_device(&lowered.module, &kernel.name, lanes, cpu, &hooks)
        .map_err(|error| failure(&lowered.hooks, error))?;
    Ok(Ready {
        kernel: kernel.clone(),
        program,
        hooks: lowered.hooks,
        dynamic_shared_bytes: lowered.dynamic_shared_bytes,
    })
}

impl Engine for SimEngine {
    fn name(&self) -> &'static str {
        "sim"
    }

    fn device(&self) -> tile_plan::Device {
        tile_plan::Device { sms: self.target.row().sms, blocks_per_sm: 1 }
    }

    fn run(&mut self, launch: Launch<'_>) -> Result<Outcome, Failure> {
        let kernel = launch.kernel;
        let ready = self.ready(kernel)?;
        let params: Vec<Param> = launch.words.iter().map(param).collect();
        let threads = kernel.warps * kernel.target.row().lanes;
        let run = sim::Launch {
            seed: launch.seed,
            undefined: launch.undefined,
            dynamic_shared_bytes: ready.dynamic_shared_bytes,
            resident: if kernel.plan.resident { launch.grid.iter().product() } else { 1 },
            ..sim::Launch::new(launch.grid, [threads, 1, 1], &params, launch.buffers)
        };
        let report = ready.program.run(run).map_err(|error| failure(&ready.hooks, error))?;
        let mut printed = report.printed;
        printed.extend(
            report.calls.iter().filter_map(|call| line(&ready.hooks[call.hook], &call.words)),
        );
        self.costs = report.sites;
        Ok(Outcome { printed, warnings: Vec::new(), counts: report.counts })
    }
}

fn param(word: &Word) -> Param {
    match word {
        Word::Address(Some(buffer)) => Param::Buffer { index: *buffer as usize, offset: 0 },
        Word::Map { buffer, map } => Param::Map { index: *buffer as usize, map: map.clone() },
        Word::Address(None) => Param::Null,
        Word::Bits(bits) => Param::Bits(*bits),
    }
}

/// The line that a call of a hook prints; `None` if it prints nothing.
fn line(hook: &Hook, words: &[u64]) -> Option<String> {
    let HookKind::Print { pieces, dtypes } = &hook.kind else { return None };
    let mut text = pieces[0].clone();
    for ((&dtype, &word), piece) in dtypes.iter().zip(words).zip(&pieces[1..]) {
        text.push_str(&wording::number(dtype, bits_of(dtype, word)));
        text.push_str(piece);
    }
    Some(text)
}

/// The element's bits out of the 64 that a hook gets.
fn bits_of(dtype: DType, word: u64) -> u64 {
    match dtype.class() {
        Class::Float(_) => value::encode(dtype, f64::from_bits(word), Round::Nearest),
        Class::Bool | Class::Signed | Class::Unsigned => value::from_int(dtype, i128::from(word)),
    }
}

fn plain(message: String) -> Failure {
    Failure { message, site: None, block: None, details: Vec::new(), because: Vec::new() }
}

/// Why a hook with these words stopped the launch.
fn stop(kind: &HookKind, words: &[u64]) -> wording::Wording {
    match *kind {
        HookKind::Assert { ref message } => wording::assertion(message, &[]),
        HookKind::Slice { axis, extent, len, unit } => {
            wording::view_start(words[0] as i64, len, axis, extent, unit)
        }
        HookKind::Assume | HookKind::Print { .. } => wording::assumption(&[]),
    }
}

/// A finding in the words of the language.
fn failure(hooks: &[Hook], error: SimError) -> Failure {
    let line = error.place.as_ref().and_then(|it| it.line);
    let mut details = error.details;
    if let (Some(warp), lane) = (error.warp, error.lane) {
        let lane = lane.map_or(String::new(), |it| format!(", lane {it}"));
        details.push(format!("in warp {warp}{lane}"));
    }
    let stopped = error.hook.as_ref().map(|it| (&hooks[it.hook], &it.words));
    let (message, site) = match stopped {
        Some((it, words)) => {
            let (message, why) = stop(&it.kind, words);
            details.extend(why);
            (message, Some(it.site))
        }
        None => {
            details.extend(error.place.map(|it| format!("at `{}`", it.instruction)));
            (error.message, line.map(|it| SiteId(it - 1)))
        }
    };
    let because = error.others.into_iter().map(|(line, what)| (SiteId(line - 1), what)).collect();
    Failure { message, site, block: error.block, details, because }
}
