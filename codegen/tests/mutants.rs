//! Tests of the tester: lowered kernels broken in one place after the other, each with the finding that
//! the simulator must come to.
//!
//! `mutants/` holds four modules as they go to instruction selection, and beside each a table. A row names a
//! line of the module, what becomes of it, and the finding: the kind that stops the run, `wrong value` if it
//! ends with other numbers than the reference, or `none` with the reason why the kernel is as good as before.
//! Reasons that begin with [`SAME`] are themselves checked: the changed instruction runs beside the old one,
//! and no lane ever sees them differ.
//!
//! The modules are kept, not made anew, so that the list stays the same whatever becomes of the lowering:
//! what is tested here is the simulator. `tilec build mutants/kernels.tile --emit ll` made them.

mod support;

use std::fmt::Write as _;
use std::path::Path;

use inkwell::context::Context;
use inkwell::memory_buffer::MemoryBuffer;
use support::Random;
use tile_codegen::sim::{Hook, Kind, Lanes, Launch, Param, Program, SimError};

/// Orders of the warps that may bring a mistake out.
const SEEDS: u64 = 3;
/// Operations after which a run counts as one without end.
const STEPS_MAX: u64 = 1 << 18;
/// How the reason begins if an instruction gives every lane what it gave before.
const SAME: &str = "the same value";

/// What the instruction that runs beside another is told apart by.
const DIFFERS: &str = "\ndeclare void @differs(i1)\n";

/// A module with a launch and what that must leave in the last buffer.
struct Subject {
    kernel: &'static str,
    lanes: Lanes,
    threads: u32,
    grid: [u32; 3],
    /// The sizes after the tensors.
    sizes: &'static [u64],
    /// Tensors of bfloats; the last one is the result.
    tensors: Vec<Vec<f32>>,
    /// How far from the reference a result may be, as a part of it.
    tolerance: f32,
}

/// Numbers of few bits, so that sums of products are exact.
fn small_numbers(n: usize, random: &mut Random) -> Vec<f32> {
    (0..n).map(|_| random.below(7) as f32 - 3.0).collect()
}

fn bytes_of(tensor: &[f32]) -> Vec<u8> {
    tensor.iter().flat_map(|it| ((it.to_bits() >> 16) as u16).to_le_bytes()).collect()
}

/// The number with the upper half of its bits, ties to even.
fn rounded(x: f32) -> f32 {
    f32::from_bits((x.to_bits() + 0x7fff + (x.to_bits() >> 16 & 1)) & 0xffff_0000)
}

const M: usize = 40;
const N: usize = 40;
const QUERIES: usize = 40;
const KEYS: usize = 72;
const HEAD: usize = 16;

/// A product of depth `K` with `at_b` for the place of row `k`, column `j` of the right factor.
fn product<const K: usize>(
    kernel: &'static str,
    lanes: Lanes,
    threads: u32,
    at_b: fn(usize, usize) -> usize,
) -> Subject {
    let mut random = Random(1);
    let (a, b) = (small_numbers(M * K, &mut random), small_numbers(K * N, &mut random));
    let sum = |i: usize, j: usize| (0..K).map(|k| a[i * K + k] * b[at_b(k, j)]).sum::<f32>();
    let c = (0..M * N).map(|at| rounded(sum(at / N, at % N))).collect();
    let grid = [M.div_ceil(32) as u32, N.div_ceil(32) as u32, 1];
    let sizes = &[M as u64, K as u64, N as u64];
    Subject { kernel, lanes, threads, grid, sizes, tensors: vec![a, b, c], tolerance: 0.0 }
}

fn attention(kernel: &'static str) -> Subject {
    let mut random = Random(1);
    let [mut q, k, mut v] = [QUERIES, KEYS, KEYS].map(|n| small_numbers(n * HEAD, &mut random));
    // Weights of like size and sums far from zero: a key more or less is seen.
    q.iter_mut().for_each(|it| *it *= 0.25);
    v.iter_mut().for_each(|it| *it += 3.0);
    let mut out = Vec::new();
    for i in 0..QUERIES {
        let score = |j: usize| {
            let dot: f32 = (0..HEAD).map(|d| q[i * HEAD + d] * k[j * HEAD + d]).sum();
            dot * 0.25
        };
        let top = (0..KEYS).map(score).fold(f32::NEG_INFINITY, f32::max);
        let weights: Vec<f32> = (0..KEYS).map(|j| (score(j) - top).exp()).collect();
        let total: f32 = weights.iter().sum();
        let mix = |d: usize| (0..KEYS).map(|j| weights[j] * v[j * HEAD + d]).sum::<f32>() / total;
        out.extend((0..HEAD).map(mix));
    }
    let grid = [QUERIES.div_ceil(32) as u32, 1, 1];
    Subject {
        kernel,
        lanes: Lanes::L32,
        threads: 64,
        grid,
        sizes: &[QUERIES as u64, KEYS as u64],
        tensors: vec![q, k, v, out],
        tolerance: 0.005,
    }
}

/// A file of `mutants/`.
fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mutants").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Subject {
    /// Runs a module under one order of the warps; how many hooks were called with a flag that is set,
    /// and whether the result is that of the reference.
    fn run(&self, module: &str, seed: u64) -> Result<(usize, bool), SimError> {
        let context = Context::create();
        let text = MemoryBuffer::create_from_memory_range_copy(module.as_bytes(), self.kernel);
        let module = context.create_module_from_ir(text).expect("every mutant is a module");
        let hooks = [Hook { function: "differs".to_owned(), stops: false }];
        let program = Program::for_device(&module, self.kernel, self.lanes, None, &hooks)?;
        let n = self.tensors.len() - 1;
        let mut buffers: Vec<Vec<u8>> = self.tensors.iter().map(|it| bytes_of(it)).collect();
        buffers[n].fill(0xff);
        let tensors = (0..=n).map(|index| Param::Buffer { index, offset: 0 });
        let params: Vec<Param> =
            tensors.chain(self.sizes.iter().map(|&it| Param::Bits(it))).collect();
        let mut launch = Launch::new(self.grid, [self.threads, 1, 1], &params, &mut buffers);
        (launch.seed, launch.steps_max) = (seed, STEPS_MAX);
        let report = program.run(launch)?;
        let is_right = buffers[n].chunks(2).zip(&self.tensors[n]).all(|(got, wanted)| {
            let got = f32::from_bits(u32::from(u16::from_le_bytes([got[0], got[1]])) << 16);
            (got - wanted).abs() <= self.tolerance * wanted.abs()
        });
        let differing = report.calls.iter().filter(|it| it.words[0] != 0).count();
        Ok((differing, is_right))
    }

    /// What is found in a module by some order of the warps.
    fn finding(&self, module: &str) -> &'static str {
        let found = (0..SEEDS).find_map(|seed| match self.run(module, seed) {
            Ok((_, true)) => None,
            Ok((_, false)) => Some("wrong value"),
            Err(error) => {
                let places = error.details.len();
                assert!(error.kind != Kind::Race || places >= 2, "a race has two places: {error}");
                Some(name(error.kind))
            }
        });
        found.unwrap_or("none")
    }

    /// The table with what is found now.
    fn judged(&self, module: &str, table: &str) -> String {
        let lines: Vec<&str> = module.lines().collect();
        let mut res = String::new();
        for row in table.lines() {
            let Some(mutant) = Mutant::of_row(row) else {
                let _ = writeln!(res, "{row}");
                continue;
            };
            let line = lines[mutant.line - 1];
            let broken = mutant.apply(line);
            let found = self.finding(&with(&lines, mutant.line, &broken));
            let mut why = mutant.why;
            if found != "none" {
                why = "";
            } else if why.starts_with(SAME) {
                let beside = with(&lines, mutant.line, &beside(line, &broken)) + DIFFERS;
                let differing = self.run(&beside, 0).expect("the kernel runs to its end").0;
                assert_eq!(differing, 0, "{}: {row}", self.kernel);
            }
            let Mutant { line, change, .. } = mutant;
            let _ = writeln!(res, "| {line} | {change} | {found} | {why} |");
        }
        res
    }

    /// The findings are those of the table.
    #[track_caller]
    fn check(&self) {
        let module = file(&format!("{}.ll", self.kernel));
        assert_eq!(self.finding(&module), "none", "the kernel itself has no mistake");
        let table = file(&format!("{}.md", self.kernel));
        let judged = self.judged(&module, &table);
        let unexplained = judged.lines().filter(|it| it.contains("| none |  |")).count();
        let changed = table.lines().zip(judged.lines()).filter(|(a, b)| a != b);
        let changed: Vec<String> = changed.map(|(was, is)| format!("{was}\n{is}")).collect();
        assert!(changed.is_empty(), "findings have changed:\n{}\n{judged}", changed.join("\n"));
        assert_eq!(unexplained, 0, "nobody says why these are no mistakes");
    }
}

/// The word for a kind of finding.
fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Race => "race",
        Kind::OutOfBounds => "out of bounds",
        Kind::Misaligned => "misaligned",
        Kind::Uninitialised => "uninitialised read",
        Kind::Deadlock | Kind::TooLong => "hang",
        Kind::Divergence => "divergence",
        Kind::ReadOnly | Kind::Trap | Kind::Undefined => "undefined",
        Kind::Unsupported | Kind::BadModule | Kind::BadLaunch => "no module",
    }
}

/// A row of a table.
struct Mutant<'t> {
    /// From 1.
    line: usize,
    change: &'t str,
    why: &'t str,
}

impl<'t> Mutant<'t> {
    /// None of lines that are no row of a mutant.
    fn of_row(row: &'t str) -> Option<Self> {
        let mut cells = row.strip_prefix('|')?.split('|').map(str::trim);
        let line = cells.next()?.parse().ok()?;
        let (change, _, why) = (cells.next()?, cells.next()?, cells.next()?);
        Some(Mutant { line, change, why })
    }

    /// The line after the change: `dropped`, or one text in the place of another.
    #[track_caller]
    fn apply(&self, line: &str) -> String {
        if self.change == "dropped" {
            return String::new();
        }
        let words: Vec<&str> = self.change.split('`').collect();
        let [_, from, " becomes ", to, _] = words[..] else { panic!("no change: {}", self.change) };
        assert!(line.contains(from), "line {} has no `{from}`: {line}", self.line);
        line.replacen(from, to, 1)
    }
}

/// A module with another text in the place of a line.
fn with(lines: &[&str], number: usize, text: &str) -> String {
    let mut lines = lines.to_vec();
    lines[number - 1] = text;
    lines.join("\n")
}

/// An instruction and beside it what it became, with a call that tells whether they differ.
fn beside(line: &str, broken: &str) -> String {
    let (result, rest) = line.trim().split_once(" = ").expect("it has a result");
    let (_, broken) = broken.split_once(" = ").expect("it has a result");
    let ty = if rest.starts_with("icmp") {
        "i1"
    } else if rest.starts_with("getelementptr") {
        "ptr addrspace(3)"
    } else {
        "i32"
    };
    format!(
        "{line}\n  %mutant = {broken}\n  %differs = icmp ne {ty} {result}, %mutant\n  \
         call void @differs(i1 %differs)"
    )
}

#[test]
fn mutants_of_a_product_with_copies_in_flight_are_found() {
    // Four turns, of which the last reads the stage that the way out of the sums overwrites.
    product::<104>("product_sm_80", Lanes::L32, 128, |k, j| k * N + j).check();
}

#[test]
fn mutants_of_a_product_by_roles_are_found() {
    // Four turns: each of two stages is filled twice.
    product::<104>("product_sm_90a", Lanes::L32, 256, |k, j| k * N + j).check();
}

#[test]
fn mutants_of_a_product_through_registers_are_found() {
    // Five turns, for the same reason.
    product::<136>("product_gfx942", Lanes::L64, 256, |k, j| j * 136 + k).check();
}

#[test]
fn mutants_of_attention_are_found() {
    attention("attention_sm_80").check();
}
