//! Runs kernels given as IR text on the interpreter and on the simulator.

#![allow(dead_code, reason = "each suite uses its part")]

pub(crate) mod layouts;

use std::fmt::Write as _;

use tile_codegen::SimEngine;
use tile_language::engine::{Engine, Failure, Launch, Outcome, Word};
use tile_language::interp::Interp;
use tile_language::ir::parse::parse;
use tile_language::ir::{Kernel, verify::verify};
use tile_language::target::TargetId;
use tile_layout::MemoryMap;

/// One target of each vendor, with warps of 32 and of 64 lanes.
pub(crate) const BOTH: [&str; 2] = ["sm_90a", "gfx942"];

/// The kernel of a text, for a target.
#[track_caller]
pub(crate) fn kernel(text: &str, target: &str) -> Kernel {
    let mut kernel = parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    kernel.target = TargetId::from_name(target).expect("the target exists");
    std::sync::Arc::make_mut(&mut kernel.plan).threads = kernel.warps * kernel.target.row().lanes;
    let found: Vec<String> = verify(&kernel).iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{found:#?}\n{text}");
    kernel
}

/// Runs a kernel on an engine.
pub(crate) fn run(
    engine: &mut dyn Engine,
    kernel: &Kernel,
    grid: [u32; 3],
    words: &[Word],
    buffers: &mut [Vec<u8>],
    seed: u64,
) -> Result<Outcome, Failure> {
    engine.run(Launch { kernel, grid, words, buffers, undefined: &[], seed })
}

/// The buffers after a run on the interpreter, and after one on the simulator.
#[track_caller]
pub(crate) fn both(
    kernel: &Kernel,
    grid: [u32; 3],
    words: &[Word],
    buffers: &[Vec<u8>],
) -> [Vec<Vec<u8>>; 2] {
    let mut interp = buffers.to_vec();
    let mut sim = buffers.to_vec();
    let name = &kernel.name;
    run(&mut Interp::new(kernel.target), kernel, grid, words, &mut interp, 0)
        .unwrap_or_else(|it| panic!("{name} on interp: {it:#?}"));
    run(&mut SimEngine::new(kernel.target), kernel, grid, words, &mut sim, 1)
        .unwrap_or_else(|it| panic!("{name} on sim: {it:#?}"));
    [interp, sim]
}

/// The address of a buffer.
pub(crate) fn address(buffer: u32) -> Word {
    Word::Address(Some(buffer))
}

/// Numbers as they lie in memory.
pub(crate) fn bytes<T: Copy, const N: usize>(
    values: impl IntoIterator<Item = T>,
    f: impl Fn(T) -> [u8; N],
) -> Vec<u8> {
    values.into_iter().flat_map(f).collect()
}

/// A register layout of 512 elements for a target: four neighbours a thread, four warps.
pub(crate) fn row_512(target: &str) -> &'static str {
    match target {
        "gfx942" | "gfx950" => {
            "[512] register [1] [2] lane [4] [8] [16] [32] [64] [128] warp [256] [0]"
        }
        _ => "[512] register [1] [2] lane [4] [8] [16] [32] [64] warp [128] [256]",
    }
}

/// Numbers that look random and are always the same.
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// The next number (Steele, Lea and Flood, "Fast splittable pseudorandom number generators").
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ it >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ it >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        it ^ it >> 31
    }

    /// A number below a bound.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// A map in the IR's text.
pub(crate) fn map_text(map: &MemoryMap) -> String {
    let dims: Vec<String> = map
        .dims()
        .iter()
        .map(|it| format!("{} {:?} {}", it.extent, it.columns.as_slice(), it.stride))
        .collect();
    let mut text = dims.join(", ");
    if map.mixed() != 0 {
        let _ = write!(text, " mixed {}", map.mixed());
    }
    if !map.padding().is_empty() {
        text += " padding";
    }
    map.padding().iter().for_each(|(a, b)| {
        let _ = write!(text, " [{a}, {b}]");
    });
    text
}
